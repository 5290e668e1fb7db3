"""k-means on points whose clusters are known."""

import numpy as np
import pytest

from logan.clustering import best_k_means, first_centers, k_means, means_of

LINE = np.array([[0.0], [1.0], [10.0], [11.0]])


def test_centers_are_means_of_the_points_nearest_to_them():
    centers, labels = k_means(LINE, np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(centers, [[0.5], [10.5]])
    assert labels.tolist() == [0, 0, 1, 1]


def test_one_round_by_hand():
    """10 and 11 are nearer to 1 than to 0: their mean with it is 22/3."""
    centers, _ = k_means(LINE, np.array([[0.0], [1.0]]), rounds=1)
    np.testing.assert_allclose(centers, [[0.0], [22 / 3]], rtol=1e-6)


def test_clusters_keep_the_order_of_the_centers_that_they_begin_with():
    _, labels = k_means(LINE, np.array([[9.0], [2.0]]))
    assert labels.tolist() == [1, 1, 0, 0]


def test_a_center_without_points_takes_the_farthest_one():
    """All are nearest to 3; of 0, 1, 10 and 11 the last lies farthest from it."""
    means = means_of(LINE, np.zeros(4, int), np.square(LINE[:, 0] - 3), 2)
    np.testing.assert_allclose(means, [[5.5], [11.0]])
    _, labels = k_means(LINE, np.array([[3.0], [1000.0]]))
    assert set(labels.tolist()) == {0, 1}


def test_far_away_from_zero_no_digits_are_lost():
    _, labels = k_means(LINE + 1e6, np.array([[0.0], [1.0]]) + 1e6)
    assert labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_first_centers_lie_in_different_groups(seed):
    """Of groups so far apart a second centre in one is next to impossible."""
    groups = np.repeat([[0.0, 0.0], [1e6, 0.0], [0.0, 1e6]], 10, axis=0)
    points = groups + np.random.default_rng(0).normal(size=groups.shape)
    centers = first_centers(points, 3, seed)
    assert sorted((centers > 5e5) @ [1, 2]) == [0, 1, 2]
    np.testing.assert_array_equal(centers, first_centers(points, 3, seed))


def test_the_best_of_several_searches_finds_the_groups():
    """One search that begins with several centres in a group can end so."""
    groups = np.repeat(np.arange(6) * 10.0, 20)[:, None]
    points = groups + np.random.default_rng(2).normal(size=(120, 1))
    alone = k_means(points, np.concatenate([points[:3], points[60::20]]))[1]
    _, labels = best_k_means(points, 6, seed=0)
    assert len({*zip(groups[:, 0], labels, strict=True)}) == 6
    assert len({*zip(groups[:, 0], alone, strict=True)}) > 6


def test_points_that_are_all_alike_have_centers_too():
    centers, labels = k_means(np.ones((4, 2)), first_centers(np.ones((4, 2)), 3, 0))
    np.testing.assert_array_equal(centers, np.ones((3, 2)))
    assert len(labels) == 4


def test_more_centers_than_points_are_refused():
    with pytest.raises(ValueError, match="Expected 1 to 4 centers"):
        first_centers(LINE, 5, 0)
