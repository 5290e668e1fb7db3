"""What every extractor has in common: ranges, batches and what it says of itself."""

import abc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from logan.datasets.pixels import to_unit_range
from logan.errors import UserError

__all__ = ["Extractor", "as_colour", "none"]

BATCH_IMAGES = 32
BATCH_PIXELS = 2**23  # of the images as they are given, whose float32 copy then takes 100 MB


class Extractor(abc.ABC):
    """Turns images into feature vectors, a batch at a time.

    A subclass has a `name` and `batch_features`. One that has a classifier besides, sets
    `has_classifier` and has `batch_probabilities`.

    Attributes:
        name: what the features are, as it must stand beside every number that is made from them:
            numbers of two extractors do not compare.
        text: how images come to the network, and by which file of weights, in words for protocols.
        is_fid: whether these are the features of published FIDs and KIDs, whose names no others
            may bear.
        has_classifier: whether `probabilities` can be asked for.
    """

    name: str
    text: str = ""
    is_fid: bool = False
    has_classifier: bool = False

    @abc.abstractmethod
    def batch_features(self, images: np.ndarray) -> Any:
        """The features of one batch.

        Args:
            images: float32 [batch, height, width, 1 or 3] in [-1, 1].

        Returns:
            Floating [batch, features], an array or a tensor.
        """

    def batch_probabilities(self, images: np.ndarray) -> Any:
        """The classifier's probabilities of one batch, floating [batch, classes]."""
        raise NotImplementedError

    def check_shape(self, height: int, width: int, channels: int) -> None:
        """Refuses images that the extractor cannot take.

        Raises:
            UserError: if they are neither grey nor in colour.
        """
        if channels not in (1, 3):
            raise UserError(f"Expected images of 1 or 3 channels. Received: {channels}.")

    def batch_size(self, height: int, width: int) -> int:
        """How many images of this size make a batch."""
        return max(1, min(BATCH_IMAGES, BATCH_PIXELS // (height * width)))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The features of images of any size.

        They may lie in a file that is mapped into memory: only one batch is converted at a time.

        Args:
            images: [images, height, width, 1 or 3], floating in [-1, 1] or uint8 in [0, 255].

        Returns:
            float32 [images, features].

        Raises:
            ValueError: if the images are not of this form or range.
            UserError: a ValueError, if the extractor does not take their number of channels.

        Warns:
            UserWarning: if none of floating images has a value below 0, as if they were in [0, 1].
        """
        return self._over_batches(self.batch_features, images)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The classifier's probabilities, for `logan.metrics.fidelity.inception_score`.

        Args:
            images: as for features.

        Returns:
            float32 [images, classes], each row summing to 1.

        Raises:
            UserError: if the extractor has no classifier.
            ValueError: as for features.
        """
        if not self.has_classifier:
            raise UserError(
                "Expected an extractor with a classifier for probabilities. Received: "
                f"{self.name}, which has none."
            )
        return self._over_batches(self.batch_probabilities, images)

    def _over_batches(self, network: Callable[[np.ndarray], Any], images: np.ndarray) -> np.ndarray:
        _check_images(images)
        self.check_shape(*images.shape[1:])
        size = self.batch_size(*images.shape[1:3])
        smallest, found = np.inf, np.empty((0, 0), np.float32)
        for first in range(0, len(images), size):
            batch = _in_unit_range(images[first : first + size])
            smallest = min(smallest, float(batch.min()))
            part = np.asarray(network(batch), np.float32)
            if not first:
                found = np.empty((len(images), part.shape[1]), np.float32)
            found[first : first + len(part)] = part
        if smallest >= 0 and images.dtype != np.uint8:
            warnings.warn(
                f"Expected images in [-1, 1]. Received: no value below {smallest:g}. Images in "
                "[0, 1] have to be given as 2 x - 1.",
                stacklevel=3,
            )
        return found


def none() -> None:
    """No extractor: what needs features is left out."""


def as_colour(images: np.ndarray) -> np.ndarray:
    """Grey images [batch, height, width, 1] with three equal channels; others as they are."""
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _check_images(images: np.ndarray) -> None:
    if images.ndim != 4 or not images.size:
        raise ValueError(
            "Expected images of shape [images, height, width, channels], none of them 0. "
            f"Received: {images.shape}."
        )
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            "Expected floating images in [-1, 1], or uint8 images in [0, 255]. Received: "
            f"dtype={images.dtype}."
        )


def _in_unit_range(images: np.ndarray) -> np.ndarray:
    """float32 in [-1, 1]; NaN fails the comparison too."""
    if images.dtype == np.uint8:
        return to_unit_range(np.asarray(images))
    if not np.all(np.abs(images) <= 1.001):
        raise ValueError(
            "Expected floating images in [-1, 1]. Received: "
            f"{images.min():g} to {images.max():g}. Images in [0, 255] have to be uint8."
        )
    return np.asarray(images, np.float32)
