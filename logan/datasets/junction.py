"""A drawn traffic camera: a road junction from above, of which every car is known.

Of a filmed scene nobody knows the modes. Here a generator can be asked exactly what it lost: the
cells of the lanes in which a car can stand, and the colours of cars, have known probabilities, and
`logan.metrics.cars` finds them again in pictures.

The scene is a square with sides of length 1, x to the right and y downwards. Two roads cross in
its middle, with two lanes each, one per direction, driven on the right. The length of every lane
is cut into six cells; with 32 pixels, a cell is 5.3 pixels long and 5.5 wide. The centre of a car
lies in one cell. Cells 2 and 3 of a lane lie in the square that both roads share: there a car on
one road may stand where a car on the other road does in another frame, turned by 90°.

Random draws are NumPy's, not `logan.randomness`, so that drawing needs no TensorFlow. They follow
the same rule: Philox, keyed by (seed, frame), with a purpose in the counter's highest word.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "CELL_BOXES",
    "CELL_CENTERS",
    "CELL_LANES",
    "COLOUR_NAMES",
    "LANE_AXES",
    "LANE_HEADINGS",
    "LANE_NAMES",
    "PALETTE",
    "SIZES",
    "SIZE_NAMES",
    "Junction",
    "Truth",
]

MINIMUM_SIZE, MAXIMUM_SIZE = 32, 128

LANE_WIDTH = 0.172
CELLS_PER_LANE = 6
# A lane is named for where its cars go.
LANE_NAMES = ("west", "east", "south", "north")
# Unit vectors [lanes, (x, y)].
LANE_HEADINGS = np.array([[-1, 0], [1, 0], [0, 1], [0, -1]])
# The axis along which the cars of a lane are long: 0 is x and 1 is y.
LANE_AXES = np.array([0, 0, 1, 1])
_LANE_CENTERS = 0.5 + LANE_WIDTH * np.array([-0.5, 0.5, -0.5, 0.5])

# Cells 0 to 5 are those of lane 0, and so on; within a lane from left to right or from top to
# bottom, however it is driven.
CELL_LANES = np.repeat(np.arange(len(LANE_NAMES)), CELLS_PER_LANE)


def _cell_centers() -> np.ndarray:
    along = np.tile((np.arange(CELLS_PER_LANE) + 0.5) / CELLS_PER_LANE, len(LANE_NAMES))
    across = _LANE_CENTERS[CELL_LANES]
    is_along_x = LANE_AXES[CELL_LANES] == 0
    x, y = np.where(is_along_x, along, across), np.where(is_along_x, across, along)
    return np.stack([x, y], axis=-1)


def _boxes(centers: np.ndarray, axes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(left, top, right, bottom) of rectangles with sizes (along, across) the axis, [..., 4]."""
    halves = np.where((axes == 0)[..., None], sizes, sizes[..., ::-1]) / 2
    return np.concatenate([centers - halves, centers + halves], axis=-1)


# [cells, (x, y)] and [cells, (left, top, right, bottom)].
CELL_CENTERS = _cell_centers()
CELL_BOXES = _boxes(
    CELL_CENTERS,
    LANE_AXES[CELL_LANES],
    np.tile([1 / CELLS_PER_LANE, LANE_WIDTH], (len(CELL_LANES), 1)),
)

# The greys of these (ITU-R BT.601: 17, 50, 70, 164, 199 and 240) keep their distance from each
# other and from the asphalt's 114.
COLOUR_NAMES = ("black", "blue", "red", "orange", "yellow", "white")
PALETTE = np.array(
    [
        (17, 17, 19),
        (22, 48, 136),
        (166, 28, 32),
        (234, 146, 72),
        (232, 202, 98),
        (242, 240, 236),
    ],
    np.uint8,
)

# [sizes, (length, width)]: with 32 pixels 7.3 × 4.4, 8.4 × 4.7 and 9.4 × 4.9.
SIZE_NAMES = ("car", "van", "truck")
SIZES = np.array([[0.228, 0.138], [0.262, 0.147], [0.294, 0.153]])

