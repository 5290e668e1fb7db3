"""From run folders to figures: what `logan-visualize` and `logan-compare` draw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from logan.datasets.load import load_images, load_toy
from logan.datasets.toy import ToyDistribution
from logan.errors import RunError, UserError
from logan.evaluation import metrics_of, toy_coverage
from logan.figures.animation import animate_samples
from logan.figures.contours import Contour
from logan.figures.curves import curves_figure
from logan.figures.encoder import EncoderPanel, encoder_figure
from logan.figures.files import save_figure
from logan.figures.foreground_maps import foreground_maps_figure
from logan.figures.grids import comparison_sheet
from logan.figures.joint_space import JointStage, joint_space_figure
from logan.figures.latent_map import latent_grid, latent_map_figure
from logan.figures.missed import missed_figure
from logan.figures.toy import Panel, comparison_figure, samples_figure
from logan.generation import generate, reconstruct
from logan.image_evaluation import Evidence
from logan.metrics.coverage import is_fair, nearest_centers
from logan.models.bigan import BiGAN
from logan.runs import Run
from logan.settings import Experiment, data_differences
from logan.snapshots import in_batches, read_snapshots

_SHEET_IMAGES = 10


def visualize(run: Run) -> list[Path]:
    """Draws everything there is to see of one run into its folder.

    Returns:
        The pictures' paths.

    Raises:
        RunError: if the run left nothing to draw.
    """
    folder = run.figures
    records = run.records()
    if not records:
        raise RunError(f"{run.path}: expected a run with a log. Received: none; was it trained?")
    paths = [save_figure(curves_figure({run.label: records}), folder / "curves.png")]
    if run.experiment.is_image:
        return paths
    snapshots = _snapshots(run)
    if run.experiment.model == "encoder":
        figure = encoder_figure([_encoder_panel(run, snapshots[-1])])
        return [*paths, save_figure(figure, folder / "encoder.png")]
    return paths + _toy_pictures(run, snapshots)


def draw_evidence(run: Run, evidence: Evidence, metrics: dict[str, Any]) -> list[Path]:
    """Draws what an evaluation of images found into the run's folder.

    Returns:
        The pictures' paths.
    """
    paths = []
    if evidence.missed is not None:
        missed = evidence.missed
        figure = missed_figure(
            missed.images,
            missed.nearest,
            missed.distance[: len(missed.images)],
            missed.reconstructions,
            total=len(missed.index),
            generations=missed.generations,
            features=missed.features,
        )
        paths.append(save_figure(figure, run.figures / "missed.png"))
    if evidence.foreground_maps is not None:
        shares = (metrics["foreground"][name] for name in ("real_share", "generated_share"))
        figure = foreground_maps_figure(*evidence.foreground_maps, *shares)
        paths.append(save_figure(figure, run.figures / "foreground_maps.png"))
    return paths


def _toy_pictures(run: Run, snapshots: list[dict[str, np.ndarray]]) -> list[Path]:
    toy, folder, last = load_toy(run.experiment), run.figures, snapshots[-1]
    figure = samples_figure(
        last["real"], last["generated"], contour=_contour(last), centers=toy.centers
    )
    paths = [save_figure(figure, folder / "samples.png")]
    covered = [
        {"step": int(snapshot["step"]), **toy_coverage(toy, snapshot["generated"])}
        for snapshot in snapshots
        if np.isfinite(snapshot["generated"]).all()
    ]
    paths.append(save_figure(curves_figure({run.label: covered}), folder / "coverage.png"))
    if run.experiment.latent_length <= 2:
        paths.append(save_figure(_latent_map(run), folder / "latent_map.png"))
    if "encoded" in last and toy.features == 1 and run.experiment.latent_length == 1:
        paths.append(save_figure(_joint_space(snapshots), folder / "joint_space.png"))
    animation = animate_samples(
        np.stack([snapshot["generated"] for snapshot in snapshots]),
        np.array([int(snapshot["step"]) for snapshot in snapshots]),
        last["real"],
        path=folder / "training.gif",
        centers=toy.centers,
    )
    return [*paths, animation]


def _contour(snapshot: dict[str, np.ndarray]) -> Contour | None:
    """D's logits over the plane of 2-D x."""
    if "contour_x" not in snapshot or snapshot["real"].shape[1] != 2:
        return None
    names = ("contour_x", "contour_y", "contour_logits")
    return Contour(*(snapshot[name] for name in names))


def _latent_map(run: Run) -> Figure:
    toy = load_toy(run.experiment)
    z = latent_grid(
        run.experiment.latent_length, 4000 if run.experiment.latent_length == 1 else 200
    )
    samples = in_batches(run.trained_model().averaged_generator, z)
    _, distances = nearest_centers(samples, toy.centers)
    return latent_map_figure(z, samples, _mode_centers(toy), distances <= 3 * toy.sigma)


