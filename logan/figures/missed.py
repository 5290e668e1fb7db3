"""Real images beside the generations nearest to them: what was missed, and what was copied."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from logan.figures.checks import expect_shape, expect_some
from logan.figures.grids import Sheet
from logan.figures.style import styled


@styled
def missed_figure(
    inputs: np.ndarray,
    nearest: np.ndarray,
    distances: np.ndarray,
    reconstructions: np.ndarray | None = None,
    *,
    names: Sequence[str] | None = None,
    counts: Sequence[str] | None = None,
    columns: int = 6,
    total: int | None = None,
    generations: int | None = None,
    features: str | None = None,
) -> Figure:
    """What the generator misses, in the order given, the worst first.

    Under each image stand its reconstruction, with an encoder, and its nearest generation: an image
    that the generator can draw when told its latent, but does not draw by itself, is not lost but
    rare.

    Args:
        inputs: float [N, height, width, channels] in [-1, 1], 1 or 3 channels: one real image of
            each case.
        nearest: of the same shape and range, the generation nearest to each.
        distances: [N], finite, between the two.
        reconstructions: of the same shape and range, G(E(x)).
        names: [N], what each image is called.
        counts: [N], how many images each case has.
        columns: images in a row, at least 1.
        total: among how many real images these were looked for, for the heading; by default N.
        generations: among how many the nearest were looked for, for the heading.
        features: whose distance it is, for the heading.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind, or columns is below 1.
    """
    inputs = np.asarray(inputs)
    expect_some("inputs", inputs)
    nearest = expect_shape("nearest", nearest, inputs.shape)
    distances = expect_shape("distances", distances, (len(inputs),))
    if not np.isfinite(distances).all():
        raise ValueError("Expected finite distances. Received: NaN or infinity among them")
    if columns < 1:
        raise ValueError(f"Expected columns >= 1. Received: {columns}")
    lines = [("real image", inputs)]
    if reconstructions is not None:
        expect_shape("reconstructions", reconstructions, inputs.shape)
        lines.append(("its reconstruction", np.asarray(reconstructions)))
    lines.append(("nearest generation", nearest))
    captions = {"file": names, "images of the case": counts}
    captions["distance"] = [_digits(distance) for distance in distances]
    heading = _heading(len(inputs), total or len(inputs), generations)
    return _pairs(lines, captions, columns, heading, features)


@styled
def copies_figure(
    generations: np.ndarray,
    nearest: np.ndarray,
    distances: np.ndarray,
    *,
    names: Sequence[str] | None = None,
    columns: int = 6,
    total: int | None = None,
    features: str | None = None,
) -> Figure:
    """The generations nearest to a training image, in the order given, and those images.

    Args:
        generations: float [N, height, width, channels] in [-1, 1], 1 or 3 channels.
        nearest: of the same shape and range, the training image nearest to each.
        distances: [N], between the two.
        names: [N], what the training images are called.
        columns: images in a row, at least 1.
        total: among how many generations these were looked for, for the heading; by default N.
        features: whose distance it is, for the heading.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind.
    """
    generations = np.asarray(generations)
    expect_some("generations", generations)
    nearest = expect_shape("nearest", nearest, generations.shape)
    distances = expect_shape("distances", distances, (len(generations),))
    lines = [("generation", generations), ("nearest training image", nearest)]
    captions = {"file": names, "distance": [_digits(distance) for distance in distances]}
    heading = (
        f"the {len(generations):,} of {total or len(generations):,} generations nearest to a "
        "training image, nearest first"
    )
    return _pairs(lines, captions, columns, heading, features)


def _pairs(
    lines: list[tuple[str, np.ndarray]],
    captions: dict[str, Sequence[str] | None],
    columns: int,
    heading: str,
    features: str | None,
) -> Figure:
    """Lines of images that belong together column by column, with captions under the last."""
    first = lines[0][1]
    sheet = Sheet(min(columns, len(first)), first.shape[1:])
    sheet.add_heading(heading, weight="normal")
    if features is not None:
        sheet.add_heading(f"distance: of {features}", weight="normal")
    for start in range(0, len(first), sheet.columns):
        part = slice(start, start + sheet.columns)
        if start:
            sheet.add_break()
        for label, images in lines:
            sheet.add_line(images[part], label)
        for label, texts in captions.items():
            if texts is not None:
                sheet.add_captions(texts[part], label)
    return sheet.figure()


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _heading(shown: int, count: int, generations: int | None) -> str:
    among = "" if generations is None else f" among {generations:,} generations"
    cases = f"{shown:,} case" if shown == 1 else f"{shown:,} cases, worst first"
    return f"what was missed most of {count:,} real images{among}: {cases}"
