"""What the numbers of images say, in words: how much is covered, what is missed, what to try."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from logan.evaluation.measures import Measured
from logan.evaluation.record import Record
from logan.metrics.missed import SURE
from logan.settings.names import PLAIN

_NAMED = 3  # missed cases in the verdict
_FEW_IMAGES = 1_000
_FEW_OCCUPIED = 10
_DENSITY_NEIGHBOURS = 5
_ACCURATE = 0.99
_PRECISE = 0.8
_COPYING = 3  # times the share that held-out images have
_LOW_SLOPE, _LOW_ALIGNMENT = 0.3, 0.2
_STILL_FALLING = 0.97


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Sentences for a reader.

    Attributes:
        findings: what was found, the most important first.
        advice: what to try next, where the numbers say so.
    """

    findings: list[str]
    advice: list[str]


def verdict(
    record: Record,
    metrics: dict[str, Any],
    found: dict[str, Measured],
    log: Sequence[dict[str, Any]] = (),
    rivals: Mapping[str, Sequence[dict[str, Any]]] | None = None,
) -> Verdict:
    """What to say of a record of images.

    Args:
        record: what was measured.
        metrics: all numbers by name.
        found: what each measure found, by its name.
        log: the lines of a run's training log, if there is one.
        rivals: metrics of other methods' runs on the same images, by the method.
    """
    findings = [
        *_stacked(metrics),
        *_covered(record, metrics),
        *_missed(metrics, found),
        *_rival(rivals or {}),
        *_looks(metrics),
        *_copied(metrics),
        *_foreground(metrics),
        *_equal(metrics),
    ]
    advice = [
        *_sizes(record),
        *_held_out(metrics),
        *_training(metrics, log),
        *_sampler(record, metrics),
    ]
    return Verdict(findings, advice)


def expected_coverage(real: int, generated: int) -> float:
    """The coverage of generated images of the same distribution, by their numbers.

    A real image is not covered when its five nearest others, among all, are real ones.
    """
    nearest = range(_DENSITY_NEIGHBOURS)
    return 1 - math.prod((real - 1 - i) / (real - 1 + generated - i) for i in nearest)


def _stacked(metrics: dict[str, Any]) -> list[str]:
    if "stacked" not in metrics:
        return []
    numbers = metrics["stacked"]
    real = f", of as many real triples {numbers['kl_real']:.3f}" if "kl_real" in numbers else ""
    said = [
        f"Makes {numbers['captured']:,} of {numbers['modes']:,} triples of digits in "
        f"{numbers['samples']:,} generations, {numbers['captured_fair']:,} in a fair share. KL to "
        f"uniform {numbers['kl']:.3f}{real}, by chance alone {numbers['kl_floor']:.3f}. Of the "
        f"digits {numbers['confident_digits']:.1%} are read surely, of real ones "
        f"{numbers['confident_digits_real']:.1%}."
    ]
    if numbers["classifier_accuracy"] < _ACCURATE:
        said.append(
            f"The classifier reads only {numbers['classifier_accuracy']:.1%} of real digits right: "
            "what it counts is uncertain. 99 % is usual."
        )
    return said


def _covered(record: Record, metrics: dict[str, Any]) -> list[str]:
    fidelity = metrics.get("fidelity", {})
    if "coverage" not in fidelity:
        return []
    usual = expected_coverage(*map(len, record.features))
    return [
        f"Covers {fidelity['coverage']:.0%} of the held-out images. A generator of the very "
        f"distribution would cover about {usual:.0%} of so many."
    ]


def _missed(metrics: dict[str, Any], found: dict[str, Measured]) -> list[str]:
    if "missed" not in metrics:
        return []
    numbers = metrics["missed"]
    if not numbers["missed_cases"]:
        return [
            "No image stands out as missed: nowhere are generations fewer than chance explains."
        ]
    cases = found["missed"].notes
    count, share = numbers["missed_cases"], numbers["missed_share"]
    in_all = f"In all {count:,} cases" if count > 1 else "That is the only case"
    return [
        f"Forgets mostly: {'; '.join(cases[:_NAMED])}. {in_all}; "
        f"{share:.{1 if share >= 0.001 else 3}%} of the real images have fewer generations around "
        f"them than chance explains (below {SURE:.0%})."
    ]


def _rival(rivals: Mapping[str, Sequence[dict[str, Any]]]) -> list[str]:
    """The other method that covers most."""
    if not rivals:
        return []
    means = {
        method: sum(metrics["fidelity"]["coverage"] for metrics in runs) / len(runs)
        for method, runs in rivals.items()
    }
    best = max(means, key=lambda method: means[method])
    runs = len(rivals[best])
    of_runs = f", the mean of {runs} runs" if runs > 1 else ""
    others = f" of {len(means)} other methods" if len(means) > 1 else ""
    return [
        f"Nearest rival{others}: {best} covers {means[best]:.0%} of the held-out images{of_runs}."
    ]


