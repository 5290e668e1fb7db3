"""Trains and measures several experiments by several methods with several seeds."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from logan.cli import command
from logan.cli.settings import define_settings, given_settings
from logan.errors import UserError
from logan.extractors import check_has_classifier
from logan.registry import load_plugins
from logan.settings.names import DATASETS
from logan.sweeps.plan import (
    RUN_NAMES,
    PlannedRun,
    check_folders,
    method_settings,
    open_commands,
    plan,
    seeds_from,
    shell_line,
)
from logan.sweeps.times import (
    StepTimes,
    duration,
    first_of_groups,
    logged_steps,
    measure_steps,
    time_left,
    with_equal_times,
    worth_measuring,
)
from logan.sweeps.work import Job, work

TEXT = """Trains and measures several experiments by several methods with several seeds: one table
with mean (min to max) over seeds, a CSV of all runs, and a picture of each experiment.

    logan-sweep --experiment=traffic --methods=pairwise,bigan,wgan-gp --seeds=0-2 --jobs=2
    logan-sweep --experiments=ring8,grid25 --penalties=pairwise,none --seeds=0-4
    logan-sweep --experiment=traffic --methods=pairwise,wgan-gp --equal=time
    logan-sweep --experiment=ring8 --methods=pairwise,bigan --dry_run | parallel