# Shares of the frames with 1, 2 and 3 cars among those with any, and of the sizes.
COUNT_SHARES = (0.7, 0.22, 0.08)
SIZE_SHARES = (0.6, 0.25, 0.15)
# How far a car stands from its cell's centre, at most, along and across its lane.
ALONG_JITTER, ACROSS_JITTER = 0.025, 0.012
TONE_JITTER = 0.06
# Two pixels of 32: they never look like one car.
MINIMUM_GAP = 0.0625

GAIN_RANGE, TINT_RANGE = 0.08, 0.02
NOISE_LEVELS = 1.5

_TRUTH, _LIGHT, _SCENE = range(3)


def _random(seed: int, index: int, purpose: int) -> np.random.Generator:
    words = np.array([seed & 0xFFFFFFFFFFFFFFFF, index], np.uint64)
    return np.random.Generator(np.random.Philox(key=words, counter=[0, 0, 0, purpose]))


def _combinations() -> tuple[np.ndarray, ...]:
    """The sets of 1, 2 and 3 cells whose cars keep the gap, whatever their sizes and jitters.

    Returns:
        For each number of cars int64 [sets, cars].
    """
    largest = SIZES.max(axis=0) + 2 * np.array([ALONG_JITTER, ACROSS_JITTER])
    cells = np.arange(len(CELL_LANES))
    boxes = _boxes(CELL_CENTERS, LANE_AXES[CELL_LANES], np.tile(largest, (len(cells), 1)))
    # How far the second box begins behind the end of the first one, and the other way round.
    behind = boxes[None, :, :2] - boxes[:, None, 2:]
    is_free = np.maximum(behind, behind.swapaxes(0, 1)).max(axis=-1) >= MINIMUM_GAP
    sets = []
    for count in range(1, len(COUNT_SHARES) + 1):
        pairs = list(itertools.combinations(range(count), 2))
        candidates = np.array(list(itertools.combinations(cells, count)))
        allowed = [is_free[candidates[:, a], candidates[:, b]] for a, b in pairs]
        sets.append(candidates[np.all(allowed, axis=0)] if pairs else candidates)
    return tuple(sets)


_COMBINATIONS = _combinations()


@dataclasses.dataclass(frozen=True)
class Truth:
    """The cars of one frame, in ascending order of their cells.

    Attributes:
        lane: int64 [cars], index into `LANE_NAMES`.
        cell: int64 [cars], index into `CELL_BOXES`; at most one car has its centre in a cell.
        colour: int64 [cars], index into `COLOUR_NAMES`.
        size: int64 [cars], index into `SIZE_NAMES`.
        x: float64 [cars], the centre.
        y: float64 [cars].
        box: float64 [cars, (left, top, right, bottom)]; it may reach beyond the picture.
        tone: float64 [cars], what the colour is multiplied by, near 1.
    """

    lane: np.ndarray
    cell: np.ndarray
    colour: np.ndarray
    size: np.ndarray
    x: np.ndarray
    y: np.ndarray
    box: np.ndarray
    tone: np.ndarray

    def __len__(self) -> int:
        return len(self.cell)

    @property
    def lane_counts(self) -> np.ndarray:
        """int32 [lanes], the number of cars on each."""
        return np.bincount(self.lane, minlength=len(LANE_NAMES)).astype(np.int32)

    @property
    def cell_counts(self) -> np.ndarray:
        """int32 [cells], the number of cars in each."""
        return np.bincount(self.cell, minlength=len(CELL_LANES)).astype(np.int32)

    @property
    def colour_counts(self) -> np.ndarray:
        """int32 [colours], the number of cars of each."""
        return np.bincount(self.colour, minlength=len(COLOUR_NAMES)).astype(np.int32)


