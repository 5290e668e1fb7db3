"""Plain GAN: the baseline without an encoder."""

from typing import Any

import keras
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.randomness import Draw
from logan.terms import Compared


@keras.saving.register_keras_serializable(package="logan")
class GAN(AdversarialModel):
    """Generator G(z) against D(x).

    With loss `wasserstein` and weight_clip=0.01 it is a WGAN, with terms=["gradient:weight=10"] a
    WGAN-GP.

    Source: I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014; M. Arjovsky et al.,
    "Wasserstein generative adversarial networks", ICML 2017; I. Gulrajani et al., "Improved
    training of Wasserstein GANs", NeurIPS 2017.

    Args:
        generator: keras.Model z [batch, latent_length] -> x. This and the others: what Keras can
            make again by `from_config(get_config())`.
        discriminator: keras.Model x -> logits [batch, 1].
        loss: see `logan.losses.get`.
        **settings: terms, weight_clip, discriminator_steps, average_decay, seed and name, as
            `AdversarialModel` has them.

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
        name: str = "gan",
        **settings: Any,
    ):
        if getattr(discriminator, "latent_length", 0):
            raise ValueError(
                "Expected a discriminator of x alone, latent_length=0. "
                f"Received: latent_length={discriminator.latent_length}"
            )
        super().__init__({"generator": generator}, discriminator, loss=loss, name=name, **settings)

    def call(self, z: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The generations G(z)."""
        return self.generator(z, training=training)

    def compared(self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw) -> Compared:
        z = self.latents(tf.shape(x)[0], draw)
        return Compared(real=(x,), fake=(self.made_by("generator", z, labels),))
