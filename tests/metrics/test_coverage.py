from math import log

import numpy as np
import pytest

from logan.metrics.coverage import (
    cell_coverage,
    is_fair,
    mode_coverage,
    nearest_centers,
    reverse_kl,
)

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
SIGMA = 0.01


def at_corners(*counts):
    return np.repeat(CORNERS, counts, axis=0)


def test_exact_centres_in_equal_shares():
    assert mode_coverage(at_corners(5, 5, 5, 5), CORNERS, SIGMA) == {
        "modes": 4,
        "captured": 4,
        "captured_fair": 4,
        "high_quality": 1.0,
        "reverse_kl": 0.0,
        "reverse_kl_all": 0.0,
        "samples": 20,
        "mode_samples": [5, 5, 5, 5],
        "mode_spread": 0.0,
    }


def test_all_on_one_mode():
    table = mode_coverage(at_corners(0, 0, 7, 0), CORNERS, SIGMA)
    assert (table["captured"], table["captured_fair"], table["high_quality"]) == (1, 1, 1)
    assert table["reverse_kl"] == pytest.approx(log(4))
    assert table["reverse_kl_all"] == pytest.approx(log(4))


@pytest.mark.parametrize(("sigmas", "is_good"), [(2.999, True), (3.001, False)])
@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0, 4.0])
def test_high_quality_ends_at_three_sigma_in_every_direction(sigmas, is_good, angle):
    offset = sigmas * SIGMA * np.array([np.cos(angle), np.sin(angle)])
    table = mode_coverage(CORNERS + offset, CORNERS, SIGMA)
    assert table["high_quality"] == float(is_good)
    assert table["captured"] == (4 if is_good else 0)


def test_high_quality_ends_at_the_threshold_given():
    samples = CORNERS + np.array([3.5 * SIGMA, 0])
    assert mode_coverage(samples, CORNERS, SIGMA)["captured"] == 0
    assert mode_coverage(samples, CORNERS, SIGMA, threshold=4)["captured"] == 4


def test_poor_samples_count_in_reverse_kl_all_only():
    poor = CORNERS[3] - [0.1, 0.1]
    table = mode_coverage(np.vstack([at_corners(2, 1, 1, 0), poor]), CORNERS, SIGMA)
    assert (table["captured"], table["high_quality"]) == (3, 0.8)
    # Good ones: shares 1/2, 1/4, 1/4, 0 of true shares 1/4. All: 2/5, 1/5, 1/5, 1/5.
    assert table["reverse_kl"] == pytest.approx(0.5 * log(2))
    assert table["reverse_kl_all"] == pytest.approx(0.4 * log(1.6) + 0.6 * log(0.8))


def test_no_good_sample_leaves_an_infinite_divergence():
    table = mode_coverage(CORNERS + 0.3, CORNERS, SIGMA)
    assert (table["captured"], table["captured_fair"], table["high_quality"]) == (0, 0, 0)
    assert table["reverse_kl"] == float("inf")


@pytest.mark.parametrize(("last", "fair"), [(4, 3), (5, 4), (6, 4)])
def test_fair_is_a_fifth_of_the_modes_share(last, fair):
    """Of 100 samples a mode of four has a share of 25, a fifth of which is 5."""
    table = mode_coverage(at_corners(40, 30, 30 - last, last), CORNERS, SIGMA)
    assert (table["captured"], table["captured_fair"]) == (4, fair)


@pytest.mark.parametrize("modes", [3, 5, 7, 8, 16, 25])
@pytest.mark.parametrize("factor", [5, 7, 50, 70, 400])
def test_fair_includes_its_limit_for_every_number_of_modes(modes, factor):
    centers = np.arange(modes, dtype=float)[:, None]
    samples = factor * modes
    limit = factor / 5
    counts = np.full(modes, int(np.ceil(limit)))
    counts[0] += samples - counts.sum()
    table = mode_coverage(np.repeat(centers, counts, axis=0), centers, SIGMA)
    assert table["samples"] == samples
    assert table["captured_fair"] == modes


def test_fair_counts_good_samples_only():
    samples = np.vstack([at_corners(5, 5, 5, 0), np.repeat([[0.9, 0.9]], 5, axis=0)])
    assert mode_coverage(samples, CORNERS, SIGMA)["captured_fair"] == 3


