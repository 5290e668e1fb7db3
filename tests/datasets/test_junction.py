"""What the truth says of a frame is looked for in its pixels, and nothing else is found there."""

import subprocess
import sys

import numpy as np
import pytest

from logan.datasets import junction
from logan.datasets.junction import (
    CELL_BOXES,
    CELL_CENTERS,
    CELL_LANES,
    COLOUR_NAMES,
    LANE_AXES,
    LANE_HEADINGS,
    LANE_NAMES,
    LANE_WIDTH,
    PALETTE,
    SIZES,
    Junction,
)
from logan.datasets.load import load_images
from logan.settings import Experiment

# Light of up to ±10.2 %, on grey levels of up to 200 here, and five sigmas of noise.
LIGHT_AND_NOISE = 0.102 * 200 + 5 * junction.NOISE_LEVELS


def inside(box, size, margin=0.0):
    """Which pixels lie wholly within a box that is made larger by a margin, bool [size, size]."""
    left, top, right, bottom = np.asarray(box) * size + margin * np.array([-1, -1, 1, 1])
    pixels = np.arange(size)
    columns = (pixels >= left) & (pixels + 1 <= right)
    rows = (pixels >= top) & (pixels + 1 <= bottom)
    return rows[:, None] & columns


def shrunk(images, size):
    """Averages squares of pixels: floating [size, size, channels]."""
    factor = len(images) // size
    return images.reshape(size, factor, size, factor, -1).mean(axis=(1, 3))


@pytest.fixture(scope="module")
def truths():
    """What 20,000 frames hold."""
    return list(Junction(seed=3, empty_share=0.7).truths(0, 20_000))


# --------------------------------------------------------------------------------- truth and pixels


@pytest.mark.parametrize("size", [32, 64, 100])
def test_outside_of_the_cars_is_the_background(size):
    scene = Junction(size, seed=3, empty_share=0.3)
    for index in range(60):
        image, truth = scene.frame(index)
        is_road = ~np.any(
            [np.zeros((size, size), bool), *(inside(b, size, 1) for b in truth.box)], 0
        )
        difference = np.abs(image.astype(float) - scene.background)[is_road]
        assert difference.max() < LIGHT_AND_NOISE
        # Light changes a whole channel; what is left is noise.
        ratio = (image[is_road] / scene.background[is_road]).mean(axis=0)
        assert np.all(np.abs(ratio - 1) < 0.105)
        left = image[is_road] - ratio * scene.background[is_road]
        assert 1.2 < left.std() < 2.0


@pytest.mark.parametrize("channels", [1, 3])
def test_inside_of_a_car_is_its_colour(channels):
    scene = Junction(64, channels, seed=3, empty_share=0)
    for index in range(100):
        image, truth = scene.frame(index)
        for box, colour in zip(truth.box, truth.colour, strict=True):
            pixels = image[inside(box, 64)].astype(float)
            # Tone and light, on top of noise; the body's edge, roof and windows are another tone.
            tolerance = 0.18 * scene.palette[colour] + 8
            is_body = np.all(np.abs(pixels - scene.palette[colour]) < tolerance, axis=1)
            assert is_body.mean() > 0.3, (index, COLOUR_NAMES[colour])
            change = np.abs(pixels - scene.background[inside(box, 64)]).max(axis=1)
            assert np.mean(change > 20) > 0.6, (index, COLOUR_NAMES[colour])


@pytest.mark.parametrize("lane", range(4))
def test_the_window_in_front_is_the_larger_one(lane):
    scene = np.full((128, 128, 3), 200, np.float32)
    white, heading = PALETTE[5].astype(float), LANE_HEADINGS[lane]
    junction._draw_car(scene, (0.5, 0.5), heading, 0, white)
    glass = np.argwhere(scene.max(axis=2) < 80)[:, ::-1] + 0.5 - 64
    forward = glass @ heading
    assert np.sum(forward > 0) > 1.5 * np.sum(forward < 0) > 0


