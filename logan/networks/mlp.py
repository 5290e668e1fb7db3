"""Generator, encoder and joint discriminator as multilayer perceptrons, for vectors.

The paper's toy networks have 3 hidden layers of 512 units with leaky ReLU 0.2; D sees
concat(x, z).
"""

from collections.abc import Sequence
from typing import Any

import keras

from logan.networks.base import (
    LeakyReLU,
    Network,
    Networks,
    check_positive,
    normalization_layers,
)


def _perceptron(
    input_length: int,
    output_length: int,
    *,
    width: int,
    hidden_layers: int,
    normalization: str = "none",
    output_activation: str = "linear",
) -> keras.Sequential:
    """A built stack of hidden_layers dense layers and one of output_length units."""
    check_positive(width=width, hidden_layers=hidden_layers)
    stack = keras.Sequential([keras.Input((input_length,))], name="perceptron")
    for _ in range(hidden_layers):
        stack.add(keras.layers.Dense(width, kernel_initializer="he_normal"))
        for layer in normalization_layers(normalization):
            stack.add(layer)
        stack.add(LeakyReLU())
    stack.add(keras.layers.Dense(output_length, activation=output_activation, dtype="float32"))
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

    def lengths(self) -> tuple[int, int]:
        return self.data_shape[0] + self.latent_length, 1

    def call(  # type: ignore[override]
        self, x: Any, z: Any = None, training: bool | None = None
    ) -> Any:
        joint = keras.ops.concatenate([x, z], axis=-1) if self.latent_length else x
        return self.stack(joint, training=training)


MLP = Networks(Generator, Encoder, Discriminator)