def test_unequal_weights():
    weights = [0.7, 0.1, 0.1, 0.1]
    table = mode_coverage(at_corners(7, 1, 1, 1), CORNERS, SIGMA, weights=weights)
    assert table["reverse_kl"] == pytest.approx(0, abs=1e-12)
    assert table["captured_fair"] == 4
    # 10 of 100 samples are a fair share of a mode of weight 0.1, but not of one of weight 0.7.
    table = mode_coverage(at_corners(10, 30, 30, 30), CORNERS, SIGMA, weights=weights)
    assert (table["captured"], table["captured_fair"]) == (4, 3)
    assert table["reverse_kl"] == pytest.approx(0.1 * log(1 / 7) + 0.9 * log(3))


def test_weights_may_be_in_any_scale():
    exact = mode_coverage(at_corners(7, 1, 1, 1), CORNERS, SIGMA, weights=[7, 1, 1, 1])
    assert exact["reverse_kl"] == exact["reverse_kl_all"] == pytest.approx(0, abs=1e-12)
    assert exact["captured_fair"] == 4
    assert reverse_kl([1, 3], [10, 10]) == pytest.approx(reverse_kl([1, 3], [0.5, 0.5]))


def test_lists_are_taken_like_arrays():
    table = mode_coverage([[0.0, 0.0], [1.0, 0.0]], CORNERS.tolist(), SIGMA)
    assert table["mode_samples"] == [1, 1, 0, 0]


def test_centres_of_one_arc_are_one_mode():
    table = mode_coverage(at_corners(6, 0, 0, 2), CORNERS, SIGMA, modes=[0, 0, 1, 1])
    assert (table["modes"], table["captured"]) == (2, 2)
    assert table["reverse_kl"] == pytest.approx(0.75 * log(1.5) + 0.25 * log(0.5))
    table = mode_coverage(at_corners(6, 2, 0, 0), CORNERS, SIGMA, modes=[0, 0, 1, 1])
    assert (table["captured"], table["captured_fair"]) == (1, 1)
    assert table["reverse_kl"] == pytest.approx(log(2))


@pytest.mark.parametrize(
    ("counts", "weights", "expected"),
    [
        ([3, 3, 3], [1 / 3] * 3, 0),
        ([9, 0, 0], [1 / 3] * 3, log(3)),
        ([1, 3], [0.5, 0.5], 0.25 * log(0.5) + 0.75 * log(1.5)),
        ([1, 3], [0.25, 0.75], 0),
        ([0, 0], [0.5, 0.5], float("inf")),
    ],
)
def test_reverse_kl_by_hand(counts, weights, expected):
    assert reverse_kl(counts, weights) == pytest.approx(expected, abs=1e-12)


def test_nearest_centers_by_hand():
    indices, distances = nearest_centers([[0.2, 0.0], [1.0, 0.7], [4.0, 5.0]], CORNERS)
    np.testing.assert_array_equal(indices, [0, 3, 3])
    np.testing.assert_allclose(distances, [0.2, 0.3, 5])


def test_nearest_centers_of_many_samples():
    """More than are compared at once."""
    samples = np.random.default_rng(0).uniform(-1, 2, (3000, 2))
    indices, distances = nearest_centers(samples, CORNERS)
    np.testing.assert_array_equal(indices, (samples > 0.5) @ [1, 2])
    np.testing.assert_allclose(distances, np.hypot(*(samples - CORNERS[indices]).T))


def test_distances_keep_their_digits_far_from_the_origin():
    centers = np.array([[1e4, 1e4]], np.float32)
    samples = (centers + np.float32([[0.03125, 0]])).astype(np.float32)
    _, distances = nearest_centers(samples, centers)
    np.testing.assert_allclose(distances, [0.03125], rtol=1e-6)


@pytest.mark.parametrize("samples", [np.zeros((0, 2)), [[0.0, np.nan]], [[np.inf, 0.0]]])
def test_samples_that_cannot_be_judged_are_refused(samples):
    with pytest.raises(ValueError, match="finite"):
        mode_coverage(np.asarray(samples), CORNERS, SIGMA)


@pytest.mark.parametrize("samples", [np.zeros((5, 3)), np.zeros(5)])
def test_samples_of_another_shape_are_refused(samples):
    with pytest.raises(ValueError, match=r"Received: \(5.*and \(4, 2\)"):
        mode_coverage(samples, CORNERS, SIGMA)


