"""Ways through the latent space: between two latents, and along single features of one.

Of the uniform prior U[-1, 1] every point of the straight line between two draws is as probable as
they are. Draws of the normal prior N(0, 1) of many features lie near a sphere, which the straight
line leaves: `WAYS` has the way for each prior.
"""

from collections.abc import Sequence

import numpy as np

# Below this sine of the angle between two latents, the great circle through them is left to
# rounding: it is nearly the straight line, or, for opposite latents, any circle at all.
_SMALLEST_SINE = 1e-4


def linear(first: np.ndarray, last: np.ndarray, points: int) -> np.ndarray:
    """Evenly spaced latents on the straight line, both ends among them.

        z(t) = (1 - t) first + t last,  t = 0, …, 1

    Args:
        first: floating [rows, latent_length], where each row starts.
        last: of the same shape, where it ends.
        points: latents in a row, at least 2.

    Returns:
        float32 [rows, points, latent_length].

    Raises:
        ValueError: if the shapes differ or are not of that kind, or points is below 2.
    """
    first, last = _ends(first, last)
    t = _shares(points)
    return ((1 - t) * first[:, None] + t * last[:, None]).astype(np.float32)


def spherical(first: np.ndarray, last: np.ndarray, points: int) -> np.ndarray:
    """Latents that turn evenly from one direction to the other, their norm changing evenly.

        z(t) = ((1 - t) |first| + t |last|) (sin((1 - t) ω) u + sin(t ω) v) / sin ω

    with u = first / |first|, v = last / |last| and ω the angle between them (K. White, "Sampling
    generative networks", 2016, for latents of equal norm). The straight line cuts through the
    inside of the sphere, where a prior of many features has next to no draws.

    Rows without a great circle of their own go along the straight line: those of parallel or
    opposite directions, or with an end at zero.

    Args:
        first: floating [rows, latent_length], where each row starts.
        last: of the same shape, where it ends.
        points: latents in a row, at least 2.

    Returns:
        float32 [rows, points, latent_length]. Between draws of the uniform prior a feature may
        leave its [-1, 1].

    Raises:
        ValueError: if the shapes differ or are not of that kind, or points is below 2.
    """
    first, last = _ends(first, last)
    t = _shares(points)
    norms = [np.linalg.norm(end, axis=-1, keepdims=True) for end in (first, last)]
    u, v = (
        end / np.where(norm > 0, norm, 1) for end, norm in zip((first, last), norms, strict=True)
    )
    cosine = np.clip(np.sum(u * v, axis=-1), -1, 1)
    sine = np.sqrt(1 - cosine**2)
    has_circle = (sine > _SMALLEST_SINE) & np.all(np.concatenate(norms, axis=1) > 0, axis=1)
    angle = np.arccos(cosine)[:, None, None]
    turned = np.sin((1 - t) * angle) * u[:, None] + np.sin(t * angle) * v[:, None]
    turned /= np.where(has_circle, sine, 1)[:, None, None]
    z = turned * ((1 - t) * norms[0][:, None] + t * norms[1][:, None])
    z[:, 0], z[:, -1] = first, last  # free of rounding
    return np.where(has_circle[:, None, None], z, linear(first, last, points)).astype(np.float32)


WAYS = {"uniform": linear, "normal": spherical}


def traversal(
    z: np.ndarray, features: Sequence[int], points: int, reach: float = 1.0
) -> np.ndarray:
    """One latent, and in each row one of its features taken through a range.

    Args:
        z: floating [latent_length], which the other features are held at.
        features: the index of each row's feature, from 0; at least one.
        points: values of the feature, evenly spaced, at least 2.
        reach: above 0; the values run from -reach to reach. 1 is the whole of the uniform prior;
            of the normal one 3 is all but 0.3 %.

    Returns:
        float32 [rows, points, latent_length], a row for each of `features`.

    Raises:
        ValueError: if an argument is not of that kind.
    """
    z = np.asarray(z)
    if z.ndim != 1:
        raise ValueError(f"Expected z of shape [latent_length]. Received: shape {z.shape}")
    if not len(features) or not all(0 <= feature < len(z) for feature in features):
        expected = f"features from 0 to {len(z) - 1}, at least one"
        raise ValueError(f"Expected {expected}. Received: {list(features)}")
    if not reach > 0:
        raise ValueError(f"Expected reach > 0. Received: {reach}")
    values = reach * (2 * _shares(points)[:, 0] - 1)
    rows = np.tile(z.astype(np.float32), (len(features), points, 1))
    for row, feature in zip(rows, features, strict=True):
        row[:, feature] = values
    return rows


def _ends(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, last = np.asarray(first, np.float64), np.asarray(last, np.float64)
    if first.ndim != 2 or first.shape != last.shape:
        received = f"shapes {first.shape} and {last.shape}"
        expected = "first and last of one shape, [rows, latent_length]"
        raise ValueError(f"Expected {expected}. Received: {received}")
    return first, last


def _shares(points: int) -> np.ndarray:
    """float64 [points, 1], evenly from 0 to 1."""
    if points < 2:
        raise ValueError(f"Expected points >= 2. Received: {points}")
    return np.linspace(0, 1, points)[:, None]
