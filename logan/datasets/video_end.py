"""Whether a video file was read to a clean end, or is cut off."""

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import av.container
import av.video.stream

__all__ = ["EndJudge"]

# An AVI file with fewer than this share of its declared frames is taken for cut off: recorders
# count a few too many.
_COMPLETE_SHARE = 0.95
_EBML_HEADER, _SEGMENT = 0x1A45DFA3, 0x18538067


class EndJudge:
    """Follows a file's packets and tells at their end whether some are missing.

    A container's duration does not tell: sound or subtitles may outlast the picture, the clock of
    a recorder's segments does not begin at 0, a stream may begin within a group of pictures, and
    the last frame may be shown for long. Instead:

    - MP4 and MOV: the index of the picture's stream says how many packets it has;
    - AVI: the header of the picture's stream says how many frames it has; if some of them do not
      matter, the file is to be as long as its outermost chunks say;
    - Matroska and WebM: the file is to be as long as its outermost elements say;
    - others: the last packet is to be whole. Transport streams may be cut anywhere.
    """

    def __init__(
        self,
        path: Path,
        container: av.container.InputContainer,
        stream: av.video.stream.VideoStream,
        frame_seconds: Fraction,
    ):
        self._path = path
        self._container = container
        self._formats = set(container.format.name.split(","))
        self._stream = stream
        self._frame_seconds = frame_seconds
        self._packets = 0
        self._end = Fraction(0)
        self._is_last_whole = True

    def see(self, packet: av.Packet) -> None:
        """Takes note of a packet; to be told of those of all streams, in the file's order."""
        self._is_last_whole = not packet.is_corrupt
        if packet.stream_index != self._stream.index:
            return
        self._packets += 1
        if packet.dts is not None:
            self._end = max(self._end, packet.dts * packet.time_base + self._frame_seconds)

    def is_clean(self, *, needs_all: bool) -> bool:
        """Whether nothing is missing; to be asked after the last packet.

        Args:
            needs_all: whether also frames at the beginning matter.
        """
        if "mov" in self._formats:
            return self._packets >= len(self._stream.index_entries)
        if "avi" in self._formats and not needs_all:
            return not _is_riff_cut(self._path)
        if "avi" in self._formats:
            frames = max(self._packets, self._end / self._frame_seconds)
            return frames >= _COMPLETE_SHARE * self._stream.frames
        if "matroska" in self._formats:
            return not _is_matroska_cut(self._path)
        return self._is_last_whole or "mpegts" in self._formats

    def declared(self) -> str:
        """What the file promises, in words."""
        stream, frames = self._stream, self._stream.frames
        if "avi" in self._formats and frames:
            # FFmpeg estimates the duration of a cut AVI anew; its header holds the old count.
            seconds = frames * self._frame_seconds
        elif stream.duration is not None:
            seconds = stream.duration * (stream.time_base or Fraction(0))
        else:
            start = (stream.start_time or 0) * (stream.time_base or Fraction(0))
            seconds = Fraction(self._container.duration or 0, av.time_base) - start
        frames = frames or round(seconds / self._frame_seconds)
        return f"{frames} frames ({float(seconds):.1f} s)" if frames > 0 else "an intact video"


def _is_riff_cut(path: Path) -> bool:
    """Whether the outermost chunks of an AVI file, of which large files have several, are cut."""
    length = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position < length:
            file.seek(position)
            name, size = file.read(4), int.from_bytes(file.read(4), "little")
            # Behind the video may lie anything; a recorder that was stopped leaves no size.
            if name != b"RIFF" or not size:
                return False
            position = file.tell() + size
    # Some recorders count the chunk's own header too.
    return position > length + 8


def _is_matroska_cut(path: Path) -> bool:
    """Whether the outermost elements of an EBML file (RFC 8794) reach beyond its end."""
    length = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position < length:
            file.seek(position)
            identifier, _ = _variable_integer(file, keeps_marker=True)
            size, is_unknown = _variable_integer(file, keeps_marker=False)
            # Of unknown size is what a recorder did not finish; behind a file may lie anything.
            if is_unknown or (position and identifier not in (_EBML_HEADER, _SEGMENT)):
                return False
            position = file.tell() + size
    return position > length


def _variable_integer(file: BinaryIO, *, keeps_marker: bool) -> tuple[int, bool]:
    """A number whose leading zero bits say its length, and whether it is the reserved one."""
    first = file.read(1)
    count = 8 - first[0].bit_length() if first and first[0] else 0
    value = int.from_bytes(first + file.read(count), "big")
    marker = 1 << (7 * (count + 1))
    without = value & (marker - 1)
    return (value if keeps_marker else without), without == marker - 1
