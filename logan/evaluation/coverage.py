"""Which modes were captured: of toy data by a generator, of a prior by an encoder alone."""

from typing import TYPE_CHECKING, Any

import numpy as np

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Modes, Record
from logan.metrics.coverage import FAIR_SHARE, cell_coverage, nearest_centers

if TYPE_CHECKING:
    from logan.datasets.toy import ToyDistribution

_PRIOR_CELLS = 64  # of a unimodal prior, in all
_CELLS_OF = {
    "uniform": "equal cells; high quality: inside of the prior",
    "normal": "cells of equal probability; high quality: within 3σ in each feature",
}
_COLUMNS = (
    Column("captured", ("captured",), "{}", "higher"),
    Column("fair", ("captured_fair",), "{}", "higher"),
    Column("modes", ("modes",), "{}"),
    Column("HQ", ("high_quality",), "{:.3f}", "higher"),
    Column("spread/σ", ("mode_spread",), "{:.2f}", unit="σ"),
    Column("reverse KL", ("reverse_kl",), "{:.4f}", "lower", "nats"),
    Column("KL, all", ("reverse_kl_all",), "{:.4f}", "lower", "nats"),
)


def toy_coverage(toy: "ToyDistribution", samples: np.ndarray) -> dict[str, Any]:
    """What `mode_coverage` says of samples, floating [samples, features], of a toy set."""
    return Modes.of(toy).coverage(samples)


def _of_data(record: Record) -> Measured:
    asked: dict[str, Any] = {}
    told = ""
    if record.generated_labels is not None:
        asked = {"class_accuracy": _asked_share(record)}
        told = "; class_accuracy: share of samples whose nearest mode is the one asked for"
    return Measured(
        {**record.modes.coverage(record.generated), **asked},
        f"high quality: within 3σ of the nearest centre, σ = {record.modes.sigma}; captured: at "
        f"least one high-quality sample; captured_fair: at least {FAIR_SHARE:.0%} of the mode's "
        "share of all samples; reverse_kl: KL(q‖p) in nats of high-quality samples over modes to "
        "the true weights; reverse_kl_all: of all samples by nearest centre; mode_spread: root "
        "mean square offset of high-quality samples from their nearest centres per axis in σ, "
        f"0.97 for the exact mixture in 2-D if modes are far apart, 0.74 of swiss{told}",
    )


def _asked_share(record: Record) -> float:
    """The share of samples that are nearest to a component of the mode that they were asked for."""
    modes = record.modes
    nearest, _ = nearest_centers(record.generated, modes.centers)
    found = nearest if modes.of_component is None else modes.of_component[nearest]
    return float((found == record.generated_labels).mean())


def _of_prior(record: Record) -> Measured:
    encoded, prior = record.encoded, record.prior_modes
    if prior is None:
        cells = round(_PRIOR_CELLS ** (1 / encoded.shape[1]))
        numbers = cell_coverage(encoded, cells, record.prior)
        what = (
            f"modes: the {record.prior} prior cut into {numbers['modes']} {_CELLS_OF[record.prior]}"
        )
    else:
        numbers = prior.coverage(encoded)
        what = f"modes: those of the prior; high quality: within 3σ, σ = {prior.sigma}"
    fair = f"captured_fair: at least {FAIR_SHARE:.0%} of the mode's share of all samples"
    return Measured(numbers, f"{what}; {fair}")


COVERAGE = Measure(
    lambda record: record.has("modes", "generated"),
    _of_data,
    (*_COLUMNS, Column("mode accuracy", ("class_accuracy",), "{:.3f}", "higher")),
)
ENCODER_COVERAGE = Measure(
    lambda record: record.has("encoded") and not record.has("generated"), _of_prior, _COLUMNS
)
