"""What a generator missed: the real images that none of its generations comes near."""

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
    count: int = 12,
    columns: int = 6,
    total: int | None = None,
    generations: int | None = None,
    features: str | None = None,
) -> Figure:
    """The held-out images farthest from every generation, the farthest first.

    Under each stand its reconstruction, with an encoder, and its nearest generation: an image that
    the generator can draw when told its latent, but does not draw by itself, is not lost but rare.

    Args:
        inputs: float [N, height, width, channels] in [-1, 1], 1 or 3 channels: held-out images.
        nearest: of the same shape and range, the generation nearest to each.
        distances: [N], finite, between the two.
        reconstructions: of the same shape and range, G(E(x)).
        count: how many to show, at least 1.
        columns: images in a row, at least 1.
        total: among how many held-out images these were looked for, for the heading; by default N.
        generations: among how many the nearest were looked for, for the heading.
        features: whose distance it is, for the heading.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind, or count or columns is below 1.
    """
    inputs = np.asarray(inputs)
    expect_some("inputs", inputs)
    nearest = expect_shape("nearest", nearest, inputs.shape)
    distances = expect_shape("distances", distances, (len(inputs),))
    if not np.isfinite(distances).all():
        raise ValueError("Expected finite distances. Received: NaN or infinity among them")
    if count < 1 or columns < 1:
        raise ValueError(f"Expected count >= 1 and columns >= 1. Received: {count}, {columns}")
    lines = [("held-out image", inputs)]
    if reconstructions is not None:
        expect_shape("reconstructions", reconstructions, inputs.shape)
        lines.append(("its reconstruction", np.asarray(reconstructions)))
    lines.append(("nearest generation", nearest))
    farthest = np.argsort(-distances, kind="stable")[:count]
    sheet = Sheet(min(columns, len(farthest)), inputs.shape[1:])
    sheet.add_heading(_heading(len(farthest), total or len(inputs), generations), weight="normal")
    if features is not None:
        sheet.add_heading(f"distance: of {features}", weight="normal")
    for start in range(0, len(farthest), sheet.columns):
        part = farthest[start : start + sheet.columns]
        if start:
            sheet.add_break()
        for label, images in lines:
            sheet.add_line(images[part], label)
        sheet.add_captions([_digits(distance) for distance in distances[part]], "distance")
    return sheet.figure()


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _heading(shown: int, count: int, generations: int | None) -> str:
    among = "all generations" if generations is None else f"{generations:,} generations"
    return f"the {shown:,} of {count:,} held-out images farthest from {among}, farthest first"
