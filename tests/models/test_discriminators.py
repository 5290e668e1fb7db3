"""What a discriminator may say of itself: when it is called, and with how many examples."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.networks import mlp

DATA, LATENT = 3, 2
SIZE = dict(width=4, hidden_layers=1)


class Recording(mlp.Discriminator):
    """Notes the size of each batch that it gets, and the beginning of each update."""

    looks_across_batch = False

    def make_layers(self, settings):
        super().make_layers(settings)
        self.events = []

    def begin_update(self):
        self.events.append("update")

    def call(self, x, z=None, training=None):
        self.events.append(int(x.shape[0]))
        return super().call(x, z, training=training)


class LooksAcross(Recording):
    """Its logit is how far the sum of an example's features lies from the batch's mean."""

    looks_across_batch = True

    def call(self, x, z=None, training=None):
        total = tf.reduce_sum(x, axis=1, keepdims=True)
        return total - tf.reduce_mean(total) + 0.0 * super().call(x, z, training=training)


def bigan(discriminator, **settings):
    keras.utils.set_random_seed(1)
    model = BiGAN(
        mlp.Generator((DATA,), LATENT, **SIZE),
        mlp.Encoder((DATA,), LATENT, **SIZE),
        discriminator((DATA,), LATENT, **SIZE),
        **settings,
    )
    model.compile()
    return model


def events_of_a_step(model, x):
    model.train_step(tf.constant(x))
    return model.discriminator.events


# 6 examples; real and fake together are 12, and the penalty sees the 6 between pairs.
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (dict(penalty_weight=0.0), ["update", 12, 12]),
        (dict(penalty_weight=1.0), ["update", 12, 6, 12]),
        (
            dict(penalty_weight=1.0, discriminator_steps=2),
            ["update", 6, 3, "update", 6, 3, 6],
        ),
    ],
    ids=str,
)
def test_real_and_fake_go_through_as_one_batch(x, settings, expected):
    assert events_of_a_step(bigan(Recording, **settings), x) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (dict(penalty_weight=0.0), ["update", 6, 6, 6, 6]),
        (
            dict(penalty_weight=0.0, discriminator_steps=3),
            ["update", 2, 2, "update", 2, 2, "update", 2, 2, 2, 2],
        ),
    ],
    ids=str,
)
def test_discriminator_that_looks_across_the_batch_gets_real_and_fake_apart(x, settings, expected):
    assert events_of_a_step(bigan(LooksAcross, **settings), x) == expected


def test_no_fake_example_moves_the_logits_of_real_ones_that_look_across_the_batch(x):
    """Around the mean of their own batch, logits of real and of fake examples have the mean 0."""
    model = bigan(LooksAcross, penalty_weight=0.0)
    logs = model.train_step(tf.constant(x + 10))
    np.testing.assert_allclose([logs["real_logits"], logs["fake_logits"]], 0, atol=1e-5)
