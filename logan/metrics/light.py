"""The light of a fixed camera's frames, which is no foreground.

Light changes frames in few ways: over the whole frame (clouds, the camera's exposure), or over one
part that is always the same (the wall of a house, a lamp). Each way is a pattern over pixels and
channels, and a frame's light is a sum of patterns in amounts of its own. What no amounts explain is
noise or foreground.
"""

import numpy as np

__all__ = ["frame_patterns", "light_sources", "without_light"]

# The fit begins with wide scales, or the foreground would decide where it ends.
_WIDE_SCALES = (0.4, 0.15)
_TIGHT_SCALE, _TIGHT_FITS = 3.0, 3  # in standard deviations of noise
_RIDGE = 1e-4  # of the mean curvature: a scene without contrast leaves the amount of it open
_CHUNK = 2**22  # values at a time

_MOST_SOURCES, _MOST_TRIES = 6, 24
_RESTLESS = 2.5  # in standard deviations of a quiet pixel
_TAIL = 0.1  # what passes a pixel in fewer frames than this leaves the search alone
_MEMBER, _TOUCHED = 0.7, 0.05  # shares of a pixel's variance that one course explains
_FIXED_SHARE = 0.95
_BETWEEN_SHARE = 0.1


def frame_patterns(background: np.ndarray) -> np.ndarray:
    """Patterns of the light over whole frames: per channel brightness and contrast.

    Args:
        background: floating [height, width, channels].

    Returns:
        float32 [2 * channels, height, width, channels].
    """
    channels = background.shape[-1]
    even = np.broadcast_to(np.eye(channels)[:, None, None], (channels, *background.shape))
    return np.concatenate([even, even * (background - background.mean((0, 1)))]).astype(np.float32)


