"""The pairwise penalty asked of a discriminator of x alone, and the way from D(x) to D(x, z)."""

import functools
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.penalties import pairwise_gradient_penalty
from logan.terms import PairwisePenalty

X = tf.constant([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
X_HAT = tf.constant([[0.0, 0.0], [0.0, 0.0], [3.0, 0.0]])
Z = tf.zeros([3, 4])
PAGE = Path(__file__).parents[2] / "docs" / "own_model.md"


def of_x(x):
    """D(x) = x₁ + 2 x₂."""
    return x @ tf.constant([[1.0], [2.0]])


class Called(keras.Model):
    """D(x) of a user's own, built by a call."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x, training=None):
        return self.dense(x)


def called():
    model = Called()
    model(X)
    return model


def functional():
    x = keras.Input((2,))
    return keras.Model(x, layers.Dense(1)(x))


ALONE = {
    "function": lambda: of_x,
    "lambda": lambda: lambda x: of_x(x),
    "with training": lambda: lambda x, training=False: of_x(x),
    "partial": lambda: functools.partial(lambda scale, x: scale * of_x(x), 2.0),
    "sequential": lambda: keras.Sequential([keras.Input((2,)), layers.Dense(1)]),
    "unbuilt": lambda: keras.Sequential([layers.Dense(1)]),
    "functional": functional,
    "subclass": called,
}


@pytest.mark.parametrize("kind", ALONE)
@pytest.mark.parametrize("z", [Z, None], ids=["z", "None"])
def test_discriminators_of_x_alone_are_told_what_the_penalty_needs(kind, z):
    with pytest.raises(ValueError, match=r"needs an encoder .*Received: D\(x\).*docs/own_model"):
        pairwise_gradient_penalty(ALONE[kind](), X, z, X_HAT)


@pytest.mark.parametrize("kind", ["function", "sequential", "subclass"])
def test_a_function_of_both_that_leaves_z_out_is_taken_without_z(kind):
    """Of D = x₁ + 2 x₂, g = (1, 2): the directions to x are (1, 0), (0, 1) and (0, 1)."""
    d = ALONE[kind]()
    given = pairwise_gradient_penalty(lambda x, z: d(x), X, None, X_HAT)
    if kind == "function":
        np.testing.assert_allclose(given, [2.0, np.sqrt(2), np.sqrt(2)], rtol=1e-5)
    beside = pairwise_gradient_penalty(lambda x, z: d(x), X, Z, X_HAT)
    np.testing.assert_allclose(given, beside, rtol=1e-6)


def test_a_model_of_two_inputs_needs_z():
    x, z = keras.Input((2,)), keras.Input((4,))
    joint = keras.Model([x, z], layers.Dense(1)(layers.Concatenate()([x, z])), name="joint")
    with pytest.raises(ValueError, match=r"Expected z, the encodings.*'joint'.*Received: None"):
        pairwise_gradient_penalty(joint, X, None, X_HAT)
    assert pairwise_gradient_penalty(joint, X, Z, X_HAT).shape == (3,)


def networks():
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    discriminator = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8, "leaky_relu"), layers.Dense(1)]
    )
    return generator, discriminator


@pytest.mark.parametrize(
    "settings",
    [
        dict(penalty="pairwise"),
        dict(penalty=PairwisePenalty(0.1)),
        dict(penalty=pairwise_gradient_penalty),
        dict(penalty_weight=0.1),
        dict(terms=["pairwise:weight=0.1"]),
        dict(terms=[PairwisePenalty(0.1)]),
    ],
    ids=["name", "term", "function", "weight", "terms by name", "terms"],
)
def test_a_gan_with_the_penalty_is_told_of_the_bigan(settings):
    with pytest.raises(ValueError, match=r"encoder.*BiGAN\(generator, encoder, .*docs/own_model"):
        GAN(*networks(), **settings)


def test_a_gan_with_another_penalty_is_told_of_terms():
    with pytest.raises(ValueError, match=r'terms=\["gradient:weight=10"\].*penalty=\'gradient\''):
        GAN(*networks(), penalty="gradient")


def image_networks():
    generator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(64, "tanh"), layers.Reshape((8, 8, 1))]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, 2, activation="leaky_relu"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    return generator, discriminator


@pytest.mark.parametrize(
    ("make", "shape"), [(networks, (2,)), (image_networks, (8, 8, 1))], ids=["vectors", "images"]
)
def test_the_lines_of_the_page_make_a_bigan_that_trains(make, shape):
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("## From D(x) to D(x, z)")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    generator, discriminator = make()
    names = {"generator": generator, "discriminator": discriminator}
    exec(code, names)
    model = names["model"]
    assert isinstance(model, BiGAN)
    assert model.terms == (PairwisePenalty(0.1),)
    model.compile()
    x = np.random.default_rng(0).uniform(-1, 1, (6, *shape)).astype(np.float32)
    before = names["pairs"].get_weights()
    logs = model.fit(x, verbose=0).history
    assert np.isfinite(logs["penalty"]).all()
    moved = [np.abs(a - b).max() for a, b in zip(before, names["pairs"].get_weights(), strict=True)]
    assert max(moved) > 0
    assert model.sample(3).shape == (3, *shape)
