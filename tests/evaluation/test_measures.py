"""What an evaluation says of D's pull, on discriminators whose gradient is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from logan import image_evaluation

# Two kinds of image of 1 x 2 pixels, at right angles to each other; reconstructions are black.
X = np.repeat(np.array([[[[1.0], [0.0]]], [[[0.0], [1.0]]]], np.float32), 600, axis=0)


def pull(discriminator):
    model = SimpleNamespace(
        averaged_encoder=lambda x, training: tf.reshape(x, [-1, 2]),
        discriminator_in_float32=discriminator,
    )
    return image_evaluation._pull(model, 0, X, np.zeros_like(X))


def inner_product(x, z):
    return tf.reduce_sum(tf.reshape(x, [-1, 2]) * z, axis=1, keepdims=True)


def test_discriminator_that_leads_by_z_fails_with_the_z_of_others():
    """Its gradient is 3 z = 3 x, of others at a right angle to the way."""
    found = pull(lambda x, z: 3.0 * inner_product(x, z))
    assert found == pytest.approx({"slope": 3, "alignment": 1, "alignment_of_others": 0}, abs=1e-5)


def test_discriminator_that_ignores_z_leads_as_well_with_the_z_of_others():
    found = pull(lambda x, z: inner_product(x, tf.ones_like(z)))
    expected = {"slope": 2**0.5, "alignment": 0.5**0.5, "alignment_of_others": 0.5**0.5}
    assert found == pytest.approx(expected, abs=1e-5)


def test_guesses_are_the_mean_the_median_and_the_nearest_of_the_training_images():
    train = np.array([-1, -1, 0.25, 0.75], np.float32).reshape(4, 1, 1, 1) * np.ones((1, 2, 1))
    x = np.array([0.4, -0.9, 1.0], np.float32).reshape(3, 1, 1, 1) * np.ones((1, 2, 1))
    expected = {
        "mean training image": [-0.25, -0.25, -0.25],
        "median training image": [-0.375, -0.375, -0.375],
        "nearest training image": [0.25, -1, 0.75],
    }
    guesses = image_evaluation._guesses(train, x)
    assert {name: guess.shape for name, guess in guesses.items()} == dict.fromkeys(
        expected, x.shape
    )
    assert {name: guess[:, 0, 1, 0].tolist() for name, guess in guesses.items()} == expected


def test_reconstructions_of_occupied_images_are_measured_apart():
    x_hat = X + np.repeat([0.5, 0.0], 600).reshape(-1, 1, 1, 1)
    is_occupied = np.arange(1_200) < 600
    measured = image_evaluation._reconstruction(X, x_hat, is_occupied)
    assert measured["mse"] == pytest.approx(0.125)
    assert measured["occupied"]["mse"] == pytest.approx(0.25)
    assert measured["occupied"]["images"] == 600
    assert "occupied" not in image_evaluation._reconstruction(X, x_hat, None)
    assert "occupied" not in image_evaluation._reconstruction(X, x_hat, np.zeros(1_200, bool))


def test_faint_is_some_foreground_up_to_the_limit():
    areas = np.array([0.0, 0.001, 0.02, 0.021, 1.0])
    assert image_evaluation._faint_share(areas) == pytest.approx(2 / 5)
