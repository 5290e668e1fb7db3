import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageFilter

from logan.datasets.junction import CELL_BOXES, CELL_LANES, LANE_AXES, Junction
from logan.datasets.pixels import to_unit_range
from logan.metrics.cars import Detections, cell_coverage_of, detect_cars, detector_accuracy

# A scene of 24 by 24 pixels with two lanes that cross: lane 0 is rows 4 to 9, lane 1 is columns 12
# to 17. Each has three cells of 8 pixels.
LANES = np.array([0, 0, 0, 1, 1, 1])
ALONG_X = [(0, 4, 8, 10), (8, 4, 16, 10), (16, 4, 24, 10)]
ALONG_Y = [(12, 0, 18, 8), (12, 8, 18, 16), (12, 16, 18, 24)]
BOXES = np.array([*ALONG_X, *ALONG_Y]) / 24
AXES = np.array([0, 1])
COLOURS = np.array([(0.9, -0.8, -0.8), (-0.8, -0.8, 0.9), (0.9, 0.9, 0.9)])
RED, BLUE, WHITE = range(3)


@pytest.fixture
def road():
    """A background that is not quite even, [24, 24, 3]."""
    return np.random.default_rng(0).uniform(-0.15, 0.05, (24, 24, 3)).astype(np.float32)


def with_cars(road, *cars):
    """Paints (left, top, right, bottom, colour), in pixels, ends exclusive."""
    frame = road.copy()
    for left, top, right, bottom, colour in cars:
        frame[top:bottom, left:right] = COLOURS[colour]
    return frame


def found(road, *frames, **settings):
    """For each frame the (cell, colour) that are found."""
    arguments = np.stack(frames), road, BOXES, LANES, AXES, COLOURS
    pairs = detect_cars(*arguments, **settings).pairs
    assert pairs.shape == (len(frames), 6, 3)
    return [[tuple(pair) for pair in np.argwhere(frame).tolist()] for frame in pairs]


# ------------------------------------------------------------------------------------ one by one


def test_an_empty_road_has_no_cars(road):
    assert found(road, road) == [[]]


@pytest.mark.parametrize(("left", "cell"), [(0, 0), (3, 0), (5, 1), (8, 1), (13, 2), (16, 2)])
def test_a_car_is_in_the_cell_of_its_centre(road, left, cell):
    # Six pixels long: from 3 to 9 has its centre at 6, from 5 to 11 at 8.
    assert found(road, with_cars(road, (left, 5, left + 6, 9, RED))) == [[(cell, RED)]]


def test_a_car_turned_is_on_the_other_lane(road):
    # The same square of both roads: cell 1 of lane 0 or cell 3 of lane 1.
    lying = with_cars(road, (11, 5, 18, 9, BLUE))
    upright = with_cars(road, (13, 3, 17, 10, BLUE))
    assert found(road, lying, upright) == [[(1, BLUE)], [(3, BLUE)]]


def test_several_cars(road):
    frame = with_cars(road, (1, 5, 7, 9, WHITE), (19, 5, 24, 9, RED), (13, 14, 17, 21, BLUE))
    assert found(road, frame, road) == [[(0, WHITE), (2, RED), (5, BLUE)], []]


@pytest.mark.parametrize("left", [1, 11, 16])
@pytest.mark.parametrize("colour", [RED, BLUE, WHITE])
def test_windows_neither_split_a_car_nor_change_its_colour(road, left, colour):
    frame = with_cars(road, (left, 5, left + 7, 9, colour))
    frame[5:9, left + 4 : left + 6] = -0.7
    # A pixel of window and body together that cannot be told from the road.
    frame[5:9, left + 2] = road[5:9, left + 2]
    [[(_, seen)]] = found(road, frame)
    assert seen == colour


def test_a_car_that_the_edge_cuts_may_be_short(road):
    # Three pixels long and four wide: at the edge, half a car; elsewhere, none.
    assert found(road, with_cars(road, (0, 5, 3, 9, RED))) == [[(0, RED)]]
    assert found(road, with_cars(road, (2, 5, 5, 9, RED))) == [[]]


@pytest.mark.parametrize(
    "car",
    [
        (4, 6, 6, 7, RED),  # too short
        (1, 5, 13, 9, RED),  # half of the picture is too long
        (0, 0, 6, 12, RED),  # twice as wide as the lane
        (2, 14, 8, 18, RED),  # beside the roads
    ],
)
def test_what_is_no_car(road, car):
    assert found(road, with_cars(road, car)) == [[]]


