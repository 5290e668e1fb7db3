import itertools

import numpy as np
import pytest

from logan.datasets.toy import toy_distribution
from logan.errors import UserError
from logan.metrics.coverage import mode_coverage
from logan.mixtures import RECIPES, SWISS_ARCS
from logan.settings import DATASETS, toy_names

COUNT = 40_000
each_set = pytest.mark.parametrize("name", RECIPES)


def nearest(points, centers):
    return np.linalg.norm(points[:, None] - centers[None], axis=-1).argmin(axis=1)


def take(dataset, count):
    return [batch.numpy() for batch in dataset.take(count)]


@pytest.mark.parametrize(
    ("name", "components", "features", "modes", "sigma"),
    [
        ("ring8", 8, 2, 8, 0.01),
        ("ring16", 16, 2, 16, 0.01),
        ("grid25", 25, 2, 25, 0.01),
        ("grid25_wide", 25, 2, 25, 0.05),
        ("swiss", 1000, 2, SWISS_ARCS, 0.01),
        ("line", 5, 1, 5, 0.01),
        ("line_far", 7, 1, 7, 0.01),
    ],
)
def test_sizes_of_each_set(name, components, features, modes, sigma):
    data = toy_distribution(name)
    assert data.centers.shape == (components, features)
    assert (data.features, data.mode_count, data.sigma) == (features, modes, sigma)
    assert data.centers.dtype == np.float32
    assert DATASETS[name].modes == modes
    assert DATASETS[name].features == features
    np.testing.assert_allclose(data.weights, np.full(components, 1 / components))
    np.testing.assert_allclose(data.mode_weights, np.full(modes, 1 / modes))


@each_set
def test_modes_are_different_places_many_sigma_apart(name):
    data = toy_distribution(name)
    centers = [data.centers[data.modes == mode] for mode in range(data.mode_count)]
    for one, other in itertools.combinations(centers, 2):
        gap = np.linalg.norm(one[:, None] - other[None], axis=-1).min()
        # Arcs of one roll touch each other; all else is apart by more than twice 3σ.
        assert gap > (0 if name == "swiss" else 6 * data.sigma)


def test_ring8_is_eight_places_45_degrees_apart():
    centers = toy_distribution("ring8").centers
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1, rtol=1e-6)
    h = 0.5**0.5
    np.testing.assert_allclose(centers[:3], [[1, 0], [h, h], [0, 1]], atol=1e-6)
    neighbours = np.linalg.norm(centers - np.roll(centers, 1, axis=0), axis=1)
    np.testing.assert_allclose(neighbours, 2 * np.sin(np.pi / 8), rtol=1e-5)


def test_ring16_is_ring8_and_the_same_twice_as_large():
    centers, ring8 = toy_distribution("ring16").centers, toy_distribution("ring8").centers
    np.testing.assert_allclose(centers, np.concatenate([ring8, 2 * ring8]), atol=1e-6)


@pytest.mark.parametrize(("name", "spacing"), [("grid25", 1), ("grid25_wide", 2)])
def test_grids(name, spacing):
    line = spacing * np.arange(-2, 3)
    expected = {(x, y) for x in line for y in line}
    assert {tuple(center) for center in toy_distribution(name).centers} == expected


def test_lines():
    near = [-0.5, -0.25, 0, 0.25, 0.5]
    np.testing.assert_allclose(toy_distribution("line").centers[:, 0], near)
    np.testing.assert_allclose(toy_distribution("line_far").centers[:, 0], [*near, -5, 5])


def test_swiss_is_a_roll_in_arcs_of_40_consecutive_centres():
    data = toy_distribution("swiss")
    assert np.abs(data.centers).max() == 2
    radius = np.linalg.norm(data.centers, axis=1)
    assert (np.diff(radius) > 0).all()
    np.testing.assert_allclose(radius[-1] / radius[0], 3, rtol=1e-5)  # from 1.5π to 4.5π
    np.testing.assert_array_equal(data.modes, np.repeat(np.arange(25), 40))


