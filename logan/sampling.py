"""Sampling from a trained generator, by methods with names.

A sampler is a function (source, count, settings by name) -> samples. A new one is such a function
and a line in `logan.settings.names.SAMPLERS`; from outside of this package, `SAMPLERS.register`.
"""

from collections.abc import Callable
from typing import Protocol, cast

import numpy as np

from logan.datasets.load import load
from logan.errors import RunError, UserError
from logan.generation import decode, evaluation_latents
from logan.models.adversarial import AdversarialModel
from logan.models.generative import GenerativeModel
from logan.runs import Run
from logan.settings.names import PLAIN, SAMPLERS

_AT_ONCE = 500


class RealData(Protocol):
    """The data that a sampler may compare with."""

    def training_sample(self, count: int) -> np.ndarray:
        """Up to `count` float32 examples of those that training sees, or as it sees them."""

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """Up to `count` float32 examples that training never sees."""


class Source:
    """The averaged generator of a trained model, draws of its prior, and real data.

    Attributes:
        model: the model.
        seed: of the draws.
        notes: what a sampler tells of itself, for those who read its samples' measures.
    """

    def __init__(self, model: AdversarialModel, seed: int, data: RealData | None = None):
        """Takes the model and the data that it was trained on.

        Raises:
            RunError: if it has no generator.
        """
        if not hasattr(model, "generator"):
            raise RunError("--workdir: expected a run with a generator. Received: an encoder's")
        self.model = model
        self.seed = seed
        self.notes: list[str] = []
        self._data = data

    def real(self, count: int) -> np.ndarray:
        """Up to `count` of the samples that training sees, or as it sees them.

        Raises:
            UserError: if no data were given.
        """
        return self._given_data().training_sample(count)

    def held_out(self, count: int) -> np.ndarray:
        """Up to `count` samples that training never sees; of toy data not those of an evaluation.

        Raises:
            UserError: if no data were given.
        """
        return self._given_data().evaluation_sample(self.seed + 2, count)

    def _given_data(self) -> RealData:
        if self._data is None:
            raise UserError("expected the data that the model was trained on. Received: none")
        return self._data

    def latents(self, count: int, round: int = 0) -> np.ndarray:
        """Draws of the prior, float32 [count, latent_length].

        Args:
            count: how many.
            round: which draws; those of two rounds do not depend on each other.
        """
        return evaluation_latents(self.model, self.seed, count, round)

    def labels(self, count: int, round: int = 0) -> np.ndarray | None:
        """Draws of classes by their shares in the data, int64 [count]; None without classes.

        Args:
            count: how many.
            round: which draws, as for `latents`.

        Raises:
            ValueError: if the generator takes labels and the shares are not known.
        """
        model = cast(GenerativeModel, self.model)
        return model.label_draws(count, self.seed, round) if model.takes_labels else None

    def generated(self, count: int, round: int = 0) -> np.ndarray:
        """Generations of draws, G(z) or G(z, y), float32 [count, ...]; see `latents`."""
        return self.generate(self.latents(count, round), self.labels(count, round))

    def generate(self, z: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """G(z), or G(z, y), float32 [count, ...].

        Args:
            z: float32 [count, latent_length].
            labels: int [count], of a conditional generator; the first draws of them if not given.

        Raises:
            RunError: if a value is not finite.
        """
        labels = self.labels(len(z)) if labels is None else labels
        samples = decode(self.model, z, labels, size=_AT_ONCE)
        if not np.isfinite(samples).all():
            raise RunError(
                "expected finite generations. Received: NaN or infinity; did it diverge?"
            )
        return samples


Sampler = Callable[..., np.ndarray]  # of a Source and a count


def plain(source: Source, count: int) -> np.ndarray:
    """G(z) for draws z of the prior, G(z, y) for classes by their shares: float32 [count, ...]."""
    return source.generated(count)


def sample(
    model: AdversarialModel,
    seed: int,
    count: int,
    sampler: str = PLAIN,
    data: RealData | None = None,
) -> tuple[np.ndarray, str]:
    """Samples of a trained model.

    Args:
        model: with a generator.
        seed: of all draws.
        count: how many.
        sampler: a name from `SAMPLERS`, with settings "name:setting=value:…".
        data: that it was trained on, for samplers that compare with them.

    Returns:
        float32 [count, ...], and what the sampler tells of itself.

    Raises:
        RunError: if the model has no generator, or generates values that are not finite.
        UserError: on an unknown sampler or setting, or one that gives another number of samples.
    """
    source, function = Source(model, seed, data), SAMPLERS.bind(sampler)
    try:
        samples = np.asarray(function(source, count))
    except (TypeError, ValueError) as error:
        if isinstance(error, UserError) or sampler == PLAIN:
            raise
        raise UserError(f"--sampler={sampler}: {error}") from error
    if samples.ndim < 2 or len(samples) != count:
        raise UserError(
            f"--sampler={sampler}: expected {count} samples. Received: {list(samples.shape)}"
        )
    return samples, "; ".join(source.notes)


def data_for(sampler: str, run: Run) -> RealData | None:
    """The data of a run for a sampler; None for the plain one, which needs none."""
    return None if sampler == PLAIN else load(run.experiment, run.cache)


def drawn_by(sampler: str, notes: str = "") -> str:
    """The end of a sentence on samples: nothing of the plain sampler, the name of another one."""
    if sampler == PLAIN:
        return ""
    return f", by the sampler {sampler}" + (f" ({notes})" if notes else "")
