"""What the gradient penalties share."""

import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

# Kept inside every root: the slope of the root is infinite at 0, and 0 · infinity is NaN.
_FLOOR = 1e-12

# What Keras and this package pass to a model's `call` by name.
_NOT_INPUTS = ("training", "mask", "labels")


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
    """What to call D with: its inputs one by one, or all of them in one list or dictionary.

    A functional Keras model has its inputs as it was made with them; of a dictionary `x` and `z`
    by name or else by their shapes. Another Keras model gets a list if its `call` has one
    parameter for all.
    """
    if len(inputs) == 1 or not isinstance(discriminator, keras.Layer):
        return inputs
    # Only functional models know their inputs.
    own = discriminator.input if getattr(discriminator, "inputs", None) else None
    if isinstance(own, dict):
        return [_by_name(own, inputs)]
    takes_list = isinstance(own, list | tuple) or not _takes(discriminator.call, len(inputs))
    return [list(inputs)] if takes_list else inputs


def _by_name(own: dict[str, Any], inputs: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
    """The inputs under the names that a functional model has for them."""
    names = ["x", "z"] if set(own) == {"x", "z"} else list(own)
    for order in itertools.permutations(names):
        pairs = list(zip(order, inputs, strict=False))
        if all(value.shape.is_compatible_with(own[name].shape) for name, value in pairs):
            return dict(pairs)
    return dict(zip(names, inputs, strict=False))


def _takes(call: Callable[..., Any], count: int) -> bool:
    """Whether a Keras model's `call` has that many parameters for inputs, each with one tensor."""
    taken = 0
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            return True
        is_positional = parameter.kind in (
            parameter.POSITIONAL_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
        )
        is_tensor = parameter.default is parameter.empty or parameter.default is None
        if not (is_positional and is_tensor) or parameter.name in _NOT_INPUTS:
            break
        taken += 1
    return taken >= count


def check_takes_pairs(discriminator: Callable[..., Any], z: Any) -> None:
    """Refuses a discriminator of x alone, as far as that can be seen without calling it.

    Args:
        discriminator: a function or a Keras model.
        z: what it is to be called with beside x; None for nothing.

    Raises:
        ValueError: saying what the pairwise penalty needs and how to get there.
    """
    inputs = _inputs_of(discriminator)
    name = getattr(discriminator, "name", None) or getattr(discriminator, "__name__", "it")
    if inputs == 1:
        raise ValueError(
            "Expected a discriminator of pairs, D(x, z): the pairwise penalty needs an encoder "
            f"z = E(x) and reconstructions G(z). Received: D(x), {name!r}. "
            f"{PAIRS_NEEDED}; `lambda x, z: D(x)` leaves z out"
        )
    if inputs == 2 and z is None and isinstance(discriminator, keras.Model):
        raise ValueError(
            f"Expected z, the encodings E(x), for {name!r}, which has two inputs. Received: None"
        )


PAIRS_NEEDED = 'docs/own_model.md, "From D(x) to D(x, z)", has the lines that make one of the other'


def _inputs_of(discriminator: Callable[..., Any]) -> int | None:
    """How many inputs D takes, 1 or 2; None if that is not known."""
    if isinstance(discriminator, keras.Sequential):
        first = discriminator.layers[0] if discriminator.layers else None
        return _inputs_of(first) if isinstance(first, keras.Model) else 1
    if isinstance(discriminator, keras.Layer):
        inputs = getattr(discriminator, "inputs", None)  # of a functional model
        if inputs:
            return min(len(inputs), 2)
        # One parameter may stand for a list of both, unless it was built for one tensor.
        is_one = _parameters(discriminator.call) == 1
        shape: Any = (discriminator.get_build_config() or {}).get("input_shape")
        is_flat = bool(shape) and not isinstance(shape[-1], list | tuple | dict)
        return 1 if is_one and is_flat else None
    return _parameters(discriminator)


def _parameters(function: Callable[..., Any]) -> int | None:
    """How many inputs it takes by position, 1 or 2; None if that is not known."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of something built in
        return None
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return 2
    by_position = [
        each.name
        for each in parameters
        if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    return min(len([name for name in by_position if name not in _NOT_INPUTS]), 2)


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
