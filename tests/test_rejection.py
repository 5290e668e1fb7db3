"""Density ratios, and samplers that use them, where the right ratio is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from logan import density_ratio, rejection
from logan.density_ratio import calibration, calibration_error, learn_density_ratio
from logan.errors import UserError
from logan.rejection import acceptance, metropolis_hastings, walk
from logan.sampling import SAMPLERS, Source


class Coins:
    """A generator of 0 and 1 with the shares 0.8 and 0.2, and data with 0.5 each."""

    seed = 3

    def __init__(self):
        self.notes = []

    def latents(self, count, round=0):
        return np.random.default_rng(round).uniform(size=(count, 1)).astype(np.float32)

    def generate(self, z):
        return (z > 0.8).astype(np.float32)

    def generated(self, count, round=0):
        return self.generate(self.latents(count, round))

    def held_out(self, count):
        return np.tile(np.float32([[0], [1]]), (count // 2 + 1, 1))[:count]

    real = held_out


def exact_ratio(x):
    """The logarithm of 0.5 / 0.8 at 0 and of 0.5 / 0.2 at 1."""
    return np.where(x[:, 0] > 0, np.log(2.5), np.log(0.625))


@pytest.fixture
def coins(monkeypatch):
    monkeypatch.setattr(rejection, "ratio_of", lambda source: exact_ratio)
    return Coins()


def test_acceptance_by_hand():
    """With M = l + log 2 the first terms are log ½ - log ½ = 0; at l = M they are large."""
    scores = np.array([0.0, 0.0, np.log(2)])
    found = acceptance(scores, np.log(2), percentile=50)
    np.testing.assert_allclose(found, [0.5, 0.5, 1.0], atol=1e-6)
    lower = acceptance(np.array([-np.log(3), 0.0]), np.log(2), percentile=100)
    # γ is that of l = 0, 0; of l = -log 3 the first terms are log(1/6) - log(5/6) = -log 5.
    np.testing.assert_allclose(lower, [1 / 6, 1 / 2], rtol=1e-6)


def test_a_lower_percentile_keeps_more():
    scores = np.random.default_rng(0).normal(size=1000)
    shares = [acceptance(scores, scores.max(), percentile).mean() for percentile in (1, 50, 95)]
    assert 1 >= shares[0] > shares[1] > shares[2] > 0


def test_chains_reach_the_shares_of_the_data(coins):
    samples = metropolis_hastings(coins, 6000, steps=30)
    assert samples.shape == (6000, 1)
    # 5 standard deviations of a share of 6,000.
    assert samples.mean() == pytest.approx(0.5, abs=5 * (0.25 / 6000) ** 0.5)
    assert coins.notes == ["30 proposals for each sample"]


def test_rejection_lowers_what_is_made_too_often(monkeypatch):
    """A generator of uniform x and data of density 2x, whose means are 1/2 and 2/3.

    The first terms are log x / (1 - x), at the median 0, so x is accepted with probability x.
    """
    source = Coins()
    source.generate = lambda z: z
    monkeypatch.setattr(rejection, "ratio_of", lambda _: lambda x: np.log(2 * x[:, 0] + 1e-9))
    few, half = (rejection.rejection(source, 4000, percentile=p).mean() for p in (1, 50))
    # 5 standard deviations of a mean of 4,000.
    assert half == pytest.approx(2 / 3, abs=5 * (1 / 18 / 4000) ** 0.5)
    assert 0.5 < few < half
    assert all("accepted" in note for note in source.notes)


def test_chain_that_never_leaves_its_start_begins_anew(coins):
    """A real start that is infinitely likelier than any generation."""
    samples = rejection._chains(
        rejection.Proposals(coins), exact_ratio, np.array([np.inf, 0.0, np.inf]), 20
    )
    assert np.isin(samples, [0, 1]).all()


def test_walk_takes_better_proposals_and_keeps_what_is_better():
    proposals = iter([np.float32([[5], [5]]), np.float32([[6], [6]])])
    draws = SimpleNamespace(uniform=lambda count: np.full(count, 0.5))

    class Proposals:
        uniform = staticmethod(draws.uniform)

        def __call__(self, count):
            return next(proposals)

    ratio = {5.0: 0.0, 6.0: -1.0}  # e⁻¹ = 0.37 is below the drawn 0.5
    x, scores = walk(
        Proposals(), lambda x: np.array([ratio[v] for v in x[:, 0]]), None, np.array([-3.0, 0.5]), 2
    )
    np.testing.assert_array_equal(x, [[5], [5]])
    np.testing.assert_array_equal(scores, [0, 0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rejection:percentile=100", "percentile in"),
        ("rejection:percentile=-1", "percentile in"),
        ("metropolis-hastings:steps=0", "steps >= 1"),
    ],
)
def test_settings_out_of_range_are_refused(text, told):
    with pytest.raises(ValueError, match=told):
        SAMPLERS.bind(text)(Coins(), 4)


def test_sampler_that_needs_data_says_so():
    source = Source(SimpleNamespace(generator=None), 0)
    with pytest.raises(UserError, match="expected the data"):
        source.held_out(1)


# Density ratios.


def test_calibration_finds_slope_and_offset():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=200_000)
    is_real = (rng.uniform(size=len(logits)) < 1 / (1 + np.exp(-(2 * logits - 0.5)))).astype(float)
    assert calibration(logits, is_real) == pytest.approx((2, -0.5), abs=0.05)


def test_calibration_never_turns_the_order_round():
    assert calibration(np.array([1.0, 2.0, -1.0, -2.0]), np.array([0.0, 0, 1, 1]))[0] == 0


def test_calibration_error_by_hand():
    """Two bins: at 0.25 half are real, at 0.9 all: gaps of 0.25 and 0.1, two samples each."""
    error = calibration_error(np.array([0.25, 0.25, 0.9, 0.9]), np.array([0.0, 1, 1, 1]))
    assert error == pytest.approx((0.25 + 0.1) / 2)


def test_density_ratio_of_two_gaussians(monkeypatch):
    """Of N(1, 1) to N(-1, 1) it is exp(2x): its logarithm is 0 at 0 and 2 at 1."""
    monkeypatch.setattr(density_ratio, "_EPOCHS", 3)
    rng = np.random.default_rng(0)
    sides = [rng.normal(size=(8000, 1), loc=loc).astype(np.float32) for loc in (1, -1, 1, -1)]
    ratio = learn_density_ratio(*sides, seed=0)
    found = ratio(np.float32([[-1], [0], [1]]))
    np.testing.assert_allclose(found, [-2, 0, 2], atol=0.4)
    # The best log loss of these two, by numerical integration, is 0.356.
    assert 0.33 < ratio.log_loss < 0.39
    assert ratio.calibration_error < 0.03
    assert ratio.epochs == 3
