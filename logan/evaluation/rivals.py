"""Other methods' runs beside a run, measured alike. Nothing here loads TensorFlow."""

from typing import Any

from logan.errors import UserError
from logan.files import read_json
from logan.runs import Run
from logan.settings import data_differences


def rivals_of(run: Run, metrics: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Metrics of the runs beside a run that learned the same images by another method.

    Only runs whose images were compared as this one's count: as many, by the same extractor. Each
    is sampled as its method has it, or all by the same sampler.

    Args:
        run: whose rivals.
        metrics: its own.

    Returns:
        Metrics of each method's runs, by the method.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    own = _comparison(metrics)
    if not own:
        return found
    for path in sorted(run.path.absolute().parent.glob("*/flags.txt")):
        try:
            other = Run.open(path.parent)
            theirs = read_json(other.metrics)
            is_own_way = _is_by_its_own_sampler(run, metrics) and _is_by_its_own_sampler(
                other, theirs
            )
            is_alike = is_own_way or metrics["sampler"] == theirs["sampler"]
            comparable = _comparison(theirs) == own and is_alike
        except (OSError, UserError, TypeError, KeyError, AttributeError):
            continue  # A neighbour that is damaged, or of a version to come, is no fault of ours.
        if comparable and not data_differences(run.experiment, other.experiment):
            found.setdefault(other.experiment.way, []).append(theirs)
    found.pop(run.experiment.way, None)
    return found


def _is_by_its_own_sampler(run: Run, metrics: dict[str, Any]) -> bool:
    """Whether the run was measured by its own sampler."""
    return bool(metrics["sampler"] == run.experiment.sampler)


def _comparison(metrics: dict[str, Any]) -> str:
    """How features were compared, in words; empty where they were not."""
    _, _, text = str(metrics["protocol"]).partition("fidelity: ")
    compared, _, _ = text.partition(". ")
    return compared if "fidelity" in metrics else ""
