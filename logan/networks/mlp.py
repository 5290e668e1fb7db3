"""Generator, encoder and joint discriminator as multilayer perceptrons, for vectors.

The paper's toy networks have 3 hidden layers of 512 units with leaky ReLU 0.2; D sees
concat(x, z).
"""

from typing import Any

import keras

from logan.networks.base import (
    LeakyReLU,
    Network,
    check_joint_length,
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


@keras.saving.register_keras_serializable(package="logan.mlp")
class Generator(Network):
    """G(z) -> x: float32 [batch, latent_length] -> float32 [batch, data_length].

    Args:
        data_length: features of x.
        latent_length: features of z.
        width: units of each hidden layer.
        hidden_layers: how many of them.
        normalization: `none`, `batch` or `layer`, in front of each activation.

    Raises:
        ValueError: on a setting out of range.
    """

    def __init__(
        self,
        data_length: int = 2,
        latent_length: int = 2,
        width: int = 512,
        hidden_layers: int = 3,
        normalization: str = "none",
        name: str = "generator",
        **kwargs: Any,
    ):
        settings = dict(
            data_length=data_length,
            latent_length=latent_length,
            width=width,
            hidden_layers=hidden_layers,
            normalization=normalization,
        )
        check_positive(data_length=data_length, latent_length=latent_length)
        super().__init__((data_length,), latent_length, settings, name, **kwargs)
        with self.own_precision():
            self.stack = _perceptron(
                latent_length,
                data_length,
                width=width,
                hidden_layers=hidden_layers,
                normalization=normalization,
            )

    def call(self, z: Any, training: bool | None = None) -> Any:
        return self.stack(z, training=training)


@keras.saving.register_keras_serializable(package="logan.mlp")
class Encoder(Network):
    """E(x) -> z: float32 [batch, data_length] -> float32 [batch, latent_length].

    Args and errors: as `Generator`, and
        output_activation: `linear` (the paper's toy networks) or `tanh`, which keeps z in the
            prior's (-1, 1).
    """

    def __init__(
        self,
        data_length: int = 2,
        latent_length: int = 2,
        width: int = 512,
        hidden_layers: int = 3,
        normalization: str = "none",
        output_activation: str = "linear",
        name: str = "encoder",
        **kwargs: Any,
    ):
        settings = dict(
            data_length=data_length,
            latent_length=latent_length,
            width=width,
            hidden_layers=hidden_layers,
            normalization=normalization,
            output_activation=output_activation,
        )
        check_positive(data_length=data_length, latent_length=latent_length)
        super().__init__((data_length,), latent_length, settings, name, **kwargs)
        with self.own_precision():
            self.stack = _perceptron(
                data_length,
                latent_length,
                width=width,
                hidden_layers=hidden_layers,
                normalization=normalization,
                output_activation=output_activation,
            )

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.stack(x, training=training)


@keras.saving.register_keras_serializable(package="logan.mlp")
class Discriminator(Network):
    """D(x, z) -> logits: [batch, data_length], [batch, latent_length] -> float32 [batch, 1].

    With latent_length 0 it is a plain GAN's D(x).

    Args and errors: as `Generator`. There is no normalization: the penalty needs each example's
    logit to depend on that example alone.
    """

    def __init__(
        self,
        data_length: int = 2,
        latent_length: int = 2,
        width: int = 512,
        hidden_layers: int = 3,
        name: str = "discriminator",
        **kwargs: Any,
    ):
        settings = dict(
            data_length=data_length,
            latent_length=latent_length,
            width=width,
            hidden_layers=hidden_layers,
        )
        check_positive(data_length=data_length)
        check_joint_length(latent_length)
        super().__init__((data_length,), latent_length, settings, name, **kwargs)
        with self.own_precision():
            self.stack = _perceptron(
                data_length + latent_length, 1, width=width, hidden_layers=hidden_layers
            )

    def call(self, x: Any, z: Any = None, training: bool | None = None) -> Any:
        joint = keras.ops.concatenate([x, z], axis=-1) if self.latent_length else x
        return self.stack(joint, training=training)
