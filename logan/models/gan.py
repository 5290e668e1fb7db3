"""Plain GAN: the baseline without an encoder."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from logan.models.encoding import check_sees_x_alone
from logan.models.generative import GenerativeModel, Prior
from logan.randomness import Draw
from logan.terms import Compared


@keras.saving.register_keras_serializable(package="logan")
class GAN(GenerativeModel):
    """Generator G(z) against D(x); of classes y, G(z, y) against D(x, y).

    z is drawn from the prior: uniform in [-1, 1], unless `prior` says otherwise.

    With loss `wasserstein` and weight_clip=0.01 it is a WGAN, with terms=["gradient:weight=10"] a
    WGAN-GP. With a generator and a discriminator that take labels, such as those of this package
    made with classes=…, it is the projection GAN (T. Miyato and M. Koyama, "cGANs with projection
    discriminator", ICLR 2018): batches are then (x, labels), and G is asked for the classes of the
    batch's real samples, so that they have the data's shares.

    Source: I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014; M. Arjovsky et al.,
    "Wasserstein generative adversarial networks", ICML 2017; I. Gulrajani et al., "Improved
    training of Wasserstein GANs", NeurIPS 2017.

    Args:
        generator: keras.Model z [batch, latent_length] -> x. This and the other: of any kind,
            built or not. What is not is built by the first batch, with `latent_length` given if
            the generator does not tell it.
        discriminator: keras.Model x -> logits [batch, 1].
        loss: see `logan.losses.get`.
        prior: of z, `uniform`, U[-1, 1] in each feature, or `normal`, N(0, 1) in each feature.
        **settings: terms, weight_clip, discriminator_steps, average_decay, seed, latent_length and
            name, as `AdversarialModel` has them.

    Raises:
        ValueError: on a setting out of range.
    """

    generator: keras.Model
    averaged_generator: keras.Model
    discriminator_inputs = ("x",)

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str = "vanilla",
        prior: Prior = "uniform",
        name: str = "gan",
        **settings: Any,
    ):
        check_no_pairwise(settings)
        check_sees_x_alone(discriminator)
        super().__init__(
            {"generator": generator}, discriminator, loss=loss, prior=prior, name=name, **settings
        )

    def call(
        self, z: tf.Tensor, labels: tf.Tensor | None = None, training: bool | None = None
    ) -> tf.Tensor:
        """The generations G(z), or G(z, y) of these labels."""
        return self.generator(z, training=training, **self.labels_for(self.generator, labels))

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds both networks for what `call` gets: z, of that shape."""
        count, length = input_shape
        if self._found_latent_length() is None:
            self._given_latent_length = length
        z = tf.zeros([count or 2, self.latent_length])
        labels = tf.zeros([len(z)], tf.int64)
        self.build_networks(self.made_by("generator", z, labels, training=False))

    def _input_specs(self) -> list[keras.InputSpec]:
        z = keras.InputSpec(shape=(None, self.latent_length), dtype="float32")
        return [z, *self._label_specs()]

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        z = self.latents(tf.shape(x)[0], draw)
        return Compared(real=(x,), fake=(self.made_by("generator", z, labels, training),))


def check_no_pairwise(settings: dict[str, Any]) -> None:
    """Refuses a penalty by a name that only a BiGAN, or nothing, has, of a model with a D(x).

    Raises:
        ValueError: saying how it is given.
    """
    for name in ("penalty", "penalty_weight", "encoder"):
        if name not in settings:
            continue
        given = settings[name]
        if name == "penalty" and "pairwise" not in str(given).lower():
            raise ValueError(
                'Expected penalties as terms, terms=["gradient:weight=10"]. Received: '
                f"penalty={given!r}"
            )
        raise ValueError(
            "Expected a GAN without the pairwise penalty, which needs an encoder E(x) and a "
            f"discriminator of pairs, D(x, z). Received: {name}={given!r:.60}. BiGAN(generator, "
            'encoder, discriminator, penalty_weight=0.1) has it; docs/own_model.md, "From D(x) to '
            'D(x, z)", has the lines that make one D of the other'
        )
