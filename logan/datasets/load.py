"""From an experiment's settings to its data."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import tensorflow as tf

from logan.datasets.celeb_a import CROP_SIDE, load_celeb_a
from logan.datasets.cifar10 import KIND_NAMES, load_cifar10, load_cifar10_labels
from logan.datasets.classes import FEWEST_CLASSES, class_folders, own_parts, rows_of_labels
from logan.datasets.frame_cache import cached_frames
from logan.datasets.image_folder import load_parts
from logan.datasets.images import Images
from logan.datasets.junction import Junction
from logan.datasets.mnist import load_mnist, load_mnist_labels
from logan.datasets.names import Names
from logan.datasets.passages import split_by_passages
from logan.datasets.splits import split_by_time_block
from logan.datasets.stacked_digits import StackedDigits, stacked_images
from logan.datasets.toy import ToyDistribution, toy_distribution
from logan.datasets.video import (
    FrameOrigin,
    load_frames_and_origins,
    names_of_frames,
    starts_of_clips,
)
from logan.errors import UserError
from logan.labels import Classes
from logan.settings import DATASETS, FOLDERS, Experiment

MINIMUM_FRAMES = 10
JUNCTION_VERSION = 1  # changes whenever the same settings would draw other frames than before

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]  # frames, and which are trained on, held out


class Data(Protocol):
    """What training and evaluation need of a data set."""

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Endless float32 batches; batch t is a function of (seed, t) alone."""

    def training_sample(self, count: int) -> np.ndarray:
        """Up to `count` float32 examples of those that training sees, or as it sees them."""

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """Up to `count` float32 examples that training never sees."""


def load(experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False) -> Data:
    """The experiment's data, toy or images.

    Args:
        experiment: the settings.
        cache: folder in which decoded images are kept; they are then read from there and not held
            in memory.
        show_progress: draw a progress bar while images are decoded.

    Raises:
        UserError: if a source cannot be used.
    """
    loader = DATASETS.load(experiment.dataset)
    return loader(experiment, cache, show_progress=show_progress)


def classes_of(experiment: Experiment, data: Data) -> Classes | None:
    """What the experiment's networks are asked for: the data's classes, clusters, or nothing.

    Args:
        experiment: the settings.
        data: its data.

    Returns:
        The classes with their shares among what is trained on; clusters, equal until they are
        known; None of networks without labels.

    Raises:
        UserError: if the data have no classes, or none of one to train on.
    """
    if experiment.condition == "clusters":
        count, images = experiment.clusters, getattr(data, "train", None)
        if images is not None and len(images) < count:
            raise UserError(
                f"--clusters: expected at most {len(images)}, as many as there are images to train "
                f"on. Received: {count}"
            )
        return Classes.of([str(index) for index in range(count)], np.ones(count))
    if not experiment.takes_labels:
        return None
    if isinstance(data, ToyDistribution):
        return Classes.of(data.label_names, data.mode_weights)
    labels, names = getattr(data, "labels", None), getattr(data, "label_names", ())
    if labels is None or len(names) < FEWEST_CLASSES:
        raise UserError(
            f"--condition: expected data with classes. Received: --dataset={experiment.dataset} "
            "without any; --condition=clusters finds some"
        )
    counts = np.bincount(labels[data.train], minlength=len(names))  # type: ignore[attr-defined]
    if not counts.all():
        raise UserError(
            "--labels: expected images of every class to train on. Received: none of "
            f"{names[int(counts.argmin())]}"
        )
    return Classes.of(names, counts)


def load_images(experiment: Experiment, cache: Path | None = None) -> Images:
    """The images of an experiment on images; see `load`."""
    return cast(Images, load(experiment, cache))


