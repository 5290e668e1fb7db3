"""Measures a run, prints a table and writes metrics.json."""

from absl import flags

from logan.cli import command
from logan.extractors import check_has_classifier
from logan.runs import Run
from logan.settings.names import DATASETS

TEXT = """Measures a run at its newest checkpoint: prints a table, writes metrics.json; of images
also missed.csv and pictures of what the generator covers worst and of where things appear.

    logan-evaluate --workdir=runs/ring8-pairwise-seed0"""


def define() -> None:
    command.define_workdir()
    command.define_plugins("measures, samplers and extractors")
    command.define_sampler()
    command.define_weights()
    command.define_threads()
    command.define_samples()
    command.define_extractor()
    command.define_classifier()


def main() -> None:
    command.load_given_plugins()
    run = Run.open(command.required_workdir())
    settings = flags.FLAGS
    sampler = command.given_sampler()
    extractor, extractor_weights = command.given_extractor()
    classifier = command.given_classifier()
    if DATASETS[run.experiment.dataset].needs_classifier:
        check_has_classifier(classifier, extractor)
    command.start_tensorflow()
    from logan.evaluation import evaluate, table

    metrics, paths = evaluate(
        run,
        settings.samples,
        extractor,
        extractor_weights,
        sampler,
        settings.weights,
        classifier,
    )
    guesses = {
        name: {"reconstruction": closeness}
        for name, closeness in metrics.get("baselines", {}).items()
    }
    variant = [] if sampler in (None, run.experiment.sampler) else [sampler]
    variant += [f"{settings.weights} weights"] if settings.weights else []
    label = ", ".join([run.label, *variant])
    print(table({label: metrics, **guesses}))
    print(f"\n{metrics['protocol']}")
    for path in paths:
        print(path)


def run() -> None:
    command.run(TEXT, define, main)
