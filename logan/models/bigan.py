"""BiGAN with the pairwise gradient penalty."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.models.encoding import EncodingModel, check_one_latent_length
from logan.models.generative import Prior
from logan.randomness import Draw
from logan.terms import Compared, PairwisePenalty, Term


@keras.saving.register_keras_serializable(package="logan")
class BiGAN(EncodingModel):
    """Generator G(z), encoder E(x) and joint discriminator D(x, z).

    z is drawn from the prior: uniform in [-1, 1], unless `prior` says otherwise.

    D learns to call (x, E(x)) true and (G(z), z) false; G and E learn to make it wrong on both.
    With the penalty, D's slope is asked to lead from every reconstruction G(E(x)) to its x, so that
    G feels a pull towards every training sample.

    Of classes y it is a conditional BiGAN, with networks that take labels, such as those of this
    package made with classes=…: G(z, y) and D(x, z, y) on batches (x, labels). The encoder is E(x),
    without y: x tells its class where E needs it, and so images without a label have encodings too.
    As D sees z beside y, the encodings of each class follow the prior, and z says what y does not.
    The penalty stays as it is, along x̂ = G(E(x), y) with the class of x.

    Source: S. Sharma and V. Namboodiri, "No Modes Left Behind", AAAI 2018. BiGAN: J. Donahue et
    al., "Adversarial feature learning", ICLR 2017; V. Dumoulin et al., "Adversarially learned
    inference", ICLR 2017.

    Example:
        model = BiGAN(generator, encoder, discriminator)
        model.compile(jit_compile=True)
        model.fit(dataset)  # of float32 [batch, ...] in the range of the generator's output
        model.sample(16, seed=0)  # float32 [16, ...], of the averaged generator
        model.averaged_generator(z)  # z in [-1, 1], or N(0, 1) with prior="normal"

    Args:
        generator: keras.Model z [batch, latent_length] -> x. This and the others: of any kind,
            built or not. Those that are not are built by the first batch.
        encoder: keras.Model x -> z.
        discriminator: keras.Model (x, z) -> logits [batch, 1]; one that has a single parameter, or
            is functional, gets the list [x, z]. No batch normalization.
        penalty_weight: λ >= 0, of the pairwise penalty in the paper's form. 0 leaves it out: then
            the plain BiGAN is trained, or one with the penalties of `terms`.
        loss: see `logan.losses.get`.
        prior: of z, `uniform`, U[-1, 1] in each feature, or `normal`, N(0, 1) in each feature.
        **settings: terms, weight_clip, discriminator_steps, average_decay, seed, latent_length and
            name, as `AdversarialModel` has them.

    Raises:
        ValueError: on a setting out of range.
    """

    def __init__(
        self,
        generator: keras.Model,
        encoder: keras.Model,
        discriminator: keras.Model,
        *,
        penalty_weight: float = 1.0,
        terms: Sequence[Term | str] = (),
        loss: str = "logan1",
        prior: Prior = "uniform",
        name: str = "bigan",
        **settings: Any,
    ):
        if not penalty_weight >= 0:
            raise ValueError(f"Expected penalty_weight >= 0. Received: {penalty_weight}")
        networks = {"generator": generator, "encoder": encoder, "discriminator": discriminator}
        check_one_latent_length(networks, settings.get("packing", 1))
        super().__init__(
            {"generator": generator, "encoder": encoder},
            discriminator,
            terms=[PairwisePenalty(penalty_weight), *terms],
            loss=loss,
            prior=prior,
            name=name,
            **settings,
        )

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        z = self.latents(tf.shape(x)[0], draw)
        return Compared(
            real=(x, self.made_by("encoder", x, labels, training)),
            fake=(self.made_by("generator", z, labels, training), z),
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "penalty_weight": 0.0}  # it is one of the terms
