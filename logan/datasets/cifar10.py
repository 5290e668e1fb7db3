"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels (Krizhevsky, 2009).

Read from the binary version of its author, or through TensorFlow Datasets. The "python version"
is not read: it consists of pickles, and loading a pickle can run any program.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from logan.datasets.local_copy import Layout, LocalCopy
from logan.datasets.pictures import central_square, check_picture_settings, fit, read_picture
from logan.datasets.published import Source, catalog_labels, catalog_source, load_parts
from logan.errors import UserError

__all__ = ["KIND_NAMES", "Cifar10Error", "is_cifar10", "load_cifar10", "load_cifar10_labels"]

ARCHIVE = "cifar-10-binary.tar.gz"
TRAIN_BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
BATCHES = (*TRAIN_BATCHES, "test_batch.bin")
KIND_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
KINDS = len(KIND_NAMES)
SIDE = 32
PICTURE_BYTES = 1 + 3 * SIDE * SIDE  # the kind, then all red values, all green, all blue

REMEDY = f"""To use local files:
  1. Open https://www.cs.toronto.edu/~kriz/cifar.html
  2. Fetch "CIFAR-10 binary version", {ARCHIVE} (162 MB; there is no need to unpack it).
     The "python version" is not read: it consists of pickles, which can run any program.
  3. Give it, or the folder that it lies in: --data=FOLDER."""


class Cifar10Error(UserError):
    """CIFAR-10 is missing, incomplete or damaged; the message names the file and says how."""


LAYOUT = Layout(
    title="CIFAR-10",
    folders=("cifar-10-batches-bin",),
    archives=(ARCHIVE,),
    within=(),
    files=("*_batch*.bin",),
    maximum_bytes=2**26,  # a batch has 31 MB
    others=(),
    error=Cifar10Error,
    remedy=REMEDY,
)


def is_cifar10(path: str | os.PathLike[str]) -> bool:
    """Whether a path looks like a local copy: the archive by its name, or a folder with a part."""
    root = Path(path).expanduser()
    if root.name == ARCHIVE:
        return root.is_file()
    parts = (ARCHIVE, BATCHES[0], f"cifar-10-batches-bin/{BATCHES[0]}")
    return any((root / part).is_file() for part in parts)


