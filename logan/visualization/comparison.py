"""Several runs side by side: what `logan-compare` draws."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from logan.datasets.images import Images
from logan.datasets.load import load_images
from logan.errors import UserError
from logan.evaluation import metrics_of
from logan.figures.encoder import encoder_figure
from logan.figures.grids import Sheet, comparison_sheet
from logan.figures.style import styled
from logan.figures.toy import Panel, comparison_figure
from logan.generation import reconstruct
from logan.metrics.coverage import is_fair
from logan.models.adversarial import AdversarialModel
from logan.models.encoding import EncodingModel
from logan.runs import Run
from logan.sampling import drawn_by, sample
from logan.settings import Experiment, data_differences
from logan.visualization.encoder import encoder_panel
from logan.visualization.history import History, mode_centers, plane_contour

_SHEET_IMAGES = 10
_MOST_COLUMNS = 5  # panels in a row that a page can show
_CONDITIONS = {"none": "", "classes": "conditional ", "clusters": "self-conditioned "}
_MODEL_NAMES = {
    "bigan": "BiGAN",
    "alice": "ALICE",
    "gan": "GAN",
    "gan_encoder": "GAN with encoder",
    "mdgan": "MDGAN",
    "separate": "separate discriminators",
}


def compare(runs: Sequence[Run], columns: int | None = None) -> tuple[Figure, dict[str, Any]]:
    """One picture of several runs side by side, and their metrics by label.

    Args:
        runs: all of toy data, all of an encoder alone, or all of images.
        columns: panels in a row of a toy picture.

    Raises:
        UserError: if the runs are of different kinds.
        UserError: if image runs are not on the same images.
        RunError: if one left nothing to draw.
    """
    is_image, is_encoder = _kind(runs)
    labels = _labels(runs)
    metrics = {labels[run.path]: metrics_of(run) for run in runs}
    if is_image:
        return _image_comparison(runs, labels), metrics
    histories = [History(run) for run in runs]
    if is_encoder:
        return encoder_figure([encoder_panel(history) for history in histories]), metrics
    titles = [title_of(run.experiment) for run in runs]
    panels = []
    for history, title in zip(histories, titles, strict=True):
        label = labels[history.run.path]
        full = title if titles.count(title) == 1 else f"{title}, {label}"
        panels.append(_toy_panel(history, metrics[label], full))
    return comparison_figure(panels, columns=columns), metrics


def generations_figure(of_methods: Mapping[str, Sequence[Run]]) -> Figure:
    """What each method's generators make of one experiment, a row for each method.

    A row holds the method's seeds, side by side or, of images, under each other; long rows wrap.

    Args:
        of_methods: the runs of each method by its name, all of one experiment on the same data.

    Raises:
        UserError: if the runs are of different kinds, or image runs not on the same images.
        RunError: if one left nothing to draw.
    """
    runs = [run for each in of_methods.values() for run in each]
    labels = {
        run.path: method if len(each) == 1 else f"{method}, seed {run.experiment.seed}"
        for method, each in of_methods.items()
        for run in each
    }
    is_image, is_encoder = _kind(runs)
    if is_image:
        return _generations_sheet(of_methods, labels)
    histories = [History(run) for run in runs]
    if is_encoder:
        panels = [encoder_panel(history) for history in histories]
        named = zip(panels, labels.values(), strict=True)
        return encoder_figure(
            [dataclasses.replace(panel, label=f"{label}, {panel.label}") for panel, label in named]
        )
    return comparison_figure(
        [_toy_panel(each, metrics_of(each.run), labels[each.run.path]) for each in histories],
        columns=panel_columns([len(each) for each in of_methods.values()]),
    )


def panel_columns(seeds: Sequence[int]) -> int:
    """How many panels stand in a row: a method's seeds, or all methods if each has one seed.

    Args:
        seeds: of each method, how many.

    Returns:
        Five at most; longer rows wrap into rows of about equal length.
    """
    in_row = max(seeds) if max(seeds) > 1 else len(seeds)
    return math.ceil(in_row / math.ceil(in_row / _MOST_COLUMNS))


@styled
def _generations_sheet(
    of_methods: Mapping[str, Sequence[Run]], labels: Mapping[Path, str]
) -> Figure:
    first = next(iter(of_methods.values()))[0]
    images = load_images(first.experiment, first.cache)
    x = images.evaluation_sample(0, _SHEET_IMAGES)
    sheet = Sheet(_SHEET_IMAGES, x.shape[1:])
    sheet.add_line(x, "held-out images")
    for runs in of_methods.values():
        sheet.add_break()
        for run in runs:
            generated = _generations(run, run.trained_model(), images)
            sheet.add_line(generated, _with_sampler(labels[run.path], run))
    return sheet.figure()


def _generations(run: Run, model: AdversarialModel, images: Images) -> np.ndarray:
    experiment = run.experiment
    return sample(model, experiment.seed, _SHEET_IMAGES, experiment.sampler, images)[0]


def _with_sampler(label: str, run: Run) -> str:
    return label + drawn_by(run.experiment.sampler)


def _kind(runs: Sequence[Run]) -> tuple[bool, bool]:
    """Whether the runs are of images, and whether of an encoder alone.

    Raises:
        UserError: if they are of different kinds, or not on the same images.
    """
    kinds = {(run.experiment.is_image, run.experiment.model == "encoder") for run in runs}
    if len(kinds) != 1:
        raise UserError(
            "--workdirs: expected runs of one kind, toy data, encoders or images. "
            f"Received: {', '.join(str(run.path) for run in runs)}"
        )
    is_image, is_encoder = kinds.pop()
    if is_image:
        _check_same_images(runs)
    return is_image, is_encoder


def _check_same_images(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs[1:]:
        rows = data_differences(run.experiment, first.experiment)
        if rows:
            raise UserError(
                f"--workdirs: expected runs on the same images. Received: {run.path}, which has, "
                f"against {first.path}, {'; '.join(rows)}"
            )


def _labels(runs: Sequence[Run]) -> dict[Path, str]:
    """The folders' names, or whole paths where two are alike."""
    names = [run.label for run in runs]
    return {run.path: run.label if names.count(run.label) == 1 else str(run.path) for run in runs}


