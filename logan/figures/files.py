"""Writes pictures so that a reader never finds half of one."""

import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from logan.figures.style import styled
from logan.files import atomic_path

# Without dates and versions the same picture gives the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
}


@styled
def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 200) -> Path:
    """Writes a figure in one piece, in the format of the suffix.

    Args:
        figure: any figure.
        path: ends in .png, .pdf or .svg; missing folders are made.
        dpi: pixels per inch; a multiple of 100 keeps the pixels of image sheets whole.

    Returns:
        The path.

    Raises:
        ValueError: if the suffix is another one.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise ValueError(f"Expected a path that ends in {', '.join(_METADATA)}. Received: {path}")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata=_METADATA[suffix])
    return path


def save_image(path: str | os.PathLike[str], pixels: np.ndarray, scale: int = 1) -> Path:
    """Writes pixels as a PNG in one piece, each pixel enlarged to a square.

    Args:
        path: ends in .png; missing folders are made.
        pixels: uint8 [height, width, channels] with 1 or 3 channels, as `image_grid` gives them.
        scale: side of the square, at least 1.

    Returns:
        The path.

    Raises:
        ValueError: if the suffix, the pixels or the scale are not of that kind.
    """
    path = Path(path)
    pixels = np.asarray(pixels)
    if path.suffix.lower() != ".png":
        raise ValueError(f"Expected a path that ends in .png. Received: {path}")
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3):
        received = f"{pixels.dtype} {pixels.shape}"
        raise ValueError(f"Expected pixels: uint8 [height, width, 1 or 3]. Received: {received}")
    if scale < 1:
        raise ValueError(f"Expected a scale of at least 1. Received: {scale}")
    enlarged = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    image = Image.fromarray(enlarged[:, :, 0] if enlarged.shape[2] == 1 else enlarged)
    with atomic_path(path) as temporary:
        image.save(temporary, format="PNG")
    return path
