"""The Inception network of 2015: the one whose features FID and KID are published of."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from logan.datasets.pixels import to_uint8
from logan.errors import UserError
from logan.extractors.base import Extractor, as_colour
from logan.extractors.files import check_weights_file, name_and_digest
from logan.settings.names import EXTRACTORS

SIDE = 299
FEATURES = 2048

# Names in the graph; weights of the classifier are the second input of the last one.
INPUT, POOLED, LOGITS = "ExpandDims:0", "pool_3:0", "softmax/logits/MatMul"


class PublishedInception(Extractor):
    """The 2,048 features `pool_3` of the frozen graph `classify_image_graph_def.pb` of 2015.

    It comes in inception-2015-12-05.tgz, at
    http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz. The Fréchet
    distance of its features is the FID (M. Heusel et al., NeurIPS 2017), their kernel distance the
    KID (M. Bińkowski et al., ICLR 2018).

    Images come to it as the authors of clean-fid have it (G. Parmar et al., "On Aliased Resizing
    and Surprising Subtleties in GAN Evaluation", CVPR 2022):

    1. rounded to the 256 levels of a picture file; grey ones become three equal channels;
    2. each channel scaled to 299 x 299 as float by Pillow's bicubic filter, which is antialiased,
       and clipped to [0, 255], without rounding in between;
    3. fed to `ExpandDims`; the graph itself subtracts 128 and divides by 128.

    The features of all images give one mean and one covariance (divided by images - 1), in float64,
    see `logan.metrics.fidelity.gaussian_moments`. FIDs from before clean-fid were scaled inside the
    graph, by a filter that is not antialiased, and differ.

    The probabilities are those of the published Inception scores (T. Salimans et al., NeurIPS
    2016): the softmax of the logits without their biases, of 1,008 classes.
    """

    name = "Inception of 2015 (FID)"
    is_fid = True
    has_classifier = True

    def __init__(self, weights: Path | None):
        """Loads the graph.

        Args:
            weights: classify_image_graph_def.pb.

        Raises:
            UserError: if the file is missing or holds another graph.
        """
        entry = EXTRACTORS["fid"]
        if weights is None:
            raise UserError(f"--extractor_weights: expected {entry.weights_source}")
        check_weights_file(weights, entry.suffixes, "the Inception graph of 2015")
        self.text = (
            "pool_3, images rounded to 256 levels and scaled to 299 x 299 as clean-fid does it, "
            f"weights {name_and_digest(weights)}"
        )
        # A session on a graph of its own: as a function of TensorFlow 2 the graph would count as
        # one of today's, which may not hold operations of 2015.
        graph = tf.Graph()
        with graph.as_default():
            self._images = tf.compat.v1.placeholder(tf.float32, [None, SIDE, SIDE, 3])
            self._features, self._probabilities = _outputs(weights, self._images)
        self._session = tf.compat.v1.Session(graph=graph)

    def batch_features(self, images: np.ndarray) -> np.ndarray:
        return self._run(self._features, images)

    def batch_probabilities(self, images: np.ndarray) -> np.ndarray:
        return self._run(self._probabilities, images)

    def _run(self, output: tf.Tensor, images: np.ndarray) -> np.ndarray:
        scaled = np.stack([_scaled(image) for image in to_uint8(as_colour(images))])
        return self._session.run(output, {self._images: scaled})


def _scaled(image: np.ndarray) -> np.ndarray:
    """uint8 [height, width, 3] to float32 [299, 299, 3] in [0, 255]."""
    channels = [
        Image.fromarray(channel).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        for channel in np.moveaxis(image.astype(np.float32), -1, 0)
    ]
    return np.stack(channels, axis=-1).clip(0, 255)


def _outputs(path: Path, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Features [batch, 2048] and probabilities [batch, classes], in the graph at hand.

    Raises:
        UserError: if the file holds another graph.
    """
    try:
        pooled, product = _imported(path, images)
        features = tf.reshape(pooled, [-1, FEATURES])
        return features, tf.nn.softmax(features @ product.inputs[1])
    # Protocol buffers, missing names and shapes that do not fit raise errors of many kinds.
    except Exception as error:
        raise UserError(
            f"--extractor_weights: expected {EXTRACTORS['fid'].weights_source}. Received: {path}: "
            f"{' '.join(str(error).split())}"
        ) from error


def _imported(path: Path, images: tf.Tensor) -> tuple[tf.Tensor, Any]:
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(path.read_bytes())
    for node in definition.node:
        # The graph was made for one image; its shapes are worked out anew for many.
        node.attr.pop("_output_shapes", None)
    pooled, product = tf.import_graph_def(
        definition, {INPUT: images}, [POOLED, LOGITS], name="inception"
    )
    if pooled.shape[-1] != FEATURES:
        raise ValueError(f"{POOLED} has {pooled.shape[-1]} features, not {FEATURES}")
    return pooled, product
