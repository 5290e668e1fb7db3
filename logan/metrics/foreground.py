"""What moves before a fixed camera, in generated frames against real ones.

In traffic snapshots the empty scene is one huge mode beside many small ones, and a generator that
lost the small ones still makes perfect empty scenes. How often, and over how much of the
picture, something stands before the background tells the two apart.

Images are floating in [-1, 1]; thresholds are in the same unit.
"""

from collections.abc import Sequence

import numpy as np

from logan.metrics.checks import check_images

__all__ = [
    "AREA_EDGES",
    "background",
    "foreground_area",
    "foreground_distance",
    "foreground_mask",
    "foreground_share",
]

# A tenth of the range from black to white, 26 of 256 grey levels: above what sensor noise,
# compression and a generator's blur do to the background, below the contrast of most vehicles.
DEFAULT_THRESHOLD = 0.2

# Each bin twice as wide as the one before: areas are many near 0 and few above, and a car that is
# near is to one that is far as 0.32 to 0.04. Fixed edges make the distances of all runs comparable.
AREA_EDGES = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0)


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


def foreground_mask(
    frames: np.ndarray, background: np.ndarray, threshold: float = DEFAULT_THRESHOLD
) -> np.ndarray:
    """Which pixels of each frame differ from the background.

    A pixel is foreground when max over channels |frame - background - shift| > threshold, where
    shift is the median over the frame's pixels of frame - background, per frame and channel. It
    takes out a change of the light or of the camera's exposure, as long as the foreground
    covers less than half of the frame.

    Args:
        frames: floating [frames, height, width, channels] in [-1, 1].
        background: floating [height, width, channels], see `background`.
        threshold: smallest difference that counts, on the scale of [-1, 1].

    Returns:
        bool [frames, height, width]. Its mean over axis 0 is a map of where things appear.

    Raises:
        ValueError: if the arrays do not fit or are not floating, or the threshold is negative.
    """
    check_images(frames, "frames")
    if background.shape != frames.shape[1:]:
        raise ValueError(
            f"Expected a background of shape {frames.shape[1:]}. Received: {background.shape}."
        )
    if threshold < 0:
        raise ValueError(f"Expected a threshold of 0 or more. Received: {threshold}.")
    # Frame by frame, so that memory stays flat and the frames may be mapped from a file.
    return np.stack([_mask(frame, background, threshold) for frame in frames])


def foreground_area(
    frames: np.ndarray, background: np.ndarray, threshold: float = DEFAULT_THRESHOLD
) -> np.ndarray:
    """The share of each frame's pixels that are foreground.

    Args:
        frames: floating [frames, height, width, channels] in [-1, 1].
        background: floating [height, width, channels], see `background`.
        threshold: see `foreground_mask`.

    Returns:
        float64 [frames] in [0, 1].
    """
    return foreground_mask(frames, background, threshold).mean(axis=(1, 2))


def foreground_share(areas: np.ndarray, minimum_area: float = 0.02) -> float:
    """The share of frames in which something stands before the background.

    Args:
        areas: floating [frames] in [0, 1], see `foreground_area`.
        minimum_area: a frame counts when more than this share of its pixels is foreground. The
            default is 20 of the pixels of a 32 by 32 frame, a patch of 4 by 5.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if there are no areas, or if they are not shares.
    """
    _check_areas("areas", areas)
    return float(np.mean(np.asarray(areas) > minimum_area))


def foreground_distance(
    real_areas: np.ndarray,
    generated_areas: np.ndarray,
    bins: Sequence[float] = AREA_EDGES,
) -> float:
    """The Jensen-Shannon distance of two histograms of foreground areas.

    With the histograms p and q as shares, m = (p + q) / 2 and logarithms to base 2:

        √(KL(p ‖ m) / 2 + KL(q ‖ m) / 2)

    0 for equal histograms, 1 for histograms that share no bin (J. Lin, "Divergence measures based
    on the Shannon entropy", IEEE Transactions on Information Theory, 1991; the root of the
    divergence is a metric). With finite samples of equal distributions it is a little above 0.

    Args:
        real_areas: floating [frames] in [0, 1], see `foreground_area`.
        generated_areas: floating [generated frames] in [0, 1]; the numbers may differ.
        bins: the ascending edges of the bins, from 0 to 1.

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


def _mask(frame: np.ndarray, background: np.ndarray, threshold: float) -> np.ndarray:
    difference = frame.astype(np.float32) - background
    difference -= np.median(difference, axis=(0, 1))
    return np.abs(difference).max(axis=-1) > threshold


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
