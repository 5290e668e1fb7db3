"""A first look of some five minutes: as many steps as fit, by a measure on a scratch model."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from logan.callbacks import FindClusters
from logan.datasets.load import classes_of, load
from logan.distribution import start_strategy
from logan.models.assemble import assemble, check_parts
from logan.overview import row, tell
from logan.pace import Pace, duration, steps_within
from logan.runs import Run, cache_of
from logan.settings import Experiment
from logan.training import fit, steps_per_execution

SECONDS = 300.0  # of a first look
_SHARE_OF_STEPS = 0.9  # the rest goes to pictures, held-out measures and checkpoints


def quickly(experiment: Experiment, workdir: Path, *, show_progress: bool = True) -> Experiment:
    """The experiment with as many steps as a first look takes, but not more than it has.

    Args:
        experiment: the settings.
        workdir: the folder that the run is to lie in. A run that was begun there keeps its steps.
        show_progress: tell on standard error what was found.

    Raises:
        RunError: if the folder holds something else.
        UserError: if the data cannot be used, or the devices.
    """
    if (workdir / "flags.txt").exists():
        steps = Run.open(workdir).experiment.steps
        said = [f"{steps:,} steps, as {workdir} was begun with"]
    else:
        steps, said = _chosen(experiment.steps, _measured(experiment, workdir, show_progress))
    if show_progress:
        tell(row("Quick", *said))
    return dataclasses.replace(experiment, steps=steps)


def _measured(experiment: Experiment, workdir: Path, show_progress: bool) -> Pace:
    """The pace of the experiment's training, by a model that is thrown away."""
    Run(workdir, experiment).check_is_free()
    check_parts(experiment)
    strategy = start_strategy(experiment)
    data = load(experiment, cache_of(workdir), show_progress=show_progress)
    with strategy.scope():
        classes = classes_of(experiment, data)
        model = assemble(experiment, steps_per_execution(experiment), classes=classes)

    def stop(step: int, seconds: float) -> None:
        model.stop_training = True

    pace = Pace(stop)
    callbacks: list[Any] = [pace]
    if experiment.condition == "clusters":
        callbacks.insert(0, FindClusters(data.training_sample, experiment.cluster_every))
    fit(model, data, experiment, strategy, callbacks)
    # The training to come finds Keras as it would be without this, down to the names of layers.
    keras.utils.clear_session()
    return pace


def _chosen(most: int, pace: Pace) -> tuple[int, list[str]]:
    """The steps, and lines about them."""
    if pace.seconds is None:
        return most, [f"all {most:,} steps take seconds on this machine: nothing is changed"]
    whole = f"about {duration(most * pace.seconds)}"
    steps = steps_within(SECONDS * _SHARE_OF_STEPS - pace.seconds_to_begin, pace.seconds)
    if steps >= most:
        return most, [f"all {most:,} steps take {whole} on this machine: nothing is changed"]
    return steps, [
        f"{steps:,} of {most:,} steps, at {duration(pace.seconds)} a step on this machine",
        f"all of them, without --quick: {whole}",
    ]
