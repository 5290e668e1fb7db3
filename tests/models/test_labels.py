"""Batches of x and its label: which networks are called with which labels."""

import keras
import labelled
import numpy as np
import pytest
import tensorflow as tf

from logan import losses
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp
from logan.penalties import pairwise_gradient_penalty
from logan.randomness import Purpose, key, latents, uniform

DATA, LATENT = 3, 2
SIZE = dict(width=4, hidden_layers=1)
RATE = 0.1
LABELS = np.array([2, 0, 1, 1, 2, 0])


def bigan(**settings):
    keras.utils.set_random_seed(1)
    networks = (network((DATA,), LATENT, **SIZE) for network in labelled.LABELLED)
    model = BiGAN(*networks, penalty_weight=0.7, seed=5, **settings)
    for network in (model.generator, model.encoder, model.discriminator):
        network.of_class.embeddings.assign(2 * network.of_class.embeddings + 0.1)
    roles = (*model.roles, "discriminator")
    model.compile(**{f"{role}_optimizer": keras.optimizers.SGD(RATE) for role in roles})
    return model


def descend(loss, tape, *networks):
    for network in networks:
        gradients = tape.gradient(loss, network.trainable_variables)
        for weight, gradient in zip(network.trainable_variables, gradients, strict=True):
            weight.assign(weight - RATE * tf.convert_to_tensor(gradient))


def step_by_hand(model, x, labels):
    """One step, each network called with the labels of the real samples beside it."""
    G, E, D = model.generator, model.encoder, model.discriminator  # noqa: N806
    parts = list(
        zip(
            np.split(x, model.discriminator_steps),
            np.split(labels, model.discriminator_steps),
            strict=True,
        )
    )
    for update, (part, of_part) in enumerate(parts):
        z = latents(key(5, update, Purpose.LATENT), len(part), LATENT)
        code, fake = E(part, labels=of_part), G(z, labels=of_part)
        with tf.GradientTape() as tape:
            real_logits, fake_logits = D(part, code, labels=of_part), D(fake, z, labels=of_part)
            penalty = pairwise_gradient_penalty(
                lambda x, z, labels=of_part: D(x, z, labels=labels),
                part,
                code,
                G(code, labels=of_part),
                epsilon=uniform(key(5, update, Purpose.INTERPOLATION), [len(part)]),
            )
            loss = losses.logan1(real_logits, fake_logits).discriminator
            loss += 0.7 * tf.reduce_mean(penalty)
        descend(loss, tape, D)
    with tf.GradientTape(persistent=True) as tape:
        real_logits = D(part, E(part, labels=of_part), labels=of_part)
        fake_logits = D(G(z, labels=of_part), z, labels=of_part)
        loss = losses.logan1(real_logits, fake_logits).generator
    descend(loss, tape, G, E)


def assert_equal_weights(model, expected):
    for role in (*model.roles, "discriminator"):
        ours, theirs = (getattr(each, role).get_weights() for each in (model, expected))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=role)


@pytest.mark.parametrize("steps", [1, 2])
def test_each_network_is_called_with_the_labels_of_its_part(x, steps):
    model, expected = bigan(discriminator_steps=steps), bigan(discriminator_steps=steps)
    model.train_step((tf.constant(x), tf.constant(LABELS)))
    step_by_hand(expected, x, LABELS)
    assert_equal_weights(model, expected)


def test_fit_takes_labels_in_the_graph(x):
    model, expected = bigan(), bigan()
    data = tf.data.Dataset.from_tensors((x, LABELS))
    model.fit(data, shuffle=False, verbose=0)
    step_by_hand(expected, x, LABELS)
    assert_equal_weights(model, expected)


def test_other_labels_give_another_step(x):
    """So that the comparisons above could fail."""
    model, other = bigan(), bigan()
    model.train_step((tf.constant(x), tf.constant(LABELS)))
    other.train_step((tf.constant(x), tf.constant(LABELS[::-1].copy())))
    gaps = [
        np.abs(one - two).max()
        for one, two in zip(
            model.discriminator.get_weights(), other.discriminator.get_weights(), strict=True
        )
    ]
    assert max(gaps) > 1e-3


class LabelAsLogit(mlp.Discriminator):
    """Its logit is the label."""

    takes_labels = True

    def call(self, x, z=None, training=None, labels=None):
        return tf.cast(labels, tf.float32)[:, None] + 0.0 * super().call(x, z)


@pytest.mark.parametrize(("steps", "mean"), [(1, 33 / 6), (2, 6 / 3), (3, 3 / 2)])
def test_real_and_fake_have_the_same_labels(x, steps, mean):
    """Logged are those of the last part."""
    labels = np.array([9, 9, 9, 3, 0, 3])
    model = GAN(
        mlp.Generator((DATA,), LATENT, **SIZE),
        LabelAsLogit((DATA,), 0, **SIZE),
        discriminator_steps=steps,
    )
    model.compile()
    logs = model.train_step((tf.constant(x), tf.constant(labels)))
    assert float(logs["real_logits"]) == float(logs["fake_logits"]) == mean


def test_network_that_takes_labels_refuses_batches_without(x):
    with pytest.raises(ValueError, match=r"batches \(x, labels\) for .*Received: x alone"):
        bigan().train_step(tf.constant(x))


def test_networks_that_do_not_take_labels_never_see_them(make, x):
    model, expected = make(), make()
    model.train_step((tf.constant(x), tf.constant(LABELS)))
    expected.train_step(tf.constant(x))
    assert_equal_weights(model, expected)
