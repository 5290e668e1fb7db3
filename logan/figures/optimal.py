"""A trained discriminator beside the one that is best, where both densities are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from logan.figures.checks import expect_shape, expect_some
from logan.figures.style import GENERATED, INK, SERIES, SMALL, legend_below, new_figure, styled

_BEST = "#999999"


@dataclass(frozen=True)
class Judged:
    """One discriminator over its training.

    Attributes:
        label: what it is.
        steps: [stages], at which its values were noted.
        probabilities: [stages, N], s(D) at the points of the picture.
        curve_steps: [K], at which its divergence was noted.
        divergences: [K], (V + log 4) / 2 in nats.
    """

    label: str
    steps: Sequence[int]
    probabilities: np.ndarray
    curve_steps: np.ndarray
    divergences: np.ndarray


@styled
def optimal_discriminator_figure(
    x: np.ndarray,
    p: np.ndarray,
    q: np.ndarray,
    best: np.ndarray,
    divergence: float,
    judged: Sequence[Judged],
) -> Figure:
    """The two densities, D beside D* at some steps, and how much of the divergence D sees.

    Args:
        x: [N], increasing.
        p: [N], density of the data.
        q: [N], density of the generator.
        best: [N], D* = p / (p + q).
        divergence: JSD(p, q) in nats.
        judged: discriminators of the same steps, at least one.

    Returns:
        The figure: the densities, a panel for each step, the curves.

    Raises:
        ValueError: if shapes do not fit, or the steps differ.
    """
    expect_some("judged", judged)
    for name, values in (("p", p), ("q", q), ("best", best)):
        expect_shape(name, values, (len(x),))
    steps = list(judged[0].steps)
    for each in judged:
        if list(each.steps) != steps:
            raise ValueError(f"Expected all at the steps {steps}. Received: {list(each.steps)}")
        expect_shape("probabilities", each.probabilities, (len(steps), len(x)))
    rows = 2
    columns = -(-(len(steps) + 2) // rows)
    figure = new_figure(2.7 * columns, 2.15 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    densities, panels, curve = grid[0], grid[1 : 1 + len(steps)], grid[len(steps) + 1]
    for spare in grid[len(steps) + 2 :]:
        spare.set_axis_off()
    densities.fill_between(x, p, color=INK, alpha=0.3, linewidth=0, label="density of the data, p")
    densities.plot(x, q, color=GENERATED, linewidth=1.2, label="density of the generator, q")
    densities.set(title="two known densities", xlabel="$x$", ylabel="density", ylim=(0, None))
    for index, (axes, step) in enumerate(zip(panels, steps, strict=True)):
        axes.plot(x, best, color=_BEST, linewidth=3.0, label="best, $D^* = p / (p + q)$")
        for number, each in enumerate(judged):
            axes.plot(
                x,
                each.probabilities[index],
                _DASHES[number % len(_DASHES)],
                color=_color(number),
                linewidth=1.1,
                label=each.label,
            )
        axes.set(title=f"step {step:,}", xlabel="$x$", ylabel="$D(x)$", ylim=(-0.04, 1.04))
    curve.axhline(np.log(2), color=INK, linewidth=0.7, linestyle=":")
    curve.text(0, np.log(2), " log 2: no overlap", fontsize=SMALL, va="bottom", ha="left")
    curve.axhline(divergence, color=_BEST, linewidth=3.0)
    curve.text(0, divergence + 0.012, f" JSD(p, q) = {divergence:.3f}", fontsize=SMALL, va="bottom")
    for number, each in enumerate(judged):
        curve.plot(
            each.curve_steps,
            each.divergences,
            _DASHES[number % len(_DASHES)],
            color=_color(number),
            linewidth=1.1,
        )
    curve.set(
        title="how much of it D sees",
        xlabel="step",
        ylabel="$(V + \\log 4)\\, /\\, 2$, nats",
        ylim=(-0.04, 0.8),
    )
    legend_below(figure, densities, panels[0])
    return figure


_DASHES = ("-", "--", ":")


def _color(number: int) -> str:
    # Vermilion is the generator's.
    return [color for color in SERIES if color != GENERATED][number % (len(SERIES) - 1)]
