"""Measures a run and writes what was found into its folder."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from logan.datasets.pixels import unit_range
from logan.datasets.splits import evenly
from logan.errors import UserError
from logan.evaluation.html import Picture
from logan.evaluation.measures import MEASURES, Measured
from logan.evaluation.page import page
from logan.evaluation.record import Record
from logan.evaluation.rivals import rivals_of
from logan.evaluation.verdict import Verdict, verdict
from logan.figures.curves import curves_figure
from logan.figures.files import save_figure
from logan.figures.grids import reconstruction_figure
from logan.files import read_json, write_json, write_text
from logan.keras_settings import package_settings
from logan.runs import Run
from logan.settings import DATASETS, Experiment

if TYPE_CHECKING:
    from logan.extractors.base import Extractor
    from logan.extractors.classifiers import Classifier

PAGE = "report.html"
_RECONSTRUCTIONS = 16
_LISTED = 12  # cases by name

# Pictures of measures on the page, in its order.
_HEADINGS = {
    "missed": "What was missed",
    "copies": "What comes nearest to a training image",
    "foreground": "Where things appear",
}


@package_settings()
def evaluate(
    run: Run,
    samples: int | None = None,
    extractor: str = "random",
    extractor_weights: str | Path | None = None,
    sampler: str | None = None,
    weights: str | None = None,
    classifier: str = "",
) -> tuple[dict[str, Any], list[Path]]:
    """Measures a run at its newest checkpoint and writes metrics.json.

    The measures write files and pictures of their own beside it. Those of an earlier evaluation
    go, unless they are written anew. What another sampler than the run's --sampler gives, or other
    weights than its --weights, lies in a folder of its own in the run's `variants`.

    Args:
        run: a trained run.
        samples: generated samples; by default 10,000, of images 5,000, of stacked_mnist 50,000. Of
            toy data as many held-out x are reconstructed.
        extractor: images: whose features are compared, see `make_extractor`; "none" leaves out
            what needs features.
        extractor_weights: a file of its weights, where it takes one.
        sampler: how to sample, see `logan.sampling.sample`; None for the run's --sampler.
        weights: `best` or `last`, see `Run.trained_model`.
        classifier: images: the path of a model that tells their classes, or the digits of
            stacked_mnist; "none" leaves out what needs it. Empty: the extractor, if it is one.

    Returns:
        Numbers by name with `protocol`, how they were measured; and the paths of what was written,
        metrics.json first.

    Raises:
        RunError: if nothing was trained yet, or the samples are not finite.
        UserError: if the data, the sampler, the extractor or the classifier cannot be used, or
            there is no classifier of a data set that needs one.
    """
    # Tables, which need neither, do without TensorFlow.
    from logan.evaluation.filling import record_of
    from logan.evaluation.tensorboard import show_in_tensorboard

    experiment = run.experiment
    sampler = sampler or experiment.sampler
    features, labeller = _networks(experiment, extractor, extractor_weights, classifier)
    model = run.trained_model(weights)
    record = record_of(model, run, samples, features, sampler, labeller)
    found = measure(record)
    records = run.records()
    metrics = {
        "experiment": experiment.name,
        "penalty": experiment.penalty,
        "seed": experiment.seed,
        "step": int(model.step.numpy()),
        "averages_step": model.averages_step or int(model.step.numpy()),
        "sampler": sampler,
        **({"extractor": extractor, "classifier": classifier} if experiment.is_image else {}),
        "training_seconds": records[-1]["seconds"] if records else None,
        **metrics_from(record, found),
    }
    variant = _variant(experiment, sampler, weights)
    name = re.sub(r"[^\w.=,-]", "-", ",".join(variant))
    folder = run.path / "variants" / name if variant else run.path
    pictures = _write_files(folder, found)
    path = folder / run.metrics.name
    if experiment.is_image:
        show_in_tensorboard(run, metrics, pictures, name)
        title = ", ".join([f"{run.label} at step {metrics['step']:,}", *variant])
        said = verdict(record, metrics, found, records, rivals_of(run, metrics))
        pictures.append(_write_page(folder, title, record, metrics, found, said, records))
    write_json(path, metrics)
    return metrics, [path, *pictures]


def _networks(
    experiment: Experiment,
    extractor: str,
    extractor_weights: str | Path | None,
    classifier: str,
) -> "tuple[Extractor | None, Classifier | None]":
    """The networks that images are measured by.

    Raises:
        UserError: if one cannot be used, or a classifier is missing that the data set needs.
    """
    if not experiment.is_image:
        return None, None
    from logan.extractors.classifiers import chosen

    needs_classifier = DATASETS[experiment.dataset].needs_classifier
    features, labeller = chosen(extractor, extractor_weights, classifier, needs_classifier)
    if features is not None:
        features.check_shape(experiment.image_size, experiment.image_size, experiment.channels)
    return features, labeller


def measured(record: Record, output: Path | None) -> tuple[dict[str, Any], Verdict, list[Path]]:
    """Measures images that no run is known of.

    Args:
        record: the images.
        output: folder for metrics.json, the measures' files and pictures, and report.html; none
            is written without.

    Returns:
        Numbers by name with their protocol, what they say, and the paths of what was written.
    """
    found = measure(record)
    metrics = metrics_from(record, found)
    said = verdict(record, metrics, found)
    if output is None:
        return metrics, said, []
    pictures = _write_files(output, found)
    written = _write_page(output, "How well real images are covered", record, metrics, found, said)
    path = output / "metrics.json"
    write_json(path, metrics)
    return metrics, said, [path, *pictures, written]


def metrics_of(run: Run) -> dict[str, Any]:
    """The run's metrics.json, measured anew where `stored_metrics` has none."""
    return stored_metrics(run) or evaluate(run)[0]


