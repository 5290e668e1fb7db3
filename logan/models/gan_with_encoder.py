"""GANs with an encoder beside: D sees x alone, and no pair of x and z.

What matches E(x) to the prior, and what makes G and E invert each other, is each a choice here, as
none follows from the GAN itself.
"""

import functools
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf

from logan.models.adversarial import Batch
from logan.models.encoding import EncodingModel, check_one_latent_length, check_sees_x_alone
from logan.models.gan import check_no_pairwise
from logan.models.generative import Prior
from logan.packing import packed
from logan.randomness import Draw
from logan.terms import Compared, Term


@keras.saving.register_keras_serializable(package="logan")
class GANWithEncoder(EncodingModel):
    """A GAN, D(x) against G(z), with an encoder E(x) that terms train.

    With terms=["latent_regression"] it is a GAN with an encoder by regression: G and D learn as
    without it. With terms=["autoencoder:weight=λ1", "mode_regularizer:weight=λ2"] it is Reg-GAN:

        D:     the adversarial loss of x and G(z)
        G, E:  that of G(z) + λ1 mean (x - G(E(x)))² + λ2 mean -log s(D(G(E(x))))

    Nothing matches E(x) to the prior. The paper's λ1 is that of a mean over pixels as well.

    Source: T. Che, Y. Li, A. P. Jacob, Y. Bengio and W. Li, "Mode regularized generative
    adversarial networks", ICLR 2017, 1612.02136. A plain GAN with an encoder learned after it is
    a baseline of P. Rubenstein, Y. Li and D. Roblek, "An empirical study of generative models with
    encoders", 2018, 1812.07909.

    Args:
        generator: keras.Model z [batch, latent_length] -> x. This and the others: of any kind,
            built or not.
        encoder: keras.Model x -> z.
        discriminator: keras.Model x -> logits [batch, 1].
        loss: see `logan.losses.get`.
        prior: of z, `uniform`, U[-1, 1] in each feature, or `normal`, N(0, 1) in each feature.
        **settings: terms, weight_clip, discriminator_steps, average_decay, seed, latent_length and
            name, as `AdversarialModel` has them.

    Raises:
        ValueError: on a setting out of range, or without a term that trains the encoder.
    """

    discriminator_inputs = ("x",)

    def __init__(
        self,
        generator: keras.Model,
        encoder: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str = "vanilla",
        prior: Prior = "uniform",
        name: str = "gan_with_encoder",
        **settings: Any,
    ):
        check_no_pairwise(settings)
        check_sees_x_alone(discriminator)
        networks = {"generator": generator, "encoder": encoder}
        check_one_latent_length(networks, 1)
        super().__init__(networks, discriminator, loss=loss, prior=prior, name=name, **settings)
        self._check_encoder_is_trained(self.terms)

    def _check_encoder_is_trained(self, terms: Sequence[Term]) -> None:
        if not any(term.needs_encoder and term.side != "discriminator" for term in terms):
            raise ValueError(
                "Expected a term that trains the encoder, such as terms=['latent_regression'] or "
                "['autoencoder']: D(x) does not see what it makes. Received: "
                f"{', '.join(map(str, terms)) or 'none'}"
            )

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        z = self.latents(tf.shape(x)[0], draw)
        return Compared(real=(x,), fake=(self.made_by("generator", z, labels, training),))

    def batch_of(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Batch:
        return Batch(
            self.packs(x, labels, draw, training),
            x=packed(x, self.packing),
            reconstruct=functools.cache(
                lambda: packed(self.reconstructed(x, labels, training), self.packing)
            ),
        )


class _WithSecondDiscriminator(GANWithEncoder):
    """One whose encoder a second discriminator trains."""

    default_name: ClassVar[str]
    second_discriminator: keras.Model

    def __init__(
        self,
        generator: keras.Model,
        encoder: keras.Model,
        discriminator: keras.Model,
        second_discriminator: keras.Model,
        *,
        name: str | None = None,
        **settings: Any,
    ):
        check_sees_x_alone(second_discriminator, "second_discriminator")
        super().__init__(
            generator,
            encoder,
            discriminator,
            second_discriminator=second_discriminator,
            name=name or self.default_name,
            **settings,
        )

    def _check_encoder_is_trained(self, terms: Sequence[Term]) -> None:
        """It is, by the second discriminator."""


@keras.saving.register_keras_serializable(package="logan")
class MDGAN(_WithSecondDiscriminator):
    """MDGAN: G(E(x)) learns to look like data, and G(z) to look like G(E(x)).

    The manifold step has a discriminator D1, the second one here, the diffusion step D2, the first:

        D1:    sp(-D1(x)) + sp(D1(x̂))                 x̂ = G(E(x))
        G, E:  w sp(-D1(x̂)) + λ mean (x - x̂)²
        D2:    sp(-D2(x̂)) + sp(D2(G(z)))              x̂ held constant
        G:     sp(-D2(G(z)))

    or the same with another adversarial loss. λ is the weight of the term `autoencoder`, w
    `second_discriminator_weight`. Both steps are one update here, of the sum of their losses. Terms
    see D2.

    Source: T. Che, Y. Li, A. P. Jacob, Y. Bengio and W. Li, "Mode regularized generative
    adversarial networks", ICLR 2017, 1612.02136.

    Args:
        generator: keras.Model z [batch, latent_length] -> x.
        encoder: keras.Model x -> z.
        discriminator: D2, keras.Model x -> logits [batch, 1].
        second_discriminator: D1, another one.
        second_discriminator_weight: w > 0.
        **settings: loss, prior and name as `GANWithEncoder` has them, the others as
            `AdversarialModel`.

    Raises:
        ValueError: on a setting out of range.
    """

    default_name = "mdgan"

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        return self.batch_of(x, labels, draw, training).compared

    def batch_of(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Batch:
        (_,), generated = super().compared(x, labels, draw, training)
        x_hat = self.reconstructed(x, labels, training)
        return Batch(
            Compared(real=(tf.stop_gradient(x_hat),), fake=generated),
            second=Compared(real=(x,), fake=(x_hat,)),
            x=x,
            reconstruct=lambda: x_hat,
        )


@keras.saving.register_keras_serializable(package="logan")
class SeparateDiscriminators(_WithSecondDiscriminator):
    """G against D(x), and E against a D(z) of its own: both margins match, and nothing else.

        D:    the adversarial loss of x and G(z)
        D_z:  that of z of the prior and E(x)
        G, E: theirs, with nothing in common

    Each x has an encoding like one of the prior's z, and G makes of that z any other x: G and E
    need not invert each other, which a joint D(x, z) makes them do. A baseline to be looked at, in
    joint space. (S. Sharma, "A Simple Regularization for Your GANs", 2024.)

    Args:
        generator: keras.Model z [batch, latent_length] -> x.
        encoder: keras.Model x -> z.
        discriminator: keras.Model x -> logits [batch, 1].
        second_discriminator: keras.Model z -> logits [batch, 1].
        second_discriminator_weight: > 0, of D_z's loss in that of G and E. With an optimizer that
            adapts its steps to the size of gradients it changes little.
        **settings: loss, prior and name as `GANWithEncoder` has them, the others as
            `AdversarialModel`.

    Raises:
        ValueError: on a setting out of range.
    """

    default_name = "separate_discriminators"

    def batch_of(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Batch:
        z = self.latents(tf.shape(x)[0], draw)
        encoded = self.made_by("encoder", x, labels, training)
        return Batch(
            Compared(real=(x,), fake=(self.made_by("generator", z, labels, training),)),
            second=Compared(real=(z,), fake=(encoded,)),
            x=x,
            reconstruct=lambda: self.made_by("generator", encoded, labels, training),
        )