def title_of(experiment: Experiment) -> str:
    """Data and method of a toy run."""
    model = _CONDITIONS[experiment.condition] + _MODEL_NAMES[experiment.model]
    terms = [
        f"{experiment.penalty} penalty" if experiment.has_penalty else "",
        "clipped weights" if experiment.weight_clip else "",
        "autoencoder loss" if experiment.autoencoder_weight else "",
    ]
    method = " + ".join(filter(None, terms)) or f"plain {model}"
    is_named = experiment.model != "bigan" or experiment.is_conditional
    if is_named and method != f"plain {model}":
        method = f"{model} with {method}"
    return f"{experiment.dataset}, {method}"


def _toy_panel(history: History, metrics: dict[str, Any], title: str) -> Panel:
    toy, last, divergence = history.toy, history.last, metrics["reverse_kl"]
    caption = (
        f"{metrics['captured_fair']}/{metrics['modes']} modes, HQ {metrics['high_quality']:.2f}, "
        f"KL {'∞' if divergence is None else format(divergence, '.3f')}"
    )
    counts = np.array(metrics["mode_samples"])
    missed = mode_centers(toy)[~is_fair(counts, toy.mode_weights * metrics["samples"])]
    return Panel(
        title,
        last["real"],
        last["generated"],
        toy.centers,
        caption,
        plane_contour(last),
        missed,
    )


def _image_comparison(runs: Sequence[Run], names: dict[Path, str]) -> Figure:
    """Generations of every run, and below them its reconstructions of the same held-out images."""
    images = load_images(runs[0].experiment, runs[0].cache)
    x, labels = (
        images.evaluation_sample(0, _SHEET_IMAGES), images.evaluation_labels(0, _SHEET_IMAGES)
    )  # fmt: skip
    held_out = ("held-out images", x)
    generations, reconstructions = [held_out], []
    for run in runs:
        model, label = run.trained_model(), names[run.path]
        generations.append((_with_sampler(label, run), _generations(run, model, images)))
        if isinstance(model, EncodingModel):
            reconstructions.append((label, reconstruct(model, x, labels)))
    return comparison_sheet(
        generations,
        columns=_SHEET_IMAGES,
        reconstructions=[held_out, *reconstructions] if reconstructions else (),
    )
