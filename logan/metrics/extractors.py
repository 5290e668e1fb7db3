"""Networks that turn images into the feature vectors that `logan.metrics.fidelity` compares.

An extractor's `name` stands beside every number that is made from its features, because numbers
of two extractors do not compare.
"""

import math
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf

from logan.errors import UserError
from logan.metrics.checks import check_images

__all__ = ["EXTRACTORS", "Extractor", "InceptionV3", "RandomConvolutions", "extractor"]

# Pixels of one batch of the random net, whose first activations then take 128 MB.
BATCH_PIXELS = 2**20

# Images of one batch of Inception.
INCEPTION_BATCH = 32


class Extractor(Protocol):
    """What an extractor offers.

    Attributes:
        name: what the features are, as it must stand in every output.
        feature_length: how many features an image has.
    """

    name: str
    feature_length: int

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The features of images.

        Args:
            images: floating [images, height, width, channels] in [-1, 1].

        Returns:
            float32 [images, features].

        Raises:
            ValueError: if the images are not of this form, or not of the extractor's size.
        """
        ...


class RandomConvolutions:
    """A convolutional net with fixed random weights, the same on every machine.

    Four times: a convolution of 3 x 3 with He-uniform weights (K. He et al., "Delving Deep into
    Rectifiers", ICCV 2015) and small biases, a leaky ReLU, and a mean over squares of pixels, by
    which the side shrinks to 4 in steps that are as equal as powers of two allow (32, 16, 8, 4, and
    256, 64, 16, 4). The features are the means over the whole image of the 32, 64 and 96 channels
    of the first three, which tell of texture and colour at that scale, and the 4 x 4 places of the
    16 channels of the last, which tell where things are. Untrained features separate textures and
    arrangements well enough to rank generators of one data set (M. Naeem et al., ICML 2020, measure
    with a random network where ImageNet is far from the data).

    Good for: telling runs on the same data apart, and noticing lost modes, blur, noise and
    artefacts, anywhere and without a download. Not good for: what only a trained eye sees, such as
    whether an object is a plausible car; comparing data sets or image sizes; comparing with any
    published number. These distances are not FID or KID, and the name says so.
    """

    name = "random convolutional features (not FID)"
    widths = (32, 64, 96, 16)
    places = 4
    leak = 0.2

    def __init__(self, image_size: int, channels: int, seed: int = 0):
        """Draws the weights.

        Args:
            image_size: pixels a side, a power of two from 8 to 256.
            channels: 1 or 3.
            seed: leave it be: features of two seeds do not compare. It stands in `name` if not 0.

        Raises:
            ValueError: for another size or number of channels.
        """
        if image_size not in (8, 16, 32, 64, 128, 256):
            raise ValueError(
                f"Expected image_size to be a power of two from 8 to 256. Received: {image_size}."
            )
        _check_channels(channels)
        if seed:
            self.name = f"random convolutional features of seed {seed} (not FID)"
        self.shape = (image_size, image_size, channels)
        self.feature_length = sum(self.widths[:-1]) + self.widths[-1] * self.places**2
        self.sides = _sides(image_size, self.places, len(self.widths))
        self.weights = [
            _convolution(depth, width, seed, level)
            for level, (depth, width) in enumerate(
                zip((channels, *self.widths[:-1]), self.widths, strict=True)
            )
        ]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The features, see `Extractor`. The last digits depend on the machine."""
        check_images(images)
        if images.shape[1:] != self.shape:
            raise ValueError(f"Expected images of {self.shape}. Received: {images.shape[1:]}.")
        return _in_batches(self._features, images, max(1, BATCH_PIXELS // self.shape[0] ** 2))

    def _features(self, images: tf.Tensor) -> tf.Tensor:
        features, activations = [], images
        for (kernel, bias), side in zip(self.weights, self.sides, strict=True):
            shrink = activations.shape[1] // side
            activations = tf.nn.avg_pool2d(activations, shrink, shrink, "VALID")
            activations = tf.nn.conv2d(activations, kernel, 1, "SAME") + bias
            activations = tf.nn.leaky_relu(activations, self.leak)
            features.append(tf.reduce_mean(activations, axis=(1, 2)))
        features[-1] = tf.reshape(activations, [len(images), -1])
        return tf.concat(features, axis=1)


class InceptionV3:
    """The 2,048 features before the classifier of Inception v3 (C. Szegedy et al., CVPR 2016).

    Images are scaled to 299 x 299 with an antialiased bilinear filter, grey ones to three equal
    channels. Keras's ImageNet weights are not the network of 2015 that published FID, KID and
    Inception scores are made with, nor is this way of scaling theirs, so values do not compare
    with published ones; the name says which weights were used.
    """

    size = 299

    def __init__(self, weights: str | Path | None = None):
        """Builds the network and loads its weights.

        Args:
            weights: a file of weights for `keras.applications.InceptionV3`, .h5, .hdf5 or .keras,
                with the classifier of 1,000 classes or without any. If None or "imagenet", Keras's
                own with the classifier, from its cache in ~/.keras/models or else downloaded.

        Raises:
            UserError: if the file is missing, unreadable or of another network, or the download
                fails.
        """
        if weights is None or weights == "imagenet":
            self.name = "inception_v3 (weights: imagenet)"
            model, trunk = _downloaded()
            self.has_classifier = True
        else:
            path = Path(weights)
            _check_weights_file(path)
            self.name = f"inception_v3 (weights: {path.name})"
            model, trunk = _network(None)
            self.has_classifier = _load(path, model, trunk)
        self.feature_length = int(trunk.output.shape[-1])
        self._trunk = tf.function(
            lambda images: trunk(self._scaled(images), training=False), reduce_retracing=True
        )
        self._model = tf.function(
            lambda images: model(self._scaled(images), training=False), reduce_retracing=True
        )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The features of images of any size with 1 or 3 channels, see `Extractor`."""
        return self._run(self._trunk, images)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The classifier's probabilities, for `logan.metrics.fidelity.inception_score`.

        Args:
            images: floating [images, height, width, 1 or 3] in [-1, 1].

        Returns:
            float32 [images, 1000], each row summing to 1.

        Raises:
            UserError: if the weights came without the classifier.
            ValueError: if the images are not of this form.
        """
        if not self.has_classifier:
            raise UserError(
                "Expected weights with the classifier of 1,000 classes (include_top=True) for "
                f"probabilities. Received: {self.name}, which has none."
            )
        return self._run(self._model, images)

    def _run(self, network: Callable[[tf.Tensor], tf.Tensor], images: np.ndarray) -> np.ndarray:
        check_images(images)
        _check_channels(images.shape[-1])
        return _in_batches(network, images, INCEPTION_BATCH)

    def _scaled(self, images: tf.Tensor) -> tf.Tensor:
        if images.shape[-1] == 1:
            images = tf.repeat(images, 3, axis=-1)
        return tf.image.resize(images, (self.size, self.size), "bilinear", antialias=True)


def extractor(
    name: str, image_size: int, channels: int, weights: str | Path | None = None
) -> Extractor:
    """The extractor of a name.

    Args:
        name: one of `EXTRACTORS`.
        image_size: pixels a side.
        channels: 1 or 3.
        weights: for `inception`, see `InceptionV3`.

    Raises:
        UserError: for another name, for weights that cannot be used, or for weights given to an
            extractor that takes none.
        ValueError: for a size or number of channels that the extractor does not take.
    """
    if name not in EXTRACTORS:
        raise UserError(f"Expected an extractor of {', '.join(EXTRACTORS)}. Received: {name}.")
    if name == "random":
        if weights is not None:
            raise UserError(
                "Expected no weights for the extractor random, which has its own. "
                f"Received: {weights}."
            )
        return RandomConvolutions(image_size, channels)
    _check_channels(channels)
    return InceptionV3(weights)


EXTRACTORS = ("random", "inception")


def _sides(image_size: int, smallest: int, count: int) -> list[int]:
    """Powers of two from the size down to the smallest, as evenly as they can be."""
    most, least = int(math.log2(image_size)), int(math.log2(smallest))
    return [2 ** round(most - (most - least) * level / (count - 1)) for level in range(count)]


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


def _network(weights: str | None) -> tuple[keras.Model, keras.Model]:
    """Inception v3 with the classifier, and the part of it that ends in the features."""
    kept = keras.config.dtype_policy()
    # A run in mixed precision leaves its policy behind; features are float32.
    keras.config.set_dtype_policy("float32")
    try:
        model = keras.applications.InceptionV3(include_top=True, weights=weights)
    finally:
        keras.config.set_dtype_policy(kept)
    return model, keras.Model(model.input, model.get_layer("avg_pool").output)


def _downloaded() -> tuple[keras.Model, keras.Model]:
    try:
        return _network("imagenet")
    # Keras raises a bare Exception where there is no network.
    except Exception as error:
        raise UserError(
            "Expected to find or download Keras's ImageNet weights of Inception v3. Received: "
            f"{error}. Where there is no network, name a local file of weights instead, such as "
            "inception_v3_weights_tf_dim_ordering_tf_kernels.h5 from another machine's "
            "~/.keras/models."
        ) from error


def _check_weights_file(path: Path) -> None:
    if path.suffix not in (".h5", ".hdf5", ".keras"):
        raise UserError(
            f"Expected weights of Inception v3 in a file .h5, .hdf5 or .keras. Received: {path}."
        )
    if not path.is_file():
        raise UserError(f"Expected a file of weights of Inception v3. Received: {path}: no file.")
    if not (zipfile.is_zipfile(path) if path.suffix == ".keras" else _is_hdf5(path)):
        raise UserError(
            f"Expected weights of Inception v3. Received: {path}, which is not a {path.suffix} "
            "file, or only the beginning of one."
        )


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def _load(path: Path, model: keras.Model, trunk: keras.Model) -> bool:
    """Loads the weights, which the two models share, and says if the classifier was there."""
    # h5py and Keras raise OSError, KeyError, ValueError, RuntimeError and more.
    try:
        _load_all(path, model)
        return True
    except Exception:
        # Without the classifier then.
        pass
    try:
        _load_all(path, trunk)
    except Exception as error:
        raise UserError(
            "Expected weights of keras.applications.InceptionV3, with its classifier of 1,000 "
            f"classes or without any. Received: {path}: {error}"
        ) from error
    return False


def _load_all(path: Path, model: keras.Model) -> None:
    with warnings.catch_warnings():
        # What a file does not hold, Keras may leave at random with no more than a warning.
        warnings.simplefilter("error", UserWarning)
        model.load_weights(path)


def _in_batches(
    network: Callable[[tf.Tensor], tf.Tensor], images: np.ndarray, batch: int
) -> np.ndarray:
    """float32 [images, ...], with memory for one batch."""
    results = [
        network(tf.constant(_checked(images[first : first + batch]))).numpy()
        for first in range(0, len(images), batch)
    ]
    return np.concatenate(results)


def _checked(images: np.ndarray) -> np.ndarray:
    """The images as float32; NaN fails the comparison too."""
    if not np.all(np.abs(images) <= 1.001):
        raise ValueError(f"Expected images in [-1, 1]. Received: {images.min()} to {images.max()}.")
    return np.asarray(images, np.float32)


def _check_channels(channels: int) -> None:
    if channels not in (1, 3):
        raise ValueError(f"Expected images of 1 or 3 channels. Received: {channels}.")
