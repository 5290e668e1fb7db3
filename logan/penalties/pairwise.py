"""The pairwise gradient penalty.

Source: S. Sharma and V. Namboodiri, "No Modes Left Behind: Capturing the Data Distribution
Effectively Using GANs", AAAI 2018, its authors' code (form `norm`) and the first author's article
"A Simple Regularization for Your GANs", 2024 (form `feature_mean`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from logan.penalties.common import (
    arguments_for,
    check_takes_pairs,
    interpolation_points,
    norm_of,
    per_example,
    precision_of,
)

Discriminator = Callable[[Any, Any], Any]


class PairwiseGradient(NamedTuple):
    """D's gradient between the two ends of each pair, and the direction it is asked to have.

    Attributes:
        gradient: g = ∂D(x̃, z)/∂x̃, of x's shape, float32, or float64 if x is a tensor of it.
        direction: u = (x - x̂) / ‖x - x̂‖, of x's shape; 0 where x equals x̂. Shorter if softened.
        distance: ‖x - x̂‖, [batch].
    """

    gradient: tf.Tensor
    direction: tf.Tensor
    distance: tf.Tensor

    def slope_and_alignment(self) -> tuple[tf.Tensor, tf.Tensor]:
        """‖g‖, and ‖u‖ times the cosine of the angle between g and u, [batch]: 1 and 1 if obeyed.

        Of a softened u both are ‖u‖.
        """
        slope = norm_of(self.gradient)
        product = self.gradient * self.direction
        along = tf.reduce_sum(product, axis=list(range(1, product.shape.rank)))
        return slope, along / slope


def pairwise_gradient(
    discriminator: Discriminator,
    x: tf.Tensor,
    z: tf.Tensor | None,
    x_hat: tf.Tensor,
    *,
    epsilon: tf.Tensor | None = None,
    softness: float = 0.0,
) -> PairwiseGradient:
    """D's gradient at one point of the line from each reconstruction x̂ to its sample x.

        x̃ = ε·x + (1 - ε)·x̂,   g = ∂D(x̃, z)/∂x̃,   u = (x - x̂) / √(‖x - x̂‖₂² + τ²)

    x, x̂ and z are held constant: a tape around this call sees the discriminator's weights only.

    Args:
        discriminator: maps (x, z) to logits [batch] or [batch, 1]; a functional Keras model of two
            inputs gets the list [x, z]. Each example's logit may depend on that example alone, so
            no batch normalisation in training mode. What computes in 16 bits rounds its slope.
        x: real samples, floating [batch, ...], vectors or images. A float64 tensor makes
            everything float64; anything else, NumPy's float64 too, makes it float32.
        z: their encodings E(x), [batch, ...]; integers stay what they are. None is handed on to a
            discriminator that does not use it, see `pairwise_gradient_penalty`.
        x_hat: their reconstructions G(E(x)), of x's shape.
        epsilon: floating [batch] in [0, 1], one number per example. Drawn anew if None.
        softness: τ >= 0, in units of x: within about τ the slope that is asked for falls to 0, so
            D has a minimum at x in place of an edge. 0: the unit vector, as the paper has it.

    Returns:
        A `PairwiseGradient`.

    Raises:
        ValueError: if x and x_hat differ in shape, epsilon is not one number per example, softness
            is negative, or the discriminator does not use x, or takes x alone.
    """
    check_softness(softness)
    dtype = precision_of(x)
    x, x_hat = (tf.stop_gradient(tf.cast(value, dtype)) for value in (x, x_hat))
    check_takes_pairs(discriminator, z)
    if z is not None:
        z = tf.stop_gradient(tf.convert_to_tensor(z))
        z = tf.cast(z, dtype) if z.dtype.is_floating else z
    if not x.shape.is_compatible_with(x_hat.shape):
        raise ValueError(
            f"Expected x_hat to have the shape of x, {x.shape}. Received: {x_hat.shape}"
        )
    share = per_example(interpolation_points(epsilon, x), x)
    between = share * x + (1.0 - share) * x_hat
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        logits = discriminator(*arguments_for(discriminator, [between, z]))
    gradient = tape.gradient(logits, between)
    if gradient is None:
        raise ValueError("Expected discriminator(x, z) to depend on x. Received: no gradient")
    difference = x - x_hat
    distance = norm_of(difference)
    length = tf.sqrt(tf.square(distance) + softness**2) if softness else distance
    return PairwiseGradient(gradient, difference / per_example(length, x), distance)


def norm(pair: PairwiseGradient) -> tf.Tensor:
    """‖g - u‖₂ over all axes but the first: the form of the paper's code. [batch]."""
    return norm_of(pair.gradient - pair.direction)


