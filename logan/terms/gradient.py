"""Penalties on the discriminator's gradient, as terms of its loss."""

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import ClassVar

import keras
import tensorflow as tf

from logan.penalties import (
    check_form,
    check_softness,
    floored_root,
    gradient_norm,
    pairwise_gradient,
    penalty_of,
    perturbed,
    squared_slope,
)
from logan.randomness import Purpose, mean_over_replicas
from logan.terms.base import Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class PairwisePenalty(Term):
    """weight · mean of the pairwise gradient penalty, see `logan.penalties`.

    Source: S. Sharma and V. Namboodiri, "No Modes Left Behind", AAAI 2018.

    Attributes:
        weight: λ.
        form: `norm`, `squared_norm` or `feature_mean`.
        distance_scale: τ >= 0 weighs pairs by their distance. 0: all alike.
        softness: τ >= 0 asks for less slope within about τ of x. 0: for slope 1 everywhere.
    """

    form: str = "norm"
    distance_scale: float = 0.0
    softness: float = 0.0

    needs_encoder: ClassVar[bool] = True
    needs_joint_discriminator: ClassVar[bool] = True
    needs_separate_examples: ClassVar[bool | None] = True
    log_names: ClassVar[tuple[str, ...]] = (
        "penalty", "gradient_slope", "gradient_alignment", "reconstruction_distance",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        check_form(self.form, self.distance_scale)
        check_softness(self.softness)

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        x, z = update.compared.real
        pair = pairwise_gradient(
            update.discriminator,
            x,
            z,
            update.reconstruct(),
            epsilon=update.draw.epsilon(tf.shape(x)[0]),
            softness=self.softness,
        )
        penalty = tf.reduce_mean(penalty_of(pair, self.form, self.distance_scale))
        slope, alignment = pair.slope_and_alignment()
        return self.weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
            "gradient_alignment": tf.reduce_mean(alignment),
            "reconstruction_distance": tf.reduce_mean(pair.distance),
        }


INPUTS = ("both", "x", "z")


@dataclasses.dataclass(frozen=True)
class SlopePenalty(Term):
    """A penalty on the slope of D, a function of D's inputs x and z.

    Attributes:
        weight: λ.
        inputs: over which of a joint D's inputs the gradient is taken: `both`, `x` or `z`. A D of a
            single input has that alone.
    """

    inputs: str = "both"

    needs_separate_examples: ClassVar[bool | None] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inputs not in INPUTS:
            raise ValueError(f"Expected inputs to be one of {INPUTS}. Received: {self.inputs!r}")

    def check(self, roles: Collection[str], discriminator: keras.Model | None = None) -> None:
        super().check(roles, discriminator)
        if len(roles) == 1:
            self.check_inputs("x" if "generator" in roles else "z")

    def check_inputs(self, inputs: Sequence[str]) -> None:
        super().check_inputs(inputs)
        if self.inputs not in ("both", *inputs):
            (single,) = inputs
            raise ValueError(
                f"Expected inputs={single} or both with a discriminator of {single} alone. "
                f"Received: inputs={self.inputs}"
            )

    def over(self, inputs: Sequence[tf.Tensor]) -> tuple[int, ...]:
        """The indices of these inputs of D that the gradient is taken over."""
        everything = tuple(range(len(inputs)))
        if self.inputs == "both" or len(inputs) == 1:
            return everything
        return everything[:1] if self.inputs == "x" else everything[1:]


