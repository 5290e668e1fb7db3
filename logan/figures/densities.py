"""The density of a generator on a line moving to that of the data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from logan.figures.checks import expect_shape, expect_some
from logan.figures.style import GENERATED, GREY, INK, SMALL, legend_below, new_figure, styled

_MOST_SHOWN = 1.5  # heights above this multiple of the data's highest are cut off
_LINES = 81


@dataclass(frozen=True)
class DensityStage:
    """One moment of training.

    Attributes:
        label: the moment, such as "step 0".
        generated: [bins], density of the generator.
        z: [L], latents in increasing order.
        generated_x: [L], G(z) of those.
        divergence: Jensen-Shannon divergence of data and generator in nats.
    """

    label: str
    generated: np.ndarray
    z: np.ndarray
    generated_x: np.ndarray
    divergence: float


@styled
def densities_figure(
    edges: np.ndarray,
    real: np.ndarray,
    stages: Sequence[DensityStage],
    steps: np.ndarray,
    divergences: np.ndarray,
) -> Figure:
    """The densities and the way from z to x at some stages, and the divergence over all steps.

    Drawn as figure 1 of I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014: lines
    lead from evenly spaced z below to G(z) above.

    Args:
        edges: [bins + 1], of the bins.
        real: [bins], density of the data.
        stages: in the order of training, at least one.
        steps: [K], at which the divergence is known.
        divergences: [K], in nats.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no stages, or shapes do not fit.
    """
    expect_some("stages", stages)
    bins = len(edges) - 1
    expect_shape("real", real, (bins,))
    expect_shape("divergences", divergences, (len(steps),))
    for stage in stages:
        expect_shape("generated", stage.generated, (bins,))
        expect_shape("generated_x", stage.generated_x, (len(stage.z),))
    figure = new_figure(1.9 * len(stages) + 2.5, 3.0)
    columns = figure.subplots(
        2,
        len(stages) + 1,
        gridspec_kw=dict(
            height_ratios=(1.5, 1), width_ratios=(*[1.0] * len(stages), 1.25), hspace=0.0
        ),
    )
    top = _MOST_SHOWN * float(np.max(real))
    for column, stage in enumerate(stages):
        _draw_densities(columns[0, column], edges, real, stage, top)
        _draw_way(columns[1, column], edges, stage)
        for axes in columns[:, column]:
            axes.set(xlim=(edges[0], edges[-1]))
            axes.tick_params(labelleft=column == 0)
    columns[0, 0].set_ylabel("density")
    columns[1, 0].set_ylabel("$z$ to $x$")
    for axes in columns[:, -1]:
        axes.remove()
    curve = figure.add_subplot(columns[0, -1].get_gridspec()[:, -1])
    curve.plot(steps, divergences, color=GENERATED, linewidth=1.2)
    curve.axhline(np.log(2), color=INK, linewidth=0.7, linestyle=":")
    curve.text(steps[0], np.log(2), " log 2: no overlap", fontsize=SMALL, va="bottom")
    curve.set(
        title="divergence of data\nand generator", xlabel="step", ylabel="JSD, nats", ylim=(0, 0.78)
    )
    legend_below(figure, columns[0, 0])
    return figure


def _draw_densities(
    axes: Axes, edges: np.ndarray, real: np.ndarray, stage: DensityStage, top: float
) -> None:
    axes.stairs(real, edges, fill=True, color=GREY, label="density of the data")
    axes.stairs(
        stage.generated, edges, color=GENERATED, linewidth=0.9, label="density of the generator"
    )
    axes.set(title=f"{stage.label}\nJSD {stage.divergence:.2f}", ylim=(0, top))
    axes.tick_params(labelbottom=False)


def _draw_way(axes: Axes, edges: np.ndarray, stage: DensityStage) -> None:
    low, high = float(stage.z[0]), float(stage.z[-1])
    z = np.linspace(low, high, _LINES)
    x = np.interp(z, stage.z, stage.generated_x)
    # z is drawn over the whole width, whatever the range of x.
    places = edges[0] + (z - low) / (high - low) * (edges[-1] - edges[0])
    axes.plot(np.stack([places, x]), [[0.0], [1.0]], color=GENERATED, linewidth=0.4)
    axes.set(ylim=(0, 1), yticks=(0, 1), yticklabels=("$z$", "$x$"), xlabel="$x$")
