"""What the gradient penalties share."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

# Kept inside every root: the slope of the root is infinite at 0, and 0 · infinity is NaN.
_FLOOR = 1e-12


def squared_norm_of(values: tf.Tensor) -> tf.Tensor:
    """The square of the Euclidean norm over ALL axes but the first, [batch]."""
    flat = tf.reshape(values, [tf.shape(values)[0], -1])
    return tf.reduce_sum(tf.square(flat), axis=1)


def floored_root(squares: tf.Tensor) -> tf.Tensor:
    """The root, whose slope is finite at 0 as well."""
    return tf.sqrt(squares + _FLOOR)


def norm_of(values: tf.Tensor) -> tf.Tensor:
    """The Euclidean norm over ALL axes but the first, [batch]."""
    return floored_root(squared_norm_of(values))


def per_example(values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """[batch] with the trailing axes of length 1 that let it multiply `like`."""
    return tf.reshape(values, [-1] + [1] * (like.shape.rank - 1))


def precision_of(x: Any) -> tf.DType:
    """float64 for a tensor of it, else float32: NumPy's numbers are float64 unasked."""
    return tf.float64 if tf.is_tensor(x) and x.dtype == tf.float64 else tf.float32


def arguments_for(discriminator: Callable[..., Any], inputs: Sequence[tf.Tensor]) -> Sequence[Any]:
    """What to call D with: its inputs, or one list of them if it is functional and has several."""
    is_model = isinstance(discriminator, keras.Model)
    # Only functional models know their inputs.
    takes_list = is_model and len(getattr(discriminator, "inputs", None) or []) > 1
    return [list(inputs)] if takes_list else inputs


def interpolation_points(epsilon: tf.Tensor | None, x: tf.Tensor) -> tf.Tensor:
    """`epsilon`, one number in [0, 1] per example of x, [batch] of x's dtype. Drawn if None."""
    if epsilon is None:
        epsilon = tf.random.uniform([tf.shape(x)[0]], dtype=x.dtype)
    epsilon = tf.cast(epsilon, x.dtype)
    if not epsilon.shape.is_compatible_with(x.shape[:1]):
        raise ValueError(
            f"Expected epsilon to be one number per example, {x.shape[:1]}. "
            f"Received: {epsilon.shape}"
        )
    return epsilon
