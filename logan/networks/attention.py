"""Self-attention between the places of a feature map."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.settings.names import feature_map_sizes

_REDUCTION = 8  # channels of the map for each channel of queries, keys and values


@keras.saving.register_keras_serializable(package="logan")
class SelfAttention(keras.layers.Layer):
    """γ·o + h: each place of a feature map sees all others.

        o_j = W_o Σ_i β_ji W_h h_i,    β_ji = softmax over i of (W_f h_i)·(W_g h_j)

    W_f, W_g and W_h are 1 x 1 convolutions to an eighth of the channels, W_o is one back to all of
    them. γ is a weight that starts at 0, so that at first the layer changes nothing.

    Source: H. Zhang et al., "Self-attention generative adversarial networks", ICML 2019 (SAGAN).

    β has (height·width)² numbers for each example: 65,536 at 16 x 16, 1,048,576 at 32 x 32. The
    softmax of 16-bit maps is computed in float32.

    Attributes:
        convolution: the kind of layer that W_f, W_g, W_h and W_o are; a subclass may have another.
    """

    convolution: Any = keras.layers.Conv2D

    def build(self, input_shape: Sequence[int | None]) -> None:
        channels = input_shape[-1]
        assert channels is not None
        inner = max(1, channels // _REDUCTION)
        for name, before, after in (
            ("keys", channels, inner),
            ("queries", channels, inner),
            ("values", channels, inner),
            ("outer", inner, channels),
        ):
            layer = self.convolution(after, 1, name=name, dtype=self.dtype_policy)
            layer.build((*input_shape[:-1], before))
            setattr(self, name, layer)
        self.gain = self.add_weight(shape=(), initializer="zeros", name="gain")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The map with what its places see.

        Args:
            inputs: h, floating [batch, height, width, channels].

        Returns:
            The same shape and dtype.
        """
        keys, queries, values = (
            keras.ops.reshape(layer(inputs), (-1, self._places(inputs), layer.filters))
            for layer in (self.keys, self.queries, self.values)
        )
        seen = keras.ops.matmul(self.attention(keys, queries), values)
        seen = keras.ops.reshape(seen, (-1, *inputs.shape[1:3], seen.shape[-1]))
        return inputs + keras.ops.cast(self.gain, inputs.dtype) * self.outer(seen)

    @staticmethod
    def attention(keys: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
        """β: for each place j of the queries a distribution over the places i of the keys.

        Args:
            keys: floating [batch, places, features].
            queries: floating [batch, places, features].

        Returns:
            [batch, j, i] of the queries' dtype; each row sums to 1.
        """
        scores = keras.ops.matmul(queries, keras.ops.transpose(keys, (0, 2, 1)))
        at_least = keras.backend.result_type(scores.dtype, "float32")
        shares = keras.ops.softmax(keras.ops.cast(scores, at_least), axis=-1)
        return keras.ops.cast(shares, queries.dtype)

    @staticmethod
    def _places(inputs: tf.Tensor) -> int:
        return inputs.shape[1] * inputs.shape[2]

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Sequence[int | None]:
        return input_shape


def attention_layers(size: int, attention_size: int) -> list[SelfAttention]:
    """No layer or one, to be put behind a feature map of size x size places."""
    return [SelfAttention()] if size == attention_size else []


def check_attention_size(attention_size: int, image_size: int) -> None:
    """Refuses a size that none of the feature maps has.

    Raises:
        ValueError: if it is neither 0 nor one of `feature_map_sizes`.
    """
    sizes = feature_map_sizes(image_size)
    if attention_size and attention_size not in sizes:
        raise ValueError(
            f"Expected attention_size to be 0 or one of {sizes} with images of {image_size} "
            f"pixels a side. Received: {attention_size}"
        )