The same command goes on where it was interrupted, and leaves alone what is complete. Further flags
are those of logan-train and logan-evaluate, for all runs."""

_LOGS = "logs"
_VARIED = {
    "experiment": "experiments",
    "method": "methods",
    "penalty": "penalties",
    "seed": "seeds",
}


def define() -> None:
    for name, text in {
        "experiments": "What to learn, presets, comma-separated; logan-train --list shows them. "
        "Required.",
        "methods": "How to learn, comma-separated. Default: the experiment's own method.",
        "penalties": "Penalties on the discriminator to compare in place of methods, "
        "comma-separated.",
    }.items():
        flags.DEFINE_list(name, [], text, module_name="logan.cli")
    flags.DEFINE_string("seeds", "0", "Seeds, such as 0-2,5.", module_name="logan.cli")
    for alias, name in _VARIED.items():
        flags.DEFINE_alias(alias, name, module_name="logan.cli")
    flags.DEFINE_integer("jobs", 1, "Runs side by side.", lower_bound=1, module_name="logan.cli")
    flags.DEFINE_bool(
        "dry_run",
        False,
        "Print a command for each run that is not complete, a line each, and exit.",
        module_name="logan.cli",
    )
    flags.DEFINE_integer(
        "threads",
        None,
        "Number of CPU threads of each run. 0: one for each core. Default: 1 with several --jobs, "
        "else 0.",
        lower_bound=0,
        module_name="logan.cli",
    )
    _define_differences()
    define_settings(without=_VARIED)
    command.define_samples()
    command.define_extractor()
    command.define_classifier()
    command.define_workdir("The sweep's folder, with a folder for each run. Default: runs/sweep.")


def _define_differences() -> None:
    """What else differs between methods, and between the names of runs."""
    flags.DEFINE_enum(
        "equal",
        "steps",
        ["steps", "time"],
        "What the methods have in equal measure. steps: each trains for its default steps, or "
        "--steps. time: as many steps as take the time of the first method's, by the measured time "
        "of a step.",
        module_name="logan.cli",
    )
    flags.DEFINE_multi_string(
        "method_flags",
        [],
        "Flags of logan-train for a single method: method:--flag=value. May be given repeatedly.",
        module_name="logan.cli",
    )
    flags.DEFINE_string(
        "run_names",
        RUN_NAMES,
        "Names of the runs' folders, with {experiment}, {method} and {seed} in them.",
        module_name="logan.cli",
    )


def main() -> int:
    settings = flags.FLAGS
    load_plugins(settings.plugins or ())
    command.given_extractor()
    command.given_classifier()
    folder = command.given_path(settings.workdir, Path("runs", "sweep"))
    runs, times = _planned(folder), StepTimes(folder, _threads())
    if any(DATASETS[planned.run.experiment.dataset].needs_classifier for planned in runs):
        check_has_classifier(settings.classifier, settings.extractor)
    if settings.equal == "time":
        check_folders(runs, but_for_steps=True)
        first = first_of_groups(runs).values()
        seconds = measure_steps(first, times, folder / _LOGS)
        runs = with_equal_times(runs, seconds)
    check_folders(runs)
    jobs = _jobs(folder, runs)
    if settings.dry_run:
        for job in jobs:
            print(shell_line(job.commands))
        return 0
    _announce(folder, runs, jobs, times)
    return _finish(folder, runs, jobs)


def _threads() -> int:
    """Of each run; 0 for one on each core."""
    settings = flags.FLAGS
    return int(settings.jobs > 1) if settings.threads is None else settings.threads


def _planned(folder: Path) -> list[PlannedRun]:
    settings = flags.FLAGS
    of_methods = method_settings(settings.method_flags)
    if settings.equal == "time" and any("steps" in one for one in of_methods.values()):
        raise UserError("--method_flags: expected no --steps beside --equal=time")
    experiments, methods, penalties = (
        list(dict.fromkeys(names))
        for names in (settings.experiments, settings.methods, settings.penalties)
    )
    return plan(
        folder,
        experiments,
        methods,
        penalties,
        seeds_from(settings.seeds),
        given_settings(without=_VARIED),
        of_methods,
        settings.run_names,
    )


def _jobs(folder: Path, runs: Sequence[PlannedRun]) -> list[Job]:
    """What is still to be done."""
    from logan.sweeps.results import measured

    is_measured = {planned.run.path for planned, found in measured(runs) if _as_asked(found)}
    measuring = _measuring()
    return [
        Job(planned.run, commands, folder / _LOGS / f"{planned.run.label}.txt")
        for planned in runs
        if (
            commands := open_commands(
                planned, _threads(), planned.run.path in is_measured, measuring
            )
        )
    ]


def _measuring() -> list[str]:
    """Those of the flags that are for `logan-evaluate`."""
    names = ("samples", "extractor", "extractor_weights", "classifier")
    given = {name: flags.FLAGS[name] for name in names if flags.FLAGS[name].present}
    return [f"--{name}={flag.value}" for name, flag in given.items()]


def _as_asked(metrics: dict[str, Any]) -> bool:
    """Whether metrics are of as many samples and by the features that the flags ask for."""
    settings = flags.FLAGS
    extractor = metrics.get("extractor", settings.extractor)  # Toys have none.
    earlier = "" if "extractor" in metrics else settings.classifier  # before there were any
    return (
        extractor == settings.extractor
        and metrics.get("classifier", earlier) == settings.classifier
        and settings.samples in (None, metrics["samples"])
    )


def _announce(
    folder: Path, runs: Sequence[PlannedRun], jobs: Sequence[Job], times: StepTimes
) -> None:
    """Says how many runs there are and about how long they take, measuring that if it pays."""
    missing = {job.run.path for job in jobs}
    text = f"{len(runs)} runs in {folder}, {len(runs) - len(missing)} of them complete"
    print(f"{text}.", file=sys.stderr)
    seconds = logged_steps(runs)
    to_train = [planned for planned in runs if not planned.run.is_trained]
    unknown = [each for each in worth_measuring(to_train) if each.group not in seconds]
    seconds |= measure_steps(unknown, times, folder / _LOGS)
    left = time_left(to_train, seconds, flags.FLAGS.jobs)
    if left is not None:
        print(f"About {duration(left)} of training, {flags.FLAGS.jobs} at a time.", file=sys.stderr)


def _finish(folder: Path, runs: Sequence[PlannedRun], jobs: Sequence[Job]) -> int:
    """Does the jobs, writes what was found, and tells what failed; the exit code."""
    from logan.sweeps.results import measured, write_results

    finished = work(jobs, flags.FLAGS.jobs)
    found = measured(runs)
    for failure in finished.failures:
        print(failure, file=sys.stderr)
    if finished.interrupted_by is not None:
        print(
            f"Stopped with {len(found)} of {len(runs)} runs complete; the same command continues "
            f"from there. {folder}"
        )
        return 128 + finished.interrupted_by
    if found:
        command.start_tensorflow()
        table, paths = write_results(folder, found)
        print("\n".join([table, "", *map(str, paths)]))
    return 1 if finished.failures else 0


def run() -> None:
    command.run(TEXT, define, main)
