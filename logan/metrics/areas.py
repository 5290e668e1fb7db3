"""Connected areas of masks, of all frames at once."""

import numpy as np

__all__ = ["connected_areas", "solid_sizes"]


def connected_areas(mask: np.ndarray) -> np.ndarray:
    """Numbers the connected areas of each frame; a pixel has eight neighbours.

    Neighbours are joined under the lower one's number until nothing changes (Y. Shiloach and U.
    Vishkin, "An O(log n) parallel connectivity algorithm", 1982).

    Args:
        mask: bool [frames, height, width].

    Returns:
        int64 [frames, height, width]: 0 outside of the mask, and from 1 on without gaps the number
        of the area that a pixel is in. Areas of different frames have different numbers.

    Raises:
        ValueError: if the mask is not of this form.
    """
    if mask.ndim != 3 or mask.dtype != bool:
        raise ValueError(
            f"Expected a mask of bool [frames, height, width]. Received: {mask.dtype} {mask.shape}."
        )
    # A margin, or the end of a row would have neighbours at the beginning of the next one.
    padded = np.pad(mask, ((0, 0), (1, 1), (1, 1)))
    places = np.flatnonzero(padded)
    numbers = np.zeros(padded.size, np.int64)
    numbers[places] = np.arange(1, len(places) + 1)
    width = padded.shape[2]
    behind = numbers[places + np.array([[1], [width - 1], [width], [width + 1]])]
    direction, first = np.nonzero(behind)
    roots = _roots(len(places) + 1, first + 1, behind[direction, first])
    # The root of 0, which stands for no pixel, makes sure that areas begin with 1.
    numbers[places] = np.unique(roots, return_inverse=True)[1][1:]
    return numbers.reshape(padded.shape)[:, 1:-1, 1:-1]


def solid_sizes(areas: np.ndarray) -> np.ndarray:
    """The size of each area that is more than a line.

    A line of one pixel's width is an edge of the scene that has moved a little, with the camera or
    in a generator's picture. A thing contains at least a square of 2 by 2 pixels.

    Args:
        areas: int64 [frames, height, width], see `connected_areas`.

    Returns:
        int64 [areas + 1], by number: the pixels of the area, 0 of a line and of number 0.
    """
    sizes = np.bincount(areas.ravel())
    is_solid = np.zeros(len(sizes), bool)
    # Pixels of one square touch each other, so that all are in one area if none is outside.
    square = np.minimum(areas[:, 1:], areas[:, :-1])
    is_solid[np.minimum(square[:, :, 1:], square[:, :, :-1])] = True
    is_solid[0] = False
    return np.where(is_solid, sizes, 0)


def _roots(count: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The lowest number that each of 0, …, count - 1 is joined to by pairs, int64 [count]."""
    roots = np.arange(count)
    while np.any(roots[first] != roots[second]):
        low = np.minimum(roots[first], roots[second])
        np.minimum.at(roots, roots[first], low)
        np.minimum.at(roots, roots[second], low)
        while np.any(roots[roots] != roots):
            roots = roots[roots]
    return roots
