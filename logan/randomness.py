"""Every random draw as a pure function of (seed, step, purpose).

Nothing here has a state, so a resumed, replayed or scaled-out run needs no more than its step
number to draw what an undisturbed run would have drawn. The algorithm is pinned to Philox
(J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): eager, graph and
XLA-compiled code draw the same numbers (of the normal ones, the last digit may differ).
"""

import contextlib
import contextvars
import enum
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf


class Purpose(enum.IntEnum):
    """What a draw is for. Numbers are part of a run's identity: append, never renumber."""

    DATA = 1
    DATA_NOISE = 2
    ORDER = 3
    LATENT = 4
    INTERPOLATION = 5
    PRIOR = 6
    EVALUATION_DATA = 7
    EVALUATION_LATENT = 8
    FLIP = 11
    SAMPLER = 12
    SHIFT = 13
    PENALTY_NOISE = 20
    AUGMENTATION = 21
    DROPOUT = 22
    INSTANCE_NOISE = 23
    EVALUATION_LABEL = 40


def key(seed: int, step: int | tf.Tensor, purpose: Purpose, part: int = 0) -> tf.Tensor:
    """The key of one draw.

    Args:
        seed: the run's seed.
        step: the training step, a Python integer or a scalar integer tensor.
        purpose: what the draw is for; two purposes never share numbers.
        part: which of several draws of one step and purpose.

    Returns:
        int32 [2], to be used with `uniform`, `normal` or any `tf.random.stateless_*` function.
    """
    # Both words of a 64-bit seed count.
    words = np.array([seed & 0xFFFFFFFFFFFFFFFF], np.uint64).view(np.int32)
    folded = _fold_in(tf.constant(words), int(purpose))
    folded = _fold_in(folded, tf.cast(step, tf.int64))
    return _fold_in(folded, part)


def _fold_in(key: tf.Tensor, data: int | tf.Tensor) -> tf.Tensor:
    # Left to choose, TensorFlow takes another algorithm under XLA than outside of it.
    return tf.random.experimental.stateless_fold_in(key, data, alg="philox")


def bits(key: tf.Tensor, shape: Sequence[int | tf.Tensor] | tf.Tensor) -> tf.Tensor:
    """int32 draws of the given shape, each of the 32 bits a fair coin."""
    return tf.random.stateless_uniform(shape, key, None, None, tf.int32, alg="philox")


def uniform(
    key: tf.Tensor,
    shape: Sequence[int | tf.Tensor] | tf.Tensor,
    minimum: float = 0.0,
    maximum: float = 1.0,
) -> tf.Tensor:
    """float32 draws of the given shape, uniform in [minimum, maximum)."""
    # TensorFlow's own floats are the low bits of a word outside of XLA and the high bits under it.
    words = tf.bitcast(bits(key, shape), tf.uint32)
    share = tf.cast(tf.bitwise.right_shift(words, np.uint32(8)), tf.float32) * 2.0**-24
    return minimum + (maximum - minimum) * share


def normal(key: tf.Tensor, shape: Sequence[int | tf.Tensor] | tf.Tensor) -> tf.Tensor:
    """float32 draws of the given shape from the standard normal distribution.

        √(-2 ln u) · cos(2π v) with u and v uniform (G. Box and M. Muller, 1958)

    TensorFlow's own draws another number under XLA than outside of it.
    """
    return _box_muller(*tf.unstack(uniform(key, tf.concat([[2], shape], axis=0))))


