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
        averaged_encoder=lambda x, training: tf.reshape(x, [-1, 2]), judge_in_float32=discriminator
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
