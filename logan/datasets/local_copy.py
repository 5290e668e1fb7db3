"""A published set in a copy of one's own: a folder, or an archive (zip, tar) read in place."""

import contextlib
import dataclasses
import fnmatch
import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from logan.datasets.frame_cache import fingerprint
from logan.errors import UserError

__all__ = ["Layout", "LocalCopy"]

# The files of an archive as (name, bytes), and what reads one of them by its name.
Archive = tuple[list[tuple[str, int]], Callable[[str], bytes]]


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a published set consists of.

    Attributes:
        title: its name.
        folders: the folders that its archives unpack to; messages name the first.
        archives: its archives, zip or tar; messages name the first.
        within: folders in which either may lie, besides the one that is given.
        files: patterns of its files' names, as of a shell.
        maximum_bytes: of one file.
        others: names of further files that the archive may hold.
        error: what to raise.
        remedy: how to get the set; ends messages.
    """

    title: str
    folders: tuple[str, ...]
    archives: tuple[str, ...]
    within: tuple[str, ...]
    files: tuple[str, ...]
    maximum_bytes: int
    others: tuple[str, ...]
    error: type[UserError]
    remedy: str

    def is_file(self, name: str) -> bool:
        """Whether a name without folders is that of a file of the set; none that is hidden is."""
        # A Mac puts ._000001.jpg beside 000001.jpg on foreign disks.
        return not name.startswith(".") and any(
            fnmatch.fnmatchcase(name, pattern) for pattern in self.files
        )


class LocalCopy:
    """The files of a set in a folder or an archive, by their names without folders.

    Attributes:
        place: the folder or the archive.
        names: of the files that are there.
    """

    def __init__(self, path: Path, layout: Layout):
        """Finds the files.

        Args:
            path: a folder with the set's folder or archive, or one of these two.
            layout: what the set consists of.

        Raises:
            UserError: of the layout's class, if there is no copy, or if the archive is damaged,
                has a name twice, or a name that would escape the folder that it is unpacked to.
                Nothing is unpacked here, but such an archive is not the authors'.
        """
        self._layout = layout
        self.place = _find(path.expanduser(), layout)
        self._members: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        if self.place.is_dir():
            entries = sorted(entry.name for entry in os.scandir(self.place))
            self.names = [name for name in entries if layout.is_file(name)]
        else:
            self._list_members()
            self.names = list(self._members)

    def size(self, name: str) -> int:
        """Bytes of a file.

        Raises:
            UserError: of the layout's class, if it is larger than any file of the set.
        """
        size = self._sizes[name] if self._members else (self.place / name).stat().st_size
        if size > self._layout.maximum_bytes:
            raise self._layout.error(
                f"Expected at most {self._layout.maximum_bytes} bytes in "
                f"{self._members.get(name, name)} of {self.place}. Received: {size}."
            )
        return size

    def where(self, name: str) -> str:
        """Names a file in messages."""
        return f"{self.place}, {self._members.get(name, name)}"

    def contents(self, names: Sequence[str]) -> Iterator[Path | bytes]:
        """Yields for each name its path in the folder, or its bytes in the archive.

        Raises:
            UserError: of the layout's class, if a file of the archive is damaged or too large.
        """
        if self.place.is_dir():
            yield from (self.place / name for name in names)
            return
        with self._opened() as (_, read):
            for name in names:
                self.size(name)
                try:
                    content = read(self._members[name])
                # Neither zipfile nor tarfile has one error for all that can be damaged.
                except Exception as error:
                    raise self._layout.error(
                        f"Expected {self._members[name]} to be whole in {self.place}. Received: "
                        f"{error}. Fetch the archive again."
                    ) from error
                yield content

    def fingerprints(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """What tells changed files from unchanged ones."""
        files = [self.place / name for name in names] if self.place.is_dir() else [self.place]
        return [fingerprint(self.place, files)]

    def _list_members(self) -> None:
        layout = self._layout
        with self._opened() as (files, _):
            for member, size in files:
                place = PurePosixPath(member)
                if (
                    place.is_absolute()
                    or ".." in place.parts
                    or re.match(r"[A-Za-z]:|.*\\", member)
                ):
                    raise layout.error(
                        f"Expected names within the archive's own folder in {self.place}. "
                        f"Received: {member}, which leads out of it. This is not the archive of "
                        f"{layout.title}'s authors."
                    )
                is_wanted = layout.is_file(place.name) or place.name in layout.others
                if "__MACOSX" in place.parts or not is_wanted:
                    continue
                if place.name in self._members:
                    raise layout.error(
                        f"Expected each name once in {self.place}. Received: "
                        f"{self._members[place.name]} and {member}."
                    )
                self._members[place.name], self._sizes[place.name] = member, size

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Archive]:
        with contextlib.ExitStack() as stack:
            start = b""
            try:
                with self.place.open("rb") as file:
                    start = file.read(200).lower()
                opened = _zip if start.startswith(b"pk") else _tar
                archive = stack.enter_context(opened(self.place))
            except Exception as error:
                raise self._layout.error(self._no_archive(start, error)) from error
            yield archive

    def _no_archive(self, start: bytes, error: Exception) -> str:
        what = f"no whole archive ({error})"
        if b"<html" in start or b"<!doctype" in start:
            what = "a web page: the server answered with its excuse in place of the file"
        return (
            f"Expected the archive {self._layout.archives[0]}, whole, in {self.place}. Received: "
            f"{what}.\n{self._layout.remedy}"
        )


def _find(path: Path, layout: Layout) -> Path:
    """The folder of the files, or their archive."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise layout.error(
            f"Expected the files of {layout.title} at {path}. Received: nothing is there."
        )
    places = [path / name for name in (*layout.within, ".")]
    folders = [place / name for name in layout.folders for place in places]
    for folder in (*folders, path):
        if folder.is_dir() and any(layout.is_file(entry.name) for entry in folder.iterdir()):
            return folder
    for archive in (place / name for name in layout.archives for place in places):
        if archive.is_file():
            return archive
    raise layout.error(
        f"Expected {layout.folders[0]}/ with its files, or {layout.archives[0]}, in {path}. "
        f"Received: neither.\n{layout.remedy}"
    )


@contextlib.contextmanager
def _zip(path: Path) -> Iterator[Archive]:
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        yield [(member.filename, member.file_size) for member in members], archive.read


@contextlib.contextmanager
def _tar(path: Path) -> Iterator[Archive]:
    with tarfile.open(path) as archive:
        # Links are left out: they could lead anywhere.
        members = {member.name: member for member in archive if member.isreg()}

        def read(name: str) -> bytes:
            file = archive.extractfile(members[name])
            return file.read() if file else b""

        files = [(member.name, member.size) for member in archive.getmembers() if member.isreg()]
        yield files, read
