"""How close reconstructed images come to their originals, and how much images vary.

Images are floating [images, height, width, channels] in [-1, 1]. Errors and deviations are in that
unit, twice those of the scale from 0 to 1. The closeness measures give one number per image, so
that a caller can report quantiles and find the worst ones.
"""

import numpy as np

from logan.datasets.pixels import unit_range
from logan.metrics.checks import check_images

__all__ = ["mean_squared_error", "psnr", "spread", "ssim"]

# From the darkest to the brightest value, -1 to 1.
PIXEL_RANGE = 2.0

# The window of the structural similarity, in pixels.
SSIM_WINDOW = 11

# Images in one call to TensorFlow, whose windows take some 20 times the memory of the images.
SSIM_BATCH = 256


def mean_squared_error(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The mean over pixels and channels of (image - other)², for each pair.

    Args:
        images: floating [images, height, width, channels] in [-1, 1].
        others: the same shape.

    Returns:
        float64 [images] in [0, 4].

    Raises:
        ValueError: if the shapes differ or the images are not floating.
    """
    _check_pairs(images, others)
    difference = np.asarray(images, np.float64) - np.asarray(others, np.float64)
    return np.mean(difference**2, axis=(1, 2, 3))


def psnr(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The peak signal-to-noise ratio, 10 log10(2² / mean squared error), for each pair.

    Args:
        images: floating [images, height, width, channels] in [-1, 1].
        others: the same shape.

    Returns:
        float64 [images] in decibels; infinite for equal images, for which it is not defined.

    Raises:
        ValueError: if the shapes differ or the images are not floating.
    """
    with np.errstate(divide="ignore"):
        return 10 * np.log10(PIXEL_RANGE**2 / mean_squared_error(images, others))


def ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The structural similarity (Z. Wang et al., 2004), for each pair.

    `tf.image.ssim` with its defaults, a Gaussian window of 11 x 11 pixels with σ = 1.5, K1 = 0.01
    and K2 = 0.03, over the places where the whole window fits (22 x 22 of a 32-pixel image),
    averaged over channels. Images are moved to [0, 1] before, because SSIM compares local means by
    their ratio and is made for values of one sign.

    Args:
        images: floating [images, height, width, channels] in [-1, 1], at least 11 pixels high and
            wide.
        others: the same shape.

    Returns:
        float64 [images], at most 1; 1 for equal images.

    Raises:
        ValueError: if the shapes differ, the images are not floating or smaller than the window.
    """
    import tensorflow as tf  # no other measure of this module needs it

    _check_pairs(images, others)
    if min(images.shape[1:3]) < SSIM_WINDOW:
        raise ValueError(
            f"Expected images of at least {SSIM_WINDOW}x{SSIM_WINDOW} pixels for SSIM. Received: "
            f"{images.shape[1]}x{images.shape[2]}."
        )
    batches = [slice(first, first + SSIM_BATCH) for first in range(0, len(images), SSIM_BATCH)]
    values = [
        tf.image.ssim(_from_zero_to_one(images[batch]), _from_zero_to_one(others[batch]), 1.0)
        for batch in batches
    ]
    return np.concatenate([value.numpy() for value in values]).astype(np.float64)


def spread(images: np.ndarray) -> float:
    """How much images vary: each pixel's standard deviation over the images, averaged.

    It is 0 when a generator makes one image only. Below that of real images it tells of lost
    modes, without telling which.

    Args:
        images: floating [images, height, width, channels] in [-1, 1].

    Returns:
        A number in [0, 1], in the unit of [-1, 1].

    Raises:
        ValueError: if `images` is empty or not of this form.
    """
    check_images(images)
    # Two passes in float64: the deviations are small beside the values.
    return float(np.mean(np.std(images, axis=0, dtype=np.float64)))


def _from_zero_to_one(images: np.ndarray) -> np.ndarray:
    return (np.asarray(images, np.float32) + 1) / 2


def _check_pairs(images: np.ndarray, others: np.ndarray) -> None:
    check_images(images)
    check_images(others)
    if images.shape != others.shape:
        raise ValueError(f"Expected two equal shapes. Received: {images.shape}, {others.shape}.")


def thumbnails(images: np.ndarray, side: int = 8) -> np.ndarray:
    """Means over the squares of a grid: what stands where, without detail.

    Args:
        images: uint8 in [0, 255] or floating in [-1, 1], [images, height, width, channels].
        side: squares along each side; fewer where an image has fewer pixels.

    Returns:
        float32 [images, squares * channels], in [-1, 1].
    """
    _, height, width, _ = images.shape
    rows, columns = (
        np.linspace(0, length, min(side, length) + 1).astype(int) for length in (height, width)
    )
    sizes = np.outer(np.diff(rows), np.diff(columns))[..., None]
    found = []
    for image in images:
        sums = np.add.reduceat(unit_range(image), rows[:-1], axis=0)
        found.append(np.add.reduceat(sums, columns[:-1], axis=1) / sizes)
    return np.stack(found).reshape(len(images), -1).astype(np.float32)