@pytest.mark.parametrize(
    "settings", [dict(weights=[0.5, 0.5]), dict(modes=[0, 1]), dict(modes=[0, 0, 1, 1, 1])]
)
def test_weights_and_modes_that_do_not_fit_are_refused(settings):
    with pytest.raises(ValueError, match="entries in modes"):
        mode_coverage(CORNERS, CORNERS, SIGMA, **settings)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_weights_that_are_not_positive_are_refused(wrong):
    with pytest.raises(ValueError, match="weights above 0"):
        mode_coverage(CORNERS, CORNERS, SIGMA, weights=[1, 1, 1, wrong])
    with pytest.raises(ValueError, match="weights above 0"):
        reverse_kl([1, 1], [1, wrong])


@pytest.mark.parametrize("sigma", [0.0, -0.01, np.nan, np.inf])
def test_sigma_that_is_not_positive_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma > 0"):
        mode_coverage(CORNERS, CORNERS, sigma)


def test_mixture_without_centres_is_refused():
    with pytest.raises(ValueError, match="at least one center"):
        mode_coverage(CORNERS, np.zeros((0, 2)), SIGMA)


def test_cell_coverage_by_hand():
    """Cells of side 1: two samples in one, one in another, and one outside of the square."""
    samples = [[-0.5, -0.5], [-0.1, -0.9], [0.5, 0.5], [0.5, 1.5]]
    assert cell_coverage(samples, 2) == {
        "modes": 4,
        "captured": 2,
        "captured_fair": 2,
        "high_quality": 0.75,
        "reverse_kl": pytest.approx(2 / 3 * log(8 / 3) + 1 / 3 * log(4 / 3)),
        "samples": 4,
    }


def test_cell_coverage_includes_both_ends_of_the_range():
    table = cell_coverage([[-1.0], [1.0]], 4)
    assert (table["modes"], table["captured"], table["high_quality"]) == (4, 2, 1)


def test_cells_of_the_normal_prior_are_equally_probable():
    """Its quartiles are at 0 and ±0.6745; what lies within 3σ has 99.73 %, so a bit further in."""
    table = cell_coverage(
        [[-2.9], [-0.675], [-0.67], [-0.01], [0.01], [0.67], [0.675]], 4, "normal"
    )
    assert table["captured"] == 4
    assert table["high_quality"] == 1
    z = np.random.default_rng(0).normal(size=(64_000, 2))
    table = cell_coverage(z, 8, "normal")
    assert (table["modes"], table["captured_fair"]) == (64, 64)
    assert table["reverse_kl"] < 2e-3
    assert table["high_quality"] == pytest.approx(0.9973**2, abs=1e-3)
    assert cell_coverage([[3.01], [-3.01], [0.0]], 4, "normal")["high_quality"] == 1 / 3


@pytest.mark.parametrize(("last", "fair"), [(1, 3), (2, 4)])
def test_fair_cells_hold_a_fifth_of_their_share(last, fair):
    """Of 40 samples a cell of four has a share of 10, a fifth of which is 2."""
    counts = [20, 10, 10 - last, last]
    samples = np.repeat([-0.75, -0.25, 0.25, 0.75], counts)[:, None]
    assert cell_coverage(samples, 4)["captured_fair"] == fair


def test_mode_samples_count_high_quality_samples_only():
    samples = np.array([[0.0], [0.02], [0.5], [1.0]])
    measured = mode_coverage(samples, np.array([[0.0], [1.0]]), sigma=0.01)
    assert measured["mode_samples"] == [2, 1]  # 0.5 lies far from both


def test_mode_spread_is_per_axis_and_in_sigma():
    # Offsets (0.01, 0) and (0, -0.02): mean square 0.00025 over 2 axes.
    samples = np.array([[0.01, 0.0], [1.0, -0.02], [0.5, 0.5]])
    measured = mode_coverage(samples, CORNERS, SIGMA)
    assert measured["mode_spread"] == pytest.approx(np.sqrt(0.000125) / 0.01)


def test_mode_spread_of_the_exact_mixture():
    noise = np.random.default_rng(0).normal(0, SIGMA, (200_000, 2))
    measured = mode_coverage(noise, CORNERS, SIGMA)
    assert measured["mode_spread"] == pytest.approx(0.974, abs=0.004)


def test_a_mode_without_a_sample_is_never_fair():
    """However small its weight."""
    assert is_fair(np.array([0, 1, 9]), np.array([1e-13, 1e-13, 10])).tolist() == [
        False,
        True,
        True,
    ]
