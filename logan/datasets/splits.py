"""Training and test parts of data whose neighbours are near-duplicates."""

from fractions import Fraction

import numpy as np

from logan.errors import UserError

__all__ = ["evenly", "split_by_time_block"]


def split_by_time_block(
    count: int,
    *,
    test_fraction: float = 0.2,
    block: int | None = None,
    gap: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Splits the frames of a video into training and test blocks of time.

    Neighbouring frames are near-duplicates, so a random split would test on what was trained on.
    Here the video is cut into contiguous blocks and every so many of them, evenly spread so that
    both parts see all times of the day, becomes a test block. Training frames closer than `gap`
    to a test frame are dropped; no test frame is.

    The split depends on the arguments alone: there is no chance in it.

        >>> train, test = split_by_time_block(20, test_fraction=0.25, block=5, gap=1)
        >>> test
        array([15, 16, 17, 18, 19])
        >>> train
        array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13])

    Args:
        count: number of frames, in the order of time.
        test_fraction: share of the blocks that becomes the test set, between 0 and 1, exclusive.
        block: frames in a block (the last may be shorter). By default half of the test share,
            which gives two test blocks, one in the middle and one at the end for a fifth.
        gap: frames dropped between a training and a test block, so that they are at least
            `gap + 1` frames apart. By default a quarter of a block. Better, when it is known,
            is the number of frames that a passing object stays in view.

    Returns:
        (train_indices, test_indices): int64 arrays, ascending and disjoint.

    Raises:
        ValueError: if an argument is out of its range.
        UserError: if one of the two parts is empty.
    """
    if count < 2:
        raise ValueError(f"Expected at least 2 frames to split. Received: count={count}.")
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"Expected test_fraction between 0 and 1, exclusive. Received: {test_fraction}."
        )
    # The decimal that was written, not its nearest binary fraction: 10 * 0.3 blocks are 3 blocks.
    fraction = Fraction(str(test_fraction))
    if block is None:
        block = max(1, round(count * fraction / 2))
    if block < 1:
        raise ValueError(f"Expected a block of at least 1 frame. Received: block={block}.")
    if gap is None:
        gap = block // 4
    if gap < 0:
        raise ValueError(f"Expected a gap of 0 frames or more. Received: gap={gap}.")
    is_test = _test_frames(count, fraction, block)
    return train_apart_from(
        is_test, gap, f"test_fraction={test_fraction}, block={block}, gap={gap}"
    )


def train_apart_from(is_test: np.ndarray, gap: int, how: str) -> tuple[np.ndarray, np.ndarray]:
    """The frames that are at least `gap + 1` away from test frames, and the test frames.

    Args:
        is_test: bool [frames].
        gap: frames dropped beside a test frame.
        how: how the test frames were chosen, in words, for a message.

    Returns:
        (train_indices, test_indices): int64 arrays.

    Raises:
        UserError: if one of the two is empty.
    """
    train, test = np.flatnonzero(~_widened(is_test, gap)), np.flatnonzero(is_test)
    if not len(train) or not len(test):
        empty = "training" if len(test) else "test"
        raise UserError(
            f"Expected frames on both sides of the split. Received: no {empty} frames with "
            f"count={len(is_test)}, {how}. Give more frames, or a test_fraction nearer to a half."
        )
    return train, test


def _test_frames(count: int, fraction: Fraction, block: int) -> np.ndarray:
    """Marks, as bool [count], the blocks at which the running share of test blocks steps up."""
    blocks = -(-count // block)
    steps = [(index + 1) * fraction // 1 > index * fraction // 1 for index in range(blocks)]
    return np.repeat(steps, block)[:count]


def _widened(is_test: np.ndarray, gap: int) -> np.ndarray:
    """Marks, as bool [count], the frames at most `gap` frames away from a test frame."""
    nearby = np.convolve(is_test.astype(np.int64), np.ones(2 * gap + 1, np.int64))
    return nearby[gap : gap + len(is_test)] > 0


def evenly(total: int, count: int) -> np.ndarray:
    """int64 [up to count], indices below total at even distances, first and last included."""
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)
