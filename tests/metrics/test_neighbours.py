import numpy as np
import pytest
from placed import distance, normal, points

from logan.metrics.distances import squared_distances
from logan.metrics.neighbours import (
    density_coverage,
    equal_share,
    nearest_distances,
    precision_recall,
)

# Precision, recall, density, coverage


def radius(features, index, neighbours):
    others = [distance(features[index], y) for i, y in enumerate(features) if i != index]
    return sorted(others)[neighbours - 1]


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
    assert density_coverage(features, copy, neighbours) == pytest.approx((1, 1), rel=1e-12)


def test_equal_images_are_at_distance_zero():
    # Four equal real images have balls of radius 0, which hold their copies and nothing else.
    features = normal(9, 30, 50)
    features[:4] = features[0]
    generated = np.concatenate([np.repeat(features[:1], 4, axis=0), features[:4] + 1e-3])
    precision, _ = precision_recall(features[:4], generated, 3)
    assert precision == 0.5
    distances = squared_distances(features[:4] + 100, features[:4] + 100)
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
    assert precision_recall(real, generated, neighbours) == pytest.approx(
        (np.mean(precise), np.mean(recalled)), rel=1e-12
    )
    density, coverage = density_coverage(real, generated, neighbours)
    assert density == pytest.approx(held / (neighbours * 17), rel=1e-12)
    assert coverage == pytest.approx(np.mean(covered), rel=1e-12)


@pytest.mark.parametrize("measure", [precision_recall, density_coverage])
def test_too_few_images_or_neighbours_are_refused(measure, real):
    with pytest.raises(ValueError, match=r"Expected generated of at least 4 images. Received: 3"):
        measure(real, real[:3], 3)
    with pytest.raises(ValueError, match="Expected 1 neighbour or more"):
        measure(real, real, 0)


# Equal images


def with_equal(share, count=100, seed=0):
    """Features of which that share is equal, as the empty frames of a fixed camera."""
    features = normal(seed, count, 16).astype(np.float32)
    features[: round(share * count)] = 3.0
    return features


@pytest.mark.parametrize("share", [0, 0.02, 0.5, 0.8, 0.95, 0.99, 1])
@pytest.mark.parametrize("neighbours", [1, 3, 5])
def test_a_copy_has_everything_whatever_share_is_equal(share, neighbours):
    features = with_equal(share)
    copy = features[::-1].copy()
    assert precision_recall(features, copy, neighbours) == (1, pytest.approx(1))
    assert density_coverage(features, copy, neighbours) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_other_draws_of_the_same_mixture_have_nearly_everything(share):
    features, others = with_equal(share, 400), with_equal(share, 400, seed=1)
    density, coverage = density_coverage(features, others)
    assert density == pytest.approx(1, abs=0.15)
    # Of points that differ 1 - 2⁻⁵ are expected, as with the paper's measure.
    assert coverage > share + 0.85 * (1 - share)
    _, recall = precision_recall(features, others)
    assert recall > share


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_what_equal_images_are_lost_is_what_coverage_lacks(share):
    features = with_equal(share, 400)
    # Those that differ lie far from the equal ones, and close to each other.
    features[features[:, 0] != 3] = normal(2, int(np.sum(features[:, 0] != 3)), 16) * 0.05
    others = features[features[:, 0] != 3]
    assert density_coverage(features, others)[1] == pytest.approx(1 - share)
    assert precision_recall(features, others)[1] == pytest.approx(1 - share)


def test_density_and_coverage_of_placed_points_that_repeat():
    # 0 twice, 1, 3, with one neighbour: the twins reach half-way to 1, the others 1 and 2. The open
    # balls hold 2, 2, 1 and 1 real images, and (0.25), (0.25), (0.25), (3) of the generated ones.
    features = points(0, 0, 1, 3)
    density, coverage = density_coverage(features, points(0.25, 3), 1)
    assert density == pytest.approx((1 / 2 + 1 / 2 + 1 + 1) / 2)
    assert coverage == 1
    # 3.5 lies in the last only: 1 of 4 images.
    assert density_coverage(features, points(3.5, 3.5), 1) == (pytest.approx(1), 0.25)


def test_nearly_equal_images_cover_equal_ones():
    features = with_equal(0.8)
    assert density_coverage(features, features + 1e-2)[1] == 1
    assert precision_recall(features, features + 1e-2)[0] == 1


def test_a_generator_of_few_images_gains_no_recall_by_repeating_them():
    features = normal(3, 200, 2)
    few = np.repeat(features[:8], 25, axis=0)
    assert precision_recall(features, few)[1] == 8 / 200


def test_rounding_of_float32_leaves_images_equal():
    features = with_equal(0.8) + 100
    noise = 1e-5 * normal(4, *features.shape).astype(np.float32)
    assert equal_share(features + noise) == pytest.approx(0.8)
    assert density_coverage(features + noise, features)[1] == pytest.approx(1)


def test_share_of_equal_images():
    assert equal_share(points(1, 2, 1, 1, 5, 2)) == pytest.approx(5 / 6)
    assert equal_share(points(1, 2, 3)) == 0


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
