"""Spectral normalization against NumPy's singular values and a gradient worked out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.gan import GAN
from logan.networks import convolutional, mlp
from logan.networks.spectral import (
    SpectralConv2D,
    SpectralDense,
    as_matrix,
    begin_update,
    estimated_norm,
    exact_norm,
    power_iteration,
)

RANDOM = np.random.default_rng(0)


def dense(units=3, features=4, **settings):
    layer = SpectralDense(units, **settings)
    layer.build((None, features))
    layer.kernel.assign(3.0 * RANDOM.normal(size=layer.kernel.shape))
    return layer


def convolution():
    layer = SpectralConv2D(5, 4, 2, "same")
    layer.build((None, 8, 8, 2))
    layer.kernel.assign(RANDOM.normal(size=layer.kernel.shape))
    return layer


def largest(layer):
    """By NumPy, of the kernel as (everything else, out): a transpose has the same ones."""
    kernel = layer.kernel.numpy()
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def test_diagonal_by_hand():
    """Singular values 3 and 1; from u = (1, 1)/√2 an iteration leads to (9, 1)/√82."""
    matrix = tf.constant([[3.0, 0.0], [0.0, 1.0]])
    u = tf.constant([0.5**0.5, 0.5**0.5])
    np.testing.assert_allclose(exact_norm(matrix), 3.0, rtol=1e-6)
    np.testing.assert_allclose(power_iteration(matrix, u), np.array([9, 1]) / 82**0.5, rtol=1e-6)
    # ‖Wᵀu‖ = ‖(3, 1)‖ / √2 = √5
    np.testing.assert_allclose(estimated_norm(matrix, u), 5**0.5, rtol=1e-6)


def test_matrix_of_a_convolution_has_a_row_for_each_filter():
    kernel = np.arange(24.0).reshape(2, 2, 3, 2)
    np.testing.assert_array_equal(as_matrix(tf.constant(kernel)), kernel.reshape(12, 2).T)


@pytest.mark.parametrize("make", [dense, convolution])
def test_estimate_comes_to_the_largest_singular_value(make):
    layer = make()
    for _ in range(100):
        begin_update(layer)
    matrix = as_matrix(tf.convert_to_tensor(layer.kernel))
    np.testing.assert_allclose(estimated_norm(matrix, layer.u.value), largest(layer), rtol=1e-4)
    np.testing.assert_allclose(exact_norm(matrix), largest(layer), rtol=1e-5)


@pytest.mark.parametrize("make", [dense, convolution])
def test_evaluation_is_that_of_the_kernel_divided_by_its_norm_whatever_u_is(make):
    layer = make()
    layer.u.assign(np.eye(len(layer.u.numpy()))[0])
    plain = {SpectralDense: keras.layers.Dense, SpectralConv2D: keras.layers.Conv2D}[type(layer)]
    config = layer.get_config()
    other = plain.from_config(config)
    shape = (3, 4) if make is dense else (3, 8, 8, 2)
    x = RANDOM.normal(size=shape).astype(np.float32)
    other.build(shape)
    bias = RANDOM.normal(size=layer.bias.shape)
    layer.bias.assign(bias)
    other.set_weights([layer.kernel.numpy() / largest(layer), bias])
    np.testing.assert_allclose(layer(x), other(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer(x, training=False), other(x), rtol=1e-4, atol=1e-5)


def test_a_new_layer_is_warm():
    """After 15 iterations the estimate of a fresh kernel is within 2 % of the truth."""
    keras.utils.set_random_seed(1)
    layer = SpectralDense(32)
    layer.build((None, 64))
    matrix = as_matrix(tf.convert_to_tensor(layer.kernel))
    assert float(estimated_norm(matrix, layer.u.value)) == pytest.approx(largest(layer), rel=0.02)


def test_gradient_is_that_of_the_paper():
    """∂L/∂W = (∂L/∂W̄ - ⟨∂L/∂W̄, W̄⟩ u vᵀ) / σ, here of L = Σ C∘(x W̄)."""
    layer = dense(use_bias=False)
    x, c = RANDOM.normal(size=(6, 4)), RANDOM.normal(size=(6, 3))
    with tf.GradientTape() as tape:
        output = layer(tf.constant(x, tf.float32), training=True)
        loss = tf.reduce_sum(tf.constant(c, tf.float32) * output)
    gradient = tape.gradient(loss, layer.kernel).numpy()
    w, u = layer.kernel.numpy().T.astype(np.float64), layer.u.numpy().astype(np.float64)
    v = w.T @ u / np.linalg.norm(w.T @ u)
    sigma = u @ w @ v
    of_normalized = c.T @ x
    expected = (of_normalized - (of_normalized * w / sigma).sum() * np.outer(u, v)) / sigma
    np.testing.assert_allclose(gradient, expected.T, rtol=1e-3, atol=1e-5)


def test_gradient_does_not_change_the_kernels_length():
    """W / σ(W) does not depend on W's scale, so the gradient is orthogonal to W."""
    layer = dense(use_bias=False)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.ones([2, 4]), training=True) ** 2)
    gradient = tape.gradient(loss, layer.kernel).numpy()
    w = layer.kernel.numpy()
    assert abs((gradient * w).sum()) < 1e-5 * np.linalg.norm(gradient) * np.linalg.norm(w)
    assert [one.name for one in layer.trainable_variables] == ["kernel"]
    assert [one.name for one in layer.non_trainable_variables] == ["u"]


