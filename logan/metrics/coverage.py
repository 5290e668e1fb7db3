"""How well samples cover the modes of a known mixture.

Definitions: a sample is of high quality (HQ) within `threshold`·σ of its nearest centre; a mode is
captured when at least one HQ sample is nearest to it (A. Srivastava et al., "VEEGAN", NeurIPS 2017;
Z. Lin et al., "PacGAN", NeurIPS 2018). The fair count is ours: HQ samples of at least a fifth of
the mode's share.
"""

import math
from typing import Any

import numpy as np

FAIR_SHARE = 0.2


def nearest_centers(samples: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of and Euclidean distance to each sample's nearest centre.

    Args:
        samples: floating [samples, features].
        centers: floating [centers, features].

    Returns:
        int64 [samples] and float64 [samples].

    Raises:
        ValueError: if the shapes do not agree.
    """
    samples, centers = np.asarray(samples, np.float64), np.asarray(centers, np.float64)
    if samples.ndim != 2 or centers.ndim != 2 or samples.shape[1] != centers.shape[1]:
        raise ValueError(
            "Expected samples [samples, features] and centers [centers, features]. "
            f"Received: {samples.shape} and {centers.shape}"
        )
    # Expanding the square would lose the digits that 3σ of 0.01 is about.
    indices = np.empty(len(samples), np.int64)
    distances = np.empty(len(samples))
    for start in range(0, len(samples), 1024):
        chunk = slice(start, start + 1024)
        gaps = np.linalg.norm(samples[chunk, None] - centers[None], axis=-1)
        indices[chunk] = gaps.argmin(axis=1)
        distances[chunk] = gaps.min(axis=1)
    return indices, distances


def reverse_kl(counts: np.ndarray, weights: np.ndarray) -> float:
    """KL(q ‖ p) in nats of the histogram q = counts / sum(counts) to the true weights p.

    Args:
        counts: [modes], samples of each mode. All zero gives infinity: nothing was learned.
        weights: [modes], positive, in any scale.

    Raises:
        ValueError: on a weight that is not positive.
    """
    counts, weights = np.asarray(counts, np.float64), _shares(weights)
    if counts.sum() == 0:
        return float("inf")
    shares = counts / counts.sum()
    present = shares > 0
    return float(np.sum(shares[present] * np.log(shares[present] / weights[present])))


def expected_reverse_kl(count: int, truth: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The mean of `reverse_kl` over draws from a known distribution: what chance alone makes.

        Σ E[(c/N) ln(c/N)] - Σ p ln w, each c binomial with N draws and the mode's share p

    For w = p it is near (modes - 1) / 2N if all modes are drawn often.

    Args:
        count: N, how many draws; 1 or more.
        truth: [modes], the shares p that are drawn from, positive, in any scale.
        weights: [modes], w, against which the divergence is taken; the truth if None.

    Raises:
        ValueError: on fewer than one draw, weights that are not positive, or different shapes.
    """
    truth = _shares(truth)
    weights = truth if weights is None else _shares(weights)
    if count < 1 or truth.shape != weights.shape:
        raise ValueError(
            "Expected 1 draw or more, and as many weights as shares. Received: "
            f"{count}, {weights.shape} and {truth.shape}"
        )
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])

    def mean(p: float) -> float:
        """E[(c/N) ln(c/N)]; beyond twelve deviations nothing is left of it."""
        reach = 12 * np.sqrt(count * p * (1 - p)) + 30
        ends = count * p + np.array([-reach, reach])
        c = np.arange(max(1, int(ends[0])), min(count, int(ends[1])) + 1)
        log_ways = log_factorials[count] - log_factorials[c] - log_factorials[count - c]
        chance = np.exp(log_ways + c * np.log(p) + (count - c) * np.log1p(-p))
        return float(np.sum(chance * (c / count) * np.log(c / count)))

    shares, number = np.unique(truth[truth < 1], return_counts=True)  # for 1 the mean is 0
    entropy = sum(n * mean(p) for p, n in zip(shares.tolist(), number.tolist(), strict=True))
    return float(entropy - np.sum(truth * np.log(weights)))


def _shares(weights: np.ndarray) -> np.ndarray:
    """The weights as float64 that sum to one.

    Raises:
        ValueError: on one that is not positive.
    """
    weights = np.asarray(weights, np.float64)
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(f"Expected finite weights above 0. Received: {weights.tolist()}")
    return weights / weights.sum()


