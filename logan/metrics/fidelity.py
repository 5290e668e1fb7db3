"""How close the distribution of generated images comes to that of real ones, in feature space.

Every measure takes two sets of feature vectors, floating [images, features], as one of
`logan.metrics.extractors` makes them, and says nothing about what the features are: only those of
one extractor compare with each other. All of it is computed in float64, a block of rows at a time,
so that memory is a float64 copy of the features and one block of distances.

No measure suffices alone. The Fréchet and the kernel distance tell how far apart the two
distributions are, precision and density whether what is generated looks real, recall and coverage
whether what is real is generated, and `nearest_distances` which real images are not.
"""

from collections.abc import Callable, Iterator

import numpy as np

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

# Rows in one block: against 50,000 others its distances take 200 MB.
BLOCK_ROWS = 512

# Images whose pairs give the median distance: half a million pairs.
BANDWIDTH_IMAGES = 1000

# A kernel takes [rows, features] and [others, features] to [rows, others].
Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def fidelity(
    real: np.ndarray,
    generated: np.ndarray,
    seed: int = 0,
    precision_neighbours: int = 3,
    density_neighbours: int = 5,
) -> dict[str, float]:
    """Every measure of two sets of features by name.

    Args:
        real: floating [images, features], finite; more images than neighbours, and at least 4.
        generated: floating [generated images, features] of the same extractor.
        seed: see `kernel_distance`.
        precision_neighbours: see `precision_recall`.
        density_neighbours: see `density_coverage`.

    Returns:
        frechet_distance, kernel_distance, kernel_distance_error, precision, recall, density,
        coverage, and mmd unless the real images are all equal. The first two are FID and KID only
        for features of an Inception network.

    Raises:
        ValueError: if the features are not of this form.
    """
    kernel, kernel_error = kernel_distance(real, generated, seed=seed)
    precision, recall = precision_recall(real, generated, precision_neighbours)
    density, coverage = density_coverage(real, generated, density_neighbours)
    measures = {
        "frechet_distance": frechet_distance(real, generated),
        "kernel_distance": kernel,
        "kernel_distance_error": kernel_error,
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
    }
    bandwidth = _median_distance(_centred(real, generated)[0])
    if bandwidth > 0:
        measures["mmd"] = maximum_mean_discrepancy(real, generated, bandwidth)
    return measures


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
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
    _check_pair(real, generated, 2)
    return gaussian_frechet_distance(*gaussian_moments(real), *gaussian_moments(generated))


