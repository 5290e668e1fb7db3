"""Best, median and worst reconstructions, so that no choice of examples flatters a model."""

import numpy as np
from matplotlib.figure import Figure

from logan.figures.checks import expect_shape, expect_some
from logan.figures.grids import Sheet
from logan.figures.style import styled

_COLUMNS = 8


@styled
def ranked_reconstruction_figure(
    inputs: np.ndarray,
    reconstructions: np.ndarray,
    scores: np.ndarray,
    *,
    count: int = 6,
    measure: str = "SSIM",
    is_error: bool = False,
    note: str = "",
) -> Figure:
    """The best, the median and the worst of many pairs, each with its score.

    Every group runs from better to worse, so the last pair is the worst of all.

    Args:
        inputs: float [N, height, width, channels] in [-1, 1], 1 or 3 channels: all of them, not
            only those to show.
        reconstructions: G(E(x)), of the same shape and range.
        scores: [N], finite.
        count: pairs in each group, at least 1. With fewer than 3 * count pairs in all, a group
            has a third of them, so that no pair stands in two.
        measure: what the scores are called.
        is_error: whether a lower score is the better one.
        note: further words for the heading.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind, or count is below 1.
    """
    inputs = np.asarray(inputs)
    expect_some("inputs", inputs)
    reconstructions = expect_shape("reconstructions", reconstructions, inputs.shape)
    scores = expect_shape("scores", scores, (len(inputs),))
    if not np.isfinite(scores).all():
        raise ValueError("Expected finite scores. Received: NaN or infinity among them")
    groups = best_median_worst(scores, count, is_error=is_error)
    sheet = Sheet(min(len(groups["best"]), _COLUMNS), inputs.shape[1:])
    noun = "image" if len(inputs) == 1 else "images"
    form = "#.2g" if is_error else ".3f"
    title = f"{len(inputs):,} held-out {noun}, mean {measure} {scores.mean():{form}}"
    notes = [title, "each row from better to worse", *([note] if note else [])]
    sheet.add_heading("; ".join(notes), weight="normal")
    for index, (name, chosen) in enumerate(groups.items()):
        if index:
            sheet.add_break()
        sheet.add_heading(f"{name} by {measure}")
        for start in range(0, len(chosen), sheet.columns):
            part = chosen[start : start + sheet.columns]
            if start:
                sheet.add_break()
            sheet.add_line(inputs[part], "input")
            sheet.add_line(reconstructions[part], "reconstruction")
            sheet.add_captions([f"{score:{form}}" for score in scores[part]], measure)
    return sheet.figure()


def best_median_worst(
    scores: np.ndarray, count: int, *, is_error: bool = False
) -> dict[str, np.ndarray]:
    """Which of many stand at both ends and in the middle of their order.

    Args:
        scores: [N], at least one.
        count: the most in a group, at least 1; no more than a third of N, but one.
        is_error: whether a lower score is the better one.

    Returns:
        The indices by `best`, `median` and `worst`, each in order from better to worse. Equal
        scores keep their order. No index is in two groups, unless N is below 3.

    Raises:
        ValueError: if there are no scores, or count is below 1.
    """
    scores = np.asarray(scores)
    expect_some("scores", scores)
    if count < 1:
        raise ValueError(f"Expected count >= 1. Received: {count}")
    order = np.argsort(scores if is_error else -scores, kind="stable")
    count = min(count, max(1, len(order) // 3))
    middle = (len(order) - count) // 2
    return {
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[len(order) - count :],
    }
