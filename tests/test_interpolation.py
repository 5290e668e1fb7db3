"""Ways between latents, against results worked out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from logan.interpolation import WAYS as WAYS_OF
from logan.interpolation import linear, spherical, traversal

WAYS = [linear, spherical]
ROOT = np.sqrt(0.5)


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_the_way_of_a_prior_stays_where_it_has_its_draws(prior: str) -> None:
    """Of 10,000 features, two draws are next to orthogonal; mean squares are 1/3 and 1."""
    rng = np.random.default_rng(0)
    shape = (2, 1, 10_000)
    ends = rng.uniform(-1, 1, shape) if prior == "uniform" else rng.normal(size=shape)
    way = WAYS_OF[prior](*ends, 3)[0]
    middle, end = (np.square(way[index]).mean() for index in (1, 0))
    if prior == "uniform":
        assert np.abs(way).max() <= 1
    else:
        assert middle / end == pytest.approx(1, abs=0.03)


def test_linear_divides_the_way_evenly() -> None:
    z = linear(np.array([[0.0, 1.0]]), np.array([[1.0, -1.0]]), 5)
    np.testing.assert_array_equal(z, [[[0, 1], [0.25, 0.5], [0.5, 0], [0.75, -0.5], [1, -1]]])
    assert z.dtype == np.float32


def test_spherical_goes_along_the_circle() -> None:
    z = spherical(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 3)
    np.testing.assert_allclose(z, [[[1, 0], [ROOT, ROOT], [0, 1]]], atol=1e-7)
    assert z.dtype == np.float32


def test_spherical_turns_by_equal_angles() -> None:
    z = spherical(np.array([[2.0, 0.0]]), np.array([[0.0, 2.0]]), 4)[0]
    angles = np.degrees(np.arctan2(z[:, 1], z[:, 0]))
    np.testing.assert_allclose(angles, [0, 30, 60, 90], atol=1e-4)


def test_spherical_norm_changes_evenly() -> None:
    # From norm 1 to norm 3: half way it is 2, where the straight line has √10 / 2.
    z = spherical(np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]), 3)
    np.testing.assert_allclose(z[0, 1], [2 * ROOT, 2 * ROOT], rtol=1e-6)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ([0.5, 0.5], [1.0, 1.0]),  # parallel
        ([0.5, 0.5], [0.5, 0.5]),  # equal
        ([0.3, 0.7], [0.3, 0.7 + 1e-6]),  # nearly parallel
        ([0.5, -0.5], [-1.0, 1.0]),  # opposite
        ([0.0, 0.0], [1.0, 0.5]),  # no direction
        ([0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_spherical_without_a_circle_is_linear(first: list[float], last: list[float]) -> None:
    ends = np.array([first]), np.array([last])
    np.testing.assert_array_equal(spherical(*ends, 5), linear(*ends, 5))


def test_every_row_goes_its_own_way() -> None:
    first, last = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 1.0], [3.0, 3.0]])
    middles = spherical(first, last, 3)[:, 1]
    np.testing.assert_allclose(middles, [[ROOT, ROOT], [2, 2]], rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_ends_are_exact(way: Callable[..., np.ndarray]) -> None:
    first, last = np.random.default_rng(0).uniform(-1, 1, (2, 20, 8)).astype(np.float32)
    z = way(first, last, 7)
    assert z.shape == (20, 7, 8)
    np.testing.assert_array_equal(z[:, 0], first)
    np.testing.assert_array_equal(z[:, -1], last)


def test_linear_midpoints_are_means() -> None:
    first, last = np.random.default_rng(1).uniform(-1, 1, (2, 20, 8)).astype(np.float32)
    np.testing.assert_allclose(linear(first, last, 9)[:, 4], (first + last) / 2, atol=1e-7)


def test_there_and_back_is_the_same_way() -> None:
    first, last = np.random.default_rng(2).uniform(-1, 1, (2, 20, 8)).astype(np.float32)
    for way in WAYS:
        back = way(last, first, 6)[:, ::-1]
        np.testing.assert_allclose(way(first, last, 6), back, atol=1e-6)


def test_traversal_changes_one_feature_in_each_row() -> None:
    z = traversal(np.array([0.1, 0.2, 0.3]), [2, 0], 3)
    expected = [
        [[0.1, 0.2, -1], [0.1, 0.2, 0], [0.1, 0.2, 1]],
        [[-1, 0.2, 0.3], [0, 0.2, 0.3], [1, 0.2, 0.3]],
    ]
    np.testing.assert_allclose(z, expected, rtol=1e-6)
    assert z.dtype == np.float32


def test_traversal_reaches_as_far_as_told() -> None:
    z = traversal(np.zeros(1), [0], 5, reach=2.0)
    np.testing.assert_array_equal(z[0, :, 0], [-2, -1, 0, 1, 2])


@pytest.mark.parametrize("way", WAYS)
def test_ways_refuse(way: Callable[..., np.ndarray]) -> None:
    one = np.zeros((1, 2))
    with pytest.raises(ValueError, match=r"Expected first and last of one shape.* Received: .*3"):
        way(one, np.zeros((1, 3)), 2)
    with pytest.raises(ValueError, match=r"Expected first and last of one shape.* Received"):
        way(np.zeros(2), np.zeros(2), 2)
    with pytest.raises(ValueError, match=r"Expected points >= 2\. Received: 1"):
        way(one, one, 1)


@pytest.mark.parametrize("features", [[], [3], [-1], [0, 3]])
def test_traversal_refuses_features(features: list[int]) -> None:
    with pytest.raises(ValueError, match=r"Expected features from 0 to 2, .* Received"):
        traversal(np.zeros(3), features, 3)


def test_traversal_refuses() -> None:
    with pytest.raises(ValueError, match=r"Expected z of shape \[latent_length\]\. Received"):
        traversal(np.zeros((1, 3)), [0], 3)
    with pytest.raises(ValueError, match=r"Expected points >= 2\. Received: 1"):
        traversal(np.zeros(3), [0], 1)
    with pytest.raises(ValueError, match=r"Expected reach > 0\. Received: 0"):
        traversal(np.zeros(3), [0], 3, reach=0)
