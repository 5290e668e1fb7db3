"""An encoder alone, trained to make the encodings of data follow a prior."""

from typing import Any

import keras
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.models.generative import check_prior
from logan.models.own_networks import length_of_output
from logan.randomness import Draw, Purpose, latents, mixture
from logan.terms import Compared


@keras.saving.register_keras_serializable(package="logan")
class AdversarialEncoder(AdversarialModel):
    """Encoder E(x) against D(z), which tells draws of the prior from encodings.

    The experiment behind the method: against a connected, unimodal prior the encoder leaves no gap,
    because the edge of each gap has a gradient that closes it; against a prior of separate modes it
    loses modes as a generator does. (S. Sharma, "A Simple Regularization for Your GANs", 2024,
    figure 3.)

    Args:
        encoder: keras.Model x -> z [batch, latent_length].
        discriminator: keras.Model z -> logits [batch, 1].
        prior: `uniform`, U[-1, 1] in each feature, or `normal`, N(0, 1) in each feature.
        prior_centers: modes of the prior, a list of lists of latent_length numbers, in place of
            that unimodal prior.
        prior_sigma: standard deviation per axis of those modes.
        loss: see `logan.losses.get`.
        **settings: terms, weight_clip, discriminator_steps, average_decay, seed, latent_length and
            name, as `AdversarialModel` has them.

    Raises:
        ValueError: on a setting out of range.
    """

    encoder: keras.Model
    averaged_encoder: keras.Model
    discriminator_inputs = ("z",)

    def __init__(
        self,
        encoder: keras.Model,
        discriminator: keras.Model,
        *,
        prior: str = "uniform",
        prior_centers: list[list[float]] | None = None,
        prior_sigma: float = 0.05,
        loss: str = "vanilla",
        name: str = "adversarial_encoder",
        **settings: Any,
    ):
        check_prior(prior)
        if prior_centers is not None and prior != "uniform":
            raise ValueError(f"Expected prior_centers or a prior. Received: both, prior={prior!r}")
        length = length_of_output(encoder)
        if (
            prior_centers is not None
            and length is not None
            and any(len(center) != length for center in prior_centers)
        ):
            raise ValueError(
                f"Expected prior_centers of {length} numbers each, the encoder's latent_length. "
                f"Received: {prior_centers}"
            )
        self.prior = prior
        self.prior_centers = prior_centers
        self.prior_sigma = prior_sigma
        super().__init__({"encoder": encoder}, discriminator, loss=loss, name=name, **settings)

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The encodings E(x)."""
        self._example_shape = tuple(x.shape[1:])
        return self.encoder(x, training=training)

    def sample_prior(self, choice_key: tf.Tensor, noise_key: tf.Tensor, count: Any) -> tf.Tensor:
        """float32 [count, latent_length] draws of the prior."""
        if self.prior_centers is None:
            return latents(noise_key, count, self.latent_length, self.prior)
        centers = tf.constant(self.prior_centers, tf.float32)
        return mixture(choice_key, noise_key, count, centers, self.prior_sigma)

    def _found_latent_length(self) -> int | None:
        length = length_of_output(self.encoder)
        return super()._found_latent_length() if length is None else length

    def _input_specs(self) -> list[keras.InputSpec]:
        return [keras.InputSpec(shape=(None, *self.example_shape), dtype="float32")]

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        z = draw.rows(self.sample_prior, tf.shape(x)[0], Purpose.PRIOR, Purpose.LATENT)
        return Compared(real=(z,), fake=(self.made_by("encoder", x, labels, training),))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "prior": self.prior,
            "prior_centers": self.prior_centers,
            "prior_sigma": self.prior_sigma,
        }