def gaussian_moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the unbiased covariance, the sum over images divided by their number less 1.

    Args:
        features: floating [images, features], at least 2 images, finite.

    Returns:
        float64 [features] and float64 [features, features].

    Raises:
        ValueError: if the features are not of this form.
    """
    _check_features("features", features, 2)
    mean = np.asarray(np.mean(features, axis=0, dtype=np.float64))
    covariance = np.zeros((len(mean), len(mean)))
    for block in _blocks(len(features)):
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
    real: np.ndarray, generated: np.ndarray, subsets: int = 10, seed: int = 0
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
    _check_pair(real, generated, 4)
    if subsets < 2:
        raise ValueError(f"Expected 2 subsets or more. Received: {subsets}.")
    subsets = min(subsets, len(real) // 2, len(generated) // 2)
    estimates = [
        _unbiased_discrepancy(_float64(real[mine]), _float64(generated[theirs]), _cubic_kernel)
        for mine, theirs in zip(
            _dealt(len(real), subsets, seed, stream=0),
            _dealt(len(generated), subsets, seed, stream=1),
            strict=True,
        )
    ]
    return float(np.mean(estimates)), float(np.std(estimates, ddof=1) / np.sqrt(subsets))


def maximum_mean_discrepancy(
    real: np.ndarray, generated: np.ndarray, bandwidth: float | None = None
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
    _check_pair(real, generated, 2)
    first, second = _centred(real, generated)
    sigma = _median_distance(first) if bandwidth is None else bandwidth
    if not sigma > 0:
        raise ValueError(f"Expected a bandwidth above 0. Received: {sigma}.")
    return _unbiased_discrepancy(
        first, second, lambda x, y: np.exp(_squared_distances(x, y) / (-2 * sigma**2))
    )


def precision_recall(
    real: np.ndarray, generated: np.ndarray, neighbours: int = 3
) -> tuple[float, float]:
    """The share of generated images that look real, and of real images that are generated.

    Each set's region is the union of closed balls around its images that reach to the image's
    k-th nearest neighbour in the same set. Precision is the share of generated images in the
    region of the real ones, recall that of real images in the region of the generated ones
    (T. Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative
    Models", NeurIPS 2019). Both depend on the number of images: compare equal numbers only.

    Args:
        real: floating [images, features], more images than `neighbours`, finite.
        generated: floating [generated images, features], likewise.
        neighbours: k. The paper's is 3.

    Returns:
        Precision and recall, each in [0, 1].

    Raises:
        ValueError: if the features are not of this form or too few, or `neighbours` is below 1.
    """
    _check_neighbours(real, generated, neighbours)
    first, second = _centred(real, generated)
    # Wide by what rounding does to distances that are equal.
    real_radii = _squared_radii(first, neighbours) * (1 + 1e-9)
    generated_radii = _squared_radii(second, neighbours) * (1 + 1e-9)
    precise = 0
    recalled = np.zeros(len(first), bool)
    for block in _blocks(len(second)):
        distances = _squared_distances(second[block], first)
        precise += int(np.count_nonzero((distances <= real_radii).any(axis=1)))
        recalled |= (distances <= generated_radii[block, None]).any(axis=0)
    return precise / len(second), float(recalled.mean())


def density_coverage(
    real: np.ndarray, generated: np.ndarray, neighbours: int = 5
) -> tuple[float, float]:
    """How densely generated images lie among real ones, and the share of real ones they reach.

    With the open balls around real images that reach to the image's k-th nearest real neighbour,
    density is the number of balls that hold a generated image, averaged over generated images, / k,
    and coverage is the share of balls that hold any (M. Naeem et al., "Reliable Fidelity and
    Diversity Metrics for Generative Models", ICML 2020). One real outlier, whose ball is huge,
    raises them less than precision, and generated outliers raise neither.

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
    _check_neighbours(real, generated, neighbours)
    first, second = _centred(real, generated)
    # Narrow by what rounding does to distances that are equal.
    radii = _squared_radii(first, neighbours) * (1 - 1e-9)
    held = 0
    covered = np.zeros(len(first), bool)
    for block in _blocks(len(second)):
        inside = _squared_distances(second[block], first) < radii
        held += int(np.count_nonzero(inside))
        covered |= inside.any(axis=0)
    return held / (neighbours * len(second)), float(covered.mean())


def nearest_distances(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    _check_pair(queries, references, 1, "queries", "references")
    first, second = _centred(references, queries)
    indices = [_squared_distances(second[rows], first).argmin(1) for rows in _blocks(len(second))]
    index = np.concatenate(indices).astype(np.int64)
    # Anew from the difference, which keeps the digits of distances that are small.
    distances = [
        np.linalg.norm(_float64(queries[rows]) - references[index[rows]], axis=1)
        for rows in _blocks(len(index))
    ]
    return np.concatenate(distances), index


def inception_score(probabilities: np.ndarray, splits: int = 10) -> tuple[float, float]:
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
    _check_features("probabilities", probabilities, splits)
    sums = np.sum(probabilities, axis=1, dtype=np.float64)
    if probabilities.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        raise ValueError(
            "Expected probabilities of 0 or more, each row summing to 1. "
            f"Received: a minimum of {probabilities.min()}, sums from {sums.min()} to {sums.max()}."
        )
    scores = [_score_of_split(part) for part in np.array_split(_float64(probabilities), splits)]
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
    between = sum(kernel(x[block], y).sum() for block in _blocks(len(x))) / (len(x) * len(y))
    return float(within_x + within_y - 2 * between)


def _mean_of_others(x: np.ndarray, kernel: Kernel) -> float:
    """The mean of the kernel over all pairs of two different rows."""
    total = 0.0
    for block in _blocks(len(x)):
        values = kernel(x[block], x)
        _fill_own(values, block, 0.0)
        total += values.sum()
    return total / (len(x) * (len(x) - 1))


def _median_distance(features: np.ndarray) -> float:
    """The median distance of two images that are not equal; 0 if all are equal."""
    count = min(len(features), BANDWIDTH_IMAGES)
    some = features[np.linspace(0, len(features) - 1, count).astype(int)]
    distances = _squared_distances(some, some)[np.triu_indices(count, 1)]
    # A fixed camera that sees nothing for most of the time makes equal images.
    distances = distances[distances > 0]
    return float(np.sqrt(np.median(distances))) if len(distances) else 0.0


def _squared_radii(features: np.ndarray, neighbours: int) -> np.ndarray:
    """float64 [images], the squared distance of each row to its k-th nearest other row."""
    radii = []
    for block in _blocks(len(features)):
        distances = _squared_distances(features[block], features)
        _fill_own(distances, block, np.inf)
        radii.append(np.partition(distances, neighbours - 1, axis=1)[:, neighbours - 1])
    return np.concatenate(radii)


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float64 [rows of x, rows of y]; exactly 0 for equal rows."""
    scale = np.sum(x**2, axis=1)[:, None] + np.sum(y**2, axis=1)
    distances = scale - 2 * (x @ y.T)
    # What the difference of two nearly equal numbers leaves is rounding, not distance.
    distances[distances < 1e-13 * scale] = 0
    return distances


def _fill_own(values: np.ndarray, block: slice, value: float) -> None:
    """Overwrites what each row has with itself, where the columns are all rows."""
    rows = np.arange(len(values))
    values[rows, block.start + rows] = value


def _centred(features: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the mean of the first, which leaves distances and saves digits of theirs."""
    mean = np.mean(features, axis=0, dtype=np.float64)
    return features - mean, others - mean


def _dealt(count: int, subsets: int, seed: int, stream: int) -> Iterator[np.ndarray]:
    """Disjoint subsets of the indices below count, all of the same size."""
    # Raw words, because NumPy promises them for every version, unlike its permutations.
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, stream], np.uint64)
    order = np.argsort(np.random.Philox(key=key).random_raw(count), kind="stable")
    size = count // subsets
    return (order[first : first + size] for first in range(0, subsets * size, size))


def _blocks(count: int) -> Iterator[slice]:
    return (slice(first, first + BLOCK_ROWS) for first in range(0, count, BLOCK_ROWS))


def _float64(features: np.ndarray) -> np.ndarray:
    return np.asarray(features, np.float64)


def _check_features(name: str, features: np.ndarray, minimum: int) -> None:
    if features.ndim != 2 or not features.shape[1]:
        raise ValueError(
            f"Expected {name} of shape [images, features]. Received: shape={features.shape}."
        )
    if len(features) < minimum:
        raise ValueError(
            f"Expected {name} of at least {minimum} images. Received: {len(features)}."
        )
    if not np.issubdtype(features.dtype, np.floating):
        raise ValueError(f"Expected floating {name}. Received: dtype={features.dtype}.")
    if not np.isfinite(features).all():
        raise ValueError(f"Expected finite {name}. Received: NaN or infinity among them.")


def _check_pair(
    features: np.ndarray,
    others: np.ndarray,
    minimum: int,
    name: str = "real",
    other_name: str = "generated",
) -> None:
    _check_features(name, features, minimum)
    _check_features(other_name, others, minimum)
    if features.shape[1] != others.shape[1]:
        raise ValueError(
            f"Expected {name} and {other_name} with equally many features. "
            f"Received: {features.shape[1]} and {others.shape[1]}."
        )


def _check_neighbours(real: np.ndarray, generated: np.ndarray, neighbours: int) -> None:
    if neighbours < 1:
        raise ValueError(f"Expected 1 neighbour or more. Received: neighbours={neighbours}.")
    _check_pair(real, generated, neighbours + 1)
