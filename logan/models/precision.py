"""Sixteen bits: what stays in float32, and the loss scales of float16's optimizers."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.penalties.common import arguments_for


def in_float32(discriminator: keras.Model) -> Callable[..., tf.Tensor]:
    """The discriminator's logits without 16-bit rounding: what penalties differentiate.

    Slopes of 16-bit numbers vanish (float16) or lose their digits (bfloat16).
    """
    if not _has_16_bits(discriminator):
        return lambda *inputs, **labels: discriminator(
            *arguments_for(discriminator, inputs), training=True, **labels
        )
    twin = type(discriminator).from_config(
        {**_with_float32(discriminator.get_config()), "dtype": "float32"}
    )
    if _has_16_bits(twin):
        raise ValueError(
            "Expected a discriminator whose layers compute in float32 when its configuration says "
            f"so. Received: {discriminator.name}, {type(discriminator).__name__}"
        )

    def logits_of(*inputs: tf.Tensor, **labels: tf.Tensor) -> tf.Tensor:
        logits, _ = twin.stateless_call(
            [variable.value for variable in discriminator.trainable_variables],
            [variable.value for variable in discriminator.non_trainable_variables],
            *arguments_for(twin, inputs),
            training=True,
            **labels,
        )
        return logits

    return logits_of


def _has_16_bits(layer: keras.layers.Layer) -> bool:
    """Whether it or any layer in it computes in 16 bits."""
    return layer.compute_dtype in ("float16", "bfloat16") or any(
        map(_has_16_bits, getattr(layer, "layers", []))
    )


def _with_float32(config: Any) -> Any:
    """A configuration in which all layers, however deep, have the policy float32."""
    if isinstance(config, list):
        return [_with_float32(item) for item in config]
    if not isinstance(config, dict):
        return config
    return {
        name: "float32" if name == "dtype" and _is_policy(value) else _with_float32(value)
        for name, value in config.items()
    }


def _is_policy(value: Any) -> bool:
    return isinstance(value, dict) or "float16" in str(value)


def optimizer_for(
    network: keras.Model, optimizer: keras.optimizers.Optimizer
) -> keras.optimizers.Optimizer:
    """The optimizer, with a loss scale if the network computes in float16."""
    if network.compute_dtype == "float16" and not scales_loss(optimizer):
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def scales_loss(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the optimizer expects the gradients of a scaled loss."""
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def scaled(loss: tf.Tensor, optimizer: keras.optimizers.Optimizer) -> tf.Tensor:
    """The loss times the optimizer's loss scale, if it has one."""
    return optimizer.scale_loss(loss) if scales_loss(optimizer) else loss


def rescaled(
    gradients: Sequence[tf.Tensor],
    optimizer: keras.optimizers.Optimizer,
    scaled_for: keras.optimizers.Optimizer,
) -> Sequence[tf.Tensor]:
    """Gradients of a loss that was scaled for another optimizer, as this one expects them."""
    if optimizer is scaled_for or not scales_loss(optimizer):
        return gradients
    # Each optimizer has a scale of its own and will divide by that.
    ratio = optimizer.dynamic_scale / scaled_for.dynamic_scale
    return [gradient * ratio for gradient in gradients]