def load_cifar10(
    path: str | os.PathLike[str] | None = None,
    *,
    size: int = SIDE,
    channels: int = 3,
    data_dir: str | os.PathLike[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    show_progress: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads CIFAR-10 with its official parts: 50,000 pictures to train on, 10,000 to test on.

        >>> frames, train, test = load_cifar10("cifar-10-binary.tar.gz")
        >>> frames.shape, len(train), len(test)
        ((60000, 32, 32, 3), 50000, 10000)

    Args:
        path: `cifar-10-binary.tar.gz`, which is read in place, `cifar-10-batches-bin/`, or a
            folder with one of them. None means TensorFlow Datasets.
        size: height and width of the result, in pixels; 32 leaves the pixels as they are.
        channels: 1 for grey, 3 for red, green and blue.
        data_dir: where TensorFlow Datasets keeps its sets; None means its default.
        cache_dir: folder to keep the frames in; they are then mapped into memory.
        show_progress: whether to draw bars on stderr.

    Returns:
        (frames, train, test): uint8 [pictures, size, size, channels] in [0, 255], the training
        pictures first, read-only when it comes from a cache; and int64 indices into it,
        ascending, disjoint.

    Raises:
        UserError: if size or channels is out of its range.
        Cifar10Error: if a file is missing or damaged, or if TensorFlow Datasets could not download
            or prepare the set.
    """
    check_picture_settings(size, channels)
    source = (
        catalog_source(
            "cifar10", data_dir, show_progress=show_progress, error=Cifar10Error, remedy=REMEDY
        )
        if path is None
        else _local_source(Path(path))
    )

    def decode(content: bytes | np.ndarray) -> np.ndarray:
        if isinstance(content, bytes):
            image = read_picture(io.BytesIO(content))
        else:
            image = Image.fromarray(content.reshape(3, SIDE, SIDE).transpose(1, 2, 0).copy())
        return fit(image, central_square(image.size), size, channels)

    return load_parts(
        source,
        decode,
        (size, size, channels),
        settings={"reader": "cifar10", "size": size, "channels": channels},
        error=Cifar10Error,
        cache_dir=cache_dir,
        show_progress=show_progress,
    )


def load_cifar10_labels(
    path: str | os.PathLike[str] | None = None,
    *,
    data_dir: str | os.PathLike[str] | None = None,
) -> np.ndarray:
    """The kinds of the pictures; `KIND_NAMES` has what they are called.

        >>> frames, train, test = load_cifar10(path)
        >>> data = Images(frames, train, test, labels=load_cifar10_labels(path))

    Args:
        path: as for `load_cifar10`.
        data_dir: as for `load_cifar10`.

    Returns:
        int64 [pictures] in [0, 9], in the order of the frames.

    Raises:
        Cifar10Error: if a file is missing or damaged, or if TensorFlow Datasets could not download
            or prepare the set.
    """
    if path is None:
        parts = catalog_labels("cifar10", data_dir, error=Cifar10Error, remedy=REMEDY)
        return np.concatenate(parts)
    copy = _complete_copy(Path(path))
    _count(copy)
    return np.concatenate([batch[:, 0] for batch in _batches(copy)]).astype(np.int64)


# -------------------------------------------------------------------------------- one's own copy


def _local_source(path: Path) -> Source:
    copy = _complete_copy(path)
    count = _count(copy)
    return Source(
        place=str(copy.place),
        train_count=count * len(TRAIN_BATCHES),
        test_count=count,
        contents=lambda: (picture for batch in _batches(copy) for picture in batch[:, 1:]),
        name=lambda index: f"example {index}",
        fingerprints=lambda: copy.fingerprints(BATCHES),
    )


def _complete_copy(path: Path) -> LocalCopy:
    copy = LocalCopy(path, LAYOUT)
    missing = [name for name in BATCHES if name not in copy.names]
    if missing:
        raise Cifar10Error(
            f"Expected {', '.join(BATCHES)} in {copy.place}. Received: no {', '.join(missing)}.\n"
            f"{REMEDY}"
        )
    return copy


def _count(copy: LocalCopy) -> int:
    """The number of pictures in each batch.

    Raises:
        Cifar10Error: if a batch is empty, cut off, or has more or fewer than the others.
    """
    counts = []
    for name in BATCHES:
        count, rest = divmod(copy.size(name), PICTURE_BYTES)
        if rest or not count:
            raise Cifar10Error(
                f"Expected pictures of {PICTURE_BYTES} bytes each in {copy.where(name)}. Received: "
                f"{copy.size(name)} bytes. Fetch the archive again."
            )
        counts.append(count)
        if count != counts[0]:
            raise Cifar10Error(
                f"Expected {counts[0]} pictures in {copy.where(name)}, as in {BATCHES[0]}. "
                f"Received: {count}."
            )
    return counts[0]


def _batches(copy: LocalCopy) -> Iterator[np.ndarray]:
    """Yields uint8 [pictures, 3073] of each batch: the kinds, then the pixels."""
    for name, content in zip(BATCHES, copy.contents(BATCHES), strict=True):
        try:
            batch = (
                np.frombuffer(content, np.uint8)
                if isinstance(content, bytes)
                else np.fromfile(content, np.uint8)
            ).reshape(-1, PICTURE_BYTES)
        except OSError as error:
            raise Cifar10Error(
                f"Expected a batch of CIFAR-10 in {copy.where(name)}. Received: {error.strerror}."
            ) from error
        if batch[:, 0].max() >= KINDS:
            raise Cifar10Error(
                f"Expected pictures of the kinds 0 to {KINDS - 1} in {copy.where(name)}. Received: "
                f"one of the kind {batch[:, 0].max()}. Fetch the archive again."
            )
        yield batch
