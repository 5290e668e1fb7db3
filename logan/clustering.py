"""k-means: points divided over centres so that the squares of distances are small.

S. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory, 1982; the
first centres by D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding",
SODA 2007.
"""

import numpy as np

__all__ = ["best_k_means", "first_centers", "k_means", "means_of"]

MOST_ROUNDS = 100
STARTS = 10


def first_centers(points: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Points that lie apart: each further one drawn by its squared distance from those before it.

    Args:
        points: floating [points, features], at least `count`.
        count: k.
        seed: of the draws.

    Returns:
        float32 [count, features].

    Raises:
        ValueError: if there are fewer points than centres.
    """
    if not 1 <= count <= len(points):
        raise ValueError(f"Expected 1 to {len(points)} centers. Received: {count}")
    points, draws = np.asarray(points, np.float64), np.random.default_rng(seed)
    chosen = [int(draws.integers(len(points)))]
    nearest = _squares(points, points[chosen])[:, 0]
    for _ in range(count - 1):
        total = nearest.sum()
        # Of points that are all alike any one will do.
        shares = nearest / total if total > 0 else np.full(len(points), 1 / len(points))
        chosen.append(int(draws.choice(len(points), p=shares)))
        nearest = np.minimum(nearest, _squares(points, points[chosen[-1:]])[:, 0])
    return points[chosen].astype(np.float32)


def best_k_means(
    points: np.ndarray, count: int, seed: int, starts: int = STARTS
) -> tuple[np.ndarray, np.ndarray]:
    """The best of several searches that begin with `first_centers`: of the least sum of squares.

    Args:
        points: floating [points, features], at least `count`.
        count: k.
        seed: of the draws.
        starts: how many searches.

    Returns:
        As `k_means`.
    """
    found = [k_means(points, first_centers(points, count, seed + start)) for start in range(starts)]
    sums = [np.square(points - centers[labels]).sum() for centers, labels in found]
    return found[int(np.argmin(sums))]


def k_means(
    points: np.ndarray, centers: np.ndarray, rounds: int = MOST_ROUNDS
) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's algorithm: every point to its nearest centre, every centre to the mean of its points.

    Args:
        points: floating [points, features].
        centers: floating [k, features], where to begin.
        rounds: at most so many; it ends when no point changes its centre.

    Returns:
        The centres, float32 [k, features], and each point's, int64 [points]. A centre that no
        point is nearest to moves to the point that lies farthest from its own centre.
    """
    points = np.asarray(points, np.float64)
    labels = np.full(len(points), -1)
    for _ in range(rounds):
        squares = _squares(points, centers)
        nearest = squares.argmin(axis=1)
        if (nearest == labels).all():
            break
        labels = nearest
        centers = means_of(points, labels, squares[np.arange(len(points)), labels], len(centers))
    return centers, _squares(points, centers).argmin(axis=1)


def means_of(points: np.ndarray, labels: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    """The mean of each cluster's points, float32 [count, features].

    Args:
        points: floating [points, features].
        labels: int [points].
        squares: [points], by which the first point for a cluster without any is the largest, the
            next one for the next such cluster, and so on.
        count: k.
    """
    sizes = np.bincount(labels, minlength=count)
    sums = np.zeros((count, points.shape[1]), np.float64)
    np.add.at(sums, labels, points)
    means = sums / np.maximum(sizes, 1)[:, None]
    empty = np.flatnonzero(sizes == 0)
    farthest = np.argsort(-squares, kind="stable")[: len(empty)]
    means[empty[: len(farthest)]] = points[farthest]
    return means.astype(np.float32)


def _squares(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Squared distances, float64 [points, centers], not below 0."""
    mean = points.mean(axis=0)  # without which digits are lost where all lie far from 0
    x, y = points - mean, centers - mean
    squares = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2.0 * (x @ y.T)
    return np.maximum(squares, 0.0)
