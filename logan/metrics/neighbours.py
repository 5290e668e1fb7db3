"""Whose neighbours are generated images, and whose are not: measures by nearest neighbours.

Among real images many may be equal, such as the empty frames of a fixed camera. A ball that reaches
to the k-th nearest neighbour has then no extent. It is made to reach half-way to the nearest real
image that differs; and it holds what is equal to its centre, but for rounding.
"""

import numpy as np
from numpy.typing import ArrayLike

from logan.metrics.distances import (
    as_features,
    as_pair,
    blocks,
    centred,
    equal_below,
    fill_own,
    float64,
    squared_distances,
)

# By what rounding does to distances that are equal.
_WIDE, _NARROW = 1 + 1e-9, 1 - 1e-9


def precision_recall(
    real: ArrayLike, generated: ArrayLike, neighbours: int = 3
) -> tuple[float, float]:
    """The share of generated images that look real, and of real images that are generated.

    Each set's region is the union of closed balls around its images that reach to the image's
    k-th nearest neighbour in the same set. Precision is the share of generated images in the
    region of the real ones, recall that of real images in the region of the generated ones
    (T. Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative
    Models", NeurIPS 2019). Both depend on the number of images: compare equal numbers only.

    A real image with k equal ones reaches half-way to the nearest that differs. A generated one
    does not: a generator of few images, all repeated, has balls without extent and a low recall.

    Args:
        real: floating [images, features], more images than `neighbours`, finite.
        generated: floating [generated images, features], likewise.
        neighbours: k. The paper's is 3.

    Returns:
        Precision and recall, each in [0, 1]. Both are 1 for a copy of the real images.

    Raises:
        ValueError: if the features are not of this form or too few, or `neighbours` is below 1.
    """
    measures = neighbour_measures(real, generated, neighbours, neighbours)
    return measures["precision"], measures["recall"]


def density_coverage(
    real: ArrayLike, generated: ArrayLike, neighbours: int = 5
) -> tuple[float, float]:
    """How densely generated images lie among real ones, and the share of real ones they reach.

    With the open balls around real images that reach to the image's k-th nearest real neighbour,
    density is the share of generated images in a ball over the share of real images in it,
    averaged over real images, and coverage is the share of balls that hold a generated image (M.
    Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020). A
    ball holds k real images, its own among them, unless distances are equal; so density is the
    paper's, the number of balls around a generated image / k. One real outlier, whose ball is huge,
    raises them less than precision, and generated outliers raise neither.

    A real image with k equal ones reaches half-way to the nearest that differs.

    Args:
        real: floating [images, features], more images than `neighbours`, finite.
        generated: floating [generated images, features], likewise.
        neighbours: k. The paper's is 5.

    Returns:
        Density, of 0 or more and not bounded by 1, and coverage in [0, 1]. Both are 1 for a copy
        of the real images.

    Raises:
        ValueError: if the features are not of this form or too few, or `neighbours` is below 1.
    """
    measures = neighbour_measures(real, generated, neighbours, neighbours)
    return measures["density"], measures["coverage"]


def neighbour_measures(
    real: ArrayLike,
    generated: ArrayLike,
    precision_neighbours: int = 3,
    density_neighbours: int = 5,
) -> dict[str, float]:
    """precision, recall, density and coverage by name, in one pass over all distances.

    Args:
        real: floating [images, features], more images than neighbours, finite.
        generated: floating [generated images, features], likewise.
        precision_neighbours: see `precision_recall`.
        density_neighbours: see `density_coverage`.

    Raises:
        ValueError: see `precision_recall`.
    """
    most = max(precision_neighbours, density_neighbours)
    if min(precision_neighbours, density_neighbours) < 1:
        raise ValueError(
            "Expected 1 neighbour or more. Received: "
            f"{min(precision_neighbours, density_neighbours)}."
        )
    real, generated = as_pair(real, generated, most + 1)
    first, second = centred(real, generated)
    equal = equal_below(real, generated)
    radii, real_held = _real_balls(first, [precision_neighbours, density_neighbours], equal)
    wide, narrow = radii[0] * _WIDE, radii[1] * _NARROW
    generated_reach = _WIDE * _squared_radii(second, precision_neighbours)
    precise = 0
    is_recalled = np.zeros(len(first), bool)
    held = np.zeros(len(first))
    for block in blocks(len(second)):
        distances = squared_distances(second[block], first)
        is_equal = distances <= equal
        precise += int(np.count_nonzero(((distances <= wide) | is_equal).any(axis=1)))
        is_recalled |= ((distances <= generated_reach[block, None]) | is_equal).any(axis=0)
        held += np.count_nonzero((distances < narrow) | is_equal, axis=0)
    return {
        "precision": precise / len(second),
        "recall": float(is_recalled.mean()),
        "density": float(np.mean(held / real_held) * (len(first) / len(second))),
        "coverage": float(np.mean(held > 0)),
    }


