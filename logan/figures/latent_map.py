"""Which part of the latent space goes to which mode."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from logan.figures.checks import expect_points, expect_shape, expect_some
from logan.figures.style import DISTINCT_MODES, GREY, INK, SMALL, mode_colors, new_figure, styled
from logan.metrics.coverage import nearest_centers

_Z_TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)  # as shares of the axis's reach


def latent_grid(length: int, size: int = 200, reach: float = 1.0) -> np.ndarray:
    """Evenly spaced latents that `latent_map_figure` draws as a closed strip or square.

    Args:
        length: 1 or 2.
        size: points along each axis, at least 2.
        reach: how far from 0 each axis goes: 1 is the whole of the uniform prior, 3 all but 0.3 %
            of a feature of the normal one.

    Returns:
        float32 [size ** length, length] in [-reach, reach].

    Raises:
        ValueError: if the length is another one.
    """
    if length not in (1, 2):
        raise ValueError(f"Expected latents of length 1 or 2. Received: {length}")
    axis = np.linspace(-reach, reach, size, dtype=np.float32)
    return np.stack(np.meshgrid(*[axis] * length), axis=-1).reshape(-1, length)


@styled
def latent_map_figure(
    latents: np.ndarray,
    samples: np.ndarray,
    centers: np.ndarray,
    high_quality_mask: np.ndarray,
) -> Figure:
    """Colours the latent space by the mode that each latent goes to, grey between the modes.

    A panel beside it shows the modes in data space, in the same colours and with their index.

    Args:
        latents: [N, k], k = 1 or 2; a closed square needs the points of `latent_grid`. The axes
            end at ±1, or at the farthest latent if that is beyond.
        samples: [N, d], the generator at the latents, d = 1 or 2.
        centers: [K, d], the centres of the modes. Up to 28 get an index, more run through viridis.
        high_quality_mask: bool [N], which samples lie within 3 sigma of a centre.

    Returns:
        The figure.

    Raises:
        ValueError: if the shapes do not fit together, or the latents are longer than 2.
    """
    latents = expect_points("latents", latents)
    samples = expect_points("samples", samples)
    expect_shape("samples", samples, (len(latents), samples.shape[1]))
    centers = expect_points("centers", centers, [samples.shape[1]])
    expect_some("latents", latents)
    expect_some("centers", centers)
    high_quality = expect_shape("high_quality_mask", high_quality_mask, (len(latents),))
    modes = np.where(high_quality.astype(bool), nearest_centers(samples, centers)[0], -1)
    if latents.shape[1] == 1:
        figure, key = _strip_figure(latents[:, 0], samples, modes, len(centers))
    else:
        figure, key = _square_figure(latents, modes, len(centers))
    _draw_key(key, samples, centers, modes)
    _add_legend(figure, modes, len(centers))
    return figure


def _colors(modes: np.ndarray, count: int) -> np.ndarray:
    """Looks up RGB colours; mode -1, which means none, is grey."""
    return np.vstack([mode_colors(count), to_rgb(GREY)])[modes]


def _strip_figure(
    z: np.ndarray, samples: np.ndarray, modes: np.ndarray, count: int
) -> tuple[Figure, Axes]:
    order = np.argsort(z, kind="stable")
    z, samples, modes = z[order], samples[order], modes[order]
    coordinates = samples.shape[1]
    figure = new_figure(7.6, 3.6)
    grid = figure.add_gridspec(
        1 + coordinates, 2, width_ratios=[1.7, 1], height_ratios=[0.45] + [1] * coordinates
    )
    strip = figure.add_subplot(grid[0, 0])
    _draw_strip(strip, z, modes, count)
    for index in range(coordinates):
        axes = figure.add_subplot(grid[1 + index, 0], sharex=strip)
        axes.scatter(z, samples[:, index], s=2, c=_colors(modes, count), rasterized=True)
        axes.set_ylabel(f"$G(z)_{index + 1}$" if coordinates > 1 else "$G(z)$")
        axes.tick_params(labelbottom=index + 1 == coordinates)
    axes.set_xlabel("$z$")
    return figure, figure.add_subplot(grid[:, 1])


def _draw_strip(axes: Axes, z: np.ndarray, modes: np.ndarray, count: int) -> None:
    middles = (z[:-1] + z[1:]) / 2
    edges = np.concatenate([z[:1], middles, z[-1:]])
    axes.pcolormesh(edges, [0, 1], _colors(modes, count)[None], rasterized=True)
    axes.set(xlim=(edges[0], edges[-1]), yticks=[])
    axes.tick_params(labelbottom=False)
    if count > DISTINCT_MODES:
        return
    narrowest = 0.015 * (edges[-1] - edges[0])  # below that an index is wider than its stretch
    for start, stop in _stretches(modes):
        if modes[start] >= 0 and edges[stop] - edges[start] >= narrowest:
            _print_index(axes, (edges[start] + edges[stop]) / 2, 0.5, modes[start])


def _stretches(modes: np.ndarray) -> Iterator[tuple[int, int]]:
    """The runs of equal values, as [start, stop)."""
    changes = np.flatnonzero(np.diff(modes)) + 1
    bounds = [0, *changes.tolist(), len(modes)]
    return pairwise(bounds)


def _square_figure(latents: np.ndarray, modes: np.ndarray, count: int) -> tuple[Figure, Axes]:
    figure = new_figure(7.2, 3.7)
    square, key = figure.subplots(1, 2)
    columns, rows = (np.unique(axis) for axis in latents.T)
    if len(columns) * len(rows) == len(latents):
        order = np.lexsort((latents[:, 0], latents[:, 1]))
        image = modes[order].reshape(len(rows), len(columns))
        square.pcolormesh(columns, rows, _colors(image, count), shading="nearest", rasterized=True)
        _index_regions(square, columns, rows, image, count)
    else:
        square.scatter(
            latents[:, 0],
            latents[:, 1],
            s=3,
            c=_colors(modes, count),
            linewidths=0,
            rasterized=True,
        )
    reach = max(1.0, float(np.abs(latents).max()))
    limits, ticks = (-reach, reach), tuple(reach * tick for tick in _Z_TICKS)
    square.set(xlim=limits, ylim=limits, aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    square.set(xticks=ticks, yticks=ticks)
    return figure, key


def _index_regions(
    axes: Axes, columns: np.ndarray, rows: np.ndarray, image: np.ndarray, count: int
) -> None:
    if count > DISTINCT_MODES:
        return
    for mode in range(count):
        if np.any(image == mode):
            row, column = _deepest(image == mode)
            _print_index(axes, columns[column], rows[row], mode)


def _deepest(region: np.ndarray) -> tuple[int, int]:
    """A cell far from the region's border: what is left before erosion takes the last."""
    while True:
        padded = np.pad(region, 1)
        inner = region & padded[:-2, 1:-1] & padded[2:, 1:-1]
        inner &= padded[1:-1, :-2] & padded[1:-1, 2:]
        if not inner.any():
            rows, columns = np.nonzero(region)
            return rows[len(rows) // 2], columns[len(rows) // 2]
        region = inner


def _print_index(axes: Axes, x: float, y: float, mode: int) -> None:
    axes.text(
        x,
        y,
        str(mode),
        ha="center",
        va="center",
        fontsize=SMALL,
        color=INK,
        zorder=4,
        path_effects=[withStroke(linewidth=1.8, foreground="white")],
    )


def _draw_key(axes: Axes, samples: np.ndarray, centers: np.ndarray, modes: np.ndarray) -> None:
    """Draws the modes in data space; 1-D modes climb with their index to stay apart."""
    count = len(centers)
    indexed = count <= DISTINCT_MODES
    reached = np.isin(np.arange(count), modes)
    fill = np.where(reached[:, None], mode_colors(count), 1.0)
    if centers.shape[1] == 1:
        places = np.column_stack([centers[:, 0], np.arange(count)])
        axes.set(xlabel="$x$", ylabel="mode", yticks=[], ylim=(-0.8, count - 0.2))
    else:
        places = centers
        axes.scatter(
            samples[:, 0],
            samples[:, 1],
            s=1,
            color=GREY,
            alpha=0.5,
            linewidths=0,
            rasterized=True,
            zorder=1,
        )
        axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    size = 110 if indexed else 6
    axes.scatter(
        places[:, 0],
        places[:, 1],
        s=size,
        c=fill,
        edgecolors=INK,
        linewidths=0.5 * indexed,
        zorder=2,
    )
    axes.margins(0.12)
    for mode in range(count if indexed else 0):
        _print_index(axes, places[mode, 0], places[mode, 1], mode)


def _add_legend(figure: Figure, modes: np.ndarray, count: int) -> None:
    handles: list[Patch | Line2D] = [Patch(color=GREY, label="not high quality")]
    if not np.isin(np.arange(count), modes).all():
        unreached = Line2D(
            [], [], marker="o", linestyle="none", label="mode that no latent reaches"
        )
        unreached.set(markerfacecolor="white", markeredgecolor=INK)
        handles.append(unreached)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
