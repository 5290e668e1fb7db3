"""What holds for every architecture of images: files, shapes, second order, 16 bits."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.networks import convolutional, residual
from logan.networks.multi_scale import MultiScaleDiscriminator
from logan.penalties import gradient_penalty, pairwise_gradient_penalty

SIZE = dict(data_shape=(16, 16, 2), latent_length=5, width=3)
NARROW = dict(SIZE, dense_width=6)
DISCRIMINATORS = {
    "residual": lambda **kw: residual.Discriminator(**NARROW, **kw),
    "residual with attention": lambda **kw: residual.Discriminator(
        **NARROW, attention_size=8, **kw
    ),
    "convolutional with attention": lambda **kw: convolutional.Discriminator(
        **NARROW, attention_size=4, **kw
    ),
    "two scales": lambda **kw: MultiScaleDiscriminator(**NARROW, scales=2, **kw),
    "two scales, each": lambda **kw: MultiScaleDiscriminator(
        **NARROW, scales=2, scale_logits="each", **kw
    ),
    "two residual scales with attention": lambda **kw: MultiScaleDiscriminator(
        **NARROW, kind="residual", scales=2, attention_size=4, **kw
    ),
}
OTHERS = {
    "residual generator": (residual, "Generator", dict(normalization="batch")),
    "residual generator, plain": (residual, "Generator", dict(normalization="none")),
    "residual generator with all": (
        residual, "Generator", dict(attention_size=4, hierarchical_latents=True)
    ),
    "convolutional generator with all": (
        convolutional, "Generator", dict(attention_size=8, hierarchical_latents=True)
    ),
    "convolutional generator with parts of z": (
        convolutional, "Generator", dict(normalization="none", hierarchical_latents=True)
    ),
    "residual encoder": (residual, "Encoder", dict(normalization="synchronized_batch")),
    "residual encoder with attention": (
        residual, "Encoder", dict(normalization="layer", attention_size=8)
    ),
    "convolutional encoder with attention": (convolutional, "Encoder", dict(attention_size=4)),
}  # fmt: skip
# Compiled with XLA: what holds all the layers that there are.
WITH_ALL = ("two residual scales with attention", "convolutional with attention")
each_discriminator = pytest.mark.parametrize("make", DISCRIMINATORS.values(), ids=DISCRIMINATORS)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def shaken(network):
    """All weights a little off their first values: no bias or gain of 0 hides anything."""
    random = np.random.default_rng(7)
    for weight in network.weights:
        weight.assign(weight + 0.05 + 0.05 * random.normal(size=weight.shape))
    return network


def every_network():
    for name, make in DISCRIMINATORS.items():
        yield name, make
    for name, (kind, role, settings) in OTHERS.items():
        yield (
            name,
            lambda kind=kind, role=role, settings=settings: getattr(kind, role)(**SIZE, **settings),
        )


@pytest.fixture(params=[pytest.param(make, id=name) for name, make in every_network()])
def network(request):
    return shaken(request.param())


def inputs_of(network):
    x, z = numbers(3, 16, 16, 2), numbers(3, 5, seed=1)
    return {"generator": (z,), "encoder": (x,), "discriminator": (x, z)}[network.role]


def test_shape_and_range(network):
    output = np.asarray(network(*inputs_of(network), training=True))
    width = 2 if getattr(network, "scale_logits", "") == "each" else 1
    shape = {"generator": (3, 16, 16, 2), "encoder": (3, 5), "discriminator": (3, width)}
    assert output.shape == shape[network.role]
    assert output.dtype == np.float32
    if network.role != "discriminator":
        assert np.abs(output).max() <= 1


def test_keras_file_keeps_settings_and_outputs(network, tmp_path):
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert type(loaded) is type(network)
    assert loaded.get_config() == network.get_config()
    inputs = inputs_of(network)
    np.testing.assert_array_equal(loaded(*inputs), network(*inputs))
    lines = []
    loaded.summary(print_fn=lines.append)
    assert f"{network.count_params():,}" in "\n".join(lines)


@each_discriminator
def test_logit_depends_on_its_own_example_alone(make):
    discriminator = shaken(make())
    x, z = numbers(4, 16, 16, 2), numbers(4, 5, seed=1)
    before = discriminator(x, z, training=True).numpy()
    x[1:], z[1:] = 10, -10
    after = discriminator(x, z, training=True).numpy()
    np.testing.assert_allclose(after[0], before[0], rtol=1e-4, atol=1e-5)
    assert (np.abs(after[1:] - before[1:]) > 1e-3).all()
    z[0] = 3
    assert np.abs(discriminator(x, z).numpy()[0] - before[0]).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "jit"),
    [("residual", False), *((name, jit) for name in WITH_ALL for jit in (False, True))],
)
def test_gradients_of_penalties_are_those_of_eager_steps(name, jit):
    """Both penalties at once: first and second derivatives, outside and inside of XLA."""
    discriminator = shaken(DISCRIMINATORS[name]())
    x, z, x_hat = numbers(3, 16, 16, 2), numbers(3, 5, seed=1), numbers(3, 16, 16, 2, seed=2)
    x, z, x_hat, epsilon = map(tf.constant, (x, z, x_hat, np.float32([0.2, 0.5, 0.9])))

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                pairwise_gradient_penalty(discriminator, x, z, x_hat, epsilon=epsilon)
                + gradient_penalty(discriminator, (x, z), (x_hat, -z), epsilon=epsilon)
                + tf.reduce_sum(discriminator(x, z, training=True), axis=1)
            )
        return tape.gradient(loss, discriminator.trainable_variables)

    expected = gradients()
    found = tf.function(gradients, jit_compile=jit)()
    for variable, one, other in zip(
        discriminator.trainable_variables, expected, found, strict=True
    ):
        assert np.abs(one).max() > 0, variable.path
        np.testing.assert_allclose(other, one, rtol=2e-3, atol=1e-5, err_msg=variable.path)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_16_bits_are_close_to_32(network, policy):
    config = network.get_config()
    low = type(network).from_config({**config, "dtype": policy})
    low.set_weights(network.get_weights())
    assert {weight.dtype for weight in low.weights} == {"float32"}
    inputs = inputs_of(network)
    expected, found = np.asarray(network(*inputs)), np.asarray(low(*inputs))
    assert found.dtype == np.float32
    # Single pixels are off by more: bfloat16 has eight bits, and a generator many layers.
    assert np.abs(found - expected).mean() <= 0.05 * max(1, np.abs(expected).max())
    kinds = {layer.compute_dtype for layer in low._flatten_layers()}
    assert kinds == {policy.removeprefix("mixed_"), "float32"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "policy", "jit"),
    [
        ("residual with attention", "float32", False),
        ("two scales, each", "mixed_bfloat16", False),
        ("two residual scales with attention", "mixed_float16", False),
        ("two residual scales with attention", "float32", True),
        ("convolutional with attention", "mixed_float16", True),
    ],
)
def test_whole_steps_train(name, policy, jit):
    keras.utils.set_random_seed(1)
    settings = dict(**SIZE, hierarchical_latents=True, attention_size=4, dtype=policy)
    encoder = dict(**SIZE, attention_size=8, dtype=policy)
    model = BiGAN(
        residual.Generator(**settings),
        residual.Encoder(**encoder),
        DISCRIMINATORS[name](dtype=policy),
        penalty_weight=0.0,
        terms=["pairwise:form=squared_norm", "gradient:weight=0.1"],
    )
    model.compile()
    before = [[w.numpy() for w in getattr(model, role).trainable_variables] for role in ROLES]
    step = tf.function(model.train_step, jit_compile=jit)
    x = tf.constant(np.tanh(numbers(6, 16, 16, 2)))
    # The first steps of float16 only find the scale of its loss.
    for _ in range(12 if policy == "mixed_float16" else 2):
        logs = step(x)
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert int(model.first_bad_step.numpy()) == -1
    for role, weights in zip(ROLES, before, strict=True):
        for old, new in zip(weights, getattr(model, role).trainable_variables, strict=True):
            assert np.isfinite(new).all(), new.path
            assert (old != new.numpy()).any(), new.path


ROLES = ("generator", "encoder", "discriminator")
