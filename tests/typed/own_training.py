"""A user's program: the whole training, and what comes back from it."""

import keras
import numpy as np
from typing_extensions import reveal_type

from logan import GAN, BiGAN, PairwisePenalty


def networks() -> tuple[keras.Model, keras.Model, keras.Model]:
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    encoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4)])
    x, z = keras.Input((2,)), keras.Input((4,))
    logits = keras.layers.Dense(1)(keras.layers.Concatenate()([x, z]))
    return generator, encoder, keras.Model([x, z], logits)


def train(data: np.ndarray) -> np.ndarray:
    generator, encoder, discriminator = networks()
    model = BiGAN(generator, encoder, discriminator, penalty_weight=0.1, prior="normal")
    reveal_type(model)  # logan.models.bigan.BiGAN
    model.compile()
    model.fit(data, verbose=0)
    samples = model.sample(16, seed=0)
    reveal_type(samples)  # numpy.ndarray
    reveal_type(model.prior)  # str
    return samples


def baseline(data: np.ndarray) -> np.ndarray:
    generator, _, _ = networks()
    discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model = GAN(generator, discriminator, terms=["gradient:weight=10"])
    reveal_type(model)  # logan.models.gan.GAN
    model.compile()
    model.fit(data, verbose=0)
    return model.sample(16, 1)


reveal_type(PairwisePenalty(0.1, form="squared_norm"))  # logan.terms.gradient.PairwisePenalty
BiGAN(*networks(), penalty_weight="much")  # error: arg-type
BiGAN(*networks(), prior="gaussian")  # error: arg-type
BiGAN(*networks(), loss=3)  # error: arg-type
GAN(*networks()[:2]).sample("many")  # error: arg-type
