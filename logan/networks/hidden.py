"""The last hidden layer of a discriminator: what it knows of its inputs before it decides."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.penalties.common import arguments_for


def through(stack: keras.Sequential, inputs: Any, training: bool | None) -> tuple[Any, Any]:
    """What goes into the last layer of a stack, and what comes out of it."""
    for layer in stack.layers[:-1]:
        inputs = layer(inputs, training=training)
    return inputs, stack.layers[-1](inputs)


def class_logits(discriminator: keras.Model, inputs: Sequence[tf.Tensor]) -> tf.Tensor:
    """The logits of classes by a discriminator with a classifier, in training mode.

    Args:
        discriminator: with a method class_logits(*inputs, training), as the networks of this
            package have.
        inputs: x, or x and z.

    Returns:
        float32 [batch, classes].
    """
    return tf.cast(discriminator.class_logits(*inputs, training=True), tf.float32)


def with_hidden(
    discriminator: keras.Model, inputs: Sequence[tf.Tensor], **labels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The last hidden layer and the logits, of one pass in training mode.

    Args:
        discriminator: with a method hidden_and_logits(*inputs, training, **labels), as the networks
            of this package have, or a functional or sequential model whose last layer makes the
            logits.
        inputs: x, or x and z.
        **labels: labels, for a discriminator that takes them.

    Returns:
        float32 [batch, features] and float32 [batch, 1].

    Raises:
        ValueError: if it is neither.
    """
    if hasattr(discriminator, "hidden_and_logits"):
        hidden, logits = discriminator.hidden_and_logits(*inputs, training=True, **labels)
    elif getattr(discriminator, "inputs", None):
        outputs = [discriminator.layers[-1].input, discriminator.output]
        both = keras.Model(discriminator.inputs, outputs)
        hidden, logits = both(*arguments_for(both, inputs), training=True)
    else:
        raise ValueError(
            "Expected a discriminator with a method hidden_and_logits, or a functional one. "
            f"Received: {discriminator.name}, {type(discriminator).__name__}"
        )
    flat = tf.reshape(hidden, [tf.shape(hidden)[0], -1])
    return tf.cast(flat, tf.float32), tf.cast(logits, tf.float32)
