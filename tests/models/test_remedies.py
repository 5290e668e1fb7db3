"""Steps with packing, instance noise, several updates of G and terms that keep a state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan import losses
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.models.kernel_adamw import KernelAdamW
from logan.networks import convolutional, mlp
from logan.packing import packed
from logan.penalties import pairwise_gradient_penalty
from logan.randomness import Purpose, key, latents, normal, uniform

SIZE = dict(width=4, hidden_layers=1)
RATE = 0.1


def model_of(kind, packing=1, parts=None, optimizer=keras.optimizers.SGD, **settings):
    keras.utils.set_random_seed(1)
    length = 2 * packing if kind is BiGAN else 0
    networks = [mlp.Generator((3,), 2, **SIZE)]
    networks += [mlp.Encoder((3,), 2, **SIZE)] if kind is BiGAN else []
    networks += [mlp.Discriminator((3 * packing,), length, **SIZE, **(parts or {}))]
    model = kind(*networks, seed=5, packing=packing, **settings)
    roles = (*model.roles, "discriminator")
    model.compile(**{f"{role}_optimizer": optimizer(RATE) for role in roles})
    return model


def descend(networks, tape, loss):
    weights = [network.trainable_variables for network in networks]
    for own, gradients in zip(weights, tape.gradient(loss, weights), strict=True):
        for weight, gradient in zip(own, gradients, strict=True):
            weight.assign(weight - RATE * gradient)


def assert_close(model, expected):
    for role in (*model.roles, "discriminator"):
        ours, theirs = (getattr(each, role).get_weights() for each in (model, expected))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=role)


@pytest.mark.parametrize("packing", [2, 3])
def test_packed_bigan_step_with_the_penalty(x, packing):
    """A pack is one example: one ε, one norm over all its samples, one direction."""
    model, same = (model_of(BiGAN, packing, penalty_weight=0.7) for _ in range(2))
    model.train_step(tf.constant(x))

    z = latents(key(5, 0, Purpose.LATENT), len(x), 2)

    def pack(values):
        return packed(values, packing)

    def compared():
        encoded = same.encoder(x)
        return (pack(tf.constant(x)), pack(encoded)), (pack(same.generator(z)), pack(z)), encoded

    with tf.GradientTape() as tape:
        real, fake, encoded = compared()
        penalty = pairwise_gradient_penalty(
            same.discriminator, *real, pack(same.generator(encoded)),
            epsilon=uniform(key(5, 0, Purpose.INTERPOLATION), [len(x) // packing]),
        )  # fmt: skip
        both = losses.logan1(same.discriminator(*real), same.discriminator(*fake))
        loss = both.discriminator + 0.7 * tf.reduce_mean(penalty)
    assert real[0].shape == (len(x) // packing, 3 * packing)
    descend([same.discriminator], tape, loss)
    with tf.GradientTape() as tape:
        real, fake, _ = compared()
        loss = losses.logan1(same.discriminator(*real), same.discriminator(*fake)).generator
    descend([same.generator, same.encoder], tape, loss)
    assert_close(model, same)


def test_packing_must_divide_the_batch(x):
    with pytest.raises(tf.errors.InvalidArgumentError, match="multiple of packing=4"):
        model_of(GAN, 4).train_step(tf.constant(x))


def test_packs_of_images():
    keras.utils.set_random_seed(1)
    model = GAN(
        convolutional.Generator((8, 8, 1), 2, width=4),
        convolutional.Discriminator((8, 8, 2), 0, width=4, dense_width=8),
        packing=2,
        terms=["r1:weight=1"],
    )
    model.compile()
    logs = model.train_step(tf.zeros([4, 8, 8, 1]))
    assert np.isfinite(float(logs["penalty"]))


@pytest.mark.parametrize("step", [0, 3, 9])
def test_instance_noise_falls_to_nothing_and_is_the_same_for_d_and_g(x, step):
    settings = dict(instance_noise=0.5, instance_noise_steps=4)
    model, same = (model_of(GAN, **settings) for _ in range(2))
    model.step.assign(step)
    model.train_step(tf.constant(x))

    sigma = 0.5 * max(0, 1 - step / 4)
    noise = sigma * normal(key(5, step, Purpose.INSTANCE_NOISE), [len(x), 6])
    on_real, on_fake = noise[:, :3], noise[:, 3:]
    z = latents(key(5, step, Purpose.LATENT), len(x), 2)
    for side in ("discriminator", "generator"):
        with tf.GradientTape() as tape:
            real = same.discriminator(x + on_real)
            fake = same.discriminator(same.generator(z) + on_fake)
            loss = getattr(losses.vanilla(real, fake), side)
        descend([getattr(same, side)], tape, loss)
    assert_close(model, same)


def test_further_steps_of_the_generator_draw_other_latents(x):
    model, same = model_of(GAN, generator_steps=3), model_of(GAN)
    model.train_step(tf.constant(x))
    same.train_step(tf.constant(x))
    for repeat in (1, 2):
        z = latents(key(5, 0, Purpose.LATENT, repeat), len(x), 2)
        with tf.GradientTape() as tape:
            fake = same.discriminator(same.generator(z))
            loss = losses.vanilla(fake, fake).generator - tf.reduce_mean(tf.math.softplus(fake))
        descend([same.generator], tape, loss)
    assert_close(model, same)
    assert int(model.step.numpy()) == 1


def test_without_the_adversarial_loss_only_terms_move_the_generator(x):
    still = model_of(GAN, adversarial_weight=0.0)
    before = still.generator.get_weights()
    still.train_step(tf.constant(x))
    for one, other in zip(before, still.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    moving = model_of(GAN, adversarial_weight=0.0, terms=["feature_matching"])
    moving.train_step(tf.constant(x))
    assert any((a != b).any() for a, b in zip(before, moving.generator.get_weights(), strict=True))


TERMS = [
    "wgan_lp", "dragan", "r1", "r2", "zero_centered", "augmentation_consistency", "lecam:start=0",
    "feature_matching", "mode_seeking", "historical_averaging", "l2", "consistency",
]  # fmt: skip


@pytest.mark.parametrize("kind", [BiGAN, GAN])
def test_all_terms_in_one_step_that_is_saved_and_goes_on(kind, x, tmp_path):
    settings = dict(terms=TERMS, parts=dict(dropout=0.5, spectral_normalization=True))
    if kind is BiGAN:
        settings["penalty_weight"] = 1.0
    model = model_of(kind, **settings)
    for _ in range(2):  # so that averages have something behind them
        logs = model.train_step(tf.constant(x))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert {"lecam", "discriminator_history", "generator_history", "squared_weights"} <= set(logs)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [str(term) for term in again.terms] == [str(term) for term in model.terms]
    for each in (model, again):
        each.train_step(tf.constant(x))
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # XLA takes its time over so many second derivatives
def test_all_terms_compile(x):
    settings = dict(terms=TERMS, parts=dict(dropout=0.5, spectral_normalization=True))
    compiled, eager = (model_of(BiGAN, penalty_weight=1.0, **settings) for _ in range(2))
    step = tf.function(compiled.train_step, jit_compile=True)
    for _ in range(2):
        step(tf.constant(x))
        eager.train_step(tf.constant(x))
    for one, other in zip(compiled.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_remedies_in_16_bits_stay_finite(x, dtype):
    parts = dict(dropout=0.5, spectral_normalization=True, dtype=dtype)
    model = model_of(GAN, parts=parts, terms=TERMS, instance_noise=0.1, instance_noise_steps=9)
    for _ in range(2):
        logs = model.train_step(tf.constant(x))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


@pytest.mark.parametrize("minibatch", ["discrimination", "deviation"])
def test_penalties_on_single_examples_do_not_go_with_a_d_that_looks_across_the_batch(minibatch):
    for term in ("r1", "gradient", "augmentation_consistency"):
        with pytest.raises(ValueError, match=r"single examples .* or packing"):
            model_of(GAN, parts=dict(minibatch=minibatch), terms=[term])
    with pytest.raises(ValueError, match="single examples"):
        model_of(BiGAN, parts=dict(minibatch=minibatch))
    model = model_of(GAN, parts=dict(minibatch=minibatch), terms=["feature_matching", "l2"])
    assert not model.sees_single_samples
    assert not model_of(GAN, 2).sees_single_samples
    assert model_of(GAN).sees_single_samples


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(terms=["consistency"]), "dropout"),
        (dict(terms=["r1:inputs=z"]), "inputs=x or both"),
        (dict(generator_steps=0), "generator_steps >= 1"),
        (dict(adversarial_weight=-1.0), "adversarial_weight >= 0"),
        (dict(instance_noise=-1.0), "instance_noise >= 0"),
        (dict(instance_noise=1.0), "instance_noise_steps >= 1"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        model_of(GAN, **settings)


def test_d_that_was_not_made_for_packs_is_refused():
    with pytest.raises(ValueError, match="one latent_length"):
        BiGAN(
            mlp.Generator((3,), 2, **SIZE),
            mlp.Encoder((3,), 2, **SIZE),
            mlp.Discriminator((6,), 2, **SIZE),
            packing=2,
        )


def test_weight_decay_is_of_kernels_alone():
    """Without a gradient a kernel loses learning rate · w of itself, a bias nothing."""
    kernel, bias = keras.Variable([[2.0, 4.0]]), keras.Variable([3.0, 3.0])
    optimizer = KernelAdamW(0.1, weight_decay=0.5)
    optimizer.build([kernel, bias])
    again = KernelAdamW.from_config(optimizer.get_config())
    again.build([kernel, bias])
    zeros = [tf.zeros([1, 2]), tf.zeros([2])]
    optimizer.apply_gradients(zip(zeros, [kernel, bias], strict=True))
    np.testing.assert_allclose(kernel, [[1.9, 3.8]], rtol=1e-6)
    again.apply_gradients(zip(zeros, [kernel, bias], strict=True))
    np.testing.assert_allclose(kernel, [[1.805, 3.61]], rtol=1e-6)
    np.testing.assert_array_equal(bias, [3, 3])
