import math

import numpy as np
import pytest
from placed import normal, points

from logan.metrics.missed import (
    Missed,
    _chances_of_few,
    cases,
    missed_by_any,
    missed_images,
    near_copies,
)


def test_chances_are_hypergeometric():
    # Two of 3 real and 2 generated: 3 of 10 pairs are real only, 1 is generated only.
    np.testing.assert_allclose(_chances_of_few(2, 3, 2), [0.3, 0.9, 1.0])
    # Too large for a float before the division.
    chances = _chances_of_few(128, 49_999, 50_000)
    assert chances[0] == pytest.approx(2**-128, rel=0.2)
    assert chances[-1] == 1


def test_distance_and_neighbour_of_placed_points():
    found = missed_images(points(0, 4, 9), points(1, 4))
    np.testing.assert_array_equal(found.distances, [1, 0, 5])
    np.testing.assert_array_equal(found.nearest, [0, 1, 1])
    # Too few for any neighbourhood: nothing is said, and the farthest comes first.
    np.testing.assert_array_equal(found.chance, [1, 1, 1])
    np.testing.assert_array_equal(found.worst_first(), [2, 0, 1])


def test_a_hole_is_found_and_its_chance_worked_out():
    # 20 real images in a place of their own: the 16 nearest of each are real ones.
    real, generated = normal(0, 200, 5), normal(1, 200, 5)
    real[:20] = 30 + 0.1 * real[:20]
    found = missed_images(real, generated)
    assert set(found.worst_first()[:20]) == set(range(20))
    all_real = math.prod((199 - i) / (399 - i) for i in range(16))
    np.testing.assert_allclose(found.chance[:20], all_real * 200 * 5, rtol=1e-9)
    assert (found.neighbourhood[:20] == 16).all() and (found.generated_in_it[:20] == 0).all()
    assert (found.chance[20:] > 0.05).all()


def test_a_thin_region_is_found():
    # Half of the real images, a twentieth of the generated ones.
    real, generated = normal(0, 600, 3), normal(1, 600, 3)
    real[:300] += 20
    generated[:30] += 20
    found = missed_images(real, generated)
    assert (found.chance[:300] < 0.05).all()
    assert (found.chance[300:] > 0.05).all()


def test_equal_distributions_raise_few_alarms():
    alarms = sum(
        missed_images(normal(seed, 150, 4), normal(1000 + seed, 150, 4)).chance.min() < 0.05
        for seed in range(40)
    )
    # At most one of twenty is expected; with that probability more than 6 of 40 come once in 300.
    assert alarms <= 6


def test_a_generator_beside_the_data_misses_what_stands_out():
    # Real images lie in three of ten dimensions, all generations by as much as neighbours are apart
    # beside them; that alone is nothing missed.
    real, generated = normal(0, 300, 10), normal(1, 300, 10)
    real[:, 3:] = 0
    generated[:, 3:] = [0.5, 0, 0, 0, 0, 0, 0]
    assert (missed_images(real, generated).chance > 0.05).all()
    real[:30] = 30 + 0.1 * real[:30]
    found = missed_images(real, generated)
    assert set(np.flatnonzero(found.chance < 0.05)) == set(range(30))


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_equal_images_that_are_nearly_hit_are_not_missed(share):
    real, generated = normal(0, 400, 8), normal(1, 400, 8)
    real[: int(share * 400)] = 2.0
    generated[: int(share * 400)] = 2.0 + 1e-3 * generated[: int(share * 400)]
    assert (missed_images(real, generated).chance > 0.05).all()
    # And they are when nothing is near.
    found = missed_images(real, normal(2, 400, 8))
    assert (found.chance[: int(share * 400)] < 0.05).all()


def test_up_to_the_distance_that_is_alike_generations_are_near():
    """Thirty real points at 0, as many generated ones at 1 from them, all others far away."""
    far = 50 + np.arange(30.0)[:, None]
    real, generated = (np.concatenate([np.full((30, 1), at), far]) for at in (0.0, 1.0))
    assert (missed_images(real, generated, alike=0.9).chance[:30] < 0.05).all()
    found = missed_images(real, generated, alike=1.1)
    assert (found.chance > 0.05).all()
    assert found.generated_in_it[0] == min(30, found.neighbourhood[0])


def test_the_surest_kind_of_features_counts_and_pays_for_the_choice():
    real, generated = normal(0, 200, 5), normal(1, 200, 5)
    blind = missed_images(real, generated)
    real[:20] = 30 + 0.1 * real[:20]
    alone = missed_images(real, generated)
    found, kind = missed_by_any([blind, alone])
    assert kind == 1
    np.testing.assert_allclose(found.chance[:20], 2 * alone.chance[:20])
    assert found.chance.max() == 1
    np.testing.assert_array_equal(found.distances, alone.distances)
    assert missed_by_any([blind, blind])[1] == 0


def found_of(distances, chance=None, reach=None):
    """As `missed_images` gives it, the worst first."""
    count = len(distances)
    ones = np.ones(count)
    none = np.zeros(count, int)
    chance = ones if chance is None else np.array(chance)
    reach = ones if reach is None else np.array(reach)
    return Missed(np.array(distances), none, chance, none, none, reach)


def test_cases_are_different_things():
    features = points(0, 3.9, 10, 12.9, 50)
    found = found_of([4.0, 3.9, 3, 2.9, 1])
    np.testing.assert_array_equal(cases(found, features, 9), [0, 0, 1, 1, 2])
    np.testing.assert_array_equal(cases(found, features, 1), [0, 0, -1, -1, -1])
    # As far as the head's nearest generation is too far.
    np.testing.assert_array_equal(cases(found_of([4.0, 1]), points(0, 4), 9), [0, 1])


def test_neighbourhoods_that_overlap_are_one_case():
    # Each of the first four is missed within 1.5, so one leads to the next; the last two are not.
    features = points(0, 1, 2, 3, 4, 9)
    found = found_of([0.1] * 6, [0.01, 0.02, 0.03, 0.04, 1, 1], [1.5] * 6)
    np.testing.assert_array_equal(cases(found, features, 9), [0, 0, 0, 0, 0, 1])
    # What is not missed leads no further.
    found = found_of([0.1] * 6, [0.01, 1, 0.03, 1, 1, 1], [1.5] * 6)
    np.testing.assert_array_equal(cases(found, features, 9), [0, 0, 1, 1, 2, 3])


def test_neighbours_in_time_are_one_case():
    features = points(0, 20, 40, 60, 80)
    found = found_of([1, 1, 3, 1, 2])
    frames = [1, 2, 3, 9, 10]
    is_next = lambda one, other: abs(frames[one] - frames[other]) <= 1  # noqa: E731
    np.testing.assert_array_equal(cases(found, features, 9, is_next), [0, 0, 0, 1, 1])


def test_copies_are_nearer_than_held_out_images():
    train, held_out = normal(0, 400, 6), normal(1, 400, 6)
    honest = normal(2, 400, 6)
    _, share, expected, *_ = near_copies(honest, train, held_out)
    assert expected == pytest.approx(0.01) and share < 0.03
    copying = honest.copy()
    copying[:100] = train[:100] + 1e-3
    is_copy, share, *_ = near_copies(copying, train, held_out)
    assert is_copy[:100].all() and 0.25 <= share < 0.28


def test_copies_of_what_repeats_are_told_with_what_is_expected():
    train = np.concatenate([np.zeros((80, 3)), normal(0, 20, 3)])
    held_out = np.concatenate([np.zeros((80, 3)), normal(1, 20, 3)])
    assert near_copies(held_out, train, held_out)[1:3] == (0.8, 0.8)
