"""Penalties on the discriminator's gradient, as terms of its loss."""

import dataclasses
from typing import ClassVar

import keras
import tensorflow as tf

from logan.penalties import check_form, check_softness, gradient_norm, pairwise_gradient, penalty_of
from logan.terms.base import Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class PairwisePenalty(Term):
    """weight · mean of the pairwise gradient penalty, see `logan.penalties`.

    Source: S. Sharma and V. Namboodiri, "No Modes Left Behind", AAAI 2018.

    Attributes:
        weight: λ.
        form: `norm`, `squared_norm` or `feature_mean`.
        distance_scale: τ >= 0 weighs pairs by their distance. 0: all alike.
        softness: τ >= 0 asks for less slope within about τ of x. 0: for slope 1 everywhere.
    """

    form: str = "norm"
    distance_scale: float = 0.0
    softness: float = 0.0

    needs_encoder: ClassVar[bool] = True
    needs_separate_examples: ClassVar[bool | None] = True
    log_names: ClassVar[tuple[str, ...]] = (
        "penalty", "gradient_slope", "gradient_alignment", "reconstruction_distance",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        check_form(self.form, self.distance_scale)
        check_softness(self.softness)

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        x, z = update.compared.real
        pair = pairwise_gradient(
            update.discriminator,
            x,
            z,
            update.reconstruct(),
            epsilon=update.draw.epsilon(tf.shape(x)[0]),
            softness=self.softness,
        )
        penalty = tf.reduce_mean(penalty_of(pair, self.form, self.distance_scale))
        slope, alignment = pair.slope_and_alignment()
        return self.weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
            "gradient_alignment": tf.reduce_mean(alignment),
            "reconstruction_distance": tf.reduce_mean(pair.distance),
        }


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class GradientPenalty(Term):
    """weight · mean of (‖∇D‖ - 1)², WGAN-GP's penalty over all of D's inputs together.

    Source: I. Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017. Its usual
    weight is 10.
    """

    needs_separate_examples: ClassVar[bool | None] = True
    log_names: ClassVar[tuple[str, ...]] = ("penalty", "gradient_slope")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        real, fake = update.compared
        slope = gradient_norm(
            update.discriminator, real, fake, epsilon=update.draw.epsilon(tf.shape(real[0])[0])
        )
        penalty = tf.reduce_mean(tf.square(slope - 1.0))
        return self.weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
        }
