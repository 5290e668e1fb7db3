"""What measures of images ask of their arrays."""

import numpy as np


def check_images(images: np.ndarray, name: str = "images") -> None:
    """Refuses what is no array of floating images in [-1, 1], or nearly so.

    Raises:
        ValueError: unless the array is floating [images, height, width, channels]; on values like
            those of pixels in [0, 255].
    """
    if images.ndim != 4 or not images.size:
        raise ValueError(
            f"Expected {name} of shape [{name}, height, width, channels], none of them 0. "
            f"Received: {images.shape}."
        )
    # Differences of unsigned integers wrap around: 3 - 5 is 254.
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"Expected floating {name} in [-1, 1]. Received: dtype={images.dtype}.")
    # A generator without a last tanh may go a bit beyond, and to both sides.
    if images.min() >= 0 and images.max() > 2:
        raise ValueError(
            f"Expected floating {name} in [-1, 1]. Received: {images.min():g} to "
            f"{images.max():g}, as of pixels in [0, 255]: give x / 127.5 - 1."
        )
