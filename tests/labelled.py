"""Networks that take labels: perceptrons that add numbers of the class to their output."""

from typing import Any

import keras
import tensorflow as tf

from logan.networks import mlp
from logan.networks.base import Networks

CLASSES = 3


def with_labels(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A batch with its classes: how many of the first two features are positive."""
    return x, tf.reduce_sum(tf.cast(x[:, :2] > 0, tf.int64), axis=1)


class _OfClass:
    """The numbers of each class."""

    takes_labels = True

    def make_layers(self, settings: dict[str, Any]) -> None:
        super().make_layers(settings)
        self.of_class = keras.layers.Embedding(CLASSES, self.lengths()[1])
        self.of_class.build()


class Generator(_OfClass, mlp.Generator):
    def call(self, z, training=None, labels=None):
        return super().call(z, training=training) + self.of_class(labels)


class Encoder(_OfClass, mlp.Encoder):
    def call(self, x, training=None, labels=None):
        return super().call(x, training=training) + self.of_class(labels)


class Discriminator(_OfClass, mlp.Discriminator):
    def call(self, x, z=None, training=None, labels=None):
        return super().call(x, z, training=training) + self.of_class(labels)


LABELLED = Networks(Generator, Encoder, Discriminator)
