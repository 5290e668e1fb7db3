"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels (Krizhevsky, 2009).

Read from the "python version" of its author, or through TensorFlow Datasets. That version is a
set of pickles, and loading a pickle can run any program. Here they are taken apart by an
unpickler that knows numbers, strings, lists, dictionaries and arrays of bytes, and nothing else.
"""

import dataclasses
import io
import itertools
import lzma
import os
import pickle
import pickletools
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from logan.datasets.frame_cache import fingerprint
from logan.datasets.pictures import (
    central_square,
    check_picture_settings,
    fit,
    gather_frames,
    quoted_list,
    read_picture,
    tfds_builder,
    tfds_pictures,
)
from logan.errors import UserError

__all__ = ["Cifar10Error", "load_cifar10"]

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_BATCH = "test_batch"
BATCHES = (*TRAIN_BATCHES, TEST_BATCH)
SIDE = 32
PICTURE_BYTES = 3 * SIDE * SIDE
# A batch has 31 MB.
MAXIMUM_BYTES = 2**26

REMEDY = f"""To use local files:
  1. Open https://www.cs.toronto.edu/~kriz/cifar.html
  2. Fetch "CIFAR-10 python version", {ARCHIVE} (163 MB; there is no need to unpack it).
  3. Give it, or the folder that it lies in: --data=FOLDER."""


class Cifar10Error(UserError):
    """CIFAR-10 is missing, incomplete or damaged; the message names the file and says how."""


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

        >>> frames, train, test = load_cifar10("cifar-10-python.tar.gz")
        >>> frames.shape, len(train), len(test)
        ((60000, 32, 32, 3), 50000, 10000)

    Args:
        path: `cifar-10-python.tar.gz`, which is read in place, `cifar-10-batches-py/`, or a
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
        Cifar10Error: if a file is missing, damaged, or a pickle of anything but pictures, or if
            TensorFlow Datasets could not download or prepare the set.
    """
    check_picture_settings(size, channels)
    source = _catalog(data_dir, show_progress) if path is None else _local(Path(path))

    def decode(content: bytes | np.ndarray) -> np.ndarray:
        if isinstance(content, bytes):
            image = read_picture(io.BytesIO(content))
        else:
            # All red values, then all green, then all blue.
            image = Image.fromarray(content.reshape(3, SIDE, SIDE).transpose(1, 2, 0).copy())
        return fit(image, central_square(image.size), size, channels)

    def check(_: int, left_out: Mapping[int, str]) -> None:
        if left_out:
            names = [f"example {index}: {reason}" for index, reason in left_out.items()]
            raise Cifar10Error(
                f"Expected readable pictures in {source.place}. Received {len(names)} that cannot "
                f"be used:{quoted_list(names)}"
            )

    frames, _ = gather_frames(
        source.contents,
        decode,
        shape=(size, size, channels),
        total=source.total,
        check=check,
        settings={"reader": "cifar10", "size": size, "channels": channels},
        sources=source.fingerprints,
        cache_dir=cache_dir,
        show_progress=show_progress,
    )
    train_count = source.train_count(len(frames))
    indices = np.arange(len(frames), dtype=np.int64)
    return frames, indices[:train_count], indices[train_count:]


# ------------------------------------------------------------------------------------ the sources


@dataclasses.dataclass(frozen=True)
class _Source:
    """Where the pictures come from: first those to train on, then those to test on.

    Attributes:
        place: names the source in errors.
        total: number of pictures; None if it shows in reading only.
        train_count: from the number of all pictures, how many are to train on.
        contents: makes the pictures: encoded, or as uint8 [3072].
        fingerprints: what tells a changed source from an unchanged one.
    """

    place: str
    total: int | None
    train_count: Callable[[int], int]
    contents: Callable[[], Iterator[bytes | np.ndarray]]
    fingerprints: Callable[[], list[dict[str, Any]]]


def _catalog(data_dir: str | os.PathLike[str] | None, show_progress: bool) -> _Source:
    builder = tfds_builder(
        "cifar10", data_dir, show_progress=show_progress, error_class=Cifar10Error, remedy=REMEDY
    )
    folder = Path(builder.data_dir)
    train, test = (builder.info.splits[part].num_examples for part in ("train", "test"))
    return _Source(
        place=str(folder),
        total=train + test,
        train_count=lambda _: train,
        contents=lambda: itertools.chain.from_iterable(
            tfds_pictures(builder, part) for part in ("train", "test")
        ),
        fingerprints=lambda: [fingerprint(folder, sorted(folder.iterdir()))],
    )


def _local(path: Path) -> _Source:
    place = _batches_at(path.expanduser())
    files = [place / name for name in BATCHES] if place.is_dir() else [place]
    if place.is_dir():
        _check_all_there([file.name for file in files if file.is_file()], place)
    return _Source(
        place=str(place),
        total=None,
        # The batches have the same number of pictures each: `_rows` sees to that.
        train_count=lambda count: count // len(BATCHES) * len(TRAIN_BATCHES),
        contents=lambda: _rows(place),
        fingerprints=lambda: [fingerprint(place, files)],
    )


