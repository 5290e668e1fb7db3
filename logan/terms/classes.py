"""A term by which discriminator and generator agree on classes."""

import dataclasses
from collections.abc import Collection
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from logan.terms.base import Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class AuxiliaryClassifier(Term):
    """weight · (mean CE(y, C(x)) + mean CE(y, C(G(z, y)))), AC-GAN's term.

    CE(y, c) = -log softmax(c)_y, and C is a layer of D's that makes a logit of each class from D's
    last hidden layer, of (x, E(x)) and (G(z, y), z) if D is a joint one. D minimises both means,
    the generator generator_weight · mean CE(y, C(G(z, y))); an encoder gets no gradient of it.

    It rewards samples that C tells easily, so classes become less diverse within; a C that learns
    from generated samples as well (`learns_from_generated`, as the paper has it) follows them where
    they are wrong.

    Source: A. Odena, C. Olah and J. Shlens, "Conditional image synthesis with auxiliary classifier
    GANs", ICML 2017. Its weights are 1 and 1; a generator_weight of 0.1 is common since.

    Attributes:
        weight: λ of D.
        generator_weight: λ of the generator, >= 0.
        learns_from_generated: whether C learns from generated samples too.
    """

    generator_weight: float = 1.0
    learns_from_generated: bool = True

    side: ClassVar[Literal["both"]] = "both"
    log_names: ClassVar[tuple[str, ...]] = (
        "class_loss", "class_accuracy", "generated_class_loss",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.generator_weight >= 0:
            raise ValueError(f"Expected generator_weight >= 0. Received: {self.generator_weight}")

    def check(self, roles: Collection[str], discriminator: keras.Model | None = None) -> None:
        super().check(roles, discriminator)
        if "generator" not in roles:
            raise ValueError(f"Expected a generator for {self}. Received: {', '.join(roles)}")
        if discriminator is not None and getattr(discriminator, "classifier", None) is None:
            raise ValueError(
                f"Expected a discriminator with classes=… and classifier=True for {self}. "
                f"Received: {discriminator.name}, without a classifier"
            )

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        real, fake = update.compared
        if update.labels is None or update.packing > 1:
            received = "x alone" if update.labels is None else f"packing={update.packing}"
            raise ValueError(f"Expected batches (x, labels) for {self}. Received: {received}")
        if update.side == "generator":
            # What the encoder makes is no part of (G(z, y), z).
            loss = self._cross_entropy(update, fake)[0]
            return self.generator_weight * loss, {"generated_class_loss": loss}
        loss, logits = self._cross_entropy(update, real)
        is_right = tf.equal(tf.argmax(logits, axis=1), tf.cast(update.labels, tf.int64))
        accuracy = tf.reduce_mean(tf.cast(is_right, tf.float32))
        total = loss
        if self.learns_from_generated:
            total += self._cross_entropy(update, fake)[0]
        return self.weight * total, {"class_loss": loss, "class_accuracy": accuracy}

    @staticmethod
    def _cross_entropy(
        update: Update, inputs: tuple[tf.Tensor, ...]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean cross-entropy, and the logits of classes."""
        assert update.class_logits is not None
        logits = update.class_logits(*inputs)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(update.labels, logits)
        return tf.reduce_mean(losses), logits
