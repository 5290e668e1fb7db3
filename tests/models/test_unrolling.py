"""Unrolled steps of D against the same steps made one by one, and against differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan import losses
from logan.errors import UserError
from logan.models.gan import GAN
from logan.networks import mlp
from logan.randomness import Purpose, key, latents
from logan.settings import preset

SIZE = dict(width=4, hidden_layers=1)
RATE, INNER = 0.1, 0.3


def gan(steps=2, parts=None, **settings):
    """With D's own optimizer at rest, so that only the inner steps move what G meets."""
    keras.utils.set_random_seed(1)
    networks = mlp.Generator((3,), 2, **SIZE), mlp.Discriminator((3,), 0, **SIZE, **(parts or {}))
    model = GAN(*networks, seed=5, unroll=steps, unroll_rate=INNER, **settings)
    model.compile(
        generator_optimizer=keras.optimizers.SGD(RATE),
        discriminator_optimizer=keras.optimizers.SGD(0.0),
    )
    return model


def loss_after_inner_steps(model, x, steps):
    """L_G of the model's G against a copy of its D after these steps; the copy is thrown away."""
    copy = mlp.Discriminator((3,), 0, **SIZE)
    copy.set_weights(model.discriminator.get_weights())
    z = latents(key(5, 0, Purpose.LATENT), len(x), 2)
    fake = model.generator(z)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = losses.vanilla(copy(x), copy(tf.stop_gradient(fake))).discriminator
        gradients = tape.gradient(loss, copy.trainable_variables)
        for weight, gradient in zip(copy.trainable_variables, gradients, strict=True):
            weight.assign(weight - INNER * gradient)
    return losses.vanilla(copy(x), copy(fake)).generator


def gradient_of_a_step(model, x, step):
    before = model.generator.get_weights()
    step(tf.constant(x))
    after = model.generator.get_weights()
    return [(old - new) / RATE for old, new in zip(before, after, strict=True)]


@pytest.mark.parametrize("steps", [1, 3])
def test_without_the_gradient_g_meets_a_better_trained_d(x, steps):
    model, same = gan(steps, unroll_gradient=False), gan(steps)
    d = same.discriminator.get_weights()
    found = gradient_of_a_step(model, x, model.train_step)
    with tf.GradientTape() as tape:
        loss = loss_after_inner_steps(same, x, steps)
    for one, other in zip(
        found, tape.gradient(loss, same.generator.trainable_variables), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    for one, other in zip(d, model.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("compile_it", [False, True])
def test_the_gradient_goes_through_the_inner_steps(x, compile_it):
    """That of the whole, by central differences; that without the steps' share is another one."""
    steps = 3
    model, same, without = gan(steps), gan(steps), gan(steps, unroll_gradient=False)
    step = tf.function(model.train_step, jit_compile=compile_it)
    found = gradient_of_a_step(model, x, step)
    partial = gradient_of_a_step(without, x, without.train_step)
    largest = 0.0
    for index, weights in enumerate(same.generator.trainable_variables):
        value = weights.numpy()
        flat = np.argsort(-np.abs(found[index]).ravel())[:2]
        for place in flat:
            at = np.unravel_index(place, value.shape)
            ends = []
            for move in (0.002, -0.002):  # short: a leaky ReLU has a kink
                changed = value.copy()
                changed[at] += move
                weights.assign(changed)
                ends.append(float(loss_after_inner_steps(same, x, steps)))
            weights.assign(value)
            difference = (ends[0] - ends[1]) / 0.004
            assert found[index][at] == pytest.approx(difference, rel=0.03, abs=1e-3)
            largest = max(largest, abs(partial[index][at] - difference))
    assert largest > 1e-2


def test_without_steps_nothing_is_unrolled(x):
    plain, unrolled = gan(0), gan(2)
    gaps = [
        np.abs(one - other).max()
        for one, other in zip(
            gradient_of_a_step(plain, x, plain.train_step),
            gradient_of_a_step(unrolled, x, unrolled.train_step),
            strict=True,
        )
    ]
    assert max(gaps) > 1e-3


@pytest.mark.parametrize("parts", [dict(dropout=0.5), dict(spectral_normalization=True)])
def test_d_with_a_state_is_refused(parts):
    with pytest.raises(ValueError, match="without dropout and without a state"):
        gan(2, parts)
    gan(0, parts)
    name = next(iter(parts))
    with pytest.raises(UserError, match=rf"^--unroll: expected 0 with --{name}"):
        preset("ring8", dict(unroll=2, **parts))


@pytest.mark.parametrize("settings", [dict(unroll=-1), dict(unroll_rate=0.0)])
def test_settings_out_of_range_are_refused(settings):
    name = next(iter(settings))
    with pytest.raises(UserError, match=f"--{name}"):
        preset("ring8", settings)
    networks = mlp.Generator((3,), 2, **SIZE), mlp.Discriminator((3,), 0, **SIZE)
    with pytest.raises(ValueError, match="unroll >= 0 and unroll_rate > 0"):
        GAN(*networks, **settings)


def test_several_replicas_are_refused():
    with pytest.raises(UserError, match="--unroll: expected 0 with --strategy=mirrored"):
        preset("ring8", dict(unroll=2, strategy="mirrored"))
