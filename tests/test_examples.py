"""The method on one page computes what the package computes."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.networks import mlp
from logan.randomness import Draw

PATH = Path(__file__).parent.parent / "examples" / "bigan.py"


@pytest.fixture
def example():
    keras.utils.set_random_seed(0)
    spec = importlib.util.spec_from_file_location("example_bigan", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_step_is_the_models(example):
    sizes = dict(width=128, hidden_layers=4)
    model = BiGAN(
        mlp.Generator((2,), 2, **sizes),
        mlp.Encoder((2,), 2, **sizes),
        mlp.Discriminator((2,), 2, **sizes),
        loss="vanilla",
        penalty_weight=example.PENALTY_WEIGHT,
        seed=3,
    )
    rate = keras.optimizers.schedules.CosineDecay(example.RATE, example.STEPS, alpha=0.1)
    adam = dict(learning_rate=rate, beta_1=0.0, beta_2=0.9)
    model.compile(
        **{
            f"{role}_optimizer": keras.optimizers.Adam(**adam)
            for role in (*model.roles, "discriminator")
        }
    )
    networks = {
        "generator": example.generator,
        "encoder": example.encoder,
        "discriminator": example.joint,
    }
    for role, network in networks.items():
        getattr(model, role).set_weights(network.get_weights())
    start = example.joint.get_weights()

    for number in range(3):
        x = example.data(64)
        draw = Draw(3, tf.constant(number, tf.int64))
        example.step(x, draw.latents(64, example.LATENT), draw.epsilon(64))
        model.train_step(x)

    for role, network in networks.items():
        for one, other in zip(
            network.get_weights(), getattr(model, role).get_weights(), strict=True
        ):
            # Adam's first steps have the gradient's sign; where it is next to 0, rounding decides.
            is_close = np.isclose(one, other, rtol=1e-3, atol=2e-5)
            assert is_close.mean() > 0.999, role
    moved = [np.abs(a - b).max() for a, b in zip(start, example.joint.get_weights(), strict=True)]
    assert min(moved) > 1e-3


def test_it_is_one_page():
    assert len(PATH.read_text(encoding="utf-8").splitlines()) <= 125
