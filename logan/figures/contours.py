"""The discriminator's logit as a landscape under the points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from logan.figures.checks import expect_shape
from logan.figures.style import logit_colormap


@dataclass(frozen=True)
class Contour:
    """Logits of the discriminator on a rectangular grid.

    Attributes:
        x: [W], increasing: horizontal coordinates of the grid.
        y: [H], increasing: vertical coordinates of the grid.
        logits: [H, W], finite: D at (x[j], y[i]).

    Raises:
        ValueError: if the shapes do not fit together or a logit is not finite.
    """

    x: np.ndarray
    y: np.ndarray
    logits: np.ndarray

    def __post_init__(self) -> None:
        if np.ndim(self.x) != 1 or np.ndim(self.y) != 1:
            received = f"shapes {np.shape(self.x)} and {np.shape(self.y)}"
            raise ValueError(f"Expected x of shape [W] and y of shape [H]. Received: {received}")
        expect_shape("logits", self.logits, (len(self.y), len(self.x)))
        if not np.all(np.isfinite(self.logits)):
            raise ValueError("Expected finite logits. Received: NaN or infinity among them")

    @property
    def limits(self) -> np.ndarray:
        """The corners of the grid: [2, 2], the lowest (x, y) first."""
        return np.array([[np.min(self.x), np.min(self.y)], [np.max(self.x), np.max(self.y)]])


def contour_levels(contours: Sequence[Contour], steps: int = 16) -> np.ndarray:
    """Evenly spaced round levels that suit all the contours together.

    Args:
        contours: at least one.
        steps: the most steps between the lowest level and the highest, at least 1.

    Returns:
        [L], increasing, around the 1st to the 99th percentile: a few extreme corners of the grid
        would otherwise take up all the colours.
    """
    logits = np.concatenate([np.ravel(contour.logits) for contour in contours])
    low, high = np.percentile(logits.astype(np.float64), [1, 99])
    if high - low < 1e-6:  # a constant discriminator still needs increasing levels
        low, high = low - 0.5, high + 0.5
    return np.asarray(MaxNLocator(steps).tick_values(low, high))


def draw_contour(axes: Axes, contour: Contour, levels: np.ndarray | None = None) -> ContourSet:
    """Fills the axes with the logits.

    Args:
        axes: where to draw.
        contour: the logits.
        levels: [L], increasing; by default the contour's own.

    Returns:
        What a colour bar needs.
    """
    if levels is None:
        levels = contour_levels([contour])
    return axes.contourf(
        contour.x,
        contour.y,
        contour.logits,
        levels=levels,
        cmap=logit_colormap(),
        extend="both",
        zorder=0,
    )


def add_colorbar(figure: Figure, axes: Axes, contours: ContourSet) -> Colorbar:
    """Names the colours of one axes in a bar as high as the axes.

    Args:
        figure: the figure of the axes.
        axes: where the contour was drawn, also of equal aspect.
        contours: what `draw_contour` returned.

    Returns:
        The bar, labelled "D logit".
    """
    # A bar beside the axes would keep the height of the slot when equal aspect shrinks the axes.
    place = axes.inset_axes((1.04, 0.0, 0.045, 1.0))
    return figure.colorbar(contours, cax=place, label="D logit")
