import hashlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.errors import UserError
from logan.metrics import extractors as module
from logan.metrics.extractors import EXTRACTORS, InceptionV3, RandomConvolutions, extractor
from logan.metrics.fidelity import frechet_distance, inception_score


def noise(images, size, channels=3, seed=0):
    shape = (images, size, size, channels)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def wave(size, channels):
    """One image by formula, [1, size, size, channels]."""
    rows, columns, depth = np.meshgrid(
        np.arange(size), np.arange(size), np.arange(channels), indexing="ij"
    )
    return np.sin(rows / 2 + columns / 3 + depth).astype(np.float32)[None]


def plain_convolution(image, kernel, bias):
    """A convolution of 3 x 3 with zeros around, and a leaky ReLU, by loops over pixels."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    result = np.empty((*image.shape[:2], kernel.shape[-1]))
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            patch = padded[row : row + 3, column : column + 3]
            result[row, column] = np.einsum("hwc,hwcd->d", patch, kernel) + bias
    return np.where(result > 0, result, 0.2 * result)


def plain_mean(image, side):
    shrink = len(image) // side
    return image.reshape(side, shrink, side, shrink, -1).mean(axis=(1, 3))


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


# Random convolutions


def test_weights_never_change():
    digest = hashlib.sha256()
    for kernel, bias in RandomConvolutions(32, 3).weights:
        digest.update(kernel.numpy().tobytes() + bias.numpy().tobytes())
    assert digest.hexdigest()[:16] == "7da6c79114073ee6"


def test_features_never_change():
    features = RandomConvolutions(32, 3)(wave(32, 3))[0]
    expected = [0.41018, 0.10853, 0.03911, 0.28767, -0.0519]
    np.testing.assert_allclose(features[[0, 40, 100, 200, 447]], expected, atol=1e-4)


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        (8, [8, 8, 4, 4]),
        (16, [16, 8, 8, 4]),
        (32, [32, 16, 8, 4]),
        (64, [64, 32, 8, 4]),
        (128, [128, 32, 16, 4]),
        (256, [256, 64, 16, 4]),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_size_gives_as_many_features(size, sides, channels):
    network = RandomConvolutions(size, channels)
    features = network(noise(2, size, channels))
    assert network.sides == sides
    assert features.shape == (2, network.feature_length) == (2, 448)
    assert features.dtype == np.float32
    # Nothing has died on the way: every feature differs between the images.
    assert np.abs(features[0] - features[1]).min() > 0
    assert 0.01 < np.abs(features).mean() < 1


def test_features_against_loops():
    image = wave(16, 1)[0].astype(float)
    network = RandomConvolutions(16, 1, seed=5)
    means = []
    for (kernel, bias), side in zip(network.weights, [16, 8, 8, 4], strict=True):
        image = plain_convolution(plain_mean(image, side), kernel.numpy(), bias.numpy())
        means.append(image.mean(axis=(0, 1)))
    expected = np.concatenate([*means[:3], image.ravel()])
    np.testing.assert_allclose(network(wave(16, 1))[0], expected, atol=1e-5)


def test_weights_are_he_uniform():
    for level, (kernel, bias) in enumerate(RandomConvolutions(32, 3).weights):
        inputs = np.prod(kernel.shape[:3])
        assert np.abs(kernel).max() <= np.sqrt(6 / inputs)
        # The four kernels have from 864 to 55,296 weights.
        assert np.var(kernel) == pytest.approx(2 / inputs, rel=0.1 if level == 0 else 0.05)
        assert np.abs(bias).max() <= 0.2


def test_batches_do_not_matter(monkeypatch):
    images = noise(7, 16)
    whole = RandomConvolutions(16, 3)(images)
    monkeypatch.setattr(module, "BATCH_PIXELS", 2 * 16**2)
    np.testing.assert_allclose(RandomConvolutions(16, 3)(images), whole, atol=1e-6)
    alone = [RandomConvolutions(16, 3)(image[None])[0] for image in images]
    np.testing.assert_allclose(alone, whole, atol=1e-6)


def test_seeds_draw_other_weights_and_say_so():
    first, second = RandomConvolutions(8, 1), RandomConvolutions(8, 1, seed=1)
    assert first.name == "random convolutional features (not FID)"
    assert second.name == "random convolutional features of seed 1 (not FID)"
    assert np.abs(first(wave(8, 1)) - second(wave(8, 1))).max() > 0.1


@pytest.mark.parametrize("size", [8, 32, 128])
def test_a_moved_patch_changes_the_places_more_than_the_textures(size):
    images = np.full((2, size, size, 3), -0.5, np.float32)
    quarter = size // 4
    images[0, quarter : 2 * quarter, quarter : 2 * quarter] = 0.5
    images[1, quarter : 2 * quarter, 2 * quarter : 3 * quarter] = 0.5
    first, second = RandomConvolutions(size, 3)(images)
    textures, places = np.split(first - second, [192])
    assert np.linalg.norm(places) > 0.5
    # Zeros beyond the edge are seen from a quarter of 8 pixels, not of more.
    assert np.linalg.norm(textures) < (0.3 if size == 8 else 0.05)


@pytest.mark.parametrize("change", ["noise", "blur", "modes"])
def test_what_is_worse_lies_further_away(change):
    def images(seed):
        draws = np.random.default_rng(seed)
        frames = draws.uniform(-0.1, 0.1, (200, 16, 16, 1)).astype(np.float32)
        for frame, column in zip(frames, draws.integers(0, 3, 200), strict=True):
            frame[4:8, 4 * column : 4 * column + 4] += 0.7
        return frames

    others = images(1)
    if change == "noise":
        others = others + noise(200, 16, 1, seed=2) * 0.2
    elif change == "blur":
        others = tf.nn.avg_pool2d(others, 3, 1, "SAME").numpy()
    else:
        others = others[others[:, 4:8, 8:12].mean(axis=(1, 2, 3)) < 0.3]
    network = RandomConvolutions(16, 1)
    real = network(images(0))
    # A third of the frames has the lost mode.
    again = frechet_distance(real, network(images(3)[: len(others)]))
    assert frechet_distance(real, network(others)) > 2 * again


@pytest.mark.parametrize("size", [4, 24, 512])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match="Expected image_size"):
        RandomConvolutions(size, 3)


def test_other_images_are_refused():
    network = RandomConvolutions(8, 3)
    with pytest.raises(ValueError, match="Expected images of shape"):
        network(noise(2, 8)[0])
    with pytest.raises(ValueError, match="Expected images of shape"):
        network(noise(0, 8))
    with pytest.raises(
        ValueError, match=r"Expected images of \(8, 8, 3\). Received: \(16, 16, 3\)"
    ):
        network(noise(2, 16))
    with pytest.raises(ValueError, match="Expected floating images"):
        network(np.zeros((2, 8, 8, 3), np.uint8))
    for wrong in (np.nan, 255):
        with pytest.raises(ValueError, match=r"Expected images in \[-1, 1\]"):
            network(np.full((2, 8, 8, 3), wrong, np.float32))


# Inception


@pytest.mark.parametrize("name", ["some.weights.h5", "some.keras"])
def test_inception_loads_a_file_with_the_classifier(weights, name):
    path, model = weights(name)
    network = InceptionV3(path)
    images = noise(5, 299)
    expected = model(images).numpy()
    assert network.name == f"inception_v3 (weights: {name})"
    assert network.has_classifier
    assert network.feature_length == 6
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
    with pytest.raises(UserError, match="Expected weights with the classifier"):
        network.probabilities(images)


def test_inception_scales_and_colours_images(weights):
    path, model = weights(include_top=False)
    grey = noise(2, 32, channels=1)
    scaled = tf.image.resize(np.repeat(grey, 3, axis=-1), (299, 299), antialias=True)
    np.testing.assert_allclose(InceptionV3(path)(grey), model(scaled).numpy(), rtol=1e-4, atol=1e-6)


def test_inception_averages_what_it_scales_down(weights):
    network = InceptionV3(weights()[0])
    # White and black pixels in turn are grey from afar; every other one of them is white.
    board = np.where(np.indices((897, 897)).sum(axis=0) % 2, 1.0, -1.0)[None, ..., None]
    np.testing.assert_allclose(network(board), network(np.zeros((1, 299, 299, 1))), atol=0.05)


def test_inception_batches_do_not_matter(monkeypatch, weights):
    network = InceptionV3(weights()[0])
    images = noise(5, 32)
    whole = network(images)
    monkeypatch.setattr(module, "INCEPTION_BATCH", 2)
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
    with pytest.raises(UserError, match=r"URL fetch failure.* name a local file"):
        InceptionV3()
    with pytest.raises(UserError, match="name a local file"):
        InceptionV3("imagenet")


@pytest.mark.parametrize("name", ["some.weights.h5", "some.keras"])
@pytest.mark.filterwarnings("default")
def test_weights_of_another_network_are_refused(weights, name):
    path, _ = weights(name, features=7)
    with pytest.raises(
        UserError, match=r"Expected weights of keras.applications.InceptionV3.*some"
    ):
        InceptionV3(path)


@pytest.mark.filterwarnings("default")
def test_weights_of_a_network_with_other_layers_are_refused(small_inception, tmp_path):
    path = tmp_path / "dense.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(path)
    with pytest.raises(UserError, match=r"Expected weights of keras.applications.InceptionV3"):
        InceptionV3(path)


def test_files_that_are_no_weights_are_refused_before_anything_is_built(monkeypatch, tmp_path):
    monkeypatch.delattr(keras.applications, "InceptionV3")
    with pytest.raises(UserError, match=r"missing\.h5: no file"):
        InceptionV3(tmp_path / "missing.h5")
    with pytest.raises(UserError, match=r"in a file \.h5, \.hdf5 or \.keras"):
        InceptionV3(tmp_path / "weights.ckpt")
    for name in ("text.h5", "text.keras"):
        (tmp_path / name).write_text("not found")
        with pytest.raises(UserError, match="which is not a"):
            InceptionV3(tmp_path / name)


def test_a_file_that_was_cut_off_is_refused(weights):
    path, _ = weights()
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"Expected weights of keras.applications.InceptionV3"):
        InceptionV3(path)


@pytest.mark.slow
@pytest.mark.parametrize("include_top", [True, False])
def test_inception_of_keras(tmp_path, include_top):
    model = keras.applications.InceptionV3(include_top=include_top, weights=None, pooling="avg")
    model.save_weights(tmp_path / "own.weights.h5")
    network = InceptionV3(tmp_path / "own.weights.h5")
    images = noise(2, 32)
    scaled = tf.image.resize(images, (299, 299), antialias=True)
    assert network.feature_length == 2048
    assert network.has_classifier == include_top
    if include_top:
        np.testing.assert_allclose(network.probabilities(images), model(scaled).numpy(), rtol=1e-4)
    else:
        expected = model(scaled).numpy()
        np.testing.assert_allclose(network(images), expected, atol=1e-4 * np.abs(expected).max())


# By name


def test_extractors_by_name(weights):
    path, _ = weights()
    made = {"random": extractor("random", 16, 1), "inception": extractor("inception", 16, 1, path)}
    assert tuple(made) == EXTRACTORS
    for network in made.values():
        assert network(noise(2, 16, 1)).shape == (2, network.feature_length)
        assert network.name


def test_what_is_no_extractor_is_refused():
    with pytest.raises(
        UserError, match=r"Expected an extractor of random, inception. Received: vgg"
    ):
        extractor("vgg", 32, 3)
    with pytest.raises(UserError, match="Expected no weights for the extractor random"):
        extractor("random", 32, 3, "some.h5")
    for name in EXTRACTORS:
        with pytest.raises(ValueError, match=r"Expected images of 1 or 3 channels. Received: 2"):
            extractor(name, 32, 2)
