"""The runs of a sweep. Nothing here loads TensorFlow."""

import dataclasses
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logan.errors import RunError, UserError
from logan.runs import Run
from logan.settings import KINDS, PRESETS, from_text, preset, to_text

RUN_NAMES = "{experiment}-{method}-seed{seed}"
_SEEDS = re.compile(r"(\d+)(?:-(\d+))?")


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes:
        run: its folder and settings.
        given: the settings that were given for it, by the names of their flags.
    """

    run: Run
    given: Mapping[str, Any]

    @property
    def method(self) -> str:
        """What a sweep varies besides the experiment: the method, or else the penalty."""
        return self.run.experiment.way

    @property
    def group(self) -> tuple[str, str]:
        """Experiment and method, which it shares with the runs of other seeds."""
        return self.run.experiment.name, self.method

    @property
    def flags(self) -> list[str]:
        """Those of `logan-train`, but for its folder."""
        name = self.run.experiment.name
        return [f"--experiment={name}", *(f"--{n}={to_text(v)}" for n, v in self.given.items())]

    def commands(
        self, threads: int = 0, measuring: Sequence[str] = ()
    ) -> tuple[list[str], list[str]]:
        """What trains it and what measures it, each with its arguments.

        Args:
            threads: of each; 0 for all cores.
            measuring: further flags of `logan-evaluate`.
        """
        shared = [f"--workdir={self.run.path}", *([f"--threads={threads}"] if threads else [])]
        return (
            ["logan-train", *self.flags, *shared, "--noprogress"],
            ["logan-evaluate", *shared, *measuring],
        )

    def with_steps(self, steps: int) -> "PlannedRun":
        """The same for another number of steps."""
        experiment = dataclasses.replace(self.run.experiment, steps=steps)
        return PlannedRun(Run(self.run.path, experiment), {**self.given, "steps": steps})


def seeds_from(text: str) -> list[int]:
    """The seeds of a text such as "0-2,5", ascending, each once.

    Raises:
        UserError: if the text is not of that form.
    """
    seeds: set[int] = set()
    for part in text.split(","):
        match = _SEEDS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise UserError(f"--seeds: expected whole numbers such as 0-2,5. Received: {text!r}")
        seeds.update(range(first, last + 1))
    return sorted(seeds)


def method_settings(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Settings for single methods, by the method, of texts "method:--flag=value --flag=value".

    Raises:
        UserError: if a text is not of that form.
    """
    settings: dict[str, dict[str, Any]] = {}
    for text in texts:
        method, colon, flags = text.partition(":")
        try:
            of_method = dict(_setting(flag) for flag in shlex.split(flags))
        except ValueError as error:
            reason = f". {error}" if isinstance(error, UserError) else ""
            raise UserError(
                f"--method_flags: expected method:--flag=value. Received: {text!r}{reason}"
            ) from error
        if not (method and colon and of_method):
            raise UserError(f"--method_flags: expected method:--flag=value. Received: {text!r}")
        settings.setdefault(method, {}).update(of_method)
    return settings


def _setting(flag: str) -> tuple[str, Any]:
    name, equals, value = flag.partition("=")
    field = name.removeprefix("--")
    if not equals or not name.startswith("--") or field not in KINDS:
        raise ValueError
    return field, from_text(field, value)


def plan(
    folder: Path,
    experiments: Sequence[str],
    methods: Sequence[str],
    penalties: Sequence[str],
    seeds: Sequence[int],
    given: Mapping[str, Any],
    of_methods: Mapping[str, Mapping[str, Any]],
    run_names: str = RUN_NAMES,
) -> list[PlannedRun]:
    """All runs: for each seed every experiment by every method.

    Args:
        folder: the sweep's, with a folder for each run.
        experiments: names of presets, at least one.
        methods: names of methods; none for the presets' own.
        penalties: varied in place of methods; at most one beside these, as a setting of all.
        seeds: at least one.
        given: further settings of all runs.
        of_methods: further settings by method, or by penalty where that is varied.
        run_names: the name of a run's folder, with {experiment}, {method} and {seed} in it.

    Raises:
        UserError: on an unknown name, a bad setting, or two runs of one name.
    """
    if not experiments:
        raise UserError(f"--experiment: expected some of {', '.join(PRESETS)}. Received: nothing")
    if methods and len(penalties) > 1:
        raise UserError(
            f"--penalties: expected one at most beside --methods. Received: {','.join(penalties)}"
        )
    ways: list[dict[str, Any]] = [{"method": method} for method in methods]
    if methods and penalties:
        given = {**given, "penalty": penalties[0]}
    ways = ways or [{"penalty": penalty} for penalty in penalties] or [{}]
    varied = methods or penalties
    unused = next((method for method in of_methods if method not in varied), None)
    if unused is not None:
        names = ", ".join(varied) or "nothing without --methods"
        raise UserError(f"--method_flags: expected {names}. Received: {unused!r}")
    runs = []
    for seed in seeds:
        for experiment in experiments:
            for way in ways:
                special = of_methods.get(next(iter(way.values()), ""), {})
                settings = {**way, "seed": seed, **given, **special}
                runs.append(_planned(folder, experiment, settings, run_names))
    paths = [planned.run.path for planned in runs]
    twice = next((path.name for path in paths if paths.count(path) > 1), None)
    if twice:
        raise UserError(f"--run_names: expected a name of its own for each run. Received: {twice}")
    return runs


def _planned(folder: Path, name: str, settings: Mapping[str, Any], run_names: str) -> PlannedRun:
    others = {field: value for field, value in settings.items() if field != "method"}
    experiment = preset(name, others, method=settings.get("method"))
    planned = PlannedRun(Run(folder, experiment), settings)
    words = dict(experiment=name, method=planned.method, seed=experiment.seed)
    try:
        label = run_names.format_map(words)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        raise UserError(
            f"--run_names: expected a name with {', '.join(f'{{{word}}}' for word in words)} in "
            f"it. Received: {run_names!r}"
        ) from error
    if not label or Path(label).name != label or label.startswith("."):
        raise UserError(f"--run_names: expected a folder's name. Received: {run_names!r}")
    return dataclasses.replace(planned, run=Run(folder / label, experiment))


def check_folders(runs: Sequence[PlannedRun], *, but_for_steps: bool = False) -> None:
    """Makes sure that every run can begin in its folder, or go on there. Writes nothing.

    Args:
        runs: as planned.
        but_for_steps: whatever number of steps a run in its folder has; these are not chosen yet.

    Raises:
        RunError: with a line for each that cannot.
    """
    faults = []
    for planned in runs:
        try:
            if but_for_steps and (planned.run.path / "flags.txt").is_file():
                steps = Run.open(planned.run.path).experiment.steps
                planned = planned.with_steps(steps)
            planned.run.check_folder()
        except RunError as error:
            faults.append(str(error))
    if faults:
        raise RunError("\n".join(faults))


def shell_line(commands: Sequence[Sequence[str]]) -> str:
    """Commands as one line for a shell, each run if the one before it succeeded."""
    return " && ".join(shlex.join(command) for command in commands)


def open_commands(
    planned: PlannedRun, threads: int, is_measured: bool, measuring: Sequence[str] = ()
) -> list[list[str]]:
    """What is still to be done of a run, one command after the other.

    Args:
        planned: the run.
        threads: of each command; 0 for all cores.
        is_measured: whether there are metrics of the run as its folder has it.
        measuring: further flags of `logan-evaluate`.
    """
    train, evaluate = planned.commands(threads, measuring)
    if not planned.run.is_trained:
        return [train, evaluate]
    return [] if is_measured else [evaluate]
