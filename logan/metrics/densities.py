"""Densities on a line, the discriminator that is best between two, and how far they differ.

Theory: I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, sections 4.1 and 4.2. For
a fixed generator the best D is D*(x) = p(x) / (p(x) + q(x)), and there the value of the game,
V = E_p log D + E_q log(1 - D), is 2·JSD(p, q) - log 4.
"""

import numpy as np
from numpy.typing import ArrayLike

_SUMS_TO_ONE = 1e-3


def log_mixture(
    x: ArrayLike, centers: ArrayLike, sigma: float, weights: ArrayLike | None = None
) -> np.ndarray:
    """The logarithm of Σ_k w_k N(x; c_k, σ²), stable also where the density underflows.

    Args:
        x: floating [points].
        centers: c, floating [components] or [components, 1].
        sigma: σ > 0.
        weights: w, floating [components], summing to one; equal if None.

    Returns:
        float64 [points].

    Raises:
        ValueError: if sigma is not positive.
    """
    if not sigma > 0:
        raise ValueError(f"Expected sigma > 0. Received: {sigma}")
    places = np.ravel(np.asarray(centers, np.float64))
    shares = np.full(len(places), 1 / len(places)) if weights is None else np.asarray(weights)
    scaled = (np.asarray(x, np.float64)[:, None] - places) / sigma
    logs = np.log(shares) - 0.5 * scaled**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    highest = logs.max(axis=1)
    return highest + np.log(np.exp(logs - highest[:, None]).sum(axis=1))


def trapezoid_weights(x: ArrayLike) -> np.ndarray:
    """Weights w with Σ w·f(x) ≈ ∫ f, by the trapezoidal rule.

    Args:
        x: floating [points], increasing, at least 2.

    Returns:
        float64 [points].

    Raises:
        ValueError: if x does not increase.
    """
    gaps = np.diff(np.asarray(x, np.float64))
    if len(gaps) == 0 or not (gaps > 0).all():
        raise ValueError("Expected at least two increasing points. Received: others")
    return 0.5 * (np.concatenate([gaps, [0.0]]) + np.concatenate([[0.0], gaps]))


def pushforward_masses(values: ArrayLike, edges: ArrayLike) -> np.ndarray:
    """How much of a generator of one latent lies in each bin: exact where G is linear in between.

    Args:
        values: G at latents in increasing order, between any two neighbours of which the prior has
            the same mass, floating [latents], at least 2: evenly spaced ones of a uniform prior.
        edges: of the bins, floating [bins + 1], increasing.

    Returns:
        float64 [bins]; what lies outside of all bins is missing from their sum of 1.

    Raises:
        ValueError: if there are less than two values, or one is not finite.
    """
    ends = np.asarray(values, np.float64)
    if ends.ndim != 1 or len(ends) < 2 or not np.isfinite(ends).all():
        raise ValueError(
            f"Expected at least two finite values [latents]. Received: shape {ends.shape}"
        )
    low, high = np.minimum(ends[:-1], ends[1:]), np.maximum(ends[:-1], ends[1:])
    at = np.asarray(edges, np.float64)[:, None]
    length = high - low
    # Where G stands still all of the mass lies at one point, which belongs to the bin above it.
    share = np.where(
        length > 0,
        np.clip((at - low) / np.where(length > 0, length, 1.0), 0.0, 1.0),
        (at > low).astype(np.float64),
    )
    return np.diff(share.mean(axis=1))


def jensen_shannon(p: ArrayLike, q: ArrayLike) -> float:
    """JSD(p, q) = ½ Σ p log(2p / (p + q)) + ½ Σ q log(2q / (p + q)), in nats: from 0 to log 2.

    Args:
        p: masses >= 0, floating [bins], summing to 1. Of a density: its values times
            `trapezoid_weights`.
        q: likewise.

    Raises:
        ValueError: if masses are negative, do not sum to 1, or differ in shape.
    """
    first, second = _masses(p, q)
    return 0.5 * float(_relative(first, first + second) + _relative(second, first + second))


def divergence_seen(logits: ArrayLike, p: ArrayLike, q: ArrayLike) -> float:
    """(V + log 4) / 2 of a discriminator: a lower bound of JSD(p, q), reached by D* alone.

    V = E_p log s(D) + E_q log s(-D), s the logistic sigmoid.

    Args:
        logits: D, floating [bins], finite.
        p: masses of what D shall call true, see `jensen_shannon`.
        q: masses of what D shall call false.

    Raises:
        ValueError: if the masses are not of that form.
    """
    first, second = _masses(p, q)
    at = np.asarray(logits, np.float64)
    value = -np.sum(first * np.logaddexp(0, -at)) - np.sum(second * np.logaddexp(0, at))
    return 0.5 * float(value + np.log(4))


def optimal_discriminator(log_p: ArrayLike, log_q: ArrayLike) -> np.ndarray:
    """D* = p / (p + q), the logistic sigmoid of log p - log q. float64, of log_p's shape."""
    logits = np.asarray(log_p, np.float64) - np.asarray(log_q, np.float64)
    return np.exp(-np.logaddexp(0, -logits))


def _relative(masses: np.ndarray, sums: np.ndarray) -> float:
    there = masses > 0
    return float(np.sum(masses[there] * np.log(2 * masses[there] / sums[there])))


def _masses(p: ArrayLike, q: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            f"Expected p and q of one shape. Received: {first.shape} and {second.shape}"
        )
    for name, masses in (("p", first), ("q", second)):
        total = masses.sum()
        if not (masses >= 0).all() or not abs(total - 1) <= _SUMS_TO_ONE:
            raise ValueError(
                f"Expected masses {name} >= 0 that sum to 1. Received: the least is "
                f"{masses.min():g}, the sum {total:g}"
            )
    return first, second
