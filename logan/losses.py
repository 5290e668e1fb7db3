"""Adversarial losses of a joint discriminator.

r are the discriminator's logits of (x, E(x)), f those of (G(z), z); sp is softplus, s the logistic
sigmoid. The discriminator is to call r true and f false; generator and encoder share the second
value and want it the other way round. Without an encoder r = D(x) holds nothing of the
generator's, so only the f terms reach it and the same functions serve a plain GAN.

Formulas: S. Sharma and V. Namboodiri, "No Modes Left Behind", AAAI 2018, and its authors' code,
whose short names stand in brackets.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from logan.settings.names import LOSSES


class AdversarialLosses(NamedTuple):
    """Two float32 scalars, means over the batch.

    Attributes:
        discriminator: what the discriminator minimises.
        generator: what the generator and the encoder minimise.
    """

    discriminator: tf.Tensor
    generator: tf.Tensor


AdversarialLoss = Callable[..., AdversarialLosses]  # of r and f


def _means(discriminator: tf.Tensor, generator: tf.Tensor) -> AdversarialLosses:
    return AdversarialLosses(tf.reduce_mean(discriminator), tf.reduce_mean(generator))


def vanilla(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, *, smoothing: float = 0.0
) -> AdversarialLosses:
    """[v] D: sp(f) + sp(-r). G, E: sp(-f) + sp(r). The non-saturating loss of Goodfellow 2014.

    Args:
        real_logits: r, float32 [batch, 1].
        fake_logits: f, float32 [batch, 1].
        smoothing: a in [0, 1) makes D's loss sp(f) + (1 - a)·sp(-r) + a·sp(r), which calls real
            samples true with probability 1 - a: one-sided label smoothing (Salimans et al. 2016).

    Raises:
        ValueError: if smoothing is out of range.
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"Expected smoothing in [0, 1). Received: {smoothing}")
    softplus = tf.math.softplus
    of_real = softplus(-real_logits)
    if smoothing:
        of_real = (1.0 - smoothing) * of_real + smoothing * softplus(real_logits)
    return _means(softplus(fake_logits) + of_real, softplus(-fake_logits) + softplus(real_logits))


def saturating(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, *, smoothing: float = 0.0
) -> AdversarialLosses:
    """D: sp(f) + sp(-r), as `vanilla`. G, E: -sp(f) - sp(-r), the minimax game of Goodfellow 2014.

    G's slope vanishes where D is sure that f is false. At equilibrium D's loss is log 4.

    Args and errors: as `vanilla`.
    """
    softplus = tf.math.softplus
    of_discriminator = vanilla(real_logits, fake_logits, smoothing=smoothing).discriminator
    return AdversarialLosses(
        of_discriminator, tf.reduce_mean(-softplus(fake_logits) - softplus(-real_logits))
    )


def relativistic(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> AdversarialLosses:
    """D: sp(f - r). G, E: sp(r - f). Each real sample is paired with a fake one, as they come.

    The batch is drawn at random, so the pairs are. With R1 and R2 it is R3GAN's loss.

    Source: A. Jolicoeur-Martineau, "The relativistic discriminator", 2018; N. Huang, A. Gokaslan,
    V. Kuleshov and J. Tompkin, "The GAN is dead; long live the GAN!", NeurIPS 2024.
    """
    softplus, difference = tf.math.softplus, fake_logits - real_logits
    return _means(softplus(difference), softplus(-difference))


def wasserstein(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> AdversarialLosses:
    """[w] D: f - r. G, E: r - f. Arjovsky et al. 2017, with 5 steps of D to one of G and E."""
    difference = fake_logits - real_logits
    return _means(difference, -difference)


def least_squares(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> AdversarialLosses:
    """[ls] D: f² + (1 - r)². G, E: r² + (1 - f)². Mao et al. 2017."""
    square = tf.math.square
    return _means(
        square(fake_logits) + square(1.0 - real_logits),
        square(real_logits) + square(1.0 - fake_logits),
    )


def logan1(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> AdversarialLosses:
    """[lol1] D: sp(f) + sp(-r). G, E: r - f, whose slope does not fade when D is sure."""
    return AdversarialLosses(
        vanilla(real_logits, fake_logits).discriminator,
        wasserstein(real_logits, fake_logits).generator,
    )


def _squared_probabilities(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
    """D: s(f)² + (1 - s(r))², the discriminator's side of `logan2` and `logan3`."""
    square, sigmoid = tf.math.square, tf.math.sigmoid
    # 1 - s(r) = s(-r) keeps its digits where s(r) is close to one.
    return tf.reduce_mean(square(sigmoid(fake_logits)) + square(sigmoid(-real_logits)))


def logan2(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> AdversarialLosses:
    """[lol2] D: s(f)² + (1 - s(r))². G, E: r - f."""
    return AdversarialLosses(
        _squared_probabilities(real_logits, fake_logits),
        wasserstein(real_logits, fake_logits).generator,
    )


def logan3(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> AdversarialLosses:
    """[lol3] D: s(f)² + (1 - s(r))². G, E: r·|r| - f·|f|."""
    return AdversarialLosses(
        _squared_probabilities(real_logits, fake_logits),
        tf.reduce_mean(real_logits * tf.abs(real_logits) - fake_logits * tf.abs(fake_logits)),
    )


def get(loss: str | AdversarialLoss) -> AdversarialLoss:
    """A loss by its name, with settings "vanilla:smoothing=0.1"; a function as it is.

    Raises:
        UserError: a ValueError, on an unknown name or setting.
    """
    return LOSSES.bind(loss) if isinstance(loss, str) else loss
