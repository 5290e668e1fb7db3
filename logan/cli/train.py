"""Trains an experiment; the same command continues a run that was interrupted."""

import signal
from collections.abc import Mapping
from typing import Any

from absl import flags

from logan.cli import command
from logan.cli.settings import define_experiment, define_settings, experiment_from_flags
from logan.errors import UserError
from logan.registry import load_plugins
from logan.runs import check_name, default_workdir
from logan.settings import (
    DATASETS,
    EXTRACTORS,
    LOSSES,
    METHODS,
    NETWORKS,
    PAPER_NAMES,
    PRESETS,
    SAMPLERS,
    TERMS,
)

TEXT = """Trains an experiment; the same command continues a run that was interrupted.

    logan-train --list
    logan-train --experiment=ring8
    logan-train --experiment=images --data=photos --quick
    logan-train --experiment=ring8 --penalty=none --seed=1
    logan-train --experiment=traffic --method=wgan-gp
    logan-train --experiment=traffic --video=street.mp4 --frame_interval=0.5
    logan-train --flagfile=runs/ring8-pairwise-seed0/flags.txt"""


def define() -> None:
    define_experiment()
    define_settings()
    command.define_workdir(
        "The run's folder. Default: runs/<experiment>-<method>-seed<seed>, or without --method "
        "runs/<experiment>-<penalty>-seed<seed>."
    )
    command.define_threads()
    flags.DEFINE_bool(
        "list",
        False,
        "Print all experiments, methods and parts, a line each, and exit.",
        module_name="logan.cli",
    )
    flags.DEFINE_bool(
        "quick",
        False,
        "A first look in some five minutes: measures a training step on this machine, and takes as "
        "many as fit, at most those of the experiment. Nothing else is changed. The default folder "
        "ends in -quick; the same command goes on with the steps that its run was begun with. "
        "Excludes --steps.",
        module_name="logan.cli",
    )
    flags.DEFINE_bool(
        "progress",
        True,
        "Tell on standard error what is trained and how long it will take, and draw a progress "
        "bar.",
        module_name="logan.cli",
    )


def main() -> int | None:
    if flags.FLAGS.list:
        load_plugins(flags.FLAGS.plugins or ())
        print(_list())
        return None
    experiment = experiment_from_flags()
    _check_quick()
    default = default_workdir(experiment)
    if flags.FLAGS.quick:
        default = default.with_name(f"{default.name}-quick")
    workdir = command.given_path(flags.FLAGS.workdir, default)
    check_name(workdir)
    command.start_tensorflow()
    from logan.training import train

    if flags.FLAGS.quick:
        from logan.quick import quickly

        experiment = quickly(experiment, workdir, show_progress=flags.FLAGS.progress)
    outcome = train(experiment, workdir, show_progress=flags.FLAGS.progress, exits=True)
    if outcome.interrupted_by is not None and outcome.step < experiment.steps:
        print(
            f"Stopped at step {outcome.step:,} of {experiment.steps:,}; the same command "
            f"continues from there. {outcome.run.path}"
        )
        return 128 + signal.Signals(outcome.interrupted_by)
    print(f"{outcome.step:,} steps in {outcome.seconds:.0f} s. {outcome.run.path}")
    return None


def _check_quick() -> None:
    """Refuses what does not go together with --quick.

    Raises:
        UserError: naming the flag.
    """
    if not flags.FLAGS.quick:
        return
    if flags.FLAGS.steps is not None:
        raise UserError(
            "--steps: expected nothing beside --quick, which chooses them. Received: "
            f"{flags.FLAGS.steps}"
        )
    if flags.FLAGS.strategy == "multi_worker":
        raise UserError(
            "--quick: expected another --strategy than multi_worker, whose workers would each "
            "measure steps of their own"
        )


def _list() -> str:
    """What --experiment, --method and the parts can be, a line each."""
    tables: dict[str, Mapping[str, Any]] = {
        "experiment": PRESETS,
        "method": METHODS,
        "loss": LOSSES,
        "terms": TERMS,
        "network": NETWORKS,
        "dataset": DATASETS,
        "sampler": SAMPLERS,
        "extractor": EXTRACTORS,
    }
    width = max(len(name) for table in tables.values() for name in table)
    blocks = []
    for flag, table in tables.items():
        rows = [f"  {name:{width}}  {each.text}" for name, each in table.items()]
        blocks.append("\n".join([f"--{flag}", *rows]))
    names = ", ".join(PAPER_NAMES)
    blocks.append(
        f"The paper's settings are --method=paper, by an older name --experiment={names}."
    )
    return "\n\n".join(blocks)


def run() -> None:
    command.run(TEXT, define, main)
