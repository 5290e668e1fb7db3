"""Generator, encoder and joint discriminator as DCGAN-like convolutions, for square images.

Kernel 4, stride 2, width·2^min(level, 3) channels, batch normalization (0.9) in G and E and none
in D, as in the paper's code (width 64; 3 levels at 32 pixels, 5 at 128). G and E end in tanh, E
with a normal prior in a linear layer.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras

from logan.networks.attention import attention_layers, check_attention_size
from logan.networks.base import (
    PLAIN_PARTS,
    DiscriminatorParts,
    LeakyReLU,
    Network,
    Networks,
    check_positive,
    normalization_layers,
)
from logan.networks.conditional import (
    ConditionalDiscriminator,
    ConditionalNormalization,
    check_classes,
    given_labels,
    with_labels,
)
from logan.networks.hierarchy import part_lengths, with_entries
from logan.settings.names import IMAGE_SIZES, SMALLEST_MAP


def levels_of(image_size: int) -> int:
    """How many times an image is halved until 4 pixels a side are left.

    Raises:
        ValueError: if image_size is not one of `IMAGE_SIZES`.
    """
    if image_size not in IMAGE_SIZES:
        raise ValueError(f"Expected image_size to be one of {IMAGE_SIZES}. Received: {image_size}")
    return (image_size // SMALLEST_MAP).bit_length() - 1


def size_and_channels(data_shape: Sequence[int]) -> tuple[int, int]:
    """Pixels a side and channels of square images.

    Raises:
        ValueError: if data_shape is of something else.
    """
    if len(data_shape) != 3 or data_shape[0] != data_shape[1]:
        raise ValueError(
            f"Expected data_shape to be (size, size, channels). Received: {tuple(data_shape)}"
        )
    return data_shape[0], data_shape[2]


def channels_at(width: int, level: int) -> int:
    """Channels of a feature map, by how often the image was halved before it."""
    return width * 2 ** min(level, 3)


def _downwards(
    image_size: int,
    channels: int,
    width: int,
    normalization: str,
    attention_size: int,
    parts: DiscriminatorParts = PLAIN_PARTS,
) -> keras.Sequential:
    """Image to flat features by stride-2 convolutions."""
    check_positive(channels=channels, width=width)
    check_attention_size(attention_size, image_size)
    stack = keras.Sequential([keras.Input((image_size, image_size, channels))], name="downwards")
    for level in range(levels_of(image_size)):
        stack.add(
            parts.convolution(
                channels_at(width, level), 4, 2, "same", use_bias=normalization == "none"
            )
        )
        for layer in normalization_layers(normalization):
            stack.add(layer)
        for layer in [
            LeakyReLU(),
            *parts.dropout_layers(),
            *attention_layers(image_size >> (level + 1), attention_size),
        ]:
            stack.add(layer)
    stack.add(keras.layers.Flatten())
    return stack


def _upwards(
    image_size: int,
    channels: int,
    width: int,
    latent_length: int,
    normalization: str,
    attention_size: int,
    classes: int = 0,
) -> Iterator[keras.layers.Layer]:
    """The layers of latent to image by stride-2 transposed convolutions, made one by one.

    With classes each normalization is a `ConditionalNormalization`.
    """
    check_positive(channels=channels, width=width, latent_length=latent_length)
    check_attention_size(attention_size, image_size)
    levels = levels_of(image_size)
    innermost = (SMALLEST_MAP, SMALLEST_MAP, channels_at(width, levels - 1))
    yield keras.layers.Dense(SMALLEST_MAP**2 * innermost[-1], use_bias=normalization == "none")
    yield keras.layers.Reshape(innermost)
    for level in reversed(range(levels)):
        if classes:
            yield ConditionalNormalization(classes, normalization)
        else:
            yield from normalization_layers(normalization)
        yield LeakyReLU()
        yield from attention_layers(image_size >> (level + 1), attention_size)
        outermost = level == 0
        yield keras.layers.Conv2DTranspose(
            channels if outermost else channels_at(width, level - 1),
            4,
            2,
            "same",
            use_bias=outermost or normalization == "none",
        )
    yield keras.layers.Activation("tanh", dtype="float32")


class Convolutional(Network):
    """What the three have in common.

    Args:
        data_shape: (size, size, channels) of an image: pixels a side, a power of two from 8 to 256;
            1 channel for grey, 3 for colour.
        latent_length: features of z.
        width: channels of the outermost feature map; the inner ones have up to 8 times as many.
        normalization: `none`, `batch` or `layer`, in front of each activation.
        attention_size: side of the feature map behind whose activation `SelfAttention` stands, one
            of size / 2, size / 4, … 4; 0 for none.

    Raises:
        ValueError: on a setting out of range.
    """

    def __init__(
        self,
        data_shape: Sequence[int] = (32, 32, 3),
        latent_length: int = 128,
        *,
        width: int = 64,
        normalization: str = "batch",
        attention_size: int = 0,
        name: str | None = None,
        **kwargs: Any,
    ):
        settings = dict(width=width, normalization=normalization, attention_size=attention_size)
        super().__init__(data_shape, latent_length, settings, name, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.stack(inputs, training=training)


@keras.saving.register_keras_serializable(package="logan.convolutional")
class Generator(Convolutional):
    """G(z) -> x: float32 [batch, latent_length] -> [batch, size, size, channels] in (-1, 1).

    Args and errors: as `Convolutional`, and
        hierarchical_latents: whether z is cut into one part more than there are levels: the first
            part makes the innermost feature map, each further one enters in front of an activation,
            see `logan.networks.hierarchy`.
        classes: of G(z, y), how many; 0 for none. Numbers of y then stand beside z, see
            `with_class`, and each normalization has a gain and a bias of each class, see
            `ConditionalNormalization`.
    """

    role = "generator"

    def __init__(
        self,
        data_shape: Sequence[int] = (32, 32, 3),
        latent_length: int = 128,
        *,
        hierarchical_latents: bool = False,
        classes: int = 0,
        **kwargs: Any,
    ):
        check_classes(classes)
        if classes:
            self.classes, self.takes_labels = classes, True
        self.hierarchical_latents = hierarchical_latents
        super().__init__(data_shape, latent_length, **kwargs)

    def make_layers(self, settings: dict[str, Any]) -> None:
        size, channels = size_and_channels(self.data_shape)
        parts = levels_of(size) + 1 if self.hierarchical_latents else 1
        first, *_ = part_lengths(self.latent_length, parts)
        layers = _upwards(size, channels, latent_length=first, **settings, classes=self.classes)
        if self.classes:
            self.stack = with_labels(
                layers,
                self.latent_length,
                classes=self.classes,
                name="upwards",
                parts=parts,
                entered=LeakyReLU,
            )
            return
        stack = keras.Sequential([keras.Input((first,))], name="upwards")
        for layer in layers:
            stack.add(layer)
        self.stack = (
            with_entries(stack, self.latent_length, LeakyReLU)
            if self.hierarchical_latents
            else stack
        )

    def call(  # type: ignore[override]
        self, inputs: Any, labels: Any = None, training: bool | None = None
    ) -> Any:
        if self.classes:
            inputs = [inputs, given_labels(labels)]
        return self.stack(inputs, training=training)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hierarchical_latents": self.hierarchical_latents}


@keras.saving.register_keras_serializable(package="logan.convolutional")
class Encoder(Convolutional):
    """E(x) -> z: float32 [batch, size, size, channels] -> [batch, latent_length] in (-1, 1).

    Args and errors: as `Convolutional`, and
        output_activation: of the last layer. `tanh` keeps z in the uniform prior's (-1, 1);
            a normal prior needs `linear`.
    """

    role = "encoder"

    def __init__(
        self,
        data_shape: Sequence[int] = (32, 32, 3),
        latent_length: int = 128,
        *,
        output_activation: str = "tanh",
        **kwargs: Any,
    ):
        self.output_activation = output_activation
        super().__init__(data_shape, latent_length, **kwargs)

    def make_layers(self, settings: dict[str, Any]) -> None:
        size, channels = size_and_channels(self.data_shape)
        self.stack = _downwards(size, channels, **settings)
        self.stack.add(
            keras.layers.Dense(
                self.latent_length, activation=self.output_activation, dtype="float32"
            )
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_activation": self.output_activation}


class ImageDiscriminator(ConditionalDiscriminator, Network):
    """What discriminators of images have in common: `features` of x, then `joint` with z beside."""

    features: keras.Model
    joint: keras.Sequential

    @property
    def last_stack(self) -> keras.Sequential:
        return self.joint

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.class_config()}

    def seen(self, x: Any, z: Any, training: bool | None) -> Any:
        features = self.features(x, training=training)
        return keras.ops.concatenate([features, z], axis=-1) if self.latent_length else features


@keras.saving.register_keras_serializable(package="logan.convolutional")
class Discriminator(ImageDiscriminator):
    """D(x, z) -> logits: images and [batch, latent_length] -> float32 [batch, 1].

    Convolutions on x, then concat with z, one dense layer, the logit. With latent_length 0 it is
    a plain GAN's D(x).

    Args and errors: as `Convolutional`, without normalization, and
        dense_width: units of the layer that joins x and z.
        spectral_normalization, dropout, minibatch: see `DiscriminatorParts`.
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
        spectral_normalization: bool = False,
        dropout: float = 0.0,
        minibatch: str = "none",
        classes: int = 0,
        projection: bool = True,
        classifier: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        self.parts = DiscriminatorParts(spectral_normalization, dropout, minibatch)
        if self.parts.minibatch != "none":
            self.looks_across_batch = True
        self.set_classes(classes, projection, classifier)
        settings = dict(
            width=width,
            dense_width=dense_width,
            attention_size=attention_size,
            **self.parts.config(),
        )
        super().__init__(data_shape, latent_length, settings, name, **kwargs)

    def make_layers(self, settings: dict[str, Any]) -> None:
        dense_width = settings["dense_width"]
        check_positive(dense_width=dense_width)
        size, channels = size_and_channels(self.data_shape)
        self.features = _downwards(
            size, channels, settings["width"], "none", settings["attention_size"], self.parts
        )
        self.joint = keras.Sequential(
            [
                keras.Input((self.features.output_shape[-1] + self.latent_length,)),
                self.parts.dense(dense_width),
                LeakyReLU(),
                *self.parts.dropout_layers(),
                *self.parts.minibatch_layers(),
                self.parts.dense(1, dtype="float32"),
            ],
            name="joint",
        )
        self.make_heads(self.parts)


CONVOLUTIONAL = Networks(Generator, Encoder, Discriminator)
