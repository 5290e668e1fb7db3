"""Dropout by the draws of a training step."""

import numpy as np
import pytest
import tensorflow as tf

from logan.networks import convolutional, mlp
from logan.networks.dropout import Dropout
from logan.networks.hidden import with_hidden
from logan.randomness import Draw, current_draw, drawing_from

ONES = tf.ones([200, 50])


def test_kept_units_are_raised_so_that_the_mean_stays():
    output = Dropout(0.25)(ONES, training=True).numpy()
    assert set(np.unique(output)) == {0.0, np.float32(1 / 0.75)}
    assert output.mean() == pytest.approx(1, abs=0.03)
    np.testing.assert_array_equal(Dropout(0.25)(ONES, training=False), ONES)
    np.testing.assert_array_equal(Dropout(0.0)(ONES, training=True), ONES)


def masks(update, count=2, repeat=0):
    layer = Dropout(0.5)
    with drawing_from(Draw(7, update, repeat)):
        return [layer(ONES, training=True).numpy() for _ in range(count)]


def test_masks_are_the_updates_own_and_each_call_has_another():
    first, second = masks(3)
    assert (first != second).mean() > 0.4
    np.testing.assert_array_equal(masks(3), [first, second])
    assert (masks(4)[0] != first).mean() > 0.4
    assert (masks(3, repeat=1)[0] != first).mean() > 0.4
    assert current_draw() is None


def test_compiled_steps_draw_the_same_masks():
    layer = Dropout(0.5)

    def of(update):
        with drawing_from(Draw(7, update)):
            return tf.stack([layer(ONES, training=True) for _ in range(2)])

    for compile_it in (False, True):
        step = tf.function(of, jit_compile=compile_it)
        for update in (3, 4):
            np.testing.assert_array_equal(step(tf.constant(update, tf.int64)), masks(update))


@pytest.mark.parametrize(
    "discriminator",
    [
        lambda **parts: mlp.Discriminator((2,), 3, width=16, **parts),
        lambda **parts: convolutional.Discriminator((8, 8, 1), 3, width=4, dense_width=8, **parts),
    ],
)
def test_discriminators_drop_in_training_alone(discriminator):
    network = discriminator(dropout=0.5)
    inputs = tf.ones([3, *network.data_shape]), tf.ones([3, 3])
    still = [network(*inputs).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*still)
    moving = [network(*inputs, training=True).numpy() for _ in range(2)]
    assert (moving[0] != moving[1]).any()
    hidden, logits = with_hidden(network, inputs)
    last = [layer for layer in network.weights if layer.name == "kernel"][-1]
    np.testing.assert_allclose(hidden @ last + network.weights[-1], logits, rtol=1e-4, atol=1e-5)


def test_with_hidden_of_networks_and_functional_models():
    import keras

    inputs = keras.Input((2,)), keras.Input((1,))
    hidden = keras.layers.Dense(4, "relu")(keras.layers.Concatenate()(list(inputs)))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    x, z = tf.ones([3, 2]), tf.ones([3, 1])
    of_last, logits = with_hidden(model, (x, z))
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(of_last @ kernel + bias, logits, rtol=1e-5)
    np.testing.assert_allclose(model([x, z]), logits, rtol=1e-5)
    network = mlp.Discriminator((2,), 1, width=4, fourier_octaves=1)
    np.testing.assert_allclose(with_hidden(network, (x, z))[1], network(x, z), rtol=1e-6)

    class Own(keras.Model):
        pass

    with pytest.raises(ValueError, match="hidden_and_logits"):
        with_hidden(Own(), (x,))
