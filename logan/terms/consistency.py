"""Penalties on a discriminator whose logits change where they should not."""

import dataclasses
from collections.abc import Collection
from typing import ClassVar

import keras
import tensorflow as tf

from logan.networks.dropout import drops_units
from logan.packing import packed, unpacked
from logan.randomness import Purpose, bits, mean_over_replicas
from logan.terms.base import AddVariable, Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class ConsistencyTerm(Term):
    """weight · mean of max(0, (D' - D'')² + 0.1 · mean (h' - h'')² - margin) at real examples.

    D' and D'' are the logits, h' and h'' the last hidden layers of two passes with different
    dropout, so D must have dropout. It stands beside WGAN-GP's penalty.

    Source: X. Wei, B. Gong, Z. Liu, W. Lu and L. Wang, "Improving the improved training of
    Wasserstein GANs: a consistency term and its dual effect" (CT-GAN), ICLR 2018, and its authors'
    code, whose distances d are squares. Its usual weight is 2.

    Attributes:
        weight: λ₂.
        margin: M' >= 0, 0 to 0.2.
    """

    margin: float = 0.0

    needs_separate_examples: ClassVar[bool | None] = True
    log_names: ClassVar[tuple[str, ...]] = ("consistency",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.margin >= 0:
            raise ValueError(f"Expected margin >= 0. Received: {self.margin}")

    def check(self, roles: Collection[str], discriminator: keras.Model | None = None) -> None:
        super().check(roles, discriminator)
        if discriminator is not None and not drops_units(discriminator):
            raise ValueError(
                f"Expected a discriminator with dropout for {self}, which compares two passes with "
                "different dropout. Received: one without"
            )

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        assert update.with_hidden is not None
        real = update.compared.real
        (first_hidden, first), (second_hidden, second) = (
            update.with_hidden(*real) for _ in range(2)
        )
        of_logits = tf.reduce_sum(tf.square(first - second), axis=1)
        of_hidden = tf.reduce_mean(tf.square(first_hidden - second_hidden), axis=1)
        distance = of_logits + 0.1 * of_hidden
        penalty = tf.reduce_mean(tf.maximum(distance - self.margin, 0.0))
        return self.weight * penalty, {"consistency": penalty}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class AugmentationConsistency(Term):
    """weight · mean of (D(x) - D(T(x)))² at real examples, with a random change T.

    T mirrors an image left to right with probability one half and shifts it by up to `shift` pixels
    each way, the edge repeated by reflection; to a vector it adds normal noise of `noise` times the
    standard deviation of all numbers of the batch. z is left as it is.

    Source: H. Zhang, Z. Zhang, A. Odena and H. Lee, "Consistency regularization for generative
    adversarial networks" (CR-GAN), ICLR 2020. Its usual weight is 10.

    Attributes:
        weight: λ.
        shift: pixels.
        noise: of vectors, as a share of the standard deviation.
    """

    shift: int = 4
    noise: float = 0.05

    needs_separate_examples: ClassVar[bool | None] = True
    log_names: ClassVar[tuple[str, ...]] = ("augmentation_consistency",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.shift, int) or self.shift < 0:
            raise ValueError(f"Expected shift to be a whole number >= 0. Received: {self.shift}")
        if not self.noise >= 0:
            raise ValueError(f"Expected noise >= 0. Received: {self.noise}")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        x, *rest = update.compared.real
        changed = packed(self.change(unpacked(x, update.packing), update), update.packing)
        gap = update.discriminator(x, *rest) - update.discriminator(changed, *rest)
        penalty = tf.reduce_mean(tf.square(gap))
        return self.weight * penalty, {"augmentation_consistency": penalty}

    def change(self, x: tf.Tensor, update: Update) -> tf.Tensor:
        """T(x), of x's shape."""
        if x.shape.rank != 4:
            drawn = update.draw.normal(x, Purpose.AUGMENTATION)
            mean = mean_over_replicas(tf.reduce_mean(x))
            variance = mean_over_replicas(tf.reduce_mean(tf.square(x - mean)))
            return x + self.noise * tf.sqrt(variance) * drawn
        words = update.draw.rows(
            lambda key, count: bits(key, [count, 3]), tf.shape(x)[0], Purpose.AUGMENTATION
        )
        turned = tf.where((words[:, 0] & 1)[:, None, None, None] == 1, x[:, :, ::-1], x)
        return _shifted(turned, words[:, 1:] & 0x7FFFFFFF, self.shift)


def _shifted(images: tf.Tensor, numbers: tf.Tensor, shift: int) -> tf.Tensor:
    """Each image moved by up to `shift` pixels each way, its edge repeated by reflection.

    Args:
        images: floating [batch, height, width, channels].
        numbers: int32 [batch, 2], >= 0: of each image, that decide how far.
        shift: pixels, less than the images have.
    """
    for axis, length in ((1, images.shape[1]), (2, images.shape[2])):
        offsets = numbers[:, axis - 1] % (2 * shift + 1) - shift
        places = tf.range(length)[None] + offsets[:, None]
        places = tf.abs(places)
        places = length - 1 - tf.abs(length - 1 - places)
        images = tf.gather(images, places, axis=axis, batch_dims=1)
    return images


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class LeCamTerm(Term):
    """weight · (mean of relu(r - α_F)² + mean of relu(α_R - f)²), of D's logits r and f.

    α_R and α_F are exponential moving averages of the means of r and f over the updates before. It
    begins after `start` updates, when these have settled; the ReLU is that of the authors' code.

    Source: H.-Y. Tseng, L. Jiang, C. Liu, M.-H. Yang and W. Yang, "Regularizing generative
    adversarial networks under limited data", CVPR 2021. Its usual weight is 0.3 with logits about
    1, and far less where logits are larger.

    Attributes:
        weight: λ.
        decay: of the averages, in [0, 1).
        start: updates of D without it.
    """

    decay: float = 0.99
    start: int = 1000

    log_names: ClassVar[tuple[str, ...]] = ("lecam",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay < 1:
            raise ValueError(f"Expected decay in [0, 1). Received: {self.decay}")
        if not isinstance(self.start, int) or self.start < 0:
            raise ValueError(f"Expected start to be a whole number >= 0. Received: {self.start}")

    def make_state(self, networks: object, variable: AddVariable) -> dict[str, keras.Variable]:
        return {"averages": variable("lecam_averages", (2,)), "updates": variable("updates", ())}

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        assert update.logits is not None
        real, fake = update.logits
        averages, updates = update.state["averages"], update.state["updates"]
        of_real, of_fake = tf.unstack(averages.value)
        term = tf.reduce_mean(tf.square(tf.nn.relu(real - of_fake)))
        term += tf.reduce_mean(tf.square(tf.nn.relu(of_real - fake)))
        term *= tf.cast(updates.value >= max(self.start, 1), tf.float32)
        means = mean_over_replicas(
            tf.stop_gradient(tf.stack([tf.reduce_mean(real), tf.reduce_mean(fake)]))
        )
        # The first means are taken as they are: an average that begins at 0 would lag behind.
        kept = tf.where(updates.value > 0, self.decay, 0.0)
        averages.assign(kept * averages.value + (1.0 - kept) * means)
        updates.assign_add(1.0)
        return self.weight * term, {"lecam": term}
