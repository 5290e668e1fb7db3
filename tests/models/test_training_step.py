"""One step of training, eager, against the same step written out in full."""

import numpy as np
import pytest
import tensorflow as tf

from logan import losses
from logan.models.adversarial import NEVER
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.penalties import pairwise_gradient_penalty
from logan.randomness import Purpose, key, latents, uniform
from logan.terms import PairwisePenalty

RATE = 0.1


def networks_of(model):
    return {role: getattr(model, role) for role in (*model.roles, "discriminator")}


def values_of(model):
    return {role: network.get_weights() for role, network in networks_of(model).items()}


def changed(before, after):
    return {
        role
        for role, values in before.items()
        if any((old != new).any() for old, new in zip(values, after[role], strict=True))
    }


def assert_close(actual, expected, rtol=1e-5):
    for role, values in expected.items():
        for one, other in zip(actual[role], values, strict=True):
            np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-6, err_msg=role)


def descend(network, gradients):
    for weight, gradient in zip(network.trainable_variables, gradients, strict=True):
        weight.assign(weight - RATE * gradient)


def compared_by_hand(model, x, update):
    """(x, E(x)) and (G(z), z) of the update of that number."""
    z = latents(key(5, update, Purpose.LATENT), len(x), 2)
    return (x, model.encoder(x)), (model.generator(z), z)


def loss_of(model, real, fake):
    return losses.get(model.loss_name)(model.discriminator(*real), model.discriminator(*fake))


def update_discriminator_by_hand(model, x, update):
    real, fake = compared_by_hand(model, x, update)
    with tf.GradientTape() as tape:
        loss = loss_of(model, real, fake).discriminator
        for term in model.terms:
            penalty = pairwise_gradient_penalty(
                model.discriminator,
                x,
                real[1],
                model.generator(real[1]),
                form=term.form,
                epsilon=uniform(key(5, update, Purpose.INTERPOLATION), [len(x)]),
                distance_scale=term.distance_scale,
            )
            loss += term.weight * tf.reduce_mean(penalty)
    weights = model.discriminator.trainable_variables
    descend(model.discriminator, tape.gradient(loss, weights))


def update_others_by_hand(model, x, update):
    with tf.GradientTape() as tape:
        loss = loss_of(model, *compared_by_hand(model, x, update)).generator
    networks = [model.generator, model.encoder]
    gradients = tape.gradient(loss, [network.trainable_variables for network in networks])
    for network, gradient in zip(networks, gradients, strict=True):
        descend(network, gradient)


def step_by_hand(model, x, step=0):
    parts = np.split(x, model.discriminator_steps)
    first = step * model.discriminator_steps
    for number, part in enumerate(parts):
        update_discriminator_by_hand(model, part, first + number)
    update_others_by_hand(model, parts[-1], first + len(parts) - 1)


