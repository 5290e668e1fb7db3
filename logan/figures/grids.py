"""Sheets of images: generations, reconstructions, interpolations, comparisons."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from logan.figures.checks import expect_shape, expect_some
from logan.figures.style import SMALL, figure_of, styled

_GAP = 2
_DPI = 100
_SHEET_PIXELS = 840
_MOST_SCALE = 8


def image_grid(images: np.ndarray, columns: int | None = None, gap: int = _GAP) -> np.ndarray:
    """Lays images out in rows, with white between them and in cells left over.

    Args:
        images: float [N, height, width, channels] in [-1, 1], 1 or 3 channels.
        columns: images in a row; by default as many as make the sheet square.
        gap: pixels between images, at least 0.

    Returns:
        uint8 [rows * (height + gap) - gap, columns * (width + gap) - gap, channels].

    Raises:
        ValueError: if images are not of that kind, there are none, or columns is below 1.
    """
    pixels = _to_pixels("images", images)
    count, height, width, channels = pixels.shape
    columns = math.ceil(math.sqrt(count)) if columns is None else columns
    if columns < 1 or gap < 0:
        raise ValueError(f"Expected columns >= 1 and gap >= 0. Received: {columns}, {gap}")
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap), columns * (width + gap), channels)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet[: shape[0] - gap, : shape[1] - gap]


@styled
def reconstruction_figure(
    inputs: np.ndarray,
    reconstructions: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    columns: int = 8,
) -> Figure:
    """Inputs, and under each its reconstruction.

    Args:
        inputs: float [N, height, width, channels] in [-1, 1], 1 or 3 channels.
        reconstructions: G(E(x)), of the same shape and range.
        errors: [N], printed under each pair.
        columns: pairs in a row.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind.
    """
    inputs = np.asarray(inputs)
    expect_some("inputs", inputs)
    reconstructions = expect_shape("reconstructions", reconstructions, inputs.shape)
    columns = max(1, min(columns, len(inputs)))
    starts = range(0, len(inputs), columns)
    pairs = [images[i : i + columns] for i in starts for images in (inputs, reconstructions)]
    strips = [image_grid(images, columns) for images in pairs]
    scale = _scale(strips[0].shape[1])
    below = 0 if errors is None else math.ceil(13 / scale)
    sheet, middles = _stack(strips, [_GAP, below + 3 * _GAP] * len(starts))
    labels = ["input", "reconstruction"]
    axes = _sheet_axes(sheet[: -3 * _GAP], scale, left=_room_for(labels))
    axes.set_yticks(middles, labels * len(starts))
    if errors is not None:
        errors = expect_shape("errors", errors, (len(inputs),))
        lines = [middle + (inputs.shape[1] + below) / 2 for middle in middles[1::2]]
        _print_errors(axes, errors, lines, columns, inputs.shape[2])
    return figure_of(axes)


@styled
def interpolation_figure(
    rows: np.ndarray, starts: np.ndarray | None = None, ends: np.ndarray | None = None
) -> Figure:
    """Rows of decoded latents on the way from one encoding to another.

    Args:
        rows: float [R, S, height, width, channels] in [-1, 1], 1 or 3 channels: the generator
            at S latents between the encodings of two inputs.
        starts: float [R, height, width, channels], the real inputs on the left.
        ends: float [R, height, width, channels], the real inputs on the right.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if the arrays are not of that kind.
    """
    rows = np.asarray(rows)
    if rows.ndim != 5:
        expected = "rows of shape [R, S, height, width, channels]"
        raise ValueError(f"Expected {expected}. Received: shape {rows.shape}")
    count, steps, *image_shape = rows.shape
    blocks = [(f"decoded between the two encodings, {steps} steps", rows, steps)]
    if starts is not None:
        blocks.insert(0, ("input", expect_shape("starts", starts, (count, *image_shape)), 1))
    if ends is not None:
        blocks.append(("input", expect_shape("ends", ends, (count, *image_shape)), 1))
    strips = [image_grid(np.reshape(b, (-1, *image_shape)), width) for _, b, width in blocks]
    sheet, middles = _join(strips, 4 * _GAP)
    axes = _sheet_axes(sheet, _scale(sheet.shape[1]), top=0.25)
    axes.xaxis.tick_top()
    axes.set_xticks(middles, [label for label, _, _ in blocks])
    return figure_of(axes)


@styled
def comparison_sheet(
    rows: Sequence[tuple[str, np.ndarray]], *, columns: int | None = None
) -> Figure:
    """Images of several sources under each other: data, plain, penalised.

    Args:
        rows: a label and its float [N, height, width, channels] in [-1, 1] for each source; N
            may differ, the rest may not.
        columns: images in a line; by default the largest N. A source with more takes more lines.

    Returns:
        The figure. Every image pixel covers whole pixels at multiples of 100 dpi.

    Raises:
        ValueError: if there are no rows, or their images differ in shape.
    """
    expect_some("rows", rows)
    shape = np.shape(rows[0][1])[1:]
    for label, images in rows:
        expect_shape(f"images of {label!r}", images, (len(images), *shape))
    columns = max(len(images) for _, images in rows) if columns is None else columns
    strips = [image_grid(images, columns) for _, images in rows]
    sheet, middles = _stack(strips, [3 * _GAP] * len(strips))
    labels = [label for label, _ in rows]
    axes = _sheet_axes(sheet[: -3 * _GAP], _scale(sheet.shape[1]), left=_room_for(labels))
    axes.set_yticks(middles, labels)
    return figure_of(axes)


def _to_pixels(name: str, images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        expected = f"{name} of shape [N, height, width, 1 or 3]"
        raise ValueError(f"Expected {expected}. Received: shape {images.shape}")
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind != "f" or not (low >= -1.001 and high <= 1.001):
        received = f"{images.dtype} in [{low:g}, {high:g}]"
        raise ValueError(f"Expected {name}: float in [-1, 1]. Received: {received}")
    return np.clip(np.rint((images.astype(np.float64) + 1) * 127.5), 0, 255).astype(np.uint8)


def _stack(strips: Sequence[np.ndarray], spaces: Sequence[int]) -> tuple[np.ndarray, list[float]]:
    """Puts strips of one width under each other, white rows after each.

    Returns the sheet and the middle row of each strip.
    """
    parts, middles, top = [], [], 0
    for strip, space in zip(strips, spaces, strict=True):
        white = np.full((space, *strip.shape[1:]), 255, dtype=np.uint8)
        parts += [strip, white]
        middles.append(top + (len(strip) - 1) / 2)
        top += len(strip) + space
    return np.concatenate(parts), middles


def _join(strips: Sequence[np.ndarray], space: int) -> tuple[np.ndarray, list[float]]:
    """Puts strips of one height side by side, white columns between them."""
    turned, middles = _stack([strip.swapaxes(0, 1) for strip in strips], [space] * len(strips))
    return turned.swapaxes(0, 1)[:, :-space], middles


def _scale(width: int) -> int:
    return max(1, min(_MOST_SCALE, _SHEET_PIXELS // width))


def _room_for(labels: Sequence[str]) -> float:
    """The left margin that the widest label needs, in inches."""
    font = FontProperties(size=SMALL)
    boxes = [TextPath((0, 0), text, prop=font).get_extents() for text in labels if text]
    widest = max((box.width for box in boxes), default=0.0) / 72
    return math.ceil(_DPI * (0.15 + widest)) / _DPI  # whole pixels, as everything on the sheet


def _sheet_axes(sheet: np.ndarray, scale: int, *, left: float = 0.05, top: float = 0.05) -> Axes:
    """Axes of exactly `scale` figure pixels to an image pixel, margins in inches."""
    height, width = (scale * side / _DPI for side in sheet.shape[:2])
    rest = 0.05
    figure = Figure(figsize=(left + width + rest, top + height + rest), dpi=_DPI)
    total_width, total_height = figure.get_size_inches()
    place = (left / total_width, rest / total_height, width / total_width, height / total_height)
    axes = figure.add_axes(place)
    colors = sheet if sheet.shape[2] == 3 else sheet.repeat(3, axis=2)
    axes.imshow(colors, interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=3)
    return axes


def _print_errors(
    axes: Axes, errors: np.ndarray, lines: Sequence[float], columns: int, width: int
) -> None:
    for index, error in enumerate(errors):
        x = index % columns * (width + _GAP) + (width - 1) / 2
        y = lines[index // columns]
        axes.text(x, y, f"{error:.3f}", ha="center", va="center", fontsize=SMALL)
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    axes.set_yticks([*axes.get_yticks(), *lines], [*labels, *["error"] * len(lines)])
