"""Keras's Inception v3: trained features that many know. Not the network of published FIDs."""

import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from logan.errors import UserError
from logan.extractors.base import Extractor, as_colour
from logan.extractors.files import check_weights_file, name_and_digest
from logan.settings.names import EXTRACTORS

SIDE = 299


class InceptionV3(Extractor):
    """The 2,048 features before the classifier of Inception v3 (C. Szegedy et al., CVPR 2016).

    Images are scaled to 299 x 299 with an antialiased bilinear filter, grey ones to three equal
    channels. Keras's ImageNet weights are not the network of 2015 that published FIDs, KIDs and
    Inception scores are made with, nor is this way of scaling theirs: values do not compare with
    published ones, and the name says so. `logan.extractors.published_inception` is that network.
    """

    def __init__(self, weights: Path | None):
        """Builds the network and loads its weights.

        Args:
            weights: a file of weights for `keras.applications.InceptionV3`, .h5, .hdf5 or .keras,
                with the classifier of 1,000 classes or without any. If None, Keras's own with the
                classifier, from its cache in ~/.keras/models or else downloaded.

        Raises:
            UserError: if the file is missing, unreadable or of another network, or the download
                fails.
        """
        self.text = "images scaled to 299 x 299 by an antialiased bilinear filter, weights "
        if weights is None:
            self.name = "inception_v3 of imagenet (not FID)"
            self.text += "of Keras"
            model, trunk = _downloaded()
            self.has_classifier = True
        else:
            check_weights_file(weights, EXTRACTORS["inception"].suffixes, "Inception v3")
            self.name = f"inception_v3 of {weights.name} (not FID)"
            self.text += name_and_digest(weights)
            model, trunk = _network(None)
            self.has_classifier = _load(weights, model, trunk)
        self._trunk = tf.function(
            lambda images: trunk(_scaled(images), training=False), reduce_retracing=True
        )
        self._model = tf.function(
            lambda images: model(_scaled(images), training=False), reduce_retracing=True
        )

    def batch_features(self, images: np.ndarray) -> tf.Tensor:
        return self._trunk(as_colour(images))

    def batch_probabilities(self, images: np.ndarray) -> tf.Tensor:
        return self._model(as_colour(images))


def _scaled(images: tf.Tensor) -> tf.Tensor:
    return tf.image.resize(images, (SIDE, SIDE), "bilinear", antialias=True)


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
            "--extractor=inception: expected to find or download Keras's ImageNet weights of "
            f"Inception v3. Received: {error}. Where there is no network, --extractor_weights "
            "names a local file instead, such as "
            "inception_v3_weights_tf_dim_ordering_tf_kernels.h5 from another machine's "
            "~/.keras/models."
        ) from error


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
            "--extractor_weights: expected weights of keras.applications.InceptionV3, with its "
            f"classifier of 1,000 classes or without any. Received: {path}: {error}"
        ) from error
    return False


def _load_all(path: Path, model: keras.Model) -> None:
    with warnings.catch_warnings():
        # What a file does not hold, Keras may leave at random with no more than a warning.
        warnings.simplefilter("error", UserWarning)
        model.load_weights(path)
