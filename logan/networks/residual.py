"""Generator, encoder and joint discriminator of residual blocks, for square images.

As in SNGAN (T. Miyato et al., "Spectral normalization for generative adversarial networks", ICLR
2018, appendix B.4; its blocks are those of I. Gulrajani et al., "Improved training of Wasserstein
GANs", NeurIPS 2017). A block adds two 3 x 3 convolutions to a shortcut:

    up     shortcut: 1 x 1 convolution, upsampling     added: [n] a, upsampling, 3 x 3, [n] a, 3 x 3
    down   shortcut: average pooling, 1 x 1            added: [n] a, 3 x 3, [n] a, 3 x 3, pooling
    same   shortcut: the map itself                    added: [n] a, 3 x 3, [n] a, 3 x 3

with [n] the normalization, a the activation. Upsampling repeats each place in a square of four, and
average pooling takes the mean of four. The first block that sees an image has neither [n] nor a in
front of its first convolution. Where a 1 x 1 convolution and a change of size can change places,
the one that costs less is done: the sums are the same.

What differs from SNGAN: leaky ReLU 0.2 in place of ReLU, as in all networks here; one block for
each level with width·2^min(level, 3) channels, so that all image sizes have their networks; D joins
z behind the sum over places, with one dense layer.
"""

from collections.abc import Sequence
from typing import Any

import keras

from logan.networks import convolutional
from logan.networks.attention import attention_layers, check_attention_size
from logan.networks.base import (
    PLAIN_PARTS,
    LeakyReLU,
    Networks,
    check_positive,
    normalization_layers,
)
from logan.networks.conditional import (
    ConditionalNormalization,
    with_class,
)
from logan.networks.convolutional import (
    channels_at,
    levels_of,
    size_and_channels,
)
from logan.networks.hierarchy import LatentModulation, latent_parts
from logan.settings.names import SMALLEST_MAP


@keras.saving.register_keras_serializable(package="logan")
class NearestUpsampling(keras.layers.Layer):
    """Each place of a feature map becomes a square of four: [b, h, w, c] -> [b, 2h, 2w, c].

    Interpolation by the nearest neighbour, as SNGAN has it, of operations that compile under XLA
    and have derivatives of every order.
    """

    def call(self, inputs: Any) -> Any:
        _, height, width, channels = inputs.shape
        h = keras.ops.reshape(inputs, (-1, height, 1, width, 1, channels))
        h = keras.ops.tile(h, (1, 1, 2, 1, 2, 1))
        return keras.ops.reshape(h, (-1, 2 * height, 2 * width, channels))

    def compute_output_shape(self, input_shape: Sequence[Any]) -> tuple[Any, ...]:
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels


def _convolution(h: Any, channels: int, kernel: int = 3) -> Any:
    """A convolution; as in SNGAN's code a 3 x 3 one's first weights are √2 times Glorot's."""
    gain = 2.0 if kernel == 3 else 1.0
    initializer = keras.initializers.VarianceScaling(gain, "fan_avg", "uniform")
    return keras.layers.Conv2D(channels, kernel, padding="same", kernel_initializer=initializer)(h)


def _pooled(h: Any) -> Any:
    return keras.layers.AveragePooling2D(2)(h)


def _activated(
    h: Any, normalization: str, part: Any = None, labels: Any = None, classes: int = 0
) -> Any:
    """Normalization, by class if there are any, modulation by a part of z, activation."""
    if classes:
        h = ConditionalNormalization(classes, normalization)(h, labels)
    else:
        for layer in normalization_layers(normalization):
            h = layer(h)
    if part is not None:
        h = LatentModulation()(h, part)
    return LeakyReLU()(h)


def _up(
    h: Any,
    channels: int,
    normalization: str,
    part: Any = None,
    labels: Any = None,
    classes: int = 0,
) -> Any:
    shortcut = NearestUpsampling()(_convolution(h, channels, kernel=1))
    h = NearestUpsampling()(_activated(h, normalization, part, labels, classes))
    h = _convolution(h, channels)
    h = _convolution(_activated(h, normalization, part, labels, classes), channels)
    return keras.layers.Add()([h, shortcut])


def _down(h: Any, channels: int, normalization: str, is_first: bool) -> Any:
    shortcut = _convolution(_pooled(h), channels, kernel=1)
    h = _convolution(h if is_first else _activated(h, normalization), channels)
    h = _convolution(_activated(h, normalization), channels)
    return keras.layers.Add()([_pooled(h), shortcut])


def _same(h: Any, normalization: str) -> Any:
    added = _convolution(_activated(h, normalization), h.shape[-1])
    added = _convolution(_activated(added, normalization), h.shape[-1])
    return keras.layers.Add()([added, h])


def _downwards(
    image_size: int, channels: int, width: int, normalization: str, attention_size: int
) -> tuple[Any, Any]:
    """An image as a Keras input, and its features at 4 x 4 places."""
    check_positive(channels=channels, width=width)
    check_attention_size(attention_size, image_size)
    x = keras.Input((image_size, image_size, channels))
    h = x
    for level in range(levels_of(image_size)):
        h = _down(h, channels_at(width, level), normalization, is_first=level == 0)
        for layer in attention_layers(h.shape[1], attention_size):
            h = layer(h)
    return x, _activated(_same(h, normalization), normalization)


