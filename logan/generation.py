"""What a trained model makes: generations, encodings and reconstructions, with averaged weights."""

import numpy as np

from logan.errors import RunError
from logan.models.adversarial import AdversarialModel, latent_length_of
from logan.models.bigan import BiGAN
from logan.randomness import Purpose, key, latents
from logan.snapshots import in_batches


def generate(model: AdversarialModel, seed: int, count: int) -> np.ndarray:
    """float32 [count, ...] generations of the averaged generator.

    Raises:
        RunError: if the model has no generator, or generates values that are not finite.
    """
    if not hasattr(model, "generator"):
        raise RunError("--workdir: expected a run with a generator. Received: an encoder's")
    z = evaluation_latents(model, seed, count)
    generated = in_batches(model.averaged_generator, z, size=500)
    if not np.isfinite(generated).all():
        raise RunError("expected finite generations. Received: NaN or infinity; did it diverge?")
    return generated


def evaluation_latents(model: AdversarialModel, seed: int, count: int) -> np.ndarray:
    """float32 [count, latent_length], the z of `generate`."""
    draw = key(seed, 0, Purpose.EVALUATION_LATENT)
    return latents(draw, count, latent_length_of(model.generator)).numpy()


def encode(model: BiGAN, x: np.ndarray) -> np.ndarray:
    """E(x), float32 [images, latent_length]."""
    return in_batches(model.averaged_encoder, x, size=500)


def reconstruct(model: BiGAN, x: np.ndarray) -> np.ndarray:
    """G(E(x)), of x's shape."""
    return in_batches(model.averaged_generator, encode(model, x), size=500)
