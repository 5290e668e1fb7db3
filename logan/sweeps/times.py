"""Times of a training step, measured, and the steps that take equally long by them."""

import dataclasses
import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from logan.errors import UserError
from logan.files import read_json, write_json
from logan.runs import Run
from logan.settings import Experiment, to_flags
from logan.sweeps.plan import PlannedRun
from logan.sweeps.work import Job, work

Group = tuple[str, str]

FILE = "step_times.json"
_WORTH_MEASURING = 4  # times as many steps as a measurement takes
_MEASURED = {  # by whether it is of images: steps, and steps of a line of the log
    False: (1_000, 100),
    True: (60, 5),
}
# Of what an experiment's steps take, these change nothing, or are what is to be found out.
_NO_MATTER = ("seed", "steps", "method", "weights", "sampler", "plugins")


class StepTimes:
    """The measured times, kept in the sweep's folder; those of other settings do not count.

    Args:
        folder: the sweep's.
        threads: of each run; 0 for one on each core.
    """

    def __init__(self, folder: Path, threads: int):
        self.threads = threads
        self._path = folder / FILE
        self._entries: dict[str, Any] = read_json(self._path) if self._path.is_file() else {}
        if not isinstance(self._entries, dict):
            raise UserError(f"{self._path}: expected times by run. Received: {self._entries!r:.80}")

    def get(self, planned: PlannedRun) -> float | None:
        """Seconds of a step of such a run; None if that is not known."""
        entry = self._entries.get(" ".join(planned.group))
        if entry is None:
            return None
        try:
            settings = entry["threads"], entry["flags"]
            is_same = settings == (self.threads, _flags(planned.run.experiment))
            return float(entry["seconds"]) if is_same else None
        except (TypeError, KeyError, ValueError) as error:
            raise UserError(f"{self._path}: expected times. Received: {entry!r:.80}") from error

    def add(self, planned: PlannedRun, seconds: float) -> None:
        """Keeps what was measured."""
        self._entries[" ".join(planned.group)] = {
            "seconds": seconds,
            "threads": self.threads,
            "flags": _flags(planned.run.experiment),
        }
        write_json(self._path, self._entries)


def _flags(experiment: Experiment) -> list[str]:
    lines = to_flags(experiment)
    return [line for line in lines if line[2:].partition("=")[0] not in _NO_MATTER]


def first_of_groups(runs: Iterable[PlannedRun]) -> dict[Group, PlannedRun]:
    """A run of each experiment and method, the first one."""
    firsts: dict[Group, PlannedRun] = {}
    for planned in runs:
        firsts.setdefault(planned.group, planned)
    return firsts


def with_equal_times(
    runs: Sequence[PlannedRun], seconds: Mapping[Group, float]
) -> list[PlannedRun]:
    """The runs with such steps that all of an experiment take as long as its first method's.

    Steps are whole intervals of the log: others would make a step slower.

    Args:
        runs: as planned, all with their default steps.
        seconds: of a step, by experiment and method.
    """
    firsts: dict[str, PlannedRun] = {}
    changed = []
    for planned in runs:
        first = firsts.setdefault(planned.run.experiment.name, planned)
        if planned.group == first.group:
            changed.append(planned)
            continue
        every = planned.run.experiment.log_every
        wanted = first.run.experiment.steps * seconds[first.group] / seconds[planned.group]
        changed.append(planned.with_steps(max(1, round(wanted / every)) * every))
    return changed


def step_times(records: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds of a step in each interval of a log but the first, which compiled.

    Args:
        records: of the log, in order.
    """
    return [
        (after["seconds"] - before["seconds"]) / (after["step"] - before["step"])
        for before, after in itertools.pairwise(records)
        if after["step"] > before["step"]
    ]


def measure_step(planned: PlannedRun, logs: Path, threads: int) -> float:
    """Trains a few steps, which are thrown away, and takes the time of one in the fastest interval.

    Whatever else the machine does can only add to a time.

    Args:
        planned: a run; its folder is left alone, and the new one lies beside it.
        logs: a folder for what the training prints.
        threads: as many as the run will have.

    Raises:
        UserError: if the training fails.
        KeyboardInterrupt: if it is interrupted.
    """
    steps, every = _MEASURED[planned.run.experiment.is_image]
    short: dict[str, Any] = dict(steps=steps, log_every=every, snapshots=0, checkpoint_every=steps)
    path = planned.run.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".timing-{path.name}-", dir=path.parent) as folder:
        experiment = dataclasses.replace(planned.run.experiment, **short)
        run = Run(Path(folder), experiment)
        trial = PlannedRun(run, {**planned.given, **short})
        job = Job(run, [trial.commands(threads)[0]], logs / f"timing-{path.name}.txt")
        finished = work([job], 1, show_progress=False)
        if finished.interrupted_by is not None:
            raise KeyboardInterrupt
        if finished.failures:
            raise UserError("\n".join(finished.failures))
        return min(step_times(run.records()))


def measure_steps(runs: Iterable[PlannedRun], times: StepTimes, logs: Path) -> dict[Group, float]:
    """Seconds of a step of each of the runs, measured where it is not known yet, one at a time.

    Args:
        runs: one of each experiment and method.
        times: what is known; what is measured is added.
        logs: a folder for what the trainings print.
    """
    seconds: dict[Group, float] = {}
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    for planned in runs:
        known = times.get(planned)
        if known is None:
            unsure = f" The machine is busy (load {load:.0f}): unsure." if load > cores / 2 else ""
            print(f"Measuring a step of {', '.join(planned.group)}.{unsure}", file=sys.stderr)
            known = measure_step(planned, logs, times.threads)
            times.add(planned, known)
        seconds[planned.group] = known
    return seconds


def logged_steps(runs: Iterable[PlannedRun]) -> dict[Group, float]:
    """Seconds of a step by the logs of runs that have begun, by experiment and method."""
    found: dict[Group, list[float]] = {}
    for planned in runs:
        found.setdefault(planned.group, []).extend(step_times(planned.run.records()))
    return {group: statistics.median(times) for group, times in found.items() if times}


def steps_left(planned: PlannedRun) -> int:
    """How many steps a run has still to train, from its newest checkpoint on."""
    done = planned.run.checkpoints.steps()
    return max(0, planned.run.experiment.steps - (done[-1] if done else 0))


def worth_measuring(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """A run of each experiment and method with far more steps left than a measurement takes."""
    left: dict[Group, int] = {}
    firsts = first_of_groups(runs)
    for planned in runs:
        left[planned.group] = left.get(planned.group, 0) + steps_left(planned)
    return [
        planned
        for group, planned in firsts.items()
        if left[group] >= _WORTH_MEASURING * _MEASURED[planned.run.experiment.is_image][0]
    ]


def time_left(
    runs: Sequence[PlannedRun], seconds: Mapping[Group, float], at_once: int
) -> float | None:
    """Seconds that training takes, so many runs side by side, if that slows none of them down.

    Args:
        runs: those that are not complete.
        seconds: of a step, by experiment and method.
        at_once: how many run side by side.

    Returns:
        None if no step's time is known.
    """
    known = [steps_left(each) * seconds[each.group] for each in runs if each.group in seconds]
    return max(max(known), sum(known) / at_once) if known else None


def duration(seconds: float) -> str:
    """A time in words, such as "2 h 5 min"."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
