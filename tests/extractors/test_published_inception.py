"""The frozen graph of 2015, on one with the same names, an operation of its time, few weights."""

import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from logan.errors import UserError
from logan.extractors import make_extractor
from logan.extractors.published_inception import PublishedInception
from logan.metrics.fidelity import inception_score

CLASSES = 5


@pytest.fixture(scope="module")
def arrays():
    draws = np.random.default_rng(0)
    return dict(
        kernel=draws.normal(size=(1, 1, 3, 2048)).astype(np.float32),
        mean=draws.normal(size=2048).astype(np.float32),
        variance=draws.uniform(0.5, 2, 2048).astype(np.float32),
        beta=draws.normal(size=2048).astype(np.float32),
        gamma=draws.normal(size=2048).astype(np.float32),
        logits=(draws.normal(size=(2048, CLASSES)) / 50).astype(np.float32),
    )


def graph_of(arrays, pooled="pool_3"):
    """As the published graph: for one image, scaled to 299 x 299 inside, in version 8 of graphs."""
    graph = tf.Graph()
    with graph.as_default():
        v1 = tf.compat.v1
        image = v1.placeholder(tf.float32, [4, 4, 3], name="Cast")
        x = tf.expand_dims(image, 0, name="ExpandDims")
        x = v1.image.resize_bilinear(x, [299, 299], name="ResizeBilinear")
        x = (x - 128.0) * (1 / 128)
        x = v1.nn.conv2d(x, arrays["kernel"], [1, 149, 149, 1], "VALID", name="conv")
        statistics = [tf.constant(arrays[name]) for name in ("mean", "variance", "beta", "gamma")]
        x = v1.nn.batch_normalization(x, *statistics, 0.001, name="unused")
        x = tf.nn.relu(tf.identity(x, name="normalized"))
        x = v1.nn.avg_pool(x, [1, 3, 3, 1], [1, 1, 1, 1], "VALID", name=pooled)
        with v1.name_scope("softmax/"):
            flat = tf.reshape(x, [1, 2048])
            product = tf.matmul(flat, tf.constant(arrays["logits"]), name="logits/MatMul")
            tf.nn.softmax(product + 1000.0 * np.arange(CLASSES))
    definition = graph.as_graph_def(add_shapes=True)
    # TensorFlow builds this operation no more; its graphs of 2015 consist of it.
    node = next(node for node in definition.node if node.name == "normalized")
    node.op = "BatchNormWithGlobalNormalization"
    constants = [
        name for name in (one.name for one in definition.node) if name.startswith("Const")
    ][:4]
    node.input[:] = ["conv", *constants]
    node.attr["variance_epsilon"].f = 0.001
    node.attr["scale_after_normalization"].b = True
    definition.versions.producer = 8
    return definition


@pytest.fixture(scope="module")
def weights(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "classify_image_graph_def.pb"
    path.write_bytes(graph_of(arrays).SerializeToString())
    return path


def clean(image):
    """As clean-fid has it: each channel as float by Pillow's bicubic filter, nothing rounded."""
    channels = [
        np.asarray(Image.fromarray(image[..., k].astype(np.float32)).resize((299, 299), 3))
        for k in range(3)
    ]
    return np.clip(np.stack(channels, axis=2), 0, 255)


def features(image, arrays):
    """Those of the small graph, in NumPy, of uint8 [height, width, 3]."""
    x = (clean(image)[::149, ::149] - 128) / 128 @ arrays["kernel"][0, 0]
    x = (x - arrays["mean"]) / np.sqrt(arrays["variance"] + 0.001)
    return np.maximum(x * arrays["gamma"] + arrays["beta"], 0).mean(axis=(0, 1))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, (3, 40, 30, 3), np.uint8)


def test_features_and_probabilities_against_numpy(arrays, weights, pixels):
    network = make_extractor("fid", weights)
    expected = np.array([features(image, arrays) for image in pixels])
    np.testing.assert_allclose(network(pixels), expected, atol=1e-4)
    # Without the biases, which would decide for the last class.
    powers = np.exp(expected @ arrays["logits"])
    probabilities = network.probabilities(pixels)
    np.testing.assert_allclose(probabilities, powers / powers.sum(1, keepdims=True), atol=1e-4)
    assert inception_score(probabilities, splits=1)[0] >= 1
    assert network.is_fid
    assert network.name == "Inception of 2015 (FID)"
    assert "classify_image_graph_def.pb (SHA-256" in network.text


def test_floats_are_rounded_to_the_levels_of_a_file(weights, pixels):
    network = PublishedInception(weights)
    floats = pixels.clip(1, 254) / 127.5 - 1 + 0.4 / 127.5
    np.testing.assert_array_equal(network(floats), network(pixels.clip(1, 254)))


def test_bicubic_filter_is_antialiased_and_keeps_fractions(weights):
    """A board of black and white pixels is grey from afar, of levels between those of a byte."""
    board = np.where(np.indices((897, 897)).sum(axis=0) % 2, 255, 0).astype(np.uint8)
    scaled = clean(np.repeat(board[..., None], 3, axis=2))
    network = PublishedInception(weights)
    grey = np.full((1, 299, 299, 1), 127, np.uint8)
    assert np.abs(scaled[1:-1, 1:-1] - 127.5).max() < 30
    assert not math.isclose(float(scaled[5, 5, 0]) % 1, 0, abs_tol=1e-3)
    difference = np.abs(network(board[None, ..., None]) - network(grey)).max()
    assert difference < 0.5 < np.abs(network(np.zeros_like(grey)) - network(grey)).max()


def test_grey_images_become_coloured(weights, pixels):
    network = PublishedInception(weights)
    grey = pixels[..., :1]
    np.testing.assert_array_equal(network(grey), network(np.repeat(grey, 3, axis=-1)))


def test_other_files_are_refused(arrays, tmp_path):
    path = tmp_path / "some.pb"
    path.write_text("not found")
    expected = r"--extractor_weights: expected classify_image_graph_def\.pb.*some\.pb"
    with pytest.raises(UserError, match=expected):
        PublishedInception(path)
    path.write_bytes(graph_of(arrays, pooled="pool_4").SerializeToString())
    with pytest.raises(UserError, match=expected + r".*pool_3"):
        PublishedInception(path)


def test_the_graph_of_one_image_is_one_of_many(weights):
    """Its shapes say 1, by which TensorFlow may simplify what comes behind."""
    assert PublishedInception(weights)._features.shape.as_list() == [None, 2048]
