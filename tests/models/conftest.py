"""Tiny models of each kind, their networks' weights a function of one seed."""

import keras
import numpy as np
import pytest

from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp

DATA, LATENT = 3, 2
SIZE = dict(width=4, hidden_layers=1)


def _networks(kind):
    keras.utils.set_random_seed(1)
    generator = mlp.Generator((DATA,), LATENT, **SIZE)
    encoder = mlp.Encoder((DATA,), LATENT, **SIZE)
    if kind is BiGAN:
        return generator, encoder, mlp.Discriminator((DATA,), LATENT, **SIZE)
    if kind is GAN:
        return generator, mlp.Discriminator((DATA,), 0, **SIZE)
    return encoder, mlp.Discriminator((LATENT,), 0, **SIZE)


@pytest.fixture
def make():
    """A function that makes a compiled model; `rates` are learning rates by role."""

    def make(kind=BiGAN, rates=None, optimizer=keras.optimizers.SGD, **settings):
        model = kind(*_networks(kind), seed=5, **settings)
        roles = (*model.roles, "discriminator")
        model.compile(
            **{f"{role}_optimizer": optimizer((rates or {}).get(role, 0.1)) for role in roles}
        )
        return model

    return make


@pytest.fixture
def x():
    return np.random.default_rng(2).normal(size=(6, DATA)).astype(np.float32)


@pytest.fixture(params=[BiGAN, GAN, AdversarialEncoder], ids=lambda kind: kind.__name__)
def kind(request):
    return request.param
