"""Another number of steps for a run that has begun: when it would still be one run."""

import dataclasses
from pathlib import Path

from logan.errors import RunError
from logan.settings.comparison import differences
from logan.settings.experiment import Experiment

HELD_OUT_EVERY = 100  # steps, at least, between two measures of held-out reconstructions


def check_continues(path: Path, begun: Experiment, wanted: Experiment) -> None:
    """Refuses settings that would not go on with a run: all others, but for more steps.

    Args:
        path: the run's folder.
        begun: the settings that it was begun with.
        wanted: those to go on with.

    Raises:
        RunError: if they are not those of one run. With a schedule the steps must stay as well:
            they decide the learning rate of every step from the first on.
    """
    others = differences(dataclasses.replace(begun, steps=wanted.steps), wanted)
    if others:
        raise RunError(
            f"--workdir: expected a new folder or one of the same experiment. {path} was "
            f"made with {'; '.join(differences(begun, wanted))}"
        )
    if wanted.steps < begun.steps:
        raise RunError(
            f"--steps: expected at least {begun.steps}, as {path} was begun with. Received: "
            f"{wanted.steps}. A shorter training takes another --workdir"
        )
    if wanted.steps > begun.steps and begun.schedule != "constant":
        raise RunError(
            f"--steps: expected {begun.steps}, as {path} was begun with. Received: {wanted.steps}. "
            f"By --schedule={begun.schedule} the learning rate of every step depends on --steps. "
            "Train anew in another --workdir, with --schedule=constant if it is to be prolonged"
        )


def last_common_step(experiment: Experiment) -> int:
    """The last step at which a longer run has the same log and the same best averages; 0: none.

    Other ends have a line in the log, and a measure of held-out reconstructions, of their own.
    """
    every = experiment.log_every
    step = experiment.steps - experiment.steps % every
    while step > 0 and step // HELD_OUT_EVERY == (step - every) // HELD_OUT_EVERY:
        step -= every
    return step
