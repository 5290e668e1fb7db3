"""Plain GAN: the baseline without an encoder."""

from typing import Any

import keras
import tensorflow as tf

from logan.models.adversarial import AdversarialModel, Draw, Play, latent_length_of


@keras.saving.register_keras_serializable(package="logan")
class GAN(AdversarialModel):
    """Generator G(z) against D(x).

    With loss `wasserstein` and weight_clip it is a WGAN, with gradient_penalty_weight a WGAN-GP.

    Source: I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014; M. Arjovsky et al.,
    "Wasserstein generative adversarial networks", ICML 2017; I. Gulrajani et al., "Improved
    training of Wasserstein GANs", NeurIPS 2017.

    Args:
        generator: keras.Model z [batch, latent_length] -> x. This and the others: what Keras can
            make again by `from_config(get_config())`.
        discriminator: keras.Model x -> logits [batch, 1].
        loss, discriminator_steps, average_decay, seed: as `BiGAN`.
        gradient_penalty_weight: of WGAN-GP's penalty; 10 is the custom.
        weight_clip: c > 0 keeps D's weights in [-c, c]; 0.01 is WGAN's custom.

    Raises:
        ValueError: on a setting out of range.
    """

    generator: keras.Model
    averaged_generator: keras.Model

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str = "vanilla",
        gradient_penalty_weight: float = 0.0,
        weight_clip: float = 0.0,
        discriminator_steps: int = 1,
        average_decay: float = 0.999,
        seed: int = 0,
        name: str = "gan",
    ):
        if getattr(discriminator, "latent_length", 0):
            raise ValueError(
                "Expected a discriminator of x alone, latent_length=0. "
                f"Received: latent_length={discriminator.latent_length}"
            )
        super().__init__(
            {"generator": generator},
            discriminator,
            loss=loss,
            discriminator_steps=discriminator_steps,
            average_decay=average_decay,
            seed=seed,
            name=name,
            gradient_penalty_weight=gradient_penalty_weight,
            weight_clip=weight_clip,
        )

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        **settings: Any,
    ) -> None:
        """As `keras.Model.compile` with one optimizer for each network, Adam 1e-4 by default."""
        self.compile_with(
            {"generator": generator_optimizer, "discriminator": discriminator_optimizer},
            **settings,
        )

    def call(self, z: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The generations G(z)."""
        return self.generator(z, training=training)

    def play(self, x: tf.Tensor, draw: Draw) -> Play:
        z = draw.latents(tf.shape(x)[0], latent_length_of(self.generator))
        return Play(real=(x,), fake=(self.generator(z, training=True),))
