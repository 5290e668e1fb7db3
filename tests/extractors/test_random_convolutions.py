import hashlib

import numpy as np
import pytest
import tensorflow as tf

from logan.extractors import random_convolutions as module
from logan.extractors.random_convolutions import RandomConvolutions
from logan.metrics.fidelity import frechet_distance


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


def test_weights_never_change():
    digest = hashlib.sha256()
    for kernel, bias in RandomConvolutions().weights(3):
        digest.update(kernel.numpy().tobytes() + bias.numpy().tobytes())
    assert digest.hexdigest()[:16] == "7da6c79114073ee6"


def test_features_never_change():
    features = RandomConvolutions()(wave(32, 3))[0]
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
    network = RandomConvolutions()
    features = network(noise(2, size, channels))
    assert network.sides(size) == sides
    assert features.shape == (2, 448)
    assert features.dtype == np.float32
    # Nothing has died on the way: every feature differs between the images.
    assert np.abs(features[0] - features[1]).min() > 0
    assert 0.01 < np.abs(features).mean() < 1


def test_features_against_loops():
    image = wave(16, 1)[0].astype(float)
    network = RandomConvolutions(seed=5)
    means = []
    for (kernel, bias), side in zip(network.weights(1), [16, 8, 8, 4], strict=True):
        image = plain_convolution(plain_mean(image, side), kernel.numpy(), bias.numpy())
        means.append(image.mean(axis=(0, 1)))
    expected = np.concatenate([*means[:3], image.ravel()])
    np.testing.assert_allclose(network(wave(16, 1))[0], expected, atol=1e-5)


def test_weights_are_he_uniform():
    for level, (kernel, bias) in enumerate(RandomConvolutions().weights(3)):
        inputs = np.prod(kernel.shape[:3])
        assert np.abs(kernel).max() <= np.sqrt(6 / inputs)
        # The four kernels have from 864 to 55,296 weights.
        assert np.var(kernel) == pytest.approx(2 / inputs, rel=0.1 if level == 0 else 0.05)
        assert np.abs(bias).max() <= 0.2


def test_batches_do_not_matter(monkeypatch):
    images = noise(7, 16)
    whole = RandomConvolutions()(images)
    monkeypatch.setattr(module, "BATCH_PIXELS", 2 * 16**2)
    np.testing.assert_allclose(RandomConvolutions()(images), whole, atol=1e-6)
    alone = [RandomConvolutions()(image[None])[0] for image in images]
    np.testing.assert_allclose(alone, whole, atol=1e-6)


def test_seeds_draw_other_weights_and_say_so():
    first, second = RandomConvolutions(), RandomConvolutions(seed=1)
    assert first.name == "random convolutional features (not FID)"
    assert second.name == "random convolutional features of seed 1 (not FID)"
    assert np.abs(first(wave(8, 1)) - second(wave(8, 1))).max() > 0.1


@pytest.mark.parametrize("size", [8, 32, 128])
def test_a_moved_patch_changes_the_places_more_than_the_textures(size):
    images = np.full((2, size, size, 3), -0.5, np.float32)
    quarter = size // 4
    images[0, quarter : 2 * quarter, quarter : 2 * quarter] = 0.5
    images[1, quarter : 2 * quarter, 2 * quarter : 3 * quarter] = 0.5
    first, second = RandomConvolutions()(images)
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
    network = RandomConvolutions()
    real = network(images(0))
    # A third of the frames has the lost mode.
    again = frechet_distance(real, network(images(3)[: len(others)]))
    assert frechet_distance(real, network(others)) > 2 * again


@pytest.mark.parametrize(
    ("shape", "side"),
    [((4, 4), 8), ((48, 48), 64), ((92, 112), 128), ((300, 20), 256), ((1000, 600), 256)],
)
def test_other_sizes_are_scaled_to_the_next_power_of_two(shape, side):
    images = np.random.default_rng(0).uniform(-1, 1, (3, *shape, 1)).astype(np.float32)
    scaled = tf.image.resize(images, (side, side), antialias=True).numpy()
    network = RandomConvolutions()
    np.testing.assert_allclose(network(images), network(scaled), atol=1e-5)
