import itertools

import numpy as np
import pytest
import tensorflow as tf

from logan import randomness
from logan.randomness import (
    Draw,
    Purpose,
    bits,
    key,
    latents,
    mixture,
    normal,
    replica_of,
    uniform,
)

CENTERS = tf.constant([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def draws(step):
    """One of everything that training draws."""
    choice, noise = (key(7, step, purpose) for purpose in (Purpose.DATA, Purpose.DATA_NOISE))
    return (
        bits(noise, [5]),
        uniform(noise, [5]),
        normal(noise, [5]),
        latents(choice, 4, 3),
        mixture(choice, noise, 6, CENTERS, 0.1),
        mixture(choice, noise, 6, CENTERS, 0.1, tf.constant([0.2, 0.3, 0.5])),
    )


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_compiled_code_draws_what_eager_code_draws(jit):
    compiled = tf.function(draws, jit_compile=jit)
    for eager, other in zip(draws(tf.constant(3)), compiled(tf.constant(3)), strict=True):
        # The numbers are the same; the last digit of what is computed from them may not be.
        np.testing.assert_allclose(eager, other, rtol=1e-6, atol=1e-6)


def test_python_and_tensor_steps_give_one_key():
    keys = [key(1, step, Purpose.DATA) for step in (5, tf.constant(5), tf.constant(5, tf.int64))]
    np.testing.assert_array_equal(keys[0], keys[1])
    np.testing.assert_array_equal(keys[0], keys[2])


def test_equal_arguments_draw_equal_numbers():
    first, second = (uniform(key(1, 2, Purpose.LATENT), [100]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_draws_differ_in_every_argument():
    seeds = [0, 1, 2**31, 2**32, 2**40, 2**62, 2**63, 2**64 - 1]
    arguments = [
        *((seed, 0, Purpose.DATA) for seed in seeds),
        *((0, step, Purpose.DATA) for step in (1, 2, 2**31, 2**32, 2**40)),
        *((0, 0, purpose) for purpose in Purpose if purpose is not Purpose.DATA),
    ]
    drawn = [tuple(uniform(key(*values), [4]).numpy()) for values in arguments]
    for (a, first), (b, second) in itertools.combinations(zip(arguments, drawn, strict=True), 2):
        assert first != second, f"{a} and {b} share their draws"


def test_seed_and_step_do_not_trade_places():
    first, second = key(1, 2, Purpose.DATA), key(2, 1, Purpose.DATA)
    assert tuple(first.numpy()) != tuple(second.numpy())


def test_numbers_of_purposes_are_pinned():
    """A run's draws follow from them: a new purpose is appended, after 9 and 10, once used."""
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "DATA": 1,
        "DATA_NOISE": 2,
        "ORDER": 3,
        "LATENT": 4,
        "INTERPOLATION": 5,
        "PRIOR": 6,
        "EVALUATION_DATA": 7,
        "EVALUATION_LATENT": 8,
        "FLIP": 11,
        "SAMPLER": 12,
        "SHIFT": 13,
        "PENALTY_NOISE": 20,
        "AUGMENTATION": 21,
        "DROPOUT": 22,
        "INSTANCE_NOISE": 23,
        "EVALUATION_LABEL": 40,
    }


def test_uniform_fills_its_range():
    values = uniform(key(0, 0, Purpose.DATA), [20_000], -3.0, 5.0).numpy()
    assert -3 <= values.min() < -2.99
    assert 4.99 < values.max() < 5
    # Six standard errors: 8/√12 = 2.31.
    assert abs(values.mean() - 1) < 6 * 2.31 / 20_000**0.5


def test_latents_are_uniform_on_minus_one_to_one():
    values = latents(key(0, 0, Purpose.LATENT), 10_000, 2).numpy()
    assert values.shape == (10_000, 2)
    assert -1 <= values.min() < -0.99
    assert 0.99 < values.max() < 1
    assert np.abs(values.mean(axis=0)).max() < 6 * 0.577 / 100
    assert abs(np.corrcoef(values.T)[0, 1]) < 6 / 100


def test_normal_has_mean_zero_and_variance_one():
    values = normal(key(0, 0, Purpose.DATA), [20_000]).numpy()
    assert abs(values.mean()) < 6 / 20_000**0.5
    assert abs(values.var() - 1) < 6 * (2 / 20_000) ** 0.5


@pytest.mark.parametrize("weights", [None, (0.05, 0.25, 0.7), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)])
def test_mixture_respects_its_weights(weights):
    keys = key(0, 0, Purpose.DATA), key(0, 0, Purpose.DATA_NOISE)
    weights_tensor = None if weights is None else tf.constant(weights)
    points = mixture(*keys, 20_000, CENTERS, 0.1, weights_tensor).numpy()
    chosen = np.linalg.norm(points[:, None] - CENTERS.numpy(), axis=-1).argmin(axis=1)
    shares = np.bincount(chosen, minlength=3) / 20_000
    expected = np.array(weights or (1 / 3,) * 3)
    bounds = 6 * np.sqrt(expected * (1 - expected) / 20_000)
    assert (np.abs(shares - expected) <= bounds + 1e-12).all()
    spread = (points - CENTERS.numpy()[chosen]).std(axis=0)
    np.testing.assert_allclose(spread, 0.1, rtol=0.05)


def test_place_of_a_draw_does_not_follow_its_component():
    """Choice and noise come of two keys: the noise is the same whatever was chosen."""
    noise = key(0, 0, Purpose.DATA_NOISE)
    points = mixture(key(0, 0, Purpose.DATA), noise, 100, CENTERS, 1.0).numpy()
    offsets = points - normal(noise, [100, 2]).numpy()
    distances = np.linalg.norm(offsets[:, None] - CENTERS.numpy(), axis=-1).min(axis=1)
    assert distances.max() < 1e-5


def test_replicas_share_one_draw(monkeypatch):
    """Each of two gets its half of what one alone would draw."""
    update = tf.constant(7, tf.int64)
    alone = Draw(3, update)
    expected = alone.latents(4, 2), alone.epsilon(4)
    for replica in range(2):
        monkeypatch.setattr(randomness, "replica_of", lambda replica=replica: (replica, 2))
        draw = Draw(3, update)
        own = slice(2 * replica, 2 * replica + 2)
        for found, whole in zip((draw.latents(2, 2), draw.epsilon(2)), expected, strict=True):
            np.testing.assert_array_equal(found, whole[own])


def test_draws_of_an_update_follow_from_seed_and_update():
    first, again, seed, update = (
        Draw(seed, tf.constant(update)).epsilon(4).numpy()
        for seed, update in ((3, 7), (3, 7), (4, 7), (3, 8))
    )
    np.testing.assert_array_equal(first, again)
    assert (first != seed).all()
    assert (first != update).all()


def test_replica_is_zero_outside_of_a_strategy():
    assert replica_of() == (0, 1)


def test_each_bit_is_a_fair_coin():
    words = bits(key(0, 0, Purpose.ORDER), [4000]).numpy().view(np.uint32)
    ones = (words[:, None] >> np.arange(32, dtype=np.uint32) & 1).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 6 * 0.5 / 4000**0.5
