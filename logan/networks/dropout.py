"""Dropout whose masks are a function of seed and step, as every draw of a training is."""

from typing import Any

import keras
import tensorflow as tf

from logan.randomness import current_draw


@keras.saving.register_keras_serializable(package="logan")
class Dropout(keras.layers.Layer):
    """In training x · m / (1 - rate), with m 0 with probability `rate` and else 1; else x.

    In a training step each call draws another mask, of the step's own numbers
    (`logan.randomness.Draw.mask`), so that a run that is resumed goes on as if it had not stopped.
    Outside of one the masks are TensorFlow's.

    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", JMLR 2014.

    Args:
        rate: share of the units that are dropped, in [0, 1).

    Raises:
        ValueError: if rate is out of range.
    """

    def __init__(self, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"Expected a dropout in [0, 1). Received: {rate}")
        self.rate = rate

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if not training or not self.rate or isinstance(inputs, keras.KerasTensor):
            return inputs
        draw = current_draw()
        mask = tf.random.uniform(tf.shape(inputs)) if draw is None else draw.mask(inputs)
        kept = tf.cast(mask >= self.rate, inputs.dtype)
        return inputs * kept / (1.0 - self.rate)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


def drops_units(layer: keras.layers.Layer) -> bool:
    """Whether it or any layer in it has a dropout rate above 0."""
    return bool(getattr(layer, "rate", 0)) or any(map(drops_units, getattr(layer, "layers", [])))
