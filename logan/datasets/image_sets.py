"""Images to be measured: a folder, an archive, an array or a video, as people have them."""

import contextlib
import dataclasses
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from logan.datasets.classes import rows_of_labels
from logan.datasets.image_folder import load_pictures
from logan.datasets.names import Names
from logan.datasets.picture_files import picture_files
from logan.datasets.pictures import PictureError, central_square, fit, read_picture
from logan.datasets.pixels import to_uint8
from logan.datasets.splits import evenly
from logan.datasets.video import load_frames, load_frames_and_origins, names_of_frames
from logan.errors import UserError

if TYPE_CHECKING:
    from logan.datasets.stacked_digits import StackedDigits

ARRAY_SUFFIXES = (".npy", ".npz")
LARGEST_SIZE = 128  # unless asked for; features see little more
_PROBED = 20  # pictures whose size and colours speak for all


@dataclasses.dataclass(frozen=True)
class ImageSet:
    """Images of one size, and what they are called.

    Attributes:
        images: uint8 [images, size, size, channels].
        names: what they are called.
        text: where they come from, in words.
        labels: int64 [images], or None.
        label_names: what the labels are called, in their order.
        class_counts: how often each class occurs, [classes], where these are a part of more.
        stacked: the digits that they show one on another, if they do.
    """

    images: np.ndarray
    names: Names
    text: str
    labels: np.ndarray | None = None
    label_names: Sequence[str] = ()
    class_counts: np.ndarray | None = None
    stacked: "StackedDigits | None" = None

    def __len__(self) -> int:
        return len(self.images)

    def spread(self, count: int) -> "ImageSet":
        """Up to `count` of them at even distances, first and last included."""
        if count >= len(self):
            return self
        index = evenly(len(self), count)
        labels = None if self.labels is None else self.labels[index]
        text = f"{self.text}, of which {count:,} evenly spread"
        return dataclasses.replace(
            self, images=self.images[index], names=self.names.of(index), text=text, labels=labels
        )


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the images of a source are like before they are resized.

    Attributes:
        size: pixels of their shorter side; of several sizes the smallest that was seen.
        channels: 1 if all that were seen are grey, else 3.
    """

    size: int
    channels: int


def shape_of(source: str | Path | np.ndarray, flag: str) -> Shape:
    """What the images of a source are like, from a look at some of them.

    Args:
        source: see `load_image_set`.
        flag: which flag or argument it was given by, for errors.

    Raises:
        UserError: if the source is missing, empty, or nothing that can be read.
    """
    if isinstance(source, np.ndarray) or _is_array(source):
        array = _array(source, flag)
        return Shape(min(array.shape[1:3]), array.shape[3])
    path = existing(source, flag)
    if _has_pictures(path, flag):
        with _named(flag), picture_files(path) as files:
            if not files.names:
                raise UserError(f"expected pictures in {path}. Received: none that can be read")
            seen = []
            for place in evenly(len(files.names), _PROBED).tolist():
                # Loading them all says which cannot be read, and why.
                with contextlib.suppress(PictureError):
                    seen.append(read_picture(files.open(files.names[place])))
        if not seen:
            return Shape(LARGEST_SIZE, 3)
        sides = [min(picture.size) for picture in seen]
        is_grey = all(picture.image.mode == "L" for picture in seen)
        return Shape(min(sides), 1 if is_grey else 3)
    with _named(flag):
        # One that is no video is refused here.
        load_frames(path, size=8, stop_seconds=0.5, minimum_frames=1)
    return Shape(LARGEST_SIZE, 3)


def load_image_set(
    source: str | Path | np.ndarray,
    size: int,
    channels: int,
    flag: str,
    *,
    skip_unreadable: bool = False,
    cache_dir: Path | None = None,
    show_progress: bool = False,
) -> ImageSet:
    """Loads images from a nested folder, a zip archive, an .npy or .npz file, an array or a video.

    Of each the largest square in the middle is taken and resized by Pillow's Hamming filter, see
    `logan.datasets.pictures.fit`. Images of a folder in which all lie in sub-folders have these as
    labels.

    Args:
        source: a path, or an array: uint8 in [0, 255] or floating in [-1, 1], [images, height,
            width] or [images, height, width, 1 or 3]. In an .npz file there must be one such array,
            or one called images, samples or arr_0.
        size: pixels of each side.
        channels: 1 or 3.
        flag: which flag or argument it was given by, for errors.
        skip_unreadable: leave out pictures that cannot be read, and name them on stderr.
        cache_dir: folder to keep decoded pictures in.
        show_progress: whether to draw a bar on stderr.

    Raises:
        UserError: if the source is missing, empty, of a wrong type or range, or cannot be read.
    """
    if isinstance(source, np.ndarray) or _is_array(source):
        array = _array(source, flag)
        where = "an array" if isinstance(source, np.ndarray) else str(source)
        name = "" if isinstance(source, np.ndarray) else Path(source).name
        images = np.stack([_fitted(image, size, channels) for image in array])
        names = Names([f"{name}[{index}]" for index in range(len(array))])
        return ImageSet(images, names, f"{len(images):,} images of {where}")
    path = existing(source, flag)
    if _has_pictures(path, flag):
        with _named(flag):
            pictures = load_pictures(
                path,
                size=size,
                channels=channels,
                skip_unreadable=skip_unreadable,
                cache_dir=cache_dir,
                show_progress=show_progress,
            )
        text = f"{len(pictures.names):,} pictures of {path}"
        by_folder = _by_folder(pictures.names)
        return ImageSet(pictures.frames, Names(pictures.names), text, **by_folder)
    with _named(flag):
        frames, origins = load_frames_and_origins(
            path, size=size, channels=channels, minimum_frames=1, cache_dir=cache_dir
        )
    return ImageSet(frames, names_of_frames(origins), f"{len(frames):,} frames of {path}")


def with_labels(images: ImageSet, path: Path) -> ImageSet:
    """The images with the labels of a CSV file, whose columns file and label name every image.

    Raises:
        UserError: if the file cannot be read, or lacks an image or a column.
    """
    texts = rows_of_labels(path, images.names.files, "real")
    return dataclasses.replace(images, **_labels(texts))


def _labels(texts: list[str]) -> dict[str, Any]:
    names, labels = np.unique(texts, return_inverse=True)
    return {
        "labels": labels.astype(np.int64),
        "label_names": names.tolist(),
        "class_counts": np.bincount(labels),
    }


def _by_folder(names: list[str]) -> dict[str, Any]:
    """The folders as labels, where there are several and every picture lies in one."""
    folders = [str(PurePosixPath(name).parent) for name in names]
    if "." in folders or len(set(folders)) < 2:
        return {}
    return _labels(folders)


def _is_array(source: str | Path | np.ndarray) -> bool:
    return not isinstance(source, np.ndarray) and Path(source).suffix in ARRAY_SUFFIXES


def _has_pictures(path: Path, flag: str) -> bool:
    """Whether it is an archive or a folder of pictures; else a video or a folder of clips."""
    if path.is_file():
        return zipfile.is_zipfile(path)
    with _named(flag), picture_files(path) as files:
        return bool(files.names or files.problems)


def existing(source: str | Path, flag: str) -> Path:
    """The path of a source, its tilde replaced.

    Raises:
        UserError: naming the flag, if nothing is there.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise UserError(
            f"{flag}: expected a folder, an archive, an array, a video or a run. Received: {path}: "
            "nothing is there"
        )
    return path