def test_a_rectangle_covers_pixels_by_their_share():
    scene = np.zeros((4, 4, 3), np.float32)
    # In pixels: x from 0.5 to 2 and y from 1 to 2.25.
    corners = np.array([0.125, 0.25]), np.array([0.5, 0.5625])
    junction._paint(scene, *corners, np.array([100, 200, 40]))
    expected = np.array([[0, 0, 0, 0], [50, 100, 0, 0], [12.5, 25, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(scene[..., 0], expected)
    np.testing.assert_allclose(scene[..., 1], 2 * expected)


def test_a_rectangle_beyond_the_picture_is_cut():
    scene = np.zeros((4, 4, 3), np.float32)
    junction._paint(scene, np.array([-1.0, 0.75]), np.array([0.25, 2.0]), np.array([8, 8, 8]))
    expected = np.zeros((4, 4))
    expected[3, 0] = 8
    np.testing.assert_allclose(scene[..., 2], expected)


def test_all_sizes_show_the_same():
    sizes = [Junction(size, seed=3, empty_share=0.3) for size in (32, 64, 128)]
    backgrounds = [shrunk(scene.background, 32) for scene in sizes]
    # Rounding to whole levels, once here and once there.
    np.testing.assert_allclose(backgrounds[1], backgrounds[0], atol=1)
    np.testing.assert_allclose(backgrounds[2], backgrounds[0], atol=1)
    for index in range(20):
        (small, truth), *others = (scene.frame(index) for scene in sizes)
        for image, same_truth in others:
            # White is cut off at 255 pixel by pixel: not the same in large and in small ones.
            is_level = shrunk(image > 247, 32) == 0
            difference = np.abs(shrunk(image, 32) - small)[is_level]
            # More than noise only where a car's edge and the road's markings share a pixel.
            assert np.mean(difference > 6 * junction.NOISE_LEVELS) < 0.003
            assert difference.max() < 25
            np.testing.assert_array_equal(same_truth.box, truth.box)


def test_grey_is_the_luma_of_the_colours():
    colour, grey = Junction(seed=3), Junction(channels=1, seed=3)
    luma = colour.background @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(grey.background[..., 0], luma, atol=1)
    assert grey.palette.shape == (6, 1)
    # A car differs from the road and from the other colours, in grey too.
    levels = np.sort([*grey.palette[:, 0].astype(int), junction._ASPHALT[0]])
    assert np.diff(levels).min() >= 20


def test_a_car_is_large_enough_to_be_seen():
    assert np.all(SIZES >= (7 / 32, 4 / 32))
    scene = Junction(seed=3, empty_share=0)
    areas = []
    for index in range(300):
        image, truth = scene.frame(index)
        if len(truth) == 1:
            light = np.median(image / np.maximum(scene.background, 1), axis=(0, 1))
            change = np.abs(image / light - scene.background).max(axis=2)
            areas.append(np.mean(change > 25))
    assert np.mean(np.array(areas) > 0.02) > 0.97


# ------------------------------------------------------------------------------- what there can be


def test_cells_tile_the_lanes():
    assert CELL_BOXES.shape == (24, 4)
    areas = np.prod(CELL_BOXES[:, 2:] - CELL_BOXES[:, :2], axis=1)
    np.testing.assert_allclose(areas, LANE_WIDTH / 6)
    for lane, axis in enumerate(LANE_AXES):
        boxes = CELL_BOXES[lane == CELL_LANES]
        np.testing.assert_allclose(boxes[:, axis], np.arange(6) / 6, atol=1e-12)
        assert len(np.unique(boxes[:, 1 - axis])) == 1
    np.testing.assert_allclose((CELL_BOXES[:, :2] + CELL_BOXES[:, 2:]) / 2, CELL_CENTERS)


def test_cars_drive_on_the_right():
    for lane, name in enumerate(LANE_NAMES):
        x, y = LANE_HEADINGS[lane]
        right = np.array([-y, x])
        assert np.all((CELL_CENTERS[lane == CELL_LANES] - 0.5) @ right > 0), name
        assert (LANE_AXES[lane] == 0) == (x != 0)


def test_cars_stand_in_their_cells(truths):
    for truth in truths[:4000]:
        centers = np.stack([truth.x, truth.y], axis=1)
        assert np.all(centers > CELL_BOXES[truth.cell, :2])
        assert np.all(centers < CELL_BOXES[truth.cell, 2:])
        np.testing.assert_array_equal(truth.lane, CELL_LANES[truth.cell])
        np.testing.assert_allclose((truth.box[:, :2] + truth.box[:, 2:]) / 2, centers)
        extents = truth.box[:, 2:] - truth.box[:, :2]
        jitter = np.abs(centers - CELL_CENTERS[truth.cell])
        axis = LANE_AXES[truth.lane]
        cars = np.arange(len(truth))
        assert np.all(jitter[cars, axis] <= junction.ALONG_JITTER)
        assert np.all(jitter[cars, 1 - axis] <= junction.ACROSS_JITTER)
        is_along_x = LANE_AXES[truth.lane] == 0
        np.testing.assert_allclose(extents[is_along_x], SIZES[truth.size][is_along_x])
        np.testing.assert_allclose(extents[~is_along_x], SIZES[truth.size][~is_along_x, ::-1])
        seen = np.clip(truth.box, 0, 1)
        assert np.all(np.prod(seen[:, 2:] - seen[:, :2], axis=1) > 0.5 * np.prod(extents, axis=1))


def test_cars_keep_their_distance(truths):
    for truth in truths:
        for a in range(len(truth)):
            for b in range(a):
                one, other = truth.box[a], truth.box[b]
                gaps = np.concatenate([one[:2] - other[2:], other[:2] - one[2:]])
                assert gaps.max() >= 2 / 32


def within(count, probability, total, sigmas=5):
    return abs(count - probability * total) < sigmas * np.sqrt(total * probability)


def test_shares_are_the_stated_ones(truths):
    numbers = np.bincount([len(truth) for truth in truths])
    for count, share in zip(numbers, [0.7, 0.3 * 0.7, 0.3 * 0.22, 0.3 * 0.08], strict=True):
        assert within(count, share, len(truths))
    sizes = np.bincount(np.concatenate([truth.size for truth in truths]))
    for count, share in zip(sizes, [0.6, 0.25, 0.15], strict=True):
        assert within(count, share, sizes.sum())


def test_cells_and_colours_appear_as_often_as_stated(truths):
    scene = Junction(seed=3, empty_share=0.7)
    cells = np.sum([truth.cell_counts > 0 for truth in truths], axis=0)
    colours = np.sum([truth.colour_counts > 0 for truth in truths], axis=0)
    for counts, probabilities in (
        (cells, scene.cell_probabilities),
        (colours, scene.colour_probabilities),
    ):
        assert len(counts) == len(probabilities)
        for count, probability in zip(counts, probabilities, strict=True):
            assert within(count, probability, len(truths))
    # Each car is in one cell: the probabilities add up to the mean number of cars.
    assert scene.cell_probabilities.sum() == pytest.approx(0.3 * (0.7 + 2 * 0.22 + 3 * 0.08))


def test_frames_may_be_all_empty_or_all_full():
    assert all(len(truth) == 0 for truth in Junction(empty_share=1).truths(0, 200))
    assert all(len(truth) > 0 for truth in Junction(empty_share=0).truths(0, 200))


# -------------------------------------------------------------------------- a function of the index


def test_a_frame_depends_on_seed_and_index_alone():
    image, truth = Junction(seed=3).frame(17)
    again = Junction(seed=3)
    again.frame(5)
    np.testing.assert_array_equal(again.frame(17)[0], image)
    np.testing.assert_array_equal(again.frame(17)[1].box, truth.box)
    assert np.any(again.frame(18)[0] != image)
    other = Junction(seed=4)
    assert np.any(other.background != again.background)
    assert np.any(other.frame(17)[0] != image)


def test_drawing_leaves_the_background_alone():
    scene = Junction(seed=3, empty_share=0)
    before = scene.background.copy()
    for _ in scene.frames(0, 10):
        pass
    np.testing.assert_array_equal(scene.background, before)
    np.testing.assert_array_equal(scene.background, Junction(seed=3).background)


def test_frames_and_truths_are_those_of_each_index():
    scene = Junction(40, 1, seed=3, empty_share=0.3)
    frames, truths = list(scene.frames(7, 20)), list(scene.truths(7, 20))
    assert len(frames) == len(truths) == 13
    for index, image, truth in zip(range(7, 20), frames, truths, strict=True):
        expected, cars = scene.frame(index)
        assert image.dtype == np.uint8 and image.shape == (40, 40, 1)
        np.testing.assert_array_equal(image, expected)
        for name in ("lane", "cell", "colour", "size", "x", "y", "box", "tone"):
            np.testing.assert_array_equal(getattr(truth, name), getattr(cars, name))
    assert list(scene.frames(4, 4)) == []


def test_all_sizes_and_channels_have_the_same_truth():
    small, large = Junction(32, 3, seed=3), Junction(96, 1, seed=3)
    for one, other in zip(small.truths(0, 50), large.truths(0, 50), strict=True):
        np.testing.assert_array_equal(one.box, other.box)
        np.testing.assert_array_equal(one.colour, other.colour)


def test_dataset():
    import tensorflow as tf

    scene = Junction(seed=3, empty_share=0.3)
    dataset = scene.dataset(10, 22)
    assert dataset.element_spec == {
        "image": tf.TensorSpec([32, 32, 3], tf.float32),
        "cars": tf.TensorSpec([], tf.int32),
        "lane_counts": tf.TensorSpec([4], tf.int32),
        "cell_counts": tf.TensorSpec([24], tf.int32),
        "colour_counts": tf.TensorSpec([6], tf.int32),
    }
    assert dataset.cardinality() == 12
    elements = list(dataset.as_numpy_iterator())
    assert len(elements) == 12
    for index, element in zip(range(10, 22), elements, strict=True):
        image, truth = scene.frame(index)
        np.testing.assert_allclose(element["image"], image / 127.5 - 1, atol=1e-6)
        assert element["cars"] == len(truth) == element["colour_counts"].sum()
        assert np.flatnonzero(element["cell_counts"]).tolist() == truth.cell.tolist()
        assert np.repeat(range(4), element["lane_counts"]).tolist() == sorted(truth.lane)
        assert np.repeat(range(6), element["colour_counts"]).tolist() == sorted(truth.colour)


# -------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 31}, "a size from 32 to 128.*Received: 31"),
        ({"size": 129}, "a size from 32 to 128.*Received: 129"),
        ({"channels": 2}, "channels=1 or 3.*Received: 2"),
        ({"seed": -1}, "a seed of 0 or more.*Received: -1"),
        ({"empty_share": 1.01}, "empty_share between 0 and 1.*Received: 1.01"),
        ({"empty_share": float("nan")}, "empty_share.*Received: nan"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=f"Expected {message}"):
        Junction(**settings)


@pytest.mark.parametrize("method", ["frames", "truths", "dataset"])
@pytest.mark.parametrize("interval", [(-1, 3), (4, 3)])
def test_intervals_are_checked_before_they_are_read(method, interval):
    with pytest.raises(ValueError, match=r"Expected frames 0 <= start <= stop\. Received"):
        getattr(Junction(), method)(*interval)


def test_no_tensorflow_is_loaded():
    code = (
        "import sys; from logan.datasets.junction import Junction; "
        "Junction().frame(0); print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


@pytest.mark.parametrize(("test_fraction", "tests"), [(0.004, 1), (0.2, 20), (0.999, 99)])
def test_neither_side_of_the_split_is_empty(test_fraction, tests):
    settings = dict(dataset="traffic", network="convolutional", frames=100)
    images = load_images(Experiment(**settings, test_fraction=test_fraction))
    assert (len(images.train), len(images.test)) == (100 - tests, tests)
