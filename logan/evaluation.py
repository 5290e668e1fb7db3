"""What `logan-evaluate` measures of a run, with the protocol of every number in words."""

import dataclasses
import math
from typing import Any

import numpy as np

from logan.datasets.load import load_images, load_toy
from logan.datasets.video import to_unit_range
from logan.errors import RunError
from logan.files import read_json, write_json
from logan.metrics.coverage import FAIR_SHARE, cell_coverage, mode_coverage
from logan.metrics.foreground import (
    background,
    foreground_area,
    foreground_distance,
    foreground_share,
)
from logan.metrics.images import mean_squared_error, psnr, spread, ssim
from logan.metrics.reconstruction import root_mean_square_distance
from logan.models.adversarial import AdversarialModel
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.randomness import Purpose, key, latents
from logan.runs import Run
from logan.snapshots import in_batches

SAMPLES = 10_000
_PRIOR_CELLS = 64  # of the uniform prior, in all
_FOREGROUND_SAMPLES = 1000


def evaluate(run: Run, samples: int = SAMPLES) -> dict[str, Any]:
    """Measures a run at its newest checkpoint and writes metrics.json.

    Args:
        run: a trained run.
        samples: generated samples and held-out x, each.

    Returns:
        What was written: numbers by name, and `protocol`, how they were measured.

    Raises:
        RunError: if nothing was trained yet, or the samples are not finite.
        UserError: if the data cannot be used.
    """
    model = run.trained_model()
    if run.experiment.is_image:
        metrics = _evaluate_images(model, run, samples)
    elif isinstance(model, AdversarialEncoder):
        metrics = _evaluate_encoder(model, run, samples)
    else:
        metrics = _evaluate_toy(model, run, samples)
    records = run.records()
    metrics = {
        "experiment": run.experiment.name,
        "penalty": run.experiment.penalty,
        "seed": run.experiment.seed,
        "step": int(model.step.numpy()),
        "training_seconds": records[-1]["seconds"] if records else None,
        **metrics,
    }
    # JSON has no infinity: the divergence of a model without a single good sample is null.
    finite = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in metrics.items()
    }
    write_json(run.metrics, finite)
    return finite


def metrics_of(run: Run) -> dict[str, Any]:
    """The run's metrics.json, measured anew if it is missing or of an earlier step."""
    if run.metrics.is_file():
        metrics = read_json(run.metrics)
        records = run.records()
        if records and metrics.get("step") == records[-1]["step"]:
            return metrics
    return evaluate(run)


def generate(model: AdversarialModel, seed: int, count: int) -> np.ndarray:
    """float32 [count, ...] generations of the averaged generator.

    Raises:
        RunError: if the model has no generator, or generates values that are not finite.
    """
    if not hasattr(model, "generator"):
        raise RunError("--workdir: expected a run with a generator. Received: an encoder's")
    draw = key(seed, 0, Purpose.EVALUATION_LATENT)
    z = latents(draw, count, model.generator.latent_length).numpy()
    generated = in_batches(model.averaged_generator, z, size=500)
    if not np.isfinite(generated).all():
        raise RunError("expected finite generations. Received: NaN or infinity; did it diverge?")
    return generated


def reconstruct(model: BiGAN, x: np.ndarray) -> np.ndarray:
    """G(E(x)) with averaged weights, of x's shape."""
    encoded = in_batches(model.averaged_encoder, x, size=500)
    return in_batches(model.averaged_generator, encoded, size=500)


def _coverage_protocol(sigma: float, samples: int) -> str:
    return (
        f"{samples:,} samples of the averaged generator with the run's seed; high quality: within "
        f"3σ of the nearest centre, σ = {sigma}; captured: at least one high-quality sample; "
        f"captured_fair: at least {FAIR_SHARE:.0%} of the mode's share of all samples; "
        "reverse_kl: KL(q‖p) in nats of high-quality samples over modes to the true weights; "
        "reverse_kl_all: of all samples by nearest centre; mode_spread: root mean square offset of "
        "high-quality samples from their centres per axis in σ, 0.97 for the exact mixture in 2-D"
    )


def _evaluate_toy(model: AdversarialModel, run: Run, samples: int) -> dict[str, Any]:
    toy = load_toy(run.experiment)
    seed = run.experiment.seed
    metrics: dict[str, Any] = mode_coverage(
        generate(model, seed, samples),
        toy.centers,
        toy.sigma,
        weights=toy.mode_weights,
        modes=toy.modes,
    )
    protocol = _coverage_protocol(toy.sigma, samples)
    if isinstance(model, BiGAN):
        x = toy.evaluation_sample(seed, samples)
        metrics["reconstruction_rmse"] = root_mean_square_distance(x, reconstruct(model, x))
        protocol += "; reconstruction_rmse: √ mean ‖x - G(E(x))‖² over as many held-out x"
    return {**metrics, "protocol": protocol}


