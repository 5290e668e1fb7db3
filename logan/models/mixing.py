"""Whether a discriminator lets the examples of a batch act on each other, and by which layer."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_TOLERANCE = 1e-4  # of the largest value: rounding moves no more, of float32
_MIXING = (keras.layers.BatchNormalization,)  # in training mode


@contextlib.contextmanager
def state_put_back(*networks: keras.Model) -> Iterator[None]:
    """What calls of networks change, such as the seeds of dropout, is as before at the end."""
    variables = [each for network in networks for each in network.variables if not each.trainable]
    values = [tf.identity(tf.convert_to_tensor(each)) for each in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def mixes_examples(
    judge: Callable[..., tf.Tensor],
    discriminator: keras.Model,
    inputs: Sequence[tf.Tensor],
    others: Sequence[tf.Tensor],
) -> bool:
    """Whether logit or gradient of the first example change with the examples after it.

    Where that cannot be seen, since there is one example only, D is flat or its outputs are random,
    it is told by the kinds of layers that are known to.

    Args:
        judge: maps D's inputs to logits, in training mode.
        discriminator: D, whose state is put back after each call.
        inputs: floating [batch, ...] each.
        others: what the examples after the first are replaced by, of the same shapes.
    """
    changed = _with_first(inputs, others)
    first, again, other = (
        _of_first(judge, discriminator, values) for values in (inputs, inputs, changed)
    )
    sizes = [np.abs(values).max() for values in first]
    # Its own randomness, or no slope: nothing can be seen.
    is_blind = len(inputs[0]) < 2 or not all(size > 0 for size in sizes[1:])
    if is_blind or _differ(first, again):
        return any(_is_known_to_mix(layer) for layer in _leaves(discriminator))
    return _differ(first, other)


def mixing_layer(
    call: Callable[..., Any],
    discriminator: keras.Model,
    inputs: Sequence[tf.Tensor],
    others: Sequence[tf.Tensor],
) -> keras.Layer | None:
    """The first layer whose output for the first example changes though its input does not.

    Args:
        call: D in training mode, which goes through its own layers.
        discriminator: D.
        inputs: as for `mixes_examples`.
        others: as for `mixes_examples`.

    Returns:
        The layer; one that is known to mix if none is seen to; None without such a one.
    """
    layers = _leaves(discriminator)
    size = len(inputs[0])
    if size > 1:
        one, two = (
            _calls(call, discriminator, layers, values)
            for values in (inputs, _with_first(inputs, others))
        )
        for (layer, given, made), (same, given_too, made_too) in zip(one, two, strict=False):
            if layer is not same:
                break
            if not _differ(given, given_too) and _differ(made, made_too):
                return layer
    return next((layer for layer in layers if _is_known_to_mix(layer)), None)


def _with_first(inputs: Sequence[tf.Tensor], others: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    return [
        tf.concat([mine[:1], theirs[1:]], axis=0)
        for mine, theirs in zip(inputs, others, strict=True)
    ]


def _leaves(discriminator: keras.Model) -> list[keras.Layer]:
    """The layers that have none in them, in the order in which they were made."""
    layers = discriminator._flatten_layers(include_self=False)
    return [layer for layer in layers if not list(layer._flatten_layers(include_self=False))]


def _is_known_to_mix(layer: keras.Layer) -> bool:
    return isinstance(layer, _MIXING) and layer.trainable


def _of_first(
    judge: Callable[..., tf.Tensor], discriminator: keras.Model, inputs: Sequence[tf.Tensor]
) -> list[np.ndarray]:
    """The first example's logit, and D's gradient at it."""
    with state_put_back(discriminator), tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = judge(*inputs)
    gradients = tape.gradient(logits, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [values[0].numpy() for values in (logits, *gradients)]


def _differ(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    if [np.shape(mine) for mine in one] != [np.shape(theirs) for theirs in other]:
        return True
    return any(
        np.abs(mine - theirs).max(initial=0) > _TOLERANCE * np.abs(mine).max(initial=0)
        for mine, theirs in zip(one, other, strict=True)
    )


_Call = tuple[keras.Layer, list[np.ndarray], list[np.ndarray]]


def _calls(
    call: Callable[..., Any],
    discriminator: keras.Model,
    layers: Sequence[keras.Layer],
    inputs: Sequence[tf.Tensor],
) -> list[_Call]:
    """Each call of a layer: with what, and what it gave, of the first example."""
    size, calls = len(inputs[0]), []

    def listened(layer: keras.Layer, own: Callable[..., Any]) -> Callable[..., Any]:
        def listen(*arguments: Any, **settings: Any) -> Any:
            output = own(*arguments, **settings)
            calls.append((layer, _firsts((arguments, settings), size), _firsts(output, size)))
            return output

        return listen

    for layer in layers:
        layer.__dict__["call"] = listened(layer, layer.call)
    try:
        with state_put_back(discriminator):
            call(*inputs)
    finally:
        for layer in layers:
            del layer.__dict__["call"]
    return calls


def _firsts(values: Any, size: int) -> list[np.ndarray]:
    """The first example of each floating tensor of the batch."""
    return [
        np.asarray(value[0], np.float32)
        for value in tf.nest.flatten(values)
        if tf.is_tensor(value)
        and value.dtype.is_floating
        and value.shape.rank
        and len(value) == size
    ]
