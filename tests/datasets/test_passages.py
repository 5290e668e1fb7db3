"""A split of a fixed camera's frames by what passes."""

import numpy as np
import pytest

from logan.datasets.passages import foreground_areas, split_by_passages
from logan.datasets.video import FrameOrigin, starts_of_clips
from logan.errors import UserError
from logan.settings import Experiment, preset


def street(count: int, passages: list[tuple[int, int]], noise: int = 5) -> np.ndarray:
    """Frames of an empty street, and of a bright square in the stretches [first, end)."""
    random = np.random.default_rng(count)
    frames = random.integers(90, 91 + noise, (count, 16, 16, 3)).astype(np.uint8)
    for first, end in passages:
        for at in range(first, end):
            left = (at - first) * 12 // max(end - first, 1)
            frames[at, 4:8, left : left + 4] = 200
    return frames


def is_occupied(count: int, passages: list[tuple[int, int]]) -> np.ndarray:
    where = np.zeros(count, bool)
    for first, end in passages:
        where[first:end] = True
    return where


def test_areas_count_pixels_off_the_median() -> None:
    assert foreground_areas(street(60, [(10, 20)])).tolist() == [0] * 10 + [16] * 10 + [0] * 40
    frames = np.full((9, 2, 2, 1), 100, np.uint8)
    frames[3, 0, 0], frames[4, 0], frames[5, 1, 1] = 126, 74, 125
    assert foreground_areas(frames).tolist() == [0, 0, 0, 1, 2, 0, 0, 0, 0]


def test_frames_between_judged_ones_have_the_area_of_the_last_one(monkeypatch) -> None:
    monkeypatch.setattr("logan.datasets.passages._JUDGED", 6)
    areas = foreground_areas(street(26, [(10, 15)]))  # Judged: 0, 5, 10, 15, 20, 25.
    assert areas.tolist() == [0] * 10 + [16] * 5 + [0] * 11


def test_the_second_of_five_by_area_then_the_fourth_is_held_out() -> None:
    # Ten blocks of a frame each, with 0 to 9 pixels, shuffled.
    sizes = [3, 9, 0, 7, 5, 1, 8, 2, 6, 4]
    frames = np.full((10, 10, 10, 1), 100, np.uint8)
    for row, size in enumerate(sizes):
        frames[row, row, :size] = 200
    train, test = split_by_passages(frames, gap=0)
    assert sorted(sizes[i] for i in test) == [1, 8]
    assert sorted([*train, *test]) == list(range(10))


@pytest.mark.parametrize("seed", range(8))
def test_both_parts_have_their_share_of_few_passages(seed: int) -> None:
    random, count = np.random.default_rng(seed), 734
    firsts = np.sort(random.integers(0, count - 40, 6))
    passages = [(first, first + random.integers(15, 40)) for first in firsts.tolist()]
    train, test = split_by_passages(street(count, passages))
    where = is_occupied(count, passages)
    assert 0.15 * count < len(test) < 0.25 * count and len(train) > 0.6 * count
    assert np.abs(train[:, None] - test).min() == 18 // 4 + 1
    assert where[test].mean() == pytest.approx(where.mean(), abs=0.4 * where.mean())


def test_things_are_not_cut_apart_where_the_street_is_empty_between() -> None:
    # Each twentieth frame is empty; blocks are of 20 frames and due within a passage.
    passages = [(first + 6, first + 25) for first in range(0, 760, 20)]
    frames = street(800, passages)
    train, test = split_by_passages(frames, gap=0)
    for first, end in passages:
        assert len({at in test for at in range(first, end)}) == 1
    assert len(train) + len(test) == 800


def test_no_block_goes_over_to_the_next_clip() -> None:
    frames = street(300, [(3, 60), (145, 160), (210, 240)])
    _, test = split_by_passages(frames, starts=[0, 150, 155], gap=0)
    ends = np.flatnonzero(np.diff(np.isin(np.arange(300), test)))
    assert len(test) and not {at for at in ends.tolist() if 142 < at < 149 or 149 < at < 154}


def test_a_still_camera_before_nothing_is_split_evenly_over_time() -> None:
    _, test = split_by_passages(np.full((400, 8, 8, 3), 7, np.uint8))
    assert len(test) == 80 and np.diff(test).max() < 100


@pytest.mark.parametrize("count", [2, 3, 10, 41])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
def test_parts_are_disjoint_and_neither_is_empty(count: int, fraction: float) -> None:
    train, test = split_by_passages(street(count, [(1, 2)]), test_fraction=fraction)
    assert len(train) and len(test) and not set(train) & set(test)
    assert np.all(np.diff(train) > 0) and np.all(np.diff(test) > 0)


def test_bad_arguments_are_refused() -> None:
    frames = street(20, [])
    for fraction in (0, 1, -0.2):
        with pytest.raises(ValueError, match="test_fraction"):
            split_by_passages(frames, test_fraction=fraction)
    for starts in ([1], [0, 5, 5], [0, 20], [0, 7, 3]):
        with pytest.raises(ValueError, match="starts"):
            split_by_passages(frames, starts=starts)
    with pytest.raises(UserError, match="no training frames"):
        split_by_passages(frames, gap=20)


def test_clips_begin_where_files_do_and_folders_of_pictures() -> None:
    origins = [FrameOrigin("a.mp4", 0.0), FrameOrigin("a.mp4", 0.1), FrameOrigin("b.mp4", 0.0)]
    origins += [FrameOrigin(f"shots/{i}.png", None) for i in range(3)]
    origins += [FrameOrigin("more/0.png", None)]
    assert starts_of_clips(origins) == [0, 2, 3, 6]


def test_traffic_holds_out_passages_of_videos_only() -> None:
    assert preset("traffic", {"video": ("street.mp4",)}).hold_out == "passages"
    assert preset("traffic").hold_out == "images"
    own = preset("traffic", {"video": ("street.mp4",), "hold_out": "images"})
    assert own.hold_out == "images"
    with pytest.raises(UserError, match="--hold_out: expected images or folders without --video"):
        preset("traffic", {"hold_out": "passages"})
    with pytest.raises(UserError, match="--hold_out: expected images or passages with --video"):
        preset("traffic", {"video": ("street.mp4",), "hold_out": "folders"})
    # As runs of version 0.2 have it, whose flags do not name it.
    assert Experiment.hold_out == "images"
