"""Mistakes in the use of the models as Keras models, each told in words."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp

SIZE = dict(width=4, hidden_layers=1)


def bigan(generator=2, encoder=2, discriminator=2, **settings):
    return BiGAN(
        mlp.Generator((3,), generator, **SIZE),
        mlp.Encoder((3,), encoder, **SIZE),
        mlp.Discriminator((3,), discriminator, **SIZE),
        **settings,
    )


def test_one_optimizer_for_all_networks_is_refused(kind, make):
    model = make(kind)
    expected = ", ".join(f"{role}_optimizer" for role in (*model.roles, "discriminator"))
    with pytest.raises(ValueError, match=expected):
        model.compile(optimizer="adam")


def test_optimizers_may_be_given_by_name(x):
    model = bigan()
    model.compile(generator_optimizer="sgd", encoder_optimizer="adam")
    kinds = [type(optimizer) for optimizer in model.optimizers.values()]
    assert kinds == [keras.optimizers.SGD, keras.optimizers.Adam, keras.optimizers.Adam]
    model.train_step(tf.constant(x))


@pytest.mark.parametrize("lengths", [(3, 2, 2), (2, 3, 2), (2, 2, 3), (2, 2, 0)])
def test_networks_of_different_latent_lengths_are_refused(lengths):
    with pytest.raises(ValueError, match=f"latent_length.*'discriminator': {lengths[2]}"):
        bigan(*lengths)


def test_gan_refuses_a_joint_discriminator():
    with pytest.raises(ValueError, match=r"latent_length=0\. Received: latent_length=2"):
        GAN(mlp.Generator((3,), 2, **SIZE), mlp.Discriminator((3,), 2, **SIZE))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_samples_of_other_floating_types_train_like_float32(make, x, dtype):
    x = x.astype("float16")
    model, expected = make(), make()
    model.fit(tf.data.Dataset.from_tensors(x.astype(dtype)), shuffle=False, verbose=0)
    expected.fit(tf.data.Dataset.from_tensors(x.astype("float32")), shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_samples_that_are_not_floating_are_refused(make, x):
    with pytest.raises(ValueError, match=r"floating samples.*Received: uint8"):
        make().fit(tf.data.Dataset.from_tensors(x.astype("uint8")), shuffle=False, verbose=0)


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
def test_batch_that_cannot_be_split_among_the_steps_is_refused(make, x, is_known):
    data = tf.data.Dataset.from_tensor_slices(x[:5]).batch(5, drop_remainder=is_known)
    message = "multiple of discriminator_steps=2"
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        make(discriminator_steps=2).fit(data, shuffle=False, verbose=0)


@pytest.mark.parametrize("use", ["evaluate", "validation_data"])
def test_losses_on_held_out_data_are_refused(make, x, use):
    with pytest.raises(NotImplementedError, match=r"Measure.*logan\.metrics"):
        if use == "evaluate":
            make().evaluate(x, verbose=0)
        else:
            make().fit(x, validation_data=(x,), shuffle=False, verbose=0)
