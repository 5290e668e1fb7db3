"""How the features of generations are distributed against those of held-out images."""

from typing import TYPE_CHECKING, Any

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import FEWEST_COMPARED, Record
from logan.metrics.fidelity import fidelity, inception_score

if TYPE_CHECKING:
    from logan.extractors.base import Extractor

SCORE_SPLITS = 10


def _measure(record: Record) -> Measured:
    if record.features is None:
        least = f"it takes {FEWEST_COMPARED} held-out images and generations"
        return Measured({}, f"fidelity: left out, as {least}")
    real, generated = record.features
    extractor = record.extractor
    score = _score(record)
    numbers = {
        "extractor": extractor.name,
        **_named(fidelity(real, generated, seed=record.seed), extractor.is_fid),
        **score,
    }
    return Measured(
        {"fidelity": numbers},
        f"fidelity: features of {_told(extractor)}; {len(real):,} held-out images against "
        f"{len(generated):,} generations; kernel distance over at most 10 disjoint subsets; "
        "precision and recall with 3 neighbours, density and coverage with 5; mmd with a Gaussian "
        "kernel, as wide as the median distance of held-out images that differ"
        + (f"; {next(iter(score))} over {SCORE_SPLITS} splits of the generations" if score else ""),
    )


def _told(extractor: "Extractor") -> str:
    return "; ".join(filter(None, (extractor.name, extractor.text)))


def _named(numbers: dict[str, Any], is_fid: bool) -> dict[str, Any]:
    """The numbers, by the names that they go by where the features are those of FID."""
    if is_fid:
        numbers["fid"] = numbers.pop("frechet_distance")
        numbers["kid"] = numbers.pop("kernel_distance")
        numbers["kid_error"] = numbers.pop("kernel_distance_error")
    return numbers


def _score(record: Record) -> dict[str, float]:
    """The score of the extractor's classifier: the Inception score, if it is that of FID."""
    extractor, generated = record.extractor, record.generated[: record.compared]
    if not extractor.has_classifier or len(generated) < SCORE_SPLITS:
        return {}
    score, error = inception_score(extractor.probabilities(generated), SCORE_SPLITS)
    name = "inception_score" if extractor.is_fid else "classifier_score"
    return {name: score, f"{name}_error": error}


FIDELITY = Measure(
    lambda record: record.has("extractor", "generated"),
    _measure,
    (
        Column("features", ("fidelity", "extractor"), "{}"),
        Column("precision", ("fidelity", "precision"), "{:.3f}", "higher"),
        Column("density", ("fidelity", "density"), "{:.3f}", "higher"),
        Column("recall", ("fidelity", "recall"), "{:.3f}", "higher"),
        Column("coverage", ("fidelity", "coverage"), "{:.3f}", "higher"),
        Column("Fréchet", ("fidelity", "frechet_distance"), "{:.4f}", "lower"),
        Column("FID", ("fidelity", "fid"), "{:.1f}", "lower"),
    ),
)