def _joint_space(snapshots: list[dict[str, np.ndarray]]) -> Figure:
    stages = [snapshots[0], snapshots[len(snapshots) // 2], snapshots[-1]]
    return joint_space_figure(
        [
            JointStage(
                f"step {int(stage['step']):,}",
                stage["generated"],
                stage["latents"],
                stage["real"],
                stage["encoded"],
                Contour(stage["contour_x"], stage["contour_y"], stage["contour_logits"]),
            )
            for stage in stages
        ]
    )


def _encoder_panel(run: Run, snapshot: dict[str, np.ndarray]) -> EncoderPanel:
    toy, metrics = load_toy(run.experiment), metrics_of(run)
    nearest, _ = nearest_centers(snapshot["real"], toy.centers)
    is_uniform = run.experiment.prior == "uniform"
    caption = (
        f"{metrics['captured_fair']} of {metrics['modes']} "
        f"{'equal cells' if is_uniform else 'modes'} covered"
    )
    label = "unimodal prior" if is_uniform else f"prior of {metrics['modes']} modes"
    return EncoderPanel(
        label,
        snapshot["real"],
        toy.modes[nearest],
        snapshot["encoded"],
        snapshot["prior"],
        caption,
    )


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
    kinds = {(run.experiment.is_image, run.experiment.model == "encoder") for run in runs}
    if len(kinds) != 1:
        raise UserError(
            "--workdirs: expected runs of one kind, toy data, encoders or images. "
            f"Received: {', '.join(str(run.path) for run in runs)}"
        )
    if runs[0].experiment.is_image:
        _check_same_images(runs)
    labels = _labels(runs)
    metrics = {labels[run.path]: metrics_of(run) for run in runs}
    if runs[0].experiment.is_image:
        return _image_comparison(runs, labels), metrics
    lasts = [_last_snapshot(run) for run in runs]
    if runs[0].experiment.model == "encoder":
        panels = [_encoder_panel(run, last) for run, last in zip(runs, lasts, strict=True)]
        return encoder_figure(panels), metrics
    titles = [_title(run.experiment) for run in runs]
    toy_panels = [
        _toy_panel(
            run,
            last,
            metrics[labels[run.path]],
            title if titles.count(title) == 1 else f"{title}, {labels[run.path]}",
        )
        for run, last, title in zip(runs, lasts, titles, strict=True)
    ]
    return comparison_figure(toy_panels, columns=columns), metrics


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


def _snapshots(run: Run, last: int = 0) -> list[dict[str, np.ndarray]]:
    """The last so many snapshots of the run; 0: all of them.

    Raises:
        RunError: if there is none.
    """
    snapshots = read_snapshots(run.snapshots, last=last)
    if not snapshots:
        raise RunError(f"{run.path}: expected snapshots. Received: none; --snapshots was 0?")
    return snapshots


def _last_snapshot(run: Run) -> dict[str, np.ndarray]:
    return _snapshots(run, last=1)[-1]


def _title(experiment: Experiment) -> str:
    """Data and method of a toy run."""
    model = _MODEL_NAMES[experiment.model]
    terms = [
        f"{experiment.penalty} penalty" if experiment.has_penalty else "",
        "clipped weights" if experiment.weight_clip else "",
        "autoencoder loss" if experiment.autoencoder_weight else "",
    ]
    method = " + ".join(filter(None, terms)) or f"plain {model}"
    if experiment.model != "bigan" and method != f"plain {model}":
        method = f"{model} with {method}"
    return f"{experiment.dataset}, {method}"


def _toy_panel(run: Run, last: dict[str, np.ndarray], metrics: dict[str, Any], title: str) -> Panel:
    toy = load_toy(run.experiment)
    divergence = metrics["reverse_kl"]
    caption = (
        f"{metrics['captured_fair']}/{metrics['modes']} modes, HQ {metrics['high_quality']:.2f}, "
        f"KL {'∞' if divergence is None else format(divergence, '.3f')}"
    )
    return Panel(
        title,
        last["real"],
        last["generated"],
        toy.centers,
        caption,
        _contour(last),
        _missed(toy, metrics),
    )


def _missed(toy: ToyDistribution, metrics: dict[str, Any]) -> np.ndarray:
    """[missed, features], centres of the modes with less than a fifth of their share."""
    counts = np.array(metrics["mode_samples"])
    return _mode_centers(toy)[~is_fair(counts, toy.mode_weights * metrics["samples"])]


def _mode_centers(toy: ToyDistribution) -> np.ndarray:
    """[modes, features], the mean of the components that count towards each mode."""
    return np.stack([toy.centers[toy.modes == mode].mean(0) for mode in range(toy.mode_count)])


_MODEL_NAMES = {"bigan": "BiGAN", "gan": "GAN"}


def _image_comparison(runs: Sequence[Run], labels: dict[Path, str]) -> Figure:
    """Generations of every run, and below them its reconstructions of the same held-out images."""
    x = load_images(runs[0].experiment, runs[0].cache).evaluation_sample(0, _SHEET_IMAGES)
    held_out = ("held-out images", x)
    generations, reconstructions = [held_out], []
    for run in runs:
        model, label = run.trained_model(), labels[run.path]
        generations.append((label, generate(model, run.experiment.seed, _SHEET_IMAGES)))
        if isinstance(model, BiGAN):
            reconstructions.append((label, reconstruct(model, x)))
    return comparison_sheet(
        generations,
        columns=_SHEET_IMAGES,
        reconstructions=[held_out, *reconstructions] if reconstructions else (),
    )
