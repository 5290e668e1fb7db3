"""Pictures of any kind, from encoded files to one uint8 array.

Loads no TensorFlow unless a set is read through TensorFlow Datasets.
"""

import collections
import concurrent.futures
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
import tqdm
from PIL import Image, ImageOps, UnidentifiedImageError

from logan.datasets.frame_cache import FrameShape, cached_frames_and_notes
from logan.errors import UserError

__all__ = [
    "PICTURE_SUFFIXES",
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
    "tfds_builder",
    "tfds_pictures",
]

PICTURE_SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)

# Pillow knows more, among them formats that start other programs, such as Ghostscript.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

WORKERS = 8
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


def read_picture(file: Path | BinaryIO) -> Image.Image:
    """Decodes a picture, upright and with 8 bits per channel.

    The content decides the format, not the name; of an animation the first frame is taken. 16-bit
    grey is scaled to 8 bits. Transparent pixels are laid over white, the colour of the page that
    most cut-out pictures are made for. CMYK and palette pictures become red, green and blue.

    Args:
        file: a path or an open file: BMP, GIF, JPEG, PNG, PGM, PPM, TIFF or WebP.

    Returns:
        An image of mode L (grey) or RGB.

    Raises:
        PictureError: if the file is unreadable, no picture, cut off, damaged, or so large that
            Pillow suspects a decompression bomb.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            image.load()
            return _plain(ImageOps.exif_transpose(image))
    # Pillow's readers raise errors of almost any kind on damaged files.
    except Exception as error:
        raise PictureError(_reason(error, file)) from error


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
        if isinstance(file, Path) and not file.stat().st_size:
            return "an empty file (0 bytes)"
        return f"no picture in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, whatever its name says"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


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


def fit(image: Image.Image, box: Box, size: int, channels: int) -> np.ndarray:
    """The box of an image, resized, as uint8 [size, size, channels].

    Pillow's Hamming filter is antialiased, works in both directions and has no negative lobes:
    Lanczos and bicubic draw halos around edges, which at 32 pixels are as large as the details.
    """
    image = image.crop(box).convert("L" if channels == 1 else "RGB")
    image = image.resize((size, size), Image.Resampling.HAMMING)
    return np.asarray(image, np.uint8).reshape(size, size, channels)


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


# ------------------------------------------------------------------ TensorFlow Datasets' pictures


def tfds_builder(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    *,
    show_progress: bool,
    error_class: type[UserError],
    remedy: str,
) -> Any:
    """A set of TensorFlow Datasets, downloaded and prepared.

    Args:
        name: the set's name.
        data_dir: where TFDS keeps its sets; None means its default, ~/tensorflow_datasets.
        show_progress: whether TFDS shall draw its bars on stderr.
        error_class: what to raise if that fails.
        remedy: what to do then; ends the message.

    Raises:
        UserError: of that class, on any failure of the download or the preparation.
    """
    try:
        import tensorflow_datasets as tfds

        (tfds.enable_progress_bar if show_progress else tfds.disable_progress_bar)()
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
    # A refused download, no network, no TFDS, a full disk: the way out is the same.
    except Exception as error:
        cause = " ".join(str(error).split())
        raise error_class(
            f"Expected TensorFlow Datasets to download and prepare {name}. Received: "
            f"{type(error).__name__}: {cause[:300]}\n{remedy}"
        ) from error
    return builder


def tfds_pictures(builder: Any, split: str) -> Iterator[bytes]:
    """Yields the encoded pictures of a prepared set in the order in which they are stored."""
    import tensorflow_datasets as tfds

    examples = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders={"image": tfds.decode.SkipDecoding()},
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    for example in examples:
        yield example["image"].numpy()
