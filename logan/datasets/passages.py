"""Training and test parts of a fixed camera's frames, both with their share of what passes.

Everything is whole numbers: the same frames are split alike on every machine.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from logan.datasets.splits import evenly, train_apart_from

TEST_BLOCKS = 8
_JUDGED = 4_000  # frames, at most
_FOR_MEDIAN = 256
_CONTRAST = 25  # grey levels: a tenth of the range
_VALUES = 2**24  # pixels compared at a time


def split_by_passages(
    frames: np.ndarray,
    *,
    test_fraction: float = 0.2,
    starts: Sequence[int] = (0,),
    gap: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Splits the frames of a fixed camera into training and test blocks of time.

    Things pass now and then. Two blocks of a short clip, such as `split_by_time_block` holds out,
    may show none of them. So the frames are cut into five times as many blocks as eight test blocks
    (for a test share of a fifth), where least stands before the scene, so that few things are cut
    apart. The blocks are ordered by how much stands there, and of each five neighbours in that
    order one is held out: the second, then the fourth, in turns. Training frames closer than `gap`
    to a test frame are dropped.

    What stands before the scene is counted in pixels: those that differ from the median of the
    frames by more than 25 of 255 in any channel. Of many frames 4,000 are judged.

    Args:
        frames: uint8 [frames, height, width, channels], in the order of time.
        test_fraction: share of the blocks that becomes the test set, between 0 and 1, exclusive.
        starts: where clips begin, ascending from 0. No block goes over from one to the next.
        gap: frames dropped between a training and a test block. By default a quarter of the usual
            length of a block.

    Returns:
        (train_indices, test_indices): int64 arrays, ascending and disjoint.

    Raises:
        ValueError: if an argument is out of its range.
        UserError: if one of the two parts is empty.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"Expected test_fraction between 0 and 1, exclusive. Received: {test_fraction}."
        )
    if list(starts) != sorted({0, *starts}) or starts[-1] >= max(len(frames), 1):
        raise ValueError(f"Expected starts of clips, ascending from 0. Received: {list(starts)}.")
    # The decimal that was written, not its nearest binary fraction.
    fraction = Fraction(str(test_fraction))
    length = max(1, round(len(frames) * fraction / TEST_BLOCKS))
    areas = foreground_areas(frames)
    cuts = [0]
    for first, end in zip(starts, [*starts[1:], len(frames)], strict=True):
        cuts += _cuts(areas, first, end, length)
    in_blocks = np.add.reduceat(areas, cuts[:-1])
    is_test = np.zeros(len(frames), bool)
    for block in _held_out(in_blocks, fraction):
        is_test[cuts[block] : cuts[block + 1]] = True
    gap = length // 4 if gap is None else gap
    return train_apart_from(is_test, gap, f"test_fraction={test_fraction}, gap={gap}")


def foreground_areas(frames: np.ndarray) -> np.ndarray:
    """int64 [frames], pixels that differ from the median frame by more than 25 of 255.

    Frames in between, where not all are judged, have the area of the last one that was.
    """
    judged = evenly(len(frames), _JUDGED)
    scene = np.median(frames[evenly(len(frames), _FOR_MEDIAN)], axis=0).astype(np.int16)
    areas = [
        (np.abs(part.astype(np.int16) - scene) > _CONTRAST).any(axis=-1).sum(axis=(1, 2))
        for part in _parts(frames, judged)
    ]
    until_next = np.diff(judged, append=len(frames))
    return np.repeat(np.concatenate(areas), until_next).astype(np.int64)


def _parts(frames: np.ndarray, index: np.ndarray) -> Iterator[np.ndarray]:
    rows = max(1, _VALUES // frames[0].size)
    return (frames[index[first : first + rows]] for first in range(0, len(index), rows))


def _cuts(areas: np.ndarray, first: int, end: int, length: int) -> list[int]:
    """Ends of blocks of about that length, each where the area is least near its due place."""
    blocks = max(1, round((end - first) / length))
    # Less than half a block to each side, so that no block is empty.
    reach = (end - first) // blocks // 3
    cuts = []
    for number in range(1, blocks):
        due = first + (end - first) * number // blocks
        near = np.arange(due - reach, due + reach + 1)
        _, _, cut = min(
            (area, abs(at - due), at)
            for area, at in zip(areas[near].tolist(), near.tolist(), strict=True)
        )
        cuts.append(cut)
    return [*cuts, end]


def _held_out(areas: np.ndarray, fraction: Fraction) -> Iterable[int]:
    """Which blocks to hold out: evenly spread over their order, from the largest area down."""
    order = np.lexsort((np.arange(len(areas)), -areas)).tolist()
    count = min(max(1, round(len(areas) * fraction)), max(1, len(areas) - 1))
    # In turns a little before and behind the middle, so that neither part has always the larger.
    ranks = [(number + Fraction(7 if number % 2 else 3, 10)) / fraction for number in range(count)]
    return (order[min(int(rank), len(order) - 1)] for rank in ranks)
