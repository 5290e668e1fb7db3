"""Real and generated points of the toy sets over the discriminator's contour."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from logan.figures.checks import expect_points, expect_some
from logan.figures.contours import Contour, add_colorbar, draw_contour
from logan.figures.style import (
    GENERATED,
    MISSED,
    REAL,
    SMALL,
    legend_below,
    new_figure,
    styled,
    tinted,
)

_BINS = 200
_TITLE_WIDTH = 42  # characters above one panel
_MOST_CROSSES = 100  # the 1,000 centres of the swiss roll would hide its points


@dataclass(frozen=True)
class Panel:
    """One cell of `comparison_figure`.

    Attributes:
        label: what the cell shows, such as "ring8, plain BiGAN".
        real: [N, d], d = 1 or 2.
        generated: [M, d].
        centers: [K, d], the centres of the modes.
        caption: the numbers under the label, such as "8/8 modes, HQ 0.93, KL 0.004".
        contour: the discriminator's logits, for d = 2.
        missed: [L, d], centres of modes that the generator misses, for d = 2.
    """

    label: str
    real: np.ndarray
    generated: np.ndarray
    centers: np.ndarray | None = None
    caption: str = ""
    contour: Contour | None = None
    missed: np.ndarray | None = None


def data_limits(real: np.ndarray, centers: np.ndarray | None = None) -> np.ndarray:
    """The window that shows the data with some room around it.

    Generated points have no say, so a single stray sample cannot shrink the picture.

    Args:
        real: [N, d], N at least 1.
        centers: [K, d], or None.

    Returns:
        [2, d]: the lowest corner, then the highest.
    """
    points = real if centers is None else np.concatenate([real, centers])
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.12 * (float((high - low).max()) or 1.0)
    return np.stack([low - room, high + room])


def max_share(points: np.ndarray, limits: np.ndarray) -> float:
    """The height of the tallest bar that `draw_samples` draws for 1-D points.

    Args:
        points: [N, 1].
        limits: [2, 1], the ends of the axis.

    Returns:
        A share of the points, in [0, 1].
    """
    return float(_shares(points, _bins(limits)).max())


def draw_samples(
    axes: Axes,
    real: np.ndarray,
    generated: np.ndarray,
    *,
    contour: Contour | None = None,
    centers: np.ndarray | None = None,
    sigma: float | None = None,
    missed: np.ndarray | None = None,
    limits: np.ndarray | None = None,
) -> ContourSet | None:
    """Draws real and generated points into axes: a scatter for 2-D x, histograms for 1-D x.

    Args:
        axes: where to draw.
        real: [N, d], d = 1 or 2, N at least 1.
        generated: [M, d]. Those outside the limits are counted in a corner.
        contour: the discriminator's logits, for d = 2 only.
        centers: [K, d]: marked with crosses (2-D, up to 100) or above the axes (1-D).
        sigma: standard deviation of a mode; with `centers`, draws circles of 3 sigma (2-D).
        missed: [L, 2], centres of modes that the generator misses: marked with squares (2-D).
        limits: [2, d], the corners of the window. By default the contour's grid or the data's.

    Returns:
        What a colour bar needs, if there is a contour.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    real = expect_points("real", real)
    expect_some("real points", real)
    length = real.shape[1]
    generated = expect_points("generated", generated, [length])
    centers = None if centers is None else expect_points("centers", centers, [length])
    if contour is not None and length == 1:
        raise ValueError("Expected no contour with 1-D x. Received: a Contour")
    if limits is None:
        limits = data_limits(real, centers) if contour is None else contour.limits
    _note_outside(axes, generated, limits)
    if length == 1:
        _draw_histograms(axes, real, generated, centers, limits)
        return None
    mappable = None if contour is None else draw_contour(axes, contour)
    _draw_points(axes, real, generated, limits)
    if centers is not None and len(centers) <= _MOST_CROSSES:
        _draw_centers(axes, centers, sigma)
    if missed is not None:
        _draw_missed(axes, expect_points("missed", missed, [length]))
    return mappable


