"""A convolutional net with fixed random weights: features without a download."""

import functools
import math

import numpy as np
import tensorflow as tf

from logan.errors import UserError
from logan.extractors.base import Extractor

# Pixels of one batch, whose first activations then take 128 MB.
BATCH_PIXELS = 2**20

SMALLEST_SIDE, LARGEST_SIDE = 8, 256


class RandomConvolutions(Extractor):
    """A convolutional net with fixed random weights, the same on every machine.

    Four times: a convolution of 3 x 3 with He-uniform weights (K. He et al., "Delving Deep into
    Rectifiers", ICCV 2015) and small biases, a leaky ReLU, and a mean over squares of pixels, by
    which the side shrinks to 4 in steps that are as equal as powers of two allow (32, 16, 8, 4, and
    256, 64, 16, 4). The 448 features are the means over the whole image of the 32, 64 and 96
    channels of the first three, which tell of texture and colour at that scale, and the 4 x 4
    places of the 16 channels of the last, which tell where things are. Untrained features separate
    textures and arrangements well enough to rank generators of one data set (M. Naeem et al., ICML
    2020, measure with a random network where ImageNet is far from the data).

    Images whose sides are not one power of two from 8 to 256 are scaled to the next larger one, or
    to 256, with an antialiased bilinear filter.

    Good for: telling runs on the same data apart, and noticing lost modes, blur, noise and
    artefacts, anywhere and without a download. Not good for: what only a trained eye sees, such as
    whether an object is a plausible car; comparing data sets, image sizes, or grey images with
    coloured ones; comparing with any published number. These distances are not FID or KID, and the
    name says so.
    """

    name = "random convolutional features (not FID)"
    text = (
        "images scaled by an antialiased bilinear filter if their sides are not one power of two "
        "from 8 to 256"
    )
    widths = (32, 64, 96, 16)
    places = 4
    leak = 0.2

    def __init__(self, seed: int = 0):
        """Chooses the weights.

        Args:
            seed: leave it be: features of two seeds do not compare. It stands in `name` if not 0.

        Raises:
            UserError: if the seed is no whole number.
        """
        if not isinstance(seed, int):
            raise UserError(
                f"--extractor: expected a whole number as seed of random. Received: {seed}"
            )
        self.seed = seed
        if seed:
            self.name = f"random convolutional features of seed {seed} (not FID)"

    def weights(self, channels: int) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """Four kernels [3, 3, depth, width] and biases [width], for images of so many channels."""
        return _weights(channels, self.widths, self.seed)

    def sides(self, side: int) -> list[int]:
        """The side of the image in front of each convolution, for a power of two."""
        return _sides(side, self.places, len(self.widths))

    def batch_size(self, height: int, width: int) -> int:
        return max(1, BATCH_PIXELS // max(height * width, _side(height, width) ** 2))

    def batch_features(self, images: np.ndarray) -> tf.Tensor:
        """The features, float32 [batch, 448]. The last digits depend on the machine."""
        side = _side(*images.shape[1:3])
        activations = tf.image.resize(images, (side, side), "bilinear", antialias=True)
        features = []
        for (kernel, bias), size in zip(
            self.weights(images.shape[-1]), self.sides(side), strict=True
        ):
            shrink = activations.shape[1] // size
            activations = tf.nn.avg_pool2d(activations, shrink, shrink, "VALID")
            activations = tf.nn.conv2d(activations, kernel, 1, "SAME") + bias
            activations = tf.nn.leaky_relu(activations, self.leak)
            features.append(tf.reduce_mean(activations, axis=(1, 2)))
        features[-1] = tf.reshape(activations, [len(images), -1])
        return tf.concat(features, axis=1)


def _side(height: int, width: int) -> int:
    """The least power of two from 8 to 256 that an image fits into, or 256."""
    larger = max(height, width, SMALLEST_SIDE)
    return min(LARGEST_SIDE, 1 << (larger - 1).bit_length())


def _sides(image_size: int, smallest: int, count: int) -> list[int]:
    """Powers of two from the size down to the smallest, as evenly as they can be."""
    most, least = int(math.log2(image_size)), int(math.log2(smallest))
    return [2 ** round(most - (most - least) * level / (count - 1)) for level in range(count)]


@functools.cache
def _weights(
    channels: int, widths: tuple[int, ...], seed: int
) -> list[tuple[tf.Tensor, tf.Tensor]]:
    depths = (channels, *widths[:-1])
    return [
        _convolution(depth, width, seed, level)
        for level, (depth, width) in enumerate(zip(depths, widths, strict=True))
    ]


def _convolution(depth: int, width: int, seed: int, level: int) -> tuple[tf.Tensor, tf.Tensor]:
    """A kernel [3, 3, depth, width] of variance 2 / inputs, and biases [width] in [-0.2, 0.2)."""
    inputs = 9 * depth
    draws = _uniform(inputs * width + width, seed, level)
    kernel = draws[: inputs * width].reshape(3, 3, depth, width) * math.sqrt(6 / inputs)
    return tf.constant(kernel, tf.float32), tf.constant(draws[inputs * width :] * 0.2, tf.float32)


def _uniform(count: int, seed: int, stream: int) -> np.ndarray:
    """float64 [count] draws, uniform in [-1, 1), a pure function of the two numbers."""
    # Raw words, because NumPy promises them for every version, unlike its floats.
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, stream], np.uint64)
    return np.ldexp((np.random.Philox(key=key).random_raw(count) >> 11).astype(float), -52) - 1