def _evaluate_encoder(model: AdversarialEncoder, run: Run, samples: int) -> dict[str, Any]:
    toy = load_toy(run.experiment)
    encoded = in_batches(
        model.averaged_encoder, toy.evaluation_sample(run.experiment.seed, samples)
    )
    if model.prior_centers is None:
        metrics = cell_coverage(encoded, round(_PRIOR_CELLS ** (1 / encoded.shape[1])))
        what = (
            f"modes: the uniform prior cut into {metrics['modes']} equal cells; high quality: "
            "inside of the prior"
        )
    else:
        metrics = mode_coverage(encoded, np.array(model.prior_centers), model.prior_sigma)
        what = f"modes: those of the prior; high quality: within 3σ, σ = {model.prior_sigma}"
    protocol = (
        f"{samples:,} encodings of held-out x by the averaged encoder; {what}; captured_fair: at "
        f"least {FAIR_SHARE:.0%} of the mode's share of all samples"
    )
    return {**metrics, "protocol": protocol}


def _evaluate_images(model: AdversarialModel, run: Run, samples: int) -> dict[str, Any]:
    images = load_images(run.experiment, run.cache)
    count = min(samples, _FOREGROUND_SAMPLES)
    generated = generate(model, run.experiment.seed, count)
    train = to_unit_range(images.train)
    scene = background(train)
    real_areas, areas = foreground_area(train, scene), foreground_area(generated, scene)
    metrics: dict[str, Any] = {
        "foreground": {
            "real_share": foreground_share(real_areas),
            "generated_share": foreground_share(areas),
            "distance": foreground_distance(real_areas, areas),
        },
        "spread": {"real": spread(train), "generated": spread(generated)},
        "samples": count,
    }
    protocol = (
        f"{count:,} generations of the averaged generator against the {len(train):,} training "
        "frames. foreground: share of frames in which over 2 % of the pixels differ from the "
        "median of the training frames by more than 0.2 of [-1, 1] after light correction; "
        "distance: Jensen-Shannon distance of the histograms of that area. spread: mean standard "
        "deviation of a pixel over images"
    )
    if isinstance(model, BiGAN):
        x = to_unit_range(images.test)
        metrics["reconstruction"] = _reconstruction(x, reconstruct(model, x))
        protocol += f". reconstruction: the {len(x):,} held-out frames, split by time block"
    return {**metrics, "protocol": protocol}


def _reconstruction(x: np.ndarray, x_hat: np.ndarray) -> dict[str, float]:
    """Means over images; SSIM and PSNR on [0, 1], the squared error on [-1, 1]."""
    ratios = psnr(x, x_hat)
    metrics = {"mse": float(mean_squared_error(x, x_hat).mean())}
    if np.isfinite(ratios).all():
        metrics["psnr"] = float(ratios.mean())
    if min(x.shape[1:3]) >= 11:  # the window of SSIM
        metrics["ssim"] = float(ssim(x, x_hat).mean())
    return metrics


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of a table of runs."""

    title: str
    path: tuple[str, ...]
    form: str


COLUMNS = [
    Column("step", ("step",), "{:,}"),
    Column("captured", ("captured",), "{}"),
    Column("fair", ("captured_fair",), "{}"),
    Column("modes", ("modes",), "{}"),
    Column("HQ", ("high_quality",), "{:.3f}"),
    Column("spread/σ", ("mode_spread",), "{:.2f}"),
    Column("reverse KL", ("reverse_kl",), "{:.4f}"),
    Column("KL, all", ("reverse_kl_all",), "{:.4f}"),
    Column("rmse G(E(x))", ("reconstruction_rmse",), "{:.4f}"),
    Column("foreground", ("foreground", "generated_share"), "{:.3f}"),
    Column("real", ("foreground", "real_share"), "{:.3f}"),
    Column("distance", ("foreground", "distance"), "{:.3f}"),
    Column("SSIM", ("reconstruction", "ssim"), "{:.3f}"),
    Column("MSE", ("reconstruction", "mse"), "{:.4f}"),
    Column("seconds", ("training_seconds",), "{:.0f}"),
]


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of metrics, one row for each label; columns that no row has are left out."""

    def lookup(metrics: Any, column: Column) -> Any:
        for name in column.path:
            metrics = metrics.get(name) if isinstance(metrics, dict) else None
        return metrics

    columns = [c for c in COLUMNS if any(lookup(m, c) is not None for m in rows.values())]
    lines = [["run", *(column.title for column in columns)]]
    for label, metrics in rows.items():
        values = [lookup(metrics, column) for column in columns]
        cells = [
            "-" if value is None else column.form.format(value)
            for value, column in zip(values, columns, strict=True)
        ]
        lines.append([label, *cells])
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| "
        + " | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )
