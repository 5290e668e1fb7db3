"""Networks in 16 bits: finite, close to float32, and penalties in float32 all the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.models.precision import common_scale, in_float32
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


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def global_policy(request):
    """Keras's global policy of 16 bits, the usual way."""
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


def functional_bigan(last="float32", **settings):
    """Networks made, and compiled, under the global policy; `last` is that of the last layers."""
    keras.utils.set_random_seed(4)
    dense = keras.layers.Dense
    inputs = keras.Input((2,)), keras.Input((4,))
    hidden = dense(16, "relu")(keras.layers.Concatenate()(list(inputs)))
    model = BiGAN(
        keras.Sequential([keras.Input((4,)), dense(16, "relu"), dense(2, dtype=last)]),
        keras.Sequential([keras.Input((2,)), dense(16, "relu"), dense(4, dtype=last)]),
        keras.Model(list(inputs), dense(1, dtype=last)(hidden)),
        loss="vanilla",
        penalty_weight=0.1,
        terms=["autoencoder"],
        seed=1,
    )
    optimizers = {f"{role}_optimizer": keras.optimizers.SGD(1.0) for role in model.networks}
    model.compile(**optimizers, **settings)
    return model


@pytest.fixture
def points():
    return np.random.default_rng(1).normal(size=(32, 2)).astype(np.float32)


def changes(model, points):
    """What one step of SGD with rate 1 takes from each weight: its gradient."""
    before = {role: network.get_weights() for role, network in model.networks.items()}
    model.train_step(tf.constant(points))
    return {
        role: [old - new for old, new in zip(before[role], network.get_weights(), strict=True)]
        for role, network in model.networks.items()
    }


@pytest.mark.parametrize("last", ["float32", None])
def test_gradients_under_a_global_policy_are_those_of_float32(global_policy, points, last):
    low = functional_bigan(last=last)
    assert low.discriminator.compute_dtype == global_policy.removeprefix("mixed_")
    keras.mixed_precision.set_global_policy("float32")
    full = functional_bigan()
    for one, other in zip(low.weights, full.weights, strict=True):
        one.assign(other)
    expected = changes(full, points)
    for role, gradients in changes(low, points).items():
        for one, other in zip(gradients, expected[role], strict=True):
            size = np.linalg.norm(other)
            assert size > 0
            # bfloat16 has a rounding error of 2⁻⁸ for each number, float16 of 2⁻¹¹.
            assert np.linalg.norm(one - other) < 0.06 * size, role


def test_usual_way_to_16_bits_trains_and_comes_back(global_policy, points, tmp_path):
    model = functional_bigan()
    logs = model.fit(points, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    scales = [hasattr(one, "dynamic_scale") for one in model.optimizers.values()]
    assert scales == [global_policy == "mixed_float16"] * 3
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.averaged_generator(points[:, :1] * np.ones(4, "float32")),
        model.averaged_generator(points[:, :1] * np.ones(4, "float32")),
    )


def test_penalty_leaves_the_precision_of_the_layers_as_it_was(global_policy, points):
    discriminator = functional_bigan().discriminator
    kept = [layer.compute_dtype for layer in discriminator.layers]
    logits = in_float32(discriminator)(points, np.ones((32, 4), np.float32))
    assert [layer.compute_dtype for layer in discriminator.layers] == kept
    keras.mixed_precision.set_global_policy("float32")
    exact = functional_bigan().discriminator
    exact.set_weights(discriminator.get_weights())
    expected = exact([points, np.ones((32, 4), np.float32)])
    np.testing.assert_allclose(logits, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("low", ["generator", "encoder", "discriminator"])
def test_one_network_of_float16_scales_the_losses_whose_gradients_pass_through_it(low, points):
    """The step is that of float32 all the same: no gradient keeps the scale."""
    full = functional_bigan()
    keras.mixed_precision.set_global_policy("mixed_float16")
    low_network = getattr(functional_bigan(), low)
    keras.mixed_precision.set_global_policy("float32")
    networks = {**functional_bigan().networks, low: low_network}
    model = BiGAN(**networks, loss="vanilla", penalty_weight=0.1, terms=["autoencoder"], seed=1)
    model.compile(**{f"{role}_optimizer": keras.optimizers.SGD(1.0) for role in networks})
    for one, other in zip(model.weights, full.weights, strict=True):
        one.assign(other)
    scaled = {role for role, one in model.optimizers.items() if hasattr(one, "dynamic_scale")}
    assert scaled == {"generator", "encoder"} | ({low} & {"discriminator"})
    expected = changes(full, points)
    for role, gradients in changes(model, points).items():
        for one, other in zip(gradients, expected[role], strict=True):
            np.testing.assert_allclose(one, other, atol=0.02 * np.abs(other).max(), err_msg=role)


@pytest.mark.parametrize("role", ["generator", "encoder", "discriminator"])
def test_step_that_overflows_is_left_out_and_the_scale_falls(role, points):
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = functional_bigan()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    others = [name for name in ("generator", "encoder") if name != role]
    optimizers = model.optimizers
    # What overflows is the smallest scale of those that share a loss.
    for name in [role] if role == "discriminator" else [role, *others]:
        optimizers[name].dynamic_scale.assign(2.0**30 if name == role else 2.0**31)
    before = {name: network.get_weights() for name, network in model.networks.items()}
    model.train_step(tf.constant(points))
    assert float(optimizers[role].dynamic_scale) == 2.0**29
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    for old, new in zip(before[role], model.networks[role].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    # And it goes on from there until a step fits.
    for _ in range(30):
        if int(optimizers[role].iterations) == 0:
            model.train_step(tf.constant(points))
    assert int(optimizers[role].iterations) > 0
    assert any(
        (old != new).any()
        for old, new in zip(before[role], model.networks[role].get_weights(), strict=True)
    )


def test_scale_of_one_network_that_overflows_alone_falls_for_the_shared_loss(points):
    """Otherwise the encoder would never move again: only its own scale would fall."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = functional_bigan()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    generator, encoder = (model.optimizers[role] for role in ("generator", "encoder"))
    encoder.dynamic_scale.assign(2.0**4)
    assert float(common_scale([generator, encoder])) == 2.0**4
    assert common_scale([keras.optimizers.SGD()]) is None


def test_losses_are_not_scaled_if_told_so(global_policy):
    model = functional_bigan(auto_scale_loss=False)
    assert not any(hasattr(one, "dynamic_scale") for one in model.optimizers.values())
