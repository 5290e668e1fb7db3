"""Frames of a fixed camera, from video files or folders of pictures to one uint8 array.

This module decodes with PyAV and Pillow and loads no TensorFlow, so that an unusable video is
refused within a moment of starting a command.
"""

import contextlib
import dataclasses
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.video.stream
import numpy as np
from PIL import Image

from logan.datasets.frame_cache import cached_frames, fingerprint
from logan.datasets.picture_files import picture_files
from logan.datasets.pictures import (
    Picture,
    PictureError,
    crop_box,
    fit,
    natural_order,
    read_picture,
)
from logan.errors import UserError
from logan.settings import is_crop

__all__ = ["FrameSettings", "VideoError", "load_frames"]

PathLike = str | os.PathLike[str]

# A file that covers less of its declared duration than this is taken for cut off.
COMPLETE_SHARE = 0.95


class VideoError(UserError):
    """A video or a folder of frames that cannot be used; the message names it and says why."""


@dataclasses.dataclass(frozen=True)
class FrameSettings:
    """Which frames to take and what to make of them; see `load_frames` for each field."""

    size: int
    channels: int = 3
    interval_seconds: float = 0.0
    start_seconds: float = 0.0
    stop_seconds: float | None = None
    crop: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UserError(f"Expected size of 1 pixel or more. Received: size={self.size}.")
        if self.channels not in (1, 3):
            raise UserError(
                f"Expected channels to be 1 (grey) or 3 (colour). Received: {self.channels}."
            )
        for name in ("interval_seconds", "start_seconds", "stop_seconds"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds < math.inf:
                raise UserError(f"Expected {name} of 0 or more. Received: {seconds}.")
        if self.stop_seconds is not None and self.stop_seconds <= self.start_seconds:
            raise UserError(
                "Expected stop_seconds after start_seconds. Received: "
                f"start_seconds={self.start_seconds}, stop_seconds={self.stop_seconds}."
            )
        if self.crop is not None and not is_crop(self.crop):
            raise UserError(
                "Expected crop as (left, top, width, height) in whole pixels, the first two 0 or "
                f"more, the others 1 or more. Received: crop={self.crop}."
            )


def load_frames(
    paths: PathLike | Sequence[PathLike],
    *,
    size: int,
    channels: int = 3,
    interval_seconds: float = 0.0,
    start_seconds: float = 0.0,
    stop_seconds: float | None = None,
    crop: tuple[int, int, int, int] | None = None,
    minimum_frames: int = 2,
    cache_dir: PathLike | None = None,
) -> np.ndarray:
    """Loads the frames of videos, or of folders of pictures, one source after the other.

    A frame is cropped and then resized with Pillow's Hamming filter. It is antialiased, works in
    both directions, and has no negative lobes: Lanczos and bicubic draw halos around a car,
    which at 32 pixels are as large as the car's details and would count as foreground.
    Transparent pictures are laid over white.

        >>> load_frames("junction.mp4", size=32, interval_seconds=0.5).shape
        (60, 32, 32, 3)

    Args:
        paths: a video file that FFmpeg can read (mp4, avi, mkv, mov, …), a folder of pictures,
            which are taken in natural order (`frame9.png` before `frame10.png`), or several.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        interval_seconds: time between frames, counted by the frames' time stamps: the frame
            nearest to each multiple of the interval is taken. 0 takes every frame. Pictures in
            a folder have no time: they are taken all.
        start_seconds: time before the first frame to take, from the first frame of each video.
        stop_seconds: time of each video from which on no frame is taken; None means its end.
        crop: (left, top, width, height) in pixels of the upright frame; None means the largest
            square in the middle. A crop that is not square is squeezed into the square.
        minimum_frames: how many frames are needed at least, over all sources.
        cache_dir: folder to keep the decoded frames in. They are read from there, mapped into
            memory, until a source (path, size, time of change) or a setting changes.

    Returns:
        uint8 [frames, size, size, channels] in [0, 255]. Read-only when it comes from a cache.

    Raises:
        UserError: if a setting is out of its range.
        VideoError: if a source is missing, empty, no video, cut off, damaged or too short, or
            if the crop reaches beyond its frame. The message names the source.
    """
    sources = _as_paths(paths)
    settings = FrameSettings(size, channels, interval_seconds, start_seconds, stop_seconds, crop)
    for source in sources:
        _check_source(source, settings)
    if cache_dir is not None:
        return cached_frames(
            Path(cache_dir),
            dataclasses.asdict(settings) | {"crop": list(settings.crop or [])},
            [fingerprint(source, _files(source)) for source in sources],
            (size, size, channels),
            read=lambda: _read_sources(sources, settings),
            check=lambda count: _check_enough(count, minimum_frames, sources, settings),
        )
    frames = list(_read_sources(sources, settings))
    _check_enough(len(frames), minimum_frames, sources, settings)
    return np.array(frames, np.uint8).reshape(-1, size, size, channels)


# ------------------------------------------------------------------------------------- sources


def _as_paths(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    several = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not several:
        raise ValueError("Expected at least one video. Received: no path.")
    # A shell leaves the tilde of `--video=~/junction.mp4` to the program.
    return [Path(path).expanduser() for path in several]


def _check_source(path: Path, settings: FrameSettings) -> None:
    if not path.exists():
        raise VideoError(
            f"Expected a video file or a folder of pictures at {path}. Received: nothing is there."
        )
    if path.is_dir():
        _check_folder(path, settings)
    elif not path.is_file():
        raise VideoError(f"Expected a regular file at {path}. Received: a device or a pipe.")
    elif path.stat().st_size == 0:
        raise VideoError(f"Expected a video in {path}. Received: an empty file (0 bytes).")


def _check_folder(path: Path, settings: FrameSettings) -> None:
    with picture_files(path, sub_folders=False) as files:
        if not files.names and not files.problems:
            others = f" It holds {files.told_others()}." if files.others else ""
            raise VideoError(
                f"Expected a video file or a folder of pictures at {path}. Received: a folder "
                f"without pictures.{others}"
            )
        files.tell_others()
    if settings.start_seconds or settings.stop_seconds is not None:
        raise VideoError(
            "Expected a video file for start_seconds and stop_seconds (--video_start, "
            f"--video_stop). Received: {path}, a folder, whose pictures have no time."
        )


def _check_enough(
    count: int, minimum: int, sources: Sequence[Path], settings: FrameSettings
) -> None:
    if count >= minimum:
        return
    names = ", ".join(str(source) for source in sources)
    received = f"Expected at least {minimum} frames from {names}. Received: {count}"
    if settings.interval_seconds and count and not all(source.is_dir() for source in sources):
        # So many intervals fit now; so much shorter must each be for the minimum to fit.
        enough = settings.interval_seconds * max(count - 1, 0.5) / max(minimum - 1, 1)
        raise VideoError(
            f"{received} with one every {settings.interval_seconds:g} s (interval_seconds, "
            "--frame_interval or 1 / --frame_rate). Lower it to "
            f"{math.floor(1000 * enough) / 1000:g} or less, 0 for every frame, or give a longer "
            "video."
        )
    raise VideoError(f"{received}. Give a longer video or a wider range of time.")


def _read_sources(sources: Iterable[Path], settings: FrameSettings) -> Iterator[np.ndarray]:
    """Yields uint8 [size, size, channels] for every frame to take, in order."""
    for source in sources:
        images: Iterator[Picture | Image.Image] = (
            _read_folder(source) if source.is_dir() else _read_video(source, settings)
        )
        for image in images:
            yield _fit(image, settings, source)


# ----------------------------------------------------------------------------- folders of frames


def _pictures(folder: Path) -> list[Path]:
    """The folder's pictures in natural order, also those that cannot be read."""
    with picture_files(folder, sub_folders=False) as files:
        return [folder / n for n in sorted([*files.names, *files.problems], key=natural_order)]


def _files(source: Path) -> list[Path]:
    return _pictures(source) if source.is_dir() else [source]


def _read_folder(folder: Path) -> Iterator[Picture]:
    for path in _pictures(folder):
        try:
            yield read_picture(path)
        except PictureError as error:
            raise VideoError(f"Expected a picture in {path}. Received: {error}.") from error


# ------------------------------------------------------------------------------------ video files


@dataclasses.dataclass(frozen=True)
class _Declared:
    """What the container says of its video stream; 0 where it says nothing."""

    frames: int
    seconds: float

    def __str__(self) -> str:
        if not self.frames and not self.seconds:
            return "an intact video"
        return f"{self.frames} frames ({self.seconds:.1f} s)"


class _IntervalSampler:
    """Chooses the frame nearest to each multiple of an interval, by time and not by number."""

    def __init__(self, settings: FrameSettings, frame_seconds: Fraction) -> None:
        # Exact arithmetic: 3 * 0.1 s is the frame at 0.3 s, however floats would round it.
        self._start = Fraction(str(settings.start_seconds))
        stop = settings.stop_seconds
        self._stop = None if stop is None else Fraction(str(stop))
        self._interval = Fraction(str(settings.interval_seconds))
        self._tolerance = frame_seconds / 2
        self._next = Fraction(0)

    def has_passed(self, seconds: Fraction) -> bool:
        """Whether this time and all later ones lie beyond the part to take."""
        return self._stop is not None and seconds >= self._stop

    def takes(self, seconds: Fraction) -> bool:
        """Whether to take the frame of this time; to be asked for each frame, in order."""
        if seconds < self._start:
            return False
        position = seconds - self._start + self._tolerance
        if position < self._next:
            return False
        if self._interval:
            # After a hole in the recording the next multiple counts, not those that passed.
            self._next = (position // self._interval + 1) * self._interval
        return True


def _read_video(path: Path, settings: FrameSettings) -> Iterator[Image.Image]:
    with _opened(path) as container:
        stream = container.streams.best("video")
        stream.thread_type = "AUTO"
        frame_seconds = 1 / Fraction(stream.average_rate or stream.guessed_rate or 25)
        declared = _declared(container, stream, frame_seconds)
        sampler = _IntervalSampler(settings, frame_seconds)
        read, last = 0, -frame_seconds
        try:
            for seconds, frame in _timed_frames(container, stream, frame_seconds):
                if sampler.has_passed(seconds):
                    return
                if frame.is_corrupt:
                    raise VideoError(_broken(path, declared, read, last, "a damaged frame"))
                read, last = read + 1, seconds
                if sampler.takes(seconds):
                    yield _upright(frame)
        except av.FFmpegError as error:
            raise VideoError(_broken(path, declared, read, last, error.strerror)) from error
        if last + frame_seconds < COMPLETE_SHARE * declared.seconds:
            raise VideoError(_broken(path, declared, read, last, "the end of the file"))


def _timed_frames(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    frame_seconds: Fraction,
) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Yields each frame with its time in seconds after the first."""
    first: Fraction | None = None
    seconds = -frame_seconds
    for frame in container.decode(stream):
        if frame.pts is None or frame.time_base is None:
            seconds += frame_seconds
        else:
            time = frame.pts * frame.time_base
            first = time if first is None else first
            seconds = time - first
        yield seconds, frame


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    """Opens a file that has a video stream; raises VideoError otherwise."""
    try:
        # Names in metadata need not be valid UTF-8, and are of no interest here.
        container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise VideoError(
            f"Expected a video in {path}. Received: a file that FFmpeg cannot open "
            f"({error.strerror}): it is no video, or cut off before its index."
        ) from error
    with container:
        # FFmpeg renders any .txt file as if it were a terminal's recording.
        if not container.streams.video or container.format.name == "tty":
            kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
            kinds = "text" if container.format.name == "tty" else kinds
            raise VideoError(f"Expected a video stream in {path}. Received: {kinds} only.")
        yield container


def _declared(
    container: av.container.InputContainer,
    stream: av.video.stream.VideoStream,
    frame_seconds: Fraction,
) -> _Declared:
    if container.format.name == "avi" and stream.frames:
        # FFmpeg estimates the duration of a cut AVI anew; its header still holds the old count.
        return _Declared(stream.frames, float(stream.frames * frame_seconds))
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    return _Declared(stream.frames or round(seconds / frame_seconds), seconds)


def _broken(path: Path, declared: _Declared, read: int, last: Fraction, reason: str) -> str:
    # The last frame read ends the readable part: reading beyond it meets the fault again.
    stop = math.floor(last * 10) / 10
    remedy = (
        f", or stop before (stop_seconds, --video_stop={stop:g} or less) to use what can be read"
        if stop > 0
        else ""
    )
    return (
        f"Expected {declared} in {path}. Received: {read} frames (the last at {float(last):.1f} "
        f"s), then: {reason}. The file is cut off or damaged: fetch or re-encode it{remedy}."
    )


def _upright(frame: av.VideoFrame) -> Image.Image:
    """The frame as players show it: phones store the turn beside the pixels."""
    image = frame.to_image()
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


# --------------------------------------------------------------------------------- crop and size


def _fit(image: Picture | Image.Image, settings: FrameSettings, source: Path) -> np.ndarray:
    """The crop of an image as uint8 [size, size, channels]."""
    try:
        box = crop_box(image.size, settings.crop)
    except PictureError as error:
        width, height = image.size
        raise VideoError(
            f"Expected a crop within the {width}x{height} frames of {source}. Received: {error}."
        ) from error
    return fit(image, box, settings.size, settings.channels)
