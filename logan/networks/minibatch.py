"""Layers by which a discriminator sees the other samples of a batch.

A discriminator with one of them looks across the batch: real and fake samples must go through it
apart, and a penalty on its slope at single examples means nothing. Each replica of a distribution
strategy looks across its own share of the batch.
"""

from typing import Any

import keras
import tensorflow as tf

MINIBATCH_LAYERS = ("none", "discrimination", "deviation")


@keras.saving.register_keras_serializable(package="logan")
class MinibatchDiscrimination(keras.layers.Layer):
    """Features h beside how close they lie to those of the other samples.

        M_i = h_i T,   o(x_i)_b = Σ_{j ≠ i} exp(-‖M_{i,b} - M_{j,b}‖₁),   output (h_i, o(x_i))

    T has the shape [features, kernels, kernel_length].

    Source: T. Salimans et al., "Improved techniques for training GANs", NeurIPS 2016.

    Args:
        kernels: B, how many numbers o(x_i) has.
        kernel_length: C, the length of each M_{i,b}.

    Raises:
        ValueError: if one is not a positive integer.
    """

    def __init__(self, kernels: int = 100, kernel_length: int = 5, **kwargs: Any):
        super().__init__(**kwargs)
        if min(kernels, kernel_length) < 1:
            raise ValueError(
                f"Expected kernels and kernel_length >= 1. Received: {kernels} and {kernel_length}"
            )
        self.kernels = kernels
        self.kernel_length = kernel_length

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.kernels * self.kernel_length),
            initializer="glorot_uniform",
            name="kernel",
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Float [batch, features] to [batch, features + kernels]."""
        flat = keras.ops.matmul(inputs, self.kernel)
        projected = keras.ops.reshape(flat, (-1, self.kernels, self.kernel_length))
        gaps = keras.ops.expand_dims(projected, 0) - keras.ops.expand_dims(projected, 1)
        closeness = keras.ops.exp(-keras.ops.sum(keras.ops.abs(gaps), axis=-1))
        # A sample is at no distance from itself: its own summand is 1.
        others = keras.ops.sum(closeness, axis=0) - 1.0
        return keras.ops.concatenate([inputs, others], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self) -> dict[str, Any]:
        own = {"kernels": self.kernels, "kernel_length": self.kernel_length}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="logan")
class MinibatchDeviation(keras.layers.Layer):
    """Features beside one number that says how much they differ within a group of samples.

    Of each group of g samples: the standard deviation (over g, not g - 1) of each feature at each
    place, and the mean of these. It is appended as one constant channel. The samples i, i + n/g,
    i + 2n/g, … of a batch of n are a group; a batch that g does not divide is one group.

    Source: T. Karras, T. Aila, S. Laine and J. Lehtinen, "Progressive growing of GANs for improved
    quality, stability, and variation", ICLR 2018.

    Args:
        group: g.

    Raises:
        ValueError: if it is not above 1.
    """

    def __init__(self, group: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        if group < 2:
            raise ValueError(f"Expected a group of >= 2. Received: {group}")
        self.group = group

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Float [batch, ..., channels] to [batch, ..., channels + 1]."""
        if isinstance(inputs, keras.KerasTensor):
            return keras.ops.concatenate([inputs, inputs[..., :1]], axis=-1)
        size = tf.shape(inputs)[0]
        group = tf.where(size % self.group == 0, self.group, size)
        grouped = tf.reshape(tf.cast(inputs, tf.float32), [group, size // group, -1])
        variance = tf.math.reduce_variance(grouped, axis=0)
        deviation = tf.reduce_mean(tf.sqrt(variance + 1e-8), axis=1)
        each = tf.reshape(tf.tile(deviation, [group]), [size] + [1] * (inputs.shape.rank - 1))
        channel = tf.ones_like(inputs[..., :1]) * tf.cast(each, inputs.dtype)
        return tf.concat([inputs, channel], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "group": self.group}


def minibatch_layers(kind: str) -> list[keras.layers.Layer]:
    """No layer or one, to be put in front of the layer that makes the logits.

    Raises:
        ValueError: on an unknown kind.
    """
    if kind not in MINIBATCH_LAYERS:
        raise ValueError(f"Expected minibatch to be one of {MINIBATCH_LAYERS}. Received: {kind!r}")
    if kind == "discrimination":
        return [MinibatchDiscrimination()]
    return [MinibatchDeviation()] if kind == "deviation" else []
