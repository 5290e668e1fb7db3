import numpy as np
import pytest

from logan.metrics.foreground import area_edges, background, foreground_distance

EDGES = area_edges(0.02)


def test_background_is_what_is_seen_most_of_the_time():
    scene = np.random.default_rng(0).uniform(-0.5, 0.5, (16, 16, 3)).astype(np.float32)
    frames = np.stack([scene, scene, scene])
    frames[1, 2:6, 3:7] += 0.4
    np.testing.assert_array_equal(background(frames), scene)


def test_background_is_the_median_of_numpy():
    frames = np.random.default_rng(1).uniform(-1, 1, (6, 5, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(background(frames), np.median(frames, axis=0), rtol=1e-6)


def test_bins_double_from_a_quarter_of_the_smallest_area():
    edges = (0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1)
    assert area_edges(0.02) == pytest.approx(edges)
    assert area_edges(0.25) == (0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)


def test_distance_of_equal_histograms_is_zero():
    areas = np.array([0.0, 0.0, 0.03, 0.3])
    assert foreground_distance(areas, areas, EDGES) == 0
    assert foreground_distance(areas, np.tile(areas, 5), EDGES) == 0


def test_distance_of_disjoint_histograms_is_one():
    assert foreground_distance(np.array([0.0, 0.001]), np.array([0.5, 1.0, 0.9]), EDGES) == 1


def test_distance_of_a_hand_worked_case():
    # p = (1/2, 1/2), q = (1, 0), m = (3/4, 1/4): KL(p|m) = 1/2 log2(2/3) + 1/2 log2(2), and
    # KL(q|m) = log2(4/3).
    divergence = (0.5 * np.log2(2 / 3) + 0.5 + np.log2(4 / 3)) / 2
    distance = foreground_distance(np.array([0.1, 0.9]), np.array([0.2]), bins=(0, 0.5, 1))
    assert distance == pytest.approx(np.sqrt(divergence), abs=1e-12)


def test_distance_is_symmetric():
    real, generated = np.array([0.0, 0.1, 0.2, 0.2]), np.array([0.0, 0.5])
    there = foreground_distance(real, generated, EDGES)
    assert there == foreground_distance(generated, real, EDGES)


def test_integer_frames_are_refused():
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="Expected floating frames"):
        background(frames)


@pytest.mark.parametrize("shape", [(4, 4, 3), (0, 4, 4, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="Expected frames of shape"):
        background(np.zeros(shape))


@pytest.mark.parametrize("areas", [np.array([]), np.array([0.5, 1.5]), np.array([np.nan])])
def test_what_is_no_area_is_refused(areas):
    with pytest.raises(ValueError, match="Expected real_areas"):
        foreground_distance(areas, np.array([0.5]), EDGES)
    with pytest.raises(ValueError, match="Expected generated_areas"):
        foreground_distance(np.array([0.5]), areas, EDGES)


@pytest.mark.parametrize("bins", [(0, 0.5), (0.1, 1), (0, 0.5, 0.5, 1), ()])
def test_bins_that_do_not_cover_all_areas_are_refused(bins):
    with pytest.raises(ValueError, match=r"Expected .*bin edges"):
        foreground_distance(np.array([0.5]), np.array([0.5]), bins=bins)
