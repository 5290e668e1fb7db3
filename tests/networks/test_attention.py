"""Self-attention against sums by hand, and its derivatives of second order."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.networks.attention import SelfAttention, attention_layers, check_attention_size
from logan.settings.names import IMAGE_SIZES, feature_map_sizes


def layer_on(shape, seed=0, dtype="float32", gain=None):
    """A layer whose weights are all random, its gain too unless it is given."""
    layer = SelfAttention(dtype=dtype)
    layer.build((None, *shape))
    random = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(random.normal(size=weight.shape))
    if gain is not None:
        layer.gain.assign(gain)
    return layer


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def test_it_changes_nothing_at_first():
    layer = SelfAttention()
    h = numbers(2, 4, 4, 16).astype(np.float32)
    np.testing.assert_array_equal(layer(h), h)
    assert layer.gain.numpy() == 0


def test_two_places_by_hand():
    """With all kernels 1: scores of place j are h_j·h_i, so of 1 and 2 they are (1, 2), (2, 4)."""
    layer = SelfAttention()
    layer.build((None, 1, 2, 1))
    for part in (layer.keys, layer.queries, layer.values, layer.outer):
        part.kernel.assign(tf.ones_like(part.kernel))
    layer.gain.assign(2.0)
    of_first = (1 + 2 * math.e) / (1 + math.e)
    of_second = (1 + 2 * math.e**2) / (1 + math.e**2)
    out = layer(np.array([[[[1.0], [2.0]]]], np.float32))
    np.testing.assert_allclose(np.ravel(out), [1 + 2 * of_first, 2 + 2 * of_second], rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 16), (4, 4, 8), (1, 5, 3)])
def test_it_is_the_sum_over_places_of_the_source(shape):
    layer, h = layer_on(shape), numbers(2, *shape).astype(np.float32)
    _, width, channels = shape
    expected = np.empty_like(h)

    def one(part, place):
        return place @ part.kernel.numpy()[0, 0] + part.bias.numpy()

    for example in range(2):
        places = h[example].reshape(-1, channels).astype(np.float64)
        for j, place in enumerate(places):
            scores = [one(layer.queries, place) @ one(layer.keys, other) for other in places]
            shares = np.exp(scores) / np.sum(np.exp(scores))
            seen = sum(
                share * one(layer.values, other)
                for share, other in zip(shares, places, strict=True)
            )
            value = place + layer.gain.numpy() * one(layer.outer, seen)
            expected[example, j // width, j % width] = value
    np.testing.assert_allclose(layer(h), expected, rtol=2e-4, atol=2e-4)


def test_shares_are_over_the_places_that_are_seen():
    keys, queries = numbers(3, 6, 2, seed=1), numbers(3, 6, 2, seed=2)
    shares = SelfAttention.attention(tf.constant(keys), tf.constant(queries)).numpy()
    np.testing.assert_allclose(shares.sum(axis=2), 1)
    assert np.abs(shares.sum(axis=1) - 1).max() > 0.1
    # A key far along the query's direction takes everything.
    keys[0, 4] = 100 * queries[0, 1]
    shares = SelfAttention.attention(tf.constant(keys), tf.constant(queries)).numpy()
    assert shares[0, 1, 4] > 0.999


def test_places_that_change_places_take_their_results_along():
    layer, h = layer_on((3, 3, 8)), numbers(1, 3, 3, 8).astype(np.float32)
    turned = np.asarray(layer(h[:, ::-1, ::-1]))[:, ::-1, ::-1]
    np.testing.assert_allclose(turned, layer(h), rtol=1e-4, atol=1e-5)


def test_weights_are_an_eighth_of_the_channels():
    layer = layer_on((4, 4, 32))
    assert layer.count_params() == 3 * (32 * 4 + 4) + (4 * 32 + 32) + 1
    few = layer_on((4, 4, 3))
    assert few.count_params() == 3 * (3 + 1) + (3 + 3) + 1


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_16_bits_stay_finite_where_exponentials_would_not(policy):
    layer = layer_on((4, 4, 16), dtype=policy)
    h = tf.cast(30 * numbers(2, 4, 4, 16), layer.compute_dtype)
    out = layer(h)
    assert out.dtype == layer.compute_dtype
    assert np.isfinite(tf.cast(out, tf.float32)).all()
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    shares = layer.attention(
        tf.fill([1, 2, 1], tf.cast(100, h.dtype)), tf.fill([1, 2, 1], tf.cast(100, h.dtype))
    )
    np.testing.assert_allclose(tf.cast(shares, tf.float32), 0.5)


@pytest.mark.parametrize("jit", [None, False, True], ids=["eager", "graph", "xla"])
def test_gradient_of_a_gradient_is_the_limit_of_differences(jit):
    """The slope's length, differentiated in the layer's weights, as a gradient penalty does."""
    layer = layer_on((2, 3, 8), dtype="float64")
    h = tf.constant(numbers(2, 2, 3, 8))
    mixing = tf.constant(numbers(2, 2, 3, 8, seed=3))

    def penalty():
        with tf.GradientTape() as inner:
            inner.watch(h)
            # A square, so that the slope in h is no constant even of what is linear.
            loss = tf.reduce_sum(mixing * layer(h) ** 2)
        return tf.reduce_mean(inner.gradient(loss, h) ** 2)

    def second():
        with tf.GradientTape() as outer:
            value = penalty()
        return outer.gradient(value, layer.trainable_variables)

    gradients = (second if jit is None else tf.function(second, jit_compile=jit))()
    assert all(gradient is not None for gradient in gradients)
    random = np.random.default_rng(4)
    for variable, gradient in zip(layer.trainable_variables, gradients, strict=True):
        start, direction = variable.numpy(), random.normal(size=variable.shape)
        values = []
        for step in (1e-5, -1e-5):
            variable.assign(start + step * direction)
            values.append(float(penalty()))
        variable.assign(start)
        slope = (values[0] - values[1]) / 2e-5
        assert float(tf.reduce_sum(gradient * direction)) == pytest.approx(
            slope, rel=1e-4, abs=1e-6
        )


def test_sizes_of_feature_maps():
    assert feature_map_sizes(8) == (4,)
    assert feature_map_sizes(32) == (4, 8, 16)
    assert feature_map_sizes(256) == (4, 8, 16, 32, 64, 128)


@pytest.mark.parametrize(("size", "image"), itertools.product([2, 5, 8, 16, 32], IMAGE_SIZES[:3]))
def test_a_size_that_no_feature_map_has_is_refused(size, image):
    if size in feature_map_sizes(image):
        check_attention_size(size, image)
        return
    with pytest.raises(ValueError, match=rf"attention_size.*{image} pixels.*Received: {size}$"):
        check_attention_size(size, image)


def test_no_layer_elsewhere():
    assert attention_layers(8, 0) == attention_layers(8, 16) == []
    (layer,) = attention_layers(16, 16)
    assert isinstance(layer, SelfAttention)


def test_another_kind_of_convolution_can_be_put_in():
    class Biasless(keras.layers.Conv2D):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, use_bias=False, **settings)

    class Other(SelfAttention):
        convolution = Biasless

    layer = Other()
    layer.build((None, 2, 2, 8))
    assert layer.count_params() == 4 * 8 + 1
