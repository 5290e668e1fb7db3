"""Which cars stand where, in pictures of a junction whose lanes and colours are known.

With the places and colours of all cars known, lost modes can be counted: see `cell_coverage_of`.
The detector knows nothing of how the pictures were made but the geometry that it is given. Its
own errors on real frames bound what its counts of generated frames can mean: see
`detector_accuracy`.

Images are floating in [-1, 1]. Places are in [0, 1], x to the right and y downwards.
"""

import dataclasses

import numpy as np

from logan.metrics.coverage import is_fair
from logan.metrics.foreground import DEFAULT_THRESHOLD

__all__ = ["Detections", "cell_coverage_of", "detect_cars", "detector_accuracy"]

# In sides of the picture. Shorter runs are noise, longer ones are more than one car.
MINIMUM_LENGTH, MAXIMUM_LENGTH = 0.1, 0.4
# In widths of the lane: pixels beside it may look like parts of a car, but not half of them.
MAXIMUM_WIDTH = 1.5
# The part of a lane's width that is looked at: what a car that is not quite central covers.
INNER_SHARE = 0.7
# Of the pixels of a small car, no more than this may be body alone: the others are partly window.
# On the drawn junction (seeds 1 to 3), 0.5 mistakes a tenth of the colours at 32 pixels.
BODY_SHARE = 0.25
# Light changes by less than this; a frame that seems to exceed it is wrong in another way.
GAIN_LIMITS = 0.5, 2.0


