"""How the features of generations are distributed against those of held-out images."""

from typing import Any

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import COMPARED, FEWEST_COMPARED, Record
from logan.metrics.fidelity import fidelity, inception_score

INCEPTION_SPLITS = 10


def _measure(record: Record) -> Measured:
    if record.features is None:
        least = f"it takes {FEWEST_COMPARED} held-out images and generations"
        return Measured({}, f"fidelity: left out, as {least}")
    real, generated = record.features
    numbers = {
        "extractor": record.extractor.name,
        **_named(record, fidelity(real, generated, seed=record.seed)),
    }
    return Measured(
        {"fidelity": numbers},
        f"fidelity: features of {record.extractor.name}, {len(real):,} held-out images against "
        f"{len(generated):,} generations; kernel distance over at most 10 disjoint subsets; "
        "precision and recall with 3 neighbours, density and coverage with 5; mmd with a Gaussian "
        "kernel, as wide as the median distance of held-out images that differ",
    )


def _named(record: Record, numbers: dict[str, Any]) -> dict[str, Any]:
    """The numbers, of Inception's features by the names that they go by, and its score."""
    from logan.metrics.extractors import InceptionV3  # tables do without TensorFlow

    extractor, generated = record.extractor, record.generated[:COMPARED]
    if not isinstance(extractor, InceptionV3):
        return numbers
    numbers["fid"] = numbers.pop("frechet_distance")
    numbers["kid"] = numbers.pop("kernel_distance")
    numbers["kid_error"] = numbers.pop("kernel_distance_error")
    if extractor.has_classifier and len(generated) >= INCEPTION_SPLITS:
        score, error = inception_score(extractor.probabilities(generated), INCEPTION_SPLITS)
        numbers |= {"inception_score": score, "inception_score_error": error}
    return numbers


FIDELITY = Measure(
    lambda record: record.has("extractor", "generated"),
    _measure,
    (
        Column("features", ("fidelity", "extractor"), "{}"),
        Column("recall", ("fidelity", "recall"), "{:.3f}", "higher"),
        Column("coverage", ("fidelity", "coverage"), "{:.3f}", "higher"),
        Column("Fréchet", ("fidelity", "frechet_distance"), "{:.4f}", "lower"),
        Column("FID", ("fidelity", "fid"), "{:.1f}", "lower"),
    ),
)
