"""Which real images a generator misses, and what it copies, by features of images."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from logan.metrics.distances import as_pair, blocks, centred, fill_own, squared_distances
from logan.metrics.neighbours import nearest_distances

# Sizes of neighbourhoods that are looked at: a small one sees a small hole, a large one sees that
# a wide region is thin.
NEIGHBOURHOODS = (8, 16, 32, 64, 128)

# Distances below this share of the root mean square distance of two real images are alike.
ALIKE = 0.05

# Below this chance an image counts as missed.
SURE = 0.05

# Held-out images this near to a training image are the nearest hundredth of their kind.
COPY_QUANTILE = 0.01


@dataclasses.dataclass(frozen=True)
class Missed:
    """How well each real image is covered.

    Attributes:
        distances: float64 [real images], to the nearest generated image.
        nearest: int64 [real images], which one that is.
        chance: float64 [real images] in [0, 1], see `missed_images`.
        neighbourhood: int64 [real images], the size of that in which generations are fewest.
        generated_in_it: int64 [real images], how many of it are generated.
        reach: float64 [real images], how far it reaches.
    """

    distances: np.ndarray
    nearest: np.ndarray
    chance: np.ndarray
    neighbourhood: np.ndarray
    generated_in_it: np.ndarray
    reach: np.ndarray

    def worst_first(self) -> np.ndarray:
        """int64 [real images], by chance, and where that is equal by distance."""
        return np.lexsort((-self.distances, self.chance))


def missed_images(real: ArrayLike, generated: ArrayLike, alike: float | None = None) -> Missed:
    """Looks for real images around which generations are fewer than by chance.

    If both sets came from one distribution, each of the K images nearest to a real one, among all
    others, would be a generated one by the luck of the draw: their number is hypergeometric (the
    argument of J. Friedman and L. Rafsky's and of N. Henze's tests by neighbours, Annals of
    Statistics 1979 and 1988). `chance` is the probability of so few or fewer, for the worst of
    several K, times the number of images and of those K (Bonferroni), at most 1. So for equal
    distributions any chance at all is below 0.05 in at most one of twenty sets.

    A generator's images lie a little beside the real ones everywhere. What is missed must stand out
    of that: distances to generations are divided by their median ratio to distances between
    neighbours among real images, where it is above 1. And distances up to `alike` are alike,
    generations first, so that a generation that nearly equals many equal images is none the less
    among them.

    Args:
        real: floating [images, features], at least 2, finite.
        generated: floating [generated images, features], likewise.
        alike: a distance; by default a twentieth of the root mean square distance of two real
            images.

    Raises:
        ValueError: if the features are not of this form.
    """
    real, generated = as_pair(real, generated, 2)
    distances, nearest = nearest_distances(real, generated)
    sizes = [k for k in NEIGHBOURHOODS if k < min(len(real), len(generated))]
    if not sizes:
        ones = np.ones(len(real))
        none = np.zeros(len(real), np.int64)
        return Missed(distances, nearest, ones, none, none, distances)
    found, reach = _generated_among(real, generated, sizes, alike)
    chances = np.stack(
        [
            _chances_of_few(size, len(real) - 1, len(generated))[found[:, column]]
            for column, size in enumerate(sizes)
        ],
        axis=1,
    )
    worst = chances.argmin(axis=1)
    rows = np.arange(len(real))
    return Missed(
        distances,
        nearest,
        np.minimum(chances[rows, worst] * len(real) * len(sizes), 1.0),
        np.array(sizes)[worst],
        found[rows, worst],
        reach[rows, worst],
    )


def missed_by_any(found: Sequence[Missed]) -> tuple[Missed, int]:
    """What is missed by those of several kinds of features that are the surest of it.

    What one kind hardly sees, such as where a small thing stands, another may. Each has a chance of
    its own to be wrong, so `chance` is multiplied by their number.

    Args:
        found: what `missed_images` found by each kind, of the same images.

    Returns:
        What was found, and by which kind; of equally sure ones the first.
    """
    surest = min(range(len(found)), key=lambda kind: found[kind].chance.min())
    chance = np.minimum(len(found) * found[surest].chance, 1.0)
    return dataclasses.replace(found[surest], chance=chance), surest


def cases(
    found: Missed,
    features: np.ndarray,
    most: int,
    is_next: Callable[[int, int], bool] = lambda one, other: False,
) -> np.ndarray:
    """Puts together what is missed for one reason.

    The worst image heads the first case, the worst of those left over the next. To a case belong
    the images nearer to its head than the head's nearest generation, images that are next to it in
    time, and, if the head is surely missed, those that are missed in neighbourhoods which overlap.

    Args:
        found: what `missed_images` found.
        features: floating [images, features].
        most: how many cases to make at most.
        is_next: whether two images are neighbours in time.

    Returns:
        int64 [images], the number of each image's case from 0; -1 for those of none.
    """
    case = np.full(len(features), -1, np.int64)
    is_missed = found.chance < SURE
    number = 0
    for head in found.worst_first().tolist():
        if case[head] >= 0:
            continue
        if number == most:
            break
        waiting = [head]
        while waiting:
            at = waiting.pop()
            free = np.flatnonzero(case < 0)
            gaps = np.linalg.norm(features[free].astype(np.float64) - features[at], axis=1)
            near = free[gaps < (found.reach[at] if is_missed[at] else found.distances[at])]
            case[at] = number
            case[near] = number
            if is_missed[at]:
                waiting += near[is_missed[near]].tolist()
            _add_neighbours(case, number, at, is_next)
        number += 1
    return case


class Copies(NamedTuple):
    """How near generated images come to training images.

    Attributes:
        is_copy: bool [generated images], see `near_copies`.
        share: of generated images that are copies.
        held_out_share: of held-out images that are as near.
        distances: float64 [generated images], to the nearest training image.
        nearest: int64 [generated images], which one that is.
    """

    is_copy: np.ndarray
    share: float
    held_out_share: float
    distances: np.ndarray
    nearest: np.ndarray


def near_copies(generated: ArrayLike, train: ArrayLike, held_out: ArrayLike) -> Copies:
    """Which generated images are nearer to a training image than held-out images ever are.

    Nearer than a hundredth of the held-out images: of a generator that does not copy a hundredth
    of the generations are so as well. (The idea is that of C. Meehan et al., "A Non-Parametric Test
    to Detect Data-Copying in Generative Models", AISTATS 2020.)

    Args:
        generated: floating [generated images, features], finite.
        train: floating [training images, features], likewise.
        held_out: floating [held-out images, features], likewise.

    Returns:
        What was found; the share of held-out images is a hundredth unless distances are equal.

    Raises:
        ValueError: if the features are not of this form.
    """
    usual = nearest_distances(held_out, train)[0]
    limit = np.quantile(usual, COPY_QUANTILE)
    distances, nearest = nearest_distances(generated, train)
    is_copy = distances <= limit
    held_out_share = float((usual <= limit).mean())
    return Copies(is_copy, float(is_copy.mean()), held_out_share, distances, nearest)


def _generated_among(
    real: np.ndarray, generated: np.ndarray, sizes: list[int], alike: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """How many of each image's nearest others are generated, and how far away the last one is.

    Returns:
        int64 and float64 [real images, sizes].
    """
    first, second = centred(real, generated)
    most = sizes[-1]
    if alike is None:
        alike = ALIKE * math.sqrt(2 * np.mean(np.sum(first**2, axis=1)))
    ours, theirs = [], []
    for block in blocks(len(first)):
        distances = squared_distances(first[block], first)
        fill_own(distances, block, np.inf)
        ours.append(_smallest(distances, most))
        theirs.append(_smallest(squared_distances(first[block], second), most))
    to_real = np.maximum(np.sqrt(np.concatenate(ours)), alike)
    to_generated = np.maximum(np.sqrt(np.concatenate(theirs)), alike)
    if alike > 0:
        to_generated /= max(1.0, float(np.median(to_generated[:, 0] / to_real[:, 0])))
    both = np.hstack([to_generated, to_real])
    # Of equal distances those to generations come first.
    order = np.argsort(both, axis=1, kind="stable")
    found = np.stack([np.count_nonzero(order[:, :k] < most, axis=1) for k in sizes], axis=1)
    last = order[:, np.array(sizes) - 1]
    return found, np.take_along_axis(both, last, axis=1)


def _smallest(distances: np.ndarray, count: int) -> np.ndarray:
    return np.sort(np.partition(distances, count - 1, axis=1)[:, :count], axis=1)


def _chances_of_few(drawn: int, real: int, generated: int) -> np.ndarray:
    """float64 [drawn + 1], the probability that at most so many of those drawn are generated."""
    ways = [math.comb(generated, j) * math.comb(real, drawn - j) for j in range(drawn + 1)]
    total = math.comb(real + generated, drawn)
    return np.array([sum(ways[: j + 1]) / total for j in range(drawn + 1)])


def _add_neighbours(
    case: np.ndarray, number: int, head: int, is_next: Callable[[int, int], bool]
) -> None:
    """Goes from the head to both sides as long as images are neighbours in time."""
    for step in (-1, 1):
        at = head
        while 0 <= at + step < len(case) and case[at + step] < 0 and is_next(at, at + step):
            at += step
            case[at] = number
