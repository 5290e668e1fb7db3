"""Classifiers of a data set's own classes, as `logan-classifier` trains them."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from logan.errors import UserError
from logan.extractors import (
    DIGITS_NEEDED,
    NO_CLASSIFIER,
    check_classifier,
    check_has_classifier,
    make_extractor,
)
from logan.extractors.base import Extractor
from logan.extractors.files import name_and_digest
from logan.extractors.keras_file import KerasFile
from logan.files import read_json
from logan.registry import parse_part

__all__ = ["Classifier", "OfChannels", "chosen", "fitting", "make_classifier"]

FLAG = "--classifier"


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A network that tells classes.

    Attributes:
        network: with `probabilities`.
        path: its file.
        names: what its classes are called, in their order, if the .json beside the file says so.
        count: how many they are.
    """

    network: KerasFile
    path: Path
    names: Sequence[str] | None
    count: int

    @property
    def text(self) -> str:
        """Which one it is, for protocols."""
        return f"classifier {name_and_digest(self.path)}"

    def fits(self, label_names: Sequence[str], channels: int) -> bool:
        """Whether it takes the images, and its classes are theirs; without names, as many."""
        if channels > self.network.channels:
            return False
        if self.names is None:
            return self.count == len(label_names)
        return sorted(self.names) == sorted(label_names)

    def check_fits(self, label_names: Sequence[str], channels: int) -> None:
        """Refuses a classifier of other classes, or of grey images for coloured ones.

        Raises:
            UserError: naming the flag and both.
        """
        if channels > self.network.channels:
            raise UserError(
                f"{FLAG}: expected a model of coloured images. Received: {self.path}, of grey ones"
            )
        if not self.fits(label_names, channels):
            known = self.count if self.names is None else _listed(self.names)
            raise UserError(
                f"{FLAG}: expected the classes {_listed(label_names)}. Received: {known} in "
                f"{self.path}"
            )

    def probabilities(self, images: np.ndarray, label_names: Sequence[str]) -> np.ndarray:
        """The probability of each class, in the order of `label_names`.

        Args:
            images: [images, height, width, channels], floating in [-1, 1] or uint8.
            label_names: the data's classes, which it fits.

        Returns:
            float32 [images, classes], each row summing to 1.
        """
        found = self.network.probabilities(images)
        if self.names is None:
            return found
        return found[:, [list(self.names).index(name) for name in label_names]]


class OfChannels(Extractor):
    """The features of each channel by a network of grey images, one behind another."""

    def __init__(self, network: KerasFile):
        self._network = network
        self.name = f"{network.name}, of each channel"
        self.text = network.text

    def batch_features(self, images: np.ndarray) -> Any:
        channels = np.split(images, images.shape[-1], axis=-1)
        return np.concatenate(
            [np.asarray(self._network.batch_features(one)) for one in channels], axis=-1
        )


def make_classifier(text: str) -> Classifier | None:
    """The classifier of a path, ":range=…" behind it if need be; see `KerasFile`.

    Returns:
        None for "none" and for nothing.

    Raises:
        UserError: as for `check_classifier`, or if the model does not end in a softmax.
    """
    check_classifier(text)
    if text in ("", NO_CLASSIFIER):
        return None
    try:
        network = make_extractor(text)
    except UserError as error:
        raise UserError(str(error).replace("--extractor:", f"{FLAG}:", 1)) from error
    path = Path(parse_part(text, "classifier").name).expanduser()
    found = None if network is None else of_network(network, path)
    if found is None:
        raise UserError(f"{FLAG}: expected a model that ends in a softmax. Received: {path}")
    return found


def chosen(
    extractor: str, extractor_weights: str | Path | None, classifier: str, is_stacked: bool
) -> tuple[Extractor | None, Classifier | None]:
    """The extractor and the classifier of their flags, for one set of images.

    Args:
        extractor: see `logan.extractors.make_extractor`.
        extractor_weights: a file of its weights.
        classifier: see `make_classifier`; the extractor serves where it is empty.
        is_stacked: whether the images are stacked digits. Then a classifier is needed, unless it
            is "none", and an extractor of grey images sees each channel.

    Raises:
        UserError: if one cannot be used, or the classifier is missing.
    """
    if is_stacked:
        check_has_classifier(classifier, extractor)
    labeller = make_classifier(classifier)
    features = make_extractor(extractor, extractor_weights)
    if labeller is None and classifier != NO_CLASSIFIER and isinstance(features, KerasFile):
        labeller = of_network(features, features.path)
    if labeller is None and is_stacked and classifier != NO_CLASSIFIER:
        raise UserError(f"{FLAG}: {DIGITS_NEEDED}. Received: {extractor}, which is none")
    if is_stacked and isinstance(features, KerasFile) and features.channels == 1:
        return OfChannels(features), labeller
    return features, labeller


def fitting(
    classifier: Classifier, label_names: Sequence[str], channels: int, *, is_needed: bool
) -> Classifier | None:
    """The classifier, if it tells these classes.

    Args:
        classifier: it.
        label_names: what the data's classes are called; empty if they have none.
        channels: of the images that it shall read; of stacked digits 1.
        is_needed: whether one that does not is refused, and not just left out.

    Raises:
        UserError: naming the flag, if it does not.
    """
    if is_needed and not label_names:
        raise UserError(
            f"{FLAG}: expected images with classes, by --labels or of a data set that has them. "
            "Received: images without"
        )
    if is_needed:
        classifier.check_fits(label_names, channels)
    return classifier if label_names and classifier.fits(label_names, channels) else None


def of_network(network: Extractor, path: Path) -> Classifier | None:
    """The classifier that an extractor is besides, if it is one."""
    if not isinstance(network, KerasFile) or not network.has_classifier:
        return None
    names = _names(path)
    count = int(network.model.outputs[0].shape[-1])
    return Classifier(network, path, names if names and len(names) == count else None, count)


def _names(path: Path) -> Sequence[str] | None:
    """What the classes are called, by the file that `logan-classifier` writes beside."""
    try:
        names = read_json(path.with_suffix(".json"))["classes"]
    except (FileNotFoundError, UserError, TypeError, KeyError):
        return None
    return [str(name) for name in names] if isinstance(names, list) else None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return shown + (f" and {len(names) - 10} others" if len(names) > 10 else "")
