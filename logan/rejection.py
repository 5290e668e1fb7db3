"""Samplers that throw away what a generator makes too often, by the density ratio of data to it.

They weigh anew what the generator makes; a mode that it never makes stays missing.
"""

from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from logan.density_ratio import DensityRatio, learn_density_ratio
from logan.randomness import Purpose, key, uniform
from logan.sampling import Source

Ratio = Callable[[np.ndarray], np.ndarray]  # x -> log p(x) / q(x)

_VALUES = 2**26  # float32 numbers of real samples that D learns from, at most: 256 MiB
_TRAINING, _HELD_OUT = 50_000, 10_000
_BURN_IN = 10_000
_BATCH = 2_000


def rejection(source: Source, count: int, *, percentile: float = 10.0) -> np.ndarray:
    """Discriminator rejection sampling.

    With l = log p(x) / q(x) and M the largest l so far, x is accepted with probability s(F),
    F = l - M - log(1 - exp(l - M - ε)) - γ, and γ the given percentile of the first terms.

    A high percentile, as the paper's 80 or 95, corrects shares as well, and with them carries over
    the errors of l: on ring8 it tripled the divergence over modes. A low one takes away what lies
    between modes, and leaves their shares as they are.

    Source: S. Azadi, C. Olsson, T. Darrell, I. Goodfellow and A. Odena, "Discriminator rejection
    sampling", ICLR 2019, 1810.06758.

    Args:
        source: of samples and of real data.
        count: how many to return.
        percentile: in [0, 100).

    Raises:
        ValueError: on a percentile out of range.
    """
    if not 0 <= percentile < 100:
        raise ValueError(f"Expected percentile in [0, 100). Received: {percentile}")
    ratio = ratio_of(source)
    proposals = Proposals(source)
    largest = max(float(ratio(proposals(_BATCH)).max()) for _ in range(_BURN_IN // _BATCH))
    kept: list[np.ndarray] = []
    while sum(map(len, kept)) < count:
        x = proposals(_BATCH)
        scores = ratio(x)
        largest = max(largest, float(scores.max()))
        kept.append(x[proposals.uniform(_BATCH) < acceptance(scores, largest, percentile)])
    source.notes.append(f"{sum(map(len, kept)) / (proposals.made - _BURN_IN):.1%} accepted")
    return np.concatenate(kept)[:count]


def acceptance(scores: np.ndarray, largest: float, percentile: float) -> np.ndarray:
    """s(F), float64 [samples] in [0, 1].

    Args:
        scores: l, floating [samples].
        largest: M >= all l.
        percentile: of F before γ, that γ is.
    """
    difference = scores - largest
    raw = difference - np.log(-np.expm1(difference - 1e-8))
    return np.exp(-np.logaddexp(0, -(raw - np.percentile(raw, percentile))))


def metropolis_hastings(source: Source, count: int, *, steps: int = 640) -> np.ndarray:
    """The Metropolis-Hastings GAN: the end of a chain for each sample.

    A chain begins with the ratio of a real sample, which is never returned. It goes from x to a
    fresh generation x' with probability min(1, exp(l(x') - l(x))), l = log p / q. One that never
    left its start begins anew from a generation.

    Source: R. Turner, J. Hung, E. Frank, Y. Saatchi and J. Yosinski, "Metropolis-Hastings
    generative adversarial networks", ICML 2019, 1811.11357.

    Args:
        source: of samples and of real data.
        count: how many to return.
        steps: proposals in each chain.

    Raises:
        ValueError: if steps is below 1.
    """
    if steps < 1:
        raise ValueError(f"Expected steps >= 1. Received: {steps}")
    ratio = ratio_of(source)
    proposals = Proposals(source)
    starts = ratio(source.held_out(count))
    ends = [
        _chains(proposals, ratio, np.resize(starts, count)[first : first + _BATCH], steps)
        for first in range(0, count, _BATCH)
    ]
    source.notes.append(f"{steps} proposals for each sample")
    return np.concatenate(ends)


def _chains(proposals: "Proposals", ratio: Ratio, scores: np.ndarray, steps: int) -> np.ndarray:
    """The last samples of chains that start with these ratios."""
    x, scores = walk(proposals, ratio, None, scores, steps)
    stuck = ~np.isfinite(x.reshape(len(x), -1)).all(axis=1)
    if stuck.any():
        again = proposals(int(stuck.sum()))
        x[stuck], _ = walk(proposals, ratio, again, ratio(again), steps)
    return x


def walk(
    proposals: "Proposals",
    ratio: Ratio,
    x: np.ndarray | None,
    scores: np.ndarray,
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Moves chains by independent proposals.

    Args:
        proposals: fresh generations and uniform numbers.
        ratio: l of samples.
        x: where the chains are; None if that is not to be returned: NaN until they leave it.
        scores: l there, float64 [chains].
        steps: proposals in each.

    Returns:
        x and l at the end.
    """
    scores = scores.copy()
    for _ in tqdm(range(steps), "proposals", leave=False, disable=None):
        proposed = proposals(len(scores))
        new = ratio(proposed)
        moves = np.log(proposals.uniform(len(scores))) < new - scores
        if x is None:
            x = np.full_like(proposed, np.nan)
        x[moves], scores[moves] = proposed[moves], new[moves]
    assert x is not None
    return x, scores


class Proposals:
    """Fresh generations, and uniform numbers, each draw once.

    Attributes:
        made: generations so far.
    """

    def __init__(self, source: Source):
        self.made = 0
        self._source = source
        self._round = _FIRST_ROUND

    def __call__(self, count: int) -> np.ndarray:
        """float32 [count, ...]."""
        self._round += 1
        self.made += count
        return self._source.generated(count, self._round)

    def uniform(self, count: int) -> np.ndarray:
        """float64 [count] in (0, 1)."""
        self._round += 1
        draw = key(self._source.seed, self._round, Purpose.SAMPLER)
        return np.maximum(uniform(draw, [count]).numpy().astype(np.float64), 1e-12)


_FIRST_ROUND = 2  # rounds 0 to 2 are the plain samples and those that D is trained on


def ratio_of(source: Source) -> DensityRatio:
    """The density ratio of the source's data to its generator."""
    held_out = source.held_out(_HELD_OUT)
    most = max(len(held_out), _VALUES // held_out[0].size)
    real = source.real(min(_TRAINING, most))
    ratio = learn_density_ratio(
        real,
        source.generated(len(real), 1),
        held_out,
        source.generated(len(held_out), 2),
        seed=source.seed,
    )
    source.notes.append(
        f"a fresh D(x), trained on {len(real):,} samples of each side in {ratio.epochs} epochs and "
        f"{ratio.seconds:.0f} s and calibrated on {len(held_out):,} held-out ones: log loss "
        f"{ratio.log_loss:.3f}, calibration error {ratio.calibration_error:.3f}"
    )
    return ratio
