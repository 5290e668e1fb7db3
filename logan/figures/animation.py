"""The generated points over training, as frames and as a GIF."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from logan.figures.checks import expect_points, expect_shape, expect_some
from logan.figures.style import figure_of, legend_below, new_figure, styled
from logan.figures.toy import data_limits, draw_samples, max_share
from logan.files import atomic_path

_LAST_FRAME_MS = 2000
_METHOD = Image.Quantize.MAXCOVERAGE  # keeps pure white, which the default greys a little


def sample_frames(
    snapshots: np.ndarray,
    steps: np.ndarray,
    real: np.ndarray,
    *,
    centers: np.ndarray | None = None,
) -> Iterator[np.ndarray]:
    """Draws one frame for each snapshot, all with the same axes.

    Args:
        snapshots: [T, N, d], generated points at T moments, d = 1 or 2.
        steps: int [T], the training step of each.
        real: [M, d].
        centers: [K, d], the centres of the modes.

    Returns:
        T frames, each uint8 [height, width, 3].

    Raises:
        ValueError: if the shapes do not fit together.
    """
    real = expect_points("real", real)
    snapshots = np.asarray(snapshots)
    if snapshots.ndim != 3 or snapshots.shape[2] != real.shape[1]:
        received = f"shape {snapshots.shape}"
        raise ValueError(
            f"Expected snapshots of shape [T, N, {real.shape[1]}]. Received: {received}"
        )
    expect_some("snapshots", snapshots)
    steps = expect_shape("steps", steps, (len(snapshots),))
    return _frames(snapshots, steps, real, centers)


def animate_samples(
    snapshots: np.ndarray,
    steps: np.ndarray,
    real: np.ndarray,
    *,
    path: str | os.PathLike[str],
    centers: np.ndarray | None = None,
    fps: float = 10,
) -> Path:
    """Writes the generated points over training as a GIF that loops, in one piece.

    Args:
        snapshots: [T, N, d], generated points at T moments, d = 1 or 2.
        steps: int [T], the training step of each.
        real: [M, d].
        path: ends in .gif; missing folders are made.
        centers: [K, d], the centres of the modes.
        fps: frames per second, in (0, 100]; the last frame stays for two seconds.

    Returns:
        The path.

    Raises:
        ValueError: if the suffix or fps is not of that kind, or shapes do not fit together.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ValueError(f"Expected a path that ends in .gif. Received: {path}")
    if not 0 < fps <= 100:
        raise ValueError(f"Expected fps in (0, 100]. Received: {fps}")
    frames = sample_frames(snapshots, steps, real, centers=centers)
    images = [Image.fromarray(frame).quantize(128, method=_METHOD) for frame in frames]
    durations = [round(1000 / fps)] * (len(images) - 1) + [_LAST_FRAME_MS]
    with atomic_path(path) as temporary:
        images[0].save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=durations,
            loop=0,
        )
    return path


def _frames(
    snapshots: np.ndarray, steps: np.ndarray, real: np.ndarray, centers: np.ndarray | None
) -> Iterator[np.ndarray]:
    figure = new_figure(5.4, 2.9) if real.shape[1] == 1 else new_figure(4.2, 4.6)
    axes = figure.subplots()
    for points, step in zip(snapshots, steps, strict=True):
        yield _frame(axes, points, int(step), real, centers)


@styled
def _frame(
    axes: Axes, points: np.ndarray, step: int, real: np.ndarray, centers: np.ndarray | None
) -> np.ndarray:
    axes.clear()
    draw_samples(axes, real, points, centers=centers, limits=data_limits(real, centers))
    if real.shape[1] == 1:
        # A collapsed generator piles up far above the data, which would flatten everything else.
        axes.set_ylim(0, 2 * max_share(real, data_limits(real, centers)))
    axes.set_title(f"step {step:,}")
    return _pixels(axes)


def _pixels(axes: Axes) -> np.ndarray:
    figure = figure_of(axes)
    if not figure.legends:
        legend_below(figure, axes)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # what the first frame settled holds for all
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