@dataclasses.dataclass(frozen=True)
class _BetweenPenalty(SlopePenalty):
    """A penalty on ‖∇D‖ at a point between each fake example and a real one."""

    log_names: ClassVar[tuple[str, ...]] = ("penalty", "gradient_slope")

    def of_slope(self, slope: tf.Tensor) -> tf.Tensor:
        """What a slope costs, [batch] each."""
        raise NotImplementedError

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        real, fake = update.compared
        slope = gradient_norm(
            update.discriminator,
            real,
            fake,
            epsilon=update.draw.epsilon(tf.shape(real[0])[0]),
            over=self.over(real),
        )
        penalty = tf.reduce_mean(self.of_slope(slope))
        return self.weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
        }


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class GradientPenalty(_BetweenPenalty):
    """weight · mean of (‖∇D‖ - 1)², WGAN-GP's penalty. With the vanilla loss it serves as well.

    Source: I. Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017. Its usual
    weight is 10.

    Attributes:
        weight: λ.
        inputs: see `SlopePenalty`.
    """

    def of_slope(self, slope: tf.Tensor) -> tf.Tensor:
        return tf.square(slope - 1.0)


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class OneSidedGradientPenalty(_BetweenPenalty):
    """weight · mean of max(0, ‖∇D‖ - 1)², WGAN-LP's penalty.

    Source: H. Petzka, A. Fischer and D. Lukovnikov, "On the regularization of Wasserstein GANs",
    ICLR 2018. Its usual weight is 10.

    Attributes:
        weight: λ.
        inputs: see `SlopePenalty`.
    """

    def of_slope(self, slope: tf.Tensor) -> tf.Tensor:
        return tf.square(tf.maximum(slope - 1.0, 0.0))


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class ZeroCenteredPenalty(_BetweenPenalty):
    """weight · mean of ‖∇D‖² between real and fake examples.

    Source: H. Thanh-Tung, T. Tran and S. Venkatesh, "Improving generalization and stability of
    generative adversarial networks", ICLR 2019.

    Attributes:
        weight: λ.
        inputs: see `SlopePenalty`.
    """

    def of_slope(self, slope: tf.Tensor) -> tf.Tensor:
        return tf.square(slope)


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class DraganPenalty(SlopePenalty):
    """weight · mean of (‖∇D(x + δ)‖ - slope)² around real examples, DRAGAN's penalty.

        δ = scale · std · U[0, 1) for each feature, with one std over all of the batch

    as in its authors' code; the paper has normal noise. Of a joint D each input that the gradient
    is taken over is moved, by its own std.

    Source: N. Kodali, J. Abernethy, J. Hays and Z. Kira, "On convergence and stability of GANs",
    2017. Its usual weight is 10, with the vanilla loss.

    Attributes:
        weight: λ.
        inputs: see `SlopePenalty`.
        scale: c, of the noise.
        slope: k, that is asked for.
    """

    scale: float = 0.5
    slope: float = 1.0

    log_names: ClassVar[tuple[str, ...]] = ("penalty", "gradient_slope")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("scale", "slope"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Expected {name} >= 0. Received: {getattr(self, name)}")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        points, over = list(update.compared.real), self.over(update.compared.real)
        # Of both inputs side by side, so that no number is drawn twice.
        sizes = [math.prod(points[index].shape[1:]) for index in over]
        flat = [
            tf.reshape(points[index], [-1, size]) for index, size in zip(over, sizes, strict=True)
        ]
        drawn = update.draw.uniform(tf.concat(flat, axis=1), Purpose.PENALTY_NOISE)
        drawn = tf.split(drawn, sizes, axis=1)
        moved = perturbed(
            [points[index] for index in over],
            [tf.reshape(own, tf.shape(points[i])) for i, own in zip(over, drawn, strict=True)],
            self.scale,
            [_deviation(points[index]) for index in over],
        )
        for index, point in zip(over, moved, strict=True):
            points[index] = point
        slope = floored_root(squared_slope(update.discriminator, points, over=over))
        penalty = tf.reduce_mean(tf.square(slope - self.slope))
        return self.weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
        }


def _deviation(values: tf.Tensor) -> tf.Tensor:
    """The standard deviation of all numbers of the batch, that of all replicas."""
    moments = mean_over_replicas(
        tf.stack([tf.reduce_mean(values), tf.reduce_mean(tf.square(values))])
    )
    return tf.sqrt(tf.maximum(moments[1] - tf.square(moments[0]), 0.0))


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class R1Penalty(SlopePenalty):
    """weight / 2 · mean of ‖∇D‖² at real examples.

    The weight is γ of the paper: the half stands here, as in StyleGAN's code, and not in γ. The
    gradient is that of the logit.

    Source: L. Mescheder, A. Geiger and S. Nowozin, "Which training methods for GANs do actually
    converge?", ICML 2018.

    Attributes:
        weight: γ.
        inputs: see `SlopePenalty`.
    """

    log_names: ClassVar[tuple[str, ...]] = ("penalty",)
    at: ClassVar[str] = "real"

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        points = getattr(update.compared, self.at)
        squares = squared_slope(update.discriminator, points, over=self.over(points))
        penalty = tf.reduce_mean(squares) / 2.0
        return self.weight * penalty, {"penalty": penalty}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class R2Penalty(R1Penalty):
    """weight / 2 · mean of ‖∇D‖² at fake examples, R1's twin. See `R1Penalty`."""

    at: ClassVar[str] = "fake"
