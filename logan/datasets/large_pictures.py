"""Pictures of many megapixels, such as a phone's of 108 or 200, in bounded memory."""

import contextlib
import threading
from collections.abc import Iterator

from PIL import Image

__all__ = ["MAXIMUM_PIXELS", "memory_for", "pillow_limit", "reduction"]

# 16,384 x 16,384. The largest sensor of a phone has 200 million pixels.
MAXIMUM_PIXELS = 2**28

# Up to here every pixel counts; frames are made of a hundredth of them.
WHOLE_PIXELS = 2**26

# Held by all threads together. Pillow keeps 4 bytes for a pixel and copies some pictures twice.
PIXELS_AT_ONCE = 2**27

_changed = threading.Condition()
_pixels_held = 0
_readers = 0
_users_limit: int | None = None


def reduction(pixels: int) -> int:
    """By how much to divide width and height, a power of two, of a picture of so many pixels."""
    scale = 1
    while pixels > WHOLE_PIXELS * scale**2:
        scale *= 2
    return scale


@contextlib.contextmanager
def memory_for(pixels: int) -> Iterator[None]:
    """Waits until a picture fits into what all threads may hold; the largest are held alone."""
    global _pixels_held
    share = min(pixels, PIXELS_AT_ONCE)
    with _changed:
        _changed.wait_for(lambda: _pixels_held + share <= PIXELS_AT_ONCE)
        _pixels_held += share
    try:
        yield
    finally:
        with _changed:
            _pixels_held -= share
            _changed.notify_all()


@contextlib.contextmanager
def pillow_limit() -> Iterator[None]:
    """A block in which Pillow neither warns of large pictures nor refuses them below the maximum.

    Its own limits, 89 and 179 million pixels, are one setting for the whole process, which comes
    back when the last thread has left the block.
    """
    global _readers, _users_limit
    with _changed:
        if not _readers:
            _users_limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAXIMUM_PIXELS
        _readers += 1
    try:
        yield
    finally:
        with _changed:
            _readers -= 1
            if not _readers:
                Image.MAX_IMAGE_PIXELS = _users_limit
