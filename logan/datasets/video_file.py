"""Frames of one video file with their times, as long as the file is intact."""

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.stream
import av.video.stream
from PIL import Image

from logan.datasets.frame_times import IntervalSampler, RunningClock, exact
from logan.datasets.video_display import as_displayed
from logan.datasets.video_end import EndJudge
from logan.errors import UserError

__all__ = ["VideoError", "read_video"]

# A fault until a frame comes that needs no other one.
_NO_START = "no frame from which decoding can begin"


class VideoError(UserError):
    """A video or a folder of frames that cannot be used; the message names it and says why."""


def read_video(
    path: Path, *, interval: float = 0.0, start: float = 0.0, stop: float | None = None
) -> Iterator[tuple[Fraction, Image.Image]]:
    """Yields the frames to take, as they are displayed, with their seconds after the first one.

    Damage before `start` does not matter if a frame that needs no other one lies between.

    Args:
        path: a regular file.
        interval: seconds between frames; 0 takes all.
        start: seconds after the first frame before which none is taken.
        stop: seconds from which on none is taken; None means the end.

    Raises:
        VideoError: if the file is no video, or is cut off or damaged before `stop`.
    """
    with _opened(path) as (container, stream):
        reader = _Reader(path, container, stream, exact(start))
        sampler = IntervalSampler(interval, start, stop, reader.frame_seconds)
        for seconds, frame, fault in reader.frames():
            if sampler.has_passed(seconds):
                return
            if fault and seconds >= exact(start):
                raise reader.refusal(fault)
            if frame and sampler.takes(seconds):
                yield seconds, as_displayed(frame, stream.sample_aspect_ratio)
        # However little of it was to be taken: who knows what is missing.
        if reader.fault_at_end:
            raise reader.refusal(reader.fault_at_end)


class _Reader:
    """Decodes a file's frames, and says of each whether it can be trusted."""

    def __init__(
        self,
        path: Path,
        container: av.container.InputContainer,
        stream: av.video.stream.VideoStream,
        start: Fraction,
    ):
        stream.thread_type = "AUTO"
        self.frame_seconds = 1 / Fraction(stream.average_rate or stream.guessed_rate or 25)
        self.fault_at_end = ""
        self._path = path
        self._container = container
        self._stream = stream
        self._start = start
        self._judge = EndJudge(path, container, stream, self.frame_seconds)
        self._clock = RunningClock(self.frame_seconds)
        self._first: av.Packet | None = None
        self._fault = ""
        self._intact, self._last_intact = 0, -self.frame_seconds

    def frames(self) -> Iterator[tuple[Fraction, av.VideoFrame | None, str]]:
        """Yields seconds after the first frame, the frame, and what is wrong with it.

        Instead of a frame that cannot be decoded comes None.
        """
        try:
            for packet in self._container.demux():
                if packet.size:
                    self._judge.see(packet)
                if packet.stream_index == self._stream.index:
                    yield from self._decoded(packet)
        except av.FFmpegError as error:
            self._fault = error.strerror
        is_clean = self._judge.is_clean(needs_all=self._start == 0)
        self.fault_at_end = self._fault or ("" if is_clean else "the end of the file")

    def _decoded(self, packet: av.Packet) -> Iterator[tuple[Fraction, av.VideoFrame | None, str]]:
        if self._first is None:
            self._first = packet
            self._fault = "" if packet.is_keyframe else _NO_START
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            if self._fault != _NO_START:
                self._note_lost_frame(error.strerror)
                yield self._clock.next, None, self._fault
            return
        for frame in frames:
            self._note_state(frame)
            # The video begins where it can be shown.
            if self._fault != _NO_START:
                seconds = self._clock.seconds(_stamp(frame))
                if not self._fault:
                    self._intact, self._last_intact = self._intact + 1, seconds
                yield seconds, frame, self._fault

    def _note_lost_frame(self, reason: str) -> None:
        first = self._first
        stamp = None if first is None or first.is_discard else _stamp(first)
        if self._clock.last is None and stamp is not None:
            self._clock.begin(stamp)
        self._fault = reason

    def _note_state(self, frame: av.VideoFrame) -> None:
        if frame.is_corrupt:
            self._fault = self._fault or "a damaged frame"
        elif frame.key_frame:
            self._fault = ""

    def refusal(self, fault: str) -> VideoError:
        """What is raised for a fault."""
        last = self._last_intact
        return VideoError(
            f"Expected {self._judge.declared()} in {self._path}. Received: {self._intact} frames "
            f"(the last at {float(last):.1f} s), then: {fault}. The file is cut off or damaged: "
            f"fetch or re-encode it{self._way_out()}."
        )

    def _way_out(self) -> str:
        # The last intact frame ends the readable part: reading beyond it meets the fault again.
        stop = math.floor(self._last_intact * 10) / 10
        if stop > self._start:
            return (
                f", or stop before (stop_seconds, --video_stop={stop:g} or less) to use what can "
                "be read"
            )
        return (
            ", or begin later (start_seconds, --video_start): frames are intact again from the "
            "next one that needs no other one"
        )


def _stamp(timed: av.VideoFrame | av.Packet) -> Fraction | None:
    """A time stamp in seconds, if there is one."""
    if timed.pts is None or timed.time_base is None:
        return None
    return timed.pts * timed.time_base


@contextlib.contextmanager
def _opened(
    path: Path,
) -> Iterator[tuple[av.container.InputContainer, av.video.stream.VideoStream]]:
    """Opens a file and its moving picture; raises VideoError if it has none."""
    try:
        container = av.open(
            # Without the protocol FFmpeg takes what stands before a colon, as in 12:30.mp4, for it.
            f"file:{path}",
            # Names in metadata need not be valid UTF-8, and are of no interest here.
            metadata_errors="replace",
            # Else a clock that steps back, in files joined by `cat`, counts as one that overflowed.
            options={"correct_ts_overflow": "0"},
        )
    except av.FFmpegError as error:
        raise VideoError(
            f"Expected a video in {path}. Received: a file that FFmpeg cannot open "
            f"({error.strerror}): it is no video, or cut off before its index."
        ) from error
    with container:
        stream = _moving_picture(container)
        # FFmpeg renders any .txt file as if it were a terminal's recording.
        if stream is None or container.format.name == "tty":
            kinds = {_kind(stream) for stream in container.streams} or {"nothing"}
            received = "text" if container.format.name == "tty" else ", ".join(sorted(kinds))
            raise VideoError(f"Expected a video stream in {path}. Received: {received} only.")
        yield container, stream


def _moving_picture(
    container: av.container.InputContainer,
) -> av.video.stream.VideoStream | None:
    best = container.streams.best("video")
    moving = [stream for stream in container.streams.video if not _is_cover(stream)]
    return best if best in moving else next(iter(moving), None)


def _is_cover(stream: av.stream.Stream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _kind(stream: av.stream.Stream) -> str:
    return "a cover picture" if _is_cover(stream) else stream.type
