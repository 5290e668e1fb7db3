"""Arrows of the discriminator's gradient at generated points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from logan.figures.checks import expect_points, expect_shape, expect_some
from logan.figures.contours import Contour, add_colorbar, draw_contour
from logan.figures.style import BLUE, GENERATED, REAL, legend_below, new_figure, styled


@dataclass(frozen=True)
class PulledPanel:
    """One discriminator of the same data and generations as the others.

    Attributes:
        title: what it is.
        gradients: [M, 2], ∇D in x at each generated point.
        contour: D over the plane.
        caption: a line of measures.
    """

    title: str
    gradients: np.ndarray
    contour: Contour
    caption: str = ""


@styled
def gradients_figure(
    real: np.ndarray,
    generated: np.ndarray,
    lost: np.ndarray,
    panels: Sequence[PulledPanel],
    arrow: float,
) -> Figure:
    """Where each discriminator pulls generated points, panels side by side.

    Args:
        real: [N, 2], data.
        generated: [M, 2], from which the arrows start.
        lost: [K, 2], centres of modes without generations.
        panels: at least one.
        arrow: length of each panel's longest arrow, in units of x; the others are in proportion to
            their slope.

    Returns:
        The figure.

    Raises:
        ValueError: if shapes do not fit.
    """
    expect_some("panels", panels)
    for name, points in (("real", real), ("generated", generated), ("lost", lost)):
        expect_points(name, points, (2,))
    figure = new_figure(3.5 * len(panels) + 0.3, 3.75)
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, panel in zip(grid, panels, strict=True):
        expect_shape("gradients", panel.gradients, np.shape(generated))
        add_colorbar(figure, axes, draw_contour(axes, panel.contour))
        axes.scatter(*real.T, s=5, color=REAL, linewidths=0, label="data", rasterized=True)
        axes.scatter(
            *lost.T,
            s=170,
            facecolors="none",
            edgecolors=BLUE,
            linewidths=1.4,
            label="lost mode",
        )
        axes.scatter(
            *generated.T, s=14, color=GENERATED, linewidths=0, label="generated", rasterized=True
        )
        steepest = float(np.linalg.norm(panel.gradients, axis=1).max(initial=0.0))
        arrows = panel.gradients * (arrow / steepest if steepest else 0.0)
        axes.quiver(
            *generated.T,
            *arrows.T,
            angles="xy",
            scale_units="xy",
            scale=1,
            color=GENERATED,
            width=0.006,
            label="D's gradient, the steepest the longest",
            zorder=3,
        )
        low, high = panel.contour.limits
        axes.set(
            title=f"{panel.title}\n{panel.caption}" if panel.caption else panel.title,
            xlim=(low[0], high[0]),
            ylim=(low[1], high[1]),
            aspect="equal",
        )
    legend_below(figure, grid[0])
    return figure
