"""The GIF, read back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from logan.figures.animation import animate_samples, sample_frames

REAL = np.array([[-1.0, -1.0], [1.0, 1.0]])
SNAPSHOTS = np.array([[[0.0, 0.0]], [[0.5, 0.5]], [[1.0, 1.0]]])
STEPS = np.array([0, 100, 2000])


@pytest.mark.parametrize("length", [1, 2])
def test_gif_has_a_frame_for_each_snapshot(tmp_path: Path, length: int) -> None:
    path = animate_samples(
        SNAPSHOTS[..., :length],
        STEPS,
        REAL[:, :length],
        path=tmp_path / "new" / "points.gif",
        centers=REAL[:, :length],
        fps=20,
    )
    with Image.open(path) as gif:
        assert gif.n_frames == 3
        assert gif.info["duration"] == 50
        assert gif.info["loop"] == 0
        gif.seek(2)
        assert gif.info["duration"] == 2000
    assert list(path.parent.iterdir()) == [path]


def test_only_points_and_counter_change() -> None:
    first, second, third = sample_frames(SNAPSHOTS, STEPS, REAL)
    assert first.dtype == np.uint8
    assert first.shape == second.shape == third.shape == (460, 420, 3)
    border = np.s_[40:, :38]  # the vertical axis with its labels
    np.testing.assert_array_equal(first[border], third[border])
    assert np.any(first[40:380, 60:] != second[40:380, 60:])


def test_a_standing_generator_still_counts_steps(tmp_path: Path) -> None:
    path = animate_samples(SNAPSHOTS[[0, 0]], STEPS[:2], REAL, path=tmp_path / "points.gif")
    with Image.open(path) as gif:
        assert gif.n_frames == 2


@pytest.mark.parametrize(
    ("snapshots", "steps"),
    [(SNAPSHOTS[0], STEPS), (SNAPSHOTS[..., :1], STEPS), (SNAPSHOTS, STEPS[:2]), ([], [])],
)
def test_frames_refuse(snapshots: np.ndarray, steps: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        sample_frames(snapshots, steps, REAL)


@pytest.mark.parametrize(("name", "fps"), [("a.mp4", 10), ("a.gif", 0), ("a.gif", 101)])
def test_animation_refuses(tmp_path: Path, name: str, fps: float) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        animate_samples(SNAPSHOTS, STEPS, REAL, path=tmp_path / name, fps=fps)
    assert not list(tmp_path.iterdir())
