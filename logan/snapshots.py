"""What a model makes of fixed inputs at one moment of training, as arrays.

Pictures of training are drawn from these files, never from inside training.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np

from logan.datasets.toy import ToyDistribution
from logan.errors import RunError
from logan.files import atomic_path
from logan.generation import decode, encode, evaluation_latents, in_batches
from logan.models.adversarial import AdversarialModel
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.encoding import EncodingModel
from logan.models.gan_with_encoder import SeparateDiscriminators
from logan.randomness import Purpose, key
from logan.sampling import Source
from logan.settings import PRIORS

POINTS = 2000
_CONTOUR_CELLS = 80


def toy_snapshot(model: AdversarialModel, data: ToyDistribution, seed: int) -> dict[str, Any]:
    """Points and logits of a toy model.

    Returns:
        `step`; `real` float32 [2000, features]; and, of what the model has, `latents`, `labels` and
        `generated` = G(latents), or G(latents, labels), `encoded` = E(real), `prior`, and
        `contour_x`, `contour_y`, `contour_logits` [80, 80], D over the plane: D(x, E(x)) or D(x)
        for 2-D x, and for 1-D x and z D(x, z), or what of D(x) + D(z) there is; not of a D that
        sees several samples, or a class.
    """
    real = data.evaluation_sample(seed, POINTS)
    arrays: dict[str, Any] = {"step": int(model.step.numpy()), "real": real}
    if hasattr(model, "generator"):
        arrays["latents"] = evaluation_latents(model, seed, POINTS)
        labels = Source(model, seed).labels(POINTS)
        arrays |= {} if labels is None else {"labels": labels}
        arrays["generated"] = decode(model, arrays["latents"], labels, size=POINTS)
    if hasattr(model, "encoder"):
        of_real = data.evaluation_labels(seed, POINTS)
        arrays["encoded"] = encode(cast(EncodingModel, model), real, of_real, size=POINTS)
    if isinstance(model, AdversarialEncoder):
        choice = key(seed, 0, Purpose.EVALUATION_LATENT)
        noise = key(seed, 1, Purpose.EVALUATION_LATENT)
        arrays["prior"] = model.sample_prior(choice, noise, POINTS).numpy()
    return {**arrays, **_contour(model, data)}


def _contour(model: AdversarialModel, data: ToyDistribution) -> dict[str, np.ndarray]:
    if not model.sees_single_samples or model.discriminator_takes_labels:
        return {}
    reach = 1.25 * float(np.abs(data.centers).max())
    line = np.linspace(-reach, reach, _CONTOUR_CELLS, dtype=np.float32)
    is_joint = isinstance(model, BiGAN)
    if data.features == 2 and hasattr(model, "generator"):
        x, y = line, line
        points = _plane(x, y)
        # No class is known of points of the plane.
        if getattr(getattr(model, "encoder", None), "takes_labels", False):
            return {}
        inputs = [points, in_batches(model.encoder, points)] if is_joint else [points]
    elif isinstance(model, EncodingModel) and data.features == 1 and model.latent_length == 1:
        reach_of_z = 1.25 * PRIORS[model.prior]
        x, y = line, np.linspace(-reach_of_z, reach_of_z, _CONTOUR_CELLS, dtype=np.float32)
        points = _plane(x, y)
        inputs = [points[:, :1], points[:, 1:]] if is_joint else [points[:, :1]]
    else:
        return {}
    logits = in_batches(model.discriminator, *inputs)
    if isinstance(model, SeparateDiscriminators) and data.features == 1:
        logits = logits + in_batches(model.second_discriminator, points[:, 1:])
    return {"contour_x": x, "contour_y": y, "contour_logits": logits.reshape(len(y), len(x))}


def _plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float32 [len(y)·len(x), 2], rows of equal y."""
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def write_snapshot(folder: Path, arrays: dict[str, Any]) -> None:
    """Stores a snapshot under its step."""
    with atomic_path(folder / f"step-{arrays['step']:08d}.npz") as temporary:
        np.savez_compressed(temporary, **arrays)


def read_snapshots(folder: Path, last: int = 0) -> list[dict[str, np.ndarray]]:
    """The last so many snapshots in the order of their steps; 0: all of them.

    Raises:
        RunError: if one cannot be read; the message names it.
    """
    snapshots = []
    for path in sorted(folder.glob("step-*.npz"))[-last:]:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                snapshots.append(dict(arrays))
        # A damaged archive makes NumPy and zipfile raise errors of almost any kind.
        except Exception as error:
            raise RunError(
                f"{path}: expected arrays that a training stored. Received: {error}. Without this "
                "file the pictures can be drawn"
            ) from error
    return snapshots