def _batches_at(path: Path) -> Path:
    """The folder of the batches, or their archive."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise Cifar10Error(f"Expected the files of CIFAR-10 at {path}. Received: nothing is there.")
    for folder in (path / FOLDER, path):
        if any((folder / name).is_file() for name in BATCHES):
            return folder
    if (path / ARCHIVE).is_file():
        return path / ARCHIVE
    raise Cifar10Error(
        f"Expected {FOLDER}/ with {TRAIN_BATCHES[0]} and the others, or {ARCHIVE}, in {path}. "
        f"Received: neither.\n{REMEDY}"
    )


def _check_all_there(names: Collection[str], place: Path) -> None:
    missing = [name for name in BATCHES if name not in names]
    if missing:
        raise Cifar10Error(
            f"Expected {', '.join(BATCHES)} in {place}. Received: no {', '.join(missing)}."
        )


def _rows(place: Path) -> Iterator[np.ndarray]:
    """Yields each picture as uint8 [3072], in the order of the batches."""
    if place.is_dir():
        batches = ((name, _file(place / name)) for name in BATCHES)
    else:
        members = _members(place)
        # Given away one by one, so that what has been read can be freed.
        batches = ((name, members.pop(name)) for name in BATCHES)
    expected = None
    for name, content in batches:
        pictures = _pictures(content, f"{place}, {name}")
        expected = len(pictures) if expected is None else expected
        if len(pictures) != expected:
            raise Cifar10Error(
                f"Expected {expected} pictures in {place}, {name}, as in {BATCHES[0]}. Received: "
                f"{len(pictures)}."
            )
        yield from pictures


def _file(path: Path) -> bytes:
    _check_size(path.stat().st_size, path.name, path.parent)
    try:
        return path.read_bytes()
    except OSError as error:
        raise Cifar10Error(
            f"Expected a batch of CIFAR-10 in {path}. Received: {error.strerror or error}."
        ) from error


def _check_size(size: int, name: str, place: Path) -> None:
    if size > MAXIMUM_BYTES:
        raise Cifar10Error(
            f"Expected at most {MAXIMUM_BYTES} bytes in {place}, {name}. Received: {size}."
        )


def _members(path: Path) -> dict[str, bytes]:
    """The batches of an archive, which is read once from its begin to its end; nothing unpacked.

    Raises:
        Cifar10Error: if it is no archive or cut off, if batches are missing, or if a name would
            escape the folder that the archive is unpacked to: it is not the author's then.
    """
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                place = PurePosixPath(member.name)
                if place.is_absolute() or ".." in place.parts:
                    raise Cifar10Error(
                        f"Expected names within the archive's own folder in {path}. Received: "
                        f"{member.name}, which leads out of it. This is not the archive of "
                        "CIFAR-10's author."
                    )
                if place.name not in BATCHES or not member.isreg():
                    continue
                if place.name in contents:
                    raise Cifar10Error(
                        f"Expected each batch once in {path}. Received: {place.name} twice."
                    )
                _check_size(member.size, place.name, path)
                file = archive.extractfile(member)
                contents[place.name] = file.read() if file else b""
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        raise Cifar10Error(
            f"Expected the archive {ARCHIVE}, whole, in {path}. Received: {error}.\n{REMEDY}"
        ) from error
    _check_all_there(contents, path)
    return contents


# ------------------------------------------------------------------------------------ the pickles


class _Dtype:
    """Stands in for `numpy.dtype`: remembers the name, such as "u1"."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode("latin-1") if isinstance(name, bytes) else name

    def __setstate__(self, _: Any) -> None:
        """Byte order and the like, which single bytes do not have."""


class _Array:
    """Stands in for `numpy.ndarray`: remembers what an array is to be made of."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def pixels(self) -> np.ndarray:
        """uint8 [pictures, 3072].

        Raises:
            ValueError, TypeError: if it is anything else.
        """
        _, shape, dtype, is_fortran, content = self.state
        if not isinstance(dtype, _Dtype) or dtype.name != "u1":
            raise ValueError("an array that is not of bytes")
        if len(shape) != 2 or shape[1] != PICTURE_BYTES:
            raise ValueError(f"an array of the shape {shape}")
        if len(content) != shape[0] * shape[1]:
            raise ValueError(f"{len(content)} bytes for the shape {shape}")
        array = np.frombuffer(content, np.uint8)
        return array.reshape(shape, order="F" if is_fortran else "C")


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes into a pickle of Python 2's kind."""
    if encoding != "latin1":
        raise ValueError(f"bytes in the encoding {encoding}")
    return text.encode("latin-1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    """Reads pickles without running anything: what they name is never imported."""

    def __init__(self, content: bytes, where: str) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._where = where

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise Cifar10Error(
                f"Expected pictures and labels in {self._where}. Received: a pickle that calls "
                f"{module}.{name}, which was refused: it could run any program. This is not a "
                "file of CIFAR-10's author."
            ) from None


def _check_memo(content: bytes) -> None:
    """Refuses places in the unpickler's memory that a few bytes could make as large as they like.

    Raises:
        ValueError: if there is one, or if this is no pickle.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise ValueError(f"a pickle of {len(content)} bytes that remembers {argument} things")


def _pictures(content: bytes, where: str) -> np.ndarray:
    """The pictures of a batch as uint8 [pictures, 3072]."""
    try:
        _check_memo(content)
        batch = _Unpickler(content, where).load()
        # The author wrote with Python 2, whose strings come as bytes.
        pixels = (batch.get(b"data") or batch["data"]).pixels()
    except Cifar10Error:
        raise
    # A damaged pickle makes the unpickler raise errors of almost any kind.
    except Exception as error:
        raise Cifar10Error(
            f"Expected a batch of CIFAR-10, pictures of {PICTURE_BYTES} bytes under the key "
            f'"data", in {where}. Received: {type(error).__name__}: {error}. '
            "Fetch the archive again."
        ) from error
    if not len(pixels):
        raise Cifar10Error(f"Expected pictures in {where}. Received: none.")
    return pixels
