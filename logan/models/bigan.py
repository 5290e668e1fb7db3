"""BiGAN with the pairwise gradient penalty."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.randomness import Draw
from logan.terms import Compared, PairwisePenalty, Term


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
        penalty_weight: λ >= 0, of the pairwise penalty in the paper's form. 0 leaves it out: then
            the plain BiGAN is trained, or one with the penalties of `terms`.
        loss: see `logan.losses.get`.
        **settings: terms, weight_clip, discriminator_steps, average_decay, seed and name, as
            `AdversarialModel` has them.

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
        penalty_weight: float = 1.0,
        terms: Sequence[Term | str] = (),
        loss: str = "logan1",
        name: str = "bigan",
        **settings: Any,
    ):
        if not penalty_weight >= 0:
            raise ValueError(f"Expected penalty_weight >= 0. Received: {penalty_weight}")
        networks = {"generator": generator, "encoder": encoder, "discriminator": discriminator}
        packing = settings.get("packing", 1)  # of D's z, which is several
        lengths = {
            role: network.latent_length * (1 if role == "discriminator" else packing)
            for role, network in networks.items()
            if hasattr(network, "latent_length")
        }
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Expected networks of one latent_length. Received: {lengths}")
        super().__init__(
            {"generator": generator, "encoder": encoder},
            discriminator,
            terms=[PairwisePenalty(penalty_weight), *terms],
            loss=loss,
            name=name,
            **settings,
        )

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        """The reconstruction G(E(x))."""
        return self.generator(self.encoder(x, training=training), training=training)

    def compared(self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw) -> Compared:
        z = self.latents(tf.shape(x)[0], draw)
        return Compared(
            real=(x, self.made_by("encoder", x, labels)),
            fake=(self.made_by("generator", z, labels), z),
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "penalty_weight": 0.0}  # it is one of the terms