def covered(real: ArrayLike, generated: ArrayLike, neighbours: int = 5) -> np.ndarray:
    """Which real images are covered, see `density_coverage`: bool [real images].

    Raises:
        ValueError: see `density_coverage`.
    """
    real, generated = as_pair(real, generated, neighbours + 1)
    first, second = centred(real, generated)
    equal = equal_below(real, generated)
    narrow = _real_balls(first, [neighbours], equal)[0][0] * _NARROW
    nearest = np.concatenate(
        [squared_distances(first[block], second).min(axis=1) for block in blocks(len(first))]
    )
    return (nearest < narrow) | (nearest <= equal)


def equal_share(features: ArrayLike) -> float:
    """The share of rows, floating [images, features], that another row is equal to; in [0, 1]."""
    rows = float64(as_features("features", features, 1))
    equal = equal_below(rows)
    has_equal = [
        np.count_nonzero(squared_distances(rows[block], rows) <= equal, axis=1) > 1
        for block in blocks(len(rows))
    ]
    return float(np.concatenate(has_equal).mean())


def nearest_distances(queries: ArrayLike, references: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """How far each query's nearest reference is, and which it is.

    With held-out images as queries and generated ones as references, the largest distances point
    to what the generator misses; with generated images and the training part, the smallest ones
    to what it copies.

    Args:
        queries: floating [queries, features], finite.
        references: floating [references, features].

    Returns:
        float64 [queries], the Euclidean distances, and int64 [queries], the references' indices.

    Raises:
        ValueError: if the features are not of this form.
    """
    queries, references = as_pair(queries, references, 1, "queries", "references")
    first, second = centred(references, queries)
    indices = [squared_distances(second[rows], first).argmin(1) for rows in blocks(len(second))]
    index = np.concatenate(indices).astype(np.int64)
    # Anew from the difference, which keeps the digits of distances that are small.
    distances = [
        np.linalg.norm(float64(queries[rows]) - references[index[rows]], axis=1)
        for rows in blocks(len(index))
    ]
    return np.concatenate(distances), index


def _real_balls(
    features: np.ndarray, neighbours: list[int], equal: float
) -> tuple[np.ndarray, np.ndarray]:
    """Each image's balls among its own kind.

    Returns:
        float64 [neighbours, images], squared radii, and int64 [images], how many images lie in the
        open balls of the last number of neighbours, their own among them.
    """
    at = [k - 1 for k in neighbours]
    radii, held = [], []
    for block in blocks(len(features)):
        distances = squared_distances(features[block], features)
        fill_own(distances, block, np.inf)
        reach = np.partition(distances, at, axis=1)[:, at]
        if np.any(reach <= equal):
            differing = np.where(distances > equal, distances, np.inf).min(axis=1)
            halfway = np.where(np.isfinite(differing), differing / 4, 0.0)
            reach = np.where(reach <= equal, halfway[:, None], reach)
        radii.append(reach)
        is_inside = (distances < reach[:, -1:] * _NARROW) | (distances <= equal)
        held.append(1 + np.count_nonzero(is_inside, axis=1))
    return np.concatenate(radii).T, np.concatenate(held)


def _squared_radii(features: np.ndarray, neighbours: int) -> np.ndarray:
    """float64 [images], the squared distance of each row to its k-th nearest other row."""
    radii = []
    for block in blocks(len(features)):
        distances = squared_distances(features[block], features)
        fill_own(distances, block, np.inf)
        # A view of one column would keep its whole block.
        radii.append(np.partition(distances, neighbours - 1, axis=1)[:, neighbours - 1].copy())
    return np.concatenate(radii)
