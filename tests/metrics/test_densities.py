"""Densities and divergences by hand, and by quadrature of another kind."""

import math

import numpy as np
import pytest

from logan.metrics.densities import (
    divergence_seen,
    jensen_shannon,
    log_mixture,
    optimal_discriminator,
    pushforward_masses,
    trapezoid_weights,
)

LINE = np.linspace(-12, 12, 4001)


def gaussian_masses(center, sigma, x=LINE):
    return np.exp(log_mixture(x, [center], sigma)) * trapezoid_weights(x)


def test_density_of_one_gaussian_by_hand():
    np.testing.assert_allclose(
        log_mixture([0.0, 1.0], [0.0], 1.0), [-0.918938533204673, -1.418938533204673]
    )
    np.testing.assert_allclose(np.exp(log_mixture([3.0], [3.0], 0.5)), 0.7978845608028654)


def test_density_of_a_mixture_by_hand():
    """At 0, one unit from both centres, the weights do not matter; at a centre they do."""
    ends = [[-1.0], [1.0]]
    one, two = math.exp(-0.5), math.exp(-2.0)
    scale = 1 / math.sqrt(2 * math.pi)
    found = np.exp(log_mixture([0.0, 1.0], ends, 1.0, [0.25, 0.75]))
    np.testing.assert_allclose(found, [one * scale, (0.25 * two + 0.75) * scale])
    # Equal weights unless others are given; far away nothing underflows.
    np.testing.assert_allclose(np.exp(log_mixture([1.0], ends, 1.0)), (two + 1) / 2 * scale)
    far = log_mixture([100.0], ends, 0.01)
    assert far == pytest.approx(-0.5 * (99 / 0.01) ** 2 - math.log(0.02 * math.sqrt(2 * math.pi)))


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_a_spread_that_is_not_positive_is_refused(sigma):
    with pytest.raises(ValueError, match=r"sigma > 0\. Received"):
        log_mixture([0.0], [0.0], sigma)


def test_trapezoids_by_hand():
    np.testing.assert_allclose(trapezoid_weights([0.0, 1.0, 4.0]), [0.5, 2.0, 1.5])
    for points in ([1.0], [0.0, 0.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match="increasing"):
            trapezoid_weights(points)


def test_best_discriminator_by_hand():
    """Three to one, one to one, all to nothing, nothing to all."""
    with np.errstate(divide="ignore"):
        p, q = np.log([0.6, 0.2, 0.2, 0.0]), np.log([0.2, 0.2, 0.0, 0.6])
    np.testing.assert_allclose(optimal_discriminator(p, q), [0.75, 0.5, 1.0, 0.0])


def test_best_discriminator_of_two_gaussians_is_a_logistic_curve():
    """The logit is (a - b)(x - (a + b) / 2) / σ²: with 1, -1 and σ² = 4 it is x / 2."""
    p, q = log_mixture(LINE, [1.0], 2.0), log_mixture(LINE, [-1.0], 2.0)
    np.testing.assert_allclose(optimal_discriminator(p, q), 1 / (1 + np.exp(-LINE / 2)))


def test_divergence_of_two_coins_by_hand():
    """(1, 0) and (½, ½) have the mean (¾, ¼)."""
    expected = 0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * math.log(2)
    assert jensen_shannon([1, 0], [0.5, 0.5]) == pytest.approx(expected)
    assert jensen_shannon([0.5, 0.5], [1, 0]) == pytest.approx(expected)
    assert expected == pytest.approx(0.2157615543388357)


def test_divergence_is_0_of_equals_and_log_2_without_overlap():
    assert jensen_shannon(gaussian_masses(0, 1), gaussian_masses(0, 1)) == 0
    apart = jensen_shannon(gaussian_masses(-5, 0.1), gaussian_masses(5, 0.1))
    assert apart == pytest.approx(math.log(2), abs=1e-6)


@pytest.mark.parametrize(("mean", "sigma"), [(1.0, 1.0), (0.0, 3.0), (2.0, 0.5)])
def test_divergence_of_two_gaussians_is_that_of_gauss_hermite(mean, sigma):
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()

    def half(center, spread, other_center, other_spread):
        x = center + spread * nodes
        own = log_mixture(x, [center], spread)
        other = log_mixture(x, [other_center], other_spread)
        return 0.5 * np.sum(weights * (math.log(2) + own - np.logaddexp(own, other)))

    expected = half(0, 1, mean, sigma) + half(mean, sigma, 0, 1)
    found = jensen_shannon(gaussian_masses(0, 1), gaussian_masses(mean, sigma))
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        ([0.5, 0.5], [1.0], "one shape"),
        ([0.5, 0.4], [0.5, 0.5], "masses p .*sum 0.9"),
        ([0.5, 0.5], [1.5, -0.5], "masses q .*least is -0.5"),
        ([0.5, 0.5], [math.nan, 1.0], "masses q"),
    ],
)
def test_what_is_no_distribution_is_refused(p, q, words):
    with pytest.raises(ValueError, match=words):
        jensen_shannon(p, q)
    with pytest.raises(ValueError, match=words):
        divergence_seen([0.0] * len(p), p, q)


def test_best_discriminator_sees_the_whole_divergence_and_others_less():
    p, q = gaussian_masses(0, 1), gaussian_masses(1.5, 0.8)
    best = log_mixture(LINE, [0.0], 1.0) - log_mixture(LINE, [1.5], 0.8)
    whole = jensen_shannon(p, q)
    assert divergence_seen(best, p, q) == pytest.approx(whole)
    for other in (best + 0.3, 0.5 * best, np.zeros_like(best)):
        assert divergence_seen(other, p, q) < whole
    # D = ½ everywhere has the value -log 4: it sees nothing.
    assert divergence_seen(np.zeros_like(best), p, q) == pytest.approx(0)


def test_masses_of_a_generator_by_hand():
    """G rises from 0 to 2, stays, and falls to 1: a third of the mass each."""
    masses = pushforward_masses([0, 2, 2, 1], [-1, 0, 1, 2, 3])
    np.testing.assert_allclose(masses, [0, 1 / 6, 1 / 6 + 1 / 3, 1 / 3])
    # What lies beyond the bins is missing.
    np.testing.assert_allclose(pushforward_masses([0, 2, 2, 1], [0, 1]), [1 / 6])


def test_masses_of_a_linear_generator_are_uniform():
    z = np.linspace(-1, 1, 57)
    masses = pushforward_masses(3 * z + 1, np.linspace(-2, 4, 13))
    np.testing.assert_allclose(masses, np.full(12, 1 / 12))


@pytest.mark.parametrize("values", [[1.0], [], [[1.0, 2.0]], [0.0, math.inf]])
def test_too_few_values_are_refused(values):
    with pytest.raises(ValueError, match="two finite values"):
        pushforward_masses(values, [0, 1])