@styled
def samples_figure(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    contour: Contour | None = None,
    centers: np.ndarray | None = None,
    sigma: float | None = None,
    title: str | None = None,
) -> Figure:
    """Real and generated points, over the discriminator's contour if there is one.

    Args:
        real: [N, d], d = 1 or 2, N at least 1.
        generated: [M, d].
        contour: the discriminator's logits, for d = 2 only.
        centers: [K, d], the centres of the modes.
        sigma: standard deviation of a mode; with `centers`, draws circles of 3 sigma (2-D).
        title: a line above the picture.

    Returns:
        The figure.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    flat = np.ndim(real) == 2 and np.shape(real)[1] == 1
    bar = 0.0 if contour is None else 0.75  # its room beside a square of points
    figure = new_figure(6.0, 2.8) if flat else new_figure(4.2 + bar, 4.2)
    axes = figure.subplots()
    mappable = draw_samples(axes, real, generated, contour=contour, centers=centers, sigma=sigma)
    if mappable is not None:
        add_colorbar(figure, axes, mappable)
    if title is not None:
        axes.set_title(title)
    legend_below(figure, axes)
    return figure


@styled
def comparison_figure(panels: Sequence[Panel], *, columns: int | None = None) -> Figure:
    """Panels side by side: plain against penalised, one data set to a row.

    Args:
        panels: in reading order, at least one.
        columns: panels in a row; by default all of them.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no panels, no columns, or shapes that do not fit together.
    """
    expect_some("panels", panels)
    columns = len(panels) if columns is None else columns
    if columns < 1:
        raise ValueError(f"Expected at least 1 column. Received: {columns}")
    rows = math.ceil(len(panels) / columns)
    # A colour bar would otherwise take its room from the points.
    width = 2.7 if all(panel.contour is None for panel in panels) else 3.4
    height = 2.8 + 0.14 * max(len(_title_lines(panel)) for panel in panels)
    figure = new_figure(width * columns, height * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw_panel(figure, axes, panel)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[:, 1:].flat:
        axes.set_ylabel("")
    legend_below(figure, *grid.flat[: len(panels)])
    return figure


def _draw_panel(figure: Figure, axes: Axes, panel: Panel) -> None:
    mappable = draw_samples(
        axes,
        panel.real,
        panel.generated,
        contour=panel.contour,
        centers=panel.centers,
        missed=panel.missed,
    )
    if mappable is not None:
        add_colorbar(figure, axes, mappable)
    axes.set_title("\n".join(_title_lines(panel)))


def _title_lines(panel: Panel) -> list[str]:
    return wrap(panel.label, _TITLE_WIDTH) + wrap(panel.caption, _TITLE_WIDTH)


def _draw_points(axes: Axes, real: np.ndarray, generated: np.ndarray, limits: np.ndarray) -> None:
    # Large and hollow below, small and full on top: where both lie, both show.
    axes.scatter(
        real[:, 0],
        real[:, 1],
        s=30,
        facecolors="none",
        edgecolors=REAL,
        linewidths=0.7,
        label="real",
        zorder=1,
        rasterized=True,
    )
    axes.scatter(
        generated[:, 0],
        generated[:, 1],
        s=4,
        color=GENERATED,
        linewidths=0,
        label="generated",
        zorder=2,
        rasterized=True,
    )
    axes.set(xlim=limits[:, 0], ylim=limits[:, 1], aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")


def _draw_centers(axes: Axes, centers: np.ndarray, sigma: float | None) -> None:
    axes.scatter(
        centers[:, 0],
        centers[:, 1],
        s=150,
        marker="+",
        color=REAL,
        linewidths=0.5,
        label="mode centre",
        zorder=0.5,
    )
    if sigma is not None:
        diameters = np.full(len(centers), 6 * sigma)
        circles = EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(centers)),
            units="xy",
            offsets=centers,
            offset_transform=axes.transData,
            facecolors="none",
            edgecolors=REAL,
            linewidths=0.5,
        )
        axes.add_collection(circles, autolim=False)


def _draw_missed(axes: Axes, missed: np.ndarray) -> None:
    # Drawn also if there are none, so that every panel has the same legend.
    axes.scatter(
        missed[:, 0],
        missed[:, 1],
        s=110,
        marker="s",
        facecolors="none",
        edgecolors=MISSED,
        linewidths=1.4,
        label="missed mode",
        zorder=3,
    )


def _draw_histograms(
    axes: Axes,
    real: np.ndarray,
    generated: np.ndarray,
    centers: np.ndarray | None,
    limits: np.ndarray,
) -> None:
    bins = _bins(limits)
    shares, heights = _shares(real, bins), _shares(generated, bins)
    axes.stairs(shares, bins, fill=True, color=tinted(REAL, 0.6), label="real")
    axes.stairs(heights, bins, color=GENERATED, linewidth=1.0, label="generated")
    axes.set(xlim=limits[:, 0], ylim=(0, 1.08 * max(shares.max(), heights.max())))
    axes.set(xlabel="$x$", ylabel="share of points")
    if centers is not None:
        axes.plot(
            centers[:, 0],
            np.full(len(centers), 0.97),
            "v",
            transform=axes.get_xaxis_transform(),
            color=REAL,
            markersize=4,
            zorder=3,
            linestyle="none",
            label="mode centre",
        )


def _bins(limits: np.ndarray) -> np.ndarray:
    return np.linspace(limits[0, 0], limits[1, 0], _BINS + 1)


def _shares(points: np.ndarray, bins: np.ndarray) -> np.ndarray:
    counts, _ = np.histogram(points[:, 0], bins)
    return counts / max(len(points), 1)


def _note_outside(axes: Axes, generated: np.ndarray, limits: np.ndarray) -> None:
    inside = np.all((generated >= limits[0]) & (generated <= limits[1]), axis=1)
    outside = int(np.sum(~inside))
    if outside:
        axes.text(
            0.98,
            0.02,
            f"{outside:,} of {len(generated):,} generated lie outside",
            fontsize=SMALL - 1,
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )
