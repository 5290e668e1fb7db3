"""From an experiment's settings to its data."""

from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from logan.datasets.celeb_a import load_celeb_a
from logan.datasets.cifar10 import load_cifar10
from logan.datasets.frame_cache import cached_frames
from logan.datasets.image_folder import load_image_folder
from logan.datasets.images import Images
from logan.datasets.junction import Junction
from logan.datasets.splits import split_by_time_block
from logan.datasets.toy import ToyDistribution, toy_distribution
from logan.datasets.video import load_frames
from logan.experiments import Experiment

MINIMUM_FRAMES = 10
JUNCTION_VERSION = 1  # changes whenever the same settings would draw other frames than before


class Data(Protocol):
    """What training and evaluation need of a data set."""

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Endless float32 batches; batch t is a function of (seed, t) alone."""

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """Up to `count` float32 examples that training never sees."""


def load_toy(experiment: Experiment) -> ToyDistribution:
    """The experiment's toy mixture.

    Raises:
        ValueError: if mode_weights do not fit it.
    """
    return toy_distribution(experiment.dataset, experiment.mode_weights)


def load_images(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """The experiment's images.

    Args:
        experiment: of an image dataset.
        cache: folder in which decoded images are kept; they are then read from there and not held
            in memory.
        show_progress: draw a progress bar while images are decoded.

    Raises:
        UserError: if a source cannot be used.
    """
    size, channels = experiment.image_size, experiment.channels
    if experiment.is_junction:
        parts = _junction(experiment, cache)
    elif experiment.dataset == "traffic":
        parts = _video(experiment, cache)
    elif experiment.dataset == "images":
        parts = load_image_folder(
            experiment.data,
            size=size,
            channels=channels,
            test_fraction=experiment.test_fraction,
            split=experiment.hold_out,
            crop=experiment.crop_or_none,
            skip_unreadable=experiment.skip_unreadable,
            cache_dir=cache,
            show_progress=show_progress,
        )
    else:
        reader = load_celeb_a if experiment.dataset == "celeb_a" else load_cifar10
        parts = reader(
            experiment.data or None,
            size=size,
            channels=channels,
            cache_dir=cache,
            show_progress=show_progress,
        )
    return Images(*parts, flip=experiment.flip)


Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


def _video(experiment: Experiment, cache: Path | None) -> Parts:
    rate = experiment.frame_rate
    frames = load_frames(
        experiment.video,
        size=experiment.image_size,
        channels=experiment.channels,
        interval_seconds=1 / rate if rate else experiment.frame_interval,
        start_seconds=experiment.video_start,
        stop_seconds=experiment.video_stop or None,
        crop=experiment.crop_or_none,
        minimum_frames=MINIMUM_FRAMES,
        cache_dir=cache,
    )
    return frames, *split_by_time_block(len(frames), test_fraction=experiment.test_fraction)


def load_junction(experiment: Experiment) -> Junction:
    """The scene of an experiment on the rendered junction."""
    return Junction(
        experiment.image_size, experiment.channels, experiment.scene, experiment.empty_share
    )


def _junction(experiment: Experiment, cache: Path | None) -> Parts:
    """Frames do not depend on each other, so the last ones serve as the held-out part."""
    junction, count = load_junction(experiment), experiment.frames
    if cache is None:
        frames = np.stack(list(junction.frames(0, count)))
    else:
        settings = dict(
            junction=JUNCTION_VERSION,
            size=junction.size,
            channels=junction.channels,
            seed=experiment.scene,
            empty_share=experiment.empty_share,
            frames=count,
        )
        frames = cached_frames(
            cache,
            settings,
            [],
            junction.background.shape,
            read=lambda: junction.frames(0, count),
            check=lambda count: None,
        )
    first_test = count - min(max(1, round(experiment.test_fraction * count)), count - 1)
    return frames, np.arange(first_test), np.arange(first_test, count)


def load(experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False) -> Data:
    """The experiment's data, toy or images."""
    if experiment.is_image:
        return load_images(experiment, cache, show_progress=show_progress)
    return load_toy(experiment)
