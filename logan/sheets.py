"""Sheets of generations and reconstructions that an image run draws on the way."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from logan.datasets.load import Data
from logan.figures.files import save_figure, save_image
from logan.figures.grids import image_grid, reconstruction_figure
from logan.generation import by_class, decode, evaluation_latents, reconstruct
from logan.models.adversarial import AdversarialModel
from logan.models.encoding import EncodingModel

_GENERATIONS = 64
_RECONSTRUCTIONS = 16
_OF_A_CLASS, _MOST_CLASSES = 8, 20  # of a conditional model, a row for each class


def write_sheets(folder: Path, model: AdversarialModel, data: Data, seed: int) -> None:
    """Writes generations-<step>.png and, with an encoder, reconstructions-<step>.png.

    The generations of a conditional model have a row for each class, of up to 20 of them.

    The latents and the held-out images are the same at every step.
    """
    step = int(model.step.numpy())
    classes, columns = getattr(model, "classes", None), None
    if classes is not None:
        shown, columns = range(min(len(classes), _MOST_CLASSES)), _OF_A_CLASS
        generated, _ = by_class(model, seed, shown, columns)
    else:
        generated = decode(model, evaluation_latents(model, seed, _GENERATIONS), size=64)
    if not np.isfinite(generated).all():
        return  # huge weights: the losses of the next interval will tell
    save_image(folder / f"generations-{step:08d}.png", image_grid(generated, columns), scale=2)
    if isinstance(model, EncodingModel):
        inputs = data.evaluation_sample(seed, _RECONSTRUCTIONS)
        labels = cast(Any, data).evaluation_labels(seed, _RECONSTRUCTIONS) if classes else None
        figure = reconstruction_figure(inputs, reconstruct(model, inputs, labels))
        save_figure(figure, folder / f"reconstructions-{step:08d}.png", dpi=100)
