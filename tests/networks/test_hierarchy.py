"""Parts of z, and how they enter."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.networks import convolutional, residual
from logan.networks.hierarchy import LatentModulation, latent_parts, part_lengths

SIZE = dict(data_shape=(16, 16, 1), width=2)  # two levels: three parts


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("length", "parts", "expected"),
    [(8, 4, [2, 2, 2, 2]), (8, 3, [3, 3, 2]), (5, 4, [2, 1, 1, 1]), (3, 3, [1, 1, 1])],
)
def test_lengths_of_parts(length, parts, expected):
    assert part_lengths(length, parts) == expected
    z = np.arange(length, dtype=np.float32)[None]
    assert [part.shape[1] for part in latent_parts(z, parts)] == expected
    np.testing.assert_array_equal(np.concatenate(latent_parts(z, parts), axis=1), z)


@pytest.mark.parametrize("kind", [convolutional, residual])
def test_fewer_features_than_parts_are_refused(kind):
    with pytest.raises(ValueError, match=r"latent_length >= 3 .*Received: 2"):
        kind.Generator(**SIZE, latent_length=2, hierarchical_latents=True)


def test_modulation_by_hand():
    """Scale 1 + 2·3 = 7 and shift 0.5·3 = 1.5, of a part 3 and matrices [2] and [0.5]."""
    layer = LatentModulation()
    h, part = tf.constant([[[[10.0], [20.0]]]]), tf.constant([[3.0]])
    layer(h, part)
    layer.scale.kernel.assign([[2.0]])
    layer.shift.kernel.assign([[0.5]])
    np.testing.assert_allclose(np.ravel(layer(h, part)), [71.5, 141.5])


def test_a_part_of_zeros_changes_nothing():
    h = numbers(2, 3, 3, 4)
    np.testing.assert_array_equal(LatentModulation()(h, np.zeros((2, 5), np.float32)), h)


def test_each_example_and_channel_has_its_own():
    layer = LatentModulation()
    h, part = np.ones((2, 1, 1, 3), np.float32), numbers(2, 4)
    out = np.asarray(layer(h, part))[:, 0, 0]
    expected = 1 + part @ layer.scale.kernel.numpy() + part @ layer.shift.kernel.numpy()
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    np.testing.assert_allclose(
        layer.scale.kernel.numpy().T @ layer.scale.kernel.numpy(), np.eye(3), atol=1e-5
    )


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_without_later_parts_it_is_the_generator_of_the_first_part(normalization):
    settings = dict(**SIZE, normalization=normalization)
    whole = convolutional.Generator(**settings, latent_length=7, hierarchical_latents=True)
    plain = convolutional.Generator(**settings, latent_length=3)
    own = [layer for layer in whole.stack.layers if isinstance(layer, LatentModulation)]
    assert len(own) == 2
    assert whole.count_params() - plain.count_params() == sum(layer.count_params() for layer in own)
    extra = {id(weight) for layer in own for weight in layer.weights}
    plain.set_weights([w.numpy() for w in whole.weights if id(w) not in extra])
    z = numbers(4, 7)
    z[:, 3:] = 0
    np.testing.assert_allclose(whole(z), plain(z[:, :3]), rtol=1e-5, atol=1e-6)
    z[:, 3:] = 1
    assert np.abs(whole(z) - plain(z[:, :3])).max() > 1e-3


@pytest.mark.parametrize("kind", [convolutional, residual])
def test_every_feature_of_z_reaches_the_image(kind):
    generator = kind.Generator(**SIZE, latent_length=7, hierarchical_latents=True)
    z = tf.constant(numbers(3, 7))
    with tf.GradientTape() as tape:
        tape.watch(z)
        x = generator(z, training=True)
    slope = tape.gradient(x, z)
    assert (np.abs(slope).max(axis=0) > 1e-5).all()


def test_residual_parts_enter_both_activations_of_their_block():
    generator = residual.Generator(**SIZE, latent_length=7, hierarchical_latents=True)
    own = [layer for layer in generator.stack.layers if isinstance(layer, LatentModulation)]
    assert [layer.scale.kernel.shape[0] for layer in own] == [2, 2, 2, 2]
    assert isinstance(generator.stack.layers[-1], keras.layers.Activation)
