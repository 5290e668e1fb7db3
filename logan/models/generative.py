"""What models with a generator share: the prior of z, and samples."""

import math
import operator
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from logan.labels import Classes
from logan.models.adversarial import AdversarialModel
from logan.models.checks import check_labels
from logan.randomness import Purpose, key, latents, uniform
from logan.settings.names import PRIORS

Prior = Literal["uniform", "normal"]

# Of generations at once: so many examples, and numbers in all of them.
_MOST_EXAMPLES, _MOST_NUMBERS = 500, 2**22


class GenerativeModel(AdversarialModel):
    """A generator G(z), or G(z, y) of a class y, whatever else there is, against a discriminator.

    Attributes:
        prior: what z is drawn from: `uniform`, U[-1, 1] in each feature, or `normal`, N(0, 1).
    """

    generator: keras.Model
    averaged_generator: keras.Model

    def __init__(
        self,
        networks: dict[str, keras.Model],
        discriminator: keras.Model,
        *,
        prior: Prior = "uniform",
        **settings: Any,
    ):
        """Builds the model; see `AdversarialModel`.

        Raises:
            ValueError: on an unknown prior, or another setting out of range.
        """
        check_prior(prior)
        self.prior = prior
        super().__init__(networks, discriminator, **settings)

    def prior_draws(self, count: int, seed: int = 0, round: int = 0) -> np.ndarray:
        """Draws z of the prior that training never makes; fewer are the first of more.

        Args:
            count: how many.
            seed: of the draws.
            round: which of them; those of two rounds do not depend on each other.

        Returns:
            float32 [count, latent_length].
        """
        draw = key(seed, round, Purpose.EVALUATION_LATENT)
        return latents(draw, count, self.latent_length, self.prior).numpy()

    @property
    def takes_labels(self) -> bool:
        """Whether the generator is asked for a class: G(z, y)."""
        return bool(getattr(self.generator, "takes_labels", False))

    @property
    def classes(self) -> Classes | None:
        """What the generator's classes are called and how often each occurs, if that is known."""
        return getattr(self.generator, "known_classes", None)

    def label_draws(self, count: int, seed: int = 0, round: int = 0) -> np.ndarray:
        """Draws classes by their shares in the data; fewer are the first of more.

        Args:
            count: how many.
            seed: of the draws.
            round: which of them; those of two rounds do not depend on each other.

        Returns:
            int64 [count].

        Raises:
            ValueError: if the shares are not known.
        """
        if self.classes is None:
            raise ValueError(
                f"Expected labels for {self.generator.name}, whose classes' shares are not known. "
                "Received: none"
            )
        draw = key(seed, round, Purpose.EVALUATION_LABEL)
        return self.classes.of_draws(uniform(draw, [count]).numpy())

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        labels: Sequence[int] | np.ndarray | None = None,
        batch_size: int | None = None,
    ) -> np.ndarray:
        """Samples G(z) of the averaged generator, a function of the weights and the seed.

        Fewer samples of a seed are the first of more of it. To sample by another method, such as
        rejection, see `logan.sampling.sample`.

        Args:
            n: how many, at least 1.
            seed: of the draws of z.
            labels: integers [n], for a generator that takes labels. Where it knows the shares of
                its classes, as that of a run does, they are drawn if not given.
            batch_size: how many are computed at once. By default up to 500, fewer of large images.

        Returns:
            float32 [n, ...], in the range of the data that the model was trained on.

        Raises:
            ValueError: if n or batch_size is below 1, the labels are missing or too few, or a
                sample is not finite.
        """
        n, seed = operator.index(n), operator.index(seed)
        if n < 1 or (batch_size is not None and batch_size < 1):
            raise ValueError(f"Expected n and batch_size >= 1. Received: {n} and {batch_size}")
        if labels is None and self.takes_labels and self.classes is not None:
            labels = self.label_draws(n, seed)
        given = _checked_labels(self.generator, labels, n)
        z = self.prior_draws(n, seed)
        samples, done = self._generated(z[:1], given[:1]), 0
        size = batch_size or _examples_at_once(samples.shape[1:])
        result = np.empty((n, *samples.shape[1:]), np.float32)
        while done < n:
            part = slice(done, done + size)
            result[part] = self._generated(z[part], given[part])
            done += size
        if not np.isfinite(result).all():
            raise ValueError(
                f"Expected finite samples of {self.name}. Received: NaN or infinity; did it "
                "diverge?"
            )
        return result

    def _label_specs(self) -> list[keras.InputSpec]:
        """What `call` takes besides, if the generator takes labels."""
        return [keras.InputSpec(shape=(None,), dtype="int64")] if self.takes_labels else []

    def _generated(self, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
        settings = dict(labels=tf.constant(labels)) if len(labels) else {}
        return np.asarray(
            self.averaged_generator(tf.constant(z), training=False, **settings), np.float32
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "prior": self.prior}


def check_prior(prior: str) -> None:
    """Raises ValueError unless it is the name of a prior."""
    if prior not in PRIORS:
        raise ValueError(f"Expected prior to be one of {', '.join(PRIORS)}. Received: {prior!r}")


def _checked_labels(generator: keras.Model, labels: Any, count: int) -> np.ndarray:
    """int64 [count], or [0] for a generator that takes none."""
    takes_labels = getattr(generator, "takes_labels", False)
    if takes_labels != (labels is not None):
        expected = f"{count} labels" if takes_labels else "no labels"
        received = "none" if labels is None else "labels"
        raise ValueError(f"Expected {expected} for {generator.name}. Received: {received}")
    given = np.asarray([] if labels is None else labels, np.int64)
    if takes_labels and given.shape != (count,):
        raise ValueError(f"Expected labels of shape ({count},). Received: {given.shape}")
    if takes_labels:
        check_labels(labels, [generator])
    return given


def _examples_at_once(shape: tuple[int, ...]) -> int:
    return max(1, min(_MOST_EXAMPLES, _MOST_NUMBERS // math.prod(shape)))
