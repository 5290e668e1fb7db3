"""An encoder alone against priors of different shapes: the article's figure 3."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from logan.figures.checks import expect_points, expect_shape, expect_some
from logan.figures.style import GREY, mode_colors, new_figure, styled

_BINS = 80


@dataclass(frozen=True)
class EncoderPanel:
    """One prior and what the encoder made of it.

    Attributes:
        label: the prior, such as "uniform prior".
        x: [N, d], data, d = 1 or 2.
        modes: int [N], the mode of each, from 0.
        latents: [N, k], E(x), k = 1 or 2.
        prior: [M, k], samples of the prior.
        caption: a number such as "prior coverage 0.98".
    """

    label: str
    x: np.ndarray
    modes: np.ndarray
    latents: np.ndarray
    prior: np.ndarray
    caption: str = ""


@styled
def encoder_figure(panels: Sequence[EncoderPanel]) -> Figure:
    """For each prior a row: the data, and its encodings over the prior in grey.

    Both halves of a row are coloured by the mode of x.

    Args:
        panels: one for each prior, at least one.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no panels or shapes do not fit together.
    """
    expect_some("panels", panels)
    figure = new_figure(5.6, 2.75 * len(panels))
    grid = figure.subplots(len(panels), 2, squeeze=False)
    for row, panel in zip(grid, panels, strict=True):
        _draw_row(row[0], row[1], panel)
    return figure


def _draw_row(data: Axes, encodings: Axes, panel: EncoderPanel) -> None:
    x = expect_points("x", panel.x)
    latents = expect_points("latents", panel.latents)
    expect_shape("latents", latents, (len(x), latents.shape[1]))
    prior = expect_points("prior", panel.prior, [latents.shape[1]])
    modes = expect_shape("modes", panel.modes, (len(x),))
    _draw_by_mode(data, x, modes)
    _name_axes(data, "x", x.shape[1])
    data.set_title("data, coloured by mode")
    _draw_prior(encodings, prior, latents)
    _draw_by_mode(encodings, latents, modes, over=prior)
    _name_axes(encodings, "z", latents.shape[1])
    encodings.set_title(f"E(x) over the {panel.label} (grey)\n{panel.caption}".rstrip())


def _draw_prior(axes: Axes, prior: np.ndarray, latents: np.ndarray) -> None:
    """Scatters 2-D points; draws a histogram of 1-D points in the bins that the latents get."""
    if prior.shape[1] == 2:
        axes.scatter(
            prior[:, 0], prior[:, 1], s=7, color=GREY, linewidths=0, rasterized=True, zorder=0
        )
    else:
        edges = _edges(np.concatenate([latents, prior])).tolist()
        axes.hist(prior[:, 0], edges, weights=_weights(prior), color=GREY, zorder=0)


def _draw_by_mode(
    axes: Axes, points: np.ndarray, modes: np.ndarray, over: np.ndarray | None = None
) -> None:
    """Scatters 2-D points; stacks histograms of 1-D points, wide enough for `over` as well."""
    colors = mode_colors(int(modes.max()) + 1)
    if points.shape[1] == 2:
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=4,
            c=colors[modes],
            linewidths=0,
            rasterized=True,
            zorder=1,
        )
        return
    edges = _edges(points if over is None else np.concatenate([points, over]))
    base = np.zeros(len(edges) - 1)
    for mode, color in enumerate(colors):
        counts, _ = np.histogram(points[modes == mode, 0], edges)
        top = base + counts / len(points)
        axes.stairs(top, edges, baseline=base, fill=True, color=color, alpha=0.85, zorder=1)
        base = top


def _edges(points: np.ndarray) -> np.ndarray:
    return np.linspace(points.min(), points.max(), _BINS + 1)


def _weights(points: np.ndarray) -> np.ndarray:
    return np.full(len(points), 1 / len(points))


def _name_axes(axes: Axes, letter: str, length: int) -> None:
    if length == 2:
        axes.set(xlabel=f"${letter}_1$", ylabel=f"${letter}_2$")
        axes.set_aspect("equal", adjustable="datalim")
    else:
        axes.set(xlabel=f"${letter}$", ylabel="share of points")
