"""Terms that ask generator and encoder to invert each other."""

import dataclasses
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from logan.terms.base import Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class AutoencoderLoss(Term):
    """weight · mean over batch and features of (x - G(E(x)))², for generator and encoder.

    The article says that it is hard to balance, which is why the penalty exists.
    """

    side: ClassVar[Literal["discriminator", "generator"]] = "generator"
    needs_encoder: ClassVar[bool] = True
    log_names: ClassVar[tuple[str, ...]] = ("autoencoder_loss",)

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        x = update.compared.real[0]
        loss = tf.reduce_mean(tf.square(x - update.reconstruct()))
        return self.weight * loss, {"autoencoder_loss": loss}
