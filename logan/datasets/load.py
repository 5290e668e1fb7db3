"""From an experiment's settings to its data."""

from pathlib import Path
from typing import Protocol, cast

import numpy as np
import tensorflow as tf

from logan.datasets.images import image_batches
from logan.datasets.splits import split_by_time_block
from logan.datasets.toy import ToyDistribution, toy_distribution
from logan.datasets.video import load_frames, to_unit_range
from logan.experiments import Experiment

MINIMUM_FRAMES = 10


class Data(Protocol):
    """What training and evaluation need of a data set."""

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Endless float32 batches; batch t is a function of (seed, t) alone."""

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """Up to `count` float32 examples that training never sees."""


class Images:
    """Images in memory, a training and a test part.

    Attributes:
        train: uint8 [images, height, width, channels].
        test: the same, held out.
    """

    def __init__(self, train: np.ndarray, test: np.ndarray):
        self.train = train
        self.test = test

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        return image_batches(self.train, seed, batch_size, first_step)

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """Held-out images in [-1, 1], evenly spread over time; `seed` plays no part."""
        count = min(count, len(self.test))
        chosen = np.linspace(0, len(self.test) - 1, count).round().astype(int)
        return to_unit_range(self.test[chosen])


def load_toy(experiment: Experiment) -> ToyDistribution:
    """The experiment's toy mixture.

    Raises:
        ValueError: if mode_weights do not fit it.
    """
    return toy_distribution(experiment.dataset, experiment.mode_weights)


def load_images(experiment: Experiment, cache: Path | None = None) -> Images:
    """The experiment's images.

    Args:
        experiment: with dataset traffic.
        cache: folder in which decoded frames are kept.

    Raises:
        VideoError: if a source cannot be used.
    """
    crop = cast("tuple[int, int, int, int] | None", experiment.crop or None)
    frames = load_frames(
        experiment.video,
        size=experiment.image_size,
        channels=experiment.channels,
        interval_seconds=experiment.frame_interval,
        crop=crop,
        minimum_frames=MINIMUM_FRAMES,
        cache_dir=cache,
    )
    train, test = split_by_time_block(len(frames), test_fraction=experiment.test_fraction)
    return Images(frames[train], frames[test])


def load(experiment: Experiment, cache: Path | None = None) -> Data:
    """The experiment's data, toy or images."""
    return load_images(experiment, cache) if experiment.is_image else load_toy(experiment)
