"""What measures of images ask of their arrays."""

import numpy as np


def check_images(images: np.ndarray, name: str = "images") -> None:
    """Raises ValueError unless the array is floating [images, height, width, channels]."""
    if images.ndim != 4 or not images.size:
        raise ValueError(
            f"Expected {name} of shape [{name}, height, width, channels], none of them 0. "
            f"Received: {images.shape}."
        )
    # Differences of unsigned integers wrap around: 3 - 5 is 254.
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"Expected floating {name} in [-1, 1]. Received: dtype={images.dtype}.")
