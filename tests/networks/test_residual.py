"""Residual blocks against the source's sums, written out with TensorFlow's own operations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.networks.residual import Discriminator, Encoder, Generator, NearestUpsampling


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def with_random_biases(network):
    for number, weight in enumerate(network.weights):
        weight.assign(weight + 0.1 * numbers(*weight.shape, seed=number))
    return network


def leaky(h):
    return tf.nn.leaky_relu(h, 0.2)


def pooled(h):
    return tf.nn.avg_pool2d(h, 2, 2, "VALID")


def kernels_of(layers, kernel):
    return [
        [tf.constant(weight) for weight in layer.weights]
        for layer in layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (kernel, kernel)
    ]


def apply(h, weights):
    return tf.nn.conv2d(h, weights[0], 1, "SAME") + weights[1]


def test_upsampling_by_hand():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[None, :, :, None]
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(NearestUpsampling()(x)[0, :, :, 0], expected)


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 4, 4, 1)])
def test_upsampling_repeats_rows_and_columns(shape):
    x = numbers(*shape)
    np.testing.assert_array_equal(NearestUpsampling()(x), x.repeat(2, axis=1).repeat(2, axis=2))


def test_blocks_that_halve_are_those_of_the_source():
    """16 pixels: a first block, one that halves, one that stays, as SNGAN's code orders them."""
    encoder = with_random_biases(Encoder((16, 16, 2), 3, width=2, normalization="none"))
    layers = encoder.stack.layers
    wide, narrow = kernels_of(layers, 3), kernels_of(layers, 1)
    assert (len(wide), len(narrow)) == (6, 2)
    x = numbers(3, 16, 16, 2)
    h = pooled(apply(leaky(apply(x, wide[0])), wide[1])) + apply(pooled(x), narrow[0])
    # Here the source convolves the shortcut before it pools.
    h = pooled(apply(leaky(apply(leaky(h), wide[2])), wide[3])) + pooled(apply(h, narrow[1]))
    h = apply(leaky(apply(leaky(h), wide[4])), wide[5]) + h
    dense = layers[-1]
    z = tf.tanh(tf.reshape(leaky(h), [3, -1]) @ dense.kernel + dense.bias)
    np.testing.assert_allclose(encoder(x), z, rtol=1e-4, atol=1e-5)


def test_blocks_that_double_are_those_of_the_source():
    generator = with_random_biases(Generator((16, 16, 3), 5, width=2, normalization="none"))
    layers = generator.stack.layers
    wide, narrow = kernels_of(layers, 3), kernels_of(layers, 1)
    assert (len(wide), len(narrow)) == (5, 2)

    def doubled(h):
        return tf.repeat(tf.repeat(h, 2, axis=1), 2, axis=2)

    z = numbers(3, 5)
    (dense,) = (layer for layer in layers if isinstance(layer, keras.layers.Dense))
    h = tf.reshape(z @ dense.kernel + dense.bias, [3, 4, 4, 4])
    for block in range(2):
        first, second = wide[2 * block : 2 * block + 2]
        # Here the source doubles the shortcut before it convolves.
        shortcut = apply(doubled(h), narrow[block])
        h = apply(leaky(apply(doubled(leaky(h)), first)), second) + shortcut
    np.testing.assert_allclose(
        generator(z), tf.tanh(apply(leaky(h), wide[4])), rtol=1e-4, atol=1e-5
    )