def _upwards(
    image_size: int,
    channels: int,
    width: int,
    latent_length: int,
    normalization: str,
    attention_size: int,
    hierarchical_latents: bool,
    classes: int = 0,
) -> keras.Model:
    """Latent to image, or with classes latent and label to image."""
    check_positive(channels=channels, width=width, latent_length=latent_length)
    check_attention_size(attention_size, image_size)
    levels = levels_of(image_size)
    innermost = (SMALLEST_MAP, SMALLEST_MAP, channels_at(width, levels - 1))
    z = keras.Input((latent_length,))
    labels = keras.Input((), dtype="int64") if classes else None
    h, *parts = latent_parts(z, levels + 1) if hierarchical_latents else [z, *[None] * levels]
    h = with_class(h, labels, classes) if classes else h
    h = keras.layers.Dense(SMALLEST_MAP**2 * innermost[-1])(h)
    h = keras.layers.Reshape(innermost)(h)
    for level, part in zip(reversed(range(levels)), parts, strict=True):
        for layer in attention_layers(h.shape[1], attention_size):
            h = layer(h)
        h = _up(h, channels_at(width, level), normalization, part, labels, classes)
    h = _convolution(_activated(h, normalization, None, labels, classes), channels)
    x = keras.layers.Activation("tanh", dtype="float32")(h)
    return keras.Model([z, labels] if classes else z, x, name="upwards")


@keras.saving.register_keras_serializable(package="logan.residual")
class Generator(convolutional.Generator):
    """G(z) -> x: float32 [batch, latent_length] -> [batch, size, size, channels] in (-1, 1).

    Args and errors: as `logan.networks.convolutional.Convolutional`, and
        hierarchical_latents: whether z is cut into one part more than there are levels: the first
            part makes the innermost feature map, each further one enters the two activations of a
            block, see `logan.networks.hierarchy`.
        classes: of G(z, y), how many; 0 for none. Numbers of y then stand beside z, see
            `with_class`, and each normalization has a gain and a bias of each class, see
            `ConditionalNormalization`.

    `attention_size` here is the side of a map in front of a block.
    """

    def make_layers(self, settings: dict[str, Any]) -> None:
        size, channels = size_and_channels(self.data_shape)
        self.stack = _upwards(
            size,
            channels,
            latent_length=self.latent_length,
            hierarchical_latents=self.hierarchical_latents,
            classes=self.classes,
            **settings,
        )


@keras.saving.register_keras_serializable(package="logan.residual")
class Encoder(convolutional.Encoder):
    """E(x) -> z: float32 [batch, size, size, channels] -> [batch, latent_length] in (-1, 1).

    The last layer sees all places, not their sum: a reconstruction must know where things are.

    Args and errors: as `logan.networks.convolutional.Convolutional`, with the output of a block in
        place of an activation, and
        output_activation: of the last layer. `tanh` keeps z in the uniform prior's (-1, 1); a
            normal prior needs `linear`.
    """

    def make_layers(self, settings: dict[str, Any]) -> None:
        size, channels = size_and_channels(self.data_shape)
        x, h = _downwards(size, channels, **settings)
        h = keras.layers.Flatten()(h)
        last = keras.layers.Dense(
            self.latent_length, activation=self.output_activation, dtype="float32"
        )
        self.stack = keras.Model(x, last(h), name="downwards")


@keras.saving.register_keras_serializable(package="logan.residual")
class Discriminator(convolutional.ImageDiscriminator):
    """D(x, z) -> logits: images and [batch, latent_length] -> float32 [batch, 1].

    Blocks on x, the sum over places, then concat with z, one dense layer, the logit. With
    latent_length 0 it is a plain GAN's D(x).

    Args and errors: as `logan.networks.convolutional.Convolutional`, without normalization, and
        dense_width: units of the layer that joins x and z.
        classes: that D may know; 0 for none.
        projection: whether its logit knows them, see `ConditionalDiscriminator`.
        classifier: whether it tells them, by a layer of its own on the last hidden one.

    There is no normalization: the penalty needs each example's logit to depend on that example
    alone.
    """

    role = "discriminator"

    def __init__(
        self,
        data_shape: Sequence[int] = (32, 32, 3),
        latent_length: int = 128,
        *,
        width: int = 64,
        dense_width: int = 512,
        attention_size: int = 0,
        classes: int = 0,
        projection: bool = True,
        classifier: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        self.set_classes(classes, projection, classifier)
        settings = dict(width=width, dense_width=dense_width, attention_size=attention_size)
        super().__init__(data_shape, latent_length, settings, name, **kwargs)

    def make_layers(self, settings: dict[str, Any]) -> None:
        dense_width = settings["dense_width"]
        check_positive(dense_width=dense_width)
        size, channels = size_and_channels(self.data_shape)
        x, h = _downwards(size, channels, settings["width"], "none", settings["attention_size"])
        self.features = keras.Model(x, keras.ops.sum(h, axis=(1, 2)), name="downwards")
        self.joint = keras.Sequential(
            [
                keras.Input((h.shape[-1] + self.latent_length,)),
                keras.layers.Dense(dense_width),
                LeakyReLU(),
                keras.layers.Dense(1, dtype="float32"),
            ],
            name="joint",
        )
        self.make_heads(PLAIN_PARTS)


RESIDUAL = Networks(Generator, Encoder, Discriminator)
