"""Measures a run, prints a table and writes metrics.json."""

from absl import flags

from logan.cli import command
from logan.runs import Run

TEXT = """Measures a run at its newest checkpoint: prints a table, writes metrics.json.

    logan-evaluate --workdir=runs/ring8-pairwise-seed0"""


def define() -> None:
    command.define_workdir()
    command.define_threads()
    flags.DEFINE_integer(
        "samples", 10_000, "Generated samples.", lower_bound=1, module_name="logan.cli"
    )


def main() -> None:
    run = Run.open(command.required_workdir())
    command.start_tensorflow()
    from logan.evaluation import evaluate, table

    metrics = evaluate(run, flags.FLAGS.samples)
    print(table({run.label: metrics}))
    print(f"\n{metrics['protocol']}\n{run.metrics}")


def run() -> None:
    command.run(TEXT, define, main)
