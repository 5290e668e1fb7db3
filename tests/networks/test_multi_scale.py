"""A discriminator on several scales against its parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.networks import convolutional, residual
from logan.networks.attention import SelfAttention
from logan.networks.multi_scale import MultiScaleDiscriminator
from logan.settings.names import most_scales

SIZE = dict(data_shape=(16, 16, 2), latent_length=3, width=2, dense_width=4)
KINDS = {"convolutional": convolutional, "residual": residual}
each_kind = pytest.mark.parametrize("kind", KINDS)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@each_kind
@pytest.mark.parametrize("scale_logits", ["mean", "sum", "each"])
def test_each_part_sees_the_mean_of_squares_of_pixels(kind, scale_logits):
    network = MultiScaleDiscriminator(**SIZE, kind=kind, scales=2, scale_logits=scale_logits)
    fine, coarse = network.parts
    assert isinstance(fine, KINDS[kind].Discriminator)
    x, z = numbers(5, 16, 16, 2), numbers(5, 3, seed=1)
    half = x.reshape(5, 8, 2, 8, 2, 2).mean(axis=(2, 4))
    logits = np.concatenate([fine(x, z), coarse(half, z)], axis=1)
    expected = {
        "mean": logits.mean(axis=1, keepdims=True),
        "sum": logits.sum(axis=1, keepdims=True),
        "each": logits,
    }
    np.testing.assert_allclose(network(x, z), expected[scale_logits], rtol=1e-4, atol=1e-5)


@each_kind
def test_weights_are_those_of_the_parts(kind):
    network = MultiScaleDiscriminator(**SIZE, kind=kind, scales=2)
    alone = [
        KINDS[kind].Discriminator(**{**SIZE, "data_shape": (side, side, 2)}) for side in (16, 8)
    ]
    assert network.count_params() == sum(part.count_params() for part in alone)
    assert [w.shape for w in network.weights] == [w.shape for d in alone for w in d.weights]


def test_one_scale_is_the_discriminator_itself():
    network = MultiScaleDiscriminator(**SIZE, scales=1)
    plain = convolutional.Discriminator(**SIZE)
    plain.set_weights(network.get_weights())
    x, z = numbers(2, 16, 16, 2), numbers(2, 3)
    np.testing.assert_array_equal(network(x, z), plain(x, z))


def test_a_discriminator_of_images_alone():
    network = MultiScaleDiscriminator(**{**SIZE, "latent_length": 0}, scales=2)
    assert network(numbers(2, 16, 16, 2)).shape == (2, 1)


def test_attention_stands_where_there_is_such_a_map():
    network = MultiScaleDiscriminator((32, 32, 1), 3, width=2, scales=3, attention_size=8)
    found = [
        sum(isinstance(layer, SelfAttention) for layer in part.features.layers)
        for part in network.parts
    ]
    assert found == [1, 1, 0]
    with pytest.raises(ValueError, match=r"attention_size.*Received: 32"):
        MultiScaleDiscriminator((32, 32, 1), 3, width=2, scales=2, attention_size=32)


@pytest.mark.parametrize(("image", "most"), [(8, 1), (16, 2), (32, 3), (64, 4), (256, 6)])
def test_the_smallest_scale_has_8_pixels(image, most):
    assert most_scales(image) == most
    if image <= 32:
        shape = (image, image, 1)
        network = MultiScaleDiscriminator(shape, 2, width=1, dense_width=1, scales=most)
        assert network.parts[-1].data_shape == (8, 8, 1)
        with pytest.raises(ValueError, match=rf"scales <= {most}.*Received: {most + 1}"):
            MultiScaleDiscriminator(shape, 2, width=1, dense_width=1, scales=most + 1)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (dict(scales=0), "scales.*positive integer.*Received: 0"),
        (dict(scale_logits="median"), "scale_logits.*Received: 'median'"),
        (dict(width=0), "width.*Received: 0"),
        (dict(data_shape=(8, 16, 1)), r"\(size, size, channels\)"),
    ],
)
def test_wrong_settings_are_refused(setting, words):
    with pytest.raises(ValueError, match=words):
        MultiScaleDiscriminator(**{**SIZE, **setting})


def test_slope_of_the_mean_is_the_mean_of_the_slopes():
    network = MultiScaleDiscriminator(**SIZE, scales=2)
    x, z = tf.constant(numbers(2, 16, 16, 2)), tf.constant(numbers(2, 3))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        logit = network(x, z)
        fine, coarse = network.parts
        parts = fine(x, z), coarse(keras.ops.average_pool(x, 2), z)
    slopes = [tape.gradient(part, x).numpy() for part in parts]
    np.testing.assert_allclose(tape.gradient(logit, x), sum(slopes) / 2, rtol=1e-4, atol=1e-6)
