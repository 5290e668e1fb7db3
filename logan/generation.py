"""What a trained model makes of latents and of data, with averaged weights."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.models.encoding import EncodingModel
from logan.models.generative import GenerativeModel


def in_batches(
    network: Any, *inputs: np.ndarray, labels: np.ndarray | None = None, size: int = 2000
) -> np.ndarray:
    """network(*inputs) in inference mode, `size` examples at a time.

    Args:
        network: a Keras model.
        *inputs: [examples, ...] each.
        labels: int [examples], for a network that takes labels.
        size: how many at once.
    """
    outputs = []
    for start in range(0, len(inputs[0]), size):
        part = slice(start, start + size)
        of_labels = {} if labels is None else dict(labels=tf.constant(labels[part]))
        values = (tf.constant(each[part]) for each in inputs)
        outputs.append(network(*values, training=False, **of_labels))
    return np.concatenate([output.numpy() for output in outputs])


def evaluation_latents(
    model: AdversarialModel, seed: int, count: int, round: int = 0
) -> np.ndarray:
    """Draws of the model's prior that training never makes; see `GenerativeModel.prior_draws`."""
    return cast(GenerativeModel, model).prior_draws(count, seed, round)


def decode(
    model: Any, z: np.ndarray, labels: np.ndarray | None = None, size: int = 500
) -> np.ndarray:
    """G(z), or G(z, y) of a model that takes labels, float32 [examples, ...].

    Args:
        model: with an averaged generator.
        z: float32 [examples, latent_length].
        labels: int [examples], the classes; of no account without a conditional generator.
        size: how many at once.

    Raises:
        ValueError: if labels are needed and missing.
    """
    return in_batches(
        model.averaged_generator,
        z,
        labels=_labels_for(getattr(model, "generator", None), labels),
        size=size,
    )


def encode(
    model: EncodingModel, x: np.ndarray, labels: np.ndarray | None = None, size: int = 500
) -> np.ndarray:
    """E(x), float32 [images, latent_length]; labels [images] for an encoder that takes them."""
    of_labels = _labels_for(model.encoder, labels)
    return in_batches(model.averaged_encoder, x, labels=of_labels, size=size)


def reconstruct(
    model: EncodingModel, x: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray:
    """G(E(x)), or G(E(x), y) with the classes y of x, int [images]; of x's shape.

    Raises:
        ValueError: if labels are needed and missing.
    """
    return decode(model, encode(model, x, labels), labels)


def by_class(
    model: Any, seed: int, classes: Sequence[int], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Generations of several classes, of each from the same z.

    Args:
        model: with a conditional generator.
        seed: of the draws of z.
        classes: their numbers.
        count: generations of each.

    Returns:
        float32 [classes · count, ...], class by class, and their labels, int64.
    """
    z = evaluation_latents(model, seed, count)
    labels = np.repeat(np.asarray(classes, np.int64), count)
    return decode(model, np.tile(z, (len(classes), 1)), labels, size=64), labels


def _labels_for(network: Any, labels: np.ndarray | None) -> np.ndarray | None:
    """The labels, for a network that takes them.

    Raises:
        ValueError: if it does and there are none.
    """
    if not getattr(network, "takes_labels", False):
        return None
    if labels is None:
        raise ValueError(f"Expected labels for {network.name}. Received: none")
    return labels
