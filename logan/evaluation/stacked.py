"""Which triples of digits a generator of stacked MNIST makes, as a classifier reads them.

As in VEEGAN (A. Srivastava et al., NeurIPS 2017) and PacGAN (Z. Lin et al., NeurIPS 2018): each
channel is read by itself, and a triple that occurs once is captured. Beside it stand the same
numbers of real held-out triples, which the classifier's errors and chance leave their mark on, too.
"""

from typing import Any

import numpy as np

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.classes import CONFIDENT, class_spread
from logan.metrics.coverage import expected_reverse_kl, reverse_kl

PUBLISHED_COUNTS = (26_000, 50_000)  # of samples, in the literature
_AT_ONCE = 2_000  # images


def _measure(record: Record) -> Measured:
    generated, probability = _read(record, record.generated)
    real, real_probability, accuracy = _read_held_out(record)
    sure, sure_real = probability > CONFIDENT, real_probability > CONFIDENT
    counts = [count for count in PUBLISHED_COUNTS if count < len(generated)]
    numbers = {
        "classifier": record.classifier.path.name,
        "classifier_accuracy": accuracy,
        "modes": record.stacked.modes,
        **_at(len(generated), record, generated, sure, real),
        **{f"at_{count}": _at(count, record, generated, sure, real) for count in counts},
        "confident_digits": float(sure.mean()),
        "confident_images": float(sure.all(axis=1).mean()),
        "confident_digits_real": float(sure_real.mean()),
    }
    return Measured(
        {"stacked": numbers},
        f"stacked: each channel read by the {record.classifier.text}, right of {accuracy:.2%} of "
        f"{len(record.stacked.test):,} held-out digits; of {_listed(counts, len(generated))} "
        "generations: captured, triples that occur; captured_fair, those with a fifth of their "
        "share; captured_confident, those that occur with three digits that are read with a "
        f"probability above {CONFIDENT:g}, as are confident_digits; kl, KL(q‖uniform) in nats, as "
        "published, and kl_data, to the shares of triples in the training data; floor, the mean of "
        "as many draws of the training data's distribution; real, as many held-out triples, read "
        "by the same classifier",
    )


def _at(
    count: int, record: Record, generated: np.ndarray, sure: np.ndarray, real: np.ndarray
) -> dict[str, Any]:
    """The numbers of the first so many generations, and of as many held-out triples."""
    weights = record.stacked.mode_weights
    uniform = np.ones_like(weights)
    modes = record.stacked.mode_of(generated[:count])
    sure_modes = modes[sure[:count].all(axis=1)]
    of_data = class_spread(modes, weights)
    numbers = {
        "samples": count,
        "captured": of_data["captured"],
        "captured_fair": of_data["captured_fair"],
        "captured_confident": len(np.unique(sure_modes)),
        "kl": _kl(modes, uniform),
        "kl_floor": expected_reverse_kl(count, weights, uniform),
        "kl_data": of_data["kl"],
        "kl_data_floor": of_data["kl_floor"],
    }
    if len(real) < count:
        return numbers
    real_modes = record.stacked.mode_of(real[:count])
    of_real = class_spread(real_modes, weights)
    return {
        **numbers,
        "captured_real": of_real["captured"],
        "captured_fair_real": of_real["captured_fair"],
        "kl_real": _kl(real_modes, uniform),
        "kl_data_real": of_real["kl"],
    }


def _kl(modes: np.ndarray, weights: np.ndarray) -> float:
    return reverse_kl(np.bincount(modes, minlength=len(weights)), weights)


def _read(record: Record, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of each channel and its probability, int64 and float32 [images, 3]."""
    classes, probability = [], []
    for first in range(0, len(images), _AT_ONCE):
        part = np.moveaxis(images[first : first + _AT_ONCE], -1, 1)[..., None]
        found = record.classifier.probabilities(
            part.reshape(-1, *part.shape[2:]), record.stacked.label_names
        ).reshape(*part.shape[:2], -1)
        classes.append(found.argmax(axis=2))
        probability.append(found.max(axis=2))
    return np.concatenate(classes), np.concatenate(probability)


def _read_held_out(record: Record) -> tuple[np.ndarray, np.ndarray, float]:
    """The same of all held-out triples, each digit read once; and the share that is read right."""
    stacked = record.stacked
    found = record.classifier.probabilities(stacked.digits[stacked.test], stacked.label_names)
    classes, probability = np.zeros((2, len(stacked.digits)))
    classes[stacked.test], probability[stacked.test] = found.argmax(axis=1), found.max(axis=1)
    places = stacked.test_places
    accuracy = (classes[stacked.test] == stacked.labels[stacked.test]).mean()
    return classes[places].astype(np.int64), probability[places], float(accuracy)


def _listed(counts: list[int], most: int) -> str:
    return " and ".join(f"{count:,}" for count in [*counts, most])


def _column(title: str, name: str, form: str, better: Any = None, unit: str = "") -> list[Column]:
    """Of all generations, and of the first 26,000."""
    return [
        Column(title, ("stacked", name), form, better, unit),
        Column(f"{title} of 26k", ("stacked", "at_26000", name), form, better, unit),
    ]


STACKED = Measure(
    lambda record: record.has("stacked", "classifier", "generated"),
    _measure,
    (
        *_column("triples", "captured", "{}", "higher"),
        *_column("fair triples", "captured_fair", "{}", "higher"),
        *_column("KL to uniform", "kl", "{:.4f}", "lower", "nats"),
        *_column("of real", "kl_real", "{:.4f}", unit="nats"),
        Column("confident", ("stacked", "confident_digits"), "{:.3f}", "higher"),
        Column("digits read right", ("stacked", "classifier_accuracy"), "{:.4f}"),
    ),
)
