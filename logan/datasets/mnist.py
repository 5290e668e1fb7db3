"""MNIST: 70,000 grey digits of 28 x 28 pixels (Y. LeCun et al., Proceedings of the IEEE, 1998).

Read from its four files, or through TensorFlow Datasets. Others that come in files of these names,
such as Fashion-MNIST, are read alike.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from logan.datasets.frame_cache import fingerprint
from logan.datasets.idx import read_idx
from logan.datasets.pictures import central_square, check_picture_settings, fit, read_picture
from logan.datasets.published import Source, catalog_labels, catalog_source, load_parts
from logan.errors import UserError

__all__ = ["MnistError", "is_mnist", "load_mnist", "load_mnist_labels"]

PARTS = ("train", "t10k")
SIDE, PADDED_SIDE = 28, 32

REMEDY = (
    "To use local files, give the folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, "
    "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, packed (.gz) or not: --data=FOLDER"
)


class MnistError(UserError):
    """MNIST is missing, incomplete or damaged; the message names the file."""


def is_mnist(path: str | os.PathLike[str]) -> bool:
    """Whether a folder has MNIST's files, or those of one of its kind."""
    return _file(Path(path).expanduser(), _images(PARTS[0])) is not None


def load_mnist(
    path: str | os.PathLike[str] | None = None,
    *,
    size: int = PADDED_SIDE,
    channels: int = 1,
    data_dir: str | os.PathLike[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    show_progress: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads MNIST with its official parts: 60,000 digits to train on, 10,000 to test on.

        >>> frames, train, test = load_mnist("mnist")
        >>> frames.shape, len(train), len(test)
        ((70000, 32, 32, 1), 60000, 10000)

    To 32 pixels the digits are padded with two black pixels on each side, as is usual; to any other
    size than 28 they are resized.

    Args:
        path: folder with the four files, packed by gzip or not; the second dash of a name may be a
            dot. None means TensorFlow Datasets.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for three equal channels.
        data_dir: where TensorFlow Datasets keeps its sets; None means its default.
        cache_dir: folder to keep the frames in; they are then mapped into memory.
        show_progress: whether to draw bars on stderr.

    Returns:
        (frames, train, test): uint8 [digits, size, size, channels] in [0, 255], the training
        digits first, read-only when it comes from a cache; and int64 indices into it, ascending,
        disjoint.

    Raises:
        UserError: if size or channels is out of its range.
        MnistError: if a file is missing, damaged or does not fit the others, or if TensorFlow
            Datasets could not download or prepare the set.
    """
    check_picture_settings(size, channels)
    source = (
        catalog_source(
            "mnist", data_dir, show_progress=show_progress, error=MnistError, remedy=REMEDY
        )
        if path is None
        else _local_source(Path(path).expanduser())
    )

    def decode(content: bytes | np.ndarray) -> np.ndarray:
        if isinstance(content, bytes):
            return _sized(read_picture(io.BytesIO(content)).image, size, channels)
        return _sized(Image.fromarray(content), size, channels)

    return load_parts(
        source,
        decode,
        (size, size, channels),
        settings={"reader": "mnist", "size": size, "channels": channels},
        error=MnistError,
        cache_dir=cache_dir,
        show_progress=show_progress,
    )


def load_mnist_labels(
    path: str | os.PathLike[str] | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """What the digits are.

    Args:
        path: as for `load_mnist`.
        data_dir: as for `load_mnist`.

    Returns:
        int64 [digits], classes from 0 in the order of the frames; and what the classes are called,
        by number. The classes are the numbers that occur in the files, in their order.

    Raises:
        MnistError: as for `load_mnist`, or if a class is missing in one part.
    """
    if path is None:
        parts = catalog_labels("mnist", data_dir, error=MnistError, remedy=REMEDY)
        place = "TensorFlow Datasets"
    else:
        root = Path(path).expanduser()
        parts, place = [_labels_of(root, part) for part in PARTS], str(root)
    codes, labels = np.unique(np.concatenate(parts), return_inverse=True)
    count = len(parts[0])
    for part, own in zip(PARTS, (labels[:count], labels[count:]), strict=True):
        if missing := set(range(len(codes))) - set(own.tolist()):
            raise MnistError(
                f"Expected pictures of every class in the part {part} of {place}. Received: none "
                f"of {codes[min(missing)]}"
            )
    return labels.astype(np.int64), tuple(map(str, codes.tolist()))


def _sized(digit: Image.Image, size: int, channels: int) -> np.ndarray:
    """A digit as uint8 [size, size, channels]; see `load_mnist`."""
    if size == PADDED_SIDE and digit.size == (SIDE, SIDE):
        margin = (PADDED_SIDE - SIDE) // 2
        padded = Image.new(digit.mode, (PADDED_SIDE, PADDED_SIDE))
        padded.paste(digit, (margin, margin))
        digit = padded
    return fit(digit, central_square(digit.size), size, channels)


# -------------------------------------------------------------------------------- one's own copy


def _local_source(root: Path) -> Source:
    counts = [len(_labels_of(root, part)) for part in PARTS]

    def contents() -> Iterator[np.ndarray]:
        for part, count in zip(PARTS, counts, strict=True):
            pictures = _read(root, _images(part), 3)
            if len(pictures) != count:
                raise MnistError(
                    f"Expected as many labels as pictures in the part {part} of {root}. Received: "
                    f"{count} and {len(pictures)}"
                )
            yield from pictures

    files = [_found(root, name(part)) for part in PARTS for name in (_images, _labels)]
    return Source(
        place=str(root),
        train_count=counts[0],
        test_count=counts[1],
        contents=contents,
        name=lambda index: f"example {index}",
        fingerprints=lambda: [fingerprint(root, files)],
    )


def _images(part: str) -> str:
    return f"{part}-images-idx3-ubyte"


def _labels(part: str) -> str:
    return f"{part}-labels-idx1-ubyte"


def _labels_of(root: Path, part: str) -> np.ndarray:
    return _read(root, _labels(part), 1)


def _file(root: Path, name: str) -> Path | None:
    """A file of that name, its second dash a dot or not, packed or not."""
    names = [name, name.replace("-idx", ".idx")]
    paths = (root / f"{each}{suffix}" for each in names for suffix in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def _found(root: Path, name: str) -> Path:
    path = _file(root, name)
    if path is None:
        raise MnistError(
            f"Expected {name} in {root}, beside MNIST's other files. Received: no file. {REMEDY}"
        )
    return path


def _read(root: Path, name: str, axes: int) -> np.ndarray:
    path = _found(root, name)
    try:
        array = read_idx(path)
    except UserError as error:
        raise MnistError(str(error)) from error
    if array.ndim != axes or not array.size:
        raise MnistError(f"Expected {axes} axes, none empty, in {path}. Received: {array.shape}")
    return array
