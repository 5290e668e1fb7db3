"""Hierarchical latents: a part of z enters a generator at each of its levels.

Source: A. Brock, J. Donahue, K. Simonyan, "Large scale GAN training for high fidelity natural image
synthesis", ICLR 2019 (BigGAN, its "skip-z").
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def part_lengths(latent_length: int, parts: int) -> list[int]:
    """How many features of z each part has: as equal as can be, the first ones have the rest.

    Raises:
        ValueError: if there are fewer features than parts.
    """
    if latent_length < parts:
        raise ValueError(
            f"Expected latent_length >= {parts} with hierarchical_latents, one feature or more for "
            f"each level. Received: {latent_length}"
        )
    share, rest = divmod(latent_length, parts)
    return [share + (part < rest) for part in range(parts)]


def latent_parts(z: Any, parts: int) -> list[Any]:
    """The parts of z [batch, latent_length], cut along its features as `part_lengths` says."""
    lengths = part_lengths(z.shape[-1], parts)
    ends = [sum(lengths[: part + 1]) for part in range(parts)]
    return list(keras.ops.split(z, ends[:-1], axis=-1))


@keras.saving.register_keras_serializable(package="logan")
class LatentModulation(keras.layers.Layer):
    """(1 + A p)·h + B p: a part p of z scales and shifts each channel of a feature map h.

    A and B are matrices without a bias, at first orthogonal. Where p is 0 nothing changes. BigGAN
    puts it behind each batch normalization; here it stands at the same place whatever the
    normalization.
    """

    def build(self, h_shape: Sequence[int | None], part_shape: Sequence[int | None]) -> None:
        for name in ("scale", "shift"):
            layer = keras.layers.Dense(
                h_shape[-1],
                use_bias=False,
                kernel_initializer="orthogonal",
                name=name,
                dtype=self.dtype_policy,
            )
            layer.build(part_shape)
            setattr(self, name, layer)

    def call(self, h: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
        """The modulated map.

        Args:
            h: floating [batch, height, width, channels].
            part: floating [batch, features].

        Returns:
            h's shape.
        """
        scale, shift = (layer(part)[:, None, None, :] for layer in (self.scale, self.shift))
        return (1 + scale) * h + shift

    def compute_output_shape(
        self, h_shape: Sequence[int | None], part_shape: Sequence[int | None]
    ) -> Sequence[int | None]:
        del part_shape
        return h_shape


def with_entries(
    stack: keras.Sequential, latent_length: int, entered: type[keras.layers.Layer]
) -> keras.Model:
    """The layers of a stack as a model of z whose parts enter one after the other.

    Args:
        stack: layers whose first one takes the first part of z.
        latent_length: features of z.
        entered: each layer of this kind in the stack gets a `LatentModulation` in front, by the
            next part of z.
    """
    z = keras.Input((latent_length,))
    count = sum(isinstance(layer, entered) for layer in stack.layers)
    h, *rest = latent_parts(z, count + 1)
    for layer in stack.layers:
        if isinstance(layer, entered):
            h = LatentModulation()(h, rest.pop(0))
        h = layer(h)
    return keras.Model(z, h, name=stack.name)
