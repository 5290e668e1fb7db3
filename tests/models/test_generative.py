"""The prior of z, and samples of a trained generator."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models import generative
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.randomness import Draw, Purpose, key
from logan.sampling import sample

DATA, LATENT = 3, 2


@pytest.fixture(params=[BiGAN, GAN], ids=lambda kind: kind.__name__)
def generative_kind(request):
    return request.param


def test_priors_have_the_moments_and_ends_of_their_distributions(make):
    uniform = make(BiGAN).prior_draws(20_000, seed=1)
    normal = make(BiGAN, prior="normal").prior_draws(20_000, seed=1)
    assert np.abs(uniform).max() <= 1
    assert np.abs(normal).max() > 3
    for z, variance, fourth in ((uniform, 1 / 3, 1 / 5), (normal, 1.0, 3.0)):
        assert z.shape == (20_000, LATENT)
        assert z.dtype == np.float32
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.03)
        np.testing.assert_allclose((z**2).mean(axis=0), variance, rtol=0.03)
        np.testing.assert_allclose((z**4).mean(axis=0), fourth, rtol=0.1)
        assert abs(np.corrcoef(z.T)[0, 1]) < 0.03


def test_training_draws_the_models_prior(make, generative_kind, x):
    """What the discriminator compares is G of those z."""
    model = make(generative_kind, prior="normal")
    draw = Draw(model.seed, tf.constant(4, tf.int64))
    z = draw.latents(len(x), LATENT, "normal")
    fake = model.compared(tf.constant(x), None, draw).fake
    np.testing.assert_allclose(fake[0], model.generator(z, training=True), rtol=1e-5, atol=1e-6)
    if generative_kind is BiGAN:
        np.testing.assert_array_equal(fake[1], z)
    uniform = make(generative_kind).compared(tf.constant(x), None, draw).fake[0]
    assert np.abs(uniform - fake[0]).max() > 1e-3


def test_an_encoder_alone_has_a_normal_prior_too(make):
    model = make(AdversarialEncoder, prior="normal")
    z = model.sample_prior(key(0, 0, Purpose.PRIOR), key(0, 0, Purpose.LATENT), 20_000).numpy()
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=0.03)
    with pytest.raises(ValueError, match=r"prior_centers or a prior.*both, prior='normal'"):
        make(AdversarialEncoder, prior="normal", prior_centers=[[0.5, 0.5]])


@pytest.mark.parametrize("prior", ["gaussian", "", None])
def test_unknown_priors_are_refused(make, kind, prior):
    with pytest.raises(ValueError, match="prior to be one of uniform, normal"):
        make(kind, prior=prior)


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_keras_file_keeps_the_prior(make, kind, prior, tmp_path, x):
    model = make(kind, prior=prior)
    model.train_step(tf.constant(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.prior == prior
    for each in (model, loaded):
        each.train_step(tf.constant(x))
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    if kind is not AdversarialEncoder:
        np.testing.assert_array_equal(loaded.sample(5, 2), model.sample(5, 2))


def test_files_without_a_prior_have_the_uniform_one(make, generative_kind):
    config = make(generative_kind).get_config()
    del config["prior"]
    assert type(make(generative_kind)).from_config(config).prior == "uniform"


def test_samples_are_of_the_averaged_generator_and_a_function_of_the_seed(make, generative_kind, x):
    model = make(generative_kind)
    for _ in range(3):
        model.train_step(tf.constant(x))
    samples = model.sample(7, seed=3)
    assert samples.shape == (7, DATA)
    assert samples.dtype == np.float32
    z = model.prior_draws(7, seed=3)
    np.testing.assert_allclose(samples, model.averaged_generator(z), rtol=1e-6, atol=1e-7)
    assert np.abs(samples - model.generator(z)).max() > 1e-6
    np.testing.assert_array_equal(model.sample(7, seed=3), samples)
    assert np.abs(model.sample(7, seed=4) - samples).min() > 0
    np.testing.assert_allclose(model.sample(4, seed=3), samples[:4], rtol=1e-5, atol=1e-6)


def test_samples_are_those_that_an_evaluation_takes(make, generative_kind):
    model = make(generative_kind, prior="normal")
    expected, _ = sample(model, 3, 20)
    np.testing.assert_allclose(model.sample(20, 3), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("n", "batch_size", "expected"), [(7, 3, [1, 3, 3, 1]), (4, 4, [1, 4])])
def test_samples_are_computed_a_batch_at_a_time(make, monkeypatch, n, batch_size, expected):
    model, sizes = make(BiGAN), []
    generated = type(model)._generated

    def counted(self, z, labels):
        sizes.append(len(z))
        return generated(self, z, labels)

    monkeypatch.setattr(type(model), "_generated", counted)
    part_by_part = model.sample(n, 1, batch_size=batch_size)
    assert sizes == expected
    np.testing.assert_allclose(part_by_part, model.sample(n, 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"), [((2,), 500), ((32, 32, 3), 500), ((128, 128, 3), 85), ((4096, 4096), 1)]
)
def test_large_images_are_computed_fewer_at_a_time(shape, expected):
    assert generative._examples_at_once(shape) == expected


@pytest.mark.parametrize("settings", [dict(n=0), dict(n=-3), dict(n=4, batch_size=0)], ids=str)
def test_numbers_of_samples_below_one_are_refused(make, settings):
    with pytest.raises(ValueError, match="n and batch_size >= 1"):
        make(GAN).sample(**settings)


def test_samples_that_are_not_finite_are_refused(make):
    model = make(BiGAN)
    weights = model.averaged_generator.get_weights()
    model.averaged_generator.set_weights([*weights[:-1], np.full(DATA, np.nan)])
    with pytest.raises(ValueError, match="finite samples of bigan"):
        model.sample(3)


@keras.saving.register_keras_serializable(package="test")
class OfClass(keras.Model):
    """G(z, y) = y + 0·z in every feature."""

    takes_labels = True
    latent_length = LATENT

    def __init__(self, **settings):
        super().__init__(**settings)
        self.dense = keras.layers.Dense(DATA, kernel_initializer="zeros")
        self.dense.build((None, LATENT))
        self.built = True

    def call(self, z, labels=None, training=None):
        return self.dense(z) + tf.cast(labels, tf.float32)[:, None]


def test_a_generator_of_classes_gets_the_labels(make):
    model = GAN(OfClass(), make(GAN).discriminator)
    expected = np.repeat([[3.0], [0.0], [1.0]], DATA, axis=1)
    np.testing.assert_array_equal(model.sample(3, labels=[3, 0, 1], batch_size=2), expected)
    for labels, message in ((None, "3 labels for of_class. Received: none"), ([1, 2], r"\(3,\)")):
        with pytest.raises(ValueError, match=message):
            model.sample(3, labels=labels)
    with pytest.raises(ValueError, match=r"no labels for generator.*Received: labels"):
        make(GAN).sample(3, labels=[1, 2, 3])
