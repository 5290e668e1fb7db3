"""What is said of numbers."""

import dataclasses

import numpy as np
import pytest

from logan.evaluation.measures import Measured
from logan.evaluation.record import Record
from logan.evaluation.verdict import expected_coverage, verdict


class Brightness:
    """An extractor."""

    name = "brightness"

    def __call__(self, images):
        return images.mean((1, 2)).astype(np.float32)


@pytest.fixture
def record():
    images = np.zeros((1_200, 8, 8, 1), np.float32)
    return Record("", 0, images, generated=images, extractor=Brightness())


def said(record, metrics, notes=(), log=()):
    return verdict(record, metrics, {"missed": Measured({}, notes=notes)}, log)


def test_coverage_is_said_with_that_of_equal_distributions(record):
    # Five others, of 5 real and 6 generated ones in a row: 5·4·3·2·1 / (11·10·9·8·7).
    assert expected_coverage(6, 6) == pytest.approx(1 - 120 / 55_440)
    found = said(record, {"fidelity": {"coverage": 0.5, "precision": 0.9}}).findings
    assert found[0].startswith("Covers 50% of the held-out images.") and "97%" in found[0]
    assert found[1].startswith("90% of the generations")


def test_missed_cases_are_named_worst_first(record):
    numbers = {"missed_cases": 4, "missed_share": 0.031}
    found = said(record, {"missed": numbers}, ["a.png", "b.png and 3 like it", "c", "d"]).findings
    assert found == [
        "Forgets mostly: a.png; b.png and 3 like it; c. In all 4 cases; 3.1% of the real images "
        "have fewer generations around them than chance explains (below 5%)."
    ]
    one = said(record, {"missed": {"missed_cases": 1, "missed_share": 0.00025}}, ["a.png"]).findings
    assert one[0].startswith("Forgets mostly: a.png. That is the only case; 0.025% of the real")
    nothing = said(record, {"missed": {"missed_cases": 0, "missed_share": 0}}).findings
    assert nothing[0].startswith("No image stands out")


def test_copies_are_found_and_advised_on(record):
    copying = said(record, {"copies": {"share": 0.25, "held_out_share": 0.01}})
    assert copying.findings[0].startswith("Copies: 25.0%")
    assert any("It copies" in advice for advice in copying.advice)
    honest = said(record, {"copies": {"share": 0.02, "held_out_share": 0.01}})
    assert honest.findings[0].startswith("No sign of copying") and not honest.advice


def test_a_discriminator_that_does_not_obey_is_advised_on(record):
    assert "does not obey" in said(record, {"pull": {"slope": 0.1, "alignment": 0.6}}).advice[0]
    assert not said(record, {"pull": {"slope": 0.9, "alignment": 0.6}}).advice


def test_a_training_that_still_improved_was_too_short(record):
    falling = [{"held_out_distance": 1 / step} for step in range(1, 21)]
    assert "more --steps" in said(record, {}, log=falling).advice[0]
    assert not said(record, {}, log=[{"held_out_distance": 0.1}] * 20).advice
    assert not said(record, {}, log=falling[:5]).advice


def test_another_sampler_is_named_where_it_can_help(record):
    metrics = {"fidelity": {"coverage": 0.4, "precision": 0.5}, "sampler": "plain"}
    assert not said(record, metrics).advice  # without an encoder it cannot
    with_encoder = dataclasses.replace(record, reconstructed=record.held_out)
    assert "--sampler=between-encodings" in said(with_encoder, metrics).advice[0]
    assert not said(with_encoder, {**metrics, "sampler": "between-encodings"}).advice
    precise = {**metrics, "fidelity": {"coverage": 0.4, "precision": 0.9}}
    assert not said(with_encoder, precise).advice
    of_classes = dataclasses.replace(with_encoder, generated_labels=np.zeros(1_200, int))
    assert not said(of_classes, metrics).advice


def test_few_images_are_told(record):
    few = Record("", 0, record.held_out[:50], generated=record.generated)
    assert "50 real images and 1,200 generations" in said(few, {}).advice[0]


def test_equal_images_are_told(record):
    numbers = {"missed_cases": 0, "equal_real_share": 0.8, "equal_generated_share": 0.0}
    assert said(record, {"missed": numbers}).findings[-1] == (
        "80.0% of the real images are equal to another one."
    )


@pytest.mark.parametrize(
    ("occupied", "words"),
    [(0, "None of the held-out frames show "), (1, "Only 1 of the held-out frames shows "),
     (9, "Only 9 of the held-out frames show "), (10, None)],
)  # fmt: skip
def test_few_occupied_held_out_frames_are_told(record, occupied, words):
    foreground = {
        "real_share": 0.2, "generated_share": 0.1, "real_faint_share": 0,
        "generated_faint_share": 0, "training_frames": 587, "training_occupied": 117,
        "held_out_frames": 147, "held_out_occupied": occupied,
    }  # fmt: skip
    found = said(record, {"foreground": foreground})
    expected = f"Of 587 training frames 117 show something, of 147 held-out ones {occupied}."
    assert expected in found.findings
    told = [advice for advice in found.advice if "held-out frames show" in advice]
    assert [advice.startswith(words) for advice in told] == [True] * (words is not None)