@pytest.mark.parametrize("gain", [0.8, 1.2, (1.1, 1.0, 0.9)])
def test_light_is_taken_out(road, gain):
    frames = [road, with_cars(road, (2, 5, 8, 9, BLUE)), with_cars(road, (13, 15, 17, 21, RED))]
    lit = [(frame + 1) * np.float32(gain) - 1 for frame in frames]
    assert found(road, *lit) == [[], [(0, BLUE)], [(5, RED)]]


def test_threshold(road):
    frame = road.copy()
    frame[5:9, 2:8] += 0.3
    assert len(found(road, frame)[0]) == 1
    assert found(road, frame, threshold=0.35) == [[]]


def test_one_channel():
    road = np.zeros((24, 24, 1))
    frame = road.copy()
    frame[5:9, 2:8] = -0.7
    palette = np.array([[0.8], [-0.8]])
    detections = detect_cars(frame[None], road, BOXES, LANES, AXES, palette)
    assert np.argwhere(detections.pairs).tolist() == [[0, 0, 1]]


def test_no_frames():
    road = np.zeros((24, 24, 3))
    assert detect_cars(road[None][:0], road, BOXES, LANES, AXES, COLOURS).pairs.shape == (0, 6, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": np.zeros((24, 24, 3))}, "frames of shape"),
        ({"frames": np.zeros((1, 24, 24, 3), np.uint8)}, "floating frames"),
        ({"background": np.zeros((24, 23, 3))}, "a background of shape"),
        ({"background": np.zeros((24, 24, 3), np.uint8)}, "floating background"),
        ({"palette": np.zeros((3, 1))}, "a palette of shape"),
        ({"palette": np.zeros((3, 3), np.uint8)}, "floating palette"),
        ({"cell_boxes": np.zeros((6, 2))}, "cell_boxes of shape"),
        ({"cell_lanes": np.zeros(5, int)}, "cell_boxes of shape"),
        ({"cell_lanes": np.zeros(6, int)}, "cells on every lane"),
        ({"lane_axes": np.array([0, 2])}, "an axis 0 or 1"),
    ],
)
def test_arrays_that_do_not_fit(change, message):
    arguments = {
        "frames": np.zeros((1, 24, 24, 3)),
        "background": np.zeros((24, 24, 3)),
        "cell_boxes": BOXES,
        "cell_lanes": LANES,
        "lane_axes": AXES,
        "palette": COLOURS,
    }
    with pytest.raises(ValueError, match=f"Expected .*{message}.*Received"):
        detect_cars(**(arguments | change))


# ------------------------------------------------------------------------ on the drawn junction


def detect(scene, images):
    return detect_cars(
        to_unit_range(np.stack(images)),
        to_unit_range(scene.background),
        CELL_BOXES,
        CELL_LANES,
        LANE_AXES,
        to_unit_range(scene.palette),
    )


# Measured on seeds 1 to 5 with 1,500 frames each, half of them empty (the worst seed): at 32 pixels
# cell recall 0.997, cell precision 1, occupied 0.998 and colour 0.994; at 64 pixels 0.999, 1, 1 and
# 1; at 64 pixels in grey 0.987, 0.999, 0.995 and 0.825.
@pytest.mark.parametrize(
    ("size", "channels", "count", "cells", "colour"),
    [
        (32, 3, 600, 0.98, 0.97),
        (64, 3, 300, 0.99, 0.98),
        (128, 3, 100, 0.99, 0.98),
        (64, 1, 300, 0.96, 0.75),
    ],
)
def test_accuracy_on_real_frames(size, channels, count, cells, colour):
    scene = Junction(size, channels, seed=6, empty_share=0.5)
    truths = list(scene.truths(0, count))
    accuracy = detector_accuracy(
        detect(scene, list(scene.frames(0, count))),
        np.stack([truth.cell_counts for truth in truths]),
        np.stack([truth.colour_counts for truth in truths]),
    )
    assert accuracy["cell_precision"] >= cells
    assert accuracy["cell_recall"] >= cells
    assert accuracy["occupied"] >= 0.98
    assert accuracy["colour"] >= colour


@pytest.mark.parametrize("size", [32, 64])
def test_a_blurred_background_is_empty(size):
    for seed in range(1, 5):
        scene = Junction(size, seed=seed)
        image = Image.fromarray(scene.background)
        filters = [ImageFilter.GaussianBlur(radius * size / 32) for radius in (0.5, 1, 2, 4)]
        blurred = [np.asarray(image.filter(blur)) for blur in filters]
        assert not detect(scene, blurred).occupied.any()


# -------------------------------------------------------------------- accuracy and coverage by hand


def detections(*frames, cells=4, colours=2):
    """Detections of frames that are lists of (cell, colour)."""
    pairs = np.zeros((len(frames), cells, colours), bool)
    for number, frame in enumerate(frames):
        for cell, colour in frame:
            pairs[number, cell, colour] = True
    return Detections(pairs)


