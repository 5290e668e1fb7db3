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
from logan.networks.hidden import through


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
    """G(z) -> x: float32 [batch, latent_length] -> float32 [batch, features]. See `Perceptron`."""

    role = "generator"

    def lengths(self) -> tuple[int, int]:
        return self.latent_length, self.data_shape[0]


@keras.saving.register_keras_serializable(package="logan.mlp")
class Encoder(Perceptron):
    """E(x) -> z: float32 [batch, features] -> float32 [batch, latent_length]. See `Perceptron`."""

    role = "encoder"

    def lengths(self) -> tuple[int, int]:
        return self.data_shape[0], self.latent_length


@keras.saving.register_keras_serializable(package="logan.mlp")
class Discriminator(Perceptron):
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
        super().__init__(data_shape, latent_length, **kwargs)

    def make_layers(self, settings: dict[str, Any]) -> None:
        self.stack = _perceptron(*self.lengths(), **settings, parts=self.parts)

    def lengths(self) -> tuple[int, int]:
        return self.data_shape[0] * (1 + 2 * self.fourier_octaves) + self.latent_length, 1

    def call(  # type: ignore[override]
        self, x: Any, z: Any = None, training: bool | None = None
    ) -> Any:
        return self.stack(self._seen(x, z), training=training)

    def hidden_and_logits(
        self, x: Any, z: Any = None, training: bool | None = None
    ) -> tuple[Any, Any]:
        """The last hidden layer and the logits, of one pass."""
        return through(self.stack, self._seen(x, z), training)

    def _seen(self, x: Any, z: Any) -> Any:
        seen = [x, *fourier_features(x, self.fourier_octaves, self.fourier_scale)]
        inputs = [*seen, z] if self.latent_length else seen
        return keras.ops.concatenate(inputs, axis=-1) if len(inputs) > 1 else x

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "fourier_octaves": self.fourier_octaves,
            "fourier_scale": self.fourier_scale,
            **self.parts.config(),
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
