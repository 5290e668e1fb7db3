"""What a generator of toy data learned."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from logan.figures.animation import animate_samples
from logan.figures.joint_space import JointStage, joint_space_figure
from logan.figures.latent_map import latent_grid, latent_map_figure
from logan.figures.toy import samples_figure
from logan.generation import in_batches
from logan.metrics.coverage import nearest_centers
from logan.settings import PRIORS
from logan.visualization.drawings import Drawing, saved
from logan.visualization.history import History, contour_of, mode_centers, plane_contour

_LATENTS_ALONG_AXIS = {1: 4000, 2: 200}


def _samples(history: History) -> Figure:
    last = history.last
    return samples_figure(
        last["real"], last["generated"], contour=plane_contour(last), centers=history.toy.centers
    )


def _latent_map(history: History) -> Figure:
    toy, length = history.toy, history.run.experiment.latent_length
    reach = PRIORS[history.run.experiment.prior]
    z = latent_grid(length, _LATENTS_ALONG_AXIS[length], reach)
    samples = in_batches(history.model.averaged_generator, z)
    _, distances = nearest_centers(samples, toy.centers)
    return latent_map_figure(z, samples, mode_centers(toy), distances <= 3 * toy.sigma)


def _has_plane_of_pairs(history: History) -> bool:
    return (
        history.is_toy
        and not history.is_conditional
        and "encoded" in history.last
        and history.toy.features == history.run.experiment.latent_length == 1
    )


def _joint_space(history: History) -> Figure:
    snapshots = history.snapshots
    stages = [snapshots[0], snapshots[len(snapshots) // 2], snapshots[-1]]
    return joint_space_figure(
        [
            JointStage(
                f"step {int(stage['step']):,}",
                stage["generated"],
                stage["latents"],
                stage["real"],
                stage["encoded"],
                contour_of(stage),
            )
            for stage in stages
        ]
    )


def _animate(history: History, path: Path) -> Path:
    snapshots = history.snapshots
    return animate_samples(
        np.stack([snapshot["generated"] for snapshot in snapshots]),
        np.array([int(snapshot["step"]) for snapshot in snapshots]),
        history.last["real"],
        path=path,
        centers=history.toy.centers,
    )


SAMPLES = Drawing(lambda history: history.is_toy, saved(_samples))
LATENT_MAP = Drawing(
    lambda history: (
        history.is_toy
        and not history.is_conditional
        and history.run.experiment.latent_length in _LATENTS_ALONG_AXIS
    ),
    saved(_latent_map),
)
JOINT_SPACE = Drawing(_has_plane_of_pairs, saved(_joint_space))
ANIMATION = Drawing(lambda history: history.is_toy, _animate)
