"""Sixteen bits: what stays in float32, and the loss scales of float16's optimizers."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.models.own_networks import inlined, layers_of
from logan.penalties.common import arguments_for

_FLOAT32 = "float32"


def in_float32(discriminator: keras.Model) -> Callable[..., tf.Tensor]:
    """The discriminator's logits without 16-bit rounding: what penalties differentiate.

    Slopes of 16-bit numbers vanish (float16) or lose their digits (bfloat16).
    """

    def logits_of(*inputs: tf.Tensor, **labels: tf.Tensor) -> tf.Tensor:
        with _computing_in_float32(discriminator):
            return discriminator(*arguments_for(discriminator, inputs), training=True, **labels)

    return logits_of


@contextlib.contextmanager
def _computing_in_float32(network: keras.Layer) -> Iterator[None]:
    """Lets every layer of 16 bits in the network, however deep, compute in float32."""
    layers = [layer for layer in layers_of(network) if _is_of_16_bits(layer)]
    if not layers:
        yield
        return
    kept = [layer.dtype_policy for layer in layers]
    with inlined(network):
        try:
            for layer in layers:
                layer.dtype_policy = _FLOAT32
            yield
        finally:
            for layer, policy in zip(layers, kept, strict=True):
                layer.dtype_policy = policy


def _is_of_16_bits(layer: keras.layers.Layer) -> bool:
    return layer.compute_dtype in ("float16", "bfloat16")


def as_float32(output: Any) -> tf.Tensor:
    """A network's output, whatever its precision.

    Raises:
        TypeError: if it is more than one tensor.
    """
    if not tf.is_tensor(output):
        raise TypeError(f"expected one tensor as its output. Received: {type(output).__name__}")
    return tf.cast(output, tf.float32)


def needs_loss_scale(networks: Iterable[keras.Model]) -> bool:
    """Whether gradients that pass through these networks are of float16 somewhere."""
    return any(
        layer.compute_dtype == "float16" for network in networks for layer in layers_of(network)
    )


def with_loss_scale(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer with a loss scale, which it may have already."""
    return optimizer if scales_loss(optimizer) else keras.optimizers.LossScaleOptimizer(optimizer)


def scales_loss(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the optimizer expects the gradients of a scaled loss."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def common_scale(optimizers: Sequence[keras.optimizers.Optimizer]) -> tf.Tensor | None:
    """What a loss that these optimizers share is multiplied by; None if none of them scales it.

    The smallest of their scales: a larger one would overflow for the optimizer with that scale
    again and again, since it lowers its own alone.
    """
    scales = [one.dynamic_scale.value for one in optimizers if scales_loss(one)]
    return tf.reduce_min(tf.stack(scales)) if scales else None


def rescaled(
    gradients: Sequence[tf.Tensor | None],
    optimizer: keras.optimizers.Optimizer,
    scale: tf.Tensor | None,
) -> Sequence[tf.Tensor | None]:
    """Gradients of a loss that was multiplied by `scale`, as this optimizer expects them."""
    if scale is None:
        return gradients
    own = optimizer.dynamic_scale.value if scales_loss(optimizer) else 1.0
    ratio = own / scale
    return [None if gradient is None else gradient * ratio for gradient in gradients]
