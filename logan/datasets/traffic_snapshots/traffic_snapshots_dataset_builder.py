"""Snapshots of a traffic junction, for TensorFlow Datasets."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from logan.datasets.splits import split_by_time_block
from logan.datasets.video import load_frames
from logan.errors import UserError

HOMEPAGE = "https://www.idiap.ch/en/scientific-research/data/traffic-junction"
VIDEO_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"))
TEST_FRACTION = 0.2
MINIMUM_FRAMES = 10


@dataclasses.dataclass
class SnapshotConfig(tfds.core.BuilderConfig):
    """How snapshots are taken: their side in pixels, and the seconds from one to the next."""

    size: int = 64
    interval_seconds: float = 0.5


class Builder(tfds.core.GeneratorBasedBuilder):
    """Snapshots of the Idiap traffic junction video, split by blocks of time."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012
    BUILDER_CONFIGS = [  # noqa: RUF012
        SnapshotConfig(
            name=f"{size}px", description=f"Two snapshots a second, {size} x {size}.", size=size
        )
        for size in (64, 32, 128)
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
    The video is the traffic junction sequence of the Idiap Research Institute (Varadarajan and
    Odobez, 2009): 45 minutes, 360 x 280 pixels, 25 frames a second. Open {HOMEPAGE},
    fetch it as told there, and put it, as the only video and under any name, into the folder of
    manual downloads."""

    def _info(self) -> tfds.core.DatasetInfo:
        size = self.builder_config.size
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(size, size, 3)),
                    "time": tfds.features.Scalar(np.float32),
                }
            ),
            homepage=HOMEPAGE,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        frames = load_frames(
            _video_in(Path(dl_manager.manual_dir)),
            size=self.builder_config.size,
            interval_seconds=self.builder_config.interval_seconds,
            minimum_frames=MINIMUM_FRAMES,
        )
        train, test = split_by_time_block(len(frames), test_fraction=TEST_FRACTION)
        return {
            "train": self._generate_examples(frames, train),
            "test": self._generate_examples(frames, test),
        }

    def _generate_examples(
        self, frames: np.ndarray, indices: np.ndarray
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        for index in indices.tolist():
            time = np.float32(index * self.builder_config.interval_seconds)
            yield index, {"image": frames[index], "time": time}


def _video_in(folder: Path) -> Path:
    """The one video of a folder.

    Raises:
        UserError: if there is none, or more than one.
    """
    videos = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    if len(videos) != 1:
        names = ", ".join(path.name for path in videos) or "none"
        raise UserError(
            f"Expected one video ({', '.join(sorted(VIDEO_SUFFIXES))}) in {folder}. Received: "
            f"{names}. It comes from {HOMEPAGE}"
        )
    return videos[0]