def of_discriminator(discriminator, x, z):
    """The same sums for one of 8 pixels, pooling by means of reshaped axes."""

    def halved(h):
        side = h.shape[1] // 2
        return tf.reduce_mean(tf.reshape(h, [-1, side, 2, side, 2, h.shape[3]]), axis=[2, 4])

    def apply_layer(h, layer):
        return tf.nn.conv2d(h, layer.kernel.value, 1, "SAME") + layer.bias.value

    convolutions = [
        layer for layer in discriminator.features.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    wide = [layer for layer in convolutions if layer.kernel_size == (3, 3)]
    (narrow,) = (layer for layer in convolutions if layer.kernel_size == (1, 1))
    h = halved(apply_layer(leaky(apply_layer(x, wide[0])), wide[1]))
    h += apply_layer(halved(x), narrow)
    h = apply_layer(leaky(apply_layer(leaky(h), wide[2])), wide[3]) + h
    features = tf.reduce_sum(leaky(h), axis=[1, 2])
    first, second = (
        layer for layer in discriminator.joint.layers if isinstance(layer, keras.layers.Dense)
    )
    hidden = leaky(tf.concat([features, z], axis=1) @ first.kernel.value + first.bias.value)
    return hidden @ second.kernel.value + second.bias.value


def test_discriminator_sums_over_places_and_joins_z_there():
    discriminator = with_random_biases(Discriminator((8, 8, 1), 3, width=4, dense_width=6))
    x, z = numbers(5, 8, 8, 1), numbers(5, 3, seed=1)
    np.testing.assert_allclose(
        discriminator(x, z), of_discriminator(discriminator, x, z), rtol=1e-4, atol=1e-5
    )


def test_second_derivatives_are_those_of_the_written_out_sums():
    discriminator = with_random_biases(Discriminator((8, 8, 1), 3, width=4, dense_width=6))
    x, z = tf.constant(numbers(5, 8, 8, 1)), tf.constant(numbers(5, 3, seed=1))

    def second(logits_of):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                logits = logits_of(x, z)
            slope = tf.reduce_sum(inner.gradient(logits, x) ** 2)
        return outer.gradient(slope, discriminator.trainable_variables)

    found = second(discriminator)
    expected = second(lambda x, z: of_discriminator(discriminator, x, z))
    kernels = 0
    for one, other in zip(found, expected, strict=True):
        if other is not None and other.shape.rank > 1:  # a slope does not know of biases
            kernels += 1
            scale = np.abs(other).max()
            assert scale > 0
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * scale)
    assert kernels == 7


def test_encoder_stays_in_the_uniform_prior_unless_it_is_linear():
    x = 100 * numbers(3, 8, 8, 1)
    size = dict(data_shape=(8, 8, 1), latent_length=3, width=2, normalization="none")
    assert np.abs(Encoder(**size)(x)).max() <= 1
    linear = Encoder(**size, output_activation="linear")
    assert np.abs(linear(x)).max() > 1
    twin = Encoder.from_config(linear.get_config())
    twin.set_weights(linear.get_weights())
    np.testing.assert_array_equal(twin(x), linear(x))


def convolutions(*pairs):
    return sum((kernel**2 * before + 1) * after for kernel, before, after in pairs)


def test_numbers_of_weights():
    """Of 32 pixels and width 4: maps of 4, 8, 16 channels at 16, 8 and 4 places a side."""
    down = convolutions(
        (1, 3, 4), (3, 3, 4), (3, 4, 4), (1, 4, 8), (3, 4, 8), (3, 8, 8),
        (1, 8, 16), (3, 8, 16), (3, 16, 16), (3, 16, 16), (3, 16, 16),
    )  # fmt: skip
    up = convolutions(
        (1, 16, 16), (3, 16, 16), (3, 16, 16), (1, 16, 8), (3, 16, 8), (3, 8, 8),
        (1, 8, 4), (3, 8, 4), (3, 4, 4), (3, 4, 3),
    )  # fmt: skip
    size = dict(data_shape=(32, 32, 3), latent_length=5, width=4)
    plain = dict(size, normalization="none")
    assert Encoder(**plain).count_params() == down + (256 + 1) * 5
    assert Generator(**plain).count_params() == up + (5 + 1) * 256
    assert Discriminator(**size, dense_width=7).count_params() == down + (16 + 5 + 1) * 7 + 7 + 1
    normalized = Encoder(**dict(size, normalization="batch"))
    # In front of every activation but that of the raw image: 4; 4, 8; 8, 16; 16, 16; 16.
    assert normalized.count_params() - Encoder(**plain).count_params() == 4 * 88


def test_channels_double_three_times_then_stay():
    encoder = Encoder((128, 128, 3), 4, width=1)
    channels = [weights[0].shape[-1] for weights in kernels_of(encoder.stack.layers, 1)]
    assert channels == [1, 2, 4, 8, 8]


def test_first_weights_of_blocks_are_those_of_sngan():
    """Uniform of variance 2·2 / (fan in + fan out) in blocks, half of it in shortcuts."""
    keras.utils.set_random_seed(0)
    discriminator = Discriminator((8, 8, 32), 4, width=32)
    for kernel, gain in ((3, 2.0), (1, 1.0)):
        for weights in kernels_of(discriminator.features.layers, kernel):
            fans = kernel**2 * 64
            expected = gain * 2 / fans
            assert np.var(weights[0]) == pytest.approx(expected, rel=0.1)
            assert np.abs(weights[0]).max() <= np.sqrt(3 * expected)
