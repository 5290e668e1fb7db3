"""BiGAN with the pairwise gradient penalty."""

from typing import Any

import keras
import tensorflow as tf

from logan.models.adversarial import (
    AdversarialModel,
    Draw,
    Play,
    check_not_negative,
    latent_length_of,
)
from logan.penalties import PENALTY_FORMS, pairwise_gradient, penalty_of


@keras.saving.register_keras_serializable(package="logan")
class BiGAN(AdversarialModel):
    """Generator G(z), encoder E(x) and joint discriminator D(x, z).

    D learns to call (x, E(x)) true and (G(z), z) false; G and E learn to make it wrong on both.
    With the penalty, D's slope is asked to lead from every reconstruction G(E(x)) to its x, so that
    G feels a pull towards every training sample.

    Source: S. Sharma and V. Namboodiri, "No Modes Left Behind", AAAI 2018. BiGAN: J. Donahue et
    al., "Adversarial feature learning", ICLR 2017; V. Dumoulin et al., "Adversarially learned
    inference", ICLR 2017.

    Example:
        model = BiGAN(generator, encoder, discriminator)
        model.compile(jit_compile=True)
        model.fit(dataset)  # of float32 [batch, ...] in the range of the generator's output
        model.averaged_generator(z)

    Args:
        generator: keras.Model z [batch, latent_length] -> x. This and the others: what Keras can
            make again by `from_config(get_config())`.
        encoder: keras.Model x -> z.
        discriminator: keras.Model (x, z) -> logits [batch, 1]; a functional one of two inputs gets
            the list [x, z]. No batch normalization.
        loss: name from `logan.losses.ADVERSARIAL_LOSSES`.
        penalty_weight: λ >= 0. 0 trains the plain BiGAN.
        penalty_form: `norm`, `squared_norm` or `feature_mean`; see `logan.penalties`.
        penalty_distance_scale: τ >= 0, see `logan.penalties.distance_weight`. 0: no weighting.
        autoencoder_weight: >= 0, of the mean over features of (x - G(E(x)))² in the loss of G and
            E. The article says that it is hard to balance, which is why the penalty exists.
        gradient_penalty_weight, weight_clip: of the baselines WGAN-GP and WGAN.
        discriminator_steps: updates of D for each update of G and E.
        average_decay: of the averaged weights, `averaged_generator` and `averaged_encoder`.
        seed: of all draws of latents and interpolation points.

    Raises:
        ValueError: on a setting out of range.
    """

    generator: keras.Model
    encoder: keras.Model
    averaged_generator: keras.Model
    averaged_encoder: keras.Model

    def __init__(
        self,
        generator: keras.Model,
        encoder: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str = "logan1",
        penalty_weight: float = 1.0,
        penalty_form: str = "norm",
        penalty_distance_scale: float = 0.0,
        autoencoder_weight: float = 0.0,
        gradient_penalty_weight: float = 0.0,
        weight_clip: float = 0.0,
        discriminator_steps: int = 1,
        average_decay: float = 0.999,
        seed: int = 0,
        name: str = "bigan",
    ):
        check_not_negative(
            penalty_weight=penalty_weight,
            penalty_distance_scale=penalty_distance_scale,
            autoencoder_weight=autoencoder_weight,
        )
        if penalty_weight and gradient_penalty_weight:
            raise ValueError(
                "Expected one penalty. Received: penalty_weight="
                f"{penalty_weight}, gradient_penalty_weight={gradient_penalty_weight}"
            )
        if penalty_form not in PENALTY_FORMS:
            raise ValueError(
                f"Expected penalty_form to be one of {sorted(PENALTY_FORMS)}. "
                f"Received: {penalty_form!r}"
            )
        networks = {"generator": generator, "encoder": encoder, "discriminator": discriminator}
        lengths = {
            role: network.latent_length
            for role, network in networks.items()
            if hasattr(network, "latent_length")
        }
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Expected networks of one latent_length. Received: {lengths}")
        self.penalty_weight = penalty_weight
        self.penalty_form = penalty_form
        self.penalty_distance_scale = penalty_distance_scale
        self.autoencoder_weight = autoencoder_weight
        super().__init__(
            {"generator": generator, "encoder": encoder},
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
        encoder_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        **settings: Any,
    ) -> None:
        """As `keras.Model.compile` with one optimizer for each network, Adam 1e-4 by default."""
        self.compile_with(
            {
                "generator": generator_optimizer,
                "encoder": encoder_optimizer,
                "discriminator": discriminator_optimizer,
            },
            **settings,
        )

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The reconstruction G(E(x))."""
        return self.generator(self.encoder(x, training=training), training=training)

    def log_names(self) -> list[str]:
        names = super().log_names()
        if self.penalty_weight:
            names += ["penalty", "gradient_slope", "gradient_alignment", "reconstruction_distance"]
        return [*names, "autoencoder_loss"] if self.autoencoder_weight else names

    def play(self, x: tf.Tensor, draw: Draw) -> Play:
        z = draw.latents(tf.shape(x)[0], latent_length_of(self.generator))
        return Play(
            real=(x, self.encoder(x, training=True)), fake=(self.generator(z, training=True), z)
        )

    def discriminator_penalty(
        self, play: Play, draw: Draw
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        if not self.penalty_weight:
            return super().discriminator_penalty(play, draw)
        x, z = play.real
        pair = pairwise_gradient(
            self.judge_in_float32,
            x,
            z,
            self.generator(z, training=True),
            epsilon=draw.epsilon(tf.shape(x)[0]),
        )
        penalty = tf.reduce_mean(penalty_of(pair, self.penalty_form, self.penalty_distance_scale))
        slope, alignment = pair.slope_and_alignment()
        return self.penalty_weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
            "gradient_alignment": tf.reduce_mean(alignment),
            "reconstruction_distance": tf.reduce_mean(pair.distance),
        }

    def players_penalty(self, play: Play) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        if not self.autoencoder_weight:
            return 0.0, {}
        x, z = play.real
        loss = tf.reduce_mean(tf.square(x - self.generator(z, training=True)))
        return self.autoencoder_weight * loss, {"autoencoder_loss": loss}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "autoencoder_weight": self.autoencoder_weight,
            "penalty_weight": self.penalty_weight,
            "penalty_form": self.penalty_form,
            "penalty_distance_scale": self.penalty_distance_scale,
        }
