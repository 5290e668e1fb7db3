"""Curves over the steps of training, from the records of log.jsonl or measures of snapshots."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from logan.figures.checks import expect_some
from logan.figures.style import SERIES, new_figure, styled

Records = Sequence[Mapping[str, float | None]]

# The label of each panel's vertical axis, and what it shows: key and name.
_PANELS: dict[str, dict[str, str]] = {
    "loss with penalties": {
        "discriminator_loss": "discriminator",
        "generator_loss": "generator and encoder",
    },
    "D logit": {"real_logits": "real", "fake_logits": "generated"},
    "penalty": {"penalty": "penalty"},
    "gradient of D at the pairs": {"gradient_slope": "slope", "gradient_alignment": "alignment"},
    "‖x - G(E(x))‖": {
        "reconstruction_distance": "mean, training",
        "held_out_distance": "RMS, held out, averaged weights",
    },
    "autoencoder loss": {"autoencoder_loss": "mean square"},
    "learning rate": {"learning_rate": "learning rate"},
    "modes": {"modes": "all", "captured": "captured", "captured_fair": "in a fair share"},
    "share within 3σ": {"high_quality": "samples"},
    "KL of all samples": {"reverse_kl_all": "KL"},
}
_DASHES = ("-", "--", ":")


@dataclass(frozen=True)
class _Line:
    label: str
    color: str
    dashes: str


@styled
def curves_figure(runs: Mapping[str, Records]) -> Figure:
    """Draws what the logs hold, one panel for each kind: raw values pale, smoothed ones full.

    Keys drawn: discriminator_loss, generator_loss; real_logits, fake_logits; penalty;
    gradient_slope, gradient_alignment; reconstruction_distance, held_out_distance;
    autoencoder_loss; learning_rate; and of `logan.metrics.coverage.mode_coverage` modes, captured,
    captured_fair; high_quality; reverse_kl_all.
    Panels without a key in any log are left out. One run has a colour for each key; of several
    runs each has a colour, and the keys differ in their dashes.

    Args:
        runs: for each label, its records in order, each with "step" and numbers; a key may be
            missing or None in some.

    Returns:
        The figure.

    Raises:
        ValueError: if there are no runs, or none of the keys is in any record.
    """
    expect_some("runs", list(runs))
    logged = {key for records in runs.values() for record in records for key in record}
    panels = {label: keys for label, keys in _PANELS.items() if logged & set(keys)}
    if not panels:
        raise ValueError(f"Expected records of training. Received: keys {sorted(logged)}")
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(2.9 * columns + 0.2, 2.2 * rows + 0.2)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axes, (label, keys) in zip(grid.flat, panels.items(), strict=False):
        _draw_panel(axes, {key: keys[key] for key in keys if key in logged}, runs)
        axes.set(ylabel=label, xlabel="step")
        axes.tick_params(labelbottom=True)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    if len(runs) > 1:
        _add_runs_legend(figure, list(runs))
    return figure


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """A centred moving average, over fewer values at the ends and around missing ones.

    Args:
        values: [N]; NaN counts as missing.
        width: values in an average, at least 1; an even width is one wider.

    Returns:
        float64 [N]; NaN where there was nothing to average.

    Raises:
        ValueError: if values is not 1-D or width is below 1.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or width < 1:
        received = f"shape {values.shape}, width {width}"
        raise ValueError(f"Expected values of shape [N] and a width >= 1. Received: {received}")
    half = width // 2
    present = np.isfinite(values)
    sums = np.cumsum(np.pad(np.where(present, values, 0.0), (half + 1, half)))
    counts = np.cumsum(np.pad(present.astype(int), (half + 1, half)))
    reach = 2 * half + 1
    totals, numbers = sums[reach:] - sums[:-reach], counts[reach:] - counts[:-reach]
    return np.where(numbers > 0, totals / np.maximum(numbers, 1), np.nan)


def _draw_panel(axes: Axes, keys: Mapping[str, str], runs: Mapping[str, Records]) -> None:
    for run_index, records in enumerate(runs.values()):
        for key_index, (key, name) in enumerate(keys.items()):
            if len(runs) == 1:
                line = _Line(name, SERIES[key_index], "-")
            else:
                label = name if run_index == 0 else "_nolegend_"
                line = _Line(label, SERIES[run_index % len(SERIES)], _DASHES[key_index])
            _draw_line(axes, records, key, line)
    if len(keys) > 1:
        axes.legend(loc="best", handlelength=2.2)
    axes.grid(alpha=0.25, linewidth=0.5)


def _draw_line(axes: Axes, records: Records, key: str, line: _Line) -> None:
    points = [(record["step"], record[key]) for record in records if record.get(key) is not None]
    if not points:
        return
    steps, values = np.array(points, dtype=np.float64).T
    width = max(1, len(values) // 25)
    if width > 1:
        axes.plot(steps, values, color=line.color, alpha=0.2, linewidth=0.6)
    axes.plot(
        steps, smooth(values, width), line.dashes, color=line.color, label=line.label, linewidth=1.2
    )


def _add_runs_legend(figure: Figure, labels: Sequence[str]) -> None:
    colors = [SERIES[index % len(SERIES)] for index in range(len(labels))]
    handles = [figure.axes[0].plot([], [], color=color, linewidth=2)[0] for color in colors]
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 4))
