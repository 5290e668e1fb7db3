"""ALICE with the adversarial bound of the conditional entropy."""

from typing import Any

import keras
import tensorflow as tf

from logan.models.adversarial import Batch
from logan.models.bigan import BiGAN
from logan.models.encoding import check_sees_x_alone
from logan.randomness import Draw
from logan.terms import Compared


@keras.saving.register_keras_serializable(package="logan")
class ALICE(BiGAN):
    """A BiGAN whose reconstructions a second discriminator compares with what they are of.

        D:     the adversarial loss of (x, E(x)) and (G(z), z)
        D_xx:  that of (x, x) and (x, x̂), x̂ = G(E(x))
        G, E:  D's + w times D_xx's

    D_xx bounds the conditional entropy of x given z, as an autoencoder loss does
    (`logan.terms.AutoencoderLoss`), without a distance in x that someone chose. G and E are
    deterministic here. The authors' toy code has w = 0.1 and a D_zz of (z, z) and (z, E(G(z)))
    besides, which the paper's bound does not need.

    Source: C. Li, H. Liu, C. Chen, Y. Pu, L. Chen, R. Henao and L. Carin, "ALICE: towards
    understanding adversarial learning for joint distribution matching", NeurIPS 2017, 1709.01215,
    section 3.1.

    Args:
        generator: keras.Model z [batch, latent_length] -> x.
        encoder: keras.Model x -> z.
        discriminator: keras.Model (x, z) -> logits [batch, 1]; see `BiGAN`.
        second_discriminator: D_xx, keras.Model -> logits [batch, 1], of two x beside each other in
            their last axis: [batch, 2 features], or [batch, height, width, 2 channels].
        second_discriminator_weight: w > 0.
        penalty_weight: as `BiGAN` has it, but none by default.
        **settings: loss, terms, prior and name as `BiGAN` has them, the others as
            `AdversarialModel`.

    Raises:
        ValueError: on a setting out of range.
    """

    second_discriminator: keras.Model

    def __init__(
        self,
        generator: keras.Model,
        encoder: keras.Model,
        discriminator: keras.Model,
        second_discriminator: keras.Model,
        *,
        loss: str = "vanilla",
        penalty_weight: float = 0.0,
        name: str = "alice",
        **settings: Any,
    ):
        check_sees_x_alone(second_discriminator, "second_discriminator")
        super().__init__(
            generator,
            encoder,
            discriminator,
            second_discriminator=second_discriminator,
            loss=loss,
            penalty_weight=penalty_weight,
            name=name,
            **settings,
        )

    def batch_of(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Batch:
        compared = self.compared(x, labels, draw, training)
        x_hat = self.made_by("generator", compared.real[1], labels, training)
        return Batch(
            compared,
            second=Compared(
                real=(tf.concat([x, x], axis=-1),), fake=(tf.concat([x, x_hat], axis=-1),)
            ),
            x=x,
            reconstruct=lambda: x_hat,
        )
