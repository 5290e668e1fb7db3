"""The toy mixtures: Gaussian modes whose places, spread and weights are known exactly."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from logan.errors import UserError
from logan.mixtures import RECIPES
from logan.randomness import Purpose, key, mixture


@dataclasses.dataclass(frozen=True)
class ToyDistribution:
    """A mixture of isotropic Gaussians.

    Attributes:
        name: the data set's name.
        centers: float32 [components, features].
        sigma: standard deviation per axis.
        weights: float64 [components], summing to one.
        modes: int64 [components], the mode that each component counts towards: its own index, but
            for `swiss` the arc of the roll that it lies on.
    """

    name: str
    centers: np.ndarray
    sigma: float
    weights: np.ndarray
    modes: np.ndarray

    @property
    def features(self) -> int:
        return self.centers.shape[1]

    @property
    def mode_count(self) -> int:
        return int(self.modes.max()) + 1

    @property
    def mode_weights(self) -> np.ndarray:
        """float64 [mode_count], summing to one."""
        return np.bincount(self.modes, self.weights)

    def draw(self, choice_key: tf.Tensor, noise_key: tf.Tensor, count: int) -> tf.Tensor:
        """float32 [count, features]."""
        is_even = np.allclose(self.weights, self.weights[0])
        weights = None if is_even else tf.constant(self.weights, tf.float32)
        centers = tf.constant(self.centers)
        return mixture(choice_key, noise_key, count, centers, self.sigma, weights)

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """An endless float32 [batch_size, features]; batch t depends on (seed, t) alone."""

        def batch(step: tf.Tensor) -> tf.Tensor:
            return self.draw(
                key(seed, step, Purpose.DATA), key(seed, step, Purpose.DATA_NOISE), batch_size
            )

        steps = tf.data.Dataset.range(first_step, np.iinfo(np.int64).max)
        return steps.map(batch).prefetch(8)

    def training_sample(self, count: int) -> np.ndarray:
        """float32 [count, features] of the same distribution that training draws from."""
        return self.draw(
            key(0, 2, Purpose.EVALUATION_DATA), key(0, 3, Purpose.EVALUATION_DATA), count
        ).numpy()

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        """float32 [count, features] that training never draws."""
        choice = key(seed, 0, Purpose.EVALUATION_DATA)
        noise = key(seed, 1, Purpose.EVALUATION_DATA)
        return self.draw(choice, noise, count).numpy()


def toy_distribution(name: str, mode_weights: Sequence[float] = ()) -> ToyDistribution:
    """One of the toy sets by name.

    Args:
        name: one of `logan.mixtures.RECIPES`.
        mode_weights: one positive number for each mode, in any scale; equal weights if empty.

    Raises:
        ValueError: on an unknown name.
        UserError: on a wrong number of weights, or one that is not positive.
    """
    if name not in RECIPES:
        raise ValueError(f"Expected a toy data set of {tuple(RECIPES)}. Received: {name!r}")
    recipe = RECIPES[name]
    centers = recipe.centers().astype(np.float32)
    mode_count = recipe.modes or len(centers)
    modes = np.arange(len(centers)) * mode_count // len(centers)
    shares = np.ones(mode_count) if len(mode_weights) == 0 else np.asarray(mode_weights, float)
    if len(shares) != mode_count:
        raise UserError(
            f"--mode_weights: expected {mode_count} numbers for {name}. Received: {len(shares)}"
        )
    if not (np.isfinite(shares).all() and (shares > 0).all()):
        raise UserError(f"--mode_weights: expected numbers > 0. Received: {tuple(mode_weights)}")
    weights = (shares / np.bincount(modes))[modes]
    return ToyDistribution(name, centers, recipe.sigma, weights / weights.sum(), modes)
