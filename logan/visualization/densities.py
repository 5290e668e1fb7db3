"""How the density of a generator on a line moves to that of the data."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from logan.figures.densities import DensityStage, densities_figure
from logan.metrics.densities import jensen_shannon, log_mixture, pushforward_masses
from logan.visualization.drawings import Drawing, saved
from logan.visualization.history import History, Snapshot

_REACH = 1.25  # as far beyond the outermost mode
_BINS_IN_SIGMA = 1
_POINTS_IN_BIN = 20  # of the trapezoidal rule
_STAGES = 4


class _Line(NamedTuple):
    edges: np.ndarray
    masses: np.ndarray  # of the data


def _line_of(history: History) -> _Line:
    toy = history.toy
    reach = _REACH * float(np.abs(toy.centers).max())
    bins = round(2 * reach / toy.sigma * _BINS_IN_SIGMA)
    edges = np.linspace(-reach, reach, bins + 1)
    shares = (np.arange(_POINTS_IN_BIN) + 0.5) / _POINTS_IN_BIN
    points = edges[:-1, None] + shares * np.diff(edges)[:, None]
    density = np.exp(log_mixture(points.ravel(), toy.centers, toy.sigma, toy.weights))
    return _Line(edges, density.reshape(points.shape).mean(axis=1) * np.diff(edges))


def _stage(snapshot: Snapshot, line: _Line) -> DensityStage:
    """Bins gather what is left and right of the picture in their first and last one."""
    order = np.argsort(snapshot["latents"][:, 0])
    z, x = snapshot["latents"][order, 0], snapshot["generated"][order, 0]
    masses = pushforward_masses(np.clip(x, *line.edges[[0, -1]]), _closed(line.edges))
    return DensityStage(
        f"step {int(snapshot['step']):,}",
        masses / np.diff(line.edges),
        z,
        x,
        jensen_shannon(line.masses / line.masses.sum(), masses),
    )


def _closed(edges: np.ndarray) -> np.ndarray:
    """The same bins, the last one with its upper edge."""
    return np.append(edges[:-1], np.nextafter(edges[-1], np.inf))


def _applies(history: History) -> bool:
    experiment = history.run.experiment
    is_line = history.is_toy and history.toy.features == experiment.latent_length == 1
    return is_line and not history.is_conditional


def _figure(history: History) -> Figure:
    line = _line_of(history)
    finite = [each for each in history.snapshots if np.isfinite(each["generated"]).all()]
    stages = [_stage(each, line) for each in finite]
    # More of them early, where more happens.
    last = len(stages) - 1
    shown = sorted({round(last * (index / (_STAGES - 1)) ** 2) for index in range(_STAGES)})
    return densities_figure(
        line.edges,
        line.masses / np.diff(line.edges),
        [stages[index] for index in shown],
        np.array([int(each["step"]) for each in finite]),
        np.array([stage.divergence for stage in stages]),
    )


DENSITIES = Drawing(_applies, saved(_figure))
