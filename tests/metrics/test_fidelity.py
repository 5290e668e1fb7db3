import itertools
import math

import numpy as np
import pytest
import tensorflow as tf
from placed import distance, normal, points

from logan.metrics import distances
from logan.metrics import fidelity as module
from logan.metrics.fidelity import (
    fidelity,
    frechet_distance,
    gaussian_frechet_distance,
    gaussian_moments,
    inception_score,
    kernel_distance,
    maximum_mean_discrepancy,
)
from logan.metrics.neighbours import density_coverage, nearest_distances, precision_recall

PAIR_MEASURES = [
    frechet_distance,
    kernel_distance,
    maximum_mean_discrepancy,
    precision_recall,
    density_coverage,
    fidelity,
]


def unbiased_discrepancy(xs, ys, kernel):
    """The plainest reading of equation 3 of Gretton et al."""
    within_x = [kernel(a, b) for a, b in itertools.permutations(xs, 2)]
    within_y = [kernel(a, b) for a, b in itertools.permutations(ys, 2)]
    between = [kernel(a, b) for a in xs for b in ys]
    return np.mean(within_x) + np.mean(within_y) - 2 * np.mean(between)


def cubic(x, y):
    return (sum(float(a) * float(b) for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3


# Fréchet distance


def test_moments_are_those_of_numpy(real):
    mean, covariance = gaussian_moments(real)
    np.testing.assert_allclose(mean, real.astype(np.float64).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(real.astype(np.float64).T), rtol=1e-12)


def test_frechet_of_diagonal_gaussians_in_closed_form():
    # (1 - 3)² + (2 - 2)² + (√4 - √9)² + (√1 - √16)² = 4 + 0 + 1 + 9
    value = gaussian_frechet_distance([1, 2], np.diag([4, 1]), [3, 2], np.diag([9, 16]))
    assert value == pytest.approx(14, abs=1e-12)


def test_frechet_of_features_in_closed_form():
    # Standard deviations √2 and 3√2, means 0 and 5: 25 + (2√2)².
    assert frechet_distance(points(-1, 1), points(2, 8)) == pytest.approx(33, abs=1e-12)


def test_frechet_against_the_root_of_the_product(real, generated):
    (mean, first), (other_mean, second) = gaussian_moments(real), gaussian_moments(generated)
    # The product is similar to a symmetric matrix, so the roots of its eigenvalues are real.
    trace = np.sqrt(np.linalg.eigvals(first @ second).astype(complex)).sum().real
    expected = np.sum((mean - other_mean) ** 2) + np.trace(first + second) - 2 * trace
    assert frechet_distance(real, generated) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(generated, real) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("images", [2, 10, 300])
def test_frechet_of_equal_sets_is_zero_and_of_shifted_ones_the_shift(images):
    features = normal(2, images, 40)
    shift = np.linspace(-1, 1, 40)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    shifted = frechet_distance(features, features + shift)
    assert shifted == pytest.approx(shift @ shift, abs=1e-6)


def test_frechet_of_singular_covariances_in_closed_form():
    # Along orthogonal axes nothing is shared: the trace of the sum, 2 + 8, and no more.
    first = np.array([[-1.0, 0, 0], [1, 0, 0]])
    second = np.array([[0, -2.0, 0], [0, 2, 0]])
    assert frechet_distance(first, second) == pytest.approx(10, abs=1e-12)
    assert frechet_distance(first, first * 3) == pytest.approx(8, abs=1e-12)


def test_frechet_of_collapsed_images():
    collapsed = np.full((5, 3), 2.0)
    assert frechet_distance(collapsed, collapsed + 1) == pytest.approx(3, abs=1e-12)
    spread = normal(3, 50, 3)
    expected = np.sum((spread.mean(0) - 2) ** 2) + np.trace(np.cov(spread.T))
    assert frechet_distance(spread, collapsed) == pytest.approx(expected, abs=1e-9)


def test_moments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Expected means of shape"):
        gaussian_frechet_distance([0, 0], np.eye(2), [0, 0, 0], np.eye(3))
    with pytest.raises(ValueError, match="Expected means of shape"):
        gaussian_frechet_distance([0, 0], np.eye(3), [0, 0], np.eye(3))


# Kernel distance


def test_kernel_distance_of_a_hand_worked_case():
    # Unit vectors of 4 axes: k = (0 + 1)³ = 1 for any two. Fours everywhere: (64 / 4 + 1)³ = 4913.
    # Between them (4 / 4 + 1)³ = 8. So 1 + 4913 - 2 · 8, in whatever subsets.
    assert kernel_distance(np.eye(4), np.full((4, 4), 4.0)) == (4898, 0)


def test_kernel_distance_is_that_of_one_way_to_deal_two_pairs():
    real, generated = normal(0, 4, 3), normal(1, 4, 3)
    pairings = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    expected = []
    for (a, b), (c, d) in itertools.product(pairings, pairings):
        for first, second in [(c, d), (d, c)]:
            estimates = [
                unbiased_discrepancy(real[list(a)], generated[list(first)], cubic),
                unbiased_discrepancy(real[list(b)], generated[list(second)], cubic),
            ]
            expected.append((np.mean(estimates), abs(estimates[0] - estimates[1]) / 2))
    values = [kernel_distance(real, generated, seed=seed) for seed in range(40)]
    for value in values:
        assert np.abs(np.subtract(expected, value)).sum(axis=1).min() < 1e-12
    # The seed chooses, and chooses the same again.
    assert len(set(values)) > 9
    assert kernel_distance(real, generated, seed=7) == values[7]


def test_kernel_distance_is_unbiased_and_knows_its_error():
    draws = np.random.default_rng(4)
    pairs = [draws.standard_normal((2, 12, 2)) for _ in range(400)]
    values = np.array([kernel_distance(*pair, subsets=3) for pair in pairs])
    error = values[:, 0].std() / 20
    assert abs(values[:, 0].mean()) < 4 * error
    # The root mean square of the errors is the deviation of the values.
    assert np.sqrt(np.mean(values[:, 1] ** 2)) == pytest.approx(values[:, 0].std(), rel=0.2)


def test_subsets_are_disjoint_and_equal():
    subsets = list(module._dealt(23, 4, seed=-3, stream=0))
    assert [len(subset) for subset in subsets] == [5] * 4
    assert len(set(np.concatenate(subsets))) == 20


def test_subsets_of_a_seed_never_change():
    assert [list(subset) for subset in module._dealt(8, 2, seed=0, stream=0)] == [
        [0, 2, 1, 5],
        [4, 3, 6, 7],
    ]


def test_less_than_two_subsets_are_refused(real, generated):
    with pytest.raises(ValueError, match="Expected 2 subsets or more"):
        kernel_distance(real, generated, subsets=1)


# Maximum mean discrepancy


def test_discrepancy_of_a_hand_worked_case():
    # The two real images are 2 apart, so 2σ² = 8 and k = exp(-d²/8). The pairs within are 2 and 1
    # apart, those between 0 and 1, 2 and 1.
    a, b, c = math.exp(-4 / 8), math.exp(-1 / 8), 1
    expected = a + b - 2 * (c + b + a + b) / 4
    value = maximum_mean_discrepancy(points(0, 2), points(0, 1))
    assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("bandwidth", [None, 0.5, 3.0])
def test_discrepancy_against_loops(real, generated, bandwidth):
    pairs = itertools.combinations(real, 2)
    sigma = bandwidth or np.median([distance(x, y) for x, y in pairs])
    expected = unbiased_discrepancy(
        real, generated, lambda x, y: math.exp(-(distance(x, y) ** 2) / (2 * sigma**2))
    )
    value = maximum_mean_discrepancy(real, generated, bandwidth)
    assert value == pytest.approx(expected, abs=1e-12)


def test_discrepancy_of_sets_far_apart_is_two_of_two_points():
    assert maximum_mean_discrepancy(np.zeros((3, 2)), np.full((4, 2), 1e3), 1.0) == 2


def test_discrepancy_of_equal_distributions_is_unbiased():
    draws = np.random.default_rng(5)
    values = [
        maximum_mean_discrepancy(*draws.standard_normal((2, 10, 2)), bandwidth=1.0)
        for _ in range(400)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / 20


def test_median_of_many_images_takes_some_of_them(monkeypatch, real):
    monkeypatch.setattr(module, "BANDWIDTH_IMAGES", 3)
    some = real[[0, 11, 22]]
    expected = np.median([distance(x, y) for x, y in itertools.combinations(some, 2)])
    assert module._median_distance(real.astype(float)) == pytest.approx(expected, rel=1e-12)


def test_bandwidth_is_that_of_the_images_that_are_not_equal(real, generated):
    """As of a fixed camera that sees nothing for most of the time."""
    mostly = np.concatenate([np.repeat(real[:1], 80, axis=0), real[1:4]])
    distances = [distance(x, y) for x, y in itertools.combinations(mostly, 2) if (x != y).any()]
    assert module._median_distance(mostly.astype(float)) == pytest.approx(np.median(distances))
    assert np.isfinite(fidelity(mostly, generated)["mmd"])


def test_real_images_that_are_all_equal_have_no_discrepancy(real, generated):
    measures = fidelity(np.repeat(real[:1], 20, axis=0), generated)
    assert "mmd" not in measures
    assert all(np.isfinite(value) for value in measures.values())


def test_a_bandwidth_of_zero_is_refused(generated):
    with pytest.raises(ValueError, match="Expected a bandwidth above 0"):
        maximum_mean_discrepancy(np.ones((9, 4)), generated)
    with pytest.raises(ValueError, match="Expected a bandwidth above 0"):
        maximum_mean_discrepancy(generated, generated, bandwidth=0.0)


# Inception score


def test_inception_score_of_undecided_images_is_one():
    assert inception_score(np.full((20, 5), 0.2)) == pytest.approx((1, 0), abs=1e-12)


def test_inception_score_of_decided_and_varied_images_is_the_number_of_classes():
    one_hot = np.tile(np.eye(7, dtype=np.float32), (10, 1))
    assert inception_score(one_hot) == pytest.approx((7, 0), abs=1e-12)
    assert inception_score(one_hot[:1], splits=1) == (1, 0)


def test_inception_score_against_loops():
    probabilities = np.random.default_rng(8).dirichlet(np.ones(4), 11)
    scores = []
    for part in (probabilities[:4], probabilities[4:8], probabilities[8:]):
        marginal = [np.mean([row[c] for row in part]) for c in range(4)]
        divergences = [
            sum(row[c] * math.log(row[c] / marginal[c]) for c in range(4)) for row in part
        ]
        scores.append(math.exp(np.mean(divergences)))
    expected = (np.mean(scores), np.std(scores))
    assert inception_score(probabilities, splits=3) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("row", [[0.5, 0.6], [1.5, -0.5], [np.nan, 1]])
def test_what_is_no_probability_is_refused(row):
    with pytest.raises(ValueError, match=r"Expected .*probabilities"):
        inception_score(np.array([row] * 10))


def test_fewer_images_than_splits_are_refused():
    with pytest.raises(ValueError, match="Expected probabilities of at least 10 images"):
        inception_score(np.full((9, 2), 0.5))
    with pytest.raises(ValueError, match="Expected 1 split or more"):
        inception_score(np.full((9, 2), 0.5), splits=0)


# All of them


def test_fidelity_names_every_measure(real, generated):
    values = fidelity(real, generated, seed=3, precision_neighbours=2, density_neighbours=4)
    kernel, error = kernel_distance(real, generated, seed=3)
    precision, recall = precision_recall(real, generated, 2)
    density, coverage = density_coverage(real, generated, 4)
    assert values == dict(
        frechet_distance=frechet_distance(real, generated),
        kernel_distance=kernel,
        kernel_distance_error=error,
        precision=precision,
        recall=recall,
        density=density,
        coverage=coverage,
        mmd=maximum_mean_discrepancy(real, generated),
    )
    assert {type(value) for value in values.values()} == {float}


@pytest.mark.parametrize("rows", [1, 5, 16])
def test_blocks_give_the_same_as_the_whole(monkeypatch, real, generated, rows):
    whole = fidelity(real, generated)
    nearest = nearest_distances(real, generated)
    monkeypatch.setattr(distances, "BLOCK_ROWS", rows)
    assert fidelity(real, generated) == pytest.approx(whole, rel=1e-10)
    for value, expected in zip(nearest_distances(real, generated), nearest, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_order_does_not_matter(real, generated):
    whole = fidelity(real, generated)
    other = fidelity(real[::-1].copy(), generated[np.random.default_rng(0).permutation(17)])
    # Which images stand together in a subset is a matter of their order.
    for name in ("kernel_distance", "kernel_distance_error"):
        del whole[name], other[name]
    assert other == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize("measure", PAIR_MEASURES)
def test_what_is_no_pair_of_features_is_refused(measure, real):
    with pytest.raises(ValueError, match=r"Expected real of shape \[images, features\]"):
        measure(real[0], real)
    with pytest.raises(ValueError, match=r"Expected generated of shape \[images, features\]"):
        measure(real, real[:, :0])
    with pytest.raises(ValueError, match=r"Expected generated of at least . images. Received: 1"):
        measure(real, real[:1])
    with pytest.raises(ValueError, match=r"equally many features. Received: 4 and 3"):
        measure(real, real[:, :3])
    with pytest.raises(ValueError, match="Expected floating real"):
        measure(real.astype(int), real)
    for wrong in (np.nan, np.inf):
        damaged = real.copy()
        damaged[3, 2] = wrong
        with pytest.raises(ValueError, match="Expected finite generated"):
            measure(real, damaged)


@pytest.mark.parametrize("measure", PAIR_MEASURES)
def test_lists_and_tensors_are_features(measure, real, generated):
    expected = measure(real, generated)
    assert measure(real.tolist(), generated.tolist()) == pytest.approx(expected, rel=1e-6)
    assert measure(tf.constant(real), tf.constant(generated)) == expected


def test_nearest_names_its_own_arguments(real):
    with pytest.raises(ValueError, match="Expected references of at least 1 images"):
        nearest_distances(real, real[:0])
    with pytest.raises(ValueError, match="Expected queries and references with equally many"):
        nearest_distances(real, real[:, :2])


def test_arguments_stay_as_they_were(real, generated):
    kept = real.copy(), generated.copy()
    fidelity(real, generated)
    nearest_distances(real, generated)
    np.testing.assert_array_equal(kept[0], real)
    np.testing.assert_array_equal(kept[1], generated)