def load_toy(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> ToyDistribution:
    """The experiment's toy mixture.

    Raises:
        ValueError: if mode_weights do not fit it.
    """
    del cache, show_progress
    toy = toy_distribution(experiment.dataset, experiment.mode_weights)
    return dataclasses.replace(toy, gives_labels=experiment.takes_labels)


def load_traffic(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """Frames of a video, or else of the rendered junction."""
    del show_progress
    share = f"{experiment.test_fraction:.0%}"
    if experiment.is_junction:
        junction = load_junction(experiment)
        return Images(
            *_junction(experiment, junction, cache),
            flip=experiment.flip,
            split=f"the last {share} of the frames, which do not depend on each other",
            has_fixed_camera=True,
            junction=junction,
            names=Names([f"frame {index}" for index in range(experiment.frames)]),
        )
    frames, origins = _video(experiment, cache)
    if experiment.hold_out == "passages":
        parts = split_by_passages(
            frames, test_fraction=experiment.test_fraction, starts=starts_of_clips(origins)
        )
        blocks = f"short blocks of time, about {share}, with their share of what passes, and"
    else:
        parts = split_by_time_block(len(frames), test_fraction=experiment.test_fraction)
        blocks = f"blocks of time, {share},"
    return Images(
        frames,
        *parts,
        flip=experiment.flip,
        split=f"{blocks} with frames between them and the training part left out",
        crop=_crop(experiment),
        has_fixed_camera=True,
        names=names_of_frames(origins),
    )


def load_folder(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """The pictures in a folder."""
    path = Path(experiment.labels).expanduser()
    if experiment.labels not in ("", FOLDERS) and not path.is_file():
        raise UserError(f"--labels: expected {FOLDERS} or a CSV file. Received: {path}: no file")
    pictures, train, test = load_parts(
        experiment.data,
        size=experiment.image_size,
        channels=experiment.channels,
        test_fraction=experiment.test_fraction,
        split=experiment.hold_out,
        crop=experiment.crop_or_none,
        skip_unreadable=experiment.skip_unreadable,
        cache_dir=cache,
        show_progress=show_progress,
    )
    of_folders = experiment.hold_out == "folders"
    what = "sub-folders" if of_folders else "images, by a hash of the name"
    split = f"{experiment.test_fraction:.0%} of the {what}"
    labels, label_names = _classes(experiment, pictures.names)
    if experiment.labels == FOLDERS and (is_test := own_parts(pictures.names)) is not None:
        train, test, split = np.flatnonzero(~is_test), np.flatnonzero(is_test), "the folder test"
    return Images(
        pictures.frames,
        train,
        test,
        flip=experiment.flip,
        split=split,
        crop=_crop(experiment),
        labels=labels,
        label_names=label_names,
        gives_labels=experiment.takes_labels,
        names=Names(pictures.names),
    )


def _classes(experiment: Experiment, names: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The classes of pictures as --labels says, and what they are called."""
    if not experiment.labels:
        return None, ()
    if experiment.labels == FOLDERS:
        return class_folders(Path(experiment.data), names)
    path = Path(experiment.labels).expanduser()
    texts = rows_of_labels(path, names)
    if "" in texts:
        raise UserError(
            f"--labels: expected a label of every image in {path}. Received: none of "
            f"{names[texts.index('')]}"
        )
    label_names, labels = np.unique(texts, return_inverse=True)
    if len(label_names) < FEWEST_CLASSES:
        raise UserError(
            f"--labels: expected at least {FEWEST_CLASSES} different labels in {path}. Received: "
            f"{', '.join(map(repr, label_names.tolist()))}"
        )
    return labels.astype(np.int64), tuple(label_names.tolist())


def load_faces(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """CelebA."""
    crop = f"the central {CROP_SIDE} x {CROP_SIDE} pixels"
    return _official(load_celeb_a, crop, experiment, cache, show_progress)


def load_photographs(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """CIFAR-10."""
    return _official(
        load_cifar10,
        "",
        experiment,
        cache,
        show_progress,
        labels=lambda: load_cifar10_labels(experiment.data or None),
        label_names=KIND_NAMES,
    )


def load_digits(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """MNIST, or another set in its four files."""
    labels, label_names = load_mnist_labels(experiment.data or None)
    return _official(
        load_mnist,
        "",
        experiment,
        cache,
        show_progress,
        labels=labels,
        label_names=label_names,
    )


def load_stacked_digits(
    experiment: Experiment, cache: Path | None = None, *, show_progress: bool = False
) -> Images:
    """MNIST's digits, three in each image."""
    labels, label_names = load_mnist_labels(experiment.data or None)
    digits, train, test = load_mnist(
        experiment.data or None,
        size=experiment.image_size,
        channels=1,
        cache_dir=cache,
        show_progress=show_progress,
    )
    return stacked_images(StackedDigits.of(digits, labels, label_names, train, test))


def _official(
    read: Callable[..., Parts],
    crop: str,
    experiment: Experiment,
    cache: Path | None,
    show_progress: bool,
    **labels: Any,
) -> Images:
    """A published set with a test part of its own."""
    parts = read(
        experiment.data or None,
        size=experiment.image_size,
        channels=experiment.channels,
        cache_dir=cache,
        show_progress=show_progress,
    )
    return Images(
        *parts,
        flip=experiment.flip,
        split="the official test part",
        crop=crop,
        gives_labels=experiment.takes_labels,
        **labels,
    )


def _crop(experiment: Experiment) -> str:
    if not experiment.crop:
        return "the central square"
    left, top, width, height = experiment.crop
    return f"{width} x {height} pixels, {left} from the left and {top} from the top"


def _video(experiment: Experiment, cache: Path | None) -> tuple[np.ndarray, Sequence[FrameOrigin]]:
    rate = experiment.frame_rate
    return load_frames_and_origins(
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


def load_junction(experiment: Experiment) -> Junction:
    """The scene of an experiment on the rendered junction."""
    return Junction(
        experiment.image_size, experiment.channels, experiment.scene, experiment.empty_share
    )


def _junction(experiment: Experiment, junction: Junction, cache: Path | None) -> Parts:
    """Frames do not depend on each other, so the last ones serve as the held-out part."""
    count = experiment.frames
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
