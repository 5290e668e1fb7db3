"""What stands before a fixed camera, in generated frames against real ones.

In traffic snapshots the empty scene is one huge mode beside many small ones, and a generator that
lost the small ones still makes perfect empty scenes. How often, and over how much of the
picture, something stands before the background tells the two apart.

Images are floating in [-1, 1]; thresholds are in the same unit.
"""

import math
from collections.abc import Sequence

import numpy as np

from logan.metrics.checks import check_images

__all__ = ["area_edges", "background", "foreground_distance"]

# A tenth of the range from black to white, 26 of 256 grey levels: above what sensor noise,
# compression and a generator's blur do to the background, below the contrast of most vehicles.
DEFAULT_THRESHOLD = 0.2


def background(frames: np.ndarray) -> np.ndarray:
    """The empty scene of a fixed camera: the median over time of every pixel.

    It is right wherever the scene is uncovered for more than half of the time.

    Args:
        frames: floating [frames, height, width, channels] in [-1, 1], of the training part.

    Returns:
        float32 [height, width, channels] in [-1, 1].

    Raises:
        ValueError: if `frames` is empty or not of this form.
    """
    check_images(frames, "frames")
    # Row by row, because the median sorts a copy of what it is given.
    rows = [np.median(frames[:, row], axis=0) for row in range(frames.shape[1])]
    return np.stack(rows).astype(np.float32)


def area_edges(smallest_area: float) -> tuple[float, ...]:
    """Edges of bins for a histogram of areas, each bin twice as wide as the one before.

    Areas are many near 0 and few above, and a car that is near is to one that is far as 0.32 to
    0.04. Two bins lie below the smallest area of a thing, besides the one that holds nothing.

    Args:
        smallest_area: in (0, 1), see `logan.metrics.scene.Scene`.

    Returns:
        0, a quarter of the smallest area, half of it, itself, twice that, …, 1.
    """
    doublings = range(-2, math.ceil(-math.log2(smallest_area)))
    return (0.0, *(smallest_area * 2.0**each for each in doublings), 1.0)


def foreground_distance(
    real_areas: np.ndarray,
    generated_areas: np.ndarray,
    bins: Sequence[float],
) -> float:
    """The Jensen-Shannon distance of two histograms of foreground areas.

    With the histograms p and q as shares, m = (p + q) / 2 and logarithms to base 2:

        √(KL(p ‖ m) / 2 + KL(q ‖ m) / 2)

    0 for equal histograms, 1 for histograms that share no bin (J. Lin, "Divergence measures based
    on the Shannon entropy", IEEE Transactions on Information Theory, 1991; the root of the
    divergence is a metric). With finite samples of equal distributions it is a little above 0.

    Args:
        real_areas: floating [frames] in [0, 1], see `logan.metrics.scene.Foreground`.
        generated_areas: floating [generated frames] in [0, 1]; the numbers may differ.
        bins: the ascending edges of the bins, from 0 to 1, see `area_edges`.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if a set of areas is empty or not shares, or if the bins do not cover [0, 1].
    """
    edges = np.asarray(bins, np.float64)
    if edges.ndim != 1 or len(edges) < 2 or edges[0] != 0 or edges[-1] != 1:
        raise ValueError(f"Expected bin edges from 0 to 1. Received: {bins}.")
    if not np.all(np.diff(edges) > 0):
        raise ValueError(f"Expected ascending bin edges. Received: {bins}.")
    _check_areas("real_areas", real_areas)
    _check_areas("generated_areas", generated_areas)
    real = np.histogram(real_areas, edges)[0] / len(real_areas)
    generated = np.histogram(generated_areas, edges)[0] / len(generated_areas)
    middle = (real + generated) / 2
    divergence = (_relative_entropy(real, middle) + _relative_entropy(generated, middle)) / 2
    # Rounding may leave a divergence of 0 just below it, and one of 1 just above.
    return float(np.sqrt(np.clip(divergence, 0, 1)))


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p ‖ q) in bits, for q > 0 wherever p > 0."""
    some = p > 0
    return float(np.sum(p[some] * np.log2(p[some] / q[some])))


def _check_areas(name: str, areas: np.ndarray) -> None:
    areas = np.asarray(areas)
    if areas.ndim != 1 or not areas.size:
        raise ValueError(f"Expected {name} of shape [frames], not empty. Received: {areas.shape}.")
    if not np.all((areas >= 0) & (areas <= 1)):
        raise ValueError(
            f"Expected {name} between 0 and 1. Received: {areas.min()} to {areas.max()}."
        )