def _looks(metrics: dict[str, Any]) -> list[str]:
    fidelity = metrics.get("fidelity", {})
    if "precision" not in fidelity:
        return []
    precision = fidelity["precision"]
    if precision >= _PRECISE:
        return [f"{precision:.0%} of the generations lie among the real images (precision)."]
    return [
        f"Only {precision:.0%} of the generations lie among the real images (precision): the "
        "others look unlike any."
    ]


def _copied(metrics: dict[str, Any]) -> list[str]:
    if "copies" not in metrics:
        return []
    share, usual = metrics["copies"]["share"], metrics["copies"]["held_out_share"]
    if _is_copying(metrics):
        return [
            f"Copies: {share:.1%} of the generations are as near to a training image as "
            f"{usual:.1%} of the held-out images are."
        ]
    return [
        f"No sign of copying: {share:.1%} of the generations are as near to a training image as "
        f"{usual:.1%} of the held-out images are."
    ]


def _is_copying(metrics: dict[str, Any]) -> bool:
    copies = metrics.get("copies", {"share": 0, "held_out_share": 0})
    return bool(copies["share"] > _COPYING * copies["held_out_share"])


def _foreground(metrics: dict[str, Any]) -> list[str]:
    if "foreground" not in metrics:
        return []
    numbers = metrics["foreground"]
    findings = [
        f"Something stands before the scene in {numbers['real_share']:.1%} of the real frames and "
        f"in {numbers['generated_share']:.1%} of the generations; faint traces are in "
        f"{numbers['real_faint_share']:.1%} and {numbers['generated_faint_share']:.1%}."
    ]
    if "held_out_frames" in numbers:
        findings.append(
            f"Of {numbers['training_frames']:,} training frames "
            f"{numbers['training_occupied']:,} show something, of {numbers['held_out_frames']:,} "
            f"held-out ones {numbers['held_out_occupied']:,}."
        )
    return findings


def _equal(metrics: dict[str, Any]) -> list[str]:
    numbers = metrics.get("missed", {})
    sentences = []
    for part, name in (("real", "real images"), ("generated", "generations")):
        share = numbers.get(f"equal_{part}_share", 0)
        if share > 0:
            sentences.append(f"{share:.1%} of the {name} are equal to another one.")
    return sentences


def _sizes(record: Record) -> list[str]:
    advice = []
    generated = 0 if record.generated is None else min(len(record.generated), record.compared)
    if min(len(record.held_out), generated) < _FEW_IMAGES:
        advice.append(
            f"Numbers of {len(record.held_out):,} real images and {generated:,} generations are "
            f"uncertain, and what is rare is not seen: give {_FEW_IMAGES:,} or more of each."
        )
    return advice


def _held_out(metrics: dict[str, Any]) -> list[str]:
    numbers = metrics.get("foreground", {})
    occupied = numbers.get("held_out_occupied", _FEW_OCCUPIED)
    if occupied >= _FEW_OCCUPIED or not numbers["training_occupied"]:
        return []
    return [
        f"{'Only ' if occupied else ''}{occupied or 'None'} of the held-out frames show"
        f"{'s' if occupied == 1 else ''} anything before the scene, so what is said of them says "
        "little of what passes: --hold_out=passages, a larger --test_fraction or more frames."
    ]


def _training(metrics: dict[str, Any], log: Sequence[dict[str, Any]]) -> list[str]:
    advice = []
    if _is_copying(metrics):
        advice.append("It copies: train on more images, mirror them (--flip), or take fewer steps.")
    pull = metrics.get("pull", {})
    if pull.get("slope", 1) < _LOW_SLOPE or pull.get("alignment", 1) < _LOW_ALIGNMENT:
        advice.append(
            f"D does not obey the pairwise penalty (slope {pull['slope']:.2f} of 1, alignment "
            f"{pull['alignment']:.2f} of 1): a larger --penalty_weight or more "
            "--discriminator_steps."
        )
    errors = [line["held_out_distance"] for line in log if "held_out_distance" in line]
    if len(errors) >= 10:
        late, end = errors[-1 - len(errors) // 5], errors[-1]
        if end < _STILL_FALLING * late:
            advice.append(
                "Held-out reconstructions still improved at the end of training: more --steps."
            )
    return advice


def _sampler(record: Record, metrics: dict[str, Any]) -> list[str]:
    """The other way to sample, where generations of the prior are worse than reconstructions."""
    is_precise = metrics.get("fidelity", {}).get("precision", 1) >= _PRECISE
    is_of_prior = metrics.get("sampler") == PLAIN and not record.has("generated_labels")
    if is_precise or not is_of_prior or not record.has("reconstructed"):
        return []
    return [
        "Generations look unlike the data. Where reconstructions look better, "
        "--sampler=between-encodings generates from z near those of the training samples."
    ]