SETTINGS = [
    dict(penalty_weight=0.0),
    dict(penalty_weight=0.7),
    dict(
        penalty_weight=0.0,
        terms=[PairwisePenalty(0.7, form="squared_norm", distance_scale=0.5)],
    ),
    dict(penalty_weight=0.7, discriminator_steps=3),
    dict(penalty_weight=0.0, discriminator_steps=2, loss="wasserstein"),
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_bigan_step_is_the_discriminators_then_the_others(make, x, settings):
    model, expected = make(**settings), make(**settings)
    for step in range(2):
        model.train_step(tf.constant(x))
        step_by_hand(expected, x, step)
    assert_close(values_of(model), values_of(expected))


def test_generator_and_encoder_meet_the_discriminator_after_its_update(make, x):
    """Against the discriminator as it was before, they would have gone elsewhere."""
    model, early = make(), make()
    model.train_step(tf.constant(x))
    update_others_by_hand(early, x, 0)
    for role in ("generator", "encoder"):
        gap = [
            np.abs(one - other).max()
            for one, other in zip(
                getattr(model, role).get_weights(), getattr(early, role).get_weights(), strict=True
            )
        ]
        assert max(gap) > 1e-4


def test_one_step_changes_every_network(make, x, kind):
    model = make(kind)
    before = values_of(model)
    model.train_step(tf.constant(x))
    assert changed(before, values_of(model)) == set(networks_of(model))


def test_with_the_others_at_rest_only_the_discriminator_changes(make, x, kind):
    model = make(kind, rates=dict.fromkeys(["generator", "encoder"], 0.0))
    before = {**values_of(model), "all": model.get_weights()}
    model.train_step(tf.constant(x))
    assert changed(before, {**values_of(model), "all": before["all"]}) == {"discriminator"}
    for role in model.roles:
        averaged = getattr(model, f"averaged_{role}").get_weights()
        assert not changed({role: before[role]}, {role: averaged})


def test_with_the_discriminator_at_rest_only_the_others_change(make, x, kind):
    model = make(kind, rates={"discriminator": 0.0})
    before = values_of(model)
    model.train_step(tf.constant(x))
    assert changed(before, values_of(model)) == set(model.roles)


def test_one_step_changes_no_other_variable(make, x, kind):
    model = make(kind)
    networks = [*networks_of(model).values()]
    networks += [getattr(model, f"averaged_{role}") for role in model.roles]
    known = {id(weight) for network in networks for weight in network.weights}
    known |= {id(metric_weight) for metric in model.metrics for metric_weight in metric.variables}
    others = [weight for weight in model.weights if id(weight) not in known]
    assert {weight.name for weight in others} == {"step", "first_bad_step"}
    model.train_step(tf.constant(x))
    assert int(model.step.numpy()) == 1
    assert int(model.first_bad_step.numpy()) == NEVER


def test_averages_follow_by_the_documented_decay(make, x):
    """After the first step decay (1 + 1) / (10 + 1), after the second 3 / 12."""
    model = make()
    expected = {role: values_of(model)[role] for role in model.roles}
    for decay in (2 / 11, 3 / 12):
        model.train_step(tf.constant(x))
        new = values_of(model)
        expected = {
            role: [decay * a + (1 - decay) * b for a, b in zip(values, new[role], strict=True)]
            for role, values in expected.items()
        }
        averages = {role: getattr(model, f"averaged_{role}").get_weights() for role in model.roles}
        assert_close(averages, expected)


def test_averages_follow_no_slower_than_the_setting(make, x):
    model = make(average_decay=0.1)
    old = model.generator.get_weights()
    model.train_step(tf.constant(x))
    expected = [0.1 * a + 0.9 * b for a, b in zip(old, model.generator.get_weights(), strict=True)]
    assert_close({"generator": model.averaged_generator.get_weights()}, {"generator": expected})


def test_averages_are_not_trained(make):
    model = make()
    assert not model.averaged_generator.trainable_variables
    assert not model.averaged_encoder.trainable_variables


def test_discriminator_steps_are_counted_by_the_optimizers(make, x, kind):
    model = make(kind, discriminator_steps=3)
    for _ in range(2):
        model.train_step(tf.constant(x))
    updates = {role: int(o.iterations.numpy()) for role, o in model.optimizers.items()}
    assert updates.pop("discriminator") == 6
    assert set(updates.values()) == {2}


def test_logs_are_means_over_the_steps(make, x):
    model = make(penalty_weight=0.5)
    seen = []
    for _ in range(2):
        model.reset_metrics()
        seen.append({name: float(value) for name, value in model.train_step(x).items()})
    again = make(penalty_weight=0.5)
    again.train_step(x)
    means = again.train_step(x)
    assert list(means) == [
        "discriminator_loss", "generator_loss", "real_logits", "fake_logits", "penalty",
        "gradient_slope", "gradient_alignment", "reconstruction_distance",
    ]  # fmt: skip
    for name, value in means.items():
        assert float(value) == pytest.approx((seen[0][name] + seen[1][name]) / 2, rel=1e-4)


def test_logged_values_by_hand(make, x):
    model, same = make(penalty_weight=0.5, loss="vanilla"), make(penalty_weight=0.5)
    real, fake = compared_by_hand(same, x, 0)
    epsilon = uniform(key(5, 0, Purpose.INTERPOLATION), [len(x)])
    x_hat = same.generator(real[1])
    penalty = tf.reduce_mean(
        pairwise_gradient_penalty(same.discriminator, x, real[1], x_hat, epsilon=epsilon)
    )
    both = losses.vanilla(same.discriminator(*real), same.discriminator(*fake))
    expected = {
        "discriminator_loss": both.discriminator + 0.5 * penalty,
        "penalty": penalty,
        "real_logits": tf.reduce_mean(same.discriminator(*real)),
        "fake_logits": tf.reduce_mean(same.discriminator(*fake)),
        "reconstruction_distance": np.linalg.norm(x - x_hat, axis=1).mean(),
    }
    logs = model.train_step(tf.constant(x))
    for name, value in expected.items():
        assert float(logs[name]) == pytest.approx(float(value), rel=1e-4), name


def test_without_weight_the_penalty_is_neither_computed_nor_logged(make, x):
    off = PairwisePenalty(0.0, form="feature_mean", distance_scale=3.0)
    models = [make(penalty_weight=0.0, terms=terms) for terms in ([], [off])]
    for model in models:
        logs = model.train_step(tf.constant(x))
        assert "penalty" not in logs
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bad_step", [1, 3])
def test_first_step_with_a_loss_that_is_not_finite_is_remembered(make, x, bad_step):
    model = make()
    for step in range(1, 5):
        model.train_step(tf.constant(x * np.float32("nan" if step == bad_step else 1)))
        expected = NEVER if step < bad_step else bad_step
        assert int(model.first_bad_step.numpy()) == expected


def test_gan_and_encoder_compare_what_they_say(make, x):
    for kind, network in [(GAN, "generator"), (AdversarialEncoder, "encoder")]:
        model, same = make(kind), make(kind)
        z = latents(key(5, 0, Purpose.LATENT), len(x), 2)
        real, fake = (x, same.generator(z)) if kind is GAN else (z, same.encoder(x))
        both = losses.vanilla(same.discriminator(real), same.discriminator(fake))
        logs = model.train_step(tf.constant(x))
        assert float(logs["discriminator_loss"]) == pytest.approx(
            float(both.discriminator), rel=1e-5
        ), network


def test_encoder_prior_of_separate_modes(make):
    centers = [[0.5, 0.5], [-0.5, -0.5]]
    model = make(AdversarialEncoder, prior_centers=centers, prior_sigma=0.01)
    keys = key(0, 0, Purpose.PRIOR), key(0, 0, Purpose.LATENT)
    z = model.sample_prior(*keys, 200).numpy()
    np.testing.assert_allclose(np.abs(z), 0.5, atol=0.06)
    assert 60 < (z[:, 0] > 0).sum() < 140
    assert ((z[:, 0] > 0) == (z[:, 1] > 0)).all()


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_encoder_of_separate_modes_trains_without_xla(make, x, steps_per_execution):
    model = make(AdversarialEncoder, prior_centers=[[0.5, 0.5], [-0.5, -0.5]])
    model.compile(jit_compile=False, steps_per_execution=steps_per_execution)
    losses = model.fit(np.tile(x, (4, 1)), batch_size=len(x), verbose=0).history
    assert np.isfinite(losses["discriminator_loss"]).all()


def test_calls_reconstruct_generate_and_encode(make, x):
    bigan, gan, encoder = make(BiGAN), make(GAN), make(AdversarialEncoder)
    np.testing.assert_array_equal(bigan(x), bigan.generator(bigan.encoder(x)))
    z = x[:, :2]
    np.testing.assert_array_equal(gan(z), gan.generator(z))
    np.testing.assert_array_equal(encoder(x), encoder.encoder(x))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(loss="hinge"), r"loss.*Received: 'hinge'"),
        (dict(discriminator_steps=0), r"discriminator_steps.*Received: 0"),
        (dict(average_decay=1.0), r"average_decay.*Received: 1.0"),
        (dict(average_decay=-0.1), r"average_decay.*Received: -0.1"),
        (dict(penalty_weight=-1.0), r"penalty_weight.*Received: -1.0"),
        (dict(penalty_weight=float("nan")), r"penalty_weight.*Received: nan"),
        (dict(terms=["pairwise:distance_scale=-1.0"]), r"distance_scale.*Received: -1.0"),
        (dict(terms=["pairwise:form=cube"]), r"form.*Received: 'cube'"),
        (dict(terms=["autoencoder:weight=-1"]), r"weight.*Received: -1"),
        (dict(terms=["gradient:weight=-1.0"]), r"weight.*Received: -1.0"),
        (dict(terms=["triplet"]), r"terms.*Received: 'triplet'"),
    ],
)
def test_setting_out_of_range_is_refused(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_prior_of_another_length_is_refused(make):
    with pytest.raises(ValueError, match="prior_centers of 2 numbers"):
        make(AdversarialEncoder, prior_centers=[[0.5, 0.5], [0.1]])
