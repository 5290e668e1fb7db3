"""Nothing is cut off: every label of every kind of figure lies inside it."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from logan.figures import (
    Contour,
    DensityStage,
    EncoderPanel,
    JointStage,
    Judged,
    Panel,
    PulledPanel,
    comparison_figure,
    comparison_sheet,
    curves_figure,
    densities_figure,
    encoder_figure,
    gradients_figure,
    interpolation_figure,
    joint_space_figure,
    latent_grid,
    latent_map_figure,
    optimal_discriminator_figure,
    reconstruction_figure,
    samples_figure,
)

AXIS = np.linspace(-1, 1, 5)
GRID = 2 * np.stack(np.meshgrid(AXIS, AXIS), axis=-1).reshape(-1, 2)
CONTOUR = Contour(3 * AXIS, 3 * AXIS, -25 + np.arange(25.0).reshape(5, 5))
PANEL = Panel("grid25, pairwise penalty", GRID, GRID, GRID, "25/25 modes, HQ 0.93, KL 0.004 " * 2)
LIT = Panel("grid25, pairwise penalty", GRID, GRID, GRID, "25/25 modes", CONTOUR)
IMAGES = np.zeros((3, 32, 32, 3))
MODES = np.arange(25)
STAGE = JointStage("step 1,000", AXIS, AXIS, AXIS, AXIS, CONTOUR)
DENSITY = DensityStage("step 100,000", np.ones(4), AXIS, AXIS, 0.693)
JUDGED = Judged(
    "trained, with a gradient penalty of 0.1", (0, 100, 2500), np.zeros((3, 5)), AXIS, AXIS
)
PULLED = PulledPanel(
    "with the pairwise penalty", GRID, CONTOUR, "cosine 0.99 with the way, slope 1"
)
RECORDS = [{"step": 10_000.0 * n, "penalty": 1e-5 * n, "real_logits": -1e4} for n in range(5)]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: samples_figure(GRID, GRID, contour=CONTOUR, centers=GRID, title="grid25"),
        lambda: samples_figure(GRID, GRID, contour=CONTOUR),
        lambda: samples_figure(GRID[:, :1], GRID[:, :1], centers=GRID[:, :1]),
        lambda: comparison_figure([PANEL] * 4),
        lambda: comparison_figure([LIT] * 4, columns=2),
        lambda: comparison_figure([LIT] * 2),
        lambda: latent_map_figure(latent_grid(2, 20), latent_grid(2, 20), GRID, np.ones(400)),
        lambda: latent_map_figure(latent_grid(1, 20), latent_grid(2, 20)[:20], GRID, np.ones(20)),
        lambda: joint_space_figure([STAGE] * 3),
        lambda: densities_figure(AXIS, np.ones(4), [DENSITY] * 4, AXIS, AXIS),
        lambda: optimal_discriminator_figure(AXIS, AXIS, AXIS, AXIS, 0.3, [JUDGED] * 2),
        lambda: gradients_figure(GRID, GRID, GRID[:1], [PULLED] * 2, arrow=0.3),
        lambda: encoder_figure([EncoderPanel("uniform prior", GRID, MODES, GRID, GRID, "0.98")]),
        lambda: encoder_figure([EncoderPanel("prior", GRID, MODES, GRID[:, :1], GRID[:, :1])]),
        lambda: curves_figure({"ring8-pairwise-seed0": RECORDS, "ring8-none-seed0": RECORDS}),
        lambda: reconstruction_figure(IMAGES, IMAGES, np.ones(3)),
        lambda: interpolation_figure(IMAGES[None], IMAGES[:1], IMAGES[:1]),
        lambda: comparison_sheet([("pairwise penalty", IMAGES), ("data", IMAGES)]),
    ],
)
def test_everything_lies_inside(draw: Callable[[], Figure]) -> None:
    figure = draw()
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0


def test_long_captions_take_more_lines() -> None:
    title = comparison_figure([PANEL]).axes[0].get_title()
    assert len(title.split("\n")) == 3
