"""The models with networks that a user brings: of Keras's own kinds, frozen, with counters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp

DATA, LATENT = 3, 2


def layers(features, outputs):
    return [
        keras.layers.Input((features,)),
        keras.layers.Dense(4, activation="relu"),
        keras.layers.Dense(outputs),
    ]


def sequential_bigan():
    keras.utils.set_random_seed(1)
    model = BiGAN(
        keras.Sequential(layers(LATENT, DATA), name="generator"),
        keras.Sequential(layers(DATA, LATENT), name="encoder"),
        mlp.Discriminator((DATA,), LATENT, width=4, hidden_layers=1),
    )
    model.compile()
    return model


def test_networks_of_keras_own_kinds_train_and_come_back(tmp_path, x):
    """Their z is as long as their input says."""
    model = sequential_bigan()
    model.fit(tf.data.Dataset.from_tensors(x).repeat(2), shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(tf.data.Dataset.from_tensors(x), shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("data", ["tensor", "tuple", "with labels", "train_on_batch"])
def test_samples_come_alone_or_first_in_a_tuple(x, data):
    model, expected = sequential_bigan(), sequential_bigan()
    expected.train_step(tf.constant(x))
    if data == "train_on_batch":
        model.train_on_batch(x)
    else:
        parts = {"tensor": x, "tuple": (x,), "with labels": (x, np.arange(len(x)))}[data]
        model.fit(tf.data.Dataset.from_tensors(parts), shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_frozen_network_stays_and_the_others_train(x):
    networks = sequential_bigan()
    networks.encoder.trainable = False
    model = BiGAN(networks.generator, networks.encoder, networks.discriminator)
    model.compile()
    before = {role: getattr(model, role).get_weights() for role in ("generator", "encoder")}
    model.train_step(tf.constant(x))
    for one, other in zip(before["encoder"], model.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(
        (one != other).any()
        for one, other in zip(before["generator"], model.generator.get_weights(), strict=True)
    )


def test_counters_of_a_network_are_taken_over_and_not_averaged(x):
    normalization = keras.layers.Normalization()
    normalization.adapt(x)
    encoder = keras.Sequential(
        [keras.layers.Input((DATA,)), normalization, keras.layers.Dense(LATENT)]
    )
    networks = sequential_bigan()
    model = BiGAN(networks.generator, encoder, networks.discriminator)
    model.compile()
    model.train_step(tf.constant(x))
    for value, average in zip(encoder.weights, model.averaged_encoder.weights, strict=True):
        if not tf.as_dtype(value.dtype).is_floating:
            np.testing.assert_array_equal(average.numpy(), value.numpy())


def test_penalties_see_the_layers_of_a_sequential_network_in_float32(x):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        generator = keras.Sequential(layers(LATENT, DATA))
        discriminator = keras.Sequential(layers(DATA, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    model = GAN(generator, discriminator)
    exact = keras.Sequential(layers(DATA, 1))
    exact.set_weights(discriminator.get_weights())
    np.testing.assert_allclose(model.discriminator_in_float32(x), exact(x), rtol=1e-5, atol=1e-6)
    assert np.abs(tf.cast(discriminator(x), tf.float32) - exact(x)).max() > 1e-5


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("penalty", ["pairwise", "gradient"])
def test_functional_discriminator_of_two_inputs_trains(x, policy, penalty, tmp_path):
    keras.config.set_dtype_policy(policy)
    try:
        inputs = [keras.Input((DATA,)), keras.Input((LATENT,))]
        joined = keras.layers.Concatenate()(inputs)
        logits = keras.layers.Dense(1, dtype="float32")(keras.layers.Dense(8)(joined))
        discriminator = keras.Model(inputs, logits)
    finally:
        keras.config.set_dtype_policy("float32")
    networks = sequential_bigan()
    model = BiGAN(
        networks.generator, networks.encoder, discriminator, penalty_weight=0.0, terms=[penalty]
    )
    model.compile()
    before = discriminator.get_weights()
    logs = model.fit(x, batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in logs.values())
    for old, new in zip(before, discriminator.get_weights(), strict=True):
        assert old.ndim == 1 or np.abs(old - new).max() > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
