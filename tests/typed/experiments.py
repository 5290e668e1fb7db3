"""A user's program: runs, measures, losses and the penalty in a loop of one's own."""

from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import reveal_type

import logan
from logan import Experiment, Run, evaluate, measure, pairwise_gradient, preset
from logan.errors import UserError


def grid(seed: int) -> Experiment:
    experiment = preset("grid25", {"seed": seed, "prior": "normal"}, method="pairwise")
    reveal_type(experiment)  # logan.settings.experiment.Experiment
    reveal_type(experiment.steps)  # int
    return experiment


def run(workdir: Path) -> dict[str, Any]:
    outcome = logan.train(grid(0), workdir)
    reveal_type(outcome)  # logan.training.Outcome
    reveal_type(outcome.run)  # logan.runs.Run
    numbers, paths = evaluate(Run.open(workdir), samples=100)
    reveal_type(paths)  # list[pathlib.Path]
    return numbers


def compared(real: np.ndarray, generated: np.ndarray) -> float:
    try:
        found = measure(real, generated, samples=500)
    except UserError as error:
        raise SystemExit(str(error)) from error
    reveal_type(found)  # dict[str, Any]
    precision = logan.metrics.fidelity.fidelity(real, generated)
    reveal_type(precision)  # dict[str, float]
    return float(found["fidelity"]["coverage"])


def own_loop(x: np.ndarray, z: np.ndarray, x_hat: np.ndarray) -> float:
    pair = pairwise_gradient(lambda x, z: x + z, x, z, x_hat)
    reveal_type(pair)  # logan.penalties.pairwise.PairwiseGradient
    losses = logan.losses.get("vanilla")(x, x_hat)
    reveal_type(losses)  # logan.losses.AdversarialLosses
    return float(losses.generator)


measure(3, 4)  # error: arg-type
preset(25)  # error: arg-type
Experiment(steps="many")  # error: arg-type
logan.trian(grid(0), "runs/a")  # error: attr-defined
