"""Terms that ask generator and encoder to invert each other."""

import dataclasses
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from logan.terms.base import Term, Update

ERRORS = ("squared", "absolute")


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class AutoencoderLoss(Term):
    """weight · mean over batch and features of (x - G(E(x)))², for generator and encoder.

    The article says that it is hard to balance, which is why the penalty exists. Beside a plain
    BiGAN it is ALICE's explicit bound of the conditional entropy (C. Li et al., "ALICE: towards
    understanding adversarial learning for joint distribution matching", NeurIPS 2017), whose code
    has the absolute error.

    Attributes:
        weight: λ.
        error: `squared`, or `absolute` for |x - G(E(x))|.
    """

    error: str = "squared"

    side: ClassVar[Literal["discriminator", "generator"]] = "generator"
    needs_encoder: ClassVar[bool] = True
    log_names: ClassVar[tuple[str, ...]] = ("autoencoder_loss",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.error not in ERRORS:
            raise ValueError(f"Expected error to be one of {ERRORS}. Received: {self.error!r}")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        measure = tf.square if self.error == "squared" else tf.abs
        loss = tf.reduce_mean(measure(update.x - update.reconstruct()))
        return self.weight * loss, {"autoencoder_loss": loss}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class LatentReconstruction(Term):
    """weight · mean over the batch of ‖z - E(G(z))‖², for generator and encoder.

    Beside a plain BiGAN it is VEEGAN, whose z is normal and whose weight is 1: an encoder that
    finds every z again leaves G no mode to lose unnoticed.

    Source: A. Srivastava, L. Valkov, C. Russell, M. Gutmann and C. Sutton, "VEEGAN: reducing mode
    collapse in GANs using implicit variational learning", NeurIPS 2017.
    """

    side: ClassVar[Literal["discriminator", "generator"]] = "generator"
    needs_encoder: ClassVar[bool] = True
    log_names: ClassVar[tuple[str, ...]] = ("latent_reconstruction",)

    @property
    def ties_reconstructions(self) -> bool:
        return False  # of z, not of x

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        generated, z = update.generated()
        recovered = update.networks["encoder"](generated)
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(z - recovered), axis=1))
        return self.weight * loss, {"latent_reconstruction": loss}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class LatentRegression(Term):
    """weight · mean over the batch of ‖z - E(Ḡ(z))‖², for the encoder alone.

    Ḡ is the averaged generator, which samples are drawn from. No gradient goes through it, so that
    G and D learn as without the encoder. E learns beside them: it inverts Ḡ of the end as far as
    that has come to rest, since a Ḡ that still moves is followed at some distance.

    Where G makes an x of several z, E(x) is their mean. Of an x that G does not make, nothing is
    learned. Source: P. Rubenstein, Y. Li and D. Roblek, "An empirical study of generative models
    with encoders", 2018, 1812.07909, where E is learned once G is done.
    """

    side: ClassVar[Literal["discriminator", "generator"]] = "generator"
    needs_encoder: ClassVar[bool] = True
    log_names: ClassVar[tuple[str, ...]] = ("latent_regression",)

    @property
    def ties_reconstructions(self) -> bool:
        return False  # of z, not of x

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        assert update.latents is not None
        z = update.latents()
        generated = tf.stop_gradient(update.averaged["generator"](z))
        errors = z - update.networks["encoder"](generated)
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(errors), axis=1))
        return self.weight * loss, {"latent_regression": loss}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class ModeRegularizer(Term):
    """weight · mean over the batch of -log s(D(x̂)) with x̂ = G(E(x)), for generator and encoder.

    Reconstructions shall look like data. They lie near every mode, where generations may not, and
    so D's gradient there reaches G. Of a joint D it is D(x̂, E(x)). With the autoencoder loss it
    makes Reg-GAN, whose λ₂ is the weight.

    Source: T. Che, Y. Li, A. P. Jacob, Y. Bengio and W. Li, "Mode regularized generative
    adversarial networks", ICLR 2017, 1612.02136.
    """

    side: ClassVar[Literal["discriminator", "generator"]] = "generator"
    needs_encoder: ClassVar[bool] = True
    log_names: ClassVar[tuple[str, ...]] = ("mode_regularizer",)

    @property
    def ties_reconstructions(self) -> bool:
        return False  # to the data, not to the x that they are of

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        logits = update.discriminator(update.reconstruct(), *update.compared.real[1:])
        loss = tf.reduce_mean(tf.math.softplus(-logits))
        return self.weight * loss, {"mode_regularizer": loss}