@dataclasses.dataclass(frozen=True)
class Detections:
    """The cars that were found.

    Attributes:
        pairs: bool [frames, cells, colours], whether a car of the colour stands in the cell.
    """

    pairs: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Whether a car stands in each cell, bool [frames, cells]."""
        return np.any(self.pairs, axis=2)

    @property
    def colours(self) -> np.ndarray:
        """Whether there is a car of each colour, bool [frames, colours]."""
        return np.any(self.pairs, axis=1)

    @property
    def occupied(self) -> np.ndarray:
        """Whether there is any car, bool [frames]."""
        return np.any(self.pairs, axis=(1, 2))


def detect_cars(
    frames: np.ndarray,
    background: np.ndarray,
    cell_boxes: np.ndarray,
    cell_lanes: np.ndarray,
    lane_axes: np.ndarray,
    palette: np.ndarray,
    *,
    threshold: float = DEFAULT_THRESHOLD,
) -> Detections:
    """Finds the cars of each frame, one by one along its lanes.

    1. The light is taken out: each channel of (frame + 1) is divided by the median over pixels of
       (frame + 1) / (background + 1), so that black stays black. A pixel is foreground when any
       channel then differs from the background by more than `threshold`.
    2. Along each lane, a run of columns across it of which at least half is foreground is a car
       if it is longer than it is wide (otherwise it is a car that crosses the lane), or if it is
       cut off by the picture's edge; and if length and width are those of a car.
    3. The cell is the one that the run's centre lies in. The colour is the one of the palette to
       which the nearest quarter of the run's pixels are nearest: the others may be windows.

    Args:
        frames: floating [frames, height, width, channels] in [-1, 1].
        background: floating [height, width, channels], the empty scene.
        cell_boxes: floating [cells, (left, top, right, bottom)] in [0, 1].
        cell_lanes: int [cells], the lane that each cell is part of.
        lane_axes: int [lanes], along which axis a lane's cars are long: 0 for x, 1 for y.
        palette: floating [colours, channels] in [-1, 1].
        threshold: smallest difference that counts, on the scale of [-1, 1].

    Returns:
        The cars that were found.

    Raises:
        ValueError: if the arrays do not fit or images are not floating.
    """
    _check_images(frames, background, palette)
    _check_geometry(cell_boxes, cell_lanes, lane_axes)
    lanes = [
        _Lane.of(cell_boxes, np.flatnonzero(cell_lanes == lane), int(axis), frames.shape[1:3])
        for lane, axis in enumerate(lane_axes)
    ]
    pairs = np.zeros((len(frames), len(cell_boxes), len(palette)), bool)
    for frame, found in zip(frames, pairs, strict=True):
        even = _without_light(frame, background)
        mask = np.abs(even - background).max(axis=-1) > threshold
        for lane in lanes:
            for cell, colour in _cars_of_lane(lane, mask, even, palette):
                found[cell, colour] = True
    return Detections(pairs)


def detector_accuracy(
    detections: Detections, cell_counts: np.ndarray, colour_counts: np.ndarray
) -> dict[str, float]:
    """How right the detector is, on frames whose cars are known.

    Args:
        detections: of those frames.
        cell_counts: int or bool [frames, cells], the cars in each cell.
        colour_counts: int or bool [frames, colours], the cars of each colour.

    Returns:
        cell_precision: share of the found (frame, cell) in which there is a car.
        cell_recall: share of the (frame, cell) with a car that were found.
        occupied: share of the frames for which it is right whether there is any car.
        colour: share of the frames in which all cells are right, and not all of them empty, in
            which the set of colours is right.
        A share of nothing is NaN.

    Raises:
        ValueError: if the shapes do not agree.
    """
    cells, colours = np.asarray(cell_counts) > 0, np.asarray(colour_counts) > 0
    if cells.shape != detections.cells.shape or colours.shape != detections.colours.shape:
        raise ValueError(
            f"Expected counts of shapes {detections.cells.shape} and {detections.colours.shape}. "
            f"Received: {cells.shape} and {colours.shape}."
        )
    right = cells & detections.cells
    is_right = (cells == detections.cells).all(axis=1) & cells.any(axis=1)
    is_colour_right = (colours == detections.colours).all(axis=1)
    return {
        "cell_precision": _share(right.sum(), detections.cells.sum()),
        "cell_recall": _share(right.sum(), cells.sum()),
        "occupied": float(np.mean(detections.occupied == cells.any(axis=1))),
        "colour": _share((is_colour_right & is_right).sum(), is_right.sum()),
    }


def cell_coverage_of(
    detections: Detections, cell_probabilities: np.ndarray, colour_probabilities: np.ndarray
) -> dict[str, float]:
    """Which of the cells and colours appear in generated frames.

    Args:
        detections: of the generated frames.
        cell_probabilities: [cells], the true probability that a frame has a car in the cell.
        colour_probabilities: [colours], the true probability that it has a car of the colour.

    Returns:
        occupied_share: share of the frames with a car.
        cells_captured: share of the cells with a car in at least one frame.
        cells_captured_fair: share of the cells with a car in at least a fifth as many frames as
            are expected.
        colours_captured, colours_captured_fair: the same of the colours.

    Raises:
        ValueError: if there are no frames, the shapes do not agree, or a probability is not in
            (0, 1].
    """
    if not len(detections.pairs):
        raise ValueError("Expected detections in at least 1 frame. Received: 0.")
    coverage = {"occupied_share": float(detections.occupied.mean())}
    for name, appears, probabilities in (
        ("cells", detections.cells, np.asarray(cell_probabilities)),
        ("colours", detections.colours, np.asarray(colour_probabilities)),
    ):
        if probabilities.shape != appears.shape[1:]:
            raise ValueError(
                f"Expected {appears.shape[1]} probabilities of {name}. "
                f"Received: shape {probabilities.shape}."
            )
        if not np.all((probabilities > 0) & (probabilities <= 1)):
            raise ValueError(
                f"Expected probabilities of {name} above 0 and up to 1. Received: {probabilities}."
            )
        counts = appears.sum(axis=0)
        is_fairly_captured = (counts > 0) & is_fair(counts, probabilities * len(appears))
        coverage[f"{name}_captured"] = float(np.mean(counts > 0))
        coverage[f"{name}_captured_fair"] = float(np.mean(is_fairly_captured))
    return coverage


@dataclasses.dataclass(frozen=True)
class _Lane:
    """A lane in pixels, with `across` the rows of a picture turned so that the lane is a row.

    Attributes:
        axis: 0 if the lane runs along x.
        center: the row in its middle.
        across: the rows that are looked at.
        width: in pixels.
        cells: int [cells of the lane], in ascending order along it.
        edges: floating [cells of the lane - 1], where one ends and the next begins, in pixels.
    """

    axis: int
    center: int
    across: slice
    width: float
    cells: np.ndarray
    edges: np.ndarray

    @classmethod
    def of(cls, boxes: np.ndarray, cells: np.ndarray, axis: int, shape: tuple[int, ...]) -> "_Lane":
        other = 1 - axis
        # Pictures are [y, x]: x is the last axis.
        length, breadth = shape[1 - axis], shape[1 - other]
        cells = cells[np.argsort(boxes[cells, axis])]
        low, high = breadth * boxes[cells, other].min(), breadth * boxes[cells, other + 2].max()
        middle, half = (low + high) / 2, INNER_SHARE * (high - low) / 2
        # Pixels whose centres lie within.
        across = slice(int(np.ceil(middle - half - 0.5)), int(np.floor(middle + half - 0.5)) + 1)
        edges = length * (boxes[cells[:-1], axis + 2] + boxes[cells[1:], axis]) / 2
        return cls(axis, int(middle), across, high - low, cells, edges)


def _without_light(frame: np.ndarray, background: np.ndarray) -> np.ndarray:
    light = frame.astype(np.float32) + 1
    # The scene's black would make any ratio.
    ratio = light / np.maximum(background + 1, 0.05)
    gain = np.clip(np.median(ratio, axis=(0, 1)), *GAIN_LIMITS)
    return light / gain - 1


def _cars_of_lane(
    lane: _Lane, mask: np.ndarray, image: np.ndarray, palette: np.ndarray
) -> list[tuple[int, int]]:
    """The (cell, colour) of each car on one lane."""
    if lane.axis == 1:
        mask, image = mask.T, image.swapaxes(0, 1)
    side = mask.shape[1]
    cars = []
    for begin, end in _runs(mask[lane.across].mean(axis=0) >= 0.5):
        width = _length_through(mask[:, begin:end].mean(axis=1) >= 0.5, lane.center)
        is_along = end - begin > width or begin == 0 or end == side
        is_long = MINIMUM_LENGTH * side <= end - begin <= MAXIMUM_LENGTH * side
        if is_along and is_long and 0 < width <= MAXIMUM_WIDTH * lane.width:
            cell = lane.cells[np.searchsorted(lane.edges, (begin + end) / 2, side="right")]
            # The first and the last column are partly road.
            body = image[lane.across, begin + 1 : end - 1].reshape(-1, 1, image.shape[2])
            distances = np.linalg.norm(body - palette, axis=2)
            colour = np.quantile(distances, BODY_SHARE, axis=0).argmin()
            cars.append((int(cell), int(colour)))
    return cars


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """(begin, end) of each stretch of true flags, end exclusive.

    A single false flag within does not end it: where a white car's window begins, a pixel of both
    may be as grey as the road.
    """
    padded = np.concatenate([[False], flags, [False]])
    padded[1:-1] |= padded[:-2] & padded[2:]
    steps = np.diff(padded.astype(np.int8))
    return list(zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True))


def _length_through(flags: np.ndarray, place: int) -> int:
    """Length of the stretch of true flags that holds a place, 0 if it is false there."""
    return next((end - begin for begin, end in _runs(flags) if begin <= place < end), 0)


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _check_images(frames: np.ndarray, background: np.ndarray, palette: np.ndarray) -> None:
    if frames.ndim != 4:
        raise ValueError(
            f"Expected frames of shape [frames, height, width, channels]. Received: {frames.shape}."
        )
    if background.shape != frames.shape[1:]:
        raise ValueError(
            f"Expected a background of shape {frames.shape[1:]}. Received: {background.shape}."
        )
    if palette.ndim != 2 or palette.shape[1] != frames.shape[3]:
        raise ValueError(
            f"Expected a palette of shape [colours, {frames.shape[3]}]. Received: {palette.shape}."
        )
    for name, values in (("frames", frames), ("background", background), ("palette", palette)):
        if not np.issubdtype(values.dtype, np.floating):
            raise ValueError(
                f"Expected floating {name} in [-1, 1]. Received: dtype={values.dtype}."
            )


def _check_geometry(boxes: np.ndarray, lanes: np.ndarray, axes: np.ndarray) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4 or lanes.shape != boxes.shape[:1]:
        raise ValueError(
            "Expected cell_boxes of shape [cells, 4] and cell_lanes of shape [cells]. "
            f"Received: {boxes.shape} and {lanes.shape}."
        )
    if not np.isin(axes, (0, 1)).all() or set(lanes.tolist()) != set(range(len(axes))):
        raise ValueError(
            "Expected an axis 0 or 1 of every lane, and cells on every lane. "
            f"Received: lane_axes={axes.tolist()} and cell_lanes={lanes.tolist()}."
        )
