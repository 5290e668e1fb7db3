"""Generator, encoder and joint discriminator as multilayer perceptrons, for vectors.

The paper's toy networks have 3 hidden layers of 512 units with leaky ReLU 0.2; D sees
concat(x, z).
"""

import math
from collections.abc import Sequence
from typing import Any

import keras

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
    LABEL_FEATURES,
    ClassEmbedding,
    ConditionalDiscriminator,
    check_classes,
    given_labels,
)


def _perceptron(
    input_length: int,
    output_length: int,
    *,
    width: int,
    hidden_layers: int,
    normalization: str = "none",
    output_activation: str = "linear",
    parts: DiscriminatorParts = PLAIN_PARTS,
) -> keras.Sequential:
    """A built stack of hidden_layers dense layers and one of output_length units."""
    check_positive(width=width, hidden_layers=hidden_layers)
    stack = keras.Sequential([keras.Input((input_length,))], name="perceptron")
    for _ in range(hidden_layers):
        stack.add(parts.dense(width, kernel_initializer="he_normal"))
        for layer in normalization_layers(normalization):
            stack.add(layer)
        for layer in [LeakyReLU(), *parts.dropout_layers()]:
            stack.add(layer)
    for layer in parts.minibatch_layers():
        stack.add(layer)
    stack.add(parts.dense(output_length, activation=output_activation, dtype="float32"))
    return stack


class Perceptron(Network):
    """What the three have in common.

    Args:
        data_shape: (features of x,).
        latent_length: features of z.
        width: units of each hidden layer.
        hidden_layers: how many of them.
        normalization: `none`, `batch` or `layer`, in front of each activation; in a discriminator
            `none`, as the penalty needs each example's logit to depend on that example alone.
        output_activation: of the last layer; `tanh` keeps an encoder's z in the prior's (-1, 1).

    Raises:
        ValueError: on a setting out of range.
    """

    def __init__(
        self,
        data_shape: Sequence[int] = (2,),
        latent_length: int = 2,
        *,
        width: int = 512,
        hidden_layers: int = 3,
        normalization: str = "none",
        output_activation: str = "linear",
        name: str | None = None,
        **kwargs: Any,
    ):
        settings = dict(
            width=width,
            hidden_layers=hidden_layers,
            normalization=normalization,
            output_activation=output_activation,
        )
        super().__init__(data_shape, latent_length, settings, name, **kwargs)

    def lengths(self) -> tuple[int, int]:
        """Features of input and output."""
        raise NotImplementedError

    def make_layers(self, settings: dict[str, Any]) -> None:
        self.stack = _perceptron(*self.lengths(), **settings)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.stack(inputs, training=training)


@keras.saving.register_keras_serializable(package="logan.mlp")
class Generator(Perceptron):
    """G(z) -> x: float32 [batch, latent_length] -> float32 [batch, features].

    Args and errors: as `Perceptron`, and
        classes: of G(z, y), how many; 0 for none. `ClassEmbedding` makes numbers of y that stand
            beside z.
    """

    role = "generator"

    def __init__(
        self,
        data_shape: Sequence[int] = (2,),
        latent_length: int = 2,
        *,
        classes: int = 0,
        **kwargs: Any,
    ):
        check_classes(classes)
        if classes:
            self.classes, self.takes_labels = classes, True
        super().__init__(data_shape, latent_length, **kwargs)

    def lengths(self) -> tuple[int, int]:
        beside = LABEL_FEATURES if self.classes else 0
        return self.latent_length + beside, self.data_shape[0]

    def make_layers(self, settings: dict[str, Any]) -> None:
        super().make_layers(settings)
        if self.classes:
            self.embedding = ClassEmbedding(self.classes)
            self.embedding.build((None,))

    def call(  # type: ignore[override]
        self, inputs: Any, labels: Any = None, training: bool | None = None
    ) -> Any:
        if self.classes:
            of_class = keras.ops.cast(self.embedding(given_labels(labels)), inputs.dtype)
            inputs = keras.ops.concatenate([inputs, of_class], axis=-1)
        return self.stack(inputs, training=training)


