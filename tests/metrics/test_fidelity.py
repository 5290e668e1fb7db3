import itertools
import math

import numpy as np
import pytest

from logan.metrics import fidelity as module
from logan.metrics.fidelity import (
    density_coverage,
    fidelity,
    frechet_distance,
    gaussian_frechet_distance,
    gaussian_moments,
    inception_score,
    kernel_distance,
    maximum_mean_discrepancy,
    nearest_distances,
    precision_recall,
)

PAIR_MEASURES = [
    frechet_distance,
    kernel_distance,
    maximum_mean_discrepancy,
    precision_recall,
    density_coverage,
    fidelity,
]


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.fixture
def real():
    return normal(0, 23, 4).astype(np.float32)


@pytest.fixture
def generated():
    return (normal(1, 17, 4) * 0.7 + 0.5).astype(np.float32)


def points(*values):
    """Float features [values, 1]."""
    return np.array(values, float)[:, None]


def distance(x, y):
    return math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(x, y, strict=True)))


def unbiased_discrepancy(xs, ys, kernel):
    """The plainest reading of equation 3 of Gretton et al."""
    within_x = [kernel(a, b) for a, b in itertools.permutations(xs, 2)]
    within_y = [kernel(a, b) for a, b in itertools.permutations(ys, 2)]
    between = [kernel(a, b) for a in xs for b in ys]
    return np.mean(within_x) + np.mean(within_y) - 2 * np.mean(between)


def cubic(x, y):
    return (sum(float(a) * float(b) for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3


def radius(features, index, neighbours):
    others = [distance(features[index], y) for i, y in enumerate(features) if i != index]
    return sorted(others)[neighbours - 1]


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


# Precision, recall, density, coverage


def test_precision_and_recall_of_placed_points():
    # With one neighbour, the balls of the real points reach 1, 1, 2; those of the generated ones
    # 2.5, 2.5, 97. Of the generated, 0.5 and 3 are in a real ball; of the real, all are in 0.5's.
    assert precision_recall(points(0, 1, 3), points(0.5, 3, 100), 1) == (2 / 3, 1)
    # Balls of 1 around 0 and 1, and of 9 around 10, against balls of 0.2 around 9.5 and 9.7.
    assert precision_recall(points(0, 1, 10), points(9.5, 9.7), 1) == (1, 0)


def test_precision_and_recall_count_the_edge():
    # Balls of 1 around 0 and 1 end at 2; balls of 2 around 2 and 4 at 0.
    assert precision_recall(points(0, 1), points(2, 4), 1) == (0.5, 1)


def test_density_and_coverage_of_placed_points():
    # Balls of 1, 1, 2 around 0, 1, 3 hold (0.5), (0.5), (3, 4): 4 / 4 generated, 3 of 3 balls.
    assert density_coverage(points(0, 1, 3), points(0.5, 3, 4, 100), 1) == (1, 1)
    # Two real neighbours: balls of 3, 2, 3. 3.5 is in the last only: 1 / (2 · 1), 1 of 3.
    assert density_coverage(points(0, 1, 3), np.repeat(points(3.5), 3, 0), 2) == (0.5, 1 / 3)


def test_density_and_coverage_leave_out_the_edge():
    assert density_coverage(points(0, 1), points(2, -1), 1) == (0, 0)


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_a_copy_has_everything(neighbours):
    features = normal(6, 40, 3)
    copy = features[::-1].copy()
    assert precision_recall(features, copy, neighbours) == (1, 1)
    assert density_coverage(features, copy, neighbours) == (1, 1)


def test_equal_images_are_at_distance_zero():
    # Four equal real images have balls of radius 0, which hold their copies and nothing else.
    features = normal(9, 30, 50)
    features[:4] = features[0]
    generated = np.concatenate([np.repeat(features[:1], 4, axis=0), features[:4] + 1e-3])
    precision, _ = precision_recall(features[:4], generated, 3)
    assert precision == 0.5
    distances = module._squared_distances(features[:4] + 100, features[:4] + 100)
    np.testing.assert_array_equal(distances, np.zeros((4, 4)))


def test_a_collapsed_generator_has_precision_and_no_recall():
    features = normal(7, 50, 2)
    collapsed = np.repeat(features[:1], 50, axis=0)
    precision, recall = precision_recall(features, collapsed)
    assert (precision, recall) == (1, 1 / 50)
    assert density_coverage(features, collapsed)[1] < 0.3


@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_neighbourhoods_against_loops(real, generated, neighbours):
    radii = [radius(real, i, neighbours) for i in range(len(real))]
    their_radii = [radius(generated, j, neighbours) for j in range(len(generated))]
    gaps = np.array([[distance(x, y) for y in generated] for x in real])
    precise = [any(gaps[i, j] <= radii[i] for i in range(23)) for j in range(17)]
    recalled = [any(gaps[i, j] <= their_radii[j] for j in range(17)) for i in range(23)]
    held = sum(gaps[i, j] < radii[i] for i in range(23) for j in range(17))
    covered = [any(gaps[i, j] < radii[i] for j in range(17)) for i in range(23)]
    assert precision_recall(real, generated, neighbours) == (np.mean(precise), np.mean(recalled))
    density, coverage = density_coverage(real, generated, neighbours)
    assert density == pytest.approx(held / (neighbours * 17), rel=1e-12)
    assert coverage == np.mean(covered)


@pytest.mark.parametrize("measure", [precision_recall, density_coverage])
def test_too_few_images_or_neighbours_are_refused(measure, real):
    with pytest.raises(ValueError, match=r"Expected generated of at least 4 images. Received: 3"):
        measure(real, real[:3], 3)
    with pytest.raises(ValueError, match="Expected 1 neighbour or more"):
        measure(real, real, 0)


# Nearest images


def test_nearest_of_placed_points():
    distances, indices = nearest_distances(points(0, 4, 9), points(10, 1, 4))
    np.testing.assert_array_equal(distances, [1, 0, 1])
    np.testing.assert_array_equal(indices, [1, 2, 0])


def test_nearest_against_loops(real, generated):
    distances, indices = nearest_distances(real, generated)
    assert distances.dtype == np.float64 and indices.dtype == np.int64
    for x, found, index in zip(real, distances, indices, strict=True):
        gaps = [distance(x, y) for y in generated]
        assert index == np.argmin(gaps)
        assert found == pytest.approx(min(gaps), rel=1e-12)


def test_nearest_keeps_small_distances_far_from_the_origin():
    references = points(1e4, 1e4 + 1e-3, 1e4 + 5)
    distances, indices = nearest_distances(references + 1e-5, references)
    np.testing.assert_array_equal(indices, [0, 1, 2])
    np.testing.assert_allclose(distances, 1e-5, rtol=1e-6)


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
    monkeypatch.setattr(module, "BLOCK_ROWS", rows)
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
