"""What `logan-evaluate` measures of a run, with the protocol of every number in words."""

import dataclasses
import math
from typing import Any

import numpy as np

from logan import image_evaluation
from logan.datasets.load import load_toy
from logan.datasets.toy import ToyDistribution
from logan.errors import UserError
from logan.files import read_json, write_json
from logan.generation import encode, generate, reconstruct
from logan.image_evaluation import Evidence, evaluate_images, write_missed
from logan.metrics.coverage import FAIR_SHARE, cell_coverage, mode_coverage
from logan.metrics.extractors import extractor
from logan.metrics.reconstruction import root_mean_square_distance
from logan.models.adversarial import AdversarialModel
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.runs import Run

SAMPLES = 10_000
_PRIOR_CELLS = 64  # of the uniform prior, in all


def evaluate(
    run: Run,
    samples: int | None = None,
    extractor_name: str = "random",
    extractor_weights: str | None = None,
) -> tuple[dict[str, Any], Evidence | None]:
    """Measures a run at its newest checkpoint and writes metrics.json and missed.csv.

    Args:
        run: a trained run.
        samples: generated samples; by default 10,000, of images 5,000. Of toy data as many
            held-out x are reconstructed.
        extractor_name: images: whose features are compared, `random` or `inception`; `none`
            leaves out what needs features.
        extractor_weights: a file of Inception weights; Keras's own are fetched without.

    Returns:
        What was written, numbers by name with `protocol`, how they were measured; and what to
        draw of images.

    Raises:
        RunError: if nothing was trained yet, or the samples are not finite.
        UserError: if the data or the extractor's weights cannot be used.
    """
    experiment, evidence = run.experiment, None
    model = run.trained_model()
    if experiment.is_image:
        features = None
        if extractor_name != "none":
            features = extractor(
                extractor_name, experiment.image_size, experiment.channels, extractor_weights
            )
        samples = samples or image_evaluation.SAMPLES
        metrics, evidence = evaluate_images(model, run, samples, features)
        if evidence.missed is not None:
            write_missed(run, evidence.missed)
        else:  # what an earlier evaluation left would not belong to these numbers
            for path in (run.missed, run.figures / "missed.png"):
                path.unlink(missing_ok=True)
    elif isinstance(model, AdversarialEncoder):
        metrics = _evaluate_encoder(model, run, samples or SAMPLES)
    else:
        metrics = _evaluate_toy(model, run, samples or SAMPLES)
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
    return finite, evidence


def metrics_of(run: Run) -> dict[str, Any]:
    """The run's metrics.json, measured anew if it is missing, damaged or of an earlier step."""
    try:
        metrics = read_json(run.metrics)
        records = run.records()
        if records and metrics["step"] == records[-1]["step"]:
            return metrics
    except (FileNotFoundError, UserError, TypeError, KeyError):
        pass
    return evaluate(run)[0]


def _coverage_protocol(sigma: float, samples: int) -> str:
    return (
        f"{samples:,} samples of the averaged generator with the run's seed; high quality: within "
        f"3σ of the nearest centre, σ = {sigma}; captured: at least one high-quality sample; "
        f"captured_fair: at least {FAIR_SHARE:.0%} of the mode's share of all samples; "
        "reverse_kl: KL(q‖p) in nats of high-quality samples over modes to the true weights; "
        "reverse_kl_all: of all samples by nearest centre; mode_spread: root mean square offset of "
        "high-quality samples from their nearest centres per axis in σ, 0.97 for the exact mixture "
        "in 2-D if modes are far apart, 0.74 of swiss"
    )


def toy_coverage(toy: ToyDistribution, samples: np.ndarray) -> dict[str, Any]:
    """What `mode_coverage` says of samples, floating [samples, features], of a toy set."""
    return mode_coverage(samples, toy.centers, toy.sigma, weights=toy.mode_weights, modes=toy.modes)


def _evaluate_toy(model: AdversarialModel, run: Run, samples: int) -> dict[str, Any]:
    toy = load_toy(run.experiment)
    seed = run.experiment.seed
    metrics = toy_coverage(toy, generate(model, seed, samples))
    protocol = _coverage_protocol(toy.sigma, samples)
    if isinstance(model, BiGAN):
        x = toy.evaluation_sample(seed, samples)
        metrics["reconstruction_rmse"] = root_mean_square_distance(x, reconstruct(model, x))
        protocol += "; reconstruction_rmse: √ mean ‖x - G(E(x))‖² over as many held-out x"
    return {**metrics, "protocol": protocol}


def _evaluate_encoder(model: AdversarialEncoder, run: Run, samples: int) -> dict[str, Any]:
    toy = load_toy(run.experiment)
    encoded = encode(model, toy.evaluation_sample(run.experiment.seed, samples))
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


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of a table of runs."""

    title: str
    path: tuple[str, ...]
    form: str


COLUMNS = [
    Column("step", ("step",), "{:,}"),
    Column("samples", ("samples",), "{:,}"),
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
    Column("occupied", ("junction", "occupied_share"), "{:.3f}"),
    Column("cells", ("junction", "cells_captured"), "{:.2f}"),
    Column("fair cells", ("junction", "cells_captured_fair"), "{:.2f}"),
    Column("fair colours", ("junction", "colours_captured_fair"), "{:.2f}"),
    Column("cars kept", ("junction", "reconstructed", "cell_recall"), "{:.2f}"),
    Column("SSIM", ("reconstruction", "ssim"), "{:.3f}"),
    Column("occupied SSIM", ("reconstruction", "occupied", "ssim"), "{:.3f}"),
    Column("MSE", ("reconstruction", "mse"), "{:.4f}"),
    Column("features", ("fidelity", "extractor"), "{}"),
    Column("recall", ("fidelity", "recall"), "{:.3f}"),
    Column("coverage", ("fidelity", "coverage"), "{:.3f}"),
    Column("Fréchet", ("fidelity", "frechet_distance"), "{:.4f}"),
    Column("FID", ("fidelity", "fid"), "{:.1f}"),
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
