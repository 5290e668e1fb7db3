"""Pixels as they are stored, and in the range of the networks."""

import numpy as np

__all__ = ["to_uint8", "to_unit_range", "unit_range"]


def to_unit_range(images: np.ndarray) -> np.ndarray:
    """Maps uint8 images in [0, 255] to float32 in [-1, 1], the range of the generator's tanh."""
    if images.dtype != np.uint8:
        raise ValueError(f"Expected uint8 images. Received: dtype={images.dtype}.")
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Maps floating images in [-1, 1] to uint8 in [0, 255]; values beyond the range are clipped.

    The exact inverse of `to_unit_range` on its results.
    """
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"Expected floating images in [-1, 1]. Received: dtype={images.dtype}.")
    return np.clip(np.rint((images + 1) * 127.5), 0, 255).astype(np.uint8)


def unit_range(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1]: uint8 ones converted, floating ones as they are."""
    return to_unit_range(images) if images.dtype == np.uint8 else images
