"""Sheets of generations and reconstructions that an image run draws on the way."""

from pathlib import Path

import numpy as np

from logan.datasets.load import Data
from logan.figures.files import save_figure, save_image
from logan.figures.grids import image_grid, reconstruction_figure
from logan.generation import evaluation_latents, in_batches, reconstruct
from logan.models.adversarial import AdversarialModel
from logan.models.encoding import EncodingModel

_GENERATIONS = 64
_RECONSTRUCTIONS = 16


def write_sheets(folder: Path, model: AdversarialModel, data: Data, seed: int) -> None:
    """Writes generations-<step>.png and, with an encoder, reconstructions-<step>.png.

    The latents and the held-out images are the same at every step.
    """
    step = int(model.step.numpy())
    z = evaluation_latents(model, seed, _GENERATIONS)
    generated = in_batches(model.averaged_generator, z, size=64)
    if not np.isfinite(generated).all():
        return  # huge weights: the losses of the next interval will tell
    save_image(folder / f"generations-{step:08d}.png", image_grid(generated), scale=2)
    if isinstance(model, EncodingModel):
        inputs = data.evaluation_sample(seed, _RECONSTRUCTIONS)
        figure = reconstruction_figure(inputs, reconstruct(model, inputs))
        save_figure(figure, folder / f"reconstructions-{step:08d}.png", dpi=100)
