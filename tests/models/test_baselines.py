"""WGAN's clipping and the terms of the losses, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.penalties import gradient_penalty
from logan.randomness import Purpose, key, latents, uniform
from logan.terms import AutoencoderLoss, GradientPenalty, PairwisePenalty

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
    # Generator and encoder meet the clipped discriminator: with all its weights near 0 it is flat,
    # and they hardly move.
    model = make(BiGAN, penalty_weight=0.0, loss="wasserstein", weight_clip=1e-6)
    before = model.generator.get_weights()
    model.train_step(tf.constant(x))
    for old, new in zip(before, model.generator.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, atol=1e-8)


@pytest.mark.parametrize("kind", [GAN, BiGAN, AdversarialEncoder])
def test_gradient_penalty_is_added_to_the_discriminators_loss(make, x, kind):
    settings = dict(penalty_weight=0.0) if kind is BiGAN else {}
    model = make(kind, terms=["gradient:weight=10"], **settings)
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
    plain, model = (make(penalty_weight=0.0, terms=[AutoencoderLoss(w)]) for w in (0.0, 3.0))
    start = make(penalty_weight=0.0)
    with tf.GradientTape() as tape:
        x_hat = start.generator(start.encoder(x))
        loss = tf.reduce_mean(tf.square(x - x_hat))
    weights = [start.generator.trainable_variables, start.encoder.trainable_variables]
    gradients = tape.gradient(loss, weights)
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


def test_two_penalties_add_up_and_the_second_one_has_log_names_of_its_own(make, x):
    """Each is what it is alone, and the discriminator's loss has both."""
    pairwise, gradient = PairwisePenalty(0.7, form="squared_norm"), GradientPenalty(2.0)
    logs = [
        {name: float(value) for name, value in make(**settings).train_step(tf.constant(x)).items()}
        for settings in (
            dict(penalty_weight=0.0),
            dict(penalty_weight=0.0, terms=[pairwise]),
            dict(penalty_weight=0.0, terms=[gradient]),
            dict(penalty_weight=0.0, terms=[pairwise, gradient]),
        )
    ]
    plain, first, second, both = logs
    assert list(both) == [*first, "penalty_2", "gradient_slope_2"]
    for name in ("penalty", "gradient_slope", "gradient_alignment", "reconstruction_distance"):
        assert both[name] == pytest.approx(first[name], rel=1e-5), name
    for name in ("penalty", "gradient_slope"):
        assert both[f"{name}_2"] == pytest.approx(second[name], rel=1e-5), name
        assert both[f"{name}_2"] != pytest.approx(both[name], rel=1e-3), name
    expected = plain["discriminator_loss"] + 0.7 * first["penalty"] + 2 * second["penalty"]
    assert both["discriminator_loss"] == pytest.approx(expected, rel=1e-5)


def test_penalty_weight_adds_the_papers_penalty_in_front_of_the_terms(make):
    model = make(penalty_weight=0.3, terms=["autoencoder:weight=2"])
    assert model.terms == (PairwisePenalty(0.3, form="norm"), AutoencoderLoss(2.0))


@pytest.mark.parametrize("kind", [GAN, AdversarialEncoder])
@pytest.mark.parametrize("term", ["pairwise", "autoencoder"])
def test_term_that_needs_an_encoder_and_a_generator_is_refused_without(make, kind, term):
    with pytest.raises(
        ValueError, match=r"Expected a generator and an encoder for .*Received: (gen|enc)"
    ):
        make(kind, terms=[term])


def test_weight_clip_out_of_range_is_refused(make):
    with pytest.raises(ValueError, match=r"weight_clip.*Received: -0.1"):
        make(BiGAN, weight_clip=-0.1)


@pytest.mark.parametrize("kind", [GAN, BiGAN, AdversarialEncoder])
def test_config_keeps_clipping_and_terms(make, kind):
    extra = dict(penalty_weight=0.0) if kind is BiGAN else {}
    own = [AutoencoderLoss(0.5)] if kind is BiGAN else []
    terms = (GradientPenalty(7.0), *own)
    again = kind.from_config(make(kind, terms=terms, weight_clip=0.25, **extra).get_config())
    assert again.terms == terms
    assert again.weight_clip == 0.25
