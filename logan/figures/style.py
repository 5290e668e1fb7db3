"""Colours and sizes shared by every picture."""

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart under every common colour blindness.
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#BDBDBD"
INK = "#222222"

REAL = INK
GENERATED = VERMILION
ENCODED = BLUE
MISSED = BLUE
SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY_BLUE, INK)

SMALL = 7.0
SETTINGS = {
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.0,
    "axes.linewidth": 0.6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "logan",
}

# Used as a decorator, so that a figure looks the same whatever the caller's matplotlibrc says.
styled = matplotlib.rc_context(SETTINGS)  # type: ignore[arg-type, unused-ignore]

_MODE_HUES = (BLUE, ORANGE, GREEN, PURPLE, SKY_BLUE, VERMILION, YELLOW)
_MODE_TINTS = (0.0, 0.5, -0.4, 0.75)  # towards white above 0, towards black below
DISTINCT_MODES = len(_MODE_HUES) * len(_MODE_TINTS)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that keeps its labels inside.

    Args:
        width: inches, positive.
        height: inches, positive.

    Returns:
        A figure with constrained layout that pyplot does not know of.
    """
    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def tinted(color: str, tint: float) -> np.ndarray:
    """A colour moved towards white or black.

    Args:
        color: any colour that matplotlib understands.
        tint: in [-1, 1]: 1 gives white, -1 black, 0 the colour itself.

    Returns:
        RGB, float64 [3] in [0, 1].
    """
    target = 1.0 if tint > 0 else 0.0
    return (1 - abs(tint)) * np.asarray(to_rgb(color)) + abs(tint) * target


def mode_colors(count: int) -> np.ndarray:
    """One colour for each mode.

    Up to 28 modes get colours that differ from those of their neighbours in the list. More modes
    (the swiss roll has 1,000, in order along the roll) run through viridis.

    Args:
        count: number of modes, at least 1.

    Returns:
        RGB, float64 [count, 3] in [0, 1].
    """
    if count > DISTINCT_MODES:
        return matplotlib.colormaps["viridis"](np.linspace(0, 1, count))[:, :3]
    colors = [tinted(hue, tint) for tint in _MODE_TINTS for hue in _MODE_HUES]
    return np.stack(colors[:count])


def logit_colormap() -> Colormap:
    """Cividis, paled, so that dark and vermilion points stay visible on all of it.

    Returns:
        The colour map.
    """
    colors = matplotlib.colormaps["cividis"](np.linspace(0, 1, 64))[:, :3]
    return LinearSegmentedColormap.from_list("logits", list(0.55 * colors + 0.45))


def legend_below(figure: Figure, *axes: Axes) -> None:
    """Puts one legend under the whole figure, where it hides no data.

    Args:
        figure: a figure with constrained layout.
        axes: whose labelled artists it names, each label once.
    """
    named: dict[str, Artist] = {}
    for each in axes:
        for handle, label in zip(*each.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=len(named))


def figure_of(axes: Axes) -> Figure:
    """The figure that the axes belong to.

    Args:
        axes: axes of a figure, not of a subfigure.

    Returns:
        The figure.
    """
    figure = axes.figure
    assert isinstance(figure, Figure)
    return figure
