"""How close the distribution of generated images comes to that of real ones, in feature space.

Every measure takes two sets of feature vectors, floating [images, features], as one of
`logan.metrics.extractors` makes them, and says nothing about what the features are: only those of
one extractor compare with each other. All of it is computed in float64, a block of rows at a time,
so that memory is a float64 copy of the features and one block of distances.

No measure suffices alone. The Fréchet and the kernel distance tell how far apart the two
distributions are; by `logan.metrics.neighbours`, precision and density tell whether what is
generated looks real, recall and coverage whether what is real is generated.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from logan.metrics.distances import (
    as_features,
    as_pair,
    blocks,
    centred,
    fill_own,
    float64,
    squared_distances,
)
from logan.metrics.neighbours import (
    density_coverage,
    nearest_distances,
    neighbour_measures,
    precision_recall,
)

__all__ = [
    "density_coverage",
    "fidelity",
    "frechet_distance",
    "gaussian_frechet_distance",
    "gaussian_moments",
    "inception_score",
    "kernel_distance",
    "maximum_mean_discrepancy",
    "nearest_distances",
    "precision_recall",
]

# Images whose pairs give the median distance: half a million pairs.
BANDWIDTH_IMAGES = 1000

# A kernel takes [rows, features] and [others, features] to [rows, others].
Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def fidelity(
    real: ArrayLike,
    generated: ArrayLike,
    seed: int = 0,
    precision_neighbours: int = 3,
    density_neighbours: int = 5,
) -> dict[str, float]:
    """Every measure of two sets of features by name.

    Args:
        real: floating [images, features], finite; more images than neighbours, and at least 4.
        generated: floating [generated images, features] of the same extractor.
        seed: see `kernel_distance`.
        precision_neighbours: see `logan.metrics.neighbours`.
        density_neighbours: see `logan.metrics.neighbours`.

    Returns:
        frechet_distance, kernel_distance, kernel_distance_error, precision, recall, density,
        coverage, and mmd unless the real images are all equal. The first two are FID and KID only
        for features of an Inception network.

    Raises:
        ValueError: if the features are not of this form.
    """
    real, generated = as_pair(real, generated, 4)
    kernel, kernel_error = kernel_distance(real, generated, seed=seed)
    neighbours = neighbour_measures(real, generated, precision_neighbours, density_neighbours)
    measures = {
        "frechet_distance": frechet_distance(real, generated),
        "kernel_distance": kernel,
        "kernel_distance_error": kernel_error,
        **neighbours,
    }
    bandwidth = _median_distance(centred(real, generated)[0])
    if bandwidth > 0:
        measures["mmd"] = maximum_mean_discrepancy(real, generated, bandwidth)
    return measures


def frechet_distance(real: ArrayLike, generated: ArrayLike) -> float:
    """The Fréchet distance of two Gaussians with the moments of the features.

        ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½)

    It is the FID when the features are those of the Inception network (M. Heusel et al., "GANs
    Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017).
    It is biased: fewer images give a larger distance, so compare equal numbers only, and fewer
    images than features give covariances that are singular and distances that are mostly bias.

    Args:
        real: floating [images, features], at least 2 images, finite.
        generated: floating [generated images, features].

    Returns:
        A number of 0 or more, in the features' unit squared.

    Raises:
        ValueError: if the features are not of this form.
    """
    real, generated = as_pair(real, generated, 2)
    return gaussian_frechet_distance(*gaussian_moments(real), *gaussian_moments(generated))


def gaussian_moments(features: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the unbiased covariance, the sum over images divided by their number less 1.

    Args:
        features: floating [images, features], at least 2 images, finite.

    Returns:
        float64 [features] and float64 [features, features].

    Raises:
        ValueError: if the features are not of this form.
    """
    features = as_features("features", features, 2)
    mean = np.asarray(np.mean(features, axis=0, dtype=np.float64))
    covariance = np.zeros((len(mean), len(mean)))
    for block in blocks(len(features)):
        centred = features[block] - mean
        covariance += centred.T @ centred
    return mean, covariance / (len(features) - 1)


def gaussian_frechet_distance(
    mean: np.ndarray, covariance: np.ndarray, other_mean: np.ndarray, other_covariance: np.ndarray
) -> float:
    """The Fréchet distance of two Gaussians, see `frechet_distance`.

    With Σ₁ = R Rᵀ, the trace of (Σ₁ Σ₂)^½ is the sum of the roots of the eigenvalues of Rᵀ Σ₂ R
    (D. Dowson and B. Landau, "The Fréchet distance between multivariate normal distributions",
    Journal of Multivariate Analysis, 1982). That matrix is symmetric, so nothing turns complex.

    Args:
        mean: floating [features].
        covariance: floating [features, features], symmetric; it may be singular.
        other_mean: as `mean`.
        other_covariance: as `covariance`.

    Returns:
        A number of 0 or more.

    Raises:
        ValueError: if the shapes do not fit.
    """
    shapes = [np.shape(one) for one in (mean, covariance, other_mean, other_covariance)]
    if len(shapes[0]) != 1 or shapes != [shapes[0], shapes[0] * 2] * 2:
        raise ValueError(
            "Expected means of shape [features] and covariances of shape [features, features]. "
            f"Received: {', '.join(map(str, shapes))}."
        )
    first, second = (np.asarray(one, np.float64) for one in (covariance, other_covariance))
    shift = np.asarray(mean, np.float64) - np.asarray(other_mean, np.float64)
    root = _root(first)
    # Rounding may leave an eigenvalue of 0 just below it.
    eigenvalues = np.linalg.eigvalsh(root.T @ second @ root).clip(0)
    distance = shift @ shift + np.trace(first) + np.trace(second) - 2 * np.sqrt(eigenvalues).sum()
    return float(max(distance, 0.0))


def kernel_distance(
    real: ArrayLike, generated: ArrayLike, subsets: int = 10, seed: int = 0
) -> tuple[float, float]:
    """The kernel distance: the unbiased squared MMD with a polynomial kernel, and its error.

        k(x, y) = (x·y / features + 1)³

    It is the KID when the features are those of the Inception network (M. Bińkowski et al.,
    "Demystifying MMD GANs", ICLR 2018). Its expectation does not depend on the number of images.

    The images are shuffled and dealt into disjoint subsets, of which each gives one estimate, and
    the standard error is their standard deviation / √subsets. (Common code draws overlapping
    subsets, whose mean estimates the same but whose deviation tells little of its error.)

    Args:
        real: floating [images, features], at least 4 images, finite.
        generated: floating [generated images, features].
        subsets: into how many subsets to deal, 2 or more; at most half of the smaller set.
        seed: which images stand together, a pure function of this number and the numbers of
            images.

    Returns:
        The mean over subsets, a little below 0 at times for equal distributions, and its standard
        error.

    Raises:
        ValueError: if the features are not of this form, or there are less than 2 subsets.
    """
    real, generated = as_pair(real, generated, 4)
    if subsets < 2:
        raise ValueError(f"Expected 2 subsets or more. Received: {subsets}.")
    subsets = min(subsets, len(real) // 2, len(generated) // 2)
    estimates = [
        _unbiased_discrepancy(float64(real[mine]), float64(generated[theirs]), _cubic_kernel)
        for mine, theirs in zip(
            _dealt(len(real), subsets, seed, stream=0),
            _dealt(len(generated), subsets, seed, stream=1),
            strict=True,
        )
    ]
    return float(np.mean(estimates)), float(np.std(estimates, ddof=1) / np.sqrt(subsets))


def maximum_mean_discrepancy(
    real: ArrayLike, generated: ArrayLike, bandwidth: float | None = None
) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy, with a Gaussian kernel.

        mean over i ≠ j of k(xᵢ, xⱼ) + mean over i ≠ j of k(yᵢ, yⱼ) - 2 mean over i, j of k(xᵢ, yⱼ)
        k(x, y) = exp(-‖x - y‖² / (2 σ²))

    (A. Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, equation 3.) The bandwidth σ is the
    median distance of two real images that are not equal, over at most 1,000 of them evenly spaced.
    It takes no part of the generated images, so that runs against the same real images compare.

    Args:
        real: floating [images, features], at least 2 images, finite.
        generated: floating [generated images, features].
        bandwidth: σ, in the features' unit; the median distance if None.

    Returns:
        A number of at most 2, a little below 0 at times for equal distributions.

    Raises:
        ValueError: if the features are not of this form, or the bandwidth is not positive: given
            so, or because the real images are all equal.
    """
    real, generated = as_pair(real, generated, 2)
    first, second = centred(real, generated)
    sigma = _median_distance(first) if bandwidth is None else bandwidth
    if not sigma > 0:
        raise ValueError(f"Expected a bandwidth above 0. Received: {sigma}.")
    return _unbiased_discrepancy(
        first, second, lambda x, y: np.exp(squared_distances(x, y) / (-2 * sigma**2))
    )


def inception_score(probabilities: ArrayLike, splits: int = 10) -> tuple[float, float]:
    """The Inception score of generated images, and its deviation over splits.

        exp(mean over images of KL(p(y | x) ‖ p(y)))

    with p(y) the mean of p(y | x) over the split's images (T. Salimans et al., "Improved
    Techniques for Training GANs", NeurIPS 2016). It never sees real images, and means little for
    images unlike the classifier's.

    Args:
        probabilities: floating [images, classes], each row summing to 1.
        splits: in how many equal parts, as far as they divide, to cut the images in their order.

    Returns:
        The mean, between 1 and the number of classes, and the standard deviation over splits.

    Raises:
        ValueError: if the rows are not probabilities, or if images are fewer than splits.
    """
    if splits < 1:
        raise ValueError(f"Expected 1 split or more. Received: {splits}.")
    probabilities = as_features("probabilities", probabilities, splits)
    sums = np.sum(probabilities, axis=1, dtype=np.float64)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        raise ValueError(
            "Expected probabilities of 0 or more, each row summing to 1. "
            f"Received: a minimum of {probabilities.min()}, sums from {sums.min()} to {sums.max()}."
        )
    scores = [_score_of_split(part) for part in np.array_split(float64(probabilities), splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _score_of_split(probabilities: np.ndarray) -> float:
    # Where p(y | x) is 0 the term is 0; elsewhere p(y) is above 0 too.
    some = probabilities > 0
    marginal = np.broadcast_to(probabilities.mean(axis=0), probabilities.shape)
    terms = probabilities[some] * np.log(probabilities[some] / marginal[some])
    return float(np.exp(terms.sum() / len(probabilities)))


def _root(covariance: np.ndarray) -> np.ndarray:
    """R [features, rank] with R Rᵀ = covariance, without the directions that rounding made."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    noise = eigenvalues[-1] * len(eigenvalues) * np.finfo(np.float64).eps
    some = eigenvalues > max(noise, 0.0)
    return vectors[:, some] * np.sqrt(eigenvalues[some])


def _cubic_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    base = x @ y.T / x.shape[1] + 1
    return base * base * base


def _unbiased_discrepancy(x: np.ndarray, y: np.ndarray, kernel: Kernel) -> float:
    """The unbiased squared MMD, see `maximum_mean_discrepancy` for its formula."""
    within_x = _mean_of_others(x, kernel)
    within_y = _mean_of_others(y, kernel)
    between = sum(kernel(x[block], y).sum() for block in blocks(len(x))) / (len(x) * len(y))
    return float(within_x + within_y - 2 * between)


def _mean_of_others(x: np.ndarray, kernel: Kernel) -> float:
    """The mean of the kernel over all pairs of two different rows."""
    total = 0.0
    for block in blocks(len(x)):
        values = kernel(x[block], x)
        fill_own(values, block, 0.0)
        total += values.sum()
    return total / (len(x) * (len(x) - 1))


def _median_distance(features: np.ndarray) -> float:
    """The median distance of two images that are not equal; 0 if all are equal."""
    count = min(len(features), BANDWIDTH_IMAGES)
    some = features[np.linspace(0, len(features) - 1, count).astype(int)]
    distances = squared_distances(some, some)[np.triu_indices(count, 1)]
    # A fixed camera that sees nothing for most of the time makes equal images.
    distances = distances[distances > 0]
    return float(np.sqrt(np.median(distances))) if len(distances) else 0.0


def _dealt(count: int, subsets: int, seed: int, stream: int) -> Iterator[np.ndarray]:
    """Disjoint subsets of the indices below count, all of the same size."""
    # Raw words, because NumPy promises them for every version, unlike its permutations.
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, stream], np.uint64)
    order = np.argsort(np.random.Philox(key=key).random_raw(count), kind="stable")
    size = count // subsets
    return (order[first : first + size] for first in range(0, subsets * size, size))
