"""Networks in 16 bits: finite, close to float32, and penalties in float32 all the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.networks import convolutional, mlp

each_policy = pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
IMAGE = dict(data_shape=(16, 16, 1), latent_length=4, width=4)


def bigan(policy="float32"):
    keras.utils.set_random_seed(3)
    model = BiGAN(
        convolutional.Generator(**IMAGE, normalization="batch", dtype=policy),
        convolutional.Encoder(**IMAGE, normalization="batch", dtype=policy),
        convolutional.Discriminator(**IMAGE, dense_width=8, dtype=policy),
        penalty_weight=0.0,
        terms=["pairwise:form=squared_norm"],
        seed=1,
    )
    model.compile(
        **{
            f"{role}_optimizer": keras.optimizers.Adam(1e-3)
            for role in ("generator", "encoder", "discriminator")
        }
    )
    return model


@pytest.fixture
def x():
    noise = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 1))
    return tf.constant(noise, tf.float32)


@each_policy
def test_layers_compute_in_16_bits_and_keep_their_weights_in_32(policy):
    compute = policy.removeprefix("mixed_")
    for network in (
        convolutional.Generator(**IMAGE, dtype=policy),
        mlp.Encoder(width=4, dtype=policy),
    ):
        kinds = {layer.compute_dtype for layer in network.stack.layers}
        assert kinds == {compute, "float32"}
        assert network.stack.layers[-1].compute_dtype == "float32"
        assert {variable.dtype for variable in network.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


@each_policy
def test_outputs_are_float32_and_close_to_float32_ones(policy, x):
    low, full = bigan(policy), bigan()
    for one, other in zip(low.weights, full.weights, strict=True):
        one.assign(other)
    z = full.encoder(x)
    for name, inputs in [("encoder", [x]), ("generator", [z]), ("discriminator", [x, z])]:
        output = getattr(low, name)(*inputs)
        assert output.dtype == tf.float32
        np.testing.assert_allclose(output, getattr(full, name)(*inputs), atol=0.05)
        assert (np.asarray(output) != np.asarray(getattr(full, name)(*inputs))).any()


@each_policy
def test_steps_stay_finite_and_close_to_float32(policy, x):
    low, full = bigan(policy), bigan()
    low.set_weights(full.get_weights())
    step = tf.function(low.train_step)
    for _ in range(3):
        logs, expected = step(x), full.train_step(x)
    for name in ("discriminator_loss", "generator_loss", "penalty", "gradient_slope"):
        assert float(logs[name]) == pytest.approx(float(expected[name]), rel=0.1, abs=0.02), name
    assert all(np.isfinite(weights).all() for weights in low.get_weights())
    assert int(low.first_bad_step.numpy()) == -1


@each_policy
def test_penalties_see_the_discriminator_in_float32(policy, x):
    low, full = bigan(policy), bigan()
    low.discriminator.set_weights(full.discriminator.get_weights())
    z = tf.zeros([len(x), 4])
    exact = full.discriminator(x, z)
    np.testing.assert_allclose(low.discriminator_in_float32(x, z), exact, rtol=1e-5, atol=1e-6)
    assert np.abs(low.discriminator(x, z) - exact).max() > 1e-4
    # The float32 twin lends its layers only: gradients arrive at the discriminator's own weights.
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(low.discriminator_in_float32(x, z))
    gradients = tape.gradient(loss, low.discriminator.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


def test_tiny_slopes_survive_float16(x):
    low = bigan("mixed_float16")
    # 1e-4 to the power of the layers: far below float16's smallest number, 6e-8.
    for variable in low.discriminator.trainable_variables:
        if "kernel" in variable.path:
            variable.assign(variable * 1e-3)
    points = tf.identity(x)
    with tf.GradientTape() as tape:
        tape.watch(points)
        logits = low.discriminator_in_float32(points, tf.zeros([len(x), 4]))
    slope = np.abs(tape.gradient(logits, points)).max()
    assert 0 < slope < 6e-8


def test_float16_scales_every_loss():
    model = bigan("mixed_float16")
    scaled = {
        role: type(optimizer).__name__ == "LossScaleOptimizer"
        for role, optimizer in model.optimizers.items()
    }
    assert scaled == {"generator": True, "encoder": True, "discriminator": True}
    assert not any(
        isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        for optimizer in bigan("mixed_bfloat16").optimizers.values()
    )


def test_networks_of_different_loss_scales_are_updated_as_with_equal_ones(x):
    same, other = bigan("mixed_float16"), bigan("mixed_float16")
    other.set_weights(same.get_weights())
    other.optimizers["encoder"].dynamic_scale.assign(2.0**10)
    for model in (same, other):
        model.train_step(x)
    for one, two in zip(same.encoder.get_weights(), other.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=2e-5)


def test_file_of_a_low_precision_network_loads(tmp_path, x):
    network = convolutional.Encoder(**IMAGE, dtype="mixed_bfloat16")
    network.save(tmp_path / "encoder.keras")
    again = keras.saving.load_model(tmp_path / "encoder.keras")
    assert again.compute_dtype == "bfloat16"
    np.testing.assert_array_equal(again(x), network(x))
