"""Averaged copies of networks, which samples are drawn from."""

from collections.abc import Iterable

import keras
import tensorflow as tf


def twin(network: keras.Model) -> keras.Model:
    """A copy with the same weights that training does not touch: for averages.

    Raises:
        ValueError: if Keras cannot make one.
    """
    config = network.get_config()
    try:
        twin = type(network).from_config({**config, "name": f"averaged_{network.name}"})
        twin.set_weights(network.get_weights())
    except (TypeError, ValueError) as error:
        raise ValueError(
            "Expected networks that can be made again by from_config(get_config()), with all their "
            f"weights. Received: {network.name}, {type(network).__name__}: {error}"
        ) from error
    twin.trainable = False
    return twin


def move_averages(
    pairs: Iterable[tuple[keras.Model, keras.Model]], step: tf.Tensor, decay: float
) -> None:
    """Moves each average towards its network, after `step` training steps.

    It follows quickly at first: decay min(d, (1 + t) / (10 + t)) after t steps.

    Args:
        pairs: networks and their averages.
        step: t, scalar.
        decay: d, weight of the past in [0, 1).
    """
    steps = tf.cast(step, tf.float32)
    kept = tf.minimum(decay, (1.0 + steps) / (10.0 + steps))
    for network, averaged in pairs:
        for value, average in zip(network.weights, averaged.weights, strict=True):
            if tf.as_dtype(value.dtype).is_floating:
                value = average + (1.0 - kept) * (value - average)
            average.assign(value)