class Junction:
    """One junction, its frames and what is in them.

    The frames are independent of each other. A frame is empty with probability `empty_share`;
    otherwise it has 1, 2 or 3 cars with the shares `COUNT_SHARES`. The cells are one of the sets
    of so many cells that no cars can come near each other in, all equally likely; colours are
    equally likely, sizes have `SIZE_SHARES`. Light (±10 % in all) and sensor noise differ.

        >>> junction = Junction(size=32)
        >>> image, truth = junction.frame(5)
        >>> image.shape
        (32, 32, 3)

    Attributes:
        size, channels, seed, empty_share: as given.
        background: uint8 [size, size, channels], the empty scene without noise.
        palette: uint8 [colours, channels], the colours of cars as this camera sees them.
    """

    def __init__(
        self, size: int = 32, channels: int = 3, seed: int = 0, empty_share: float = 0.8
    ) -> None:
        """Draws the empty scene.

        Args:
            size: height and width in pixels, 32 to 128. All sizes show the same scene and cars.
            channels: 3, or 1 for grey. Grey pictures are the luma of the coloured ones.
            seed: of the scene and of the cars.
            empty_share: probability that a frame has no car.

        Raises:
            ValueError: on a value out of range.
        """
        if not MINIMUM_SIZE <= size <= MAXIMUM_SIZE:
            raise ValueError(
                f"Expected a size from {MINIMUM_SIZE} to {MAXIMUM_SIZE}. Received: {size}"
            )
        if channels not in (1, 3):
            raise ValueError(f"Expected channels=1 or 3. Received: {channels}")
        if seed < 0:
            raise ValueError(f"Expected a seed of 0 or more. Received: {seed}")
        if not 0 <= empty_share <= 1:
            raise ValueError(f"Expected empty_share between 0 and 1. Received: {empty_share}")
        self.size, self.channels, self.seed, self.empty_share = size, channels, seed, empty_share
        self._scene = _draw_scene(_random(seed, 0, _SCENE), size)
        self.background = _to_levels(self._seen(self._scene))
        self.palette = _to_levels(self._seen(PALETTE.astype(np.float32)))
        self._count_edges = np.cumsum(COUNT_SHARES)[:-1]
        self._size_edges = np.cumsum(SIZE_SHARES)[:-1]

    @property
    def cell_probabilities(self) -> np.ndarray:
        """float64 [cells], the exact probability that a frame has a car in the cell."""
        shares = [
            share * np.bincount(sets.ravel(), minlength=len(CELL_LANES)) / len(sets)
            for share, sets in zip(COUNT_SHARES, _COMBINATIONS, strict=True)
        ]
        return (1 - self.empty_share) * np.sum(shares, axis=0)

    @property
    def colour_probabilities(self) -> np.ndarray:
        """float64 [colours], the exact probability that a frame has a car of the colour."""
        colours = len(COLOUR_NAMES)
        # Of n cars, none has the colour with probability (1 - 1/colours)^n.
        absent = [(1 - 1 / colours) ** count for count in range(1, len(COUNT_SHARES) + 1)]
        return np.full(colours, (1 - self.empty_share) * (1 - np.dot(COUNT_SHARES, absent)))

    def truth(self, index: int) -> Truth:
        """The cars of a frame, without drawing it. It depends on (seed, index) alone.

        Raises:
            ValueError: if the index is negative.
        """
        _check_range(index, index)
        random = _random(self.seed, index, _TRUTH)
        is_empty, count, chosen = random.random(3)
        number = 0 if is_empty < self.empty_share else 1 + int(np.sum(count >= self._count_edges))
        if number == 0:
            cell = np.zeros(0, np.int64)
        else:
            sets = _COMBINATIONS[number - 1]
            cell = sets[int(chosen * len(sets))]
        draws = random.random((number, 5))
        colour = (draws[:, 0] * len(COLOUR_NAMES)).astype(np.int64)
        size = np.searchsorted(self._size_edges, draws[:, 1], side="right")
        jitter = (2 * draws[:, 2:4] - 1) * (ALONG_JITTER, ACROSS_JITTER)
        lane = CELL_LANES[cell]
        axis = LANE_AXES[lane]
        center = CELL_CENTERS[cell] + np.where((axis == 0)[:, None], jitter, jitter[:, ::-1])
        return Truth(
            lane=lane,
            cell=cell,
            colour=colour,
            size=size,
            x=center[:, 0],
            y=center[:, 1],
            box=_boxes(center, axis, SIZES[size]),
            tone=1 + TONE_JITTER * (2 * draws[:, 4] - 1),
        )

    def frame(self, index: int) -> tuple[np.ndarray, Truth]:
        """One frame and what is in it. It depends on (seed, index) and the camera alone.

        Args:
            index: 0 or more.

        Returns:
            uint8 [size, size, channels], and the cars.

        Raises:
            ValueError: if the index is negative.
        """
        truth = self.truth(index)
        scene = self._with_cars(truth) if len(truth) else self._scene
        random = _random(self.seed, index, _LIGHT)
        gain = 1 + GAIN_RANGE * random.uniform(-1, 1)
        tint = 1 + TINT_RANGE * random.uniform(-1, 1, 3)
        image = self._seen(scene * (gain * tint).astype(np.float32))
        image += NOISE_LEVELS * random.standard_normal(image.shape, np.float32)
        return _to_levels(image), truth

    def frames(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Draws the frames start, …, stop - 1 one by one, uint8 [size, size, channels].

        Raises:
            ValueError: unless 0 <= start <= stop.
        """
        _check_range(start, stop)
        return (self.frame(index)[0] for index in range(start, stop))

    def truths(self, start: int, stop: int) -> Iterator[Truth]:
        """What is in the frames start, …, stop - 1, without drawing them.

        Raises:
            ValueError: unless 0 <= start <= stop.
        """
        _check_range(start, stop)
        return (self.truth(index) for index in range(start, stop))

    def dataset(self, start: int, stop: int) -> "tf.data.Dataset":
        """The frames start, …, stop - 1 with their truth, in order.

        Returns:
            A finite dataset of dictionaries: image float32 [size, size, channels] in [-1, 1], cars
            int32 [], lane_counts int32 [lanes], cell_counts int32 [cells] and colour_counts int32
            [colours].

        Raises:
            ValueError: unless 0 <= start <= stop.
        """
        import tensorflow as tf

        _check_range(start, stop)
        signature = {
            "image": tf.TensorSpec(self.background.shape, tf.float32),
            "cars": tf.TensorSpec([], tf.int32),
            "lane_counts": tf.TensorSpec([len(LANE_NAMES)], tf.int32),
            "cell_counts": tf.TensorSpec([len(CELL_LANES)], tf.int32),
            "colour_counts": tf.TensorSpec([len(COLOUR_NAMES)], tf.int32),
        }

        def elements() -> Iterator[dict[str, Any]]:
            for index in range(start, stop):
                image, truth = self.frame(index)
                yield {
                    "image": image.astype(np.float32) / np.float32(127.5) - 1,
                    "cars": np.int32(len(truth)),
                    "lane_counts": truth.lane_counts,
                    "cell_counts": truth.cell_counts,
                    "colour_counts": truth.colour_counts,
                }

        frames = tf.data.Dataset.from_generator(elements, output_signature=signature)
        return frames.apply(tf.data.experimental.assert_cardinality(stop - start))

    def _with_cars(self, truth: Truth) -> np.ndarray:
        """The scene with cars, float32 [size, size, 3]."""
        # Parts of a car that share an edge are only right where pixels are small. And so that 32
        # and 64 pixels show the very same as 128, those are what all three are drawn with.
        fine = -(-MAXIMUM_SIZE // self.size)
        scene = self._scene.repeat(fine, axis=0).repeat(fine, axis=1)
        for car in range(len(truth)):
            _draw_car(
                scene,
                (truth.x[car], truth.y[car]),
                LANE_HEADINGS[truth.lane[car]],
                truth.size[car],
                PALETTE[truth.colour[car]] * truth.tone[car],
            )
        return scene.reshape(self.size, fine, self.size, fine, 3).mean(axis=(1, 3))

    def _seen(self, colours: np.ndarray) -> np.ndarray:
        """What the camera makes of colours float32 [..., 3]: themselves, or their luma."""
        if self.channels == 3:
            return colours
        return colours @ np.array([[0.299], [0.587], [0.114]], np.float32)


def _check_range(start: int, stop: int) -> None:
    if not 0 <= start <= stop:
        raise ValueError(f"Expected frames 0 <= start <= stop. Received: {start} to {stop}")


def _to_levels(image: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


# ------------------------------------------------------------------------------------------ cars

# Each part is (rear, front, half width, what the body's colour is multiplied by): rear and front
# in lengths from the centre, half the width in widths. Later parts cover earlier ones.
_Part = tuple[float, float, float, float]
_BODY: tuple[_Part, ...] = (
    (-0.5, 0.5, 0.40, 0.82),
    (-0.48, 0.48, 0.46, 0.82),
    (-0.45, 0.45, 0.50, 0.82),
    (-0.47, 0.47, 0.42, 1.0),
)
_PARTS: tuple[tuple[_Part, ...], ...] = (
    (*_BODY, (-0.24, 0.08, 0.38, 1.07)),
    (*_BODY, (-0.44, 0.22, 0.41, 1.05)),
    (
        (-0.5, 0.22, 0.5, 0.86),
        (-0.485, 0.205, 0.47, 1.03),
        (0.22, 0.26, 0.3, 0.5),
        (0.26, 0.5, 0.46, 1.0),
    ),
)
# (rear, front, half width) of the windows; the wide one in front shows where a car is going.
_WINDOWS: tuple[tuple[tuple[float, float, float], ...], ...] = (
    ((0.07, 0.29, 0.41), (-0.36, -0.26, 0.38)),
    ((0.22, 0.41, 0.42),),
    ((0.30, 0.47, 0.40),),
)
_GLASS = np.array([40, 48, 58], np.float32)


def _draw_car(
    scene: np.ndarray,
    center: tuple[float, float],
    heading: np.ndarray,
    size: int,
    colour: np.ndarray,
) -> None:
    """Draws a car into float32 [size, size, 3]; edges within a pixel count by their share."""
    length, width = SIZES[size]
    dark_body = colour.mean() < 40

    def paint(rear: float, front: float, half_width: float, tone: np.ndarray) -> None:
        ends = np.array([[rear], [front]]) * length * heading
        side = half_width * width * np.abs(heading[::-1])
        left_top = np.array(center) + ends.min(axis=0) - side
        right_bottom = np.array(center) + ends.max(axis=0) + side
        _paint(scene, left_top, right_bottom, tone)

    for rear, front, half_width, factor in _PARTS[size]:
        paint(rear, front, half_width, colour * factor)
    for rear, front, half_width in _WINDOWS[size]:
        # Glass reflects the sky, or the windows of a black car could not be seen.
        paint(rear, front, half_width, _GLASS * (1.3 if dark_body else 1.0))


def _paint(
    scene: np.ndarray, left_top: np.ndarray, right_bottom: np.ndarray, colour: np.ndarray
) -> None:
    """Paints a rectangle; each pixel takes the share of the colour that it is covered by."""
    pixels = len(scene)
    low, high = left_top * pixels, right_bottom * pixels
    first = np.clip(np.floor(low).astype(int), 0, pixels)
    last = np.clip(np.ceil(high).astype(int), 0, pixels)
    columns, rows = (
        np.minimum(np.arange(a, b) + 1, end) - np.maximum(np.arange(a, b), begin)
        for a, b, begin, end in zip(first, last, low, high, strict=True)
    )
    cover = (rows[:, None] * columns)[..., None].astype(np.float32)
    part = scene[first[1] : last[1], first[0] : last[0]]
    part += cover * (colour.astype(np.float32) - part)


# ----------------------------------------------------------------------------------------- scene

# The scene is drawn once, this large, and averaged down to the size that is wanted.
_CANVAS = 768
_ROAD = 0.5 - LANE_WIDTH, 0.5 + LANE_WIDTH
_GUTTER, _KERB, _PAVEMENT = 0.008, 0.012, 0.075
_ASPHALT = (114, 114, 116)
_PAINT = (196, 194, 186)

_Rectangle = tuple[float, float, float, float]


def _draw_scene(random: np.random.Generator, size: int) -> np.ndarray:
    """The empty junction, float32 [size, size, 3] on the scale of 0 to 255."""
    asphalt, markings = _mask(_roads(_GUTTER)), _mask(_markings(random))
    kerb, pavement = _mask(_roads(_GUTTER + _KERB)), _mask(_roads(_GUTTER + _KERB + _PAVEMENT))
    grass_tone = np.array([98, 112, 80]) + random.uniform(-8, 8, 3)
    scene = np.broadcast_to(grass_tone, (_CANVAS, _CANVAS, 3)).astype(np.float32)
    scene = scene * _texture(random, 24, 0.07) * _texture(random, 96, 0.06)
    slabs = _texture(random, 48, 0.03, sharp=True)
    scene = _over(scene, pavement, (158, 154, 147) * slabs)
    scene = _over(scene, kerb, (176, 174, 168))
    worn = _texture(random, 12, 0.02) * _texture(random, 192, 0.02)
    scene = _over(scene, asphalt, _ASPHALT * worn)
    scene = _over(scene, 0.85 * markings, _PAINT * worn)
    scene = _draw_corners(random, scene)
    channels = [Image.fromarray(channel) for channel in scene.transpose(2, 0, 1)]
    return np.stack(
        [channel.resize((size, size), Image.Resampling.BOX) for channel in channels], -1
    )


def _roads(margin: float) -> list[_Rectangle]:
    low, high = _ROAD[0] - margin, _ROAD[1] + margin
    return [(0, low, 1, high), (low, 0, high, 1)]


def _markings(random: np.random.Generator) -> list[_Rectangle]:
    """Dashes between the lanes, stop lines, and a zebra crossing over one of the four arms."""
    period, half = 0.066, 0.005
    phase = random.uniform(0, period)
    zebra_arm = random.integers(4)
    low, high = _ROAD
    rectangles = []
    for arm in range(4):
        # Distances from the crossing, for an arm that goes to the left.
        reach = 0.105 if arm == zebra_arm else 0.035
        shapes = [
            (start, 0.5 - half, start + period / 2, 0.5 + half)
            for start in np.arange(phase - period, low - reach - period / 2, period)
        ]
        shapes.append((low - reach - 0.006, 0.5, low - reach + 0.006, high - 0.01))
        if arm == zebra_arm:
            shapes += [
                (low - 0.085, start, low - 0.025, start + 0.021)
                for start in np.arange(low + 0.011, high - 0.02, 0.043)
            ]
        rectangles += [_turned(shape, arm) for shape in shapes]
    return rectangles


def _turned(rectangle: _Rectangle, quarters: int) -> _Rectangle:
    """A rectangle turned about the middle of the scene by so many quarters."""
    for _ in range(quarters):
        left, top, right, bottom = rectangle
        rectangle = 1 - bottom, left, 1 - top, right
    return rectangle


def _draw_corners(random: np.random.Generator, scene: np.ndarray) -> np.ndarray:
    """A building in one corner, trees in the others, and the shade of both.

    Shade falls on the ground, the road too, but not on cars, so that their colours are the same
    everywhere.
    """
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    order = random.permutation(4)
    # The sun stands behind the building, so that its shade falls towards the junction.
    shift = (1 - 2 * np.array(corners[order[0]])) * random.uniform(0.15, 0.19)
    edge = _ROAD[0] - _GUTTER - _KERB - _PAVEMENT - 0.015
    block = _in_corner((-0.05, -0.05, edge, edge), corners[order[0]])
    trees = [
        (np.abs(np.array(corners[corner]) - random.uniform(0.02, edge - 0.02, 2)), radius)
        for corner in order[1:]
        for radius in random.uniform(0.045, 0.07, random.integers(1, 4))
    ]
    # A building's shade is what it sweeps over; a crown stands clear of the ground.
    steps = np.linspace(0, 1, 24)[:, None] * shift
    swept = [(*(step + block[:2]), *(step + block[2:])) for step in steps]
    crowns = [(*(center - radius), *(center + radius)) for center, radius in trees]
    below = shift * 0.2
    under_trees = [(*(below + crown[:2]), *(below + crown[2:])) for crown in crowns]
    shade = np.maximum(_mask(swept), _mask(under_trees, ellipse=True))
    scene = scene * (1 - 0.22 * _blurred(shade, 0.004))
    leaves = np.array([76, 96, 62]) * _texture(random, 96, 0.14)
    scene = _over(scene, _blurred(_mask(crowns, ellipse=True), 0.002), leaves)
    roof = np.array([[142, 118, 106], [126, 124, 126], [150, 140, 122]])[random.integers(3)]
    scene = _over(scene, _mask([block]), roof * _texture(random, 64, 0.03, sharp=True))
    inner = _in_corner((-0.05, -0.05, edge - 0.014, edge - 0.014), corners[order[0]])
    return _over(scene, 0.35 * _mask([inner]), roof * 0.8)


def _in_corner(rectangle: _Rectangle, corner: tuple[int, int]) -> _Rectangle:
    """A rectangle of the upper left corner, mirrored into another one."""
    left, top, right, bottom = rectangle
    if corner[0]:
        left, right = 1 - right, 1 - left
    if corner[1]:
        top, bottom = 1 - bottom, 1 - top
    return left, top, right, bottom


def _mask(shapes: list[_Rectangle], ellipse: bool = False) -> np.ndarray:
    """1 inside of any of the shapes, else 0: float32 [canvas, canvas, 1]."""
    image = Image.new("L", (_CANVAS, _CANVAS))
    draw = ImageDraw.Draw(image)
    paint: Callable[..., None] = draw.ellipse if ellipse else draw.rectangle
    for left, top, right, bottom in shapes:
        # Pillow's second corner is the last pixel that is painted.
        corners = np.rint(np.array([left, top, right, bottom]) * _CANVAS) - (0, 0, 1, 1)
        paint(corners.tolist(), fill=255)
    return np.asarray(image, np.float32)[..., None] / 255


def _blurred(mask: np.ndarray, radius: float) -> np.ndarray:
    image = Image.fromarray((255 * mask[..., 0]).astype(np.uint8))
    blurred = image.filter(ImageFilter.GaussianBlur(radius * _CANVAS))
    return np.asarray(blurred, np.float32)[..., None] / 255


def _texture(
    random: np.random.Generator, cells: int, strength: float, sharp: bool = False
) -> np.ndarray:
    """A random pattern around 1, of so many cells a side: float32 [canvas, canvas, 1]."""
    grid = Image.fromarray(random.uniform(-1, 1, (cells, cells)).astype(np.float32))
    method = Image.Resampling.NEAREST if sharp else Image.Resampling.BICUBIC
    return 1 + strength * np.asarray(grid.resize((_CANVAS, _CANVAS), method))[..., None]


def _over(scene: np.ndarray, mask: np.ndarray, colour: np.ndarray | tuple[int, ...]) -> np.ndarray:
    return scene + mask * (np.asarray(colour, np.float32) - scene)