@each_set
def test_points_lie_around_their_centres_with_equal_shares(name):
    data = toy_distribution(name)
    count = 8000 if name == "swiss" else COUNT  # against 1,000 centres
    points = data.evaluation_sample(0, count)
    assert points.shape == (count, data.features)
    assert points.dtype == np.float32
    shares = np.bincount(data.modes[nearest(points, data.centers)]) / count
    expected = data.mode_weights
    # Points cross the border between two arcs, a few each way.
    bounds = 6 * np.sqrt(expected * (1 - expected) / count) + (0.005 if name == "swiss" else 0)
    assert (np.abs(shares - expected) < bounds).all()
    mean = expected[data.modes] / np.bincount(data.modes)[data.modes] @ data.centers
    spread = np.sqrt(data.sigma**2 + data.centers.var(axis=0))
    assert (np.abs(points.mean(axis=0) - mean) < 6 * spread / count**0.5).all()


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "swiss"])
def test_each_mode_is_a_round_gaussian_of_sigma(name):
    data = toy_distribution(name)
    points = data.evaluation_sample(1, COUNT)
    chosen = nearest(points, data.centers)
    for mode, center in enumerate(data.centers):
        offsets = (points[chosen == mode] - center) / data.sigma
        count = len(offsets)
        assert np.abs(offsets.mean(axis=0)).max() < 5.5 / count**0.5
        assert np.abs(offsets.var(axis=0) - 1).max() < 5.5 * (2 / count) ** 0.5
    offsets = (points - data.centers[chosen]) / data.sigma
    if data.features == 2:
        assert abs((offsets[:, 0] * offsets[:, 1]).mean()) < 5.5 / COUNT**0.5
        # Of a 2-D Gaussian, 1 - exp(-9/2) lie within 3σ.
        inside = (np.linalg.norm(offsets, axis=1) <= 3).mean()
        assert abs(inside - 0.98889) < 6 * (0.98889 * 0.01111 / COUNT) ** 0.5


def test_mode_weights_in_any_scale():
    data = toy_distribution("line", (1, 2, 3, 4, 10))
    expected = np.array([0.05, 0.1, 0.15, 0.2, 0.5])
    np.testing.assert_allclose(data.mode_weights, expected)
    points = data.evaluation_sample(0, COUNT)
    shares = np.bincount(nearest(points, data.centers)) / COUNT
    assert (np.abs(shares - expected) < 6 * np.sqrt(expected * (1 - expected) / COUNT)).all()


def test_spread_of_the_exact_sets():
    """Within 3σ of the nearest centre; swiss has 1,000 centres that overlap."""
    for name, expected in [("grid25", 0.97), ("swiss", 0.74), ("line", 0.99)]:
        data = toy_distribution(name)
        points = data.evaluation_sample(0, COUNT)
        spread = mode_coverage(points, data.centers, data.sigma)["mode_spread"]
        assert spread == pytest.approx(expected, abs=0.015)


def test_weights_of_arcs_are_shared_by_their_centres():
    data = toy_distribution("swiss", [3] + [1] * 24)
    np.testing.assert_allclose(data.mode_weights, [3 / 27] + [1 / 27] * 24)
    np.testing.assert_allclose(data.weights[:41], [3 / 27 / 40] * 40 + [1 / 27 / 40])
    assert data.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("weights", [(), (1, 2, 3, 4, 5)])
def test_same_seed_same_batches(weights):
    data = toy_distribution("line", weights)
    first, second, other = (take(data.batches(seed, 16), 3) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert first[0].shape == (16, 1)
    assert first[0].dtype == np.float32
    for one, two in itertools.combinations(first, 2):
        assert not np.intersect1d(one, two).size, "no two batches share a point"


def test_batches_from_a_later_step_are_those_of_the_whole_run():
    data = toy_distribution("ring8")
    whole = take(data.batches(0, 8), 7)
    np.testing.assert_array_equal(take(data.batches(0, 8, first_step=4), 3), whole[4:])


def test_batches_far_into_a_run_cost_nothing():
    data = toy_distribution("ring8")
    (far,) = take(data.batches(0, 8, first_step=10**12), 1)
    assert np.isfinite(far).all()


def test_evaluation_sample_is_fixed_by_its_seed_and_not_drawn_in_training():
    data = toy_distribution("ring8")
    sample = data.evaluation_sample(0, 64)
    np.testing.assert_array_equal(sample, data.evaluation_sample(0, 64))
    assert not np.array_equal(sample, data.evaluation_sample(1, 64))
    trained = np.concatenate(take(data.batches(0, 64), 20))
    assert not (sample[:, None] == trained[None]).all(axis=-1).any()


def test_unknown_set_is_refused():
    with pytest.raises(ValueError, match=r"ring8.*Received: 'ring9'"):
        toy_distribution("ring9")


@pytest.mark.parametrize("name", ["ring8", "swiss"])
def test_wrong_number_of_mode_weights_is_refused(name):
    count = toy_distribution(name).mode_count
    with pytest.raises(UserError, match=rf"--mode_weights: expected {count} .*Received: 3"):
        toy_distribution(name, (1, 2, 3))


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_mode_weight_that_is_not_positive_is_refused(bad):
    with pytest.raises(UserError, match="--mode_weights: expected numbers > 0"):
        toy_distribution("line", (1, 1, 1, 1, bad))


def test_every_set_can_be_chosen():
    assert toy_names() == tuple(RECIPES)
