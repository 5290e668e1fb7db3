"""SqueezeNet 1.1: learned features from a file of 3 MB."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from logan.errors import UserError
from logan.extractors.base import Extractor, as_colour
from logan.extractors.files import check_weights_file, name_and_digest
from logan.settings.names import EXTRACTORS

# Of ImageNet's red, green and blue values in [0, 255].
MEANS = (123.68, 116.779, 103.939)

# Channels of the two convolutions of each fire module, from fire2 to fire9.
SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)
EXPANDED = (64, 64, 128, 128, 192, 192, 256, 256)
POOLED_AFTER = (3, 5)

SMALLEST_SIDE = 32


class SqueezeNet(Extractor):
    """The 512 channels of fire9 of SqueezeNet 1.1, averaged over places.

    (F. Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016; the
    last module in front of the classifier, trained on ImageNet.)

    Images are scaled to a square with an antialiased bilinear filter, grey ones to three equal
    channels; then values in [0, 255], in the order blue, green, red, less ImageNet's means. The
    weights are those of github.com/DeepCognition/keras-squeezenet (MIT), the file
    `squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5`. Other ports of the network scale
    their input in other ways, so weights of theirs will load and tell nothing.
    """

    def __init__(self, weights: Path | None, size: int = 224):
        """Builds the network and loads its weights.

        Args:
            weights: the file, .h5 or .hdf5.
            size: pixels a side of the images that the network sees, 32 or more. It learned at 227;
                at 64 pixels it is four times as fast, and tells less. Features of two sizes do not
                compare.

        Raises:
            UserError: if the file is missing, unreadable or of another network, or the size is too
                small.
        """
        entry = EXTRACTORS["squeezenet"]
        if weights is None:
            raise UserError(f"--extractor_weights: expected {entry.weights_source}")
        check_weights_file(weights, entry.suffixes, "SqueezeNet 1.1")
        if not isinstance(size, int) or size < SMALLEST_SIDE:
            raise UserError(
                f"--extractor: expected a size of {SMALLEST_SIDE} pixels or more with squeezenet. "
                f"Received: {size}"
            )
        self.size = size
        self.name = f"SqueezeNet 1.1 at {size} pixels (not FID)"
        self.text = (
            f"fire9 averaged over places, images scaled to {size} x {size} by an antialiased "
            f"bilinear filter, weights {name_and_digest(weights)}"
        )
        self.model = network()
        try:
            self.model.load_weights(weights)
        # h5py and Keras raise OSError, KeyError, ValueError and more.
        except Exception as error:
            raise UserError(
                f"--extractor_weights: expected {entry.weights_source}. Received: {weights}: "
                f"{' '.join(str(error).split())}"
            ) from error
        self._run = tf.function(self._of_colour, reduce_retracing=True)

    def batch_features(self, images: np.ndarray) -> tf.Tensor:
        return self._run(as_colour(images))

    def _of_colour(self, images: tf.Tensor) -> tf.Tensor:
        scaled = tf.image.resize(images, (self.size, self.size), "bilinear", antialias=True)
        centred = (scaled + 1.0) * 127.5 - tf.constant(MEANS)
        return self.model(tf.reverse(centred, axis=[-1]), training=False)


def network() -> keras.Model:
    """From float32 [batch, height, width, 3], blue first, to float32 [batch, 512]."""
    x = image = keras.Input((None, None, 3), dtype="float32")
    x = _convolution(64, 3, strides=2)(x)
    x = _pooled(x)
    for module, (squeezed, expanded) in enumerate(zip(SQUEEZED, EXPANDED, strict=True), start=2):
        x = _convolution(squeezed, 1)(x)
        x = layers.Concatenate(dtype="float32")(
            [_convolution(expanded, 1)(x), _convolution(expanded, 3, padding="same")(x)]
        )
        if module in POOLED_AFTER:
            x = _pooled(x)
    return keras.Model(image, layers.GlobalAveragePooling2D(dtype="float32")(x))


def _convolution(channels: int, side: int, **settings: object) -> layers.Layer:
    # A run in mixed precision leaves its policy behind; features are float32.
    return layers.Conv2D(channels, side, activation="relu", dtype="float32", **settings)


def _pooled(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.MaxPooling2D(3, 2, dtype="float32")(x)
