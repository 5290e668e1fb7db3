"""The toy mixtures: Gaussian modes whose places, spread and weights are known exactly."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from logan.errors import UserError
from logan.mixtures import RECIPES
from logan.randomness import Purpose, components, key, mixture


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
        gives_labels: whether batches are (x, y), with the modes y of their samples as classes.
    """

    name: str
    centers: np.ndarray
    sigma: float
    weights: np.ndarray
    modes: np.ndarray
    gives_labels: bool = False

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
        centers = tf.constant(self.centers)
        return mixture(choice_key, noise_key, count, centers, self.sigma, self._uneven_weights())

    def draw_labels(self, choice_key: tf.Tensor, count: int) -> tf.Tensor:
        """int64 [count], the modes of what `draw` draws with the same key."""
        chosen = components(choice_key, count, len(self.centers), self._uneven_weights())
        return tf.gather(tf.constant(self.modes, tf.int64), chosen)

    def _uneven_weights(self) -> tf.Tensor | None:
        is_even = np.allclose(self.weights, self.weights[0])
        return None if is_even else tf.constant(self.weights, tf.float32)

    @property
    def label_names(self) -> tuple[str, ...]:
        """What the modes are called as classes: their numbers."""
        return tuple(map(str, range(self.mode_count)))

    def batches(self, seed: int, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """An endless float32 [batch_size, features]; batch t depends on (seed, t) alone.

        With labels each batch is a pair of it and int64 [batch_size].
        """

        def batch(step: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
            choice = key(seed, step, Purpose.DATA)
            x = self.draw(choice, key(seed, step, Purpose.DATA_NOISE), batch_size)
            return (x, self.draw_labels(choice, batch_size)) if self.gives_labels else x

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

    def evaluation_labels(self, seed: int, count: int) -> np.ndarray:
        """int64 [count], the modes of what `evaluation_sample` draws."""
        return self.draw_labels(key(seed, 0, Purpose.EVALUATION_DATA), count).numpy()


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