def stored_metrics(run: Run) -> dict[str, Any] | None:
    """The run's metrics.json; None if it is missing, damaged, or not of the weights of now."""
    try:
        metrics = read_json(run.metrics)
        step, records = metrics["step"], run.records()
        averages_step = metrics.get("averages_step", step)
    except (FileNotFoundError, UserError, TypeError, KeyError, AttributeError):
        return None
    if not records or step != records[-1]["step"]:
        return None
    exported_step, exported_averages = run.exported_steps() or (step, averages_step)
    is_other = exported_step == step and exported_averages != averages_step
    return None if is_other else metrics


def measure(record: Record) -> dict[str, Measured]:
    """What every measure that applies says of a record, by the measure's name."""
    measures = {name: MEASURES.load(name) for name in MEASURES}
    return {name: each.measure(record) for name, each in measures.items() if each.applies(record)}


def metrics_from(record: Record, found: dict[str, Measured]) -> dict[str, Any]:
    """All numbers by name, with `samples`, how many they are of, and `protocol`, in words."""
    samples = record.encoded if record.generated is None else record.generated
    numbers: dict[str, Any] = {"samples": len(samples)}
    for each in found.values():
        numbers |= each.numbers
    sentences = [record.text, *(each.protocol for each in found.values())]
    # JSON has no infinity: the divergence of a model without a single good sample is null.
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in numbers.items()
    }
    return {**finite, "protocol": ". ".join(filter(None, sentences))}


def _variant(experiment: Experiment, sampler: str, weights: str | None) -> list[str]:
    """In what the measuring was not as the run's settings have it, setting=value."""
    parts = [] if sampler == experiment.sampler else [f"sampler={sampler}"]
    return parts if weights in (None, experiment.weights) else [*parts, f"weights={weights}"]


def _write_files(folder: Path, found: dict[str, Measured]) -> list[Path]:
    """Writes the measures' files and pictures, removes what belongs to earlier numbers.

    Returns:
        The pictures' paths.
    """
    pictures = []
    for name in MEASURES:
        measure, measured = MEASURES.load(name), found.get(name, Measured({}))
        if measured.text is not None:
            write_text(folder / measure.file, measured.text)
        elif measure.file:
            (folder / measure.file).unlink(missing_ok=True)
        if measured.draw is not None:
            pictures.append(save_figure(measured.draw(), folder / "figures" / measure.picture))
        elif measure.picture:
            (folder / "figures" / measure.picture).unlink(missing_ok=True)
    return pictures


def _write_page(
    folder: Path,
    title: str,
    record: Record,
    metrics: dict[str, Any],
    found: dict[str, Measured],
    said: Verdict,
    log: Sequence[dict[str, Any]] = (),
) -> Path:
    """Writes report.html, with the pictures that lie in the folder already."""
    figures = folder / "figures"
    shown = [
        Picture(
            _heading(name, metrics),
            figures / MEASURES.load(name).picture,
            points=found[name].notes[:_LISTED],
        )
        for name in _HEADINGS
        if name in found and found[name].draw is not None
    ]
    if record.reconstructed is not None:
        draw = reconstruction_figure(*_some_reconstructions(record))
        shown.append(Picture("Reconstructions", save_figure(draw, figures / "reconstructed.png")))
    if log:
        curves = save_figure(curves_figure({"training": log}), figures / "curves.png")
        shown.append(Picture("Training", curves))
    path = folder / PAGE
    write_text(path, page(title, record, metrics, said, shown))
    return path


def _heading(name: str, metrics: dict[str, Any]) -> str:
    if name == "missed" and not metrics["missed"]["missed_cases"]:
        return "What is covered worst"
    return _HEADINGS[name]


def _some_reconstructions(record: Record) -> tuple[np.ndarray, np.ndarray]:
    """Held-out images, evenly spread, and what G(E(x)) makes of them."""
    index = evenly(len(record.held_out), _RECONSTRUCTIONS)
    return unit_range(record.held_out[index]), record.reconstructed[index]
