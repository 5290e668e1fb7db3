"""Terms that ask a generator for samples as diverse as the data."""

import dataclasses
from collections.abc import Collection
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from logan.packing import unpacked
from logan.terms.base import Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class FeatureMatching(Term):
    """weight · ‖mean h(real) - mean h(fake)‖², for generator and encoder.

    h is the last hidden layer of the discriminator, of (x, E(x)) and (G(z), z) if it is a joint
    one; the means run over the batch. In the paper it takes the place of G's adversarial loss,
    which `adversarial_weight=0` leaves out.

    Source: T. Salimans et al., "Improved techniques for training GANs", NeurIPS 2016.
    """

    side: ClassVar[Literal["generator"]] = "generator"
    log_names: ClassVar[tuple[str, ...]] = ("feature_matching",)

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        assert update.with_hidden is not None
        real, fake = (
            tf.reduce_mean(update.with_hidden(*inputs)[0], axis=0) for inputs in update.compared
        )
        loss = tf.reduce_sum(tf.square(real - fake))
        return self.weight * loss, {"feature_matching": loss}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class ModeSeeking(Term):
    """weight / (ratio + 1e-5), ratio = mean |G(z) - G(z')| / mean |z - z'|, for the generator.

    The means run over the batch and all features; z' is the latent of the next sample of the batch.
    The paper asks for a large ratio; its authors' code minimises this inverse.

    Source: Q. Mao, H.-Y. Lee, H.-Y. Tseng, S. Ma and M.-H. Yang, "Mode seeking generative
    adversarial networks for diverse image synthesis" (MSGAN), CVPR 2019.
    """

    side: ClassVar[Literal["generator"]] = "generator"
    log_names: ClassVar[tuple[str, ...]] = ("mode_seeking_ratio",)

    def check(self, roles: Collection[str], discriminator: keras.Model | None = None) -> None:
        super().check(roles, discriminator)
        if "generator" not in roles:
            raise ValueError(f"Expected a generator for {self}. Received: {', '.join(roles)}")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        assert update.latents is not None
        generated, latents = unpacked(update.compared.fake[0], update.packing), update.latents()
        of_samples, of_latents = (
            tf.reduce_mean(tf.abs(values - tf.roll(values, 1, axis=0)))
            for values in (generated, latents)
        )
        ratio = of_samples / of_latents
        return self.weight / (ratio + 1e-5), {"mode_seeking_ratio": ratio}
