"""Measures a run, prints a table and writes metrics.json."""

from absl import flags

from logan.cli import command
from logan.errors import UserError
from logan.runs import Run
from logan.settings.names import PLAIN

TEXT = """Measures a run at its newest checkpoint: prints a table, writes metrics.json; of images
also missed.csv and pictures of what the generator covers worst and of where things appear.

    logan-evaluate --workdir=runs/ring8-pairwise-seed0"""


def define() -> None:
    command.define_workdir()
    command.define_plugins("measures and samplers")
    command.define_sampler()
    command.define_weights()
    command.define_threads()
    flags.DEFINE_integer(
        "samples",
        None,
        "Number of generated samples to measure. Default: 10,000 of toy data, 5,000 of images.",
        lower_bound=1,
        module_name="logan.cli",
    )
    flags.DEFINE_enum(
        "extractor",
        "random",
        ["random", "inception", "none"],
        "Network whose features of images are compared. random: fixed random convolutions, which "
        "compare runs with each other only; inception: Inception v3, for FID and KID; none: no "
        "features.",
        module_name="logan.cli",
    )
    flags.DEFINE_string(
        "inception_weights",
        None,
        "Keras weights file for --extractor=inception. Default: ImageNet's weights, fetched.",
        module_name="logan.cli",
    )


def main() -> None:
    command.load_given_plugins()
    run = Run.open(command.required_workdir())
    settings = flags.FLAGS
    if settings.inception_weights and settings.extractor != "inception":
        raise UserError("--inception_weights: expected --extractor=inception beside it")
    sampler = command.given_sampler()
    command.start_tensorflow()
    from logan.evaluation import evaluate, table

    metrics, paths = evaluate(
        run,
        settings.samples,
        settings.extractor,
        settings.inception_weights,
        sampler,
        settings.weights,
    )
    guesses = {
        name: {"reconstruction": closeness}
        for name, closeness in metrics.get("baselines", {}).items()
    }
    variant = [sampler] if sampler != PLAIN else []
    variant += [f"{settings.weights} weights"] if settings.weights else []
    label = ", ".join([run.label, *variant])
    print(table({label: metrics, **guesses}))
    print(f"\n{metrics['protocol']}")
    for path in paths:
        print(path)


def run() -> None:
    command.run(TEXT, define, main)
