import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.errors import UserError
from logan.extractors import base
from logan.extractors.inception import InceptionV3
from logan.metrics.fidelity import inception_score


def noise(images, size, channels=3, seed=0):
    shape = (images, size, size, channels)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def build(include_top=True, weights=None, features=6, classes=1000):
    """A stand-in for `keras.applications.InceptionV3` with the names of its last layers."""
    if weights is not None:
        raise Exception("URL fetch failure on https://storage.googleapis.com/: None")
    image = keras.Input((299, 299, 3))
    x = keras.layers.Conv2D(features, 7, strides=16, activation="tanh", use_bias=False)(image)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if include_top:
        x = keras.layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(image, x)


@pytest.fixture
def small_inception(monkeypatch):
    monkeypatch.setattr(keras.applications, "InceptionV3", build)
    keras.utils.set_random_seed(0)


@pytest.fixture
def weights(small_inception, tmp_path):
    def save(name="some.weights.h5", **settings):
        model = build(**settings)
        # As it stands after training, with an optimizer of its own.
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        model.save_weights(tmp_path / "w.weights.h5")
        path = tmp_path / name
        if name.endswith(".weights.h5"):
            path.write_bytes((tmp_path / "w.weights.h5").read_bytes())
        else:
            model.save(path)
        return path, model

    return save


@pytest.mark.parametrize("name", ["some.weights.h5", "some.keras"])
def test_inception_loads_a_file_with_the_classifier(weights, name):
    path, model = weights(name)
    network = InceptionV3(path)
    images = noise(5, 299)
    expected = model(images).numpy()
    assert network.name == f"inception_v3 of {name} (not FID)"
    assert network.has_classifier
    assert network(images).shape == (5, 6)
    np.testing.assert_allclose(network.probabilities(images), expected, rtol=1e-4)
    assert inception_score(network.probabilities(images), splits=1)[0] >= 1


@pytest.mark.parametrize("name", ["some.weights.h5", "some.keras"])
@pytest.mark.filterwarnings("default")
def test_inception_loads_a_file_without_the_classifier(weights, name):
    path, model = weights(name, include_top=False)
    network = InceptionV3(path)
    images = noise(3, 299)
    np.testing.assert_allclose(network(images), model(images).numpy(), rtol=1e-4, atol=1e-6)
    assert not network.has_classifier
    with pytest.raises(UserError, match="Expected an extractor with a classifier"):
        network.probabilities(images)


def test_inception_scales_and_colours_images(weights):
    path, model = weights(include_top=False)
    grey = noise(2, 32, channels=1)
    scaled = tf.image.resize(np.repeat(grey, 3, axis=-1), (299, 299), antialias=True)
    np.testing.assert_allclose(InceptionV3(path)(grey), model(scaled).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Expected images")  # one of them is grey all over
def test_inception_averages_what_it_scales_down(weights):
    network = InceptionV3(weights()[0])
    # White and black pixels in turn are grey from afar; every other one of them is white.
    board = np.where(np.indices((897, 897)).sum(axis=0) % 2, 1.0, -1.0)[None, ..., None]
    np.testing.assert_allclose(network(board), network(np.zeros((1, 299, 299, 1))), atol=0.05)


def test_inception_batches_do_not_matter(monkeypatch, weights):
    network = InceptionV3(weights()[0])
    images = noise(5, 32)
    whole = network(images)
    monkeypatch.setattr(base, "BATCH_IMAGES", 2)
    np.testing.assert_allclose(network(images), whole, rtol=1e-4, atol=1e-6)


def test_inception_is_float32_after_a_run_in_mixed_precision(weights):
    path, model = weights(include_top=False)
    images = noise(2, 299)
    expected = model(images).numpy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        features = InceptionV3(path)(images)
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-6)


def test_a_failed_download_says_how_to_name_a_file(small_inception):
    with pytest.raises(UserError, match=r"URL fetch failure.* names a local file"):
        InceptionV3(None)


@pytest.mark.parametrize("name", ["some.weights.h5", "some.keras"])
@pytest.mark.filterwarnings("default")
def test_weights_of_another_network_are_refused(weights, name):
    path, _ = weights(name, features=7)
    with pytest.raises(
        UserError, match=r"expected weights of keras.applications.InceptionV3.*some"
    ):
        InceptionV3(path)


@pytest.mark.filterwarnings("default")
def test_weights_of_a_network_with_other_layers_are_refused(small_inception, tmp_path):
    path = tmp_path / "dense.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(path)
    with pytest.raises(UserError, match=r"expected weights of keras.applications.InceptionV3"):
        InceptionV3(path)


def test_files_that_are_no_weights_are_refused_before_anything_is_built(monkeypatch, tmp_path):
    monkeypatch.delattr(keras.applications, "InceptionV3")
    with pytest.raises(UserError, match=r"missing\.h5: no file"):
        InceptionV3(tmp_path / "missing.h5")
    with pytest.raises(UserError, match=r"\(\.h5, \.hdf5, \.keras\).*ckpt"):
        InceptionV3(tmp_path / "weights.ckpt")
    for name in ("text.h5", "text.keras"):
        (tmp_path / name).write_text("not found")
        with pytest.raises(UserError, match="which is not a"):
            InceptionV3(tmp_path / name)


def test_a_file_that_was_cut_off_is_refused(weights):
    path, _ = weights()
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"expected weights of keras.applications.InceptionV3"):
        InceptionV3(path)


@pytest.mark.slow
@pytest.mark.parametrize("include_top", [True, False])
def test_inception_of_keras(tmp_path, include_top):
    model = keras.applications.InceptionV3(include_top=include_top, weights=None, pooling="avg")
    model.save_weights(tmp_path / "own.weights.h5")
    network = InceptionV3(tmp_path / "own.weights.h5")
    images = noise(2, 32)
    scaled = tf.image.resize(images, (299, 299), antialias=True)
    assert network(images).shape == (2, 2048)
    assert network.has_classifier == include_top
    if include_top:
        np.testing.assert_allclose(network.probabilities(images), model(scaled).numpy(), rtol=1e-4)
    else:
        expected = model(scaled).numpy()
        np.testing.assert_allclose(network(images), expected, atol=1e-4 * np.abs(expected).max())
