"""Terms that ask generator and encoder to invert each other."""

import dataclasses
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from logan.packing import unpacked
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
        x = update.compared.real[0]
        measure = tf.square if self.error == "squared" else tf.abs
        loss = tf.reduce_mean(measure(x - update.reconstruct()))
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
        generated, z = (unpacked(each, update.packing) for each in update.compared.fake)
        recovered = update.networks["encoder"](generated)
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(z - recovered), axis=1))
        return self.weight * loss, {"latent_reconstruction": loss}
