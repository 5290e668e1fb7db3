"""Frames of a fixed camera, from video files or folders of pictures to one uint8 array.

This module decodes with PyAV and Pillow and loads no TensorFlow, so that an unusable video is
refused within a moment of starting a command.
"""

import dataclasses
import itertools
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from logan.datasets.frame_cache import cached_frames_and_notes, fingerprint
from logan.datasets.names import Names
from logan.datasets.pictures import Picture, PictureError, crop_box, fit, read_picture
from logan.datasets.video_file import VideoError, read_video
from logan.datasets.video_sources import Source, find_sources
from logan.errors import UserError
from logan.settings import is_crop

__all__ = ["FrameOrigin", "FrameSettings", "VideoError", "load_frames", "load_frames_and_origins"]

PathLike = str | os.PathLike[str]


class FrameOrigin(NamedTuple):
    """Where a frame comes from.

    Attributes:
        file: path of the video, or of the picture.
        seconds: time after the video's first frame; None for a picture.
    """

    file: str
    seconds: float | None


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

    A frame is shown as players do, upright and with square pixels, then cropped, and resized with
    Pillow's Hamming filter. It is antialiased, works in both directions, and has no negative lobes:
    Lanczos and bicubic draw halos around a car, which at 32 pixels are as large as the car's
    details and would count as foreground. Transparent pictures are laid over white.

        >>> load_frames("junction.mp4", size=32, interval_seconds=0.5).shape
        (60, 32, 32, 3)

    Args:
        paths: a video file that FFmpeg can read (mp4, avi, mkv, mov, …), a folder of clips or of
            pictures, a pattern (`clips/*.mp4`), or several. What a folder holds or a pattern
            matches is taken in natural order (`frame9.png` before `frame10.png`).
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        interval_seconds: time between frames, counted by the frames' time stamps: the frame
            nearest to each multiple of the interval is taken. 0 takes every frame. Pictures in
            a folder have no time: they are taken all.
        start_seconds: time before the first frame to take, from the first frame of each video.
        stop_seconds: time of each video from which on no frame is taken; None means its end.
        crop: (left, top, width, height) in pixels of the upright displayed frame, whose pixels are
            square; None means the largest square in the middle. A crop that is not square is
            squeezed into the square.
        minimum_frames: how many frames are needed at least, over all sources.
        cache_dir: folder to keep the decoded frames in. They are read from there, mapped into
            memory, until a source (path, size, time of change) or a setting changes.

    Returns:
        uint8 [frames, size, size, channels] in [0, 255]. Read-only when it comes from a cache.

    Raises:
        UserError: if a setting is out of its range.
        VideoError: if a source is missing, empty, no video, cut off, damaged or too short, or
            if the crop reaches beyond its frame. The message names the source. Damage before
            start_seconds does not matter.
    """
    frames, _ = load_frames_and_origins(
        paths,
        size=size,
        channels=channels,
        interval_seconds=interval_seconds,
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
        crop=crop,
        minimum_frames=minimum_frames,
        cache_dir=cache_dir,
    )
    return frames


def load_frames_and_origins(
    paths: PathLike | Sequence[PathLike],
    *,
    minimum_frames: int = 2,
    cache_dir: PathLike | None = None,
    **settings: Any,
) -> tuple[np.ndarray, list[FrameOrigin]]:
    """As `load_frames`, with the file and the time of each frame.

    Args:
        paths: see `load_frames`, as for the others.
        minimum_frames: how many frames are needed at least.
        cache_dir: folder to keep the frames and their origins in.
        settings: fields of `FrameSettings`.

    Returns:
        (frames, origins): as of `load_frames`, and one `FrameOrigin` for each of them.

    Raises:
        UserError, VideoError: as `load_frames`.
    """
    wanted = FrameSettings(**settings)
    sources = find_sources(paths)
    for source in sources:
        _check_has_time(source, wanted)
    origins: list[FrameOrigin] = []
    shape = (wanted.size, wanted.size, wanted.channels)
    if cache_dir is not None:
        frames, packed = cached_frames_and_notes(
            Path(cache_dir),
            dataclasses.asdict(wanted) | {"crop": list(wanted.crop or [])},
            [fingerprint(source.path, source.files) for source in sources],
            shape,
            read=lambda: _read_sources(sources, wanted, origins),
            check=lambda count, _: _check_enough(count, minimum_frames, sources, wanted),
            notes=lambda: _packed(origins),
        )
        return frames, _unpacked(packed)
    found = list(_read_sources(sources, wanted, origins))
    _check_enough(len(found), minimum_frames, sources, wanted)
    return np.array(found, np.uint8).reshape(-1, *shape), origins


def names_of_frames(origins: Sequence[FrameOrigin]) -> Names:
    """What frames are called: their files without folders, their numbers and times."""
    seconds = [origin.seconds for origin in origins]
    return Names(
        [Path(origin.file).name for origin in origins],
        np.arange(len(origins)),
        None if None in seconds else np.array(seconds, np.float64),
    )


def starts_of_clips(origins: Sequence[FrameOrigin]) -> list[int]:
    """The first frame of each video, or of each folder of pictures."""
    sources = [
        origin.file if origin.seconds is not None else str(Path(origin.file).parent)
        for origin in origins
    ]
    return [i for i, source in enumerate(sources) if i == 0 or source != sources[i - 1]]


def _packed(origins: Sequence[FrameOrigin]) -> list[Any]:
    """The origins for JSON, each file named once."""
    groups = itertools.groupby(origins, key=lambda origin: origin.file)
    # Linux allows names that are not UTF-8; JSON does not.
    return [
        [file.encode("utf-8", "backslashreplace").decode(), [origin.seconds for origin in group]]
        for file, group in groups
    ]


def _unpacked(packed: Sequence[Any]) -> list[FrameOrigin]:
    return [FrameOrigin(file, seconds) for file, times in packed for seconds in times]


def _check_has_time(source: Source, settings: FrameSettings) -> None:
    if source.is_pictures and (settings.start_seconds or settings.stop_seconds is not None):
        raise VideoError(
            "Expected a video file for start_seconds and stop_seconds (--video_start, "
            f"--video_stop). Received: {source.path}, a folder, whose pictures have no time."
        )


def _check_enough(
    count: int, minimum: int, sources: Sequence[Source], settings: FrameSettings
) -> None:
    if count >= minimum:
        return
    names = ", ".join(str(source.path) for source in sources)
    received = f"Expected at least {minimum} frames from {names}. Received: {count}"
    if settings.interval_seconds and count and not all(source.is_pictures for source in sources):
        # So many intervals fit now; so much shorter must each be for the minimum to fit.
        enough = settings.interval_seconds * max(count - 1, 0.5) / max(minimum - 1, 1)
        raise VideoError(
            f"{received} with one every {settings.interval_seconds:g} s (interval_seconds, "
            "--frame_interval or 1 / --frame_rate). Lower it to "
            f"{math.floor(1000 * enough) / 1000:g} or less, 0 for every frame, or give a longer "
            "video."
        )
    raise VideoError(f"{received}. Give a longer video or a wider range of time.")


def _read_sources(
    sources: Sequence[Source], settings: FrameSettings, origins: list[FrameOrigin]
) -> Iterator[np.ndarray]:
    """Yields uint8 [size, size, channels] for every frame to take, and notes its origin."""
    for source in sources:
        read = _read_picture if source.is_pictures else _read_video
        for path in source.files:
            for seconds, image in read(path, settings):
                frame = _fit(image, settings, path)
                origins.append(FrameOrigin(str(path), seconds))
                yield frame


def _read_picture(path: Path, settings: FrameSettings) -> Iterator[tuple[None, Picture]]:
    del settings
    try:
        yield None, read_picture(path)
    except PictureError as error:
        raise VideoError(f"Expected a picture in {path}. Received: {error}.") from error


def _read_video(path: Path, settings: FrameSettings) -> Iterator[tuple[float, Image.Image]]:
    frames = read_video(
        path,
        interval=settings.interval_seconds,
        start=settings.start_seconds,
        stop=settings.stop_seconds,
    )
    for seconds, image in frames:
        yield float(seconds), image


def _fit(image: Picture | Image.Image, settings: FrameSettings, path: Path) -> np.ndarray:
    """The crop of an image as uint8 [size, size, channels]."""
    try:
        box = crop_box(image.size, settings.crop)
    except PictureError as error:
        width, height = image.size
        raise VideoError(
            f"Expected a crop within the {width}x{height} frames of {path}. Received: {error}."
        ) from error
    return fit(image, box, settings.size, settings.channels)
