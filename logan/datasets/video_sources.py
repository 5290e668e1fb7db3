"""What a path of `--video` names: video files, folders of clips or of pictures, patterns."""

import dataclasses
import glob
import os
from collections.abc import Sequence
from pathlib import Path

from logan.datasets.picture_files import picture_files
from logan.datasets.picture_formats import PICTURE_SUFFIXES
from logan.datasets.pictures import natural_order
from logan.datasets.video_file import VideoError
from logan.files import matching

__all__ = ["Source", "find_sources"]

PathLike = str | os.PathLike[str]

# A file that is named itself may be called as it likes.
VIDEO_SUFFIXES = frozenset((
    ".3gp", ".asf", ".avi", ".dav", ".divx", ".flv", ".h264", ".h265", ".hevc", ".m2ts", ".m4v",
    ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts",
    ".vob", ".webm", ".wmv",
))  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Source:
    """A video file, or the clips or pictures of a folder or a pattern in natural order.

    Attributes:
        path: the file, the folder or the pattern.
        files: the file, or the files that the folder holds or the pattern matches.
        is_pictures: whether the files are pictures, which have no time.
    """

    path: Path
    files: tuple[Path, ...]
    is_pictures: bool = False


def find_sources(paths: PathLike | Sequence[PathLike]) -> list[Source]:
    """What the paths name, in their order; what a pattern matches in natural order.

    Args:
        paths: files, folders, or patterns such as `clips/*.mp4`; one or several. What exists under
            a name with `*`, `?` or `[` is taken for itself.

    Raises:
        ValueError: if there is no path.
        VideoError: if nothing is there, or it can be no video.
    """
    several = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not several:
        raise ValueError("Expected at least one video. Received: no path.")
    # A shell leaves the tilde of `--video=~/junction.mp4` to the program.
    return [_source(Path(path).expanduser()) for path in several]


def _source(path: Path) -> Source:
    if not path.exists() and glob.has_magic(str(path)):
        return _pattern(path)
    if not path.exists():
        raise VideoError(
            f"Expected a video file or a folder of pictures or clips at {path}. Received: nothing "
            "is there."
        )
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise VideoError(f"Expected a regular file at {path}. Received: a device or a pipe.")
    _check_not_empty(path)
    return Source(path, (path,))


def _pattern(path: Path) -> Source:
    found = sorted(matching(path), key=lambda one: natural_order(str(one)))
    matches = [_match(one) for one in found]
    if not matches:
        raise VideoError(f"Expected videos that match {path}. Received: nothing matches.")
    first = matches[0]
    for other in matches:
        if other.is_pictures != first.is_pictures:
            raise VideoError(
                f"Expected clips or pictures that match {path}. Received: both, {first.path} and "
                f"{other.path} among them."
            )
    return Source(path, tuple(file for one in matches for file in one.files), first.is_pictures)


def _match(path: Path) -> Source:
    source = _source(path)
    # Named by itself, an animation is a video.
    is_picture = path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES
    return dataclasses.replace(source, is_pictures=source.is_pictures or is_picture)


def _folder(path: Path) -> Source:
    clips = _clips(path)
    with picture_files(path, sub_folders=False) as files:
        # Those that cannot be read as well: reading them says why.
        names = sorted([*files.names, *files.problems], key=natural_order)
        others = f" It holds {files.told_others()}." if files.others else ""
        if names and not clips:
            files.tell_others()
    pictures = [path / name for name in names]
    if pictures and clips:
        # One of the two may be previews of the other: which, only its owner knows.
        raise VideoError(
            f"Expected a folder of pictures or of clips at {path}. Received: both, {clips[0].name} "
            f"and {pictures[0].name} among them. Say which by a pattern, such as "
            f"{path / ('*' + clips[0].suffix)}."
        )
    if not pictures and not clips:
        raise VideoError(
            f"Expected a video file or a folder of pictures or clips at {path}. Received: a folder "
            f"without pictures or clips ({', '.join(sorted(VIDEO_SUFFIXES))}).{others}"
        )
    for clip in clips:
        _check_not_empty(clip)
    return Source(path, (*pictures, *clips), is_pictures=bool(pictures))


def _clips(folder: Path) -> list[Path]:
    """The folder's videos in natural order; hidden files are left out."""
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in VIDEO_SUFFIXES and path.name[0] != "." and path.is_file()
    ]
    return sorted(found, key=lambda path: natural_order(path.name))


def _check_not_empty(path: Path) -> None:
    if path.stat().st_size == 0:
        raise VideoError(f"Expected a video in {path}. Received: an empty file (0 bytes).")