def without_light(
    differences: np.ndarray,
    patterns: np.ndarray,
    noise: np.ndarray,
    limits: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Takes the light out of frames, each by itself.

    The amounts are those of a robust regression with the weights of Cauchy, 1 / (1 + (r / s)²) of
    what remains (P. W. Holland and R. E. Welsch, "Robust regression using iteratively reweighted
    least-squares", 1977). They are right as long as most of a pattern's pixels are uncovered.

    Args:
        differences: float32 [frames, height, width, channels], frames less the background.
        patterns: float32 [patterns, height, width, channels].
        noise: float32 [height, width, channels], standard deviations, above 0.
        limits: float32 [patterns, 2], the least and the largest amount of each.

    Returns:
        What remains, of the shape of `differences`; and the amounts, float32 [frames, patterns].
    """
    flat, basis = differences.reshape(len(differences), -1), patterns.reshape(len(patterns), -1)
    rest = np.empty_like(flat)
    amounts = np.empty((len(flat), len(basis)), np.float32)
    products = (basis[:, None] * basis).reshape(len(basis) ** 2, -1).T
    step = max(1, _CHUNK // flat.shape[1])
    for begin in range(0, len(flat), step):
        part = slice(begin, begin + step)
        amounts[part] = _amounts(flat[part], basis, products, noise.ravel())
        if limits is not None:
            amounts[part] = np.clip(amounts[part], limits[:, 0], limits[:, 1])
        rest[part] = flat[part] - amounts[part] @ basis
    return rest.reshape(differences.shape), amounts


def light_sources(rest: np.ndarray, noise: float) -> np.ndarray:
    """Finds the parts of a scene whose light changes apart from the rest: walls, lamps.

    A part is a source if

    - all of its pixels follow one course over the frames, each by its own amount. Behind what
      moves they do not: some are covered while others are free.
    - its course goes through levels in between, as daylight does, or back and forth, as a lamp
      does, at least half as often as frames in random order would. A parked car does neither.
      In frames whose order is not that of time it is a lamp, if it stands in many of them.

    Args:
        rest: float32 [frames, height, width, channels], see `without_light`.
        noise: standard deviation of a quiet pixel, above 0.

    Returns:
        float32 [sources, height, width, channels], the largest magnitude of each 1.
    """
    low, high = np.quantile(rest, [_TAIL, 1 - _TAIL], axis=0).astype(np.float32)
    clipped = np.clip(rest, low, high)
    clipped -= clipped.mean(0)
    flat = clipped.reshape(len(rest), -1)
    is_tried = np.zeros(flat.shape[1], bool)
    sources: list[np.ndarray] = []
    for _ in range(_MOST_TRIES):
        shared = np.where(is_tried, 0, _shared(clipped).ravel())
        seed = int(np.argmax(shared))
        if shared[seed] <= (_RESTLESS * noise) ** 2 or len(sources) == _MOST_SOURCES:
            break
        course, pattern, is_member, share = _part_around(flat, seed, noise)
        is_tried |= is_member
        if share >= _FIXED_SHARE and is_light(course):
            flat -= np.outer(course, pattern)  # and so from `clipped`, of which it is a view
            sources.append(pattern / np.abs(pattern).max())
    return np.array(sources, np.float32).reshape(-1, *rest.shape[1:])


def is_light(course: np.ndarray) -> bool:
    """Whether values over time are light, and not a thing that stands there for a while.

    Args:
        course: floating [frames].
    """
    low, high = np.quantile(course, [_TAIL, 1 - _TAIL])
    if high == low:
        return False
    level = (course - low) / (high - low)
    if np.mean((level > 0.2) & (level < 0.8)) >= _BETWEEN_SHARE:
        return True
    is_on = level > 0.5
    on = np.mean(is_on)
    # Frames in random order would change in 2 on (1 - on) of the steps.
    return bool(np.mean(is_on[1:] != is_on[:-1]) >= on * (1 - on))


def _amounts(
    flat: np.ndarray, basis: np.ndarray, products: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    count = len(basis)
    rest, precision = flat, 1 / noise**2
    for scale in (*_WIDE_SCALES, *[_TIGHT_SCALE * noise] * _TIGHT_FITS):
        weights = precision / (1 + (rest / scale) ** 2)
        curvature = (weights @ products).reshape(-1, count, count).astype(np.float64)
        ridge = _RIDGE * np.trace(curvature, axis1=1, axis2=2) / count
        curvature += ridge[:, None, None] * np.eye(count)
        slope = (weights * flat) @ basis.T
        amounts = np.linalg.solve(curvature, slope[..., None])[..., 0].astype(np.float32)
        rest = flat - amounts @ basis
    return amounts


def _shared(rest: np.ndarray) -> np.ndarray:
    """The covariance of each pixel with the next one of its row, of the scene's shape.

    Noise has none, however strong: leaves in the wind are restless, but each by itself.
    """
    beside = np.einsum("nhwc,nhwc->hwc", rest[:, :, :-1], rest[:, :, 1:]) / len(rest)
    return np.pad(beside, ((0, 0), (0, 1), (0, 0)))


def _part_around(
    flat: np.ndarray, seed: int, noise: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """What follows the course of one pixel, of floating [frames, pixels] with means of 0.

    Returns:
        The course [frames], how much of it each pixel has [pixels], which follow it, and the
        share of their and their surroundings' variance above the noise that it explains.
    """
    course, variance = flat[:, seed], np.mean(flat**2, axis=0)
    for _ in range(3):
        pattern = course @ flat / (course @ course)
        explained = pattern**2 * np.mean(course**2)
        is_member = explained > _MEMBER * variance
        is_member[seed] = True
        course = flat @ (pattern * is_member) / np.sum(pattern[is_member] ** 2)
    is_touched = (explained > _TOUCHED * variance) & (explained > (noise / 2) ** 2)
    above = np.maximum(variance - noise**2, 0)
    # A pixel that is quiet itself may have been chosen for what the next one does.
    total = max(above[is_touched].sum(), noise**2)
    share = np.minimum(explained, above)[is_touched].sum() / total
    return course, pattern * is_touched, is_member, float(share)
