"""Decoded frames as players show them."""

import struct
from fractions import Fraction

import av
from PIL import Image

__all__ = ["as_displayed"]

# By the signs of a display matrix [[a, b], [c, d]], which takes (x, y) to (ax + cy, bx + dy).
_TURNS = {
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
}


def as_displayed(frame: av.VideoFrame, pixel_shape: Fraction | None) -> Image.Image:
    """The frame with square pixels, upright, and mirrored if it is to be.

    As in browsers, one direction is stretched and none shrunk: 704x288 pixels that are half as
    wide as high become 704x576. Turns are rounded to quarter turns.

    Args:
        frame: as decoded. Phones and cameras store its turn in a display matrix.
        pixel_shape: width of a pixel over its height (the sample aspect ratio); None if unknown.
    """
    image = _with_square_pixels(frame.to_image(), pixel_shape or Fraction(1))
    turn = _TURNS.get(_signs(frame))
    return image if turn is None else image.transpose(turn)


def _with_square_pixels(image: Image.Image, pixel_shape: Fraction) -> Image.Image:
    if pixel_shape == 1:
        return image
    width = round(image.width * max(pixel_shape, Fraction(1)))
    height = round(image.height / min(pixel_shape, Fraction(1)))
    return image.resize((width, height), Image.Resampling.HAMMING)


def _signs(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """The nearest quarter turn or mirroring as a matrix of -1, 0 and 1."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))
    if abs(a) >= abs(b):
        return (1 if a > 0 else -1), 0, 0, (1 if d > 0 else -1)
    return 0, (1 if b > 0 else -1), (1 if c > 0 else -1), 0
