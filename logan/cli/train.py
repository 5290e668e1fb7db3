"""Trains an experiment; the same command continues a run that was interrupted."""

import signal

from absl import flags

from logan.cli import command
from logan.cli.settings import define_settings, experiment_from_flags
from logan.experiments import PRESETS
from logan.runs import default_workdir

TEXT = """Trains an experiment; the same command continues a run that was interrupted.

    logan-train --list
    logan-train --experiment=ring8
    logan-train --experiment=ring8 --penalty=none --seed=1
    logan-train --experiment=traffic --video=street.mp4 --frame_interval=0.5
    logan-train --flagfile=runs/ring8-pairwise-seed0/flags.txt"""


def define() -> None:
    define_settings()
    command.define_workdir("The run's folder. Default: runs/<experiment>-<penalty>-seed<seed>.")
    command.define_threads()
    flags.DEFINE_bool(
        "list", False, "Print the experiments, a line each, and exit.", module_name="logan.cli"
    )
    flags.DEFINE_bool("progress", True, "Draw a progress bar.", module_name="logan.cli")


def main() -> int | None:
    if flags.FLAGS.list:
        width = max(map(len, PRESETS))
        for name, preset in PRESETS.items():
            print(f"{name:{width}}  {preset.text}")
        return None
    experiment = experiment_from_flags()
    workdir = command.given_path(flags.FLAGS.workdir, default_workdir(experiment))
    command.start_tensorflow()
    from logan.training import train

    outcome = train(experiment, workdir, show_progress=flags.FLAGS.progress)
    if outcome.interrupted_by is not None and outcome.step < experiment.steps:
        print(
            f"Stopped at step {outcome.step:,} of {experiment.steps:,}; the same command "
            f"continues from there. {outcome.run.path}"
        )
        return 128 + signal.Signals(outcome.interrupted_by)
    print(f"{outcome.step:,} steps in {outcome.seconds:.0f} s. {outcome.run.path}")
    return None


def run() -> None:
    command.run(TEXT, define, main)
