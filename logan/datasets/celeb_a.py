"""CelebA: faces of celebrities (Liu, Luo, Wang and Tang, ICCV 2015), aligned, 178 x 218 pixels.

Read from the files of its authors, or through TensorFlow Datasets.
"""

import dataclasses
import io
import itertools
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from logan.datasets.frame_cache import fingerprint
from logan.datasets.pictures import (
    Box,
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

__all__ = ["CelebAError", "load_celeb_a"]

FOLDER = "img_align_celeba"
ARCHIVE = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
WIDTH = 178
PARTS = TRAIN, _, TEST = "0", "1", "2"  # the middle one is for validation
NAME = r"[^/\\]+\.jpg"
# An aligned picture has about 7 KB: what claims to be so much larger is none.
MAXIMUM_BYTES = 2**25

HOMEPAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
# The face, as in DCGAN's code.
CROP_SIDE = 108
REMEDY = f"""The drive that CelebA is downloaded from often refuses; then fetch it by hand:
  1. Open {HOMEPAGE} and go on to its download.
  2. Fetch Img/{ARCHIVE} (1.4 GB; there is no need to unpack it) and Eval/{PARTITION}.
  3. Put both into one folder and give that folder: --data=FOLDER."""


class CelebAError(UserError):
    """CelebA is missing, incomplete or damaged; the message names the file and says how."""


def load_celeb_a(
    path: str | os.PathLike[str] | None = None,
    *,
    size: int,
    channels: int = 3,
    crop_side: int = CROP_SIDE,
    data_dir: str | os.PathLike[str] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    show_progress: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads the official training and test pictures of CelebA: 162,770 and 19,962.

    The 19,867 of the validation part are not read. Frames come in the order of the partition
    file, or of TensorFlow Datasets' own files, training pictures first.

        >>> frames, train, test = load_celeb_a("CelebA", size=64)
        >>> frames.shape, len(train), len(test)
        ((182732, 64, 64, 3), 162770, 19962)

    Args:
        path: a folder with `img_align_celeba/` or `img_align_celeba.zip`, or one of these two.
            `list_eval_partition.txt` lies beside it, inside it, or in `Eval/` as its authors put
            it. The archive is read in place. None means TensorFlow Datasets.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        crop_side: side of the square taken from the middle, 1 to 178 pixels. 108 is the face, as
            in DCGAN's code (Radford, Metz and Chintala, ICLR 2016) and many after it; 140 is
            WAE's; 178 is the full width, with hair, shoulders and background.
        data_dir: where TensorFlow Datasets keeps its sets; None means its default.
        cache_dir: folder to keep the frames in; they are then mapped into memory.
        show_progress: whether to draw bars on stderr.

    Returns:
        (frames, train, test): uint8 [pictures, size, size, channels] in [0, 255], read-only when
        it comes from a cache; and int64 indices into it, ascending, disjoint.

    Raises:
        UserError: if a setting is out of its range.
        CelebAError: if a file is missing, incomplete or damaged, or if TensorFlow Datasets could
            not download or prepare the set.
    """
    check_picture_settings(size, channels)
    if not 1 <= crop_side <= WIDTH:
        raise UserError(f"Expected crop_side of 1 to {WIDTH} pixels. Received: {crop_side}.")
    source = _catalog(data_dir, show_progress) if path is None else _local(Path(path))

    def decode(content: Path | bytes) -> np.ndarray:
        image = read_picture(io.BytesIO(content) if isinstance(content, bytes) else content)
        return fit(image, central_square(image.size, crop_side), size, channels)

    def check(_: int, left_out: Mapping[int, str]) -> None:
        if left_out:
            names = [f"{source.name(index)}: {reason}" for index, reason in left_out.items()]
            raise CelebAError(
                f"Expected readable pictures in {source.place}. Received {len(names)} that cannot "
                f"be used:{quoted_list(names)}\nFetch the pictures again."
            )

    frames, _ = gather_frames(
        source.contents,
        decode,
        shape=(size, size, channels),
        total=source.train_count + source.test_count,
        check=check,
        settings={
            "reader": "celeb_a",
            "size": size,
            "channels": channels,
            "crop_side": crop_side,
        },
        sources=source.fingerprints,
        cache_dir=cache_dir,
        show_progress=show_progress,
    )
    indices = np.arange(len(frames), dtype=np.int64)
    return frames, indices[: source.train_count], indices[source.train_count :]


def face_square(image_size: tuple[int, int]) -> Box:
    """What `load_celeb_a` takes of an aligned picture, in a picture of any size.

    Args:
        image_size: width and height in pixels.

    Returns:
        (left, top, right, bottom) of the square in the middle that has 108 of 178 parts of the
        shorter side.
    """
    return central_square(image_size, max(1, round(min(image_size) * CROP_SIDE / WIDTH)))


# ------------------------------------------------------------------------------------ the sources


@dataclasses.dataclass(frozen=True)
class _Source:
    """Where the pictures come from: first those to train on, then those to test on.

    Attributes:
        place: names the source in errors.
        train_count: pictures to train on.
        test_count: pictures to test on.
        contents: makes the pictures, as files or encoded.
        name: the name of a picture by its index.
        fingerprints: what tells a changed source from an unchanged one.
    """

    place: str
    train_count: int
    test_count: int
    contents: Callable[[], Iterator[Path | bytes]]
    name: Callable[[int], str]
    fingerprints: Callable[[], list[dict[str, Any]]]


def _catalog(data_dir: str | os.PathLike[str] | None, show_progress: bool) -> _Source:
    builder = tfds_builder(
        "celeb_a", data_dir, show_progress=show_progress, error_class=CelebAError, remedy=REMEDY
    )
    folder = Path(builder.data_dir)
    return _Source(
        place=str(folder),
        train_count=builder.info.splits["train"].num_examples,
        test_count=builder.info.splits["test"].num_examples,
        contents=lambda: itertools.chain.from_iterable(
            tfds_pictures(builder, part) for part in ("train", "test")
        ),
        name=lambda index: f"example {index}",
        fingerprints=lambda: [fingerprint(folder, sorted(folder.iterdir()))],
    )


def _local(path: Path) -> _Source:
    place = _pictures_at(path.expanduser())
    if place.is_dir():
        return _folder_source(place)
    try:
        with zipfile.ZipFile(place) as archive:
            return _archive_source(place, archive)
    # The second for what only later versions of the format have, or bytes that look so.
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise CelebAError(_no_archive(place, error)) from error


def _pictures_at(path: Path) -> Path:
    """The folder of the pictures, or their archive."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise CelebAError(f"Expected the files of CelebA at {path}. Received: nothing is there.")
    # As published, and as some mirrors unpack it: one folder within another of the same name.
    for name in (f"{FOLDER}/{FOLDER}", f"Img/{FOLDER}", FOLDER, "."):
        if (path / name).is_dir() and any((path / name).glob("*.jpg")):
            return path / name
    for name in (ARCHIVE, f"Img/{ARCHIVE}"):
        if (path / name).is_file():
            return path / name
    raise CelebAError(
        f"Expected {FOLDER}/ with pictures or {ARCHIVE} in {path}. Received: neither.\n{REMEDY}"
    )


def _no_archive(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        start = file.read(200).lower()
    what = f"no whole archive ({error})"
    if b"<html" in start or b"<!doctype" in start:
        what = "a web page: the drive answered with its excuse in place of the file"
    return f"Expected the archive of CelebA in {path}. Received: {what}.\n{REMEDY}"


def _folder_source(folder: Path) -> _Source:
    partition = _partition_near(folder, [folder, folder.parent, folder.parent.parent])
    present = {entry.name for entry in os.scandir(folder) if entry.name.endswith(".jpg")}
    train, test = _parts(partition.read_bytes(), str(partition), present, str(folder))
    names = [*train, *test]
    return _Source(
        place=str(folder),
        train_count=len(train),
        test_count=len(test),
        contents=lambda: (folder / name for name in names),
        name=lambda index: names[index],
        fingerprints=lambda: [
            fingerprint(folder, [folder / name for name in names]),
            fingerprint(partition, [partition]),
        ],
    )


def _archive_source(path: Path, archive: zipfile.ZipFile) -> _Source:
    members = _members(path, archive)
    sources = [path]
    if PARTITION in members:
        where = f"{path}, {members[PARTITION]}"
        content = _member(path, archive, members[PARTITION])
    else:
        sources.append(_partition_near(path, [path.parent, path.parent.parent]))
        where = str(sources[1])
        content = sources[1].read_bytes()
    pictures = {name for name in members if name.endswith(".jpg")}
    train, test = _parts(content, where, pictures, str(path))
    names = [*train, *test]

    def contents() -> Iterator[bytes]:
        with zipfile.ZipFile(path) as opened:
            for name in names:
                yield _member(path, opened, members[name])

    return _Source(
        place=str(path),
        train_count=len(train),
        test_count=len(test),
        contents=contents,
        name=lambda index: names[index],
        fingerprints=lambda: [fingerprint(source, [source]) for source in sources],
    )


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, str]:
    """The pictures and the partition file of an archive: names without and with their folders.

    Raises:
        CelebAError: if a name would escape the folder that the archive is unpacked to, though
            nothing is unpacked here: such an archive is not the authors'; or if a name is there
            twice.
    """
    members: dict[str, str] = {}
    for member in archive.namelist():
        place = PurePosixPath(member)
        if place.is_absolute() or ".." in place.parts or re.match(r"[A-Za-z]:|.*\\", member):
            raise CelebAError(
                f"Expected names within the archive's own folder in {path}. Received: {member}, "
                "which leads out of it. This is not the archive of CelebA's authors."
            )
        name = place.name
        if "__MACOSX" in place.parts or not (name.endswith(".jpg") or name == PARTITION):
            continue
        if name in members:
            raise CelebAError(
                f"Expected each name once in {path}. Received: {members[name]} and {member}."
            )
        members[name] = member
    return members


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > MAXIMUM_BYTES:
        raise CelebAError(
            f"Expected at most {MAXIMUM_BYTES} bytes in {name} of {path}. Received: {size}."
        )
    try:
        return archive.read(name)
    # zipfile has no error of its own for what is encrypted (RuntimeError) or packed in a way it
    # does not know (NotImplementedError), and passes on zlib's.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise CelebAError(
            f"Expected {name} to be whole in {path}. Received: {error}. Fetch the archive again."
        ) from error


# --------------------------------------------------------------------------------- the partition


def _partition_near(pictures: Path, folders: list[Path]) -> Path:
    places = [
        place for folder in folders for place in (folder / PARTITION, folder / "Eval" / PARTITION)
    ]
    for place in places:
        if place.is_file():
            return place
    raise CelebAError(
        f"Expected {PARTITION} for {pictures}, beside it or inside it. Received: none of "
        f"{', '.join(str(place) for place in places)}.\n{REMEDY}"
    )


def _parts(
    content: bytes, where: str, present: Collection[str], place: str
) -> tuple[list[str], list[str]]:
    """The names of the training and of the test pictures, as the partition file lists them.

    Raises:
        CelebAError: if a line is malformed or there twice, or if the lines and the pictures are
            not each other's.
    """
    lines: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(content.decode("utf-8", "backslashreplace").splitlines(), 1):
        if not line.strip():
            continue
        fields = line.split()
        if len(fields) != 2 or fields[1] not in PARTS or not re.fullmatch(NAME, fields[0]):
            raise CelebAError(
                f"{where}, line {number}: expected the name of a .jpg and 0, 1 or 2, such as "
                f'"000001.jpg 0". Received: "{line[:80]}".'
            )
        if fields[0] in lines:
            raise CelebAError(
                f"{where}, line {number}: expected each picture once. Received: {fields[0]}, "
                f"which line {lines[fields[0]][0]} has already."
            )
        lines[fields[0]] = number, fields[1]
    _check_complete(lines, where, present, place)
    train = [name for name, (_, part) in lines.items() if part == TRAIN]
    test = [name for name, (_, part) in lines.items() if part == TEST]
    if not train or not test:
        part = f"test pictures ({TEST})" if train else f"training pictures ({TRAIN})"
        raise CelebAError(f"Expected both parts in {where}. Received: no {part}.")
    return train, test


def _check_complete(
    lines: Mapping[str, tuple[int, str]], where: str, present: Collection[str], place: str
) -> None:
    extra = [f"line {number}: {name}" for name, (number, _) in lines.items() if name not in present]
    if extra:
        raise CelebAError(
            f"{where}: expected lines for the pictures in {place} only. Received {len(extra)} "
            f"for pictures that are not there:{quoted_list(extra)}\n"
            "Fetch the missing pictures, or remove these lines."
        )
    missing = sorted(set(present) - set(lines))
    if missing:
        raise CelebAError(
            f"{where}: expected a line for each picture in {place}. Received none for "
            f"{len(missing)}:{quoted_list(missing)}\nFetch the file again, or remove the pictures."
        )
