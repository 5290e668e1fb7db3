"""Pictures of any kind, from encoded files to one uint8 array. Loads no TensorFlow."""

import collections
import concurrent.futures
import dataclasses
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import tqdm
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from logan.datasets.frame_cache import FrameShape, cached_frames_and_notes
from logan.datasets.large_pictures import MAXIMUM_PIXELS, memory_for, pillow_limit, reduction
from logan.datasets.picture_formats import (
    HEIF_HINT,
    START_BYTES,
    formats,
    is_heif,
    tiff_fault,
    white_is_zero,
)
from logan.errors import UserError

__all__ = [
    "Picture",
    "PictureError",
    "central_square",
    "check_picture_settings",
    "crop_box",
    "fit",
    "gather_frames",
    "in_order",
    "natural_order",
    "quoted_list",
    "read_picture",
]

WORKERS = 8
STRIP_ROWS = 256  # divisible by every reduction
# So many errors are named; of the others, their number is given.
NAMED_ERRORS = 10

Box = tuple[int, int, int, int]
Item = TypeVar("Item")
Result = TypeVar("Result")


class PictureError(UserError):
    """A picture that cannot be used; the message says why, and the caller adds its name."""


def check_picture_settings(size: int, channels: int) -> None:
    """Checks what every reader of pictures is given.

    Raises:
        UserError: if size is less than 1, or channels is neither 1 nor 3.
    """
    if size < 1:
        raise UserError(f"Expected size of 1 pixel or more. Received: size={size}.")
    if channels not in (1, 3):
        raise UserError(
            f"Expected channels to be 1 (grey) or 3 (colour). Received: channels={channels}."
        )


def natural_order(name: str) -> tuple[list[str | int], str]:
    """A key that sorts runs of digits as numbers: `frame9.png` before `frame10.png`."""
    # Text and numbers alternate, so no two kinds are compared.
    pieces = re.split(r"([0-9]+)", name.lower())
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)], name


def quoted_list(lines: Sequence[str]) -> str:
    """The first lines of many, one below the other, and how many more there are."""
    shown = [f"\n  {line}" for line in lines[:NAMED_ERRORS]]
    rest = len(lines) - len(shown)
    return "".join(shown) + (f"\n  and {rest} more" if rest else "")


# --------------------------------------------------------------------------------- one picture


@dataclasses.dataclass(frozen=True)
class Picture:
    """A decoded picture, upright.

    Attributes:
        image: of mode L (grey) or RGB.
        size: width and height in pixels, as the file has them; of a large picture the image has
            a part of them.
    """

    image: Image.Image
    size: tuple[int, int]


def read_picture(file: Path | BinaryIO) -> Picture:
    """Decodes a picture, upright and with 8 bits per channel.

    The content decides the format, not the name; of an animation the first frame is taken. 16-bit
    grey is scaled to 8 bits. Transparent pixels are laid over white, the colour of the page that
    most cut-out pictures are made for. CMYK and palette pictures become red, green and blue. More
    than 67 million pixels are reduced to a quarter while they are read.

    Args:
        file: a path or an open file: AVIF, BMP, DDS, GIF, ICO, JPEG, JPEG 2000, PCX, PGM, PNG,
            PPM, PSD, QOI, SGI, TIFF, WebP, or with pillow-heif HEIC.

    Returns:
        The picture.

    Raises:
        PictureError: if the file is unreadable, no picture, cut off, damaged, would come in wrong
            colours, or has more than 2^28 pixels.
    """
    try:
        with pillow_limit(), Image.open(file, formats=formats()) as image:
            return _decoded(image)
    # Pillow's readers raise errors of almost any kind on damaged files.
    except Exception as error:
        raise PictureError(_reason(error, file)) from error