@keras.saving.register_keras_serializable(package="logan.mlp")
class Encoder(Perceptron):
    """E(x) -> z: float32 [batch, features] -> float32 [batch, latent_length]. See `Perceptron`."""

    role = "encoder"

    def lengths(self) -> tuple[int, int]:
        return self.data_shape[0], self.latent_length


@keras.saving.register_keras_serializable(package="logan.mlp")
class Discriminator(ConditionalDiscriminator, Perceptron):  # type: ignore[misc]
    """D(x, z) -> logits: [batch, features], [batch, latent_length] -> float32 [batch, 1].

    With latent_length 0 it is a plain GAN's D(x). See `Perceptron`.
    """

    role = "discriminator"

    def __init__(
        self,
        data_shape: Sequence[int] = (2,),
        latent_length: int = 2,
        *,
        fourier_octaves: int = 0,
        fourier_scale: float = 0.1,
        spectral_normalization: bool = False,
        dropout: float = 0.0,
        minibatch: str = "none",
        classes: int = 0,
        projection: bool = True,
        classifier: bool = False,
        **kwargs: Any,
    ):
        """Builds the network.

        Args:
            data_shape: see `Perceptron`.
            latent_length: see `Perceptron`.
            fourier_octaves: with how many octaves of Fourier features x is seen besides, see
                `fourier_features`.
            fourier_scale: amplitude of the first one.
            spectral_normalization: see `DiscriminatorParts`, as
            dropout: and
            minibatch: are.
            classes: that D may know; 0 for none.
            projection: whether its logit knows them, see `ConditionalDiscriminator`.
            classifier: whether it tells them, by a layer of its own on the last hidden one.
            **kwargs: see `Perceptron`.

        Raises:
            ValueError: on a setting out of range.
        """
        if fourier_octaves < 0 or not fourier_scale > 0:
            raise ValueError(
                "Expected fourier_octaves >= 0 and fourier_scale > 0. Received: "
                f"{fourier_octaves} and {fourier_scale}"
            )
        self.fourier_octaves = fourier_octaves
        self.fourier_scale = fourier_scale
        self.parts = DiscriminatorParts(spectral_normalization, dropout, minibatch)
        if self.parts.minibatch != "none":
            self.looks_across_batch = True
        self.set_classes(classes, projection, classifier)
        super().__init__(data_shape, latent_length, **kwargs)

    def make_layers(self, settings: dict[str, Any]) -> None:
        self.stack = _perceptron(*self.lengths(), **settings, parts=self.parts)
        self.make_heads(self.parts)

    @property
    def last_stack(self) -> keras.Sequential:
        return self.stack

    def lengths(self) -> tuple[int, int]:
        return self.data_shape[0] * (1 + 2 * self.fourier_octaves) + self.latent_length, 1

    def seen(self, x: Any, z: Any, training: bool | None) -> Any:
        del training
        seen = [x, *fourier_features(x, self.fourier_octaves, self.fourier_scale)]
        inputs = [*seen, z] if self.latent_length else seen
        return keras.ops.concatenate(inputs, axis=-1) if len(inputs) > 1 else x

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "fourier_octaves": self.fourier_octaves,
            "fourier_scale": self.fourier_scale,
            **self.parts.config(),
            **self.class_config(),
        }


def fourier_features(x: Any, octaves: int, scale: float) -> list[Any]:
    """s·2⁻ⁱ·sin(2ⁱπx) and s·2⁻ⁱ·cos(2ⁱπx) for i = 0 … octaves - 1, each of x's shape.

    A perceptron learns what is smooth first; with these it sees what is small as well (M. Tancik
    et al., "Fourier features let networks learn high frequency functions in low dimensional
    domains", NeurIPS 2020). Amplitudes that halve give all octaves the same slope, so that none of
    them makes D steep.

    Args:
        x: floating [batch, features].
        octaves: how many.
        scale: s, the amplitude of the first.
    """
    features = []
    for octave in range(octaves):
        angle = (math.pi * 2**octave) * x
        amplitude = scale / 2**octave
        features += [amplitude * keras.ops.sin(angle), amplitude * keras.ops.cos(angle)]
    return features


MLP = Networks(Generator, Encoder, Discriminator)
