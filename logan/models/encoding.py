"""What models with a generator and an encoder share: reconstructions."""

import keras
import tensorflow as tf

from logan.models.generative import GenerativeModel


class EncodingModel(GenerativeModel):
    """A generator G(z) with an encoder E(x), against whatever discriminators.

    A call reconstructs: G(E(x)), or G(E(x), y) of a class y.
    """

    generator: keras.Model
    encoder: keras.Model
    averaged_generator: keras.Model
    averaged_encoder: keras.Model

    def call(
        self, x: tf.Tensor, labels: tf.Tensor | None = None, training: bool | None = None
    ) -> tf.Tensor:
        """The reconstruction G(E(x)), or G(E(x), y) with the classes y of x."""
        self._example_shape = tuple(x.shape[1:])
        z = self.encoder(x, training=training, **self.labels_for(self.encoder, labels))
        return self.generator(z, training=training, **self.labels_for(self.generator, labels))

    def reconstructed(
        self, x: tf.Tensor, labels: tf.Tensor | None, training: bool = True
    ) -> tf.Tensor:
        """G(E(x)), float32."""
        encoded = self.made_by("encoder", x, labels, training)
        return self.made_by("generator", encoded, labels, training)

    def _input_specs(self) -> list[keras.InputSpec]:
        x = keras.InputSpec(shape=(None, *self.example_shape), dtype="float32")
        return [x, *self._label_specs()]


def check_one_latent_length(networks: dict[str, keras.Model], packing: int) -> None:
    """Refuses networks of this package that were made for z of different lengths.

    Args:
        networks: by role; a discriminator is one of z too.
        packing: how many z that discriminator is given as one.

    Raises:
        ValueError: with the lengths.
    """
    lengths = {
        role: network.latent_length * (1 if role == "discriminator" else packing)
        for role, network in networks.items()
        if hasattr(network, "latent_length")
    }
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Expected networks of one latent_length. Received: {lengths}")


def check_sees_x_alone(discriminator: keras.Model, role: str = "discriminator") -> None:
    """Refuses a discriminator of this package that was made for pairs of x and z.

    Raises:
        ValueError: if it was.
    """
    length = getattr(discriminator, "latent_length", 0)
    if length:
        raise ValueError(
            f"Expected a {role} of x alone, latent_length=0. Received: latent_length={length}"
        )