def _array(source: Any, flag: str) -> np.ndarray:
    """[images, height, width, channels], uint8 or floating in [-1, 1]."""
    given = source if isinstance(source, np.ndarray) else _read_array(existing(source, flag), flag)
    array = given[..., None] if given.ndim == 3 else given
    if array.ndim != 4 or not array.size or array.shape[3] not in (1, 3):
        hint = ""
        if array.ndim == 4 and array.shape[1] in (1, 3):
            hint = "; channels have to come last"
        raise UserError(
            f"{flag}: expected images [images, height, width, 1 or 3]. Received: an array of shape "
            f"{list(given.shape)}{hint}"
        )
    if array.dtype != np.uint8:
        _check_range(array, flag)
    return array


def _check_range(array: np.ndarray, flag: str) -> None:
    expected = f"{flag}: expected uint8 images in [0, 255], or floating ones in [-1, 1]. Received: "
    if not np.issubdtype(array.dtype, np.floating):
        raise UserError(f"{expected}{array.dtype}")
    least, most = float(array.min()), float(array.max())
    if not (np.isfinite(least) and np.isfinite(most)):
        raise UserError(f"{expected}NaN or infinity among them")
    if least < -1.001 or most > 1.001:
        raise UserError(f"{expected}{least:g} to {most:g}")
    if least >= 0:
        raise UserError(
            f"{expected}{least:g} to {most:g}, no value below 0. Images x in [0, 1] are to be "
            "given as 2 x - 1"
        )


def _read_array(path: Path, flag: str) -> np.ndarray:
    try:
        found = np.load(path, mmap_mode="r")
        if isinstance(found, np.ndarray):
            return found
        with found:
            names = [n for n in ("images", "samples", "arr_0") if n in found.files]
            if len(found.files) == 1:
                names = found.files
            if not names:
                raise UserError(
                    f"{flag}: expected one array in {path}, or one called images. Received: "
                    f"{', '.join(found.files) or 'none'}"
                )
            return np.asarray(found[names[0]])
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{flag}: expected an array in {path}. Received: {error}") from error


def _fitted(image: np.ndarray, size: int, channels: int) -> np.ndarray:
    pixels = image if image.dtype == np.uint8 else to_uint8(image)
    if pixels.shape == (size, size, channels):
        return np.asarray(pixels)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return fit(picture, central_square(picture.size), size, channels)


@contextlib.contextmanager
def _named(flag: str) -> Iterator[None]:
    """Puts the flag in front of a user's error."""
    try:
        yield
    except UserError as error:
        if str(error).startswith(flag):
            raise
        raise UserError(f"{flag}: {error}") from error
