"""Several samples as one input of the discriminator, as PacGAN has it.

Source: Z. Lin, A. Khetan, G. Fanti and S. Oh, "PacGAN: the power of two samples in generative
adversarial networks", NeurIPS 2018.
"""

import tensorflow as tf


def packed(values: tf.Tensor, count: int) -> tf.Tensor:
    """[batch, ..., channels] as [batch / count, ..., count · channels]: neighbours side by side.

    Args:
        values: floating, of a batch that `count` divides.
        count: m, samples in a pack.
    """
    if count == 1:
        return values
    *places, channels = values.shape[1:]
    grouped = tf.reshape(values, [-1, count, *places, channels])
    last = len(places) + 1
    beside = tf.transpose(grouped, [0, *range(2, last + 1), 1, last + 1])
    return tf.reshape(beside, [-1, *places, count * channels])


def unpacked(values: tf.Tensor, count: int) -> tf.Tensor:
    """The inverse of `packed`."""
    if count == 1:
        return values
    *places, channels = values.shape[1:]
    beside = tf.reshape(values, [-1, *places, count, channels // count])
    last = len(places) + 1
    grouped = tf.transpose(beside, [0, last, *range(1, last), last + 1])
    return tf.reshape(grouped, [-1, *places, channels // count])
