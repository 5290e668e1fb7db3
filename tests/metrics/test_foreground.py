import numpy as np
import pytest

from logan.metrics.foreground import (
    background,
    foreground_area,
    foreground_distance,
    foreground_mask,
    foreground_share,
)


@pytest.fixture
def scene():
    """A background with a gradient, [16, 16, 3]."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, (16, 16, 3)).astype(np.float32)


def with_square(scene, side, brighter=0.4):
    frame = scene.copy()
    frame[2 : 2 + side, 3 : 3 + side] += brighter
    return frame


def test_background_is_what_is_seen_most_of_the_time(scene):
    frames = np.stack([scene, with_square(scene, 4), scene])
    np.testing.assert_array_equal(background(frames), scene)


def test_background_is_the_median_of_numpy():
    frames = np.random.default_rng(1).uniform(-1, 1, (6, 5, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(background(frames), np.median(frames, axis=0), rtol=1e-6)


@pytest.mark.parametrize("side", [0, 1, 4, 8])
def test_area_of_a_known_square(scene, side):
    area = foreground_area(with_square(scene, side)[None], scene)
    np.testing.assert_array_equal(area, [side**2 / 256])


def test_mask_marks_the_square_and_nothing_else(scene):
    mask = foreground_mask(with_square(scene, 4)[None], scene)
    expected = np.zeros((1, 16, 16), bool)
    expected[0, 2:6, 3:7] = True
    np.testing.assert_array_equal(mask, expected)


def test_one_channel_is_enough(scene):
    frame = scene.copy()
    frame[0, 0, 2] -= 0.3
    np.testing.assert_array_equal(foreground_area(frame[None], scene), [1 / 256])


@pytest.mark.parametrize("light", [-0.5, 0.5, (0.3, -0.3, 0.0)])
def test_a_change_of_light_is_no_foreground(scene, light):
    frames = np.stack([scene, with_square(scene, 4)]) + np.float32(light)
    np.testing.assert_array_equal(foreground_area(frames, scene), [0, 16 / 256])


def test_threshold_is_exclusive():
    scene = np.zeros((16, 16, 1), np.float32)
    frame = with_square(scene, 4, brighter=0.25)[None]
    assert foreground_area(frame, scene, threshold=0.25) == 0
    assert foreground_area(frame, scene, threshold=0.249) == 16 / 256


def test_share_counts_frames_above_the_minimum_area():
    areas = np.array([0.0, 0.02, 0.021, 0.5])
    assert foreground_share(areas) == 0.5
    assert foreground_share(areas, minimum_area=0.0) == 0.75


def test_distance_of_equal_histograms_is_zero():
    areas = np.array([0.0, 0.0, 0.03, 0.3])
    assert foreground_distance(areas, areas) == 0
    assert foreground_distance(areas, np.tile(areas, 5)) == 0


def test_distance_of_disjoint_histograms_is_one():
    assert foreground_distance(np.array([0.0, 0.001]), np.array([0.5, 1.0, 0.9])) == 1


def test_distance_of_a_hand_worked_case():
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4): KL(p|m) = 1/2 log2(2/3) + 1/2 log2(2), and
    # KL(q|m) = log2(4/3).
    divergence = (0.5 * np.log2(2 / 3) + 0.5 + np.log2(4 / 3)) / 2
    distance = foreground_distance(np.array([0.1, 0.9]), np.array([0.2]), bins=(0, 0.5, 1))
    assert distance == pytest.approx(np.sqrt(divergence), abs=1e-12)


def test_distance_is_symmetric():
    real, generated = np.array([0.0, 0.1, 0.2, 0.2]), np.array([0.0, 0.5])
    assert foreground_distance(real, generated) == foreground_distance(generated, real)


def test_integer_frames_are_refused():
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="Expected floating frames"):
        background(frames)


@pytest.mark.parametrize("shape", [(4, 4, 3), (0, 4, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="Expected frames of shape"):
        background(np.zeros(shape))


def test_a_background_of_another_size_is_refused(scene):
    with pytest.raises(ValueError, match="Expected a background of shape"):
        foreground_area(scene[None, :8], scene)


@pytest.mark.parametrize("areas", [np.array([]), np.array([0.5, 1.5]), np.array([np.nan])])
def test_what_is_no_area_is_refused(areas):
    with pytest.raises(ValueError, match="Expected areas"):
        foreground_share(areas)
    with pytest.raises(ValueError, match="Expected generated_areas"):
        foreground_distance(np.array([0.5]), areas)


@pytest.mark.parametrize("bins", [(0, 0.5), (0.1, 1), (0, 0.5, 0.5, 1), ()])
def test_bins_that_do_not_cover_all_areas_are_refused(bins):
    with pytest.raises(ValueError, match=r"Expected .*bin edges"):
        foreground_distance(np.array([0.5]), np.array([0.5]), bins=bins)
