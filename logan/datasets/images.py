"""Images held in memory as batches whose order is a pure function of (seed, position)."""

import numpy as np
import tensorflow as tf

from logan.randomness import Purpose, bits, key


def image_batches(
    images: np.ndarray, seed: int, batch_size: int, first_step: int = 0
) -> tf.data.Dataset:
    """An endless float32 [batch_size, height, width, channels] in [-1, 1].

    Every epoch goes through all images once, in an order of its own. Example number p of a run is a
    function of (seed, p) alone, so starting at any step costs nothing.

    Args:
        images: uint8 [images, height, width, channels].
        seed: of the order.
        batch_size: images in a batch; batches run on over the end of an epoch.
        first_step: the batch to begin with.
    """
    last = len(images) - 1
    pixels = tf.constant(images)

    def image(position: tf.Tensor) -> tf.Tensor:
        epoch, place = position // len(images), position % len(images)
        # The shuffle heeds only a few low bits of each of its three words: all must be random. As
        # `tf.random.experimental.index_shuffle` seeds it, epochs would share 256 orders.
        index = tf.raw_ops.RandomIndexShuffle(
            index=place, seed=bits(key(seed, epoch, Purpose.ORDER), [3]), max_index=last, rounds=8
        )
        return tf.cast(tf.gather(pixels, index), tf.float32) / 127.5 - 1.0

    positions = tf.data.Dataset.range(first_step * batch_size, np.iinfo(np.int64).max)
    return positions.map(image).batch(batch_size, drop_remainder=True).prefetch(4)
