"""Sampling from a trained generator, by methods with names.

A sampler is a function (source, count, settings by name) -> samples. A new one is such a function
and a line in `logan.settings.names.SAMPLERS`; from outside of this package, `SAMPLERS.register`.
"""

from collections.abc import Callable

import numpy as np

from logan.errors import RunError, UserError
from logan.generation import evaluation_latents, in_batches
from logan.models.adversarial import AdversarialModel
from logan.settings.names import PLAIN, SAMPLERS

_AT_ONCE = 500


class Source:
    """The averaged generator of a trained model, and draws of its prior.

    Attributes:
        model: the model.
        seed: of the draws.
    """

    def __init__(self, model: AdversarialModel, seed: int):
        """Takes the model.

        Raises:
            RunError: if it has no generator.
        """
        if not hasattr(model, "generator"):
            raise RunError("--workdir: expected a run with a generator. Received: an encoder's")
        self.model = model
        self.seed = seed

    def latents(self, count: int, round: int = 0) -> np.ndarray:
        """Draws of the prior, float32 [count, latent_length].

        Args:
            count: how many.
            round: which draws; those of two rounds do not depend on each other.
        """
        return evaluation_latents(self.model, self.seed, count, round)

    def generate(self, z: np.ndarray) -> np.ndarray:
        """G(z), float32 [count, ...].

        Raises:
            RunError: if a value is not finite.
        """
        samples = in_batches(self.model.averaged_generator, z, size=_AT_ONCE)
        if not np.isfinite(samples).all():
            raise RunError(
                "expected finite generations. Received: NaN or infinity; did it diverge?"
            )
        return samples


Sampler = Callable[..., np.ndarray]  # of a Source and a count


def plain(source: Source, count: int) -> np.ndarray:
    """G(z) for draws z of the prior: float32 [count, ...]."""
    return source.generate(source.latents(count))


def sample(model: AdversarialModel, seed: int, count: int, sampler: str = PLAIN) -> np.ndarray:
    """Samples of a trained model, float32 [count, ...].

    Args:
        model: with a generator.
        seed: of all draws.
        count: how many.
        sampler: a name from `SAMPLERS`, with settings "name:setting=value:…".

    Raises:
        RunError: if the model has no generator, or generates values that are not finite.
        UserError: on an unknown sampler or setting, or one that gives another number of samples.
    """
    samples = np.asarray(SAMPLERS.bind(sampler)(Source(model, seed), count))
    if samples.ndim < 2 or len(samples) != count:
        raise UserError(
            f"--sampler={sampler}: expected {count} samples. Received: {list(samples.shape)}"
        )
    return samples