def is_fair(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Where a mode's count is at least a fifth of what is expected, and 1; bool [modes].

    Args:
        counts: [modes], high-quality samples of each mode.
        expected: [modes], its weight times the number of all samples.
    """
    # Without the slack, rounding would exclude a mode that is exactly at the limit.
    counts = np.asarray(counts)
    return (counts > 0) & (counts >= FAIR_SHARE * np.asarray(expected) - 1e-9)


def mode_coverage(
    samples: np.ndarray,
    centers: np.ndarray,
    sigma: float,
    *,
    weights: np.ndarray | None = None,
    modes: np.ndarray | None = None,
    threshold: float = 3.0,
) -> dict[str, Any]:
    """Captured modes, share of high quality and divergence of proportions.

    Args:
        samples: floating [samples, features].
        centers: floating [centers, features].
        sigma: standard deviation per axis of every component, above 0.
        weights: [modes], positive, in any scale; equal if None.
        modes: int [centers], the mode that each centre counts towards; its own index if None.
        threshold: of high quality, in σ.

    Returns:
        `modes`, how many there are; `captured`; `captured_fair`; `high_quality`, a fraction;
        `reverse_kl` over HQ samples; `reverse_kl_all` over all by nearest centre; `samples`;
        `mode_samples`, HQ samples of each mode; `mode_spread`, the root mean square offset of HQ
        samples from their centres per axis, in σ: 0 for modes shrunken to points, 0.97 for the
        exact 2-D mixture (its part within 3σ), 0.99 for the 1-D one, if modes are far apart;
        less where they overlap (`swiss`: 0.74), as the nearest centre may be nearer than a
        sample's own.

    Raises:
        ValueError: on shapes that do not agree, no samples or centers, samples that are not
            finite, or sigma or a weight that is not positive.
    """
    samples, centers = np.asarray(samples), np.asarray(centers)
    if len(samples) == 0 or not np.isfinite(samples).all():
        raise ValueError("Expected at least one sample and finite values only")
    if len(centers) == 0 or not 0 < sigma < np.inf:
        raise ValueError(
            f"Expected at least one center and sigma > 0. Received: {len(centers)} and {sigma}"
        )
    modes = np.arange(len(centers)) if modes is None else np.asarray(modes)
    count = int(modes.max()) + 1
    weights = np.full(count, 1.0 / count) if weights is None else _shares(weights)
    if len(modes) != len(centers) or weights.shape != (count,):
        raise ValueError(
            f"Expected {len(centers)} entries in modes and {count} weights. "
            f"Received: {len(modes)} and {weights.shape}"
        )
    nearest, distances = nearest_centers(samples, centers)
    is_high_quality = distances <= threshold * sigma
    all_counts = np.bincount(modes[nearest], minlength=count)
    counts = np.bincount(modes[nearest[is_high_quality]], minlength=count)
    return {
        "modes": count,
        "captured": int((counts > 0).sum()),
        "captured_fair": int(is_fair(counts, weights * len(samples)).sum()),
        "high_quality": float(is_high_quality.mean()),
        "reverse_kl": reverse_kl(counts, weights),
        "reverse_kl_all": reverse_kl(all_counts, weights),
        "samples": len(samples),
        "mode_samples": counts.tolist(),
        "mode_spread": _spread(distances[is_high_quality], sigma, centers.shape[1]),
    }


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _spread(distances: np.ndarray, sigma: float, features: int) -> float:
    if len(distances) == 0:
        return 0.0
    return float(np.sqrt(np.mean(np.square(distances)) / features) / sigma)


def cell_coverage(
    samples: np.ndarray, cells: int, prior: str = "uniform"
) -> dict[str, float | int]:
    """Coverage of a prior, cut into cells of equal probability.

    The uniform one on [-1, 1]^features is the cube. Of the normal one the part within three
    standard deviations along each axis is taken, and mapped to the cube:

        u = erf(z / √2) / erf(3 / √2)

    Args:
        samples: floating [samples, features].
        cells: pieces along each axis.
        prior: `uniform` or `normal`.

    Returns:
        `modes`, the number of cells; `captured`, cells with a sample; `captured_fair`, cells with a
        fifth of their share; `high_quality`, the fraction of samples inside the cube;
        `reverse_kl` over the samples inside; `samples`.

    Raises:
        ValueError: on no samples, or samples that are not finite.
    """
    samples = np.asarray(samples, np.float64)
    if len(samples) == 0 or not np.isfinite(samples).all():
        raise ValueError("Expected at least one sample and finite values only")
    if prior == "normal":
        samples = _erf(samples / math.sqrt(2)) / math.erf(3 / math.sqrt(2))
    inside = (np.abs(samples) <= 1).all(axis=1)
    places = np.minimum(((samples[inside] + 1) / 2 * cells).astype(int), cells - 1)
    count = cells ** samples.shape[1]
    indices = np.ravel_multi_index(tuple(places.T), (cells,) * samples.shape[1])
    counts = np.bincount(indices, minlength=count)
    return {
        "modes": count,
        "captured": int((counts > 0).sum()),
        "captured_fair": int(is_fair(counts, np.full(count, len(samples) / count)).sum()),
        "high_quality": float(inside.mean()),
        "reverse_kl": reverse_kl(counts, np.full(count, 1 / count)),
        "samples": len(samples),
    }
