"""Decoded frames kept on disk: used again as long as their sources and settings stay the same."""

import contextlib
import fcntl
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from logan.files import atomic_path, clear_leftovers, read_json, write_json

# Changes whenever the same sources and settings would give other pixels than before.
CACHE_VERSION = 3

_IDLE_SECONDS = 600  # after which nobody can be writing a file any more

FrameShape = tuple[int, int, int]


def fingerprint(source: Path, files: Sequence[Path]) -> dict[str, Any]:
    """What tells a changed source from an unchanged one without reading it.

    Args:
        source: a video, or a folder of pictures.
        files: the files that it consists of.
    """
    marks = [_mark(file, source) for file in files]
    return {
        # Linux allows names that are not UTF-8; JSON does not.
        "path": str(source.resolve()).encode("utf-8", "backslashreplace").decode(),
        "bytes": sum(size for _, size, _ in marks),
        "files": len(files),
        "digest": hashlib.sha256(repr(marks).encode("utf-8", "backslashreplace")).hexdigest(),
    }


def _mark(file: Path, source: Path) -> tuple[str, int, int]:
    # In a folder with sub-folders the place counts too: it may decide the split.
    name = file.name if file == source else os.path.relpath(file, source)
    status = file.stat()
    return name, status.st_size, status.st_mtime_ns


def cached_frames(
    folder: Path,
    settings: dict[str, Any],
    sources: list[dict[str, Any]],
    shape: FrameShape,
    read: Callable[[], Iterator[np.ndarray]],
    check: Callable[[int], None],
) -> np.ndarray:
    """The frames from the cache, or freshly read and put there.

    Args:
        folder: where the cache lies.
        settings: what the frames were made with, for JSON.
        sources: the `fingerprint` of each source.
        shape: height, width and channels of a frame.
        read: makes the frames, uint8 of that shape.
        check: raises if so many frames are too few; they are not stored then.

    Returns:
        uint8 [frames, *shape], read-only, mapped into memory.
    """
    frames, _ = cached_frames_and_notes(
        folder, settings, sources, shape, read, lambda count, _: check(count), lambda: None
    )
    return frames


def cached_frames_and_notes(
    folder: Path,
    settings: dict[str, Any],
    sources: list[dict[str, Any]],
    shape: FrameShape,
    read: Callable[[], Iterator[np.ndarray]],
    check: Callable[[int, Any], None],
    notes: Callable[[], Any],
) -> tuple[np.ndarray, Any]:
    """As `cached_frames`, with notes that the reading makes, which are kept beside the frames.

    Args:
        folder: where the cache lies.
        settings: what the frames were made with, for JSON.
        sources: the `fingerprint` of each source.
        shape: height, width and channels of a frame.
        read: makes the frames, uint8 of that shape.
        check: given the number of frames and the notes; raises if they will not do, and then
            nothing is stored.
        notes: what to remember of the reading, for JSON; asked once `read` has run to its end.

    Returns:
        (frames, notes): uint8 [frames, *shape], read-only, mapped into memory; and the notes of
        the reading that made them.
    """
    wanted = {"version": CACHE_VERSION, "settings": settings, "sources": sources}
    path = folder / f"frames-{_key(wanted)}.npy"
    # Of processes that were killed: not all file systems let the lock below reach other machines.
    clear_leftovers(folder, f"{path.stem}.*", idle_seconds=_IDLE_SECONDS)
    found = _open(path, wanted, shape)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        with _held(folder / f".{path.stem}.lock"):
            # Another process may have made it while this one waited.
            found = _open(path, wanted, shape) or _make(path, wanted, shape, read, check, notes)
    check(len(found[0]), found[1])
    return found


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Waits until no other process makes what the lock stands for, and keeps them waiting."""
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(
    path: Path,
    wanted: dict[str, Any],
    shape: FrameShape,
    read: Callable[[], Iterator[np.ndarray]],
    check: Callable[[int, Any], None],
    notes: Callable[[], Any],
) -> tuple[np.ndarray, Any]:
    """Reads the frames and puts them at the path, with what they came from beside them."""
    with atomic_path(path) as temporary:
        count, checksum = _write_array(temporary, read(), shape)
        made = {"frames": count, "crc32": checksum, "notes": notes()}
        check(count, made["notes"])
    write_json(path.with_suffix(".json"), wanted | made)
    return np.load(path, mmap_mode="r"), made["notes"]


def _key(wanted: dict[str, Any]) -> str:
    """Names the cache by paths and settings only: a changed source replaces its old frames."""
    named = [wanted["version"], wanted["settings"], [item["path"] for item in wanted["sources"]]]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def _open(path: Path, wanted: dict[str, Any], shape: FrameShape) -> tuple[np.ndarray, Any] | None:
    """The cached frames and their notes, or None if they are absent, stale or damaged."""
    try:
        stored = read_json(path.with_suffix(".json"))
        notes = stored.pop("notes")
        frames = np.load(path, mmap_mode="r")
        expected = wanted | {"frames": len(frames), "crc32": zlib.crc32(frames.data)}
        is_whole = frames.dtype == np.uint8 and frames.shape[1:] == shape
    # A damaged file makes NumPy's reader raise errors of almost any kind; the answer is the same.
    except Exception:
        return None
    return (frames, notes) if is_whole and stored == expected else None


def _write_array(path: Path, frames: Iterator[np.ndarray], shape: FrameShape) -> tuple[int, int]:
    """Writes frames to a .npy file one at a time, so that memory stays flat.

    Returns:
        How many there were, and the CRC-32 of their bytes.
    """
    count, checksum = 0, 0
    with path.open("wb") as file:
        header_end = _write_header(file, 0, shape)
        for frame in frames:
            pixels = frame.tobytes()
            file.write(pixels)
            count, checksum = count + 1, zlib.crc32(pixels, checksum)
        file.seek(0)
        # NumPy pads the header so that the first dimension can grow in place.
        if _write_header(file, count, shape) != header_end:
            raise RuntimeError("NumPy's .npy header grew; its padding was expected to take it up.")
    return count, checksum


def _write_header(file: BinaryIO, count: int, shape: FrameShape) -> int:
    """Writes the .npy header for `count` frames and returns where it ends."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.tell()
