"""Stacked MNIST: three digits as red, green and blue, 1,000 modes.

The benchmark is L. Metz et al.'s ("Unrolled generative adversarial networks", ICLR 2017).
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import cast

import numpy as np

from logan.datasets.images import Images
from logan.datasets.names import Names

__all__ = ["StackedDigits", "stacked_images"]

# As in PacGAN's code; the test triples are as many as the largest number of samples in use.
TRAIN_TRIPLES, TEST_TRIPLES = 128_000, 50_000
CHANNELS = 3


@dataclasses.dataclass(frozen=True)
class StackedDigits:
    """Which digits are stacked in which image: the truth of each.

    The triples are the same for everybody: they depend on the numbers of digits alone.

    Attributes:
        digits: uint8 [digits, size, size, 1].
        labels: int64 [digits], classes from 0.
        label_names: what the classes are called, by number.
        train: int64, which digits training images are made of.
        test: int64, which digits held-out images are made of.
        places: int64 [images, 3], the digits of each image: those for training first.
        train_triples: how many of the images are for training.
    """

    digits: np.ndarray
    labels: np.ndarray
    label_names: Sequence[str]
    train: np.ndarray
    test: np.ndarray
    places: np.ndarray
    train_triples: int

    @classmethod
    def of(
        cls,
        digits: np.ndarray,
        labels: np.ndarray,
        label_names: Sequence[str],
        train: np.ndarray,
        test: np.ndarray,
        train_triples: int = TRAIN_TRIPLES,
        test_triples: int = TEST_TRIPLES,
    ) -> "StackedDigits":
        """Draws the triples of both parts, each digit of each with equal chance."""
        places = np.concatenate(
            [
                part[_draws(stream, count, len(part))]
                for stream, (part, count) in enumerate(
                    [(train, train_triples), (test, test_triples)]
                )
            ]
        )
        return cls(digits, labels, label_names, train, test, places, train_triples)

    @property
    def modes(self) -> int:
        """How many triples of classes there are."""
        return len(self.label_names) ** CHANNELS

    @property
    def test_places(self) -> np.ndarray:
        """The digits of each held-out image, int64 [held-out images, 3]."""
        return self.places[self.train_triples :]

    @functools.cached_property
    def mode_weights(self) -> np.ndarray:
        """The share of each triple of classes in the training distribution, float64 [modes]."""
        counts = np.bincount(self.labels[self.train], minlength=len(self.label_names))
        shares = counts / counts.sum()
        return functools.reduce(np.multiply.outer, [shares] * CHANNELS).ravel()

    def mode_of(self, classes: np.ndarray) -> np.ndarray:
        """The number of each triple of classes, int64 [images]; red counts most.

        Args:
            classes: int [images, 3].
        """
        kinds = (len(self.label_names),) * CHANNELS
        return np.ravel_multi_index(tuple(np.asarray(classes).T), kinds).astype(np.int64)

    def name(self, image: int) -> str:
        """The digits of an image: "7 0 3"."""
        labels = self.labels[self.places[image]].tolist()
        return " ".join(self.label_names[label] for label in labels)


class _Frames:
    """The images as an array that is computed where it is read: uint8 [images, size, size, 3]."""

    dtype = np.dtype(np.uint8)

    def __init__(self, stacked: StackedDigits):
        self._stacked = stacked
        self.shape = (len(stacked.places), *stacked.digits.shape[1:3], CHANNELS)
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        digits = self._stacked.digits[self._stacked.places[index], :, :, 0]
        return np.ascontiguousarray(np.moveaxis(digits, -3, -1))


def stacked_images(stacked: StackedDigits) -> Images:
    """The images of stacked digits, put together as they are read."""
    count, train_triples = len(stacked.places), stacked.train_triples
    return Images(
        cast(np.ndarray, _Frames(stacked)),
        np.arange(train_triples),
        np.arange(train_triples, count),
        split=f"{count - train_triples:,} triples of {len(stacked.test):,} held-out digits",
        stacked=stacked,
        names=Names([stacked.name(image) for image in range(count)]),
    )


def _draws(stream: int, count: int, below: int) -> np.ndarray:
    """int64 [count, 3], uniform in [0, below), a pure function of the numbers."""
    # Raw words, because NumPy promises them for every version.
    words = np.random.Philox(key=np.array([0, stream], np.uint64)).random_raw(count * CHANNELS)
    return ((words >> 11) * 2.0**-53 * below).astype(np.int64).reshape(count, CHANNELS)
