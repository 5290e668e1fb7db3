"""The pictures: arrays in, a `matplotlib.figure.Figure` (or a file) out.

Nothing here opens a window, touches pyplot's global state or needs TensorFlow.
"""

from logan.figures.animation import animate_samples, sample_frames
from logan.figures.contours import Contour, draw_contour
from logan.figures.curves import curves_figure
from logan.figures.densities import DensityStage, densities_figure
from logan.figures.encoder import EncoderPanel, encoder_figure
from logan.figures.files import save_figure, save_image
from logan.figures.foreground_maps import foreground_maps_figure
from logan.figures.gradients import PulledPanel, gradients_figure
from logan.figures.grids import (
    comparison_sheet,
    image_grid,
    interpolation_figure,
    reconstruction_figure,
    traversal_figure,
)
from logan.figures.joint_space import JointStage, joint_space_figure
from logan.figures.latent_map import latent_grid, latent_map_figure
from logan.figures.missed import missed_figure
from logan.figures.optimal import Judged, optimal_discriminator_figure
from logan.figures.reconstructions import ranked_reconstruction_figure
from logan.figures.toy import Panel, comparison_figure, draw_samples, samples_figure

__all__ = [
    "Contour",
    "DensityStage",
    "EncoderPanel",
    "JointStage",
    "Judged",
    "Panel",
    "PulledPanel",
    "animate_samples",
    "comparison_figure",
    "comparison_sheet",
    "curves_figure",
    "densities_figure",
    "draw_contour",
    "draw_samples",
    "encoder_figure",
    "foreground_maps_figure",
    "gradients_figure",
    "image_grid",
    "interpolation_figure",
    "joint_space_figure",
    "latent_grid",
    "latent_map_figure",
    "missed_figure",
    "optimal_discriminator_figure",
    "ranked_reconstruction_figure",
    "reconstruction_figure",
    "sample_frames",
    "samples_figure",
    "save_figure",
    "save_image",
    "traversal_figure",
]
