"""The pictures of a folder, or of a zip archive that is read in place, and what else lies there."""

import collections
import contextlib
import dataclasses
import functools
import io
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from logan.datasets.frame_cache import fingerprint
from logan.datasets.picture_formats import (
    HEIF_HINT,
    HEIF_SUFFIXES,
    PICTURE_SUFFIXES,
    START_BYTES,
    is_heif,
    looks_like_picture,
)
from logan.datasets.pictures import PictureError, natural_order
from logan.errors import UserError

__all__ = ["ImageFolderError", "PictureFiles", "picture_files"]

# A picture of 200 megapixels has up to 300 MB as PNG.
MAXIMUM_MEMBER_BYTES = 2**29
ENCRYPTED = 1  # bit of a member's flags
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
KINDS_TOLD = 8


class ImageFolderError(UserError):
    """A folder of pictures that cannot be used; the message names it and says why."""


@dataclasses.dataclass
class PictureFiles:
    """What a folder or an archive holds.

    Attributes:
        place: the folder or the archive.
        open: gives a picture by its name, as `read_picture` takes it; raises PictureError.
        names: pictures by their paths within the place, in natural order.
        problems: what cannot even be opened, with the reason.
        others: how many files of which kind are no pictures that can be read.
    """

    place: Path
    open: Callable[[str], Path | BinaryIO]
    names: list[str] = dataclasses.field(default_factory=list)
    problems: dict[str, str] = dataclasses.field(default_factory=dict)
    others: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def fingerprint(self) -> dict[str, Any]:
        """What tells changed files from unchanged ones."""
        is_folder = self.place.is_dir()
        files = [self.place / name for name in self.names] if is_folder else [self.place]
        return fingerprint(self.place, files)

    def told_others(self) -> str:
        """What is left out, in a line, such as "3 .txt, 1 .mp4"; empty if nothing is."""
        told = [f"{count} {kind}" for kind, count in self.others.most_common(KINDS_TOLD)]
        rest = self.others.total() - sum(count for _, count in self.others.most_common(KINDS_TOLD))
        told += [f"{rest} of other kinds"] if rest else []
        hint = f" ({HEIF_HINT})" if any("hei" in kind for kind in self.others) else ""
        return ", ".join(told) + hint

    def tell_others(self) -> None:
        """Says on stderr, in a line, what is left out."""
        if self.others:
            print(f"Left out of {self.place}: {self.told_others()}", file=sys.stderr)

    def _note(self, name: str, start: Callable[[], bytes]) -> None:
        """Enters a file, whose first bytes are asked for only if its name does not tell."""
        file_name = name.rpartition("/")[2]
        suffix = Path(file_name).suffix.lower()
        if file_name.startswith("."):
            self.others[_hidden_kind(file_name)] += 1
        elif suffix in PICTURE_SUFFIXES:
            self.names.append(name)
        else:
            content = start()
            if looks_like_picture(content, suffix):
                self.names.append(name)
            elif is_heif(content) and suffix not in HEIF_SUFFIXES:
                self.others[f"{suffix or 'without suffix'} (heic)"] += 1
            else:
                self.others[suffix or "without suffix"] += 1

    def _sort(self) -> None:
        self.names.sort(key=lambda name: [natural_order(part) for part in name.split("/")])


def _hidden_kind(name: str) -> str:
    """A Mac leaves ._ files beside all others on foreign disks."""
    if name.startswith("._"):
        return "._*"
    suffix = Path(name).suffix.lower()
    return f"hidden {suffix}" if suffix else name


@contextlib.contextmanager
def picture_files(path: Path, *, sub_folders: bool = True) -> Iterator[PictureFiles]:
    """A block in which the pictures of a folder, of any depth, or of a zip archive can be read.

    Pictures are told from other files by their suffix, and where it says nothing by their first
    bytes. Hidden files and folders are left out. In a folder links are followed, and no folder is
    read twice.

    Args:
        path: the folder or the archive.
        sub_folders: whether to look into those of a folder.

    Raises:
        ImageFolderError: if it is missing, neither, or an archive that is damaged or encrypted.
    """
    if not path.exists():
        raise ImageFolderError(
            f"Expected a folder of pictures at {path}. Received: nothing is there."
        )
    if path.is_dir():
        yield _in_folder(path, sub_folders)
        return
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            files = _in_archive(path, archive)
        except ImageFolderError:
            raise
        # zipfile has no one error for all that can be damaged.
        except Exception as error:
            raise ImageFolderError(_no_archive(path, error)) from error
        yield files


