"""Images in memory or mapped from a file, as batches whose order is a pure function of the seed."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from logan.datasets.junction import Junction
from logan.datasets.names import Names
from logan.datasets.pixels import to_unit_range
from logan.datasets.splits import evenly
from logan.randomness import Purpose, bits, key

if TYPE_CHECKING:
    from logan.datasets.stacked_digits import StackedDigits


class Images:
    """Images of one size with a training and a held-out part.

    Attributes:
        frames: uint8 [images, height, width, channels]; mapped from a file, it may be larger than
            memory.
        train: int64, which of them are trained on.
        test: int64, which are held out.
        flip: mirror each training image half the time.
        split: how the held-out part was chosen, in words.
        crop: what part of each source they show, in words; empty if all of it.
        has_fixed_camera: whether all show one scene, so that a foreground can be told from it.
        junction: the rendered junction that they show, if they do.
        stacked: the digits that they show one on another, if they do.
        label_names: what the classes are called, by number; empty without classes.
        gives_labels: whether batches are (x, y) with classes y.
        names: what the images are called, or None.
    """

    def __init__(
        self,
        frames: np.ndarray,
        train: np.ndarray,
        test: np.ndarray,
        *,
        flip: bool = False,
        split: str = "",
        crop: str = "",
        has_fixed_camera: bool = False,
        junction: Junction | None = None,
        stacked: "StackedDigits | None" = None,
        labels: np.ndarray | Callable[[], np.ndarray] | None = None,
        label_names: Sequence[str] = (),
        gives_labels: bool = True,
        names: Names | None = None,
    ):
        """Takes what is known of the images.

        Args:
            frames: see the attributes, also of the others.
            train: which are trained on.
            test: which are held out.
            flip: whether to mirror.
            split: the choice in words.
            crop: the part in words.
            has_fixed_camera: whether there is one scene.
            junction: the rendered one.
            stacked: the digits.
            labels: int64 [images], or what reads them when they are first asked for, or None.
            label_names: of the classes.
            gives_labels: whether batches have them, if there are any.
            names: of the images.
        """
        self.frames = frames
        self.train = train
        self.test = test
        self.flip = flip
        self.split = split
        self.crop = crop
        self.has_fixed_camera = has_fixed_camera
        self.junction = junction
        self.stacked = stacked
        self.label_names = label_names
        self.gives_labels = gives_labels and labels is not None
        self.names = names
        self._labels = labels

    @functools.cached_property
    def labels(self) -> np.ndarray | None:
        """int64 [images], classes from 0, or None."""
        return self._labels() if callable(self._labels) else self._labels

    @property
    def class_counts(self) -> np.ndarray | None:
        """How many images each class has, int64 [classes], or None."""
        if self.labels is None:
            return None
        return np.bincount(self.labels, minlength=len(self.label_names))

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Endless training batches; see `image_batches`."""
        return image_batches(
            self.frames,
            self.train,
            seed,
            batch_size,
            first_step=first_step,
            flip=self.flip,
            labels=self.labels if self.gives_labels else None,
        )

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """Up to `count` held-out images, float32 in [-1, 1], evenly spread over the part.

        `seed` plays no part: every run is measured on the same images.
        """
        return to_unit_range(self.frames[self.held_out(count)])

    def evaluation_labels(self, seed: int, count: int) -> np.ndarray | None:
        """int64 [up to count], the classes of what `evaluation_sample` gives, or None."""
        return None if self.labels is None else self.labels[self.held_out(count)]

    def training_labels(self, count: int) -> np.ndarray | None:
        """int64 [up to count], the classes of what `training_sample` gives, or None."""
        return None if self.labels is None else self.labels[self.trained_on(count)]

    def training_sample(self, count: int) -> np.ndarray:
        """Up to `count` training images, float32 in [-1, 1], evenly spread over the part."""
        return to_unit_range(self.frames[self.trained_on(count)])

    def trained_on(self, count: int) -> np.ndarray:
        """int64 [up to count], which images `training_sample` gives."""
        return _spread(self.train, count)

    def held_out(self, count: int) -> np.ndarray:
        """int64 [up to count], which images `evaluation_sample` gives."""
        return _spread(self.test, count)


def _spread(indices: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of them at even distances, first and last included."""
    return indices[evenly(len(indices), count)]


def image_batches(
    frames: np.ndarray,
    indices: np.ndarray,
    seed: int,
    batch_size: int,
    *,
    first_step: int = 0,
    flip: bool = False,
    labels: np.ndarray | None = None,
) -> tf.data.Dataset:
    """An endless float32 [batch_size, height, width, channels] in [-1, 1].

    With labels each batch is a pair of it and int64 [batch_size].

    Every epoch goes through all images once, in an order of its own. Example number p of a run is a
    function of (seed, p) alone, so starting at any step costs nothing and no buffer is filled.

    Args:
        frames: uint8 [images, height, width, channels]. Only the images of a batch are read.
        indices: int64, which of them to use.
        seed: of the order and of the mirroring.
        batch_size: images in a batch; batches run on over the end of an epoch.
        first_step: the batch to begin with.
        flip: mirror each image left to right with probability one half.
        labels: int64 [images], or None.
    """
    epochs_in_batch = -(-batch_size // len(indices)) + 1
    shape = (batch_size, *frames.shape[1:])

    def order(step: tf.Tensor) -> tf.Tensor:
        positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        epochs = positions // len(indices)
        # The shuffle heeds only a few low bits of each of its three words: all must be random. As
        # `tf.random.experimental.index_shuffle` seeds it, epochs would share 256 orders.
        words = tf.stack(
            [bits(key(seed, epochs[0] + i, Purpose.ORDER), [3]) for i in range(epochs_in_batch)]
        )
        return tf.raw_ops.RandomIndexShuffle(
            index=positions % len(indices),
            seed=tf.gather(words, epochs - epochs[0]),
            max_index=len(indices) - 1,
            rounds=8,
        )

    def read(places: tf.Tensor) -> tf.Tensor:
        pixels = tf.numpy_function(lambda at: frames[indices[at]], [places], tf.uint8)
        return tf.ensure_shape(pixels, shape)

    def batch(step: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        places = order(step)
        # As `to_unit_range`, outside of the lock that Python code holds.
        images = tf.cast(read(places), tf.float32) / 127.5 - 1.0
        if flip:
            is_mirrored = bits(key(seed, step, Purpose.FLIP), [batch_size, 1, 1, 1]) < 0
            images = tf.where(is_mirrored, tf.reverse(images, axis=[2]), images)
        return images if labels is None else (images, tf.gather(labels[indices], places))

    steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max // batch_size)
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
