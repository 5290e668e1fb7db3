"""How near reconstructions G(E(x)) come to held-out x, and recovered latents E(G(z)) to z."""

from typing import Any

import numpy as np

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.images import SSIM_WINDOW, mean_squared_error, psnr, ssim
from logan.metrics.neighbours import nearest_distances
from logan.metrics.reconstruction import root_mean_square_distance

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _of_toy(record: Record) -> Measured:
    rmse = root_mean_square_distance(record.held_out, record.reconstructed)
    return Measured(
        {"reconstruction_rmse": rmse},
        "reconstruction_rmse: √ mean ‖x - G(E(x))‖² over as many held-out x",
    )


def _of_images(record: Record) -> Measured:
    x, is_occupied = record.held_out, record.is_occupied
    numbers = closeness(x, record.reconstructed, is_occupied)
    protocol = [
        f"reconstruction: G(E(x)) of the {len(x):,} held-out images, SSIM and PSNR on [0, 1], mse "
        "on [-1, 1]; latent_error: mean |z - E(G(z))| over features"
    ]
    if "occupied" in numbers:
        what = "foreground" if record.junction is None else "a car in them by the truth"
        protocol.append(f"occupied: of those with {what}")
    protocol.append(
        "baselines: the same measures of what needs no model in place of G(E(x)), from the "
        f"{len(record.train):,} images for training: their mean and their median at every pixel, "
        "and the one that is nearest in squared error"
    )
    numbers["latent_error"] = float(np.abs(record.latents - record.recovered).mean())
    baselines = {
        name: closeness(x, guess, is_occupied) for name, guess in reference_guesses(record).items()
    }
    return Measured({"reconstruction": numbers, "baselines": baselines}, ". ".join(protocol))


def reference_guesses(record: Record) -> dict[str, np.ndarray]:
    """What stands for a reconstruction of each held-out image without a model, by name."""
    x, train = record.held_out, record.train
    _, nearest = nearest_distances(x.reshape(len(x), -1), train.reshape(len(train), -1))
    return {
        "mean training image": np.broadcast_to(train.mean(0), x.shape),
        "median training image": np.broadcast_to(record.background, x.shape),
        "nearest training image": train[nearest],
    }


def closeness(x: np.ndarray, x_hat: np.ndarray, is_occupied: np.ndarray | None) -> dict[str, Any]:
    """Measures of all images, and under `occupied` of those that are, if there are any.

    Args:
        x: floating [images, height, width, channels] in [-1, 1].
        x_hat: of the same shape and range.
        is_occupied: bool [images].

    Returns:
        Means and quantiles over images of `mse`, `psnr` and `ssim`; one that is infinite or
        undefined for an image is left out.
    """
    numbers = _means_and_quantiles(x, x_hat)
    if is_occupied is not None and is_occupied.any():
        numbers["occupied"] = {
            **_means_and_quantiles(x[is_occupied], x_hat[is_occupied]),
            "images": int(is_occupied.sum()),
        }
    return numbers


def _means_and_quantiles(x: np.ndarray, x_hat: np.ndarray) -> dict[str, Any]:
    measured = {"mse": mean_squared_error(x, x_hat), "psnr": psnr(x, x_hat)}
    if min(x.shape[1:3]) >= SSIM_WINDOW:
        measured["ssim"] = ssim(x, x_hat)
    numbers: dict[str, Any] = {}
    for name, values in measured.items():
        if np.isfinite(values).all():
            numbers[name] = float(values.mean())
            numbers[f"{name}_quantiles"] = {
                str(share): float(np.quantile(values, share)) for share in QUANTILES
            }
    return numbers


TOY_RECONSTRUCTION = Measure(
    lambda record: not record.is_image and record.has("reconstructed"),
    _of_toy,
    (Column("rmse G(E(x))", ("reconstruction_rmse",), "{:.4f}", "lower"),),
)
RECONSTRUCTION = Measure(
    lambda record: record.is_image and record.has("train", "reconstructed", "recovered"),
    _of_images,
    (
        Column("SSIM", ("reconstruction", "ssim"), "{:.3f}", "higher"),
        Column("occupied SSIM", ("reconstruction", "occupied", "ssim"), "{:.3f}", "higher"),
        Column("MSE", ("reconstruction", "mse"), "{:.4f}", "lower"),
    ),
)
