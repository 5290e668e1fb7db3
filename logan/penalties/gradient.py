"""Penalties on the length of the discriminator's gradient.

The gradient is that of the logit, never of a probability or a loss, and its norm runs over all axes
but the first, of all the discriminator's inputs together unless `over` names some.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from logan.penalties.common import (
    arguments_for,
    floored_root,
    interpolation_points,
    per_example,
    precision_of,
    squared_norm_of,
)

Discriminator = Callable[..., tf.Tensor]


def squared_slope(
    discriminator: Discriminator, points: Sequence[tf.Tensor], *, over: Sequence[int] | None = None
) -> tf.Tensor:
    """‖∇D‖₂² at the given points.

    The points are held constant: a tape around this call sees the discriminator's weights only.

    Args:
        discriminator: maps its positional inputs to logits [batch] or [batch, 1], each example's
            logit from that example alone; a functional Keras model of several gets a list.
        points: its inputs, floating [batch, ...] each: (x,) or (x, z). The first decides the
            precision, as x in `pairwise_gradient`.
        over: indices of the inputs that the gradient is taken over; None for all of them.

    Returns:
        [batch], float32 or float64.
    """
    dtype = precision_of(points[0])
    inputs = [tf.stop_gradient(tf.cast(point, dtype)) for point in points]
    chosen = inputs if over is None else [inputs[index] for index in over]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(chosen)
        logits = discriminator(*arguments_for(discriminator, inputs))
    # An input that D does not use has a gradient of 0.
    gradients = tape.gradient(logits, chosen, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    flat = [tf.reshape(gradient, [tf.shape(gradient)[0], -1]) for gradient in gradients]
    return squared_norm_of(tf.concat(flat, axis=1))


def between(
    real: Sequence[tf.Tensor], fake: Sequence[tf.Tensor], epsilon: tf.Tensor | None = None
) -> list[tf.Tensor]:
    """A point ε·real + (1 - ε)·fake of the line from each fake example to a real one.

    Args:
        real: a discriminator's inputs for real examples, floating [batch, ...] each.
        fake: those for fake examples, of the same shapes.
        epsilon: floating [batch] in [0, 1], one share for all inputs of an example. Drawn if None.

    Raises:
        ValueError: if epsilon is not one number per example.
    """
    dtype = precision_of(real[0])
    pairs = [
        tuple(tf.stop_gradient(tf.cast(end, dtype)) for end in ends)
        for ends in zip(real, fake, strict=True)
    ]
    points = interpolation_points(epsilon, pairs[0][0])
    result = []
    for true, false in pairs:
        share = per_example(points, true)
        result.append(share * true + (1.0 - share) * false)
    return result


def gradient_norm(
    discriminator: Discriminator,
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    *,
    epsilon: tf.Tensor | None = None,
    over: Sequence[int] | None = None,
) -> tf.Tensor:
    """‖∇D‖₂ at one point of the line from each fake example to a real one.

    All inputs are held constant: a tape around this call sees the discriminator's weights only.

    Args:
        discriminator: see `squared_slope`.
        real: its inputs for real examples, floating [batch, ...] each: (x,) or (x, E(x)).
        fake: its inputs for fake examples, of the same shapes: (G(z),) or (G(z), z).
        epsilon: floating [batch] in [0, 1], the share of the real example. Drawn anew if None.
        over: indices of the inputs that the gradient is taken over; None for all of them.

    Returns:
        [batch], float32 or float64.

    Raises:
        ValueError: if epsilon is not one number per example.
    """
    return floored_root(squared_slope(discriminator, between(real, fake, epsilon), over=over))


def gradient_penalty(
    discriminator: Discriminator,
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    *,
    epsilon: tf.Tensor | None = None,
    over: Sequence[int] | None = None,
) -> tf.Tensor:
    """(‖∇D‖₂ - 1)², the penalty of WGAN-GP. [batch]. Its usual weight is 10.

    Source: I. Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017. It asks for
    a slope of 1 between any real and any fake example, in whatever direction; the pairwise penalty
    asks for the direction from a reconstruction to its own sample.

    Args and errors: as `gradient_norm`.
    """
    return tf.square(gradient_norm(discriminator, real, fake, epsilon=epsilon, over=over) - 1.0)


def one_sided_gradient_penalty(
    discriminator: Discriminator,
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    *,
    epsilon: tf.Tensor | None = None,
    over: Sequence[int] | None = None,
) -> tf.Tensor:
    """max(0, ‖∇D‖₂ - 1)², the penalty of WGAN-LP. [batch]. Its usual weight is 10.

    It asks for a slope of at most 1, where WGAN-GP's asks for 1.

    Source: H. Petzka, A. Fischer and D. Lukovnikov, "On the regularization of Wasserstein GANs",
    ICLR 2018.

    Args and errors: as `gradient_norm`.
    """
    norm = gradient_norm(discriminator, real, fake, epsilon=epsilon, over=over)
    return tf.square(tf.maximum(norm - 1.0, 0.0))


def zero_centered_gradient_penalty(
    discriminator: Discriminator,
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    *,
    epsilon: tf.Tensor | None = None,
    over: Sequence[int] | None = None,
) -> tf.Tensor:
    """‖∇D‖₂² between real and fake examples. [batch].

    Source: H. Thanh-Tung, T. Tran and S. Venkatesh, "Improving generalization and stability of
    generative adversarial networks", ICLR 2019.

    Args and errors: as `gradient_norm`.
    """
    return squared_slope(discriminator, between(real, fake, epsilon), over=over)


def perturbed(
    real: Sequence[tf.Tensor],
    noise: Sequence[tf.Tensor],
    scale: float,
    deviations: Sequence[tf.Tensor] | None = None,
) -> list[tf.Tensor]:
    """The points real + δ with δ = scale · std · noise, where DRAGAN looks at D's slope.

    std is ONE number for each input, over all the batch and all features, in DRAGAN's code and in
    its paper.

    Args:
        real: a discriminator's inputs for real examples, floating [batch, ...] each.
        noise: uniform in [0, 1), of the same shapes: one number for each feature.
        scale: c, 0.5 in DRAGAN's code.
        deviations: std of each input, scalars; those of the given batch if None.
    """
    if deviations is None:
        deviations = [tf.math.reduce_std(value) for value in real]
    return [
        value + scale * deviation * own
        for value, own, deviation in zip(real, noise, deviations, strict=True)
    ]
