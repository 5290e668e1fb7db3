"""CelebA: faces of celebrities (Liu, Luo, Wang and Tang, ICCV 2015), aligned, 178 x 218 pixels.

Read from the files of its authors, or through TensorFlow Datasets.
"""

import codecs
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from logan.datasets.frame_cache import fingerprint
from logan.datasets.local_copy import Layout, LocalCopy
from logan.datasets.pictures import (
    Box,
    central_square,
    check_picture_settings,
    fit,
    quoted_list,
    read_picture,
)
from logan.datasets.published import Source, catalog_source, load_parts
from logan.errors import UserError

__all__ = ["CelebAError", "load_celeb_a"]

ARCHIVE = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
# As its authors publish it, and as Kaggle does.
PARTITIONS = (PARTITION, "list_eval_partition.csv")
CSV_HEADER = ["image_id", "partition"]
WIDTH = 178
PARTS = TRAIN, _, TEST = "0", "1", "2"  # the middle one is for validation
NAME = r"[^/\\]+\.(jpg|png)"

HOMEPAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
# The face, as in DCGAN's code.
CROP_SIDE = 108
REMEDY = f"""The drive that CelebA is downloaded from often refuses; then fetch it by hand:
  1. Open {HOMEPAGE} and go on to its download.
  2. Fetch Img/{ARCHIVE} (1.4 GB; there is no need to unpack it) and Eval/{PARTITION}.
  3. Put both into one folder and give that folder: --data=FOLDER.
Kaggle's archive.zip of celeba-dataset does as well: --data=archive.zip."""


class CelebAError(UserError):
    """CelebA is missing, incomplete or damaged; the message names the file and says how."""


LAYOUT = Layout(
    title="CelebA",
    folders=("img_align_celeba", "img_align_celeba_png"),
    archives=(ARCHIVE, "archive.zip", "celeba-dataset.zip"),
    # As its authors and torchvision put it, and as mirrors unpack it: a folder within another of
    # its name.
    within=("img_align_celeba", "img_align_celeba_png", "Img", "CelebA/Img", "celeba"),
    files=("*.jpg", "*.png"),
    # An aligned picture has about 7 KB: what claims to be so much larger is none.
    maximum_bytes=2**25,
    others=PARTITIONS,
    error=CelebAError,
    remedy=REMEDY,
)


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
        path: a folder with `img_align_celeba/` or `img_align_celeba.zip`, or one of these two;
            a tar and the pictures as png do as well. `list_eval_partition.txt` lies beside it,
            inside it, or in `Eval/` as its authors put it. Or Kaggle's `archive.zip`, or its
            folder, with `list_eval_partition.csv`. Archives are read in place. None means
            TensorFlow Datasets.
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
    source = (
        catalog_source(
            "celeb_a", data_dir, show_progress=show_progress, error=CelebAError, remedy=REMEDY
        )
        if path is None
        else _local_source(Path(path))
    )

    def decode(content: Path | bytes) -> np.ndarray:
        image = read_picture(io.BytesIO(content) if isinstance(content, bytes) else content)
        return fit(image, central_square(image.size, crop_side), size, channels)

    return load_parts(
        source,
        decode,
        (size, size, channels),
        settings={
            "reader": "celeb_a",
            "size": size,
            "channels": channels,
            "crop_side": crop_side,
        },
        error=CelebAError,
        cache_dir=cache_dir,
        show_progress=show_progress,
    )


def face_square(image_size: tuple[int, int]) -> Box:
    """What `load_celeb_a` takes of an aligned picture, in a picture of any size.

    Args:
        image_size: width and height in pixels.

    Returns:
        (left, top, right, bottom) of the square in the middle that has 108 of 178 parts of the
        shorter side.
    """
    return central_square(image_size, max(1, round(min(image_size) * CROP_SIDE / WIDTH)))


# -------------------------------------------------------------------------------- one's own copy


def _local_source(path: Path) -> Source:
    copy = LocalCopy(path, LAYOUT)
    content, where, beside = _partition(copy)
    train, test = _parts(content, where, _by_stem(copy), str(copy.place))
    names = [*train, *test]
    return Source(
        place=str(copy.place),
        train_count=len(train),
        test_count=len(test),
        contents=lambda: copy.contents(names),
        name=lambda index: names[index],
        fingerprints=lambda: [
            *copy.fingerprints(names),
            *(fingerprint(file, [file]) for file in beside),
        ],
    )


