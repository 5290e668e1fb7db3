"""Spread over classes, and what chance alone makes of its divergence."""

import itertools

import numpy as np
import pytest

from logan.metrics.classes import class_spread
from logan.metrics.coverage import expected_reverse_kl, reverse_kl


def by_hand(count, truth, weights):
    """The mean over all sequences of draws."""
    truth = np.array(truth) / np.sum(truth)
    return sum(
        np.prod(truth[list(draws)]) * reverse_kl(np.bincount(draws, minlength=len(truth)), weights)
        for draws in itertools.product(range(len(truth)), repeat=count)
    )


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("truth", [[1, 1], [3, 1], [1, 2, 4]])
def test_expected_divergence_is_the_mean_over_all_draws(count, truth):
    assert expected_reverse_kl(count, truth) == pytest.approx(by_hand(count, truth, truth))
    uniform = np.ones(len(truth))
    expected = by_hand(count, truth, uniform)
    assert expected_reverse_kl(count, truth, uniform) == pytest.approx(expected)


def test_expected_divergence_of_many_draws_is_near_its_limit():
    modes = np.ones(1000)
    assert expected_reverse_kl(26_000, modes) == pytest.approx(999 / 52_000, rel=0.01)
    assert expected_reverse_kl(50_000, modes) == pytest.approx(999 / 100_000, rel=0.01)
    weights = np.random.default_rng(0).uniform(0.5, 2, 50)
    draws = np.random.default_rng(1).multinomial(20_000, weights / weights.sum(), 200)
    found = np.mean([reverse_kl(counts, weights) for counts in draws])
    assert expected_reverse_kl(20_000, weights) == pytest.approx(found, rel=0.05)


def test_one_mode_leaves_nothing_to_chance():
    assert expected_reverse_kl(100, [2.0]) == 0


def test_what_no_draws_could_be_is_refused():
    for arguments in [(0, [1, 1]), (3, [1, 0]), (3, [1, 1], [1, 1, 1])]:
        with pytest.raises(ValueError, match="Expected"):
            expected_reverse_kl(*arguments)


def test_classes_are_captured_once_and_fairly_with_a_fifth_of_their_share():
    # Of 100 samples each of the four classes should have 25: a fair share is 5.
    classes = np.repeat([0, 1, 2], [91, 5, 4])
    found = class_spread(classes, [1, 1, 1, 1])
    assert (found["captured"], found["captured_fair"]) == (3, 2)
    shares = np.array([0.91, 0.05, 0.04])
    assert found["kl"] == pytest.approx(float(np.sum(shares * np.log(4 * shares))))
    assert found["kl_floor"] == expected_reverse_kl(100, np.ones(4))


def test_shares_are_compared_with_the_true_ones():
    found = class_spread(np.repeat([0, 1], [30, 10]), [3, 1])
    assert found["kl"] == pytest.approx(0, abs=1e-12)
    assert (found["captured"], found["captured_fair"]) == (2, 2)
