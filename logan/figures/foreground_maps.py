"""Where foreground appears: real frames against generated ones."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from logan.figures.checks import expect_shape
from logan.figures.style import GENERATED, MISSED, new_figure, styled

_LEAST_LIMIT = 0.01  # maps without any foreground still need a scale
_MOST_ASPECT = 2.5
_PERCENTILE = 99  # a few pixels that are always foreground would take up all the colours


@styled
def foreground_maps_figure(
    real_map: np.ndarray,
    generated_map: np.ndarray,
    real_share: float | None = None,
    generated_share: float | None = None,
    *,
    label: str = "generated frames",
) -> Figure:
    """Two heat maps on one scale, and their difference.

    What the generator draws too often is vermilion in the difference, what it misses is blue.

    Args:
        real_map: float [height, width] in [0, 1], the share of frames in which each pixel is
            foreground: the mean of the mask of `logan.metrics.scene.Foreground` over frames.
        generated_map: the same of generations.
        real_share: in [0, 1], the share of real frames with foreground, for the caption.
        generated_share: the same of generations.
        label: the title of the second panel.

    Returns:
        The figure.

    Raises:
        ValueError: if the maps differ in shape or are not shares.
    """
    real = _expect_map("real_map", real_map)
    generated = _expect_map("generated_map", generated_map)
    expect_shape("generated_map", generated, real.shape)
    difference = generated - real
    figure = new_figure(7.2, _height(real.shape))
    left, middle, right = figure.subplots(1, 3)
    limit = _limit(np.stack([real, generated]))
    cividis = matplotlib.colormaps["cividis"]
    _draw_map(left, real, cividis, (0, limit), "real frames", _caption(real, real_share))
    shares = _draw_map(
        middle, generated, cividis, (0, limit), label, _caption(generated, generated_share)
    )
    reach = _limit(np.abs(difference))
    differences = _draw_map(
        right,
        difference,
        LinearSegmentedColormap.from_list("difference", [MISSED, "white", GENERATED]),
        (-reach, reach),
        "difference, generated − real",
        f"absolute difference {np.abs(difference).mean():.1%},\nmean over pixels",
    )
    _add_bar(figure, shares, [left, middle], "share of frames")
    _add_bar(figure, differences, [right], "too rare  ←  share of frames  →  too often")
    return figure


def _expect_map(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.size:
        expected = f"{name} of shape [height, width]"
        raise ValueError(f"Expected {expected}. Received: shape {values.shape}")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"Expected {name} in [0, 1]. Received: {low:g} to {high:g}")
    return values


def _limit(values: np.ndarray) -> float:
    return max(_LEAST_LIMIT, float(np.percentile(values, _PERCENTILE)))


def _height(shape: tuple[int, ...]) -> float:
    """Inches that leave little white around panels of this shape."""
    return 1.18 + 2.36 * min(_MOST_ASPECT, shape[0] / shape[1])


def _caption(values: np.ndarray, share: float | None) -> str:
    mean = f"{values.mean():.1%} of pixels"
    return mean if share is None else f"foreground in {share:.1%} of frames\n{mean}"


def _draw_map(
    axes: Axes,
    values: np.ndarray,
    colors: Colormap,
    limits: tuple[float, float],
    title: str,
    caption: str,
) -> AxesImage:
    image = axes.imshow(values, cmap=colors, vmin=limits[0], vmax=limits[1], interpolation="none")
    axes.set(xticks=[], yticks=[], title=title, xlabel=caption)
    return image


def _percent(value: float, _: float) -> str:
    return f"{100 * value:.3g}%".replace("-", "−")


def _add_bar(figure: Figure, image: AxesImage, axes: list[Axes], label: str) -> None:
    low, high = image.get_clim()
    values = np.concatenate([np.ravel(np.asarray(panel.images[0].get_array())) for panel in axes])
    above, below = bool(np.any(values > high)), bool(np.any(values < low))
    extend = {(True, True): "both", (True, False): "max", (False, True): "min"}
    bar = figure.colorbar(
        image,
        ax=axes,
        location="bottom",
        shrink=0.8,
        aspect=25 * len(axes),
        extend=extend.get((above, below), "neither"),
    )
    bar.set_label(label)
    bar.ax.xaxis.set_major_locator(MaxNLocator(4))
    bar.ax.xaxis.set_major_formatter(_percent)