def _by_stem(copy: LocalCopy) -> dict[str, str]:
    """The pictures by their names without suffix: the partition file lists those of png as jpg."""
    pictures: dict[str, str] = {}
    for name in copy.names:
        stem = Path(name).stem
        if name in PARTITIONS:
            continue
        if stem in pictures:
            raise CelebAError(
                f"Expected each picture once in {copy.place}. Received: {pictures[stem]} and "
                f"{name}."
            )
        pictures[stem] = name
    return pictures


def _partition(copy: LocalCopy) -> tuple[bytes, str, list[Path]]:
    """The partition file's content, its name for messages, and itself if it is no archive's."""
    for name in PARTITIONS:
        if name in copy.names:
            (content,) = copy.contents([name])
            return bytes(content), copy.where(name), []
    near = [copy.place, copy.place.parent, copy.place.parent.parent]
    folders = [place for folder in near for place in (folder, folder / "Eval")]
    for place in (folder / name for folder in folders for name in PARTITIONS):
        if place.is_file():
            return place.read_bytes(), str(place), [place]
    raise CelebAError(
        f"Expected {PARTITION}, or .csv, for {copy.place}, beside it or inside it. Received: none "
        f"in {', '.join(str(folder) for folder in folders)}.\n{REMEDY}"
    )


# --------------------------------------------------------------------------------- the partition


def _parts(
    content: bytes, where: str, present: Mapping[str, str], place: str
) -> tuple[list[str], list[str]]:
    """The names of the training and of the test pictures, as the partition file lists them.

    Args:
        content: of the partition file, lines of a name and a part with a space or a comma between.
        where: names the file in messages.
        present: the pictures by their names without suffix.
        place: names where they are.

    Raises:
        CelebAError: if a line is malformed or there twice, or if the lines and the pictures are
            not each other's.
    """
    lines: dict[str, tuple[int, str, str]] = {}
    for number, line in enumerate(_text(content).splitlines(), 1):
        fields = re.split(r"\s*,\s*|\s+", line.strip().replace('"', ""))
        if fields == [""] or (number == 1 and fields == CSV_HEADER):
            continue
        if len(fields) != 2 or fields[1] not in PARTS or not re.fullmatch(NAME, fields[0]):
            raise CelebAError(
                f"{where}, line {number}: expected the name of a picture and 0, 1 or 2, such as "
                f'"000001.jpg 0". Received: "{line[:80]}".'
            )
        stem = Path(fields[0]).stem
        if stem in lines:
            raise CelebAError(
                f"{where}, line {number}: expected each picture once. Received: {fields[0]}, "
                f"which line {lines[stem][0]} has already."
            )
        lines[stem] = number, fields[0], fields[1]
    _check_complete(lines, where, present, place)
    train = [present[stem] for stem, (_, _, part) in lines.items() if part == TRAIN]
    test = [present[stem] for stem, (_, _, part) in lines.items() if part == TEST]
    if not train or not test:
        part = f"test pictures ({TEST})" if train else f"training pictures ({TRAIN})"
        raise CelebAError(f"Expected both parts in {where}. Received: no {part}.")
    return train, test


def _text(content: bytes) -> str:
    """The text of a file that may begin with a byte order mark, as Windows's editors write."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf_16 else "utf-8-sig", "backslashreplace")


def _check_complete(
    lines: Mapping[str, tuple[int, str, str]], where: str, present: Mapping[str, str], place: str
) -> None:
    extra = [
        f"line {number}: {name}" for stem, (number, name, _) in lines.items() if stem not in present
    ]
    if extra:
        raise CelebAError(
            f"{where}: expected lines for the pictures in {place} only. Received {len(extra)} "
            f"for pictures that are not there:{quoted_list(extra)}\n"
            "Fetch the missing pictures, or remove these lines."
        )
    missing = sorted(name for stem, name in present.items() if stem not in lines)
    if missing:
        raise CelebAError(
            f"{where}: expected a line for each picture in {place}. Received none for "
            f"{len(missing)}:{quoted_list(missing)}\nFetch the file again, or remove the pictures."
        )
