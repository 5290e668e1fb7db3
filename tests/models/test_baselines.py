"""WGAN's clipping, WGAN-GP's penalty and the autoencoder loss, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.penalties import gradient_penalty
from logan.randomness import Purpose, key, latents, uniform

RATE = 0.1


def test_clipping_bounds_the_discriminator_alone(make, x):
    model = make(GAN, loss="wasserstein", weight_clip=0.05)
    before = [np.abs(value).max() for value in model.discriminator.get_weights()]
    assert max(before) > 0.05
    model.train_step(tf.constant(x))
    assert max(np.abs(value).max() for value in model.discriminator.get_weights()) == np.float32(
        0.05
    )
    assert max(np.abs(value).max() for value in model.generator.get_weights()) > 0.05


def test_clipping_follows_every_update(make, x):
    # The players' step sees the clipped discriminator: with all its weights near 0 it is flat, and
    # they hardly move.
    model = make(BiGAN, penalty_weight=0.0, loss="wasserstein", weight_clip=1e-6)
    before = model.generator.get_weights()
    model.train_step(tf.constant(x))
    for old, new in zip(before, model.generator.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-8)


@pytest.mark.parametrize("kind", [GAN, BiGAN, AdversarialEncoder])
def test_gradient_penalty_is_added_to_the_discriminators_loss(make, x, kind):
    settings = dict(penalty_weight=0.0) if kind is BiGAN else {}
    model = make(kind, gradient_penalty_weight=10.0, **settings)
    same = make(kind, **settings)
    z = latents(key(5, 0, Purpose.LATENT), len(x), 2)
    real, fake = {
        GAN: lambda: ((x,), (same.generator(z),)),
        BiGAN: lambda: ((x, same.encoder(x)), (same.generator(z), z)),
        AdversarialEncoder: lambda: ((z,), (same.encoder(x),)),
    }[kind]()
    epsilon = uniform(key(5, 0, Purpose.INTERPOLATION), [len(x)])
    penalty = tf.reduce_mean(gradient_penalty(same.discriminator, real, fake, epsilon=epsilon))
    logs, plain = model.train_step(tf.constant(x)), same.train_step(tf.constant(x))
    assert float(logs["penalty"]) == pytest.approx(float(penalty), rel=1e-4)
    expected = float(plain["discriminator_loss"]) + 10 * float(penalty)
    assert float(logs["discriminator_loss"]) == pytest.approx(expected, rel=1e-4)
    assert "penalty" not in plain


def test_autoencoder_loss_moves_generator_and_encoder_and_not_the_discriminator(make, x):
    plain, model = (make(penalty_weight=0.0, autoencoder_weight=weight) for weight in (0.0, 3.0))
    start = make(penalty_weight=0.0)
    with tf.GradientTape() as tape:
        x_hat = start.generator(start.encoder(x))
        loss = tf.reduce_mean(tf.square(x - x_hat))
    players = [start.generator, start.encoder]
    gradients = tape.gradient(loss, [player.trainable_variables for player in players])
    plain.train_step(tf.constant(x))
    logs = model.train_step(tf.constant(x))
    assert float(logs["autoencoder_loss"]) == pytest.approx(float(loss), rel=1e-5)
    for role, slopes in zip(("generator", "encoder"), gradients, strict=True):
        for without, with_it, slope in zip(
            getattr(plain, role).trainable_variables,
            getattr(model, role).trainable_variables,
            slopes,
            strict=True,
        ):
            np.testing.assert_allclose(with_it, without - RATE * 3.0 * slope, atol=1e-5)
    for without, with_it in zip(
        plain.discriminator.get_weights(), model.discriminator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(with_it, without, atol=1e-7)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(autoencoder_weight=-1.0), "autoencoder_weight"),
        (dict(gradient_penalty_weight=-1.0), "gradient_penalty_weight"),
        (dict(weight_clip=-0.1), "weight_clip"),
        (dict(penalty_weight=1.0, gradient_penalty_weight=1.0), "one penalty"),
    ],
)
def test_settings_out_of_range_are_refused(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make(BiGAN, **settings)


@pytest.mark.parametrize("kind", [GAN, BiGAN, AdversarialEncoder])
def test_config_keeps_the_baselines_settings(make, kind):
    extra = dict(penalty_weight=0.0, autoencoder_weight=0.5) if kind is BiGAN else {}
    settings = dict(gradient_penalty_weight=7.0, weight_clip=0.25, **extra)
    again = kind.from_config(make(kind, **settings).get_config())
    assert {name: getattr(again, name) for name in settings} == settings