def test_views_of_the_pairs():
    seen = detections([(0, 1), (2, 1)], [], [(3, 0)])
    assert np.argwhere(seen.cells).tolist() == [[0, 0], [0, 2], [2, 3]]
    assert np.argwhere(seen.colours).tolist() == [[0, 1], [2, 0]]
    assert seen.occupied.tolist() == [True, False, True]
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen.pairs = None


def test_accuracy_of_a_hand_worked_case():
    seen = detections([(0, 1)], [(1, 0), (2, 0)], [], [], [(3, 0)])
    cells = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]])
    colours = np.array([[0, 1], [1, 0], [1, 0], [0, 0], [0, 1]])
    # Found: 4, of which 3 are right, of 4 that there are. The third frame is missed. Of the first
    # and the last frame, whose cells are right, the first one's colour is right.
    expected = {"cell_precision": 3 / 4, "cell_recall": 3 / 4, "occupied": 4 / 5, "colour": 1 / 2}
    assert detector_accuracy(seen, cells, colours) == expected


def test_accuracy_counts_a_colour_once():
    seen = detections([(0, 1), (2, 1)])
    accuracy = detector_accuracy(seen, np.array([[1, 0, 1, 0]]), np.array([[0, 2]]))
    assert accuracy["colour"] == 1


def test_accuracy_of_nothing_is_undefined():
    accuracy = detector_accuracy(detections([]), np.zeros((1, 4)), np.zeros((1, 2)))
    assert accuracy["occupied"] == 1
    assert np.isnan([accuracy["cell_precision"], accuracy["cell_recall"], accuracy["colour"]]).all()


def test_accuracy_needs_counts_of_all_frames():
    with pytest.raises(ValueError, match=r"Expected counts of shapes .* Received"):
        detector_accuracy(detections([]), np.zeros((2, 4)), np.zeros((2, 2)))


def test_coverage_of_a_hand_worked_case():
    # 20 frames, each cell expected in 5 of them: a fifth of that is 1. Colours are expected in 10.
    frames = [[(0, 0)]] * 9 + [[(1, 0)], [(0, 1), (2, 0)]] + [[]] * 9
    coverage = cell_coverage_of(detections(*frames), [0.25, 0.25, 0.25, 0.25], [0.5, 0.5])
    assert coverage == {
        "occupied_share": 11 / 20,
        "cells_captured": 3 / 4,
        "cells_captured_fair": 3 / 4,
        "colours_captured": 1,
        "colours_captured_fair": 1 / 2,
    }
    # With 0.5, two frames would be a fair share of cells 1 and 2.
    coverage = cell_coverage_of(detections(*frames), [0.5, 0.5, 0.5, 0.5], [0.5, 0.25])
    assert coverage["cells_captured"] == 3 / 4
    assert coverage["cells_captured_fair"] == 1 / 4
    assert coverage["colours_captured_fair"] == 1


def test_a_cell_that_never_appears_is_not_fair_however_rare():
    coverage = cell_coverage_of(detections([(0, 0)]), [1e-12] * 4, [1e-12] * 2)
    assert coverage["cells_captured_fair"] == 1 / 4
    assert coverage["colours_captured_fair"] == 1 / 2


def test_coverage_of_real_frames_is_complete():
    scene = Junction(seed=6, empty_share=0.5)
    pairs = np.zeros((2000, 24, 6), bool)
    for frame, truth in zip(pairs, scene.truths(0, 2000), strict=True):
        frame[truth.cell, truth.colour] = True
    coverage = cell_coverage_of(
        Detections(pairs), scene.cell_probabilities, scene.colour_probabilities
    )
    assert coverage.pop("occupied_share") == pytest.approx(0.5, abs=0.05)
    assert set(coverage.values()) == {1.0}


@pytest.mark.parametrize(
    ("frames", "cells", "colours", "message"),
    [
        ([], [0.1] * 4, [0.1] * 2, "at least 1 frame"),
        ([[]], [0.1] * 3, [0.1] * 2, "4 probabilities of cells"),
        ([[]], [0.1] * 4, [0.1] * 3, "2 probabilities of colours"),
        ([[]], [0.1, 0.1, 0.1, 0], [0.1] * 2, "probabilities of cells above 0"),
        ([[]], [0.1] * 4, [0.1, 1.1], "probabilities of colours above 0"),
    ],
)
def test_coverage_that_cannot_be(frames, cells, colours, message):
    with pytest.raises(ValueError, match=f"Expected .*{message}"):
        cell_coverage_of(detections(*frames), cells, colours)