def test_only_an_update_moves_u_and_nothing_moves_the_kernel():
    layer = dense()
    u, kernel = layer.u.numpy(), layer.kernel.numpy()
    layer.u.assign(u := np.eye(3, dtype=np.float32)[0])
    for training in (True, False):
        layer(tf.ones([2, 4]), training=training)
    np.testing.assert_array_equal(layer.u.numpy(), u)
    begin_update(layer)
    expected = power_iteration(as_matrix(tf.constant(kernel)), u)
    np.testing.assert_allclose(layer.u.numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)


def test_second_derivative_by_hand():
    """D(x) = x·W̄ has the slope W̄ᵀ; ½‖slope‖² = ½ for one unit, whatever W is: no gradient."""
    layer = dense(units=1, use_bias=False)
    x = tf.ones([1, 4])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            logit = layer(x, training=True)
        slope = inner.gradient(logit, x)
        penalty = tf.reduce_sum(slope**2) / 2
    np.testing.assert_allclose(penalty, 0.5, rtol=1e-5)
    np.testing.assert_allclose(outer.gradient(penalty, layer.kernel), np.zeros((4, 1)), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_16_bits_compute_the_norm_in_32(policy):
    low, full = dense(dtype=policy), dense()
    full.set_weights(low.get_weights())
    x = RANDOM.normal(size=(5, 4)).astype(np.float32)
    output = low(x, training=True)
    assert output.dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(np.asarray(output, np.float32), full(x, training=True), atol=0.1)
    assert low.kernel.dtype == low.u.dtype == "float32"
    # Beyond float16's largest number, 65,504.
    low.kernel.assign(1e6 * low.kernel)
    assert np.isfinite(np.asarray(low(x, training=True), np.float32)).all()


def test_kernel_of_zeros_stays_finite():
    layer = dense()
    layer.kernel.assign(tf.zeros_like(layer.kernel))
    begin_update(layer)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tf.ones([2, 4]), training=True))
    assert np.isfinite(tape.gradient(total, layer.kernel)).all()
    assert np.isfinite(layer(tf.ones([2, 4]))).all()


def spectral_layers(network):
    found = [network] if isinstance(network, SpectralDense | SpectralConv2D) else []
    return found + [one for part in getattr(network, "layers", []) for one in spectral_layers(part)]


def gan(dtype="float32", **settings):
    keras.utils.set_random_seed(2)
    size = dict(width=8, hidden_layers=2, dtype=dtype)
    model = GAN(
        mlp.Generator((2,), 2, **size),
        mlp.Discriminator((2,), 0, **size, spectral_normalization=True),
        **settings,
    )
    model.compile(jit_compile=True)
    return model


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_trained_with_a_penalty_and_jit_u_moves_once_for_each_update_of_d(dtype):
    """With D's optimizer at rest W stays, so k updates are k power iterations."""
    model = gan(dtype, terms=["gradient:weight=10"], discriminator_steps=2)
    model.discriminator_optimizer.learning_rate = 0.0
    layer = spectral_layers(model.discriminator)[1]
    matrix, u = as_matrix(tf.convert_to_tensor(layer.kernel)), np.eye(8, dtype=np.float32)[0]
    layer.u.assign(u)
    model.fit(np.ones((12, 2), np.float32), batch_size=4, verbose=0)
    for _ in range(3 * 2):
        u = power_iteration(matrix, u)
    np.testing.assert_allclose(layer.u.numpy(), u, rtol=1e-4, atol=1e-5)


def test_a_functional_discriminators_layers_move_too():
    inputs = keras.Input((2,))
    hidden = keras.layers.LeakyReLU()(SpectralDense(4)(inputs))
    discriminator = keras.Model(inputs, SpectralDense(1)(hidden))
    layer = spectral_layers(discriminator)[0]
    layer.u.assign(u := np.eye(4, dtype=np.float32)[0])
    model = GAN(mlp.Generator((2,), 2, width=4, hidden_layers=1), discriminator)
    model.compile()
    kernel = as_matrix(tf.constant(layer.kernel.numpy()))
    model.train_step(tf.ones([4, 2]))
    np.testing.assert_allclose(layer.u.numpy(), power_iteration(kernel, u), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "discriminator",
    [
        lambda: mlp.Discriminator((2,), 3, width=8, spectral_normalization=True),
        lambda: convolutional.Discriminator(
            (8, 8, 1), 3, width=4, dense_width=8, spectral_normalization=True
        ),
    ],
)
def test_saved_network_is_the_same(discriminator, tmp_path):
    network = discriminator()
    count = len(spectral_layers(network))
    assert count == {"mlp": 4, "convolutional": 3}[type(network).__module__.split(".")[-1]]
    begin_update(network)
    network.save(tmp_path / "d.keras")
    again = keras.saving.load_model(tmp_path / "d.keras")
    inputs = tf.ones([2, *network.data_shape]), tf.ones([2, 3])
    for training in (True, False):
        np.testing.assert_allclose(
            again(*inputs, training=training), network(*inputs, training=training), rtol=1e-6
        )
    for one, other in zip(again.weights, network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