# ------------------------------------------------------------------------------------ a folder


def _in_folder(root: Path, sub_folders: bool) -> PictureFiles:
    files = PictureFiles(root, lambda name: root / name)
    visited: set[tuple[int, int]] = set()
    # Linked folders wait until all real ones are seen: a picture that can be reached both ways
    # counts once, under its real name, and a loop of links ends.
    waiting, links = collections.deque([""]), collections.deque[str]()
    while waiting or links:
        folder = waiting.popleft() if waiting else links.popleft()
        try:
            status = (root / folder).stat()
            identity = status.st_dev, status.st_ino
            if identity in visited:
                continue
            visited.add(identity)
            with os.scandir(root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            files.problems[f"{folder}/"] = error.strerror or str(error)
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if not _is(entry.is_dir):
                _note_file(entry, name, files)
            elif entry.name.startswith("."):
                files.others["hidden folder(s)"] += 1
            elif not sub_folders:
                files.others["sub-folder(s)"] += 1
            else:
                (links if entry.is_symlink() else waiting).append(name)
    files._sort()
    return files


def _note_file(entry: "os.DirEntry[str]", name: str, files: PictureFiles) -> None:
    vouches = Path(name).suffix.lower() in PICTURE_SUFFIXES and not entry.name.startswith(".")
    if not _is(entry.is_file):
        kind = "a broken link" if entry.is_symlink() else "a device or a pipe"
        if vouches:
            files.problems[name] = kind
        else:
            files.others[kind.removeprefix("a ")] += 1
    elif vouches and not os.access(entry.path, os.R_OK):
        # Asked here each time: a change of permissions leaves no trace that the cache would see.
        files.problems[name] = "permission denied"
    else:
        files._note(name, lambda: _start(entry.path))


def _start(path: str) -> bytes:
    """The first bytes of a file; none if it cannot be opened."""
    try:
        with Path(path).open("rb", buffering=0) as file:
            return file.read(START_BYTES)
    except OSError:
        return b""


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; one that cannot be asked, such as a link to itself, is not."""
    try:
        return kind()
    except OSError:
        return False


# ----------------------------------------------------------------------------------- an archive


def _in_archive(path: Path, archive: zipfile.ZipFile) -> PictureFiles:
    # As when it is unpacked, the last of two with one name stays.
    members = {member.filename: member for member in archive.infolist() if not member.is_dir()}
    for member in members.values():
        _check_member(path, member)

    def start(member: zipfile.ZipInfo) -> bytes:
        with archive.open(member) as file:
            return file.read(START_BYTES)

    files = PictureFiles(path, lambda name: _content(archive, members[name]))
    for name, member in members.items():
        if any(part == "__MACOSX" or part.startswith(".") for part in name.split("/")[:-1]):
            files.others["in hidden folders"] += 1
        else:
            files._note(name, functools.partial(start, member))
    files._sort()
    return files


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    if member.flag_bits & ENCRYPTED:
        raise ImageFolderError(
            f"Expected an archive without a password in {path}. Received: {member.filename} is "
            "encrypted. Unpack it, and give the folder."
        )
    if member.compress_type not in METHODS:
        raise ImageFolderError(
            f"Expected {member.filename} deflated or stored in {path}. Received: compression "
            f"method {member.compress_type}, which Python does not know. Unpack the archive, and "
            "give the folder."
        )


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    if member.file_size > MAXIMUM_MEMBER_BYTES:
        raise PictureError(f"{member.file_size} bytes; expected {MAXIMUM_MEMBER_BYTES} at most")
    try:
        return io.BytesIO(archive.read(member))
    # zipfile has no one error for all that can be damaged.
    except Exception as error:
        raise PictureError(f"damaged in the archive: {error}") from error


def _no_archive(path: Path, error: Exception) -> str:
    expected = f"Expected a folder of pictures, or a zip archive of them, at {path}. Received: "
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK" or path.suffix.lower() == ".zip"
    return expected + (f"a damaged archive ({error})." if is_zip else "a file.")