def squared_norm(pair: PairwiseGradient) -> tf.Tensor:
    """‖g - u‖₂² over all axes but the first. [batch]."""
    difference = pair.gradient - pair.direction
    return tf.reduce_sum(tf.square(difference), axis=list(range(1, difference.shape.rank)))


def feature_mean(pair: PairwiseGradient) -> tf.Tensor:
    """Mean of (g - u)² over all axes but the first: the article's form. [batch].

    u has length 1, so this fades as 1 / (number of features): at 128 x 128 x 3 a gradient of 0
    costs 1 / 49,152. It needs a weight that grows with the images.
    """
    difference = pair.gradient - pair.direction
    return tf.reduce_mean(tf.square(difference), axis=list(range(1, difference.shape.rank)))


PENALTY_FORMS: dict[str, Callable[[PairwiseGradient], tf.Tensor]] = {
    form.__name__: form for form in (norm, squared_norm, feature_mean)
}


def distance_weight(distance: tf.Tensor, scale: float) -> tf.Tensor:
    """n² / (n² + τ²) with n = ‖x - x̂‖ and τ = scale: solved pairs no longer hold D back.

    Args:
        distance: n, floating [batch].
        scale: τ >= 0, in units of x. 0 weighs every pair by one, as the paper does.

    Returns:
        [batch] in [0, 1], of distance's dtype.
    """
    if scale == 0:
        return tf.ones_like(distance)
    square = tf.square(distance)
    return square / (square + scale**2)


def check_softness(softness: float) -> None:
    """Raises ValueError if it is negative."""
    if not softness >= 0:
        raise ValueError(f"Expected softness >= 0. Received: {softness}")


def check_form(form: str, distance_scale: float) -> None:
    """Raises ValueError on an unknown form or a negative distance_scale."""
    if form not in PENALTY_FORMS:
        raise ValueError(f"Expected form to be one of {sorted(PENALTY_FORMS)}. Received: {form!r}")
    if distance_scale < 0:
        raise ValueError(f"Expected distance_scale >= 0. Received: {distance_scale}")


def penalty_of(pair: PairwiseGradient, form: str, distance_scale: float = 0.0) -> tf.Tensor:
    """The penalty of pairs whose gradients are known already. See `pairwise_gradient_penalty`."""
    check_form(form, distance_scale)
    return distance_weight(pair.distance, distance_scale) * PENALTY_FORMS[form](pair)


def pairwise_gradient_penalty(
    discriminator: Discriminator,
    x: tf.Tensor,
    z: tf.Tensor | None,
    x_hat: tf.Tensor,
    *,
    form: str = "norm",
    epsilon: tf.Tensor | None = None,
    distance_scale: float = 0.0,
    softness: float = 0.0,
) -> tf.Tensor:
    """How far D is from rising with slope 1 from each reconstruction towards its sample.

    Add `weight * tf.reduce_mean(...)` of it to the discriminator's loss. Neither generator nor
    encoder receives a gradient from it.

    Example:
        with tf.GradientTape() as tape:
            z = encoder(x)
            penalty = pairwise_gradient_penalty(discriminator, x, z, generator(z))
            loss = adversarial_loss + 0.1 * tf.reduce_mean(penalty)

    Args:
        discriminator: any callable (x, z) -> logits [batch] or [batch, 1], or a functional Keras
            model of two inputs. See `pairwise_gradient`.
        x: real samples, floating [batch, ...], vectors or images. A float64 tensor makes
            everything float64; anything else, NumPy's float64 too, makes it float32.
        z: their encodings E(x), floating [batch, ...]. With z=None the discriminator is called with
            None: `lambda x, z: D(x)` is a discriminator of x alone. Then x_hat has to come from an
            encoder all the same, and at a point between two pairs D is asked for two directions at
            once, which z tells apart in the paper.
        x_hat: their reconstructions G(E(x)), of x's shape.
        form: `norm`, ‖g - u‖ (the paper's code), `squared_norm`, ‖g - u‖², or `feature_mean`, the
            mean of (g - u)² over features (the article).
        epsilon: floating [batch] in [0, 1], where on the line from x̂ (0) to x (1) each gradient is
            taken. Drawn uniformly if None.
        distance_scale: τ >= 0 weighs each pair by n² / (n² + τ²), n = ‖x - x̂‖. 0: all alike.
        softness: τ >= 0 asks for the slope n / √(n² + τ²) in place of 1. See `pairwise_gradient`.

    Returns:
        [batch], finite and with a finite gradient also where x equals x_hat: such a pair has no
        direction and asks for a slope of 0.

    Raises:
        ValueError: on an unknown form, a negative distance_scale or softness, shapes that do not
            agree, or a discriminator of x alone, D(x).
    """
    pair = pairwise_gradient(discriminator, x, z, x_hat, epsilon=epsilon, softness=softness)
    return penalty_of(pair, form, distance_scale)
