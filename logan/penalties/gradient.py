"""WGAN-GP's penalty on the length of the discriminator's gradient."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from logan.penalties.common import (
    arguments_for,
    interpolation_points,
    norm_of,
    per_example,
    precision_of,
)


def gradient_norm(
    discriminator: Callable[..., tf.Tensor],
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    *,
    epsilon: tf.Tensor | None = None,
) -> tf.Tensor:
    """‖∇D‖₂ at one point of the line from each fake example to a real one.

    The norm runs over all the discriminator's inputs together, and all are held constant: a tape
    around this call sees the discriminator's weights only.

    Args:
        discriminator: maps its positional inputs to logits [batch] or [batch, 1], each example's
            logit from that example alone; a functional Keras model of several gets a list.
        real: its inputs for real examples, floating [batch, ...] each: (x,) or (x, E(x)). The
            first decides the precision, as x in `pairwise_gradient`.
        fake: its inputs for fake examples, of the same shapes: (G(z),) or (G(z), z).
        epsilon: floating [batch] in [0, 1], the share of the real example. Drawn anew if None.

    Returns:
        [batch], float32 or float64.

    Raises:
        ValueError: if epsilon is not one number per example.
    """
    dtype = precision_of(real[0])
    pairs = [
        tuple(tf.stop_gradient(tf.cast(end, dtype)) for end in ends)
        for ends in zip(real, fake, strict=True)
    ]
    points = interpolation_points(epsilon, pairs[0][0])
    between = []
    for true, false in pairs:
        share = per_example(points, true)
        between.append(share * true + (1.0 - share) * false)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        logits = discriminator(*arguments_for(discriminator, between))
    # An input that D does not use has a gradient of 0.
    gradients = tape.gradient(logits, between, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    flat = [tf.reshape(gradient, [tf.shape(gradient)[0], -1]) for gradient in gradients]
    return norm_of(tf.concat(flat, axis=1))


def gradient_penalty(
    discriminator: Callable[..., tf.Tensor],
    real: Sequence[tf.Tensor],
    fake: Sequence[tf.Tensor],
    *,
    epsilon: tf.Tensor | None = None,
) -> tf.Tensor:
    """(‖∇D‖₂ - 1)², the penalty of WGAN-GP. [batch]. Its usual weight is 10.

    Source: I. Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017. It asks for
    a slope of 1 between any real and any fake example, in whatever direction; the pairwise penalty
    asks for the direction from a reconstruction to its own sample.

    Args and errors: as `gradient_norm`.
    """
    return tf.square(gradient_norm(discriminator, real, fake, epsilon=epsilon) - 1.0)