def _decoded(image: Image.Image) -> Picture:
    width, height = size = image.size
    if width * height > MAXIMUM_PIXELS:
        raise Image.DecompressionBombError
    if fault := tiff_fault(image):
        raise PictureError(fault)
    is_negative = white_is_zero(image)
    scale = reduction(width * height)
    with memory_for(width * height):
        if scale == 1:
            image.load()
            upright = _plain(ImageOps.exif_transpose(image))
            size = upright.size
        else:
            upright = _plain(ImageOps.exif_transpose(_reduced(image, scale)))
            if (upright.width > upright.height) != (width > height):
                size = height, width
    return Picture(ImageOps.invert(upright) if is_negative else upright, size)


def _reduced(image: Image.Image, scale: int) -> Image.Image:
    """The picture with width and height divided, rounded up."""
    width, height = (-(-length // scale) for length in image.size)
    if image.format in ("JPEG", "MPO"):
        # Its decoder leaves pixels out before they take memory.
        image.draft(None, (image.width // scale, image.height // scale))
    image.load()
    if image.size == (width, height):
        return image
    small: Image.Image | None = None
    # Strip by strip: colours and transparency are worked out in copies.
    for top in range(0, image.height, STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))
        strip = _plain(strip).reduce(scale)
        small = small or Image.new(strip.mode, (width, height))
        small.paste(strip, (0, top // scale))
    assert small
    small.getexif()[ExifTags.Base.Orientation] = image.getexif().get(ExifTags.Base.Orientation, 1)
    return small


def _plain(image: Image.Image) -> Image.Image:
    """The picture in mode L or RGB."""
    if image.mode.startswith("I"):
        return _as_eight_bits(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels, whose range is not known")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _as_eight_bits(image: Image.Image) -> Image.Image:
    """Scales 16-bit grey to 8 bits, which Pillow's `convert` would clip."""
    return Image.fromarray((np.asarray(image, np.int64).clip(0, 65535) // 257).astype(np.uint8))


def _reason(error: Exception, file: Path | BinaryIO) -> str:
    if isinstance(error, UnidentifiedImageError):
        start = _start(file)
        if not start:
            return "an empty file (0 bytes)"
        if is_heif(start) and "HEIF" not in formats():
            return f"a HEIC picture; {HEIF_HINT}"
        *names, last = formats()
        return f"no picture in {', '.join(names)} or {last}, whatever its name says"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"more than {MAXIMUM_PIXELS:,} pixels, which may be a decompression bomb"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _start(file: Path | BinaryIO) -> bytes:
    """The first bytes of a file."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return opened.read(START_BYTES)
    file.seek(0)
    return file.read(START_BYTES)


def central_square(image_size: tuple[int, int], side: int | None = None) -> Box:
    """(left, top, right, bottom) of the square in the middle; by default the largest.

    Raises:
        PictureError: if the picture has fewer than `side` pixels in a direction.
    """
    width, height = image_size
    side = min(width, height) if side is None else side
    if side > min(width, height):
        raise PictureError(f"{width}x{height} pixels, too few for a square of {side}")
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def crop_box(image_size: tuple[int, int], crop: Box | None) -> Box:
    """(left, top, right, bottom) of a crop (left, top, width, height), or of the middle square.

    Raises:
        PictureError: if the crop reaches beyond the picture.
    """
    if crop is None:
        return central_square(image_size)
    left, top, crop_width, crop_height = crop
    right, bottom = left + crop_width, top + crop_height
    if right > image_size[0] or bottom > image_size[1]:
        raise PictureError(
            f"crop {crop_width}x{crop_height} at ({left}, {top}), which ends at ({right}, "
            f"{bottom}), beyond the picture of {image_size[0]}x{image_size[1]}"
        )
    return left, top, right, bottom


def fit(picture: Picture | Image.Image, box: Box, size: int, channels: int) -> np.ndarray:
    """The box of a picture, in pixels of its file, resized, as uint8 [size, size, channels].

    Pillow's Hamming filter is antialiased, works in both directions and has no negative lobes:
    Lanczos and bicubic draw halos around edges, which at 32 pixels are as large as the details.
    """
    if isinstance(picture, Picture):
        picture, box = picture.image, _in_image(box, picture)
    image = picture.crop(box).convert("L" if channels == 1 else "RGB")
    image = image.resize((size, size), Image.Resampling.HAMMING)
    return np.asarray(image, np.uint8).reshape(size, size, channels)


def _in_image(box: Box, picture: Picture) -> Box:
    """The box in pixels of the image, which may be smaller than its file's picture."""
    (width, height), image = picture.size, picture.image
    left, right = (round(x * image.width / width) for x in (box[0], box[2]))
    top, bottom = (round(y * image.height / height) for y in (box[1], box[3]))
    # A crop of one pixel is left one.
    left, top = min(left, image.width - 1), min(top, image.height - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)


# ------------------------------------------------------------------------------- many pictures


def in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Yields function(item) for each item, in order, worked out by a few threads.

    Items are fetched in the calling thread, and only a few ahead of what has been taken, so that
    memory stays flat however many there are.
    """
    source = iter(items)
    pool = concurrent.futures.ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1))
    try:
        pending = collections.deque(
            pool.submit(function, item) for item in itertools.islice(source, 2 * WORKERS)
        )
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in itertools.islice(source, 1))
    finally:
        # Also when the reader stops half-way: what has not begun need not begin.
        pool.shutdown(cancel_futures=True)


def gather_frames(
    items: Callable[[], Iterable[Item]],
    decode: Callable[[Item], np.ndarray],
    *,
    shape: FrameShape,
    total: int | None,
    check: Callable[[int, Mapping[int, str]], None],
    settings: dict[str, Any],
    sources: Callable[[], list[dict[str, Any]]],
    cache_dir: str | os.PathLike[str] | None,
    show_progress: bool,
) -> tuple[np.ndarray, dict[int, str]]:
    """Decodes pictures in parallel into one array, or takes it from the cache.

    Args:
        items: makes what to decode, one item per picture, in the order of the result.
        decode: makes uint8 of `shape` from an item; PictureError leaves the picture out.
        shape: height, width and channels of a frame.
        total: number of items, for the progress; None if it is not known.
        check: given the number of frames and the reason for each item left out; raises if they
            will not do, and then nothing is stored.
        settings: what decides the pixels beside the sources, for JSON.
        sources: the `fingerprint` of each source; asked only for the cache.
        cache_dir: folder of the cache, or None for none.
        show_progress: whether to draw a bar on stderr.

    Returns:
        (frames, left_out): uint8 [frames, *shape], mapped into memory if it is cached; and for
        the index of each item left out the reason.
    """
    left_out: dict[int, str] = {}

    def read() -> Iterator[np.ndarray]:
        results = tqdm.tqdm(
            in_order(lambda item: _outcome(decode, item), items()),
            desc="reading pictures",
            total=total,
            unit="picture",
            file=sys.stderr,
            disable=not show_progress,
        )
        for index, result in enumerate(results):
            if isinstance(result, PictureError):
                # Linux allows names that are not UTF-8; JSON does not.
                left_out[index] = str(result).encode("utf-8", "backslashreplace").decode()
            else:
                yield result

    if cache_dir is not None:
        folder = Path(cache_dir).expanduser()
        frames, notes = cached_frames_and_notes(
            folder,
            settings,
            sources(),
            shape,
            read,
            check=lambda count, notes: check(count, dict(notes)),
            notes=lambda: list(left_out.items()),
        )
        return frames, dict(notes)
    frames = _stacked(read(), shape)
    check(len(frames), left_out)
    return frames, left_out


def _outcome(decode: Callable[[Item], np.ndarray], item: Item) -> np.ndarray | PictureError:
    try:
        return decode(item)
    except PictureError as error:
        # Another one, without the traceback that holds on to the picture.
        return PictureError(str(error))


def _stacked(frames: Iterator[np.ndarray], shape: FrameShape) -> np.ndarray:
    """The frames as one array that is never held twice."""
    pixels = bytearray()
    for frame in frames:
        pixels += frame.tobytes()
    return np.frombuffer(pixels, np.uint8).reshape(-1, *shape)