def _box_muller(radius: tf.Tensor, turn: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(-2.0 * tf.math.log1p(-radius)) * tf.cos(2.0 * np.pi * turn)


def latents(
    key: tf.Tensor, count: int | tf.Tensor, latent_length: int, prior: str = "uniform"
) -> tf.Tensor:
    """Draws z of the prior, of which fewer are the first of more.

    Args:
        key: see `key`.
        count: how many.
        latent_length: features of z, which do not depend on each other.
        prior: `uniform`, each feature from U[-1, 1], or `normal`, each from N(0, 1).

    Returns:
        float32 [count, latent_length].
    """
    if prior == "normal":
        pairs = uniform(key, [count, latent_length, 2])
        return _box_muller(pairs[..., 0], pairs[..., 1])
    return uniform(key, [count, latent_length], -1.0, 1.0)


def mixture(
    choice_key: tf.Tensor,
    noise_key: tf.Tensor,
    count: int | tf.Tensor,
    centers: tf.Tensor,
    sigma: float,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """float32 [count, features] draws from a mixture of isotropic Gaussians.

    Args:
        choice_key: decides the component of each draw.
        noise_key: decides where around its centre.
        count: how many draws.
        centers: float32 [components, features].
        sigma: standard deviation per axis.
        weights: float32 [components], summing to one. Equal if None.
    """
    chosen = components(choice_key, count, centers.shape[0], weights)
    return tf.gather(centers, chosen) + sigma * normal(noise_key, [count, centers.shape[1]])


def components(
    choice_key: tf.Tensor,
    count: int | tf.Tensor,
    number: int,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """The component of each draw of a mixture, int32 [count]; see `mixture`.

    Args:
        choice_key: decides them.
        count: how many draws.
        number: of components.
        weights: float32 [number], summing to one. Equal if None.
    """
    if weights is None:
        return tf.random.stateless_uniform([count], choice_key, 0, number, tf.int32, alg="philox")
    # Inverse transform sampling; the last edge is left out, so rounding cannot pass the end.
    edges = tf.cumsum(tf.cast(weights, tf.float32))[:-1]
    return tf.searchsorted(edges, uniform(choice_key, [count]), side="right")


def replica_of() -> tuple[int | tf.Tensor, int]:
    """Which replica runs this code, and of how many; 0 and 1 outside of a strategy."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def mean_over_replicas(values: tf.Tensor) -> tf.Tensor:
    """The mean of what the replicas have, the same on all of them."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, values)


_MASKS = 1 << 16  # of one update, at most


class Draw:
    """The random draws of one discriminator update: a pure function of seed and update.

    Under a distribution strategy every replica draws for the whole batch and keeps its own rows, so
    that the draws of a step do not depend on how many share it.
    """

    def __init__(self, seed: int, update: tf.Tensor, repeat: int = 0):
        """Names the draws.

        Args:
            seed: the run's seed.
            update: number of the discriminator's update, an integer scalar.
            repeat: which of the updates of the other networks that follow it; each draws anew.
        """
        self._seed = seed
        self._update = update
        self._repeat = repeat
        self._masks = itertools.count(_MASKS * repeat)
        self._replica, self._replicas = replica_of()

    def rows(
        self, draw: Callable[..., tf.Tensor], count: tf.Tensor, *purposes: Purpose
    ) -> tf.Tensor:
        """This replica's rows of what is drawn for all.

        Args:
            draw: maps a key for each purpose and a count to a tensor [count, ...].
            count: rows of this replica.
            purposes: what the draws are for.
        """
        return self._rows_of_part(draw, count, self._repeat, *purposes)

    def _rows_of_part(
        self, draw: Callable[..., tf.Tensor], count: tf.Tensor, part: int, *purposes: Purpose
    ) -> tf.Tensor:
        keys = [key(self._seed, self._update, purpose, part) for purpose in purposes]
        if self._replicas == 1:
            return draw(*keys, count)
        drawn = draw(*keys, count * self._replicas)
        first = count * self._replica
        return drawn[first : first + count]

    def latents(self, count: tf.Tensor, latent_length: int, prior: str = "uniform") -> tf.Tensor:
        """Draws of the prior, float32 [count, latent_length]; see `latents`."""
        return self.rows(lambda k, n: latents(k, n, latent_length, prior), count, Purpose.LATENT)

    def epsilon(self, count: tf.Tensor) -> tf.Tensor:
        """Places between the ends of pairs, float32 [count] in [0, 1)."""
        return self.rows(lambda k, n: uniform(k, [n]), count, Purpose.INTERPOLATION)

    def uniform(self, like: tf.Tensor, purpose: Purpose) -> tf.Tensor:
        """A float32 draw in [0, 1) for each value of a tensor whose rows are examples."""
        return self.rows(lambda k, n: uniform(k, [n, *like.shape[1:]]), tf.shape(like)[0], purpose)

    def normal(self, like: tf.Tensor, purpose: Purpose) -> tf.Tensor:
        """A standard normal draw, float32, for each value of a tensor whose rows are examples."""
        return self.rows(lambda k, n: normal(k, [n, *like.shape[1:]]), tf.shape(like)[0], purpose)

    def mask(self, like: tf.Tensor) -> tf.Tensor:
        """As `uniform`, other numbers at each call: for layers that drop units."""
        return self._rows_of_part(
            lambda k, n: uniform(k, [n, *like.shape[1:]]),
            tf.shape(like)[0],
            next(self._masks),
            Purpose.DROPOUT,
        )


_draws: contextvars.ContextVar["Draw | None"] = contextvars.ContextVar("draws", default=None)


@contextlib.contextmanager
def drawing_from(draw: Draw) -> Iterator[None]:
    """Lets layers that need random numbers find the draws of the update that runs."""
    token = _draws.set(draw)
    try:
        yield
    finally:
        _draws.reset(token)


def current_draw() -> Draw | None:
    """The draws of the update that runs; None outside of any."""
    return _draws.get()
