"""The joint space of 1-D x and 1-D z over training: the article's figures 4 to 7."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from logan.figures.checks import expect_some
from logan.figures.contours import Contour, contour_levels, draw_contour
from logan.figures.style import ENCODED, GENERATED, legend_below, new_figure, styled


@dataclass(frozen=True)
class JointStage:
    """One moment of training, all arrays [N] or [N, 1].

    Attributes:
        label: the moment, such as "step 0".
        generated_x: [N], G(z).
        z: [N], the latents of those.
        real_x: [M], data.
        encoded_z: [M], E(x) of those.
        contour: the discriminator's logits over (x, z), x horizontal.
    """

    label: str
    generated_x: np.ndarray
    z: np.ndarray
    real_x: np.ndarray
    encoded_z: np.ndarray
    contour: Contour | None = None


@styled
def joint_space_figure(stages: Sequence[JointStage]) -> Figure:
    """Draws (G(z), z) and (x, E(x)) side by side for each stage, over D's contour.

    All panels share the axes and the colours of the contour.

    Args:
        stages: in the order of training, such as start, middle and end; at least one.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no stages, or x and z of a pair differ in number or are not 1-D.
    """
    expect_some("stages", stages)
    contours = [stage.contour for stage in stages if stage.contour is not None]
    levels = contour_levels(contours) if contours else None
    figure = new_figure(0.9 + 2.4 * len(stages), 3.0)
    grid = figure.subplots(1, len(stages), sharex=True, sharey=True, squeeze=False)[0]
    mappable = None
    for axes, stage in zip(grid, stages, strict=True):
        if stage.contour is not None:
            mappable = draw_contour(axes, stage.contour, levels)
        _draw_pairs(axes, stage)
    if mappable is not None:
        figure.colorbar(mappable, ax=grid, label="D logit", shrink=0.9)
    grid[0].set_ylabel("$z$")
    legend_below(figure, grid[0])
    return figure


def _draw_pairs(axes: Axes, stage: JointStage) -> None:
    x, encoded = _pairs("real_x and encoded_z", stage.real_x, stage.encoded_z)
    generated, z = _pairs("generated_x and z", stage.generated_x, stage.z)
    # One hollow, one full: where both distributions agree, both still show.
    axes.scatter(
        x,
        encoded,
        s=16,
        facecolors="none",
        edgecolors=ENCODED,
        linewidths=0.7,
        label="$(x, E(x))$",
        rasterized=True,
        zorder=1,
    )
    axes.scatter(
        generated,
        z,
        s=4,
        color=GENERATED,
        linewidths=0,
        label="$(G(z), z)$",
        rasterized=True,
        zorder=2,
    )
    axes.set(title=stage.label, xlabel="$x$")
    if stage.contour is not None:
        low, high = stage.contour.limits
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))


def _pairs(names: str, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, z = np.asarray(x), np.asarray(z)
    if x.shape != z.shape or x.ndim not in (1, 2) or x.size != len(x):
        received = f"shapes {x.shape} and {z.shape}"
        raise ValueError(f"Expected {names} of one shape, [N] or [N, 1]. Received: {received}")
    return x.ravel(), z.ravel()
