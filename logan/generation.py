"""What a trained model makes of latents and of data, with averaged weights."""

from typing import Any, cast

import numpy as np
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.models.encoding import EncodingModel
from logan.models.generative import GenerativeModel


def in_batches(network: Any, *inputs: np.ndarray, size: int = 2000) -> np.ndarray:
    """network(*inputs) in inference mode, `size` examples at a time."""
    count = len(inputs[0])
    outputs = [
        network(*(tf.constant(values[start : start + size]) for values in inputs), training=False)
        for start in range(0, count, size)
    ]
    return np.concatenate([output.numpy() for output in outputs])


def evaluation_latents(
    model: AdversarialModel, seed: int, count: int, round: int = 0
) -> np.ndarray:
    """Draws of the model's prior that training never makes; see `GenerativeModel.prior_draws`."""
    return cast(GenerativeModel, model).prior_draws(count, seed, round)


def encode(model: EncodingModel, x: np.ndarray) -> np.ndarray:
    """E(x), float32 [images, latent_length]."""
    return in_batches(model.averaged_encoder, x, size=500)


def reconstruct(model: EncodingModel, x: np.ndarray) -> np.ndarray:
    """G(E(x)), of x's shape."""
    return in_batches(model.averaged_generator, encode(model, x), size=500)
