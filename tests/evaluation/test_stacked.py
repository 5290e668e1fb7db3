"""Triples that a made-up classifier reads from made-up stacks: counts worked out by hand."""

import numpy as np
import pytest
import quadrants

from logan.datasets.pixels import to_unit_range
from logan.datasets.stacked_digits import StackedDigits, stacked_images
from logan.evaluation.record import Record
from logan.evaluation.report import measure, metrics_from
from logan.evaluation.stacked import STACKED
from logan.evaluation.tables import table
from logan.evaluation.verdict import verdict
from logan.extractors.classifiers import make_classifier
from logan.metrics.coverage import expected_reverse_kl, reverse_kl

SIZE, MODES = 16, 64
LABELS = np.tile(np.arange(4), 10)
ALL = np.stack(np.unravel_index(np.arange(MODES), (4, 4, 4)), axis=-1)  # each triple once


def stack(triples, side=SIZE):
    """uint8 [images, side, side, 3] of these classes."""
    digits = np.stack([quadrants.digit(label, side=side) for label in range(4)])
    return np.moveaxis(digits[np.asarray(triples)], 1, -1)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return make_classifier(
        str(quadrants.write_classifier(tmp_path_factory.mktemp("model") / "digits.keras"))
    )


@pytest.fixture(scope="module")
def stacked():
    digits = np.stack([quadrants.digit(label, side=SIZE) for label in LABELS])[..., None]
    return StackedDigits.of(
        digits, LABELS, quadrants.NAMES, np.arange(20), np.arange(20, 40), 50, 5_000
    )


def record_of(stacked, classifier, generated):
    images = stacked_images(stacked)
    x = images.evaluation_sample(0, 10)
    return Record("", 0, x, stacked=stacked, classifier=classifier, generated=generated)


def found(stacked, classifier, triples):
    return STACKED.measure(record_of(stacked, classifier, stack(triples))).numbers["stacked"]


def test_every_triple_once(stacked, classifier):
    numbers = found(stacked, classifier, ALL)
    assert (numbers["modes"], numbers["samples"]) == (64, 64)
    assert numbers["captured"] == numbers["captured_fair"] == numbers["captured_confident"] == 64
    assert numbers["kl"] == pytest.approx(0, abs=1e-12)
    assert numbers["kl_data"] == pytest.approx(0, abs=1e-12)  # the training digits are balanced
    assert numbers["kl_floor"] == pytest.approx(expected_reverse_kl(64, np.ones(64)))
    assert numbers["confident_digits"] == numbers["confident_images"] == 1
    assert numbers["classifier_accuracy"] == 1


def test_a_triple_is_captured_once_and_fairly_with_a_fifth_of_its_share(stacked, classifier):
    # Of 640 samples a triple's share is 10 and a fair one 2.
    counts = np.zeros(MODES, int)
    counts[[0, 7, 21, 63]] = [600, 37, 2, 1]
    numbers = found(stacked, classifier, np.repeat(ALL, counts, axis=0))
    assert (numbers["captured"], numbers["captured_fair"]) == (4, 3)
    assert numbers["kl"] == pytest.approx(reverse_kl(counts, np.ones(MODES)))


def test_real_triples_are_those_of_held_out_digits(stacked, classifier):
    numbers = found(stacked, classifier, np.repeat(ALL, 10, axis=0))
    modes = stacked.mode_of(stacked.labels[stacked.test_places[:640]])
    counts = np.bincount(modes, minlength=MODES)
    assert numbers["captured_real"] == (counts > 0).sum()
    assert numbers["captured_fair_real"] == (counts >= 2).sum()
    assert numbers["kl_real"] == pytest.approx(reverse_kl(counts, np.ones(MODES)))
    assert 0.3 < numbers["kl_real"] / numbers["kl_floor"] < 3
    more = found(stacked, classifier, np.repeat(ALL, 80, axis=0))
    assert more["samples"] == 5_120 and "kl_real" not in more


def test_digits_that_are_read_without_confidence_count_apart(stacked, classifier):
    images = stack(ALL)
    images[:4] //= 20  # too dark to be sure; the class is still the most probable one
    images[4, ..., 0] //= 20
    numbers = STACKED.measure(record_of(stacked, classifier, images)).numbers["stacked"]
    assert (numbers["captured"], numbers["captured_confident"]) == (64, 59)
    assert numbers["confident_digits"] == pytest.approx(1 - 13 / 192)
    assert numbers["confident_images"] == pytest.approx(1 - 5 / 64)
    assert numbers["confident_digits_real"] == 1


def test_floating_images_are_read_as_bytes_are(stacked, classifier):
    images = stack(ALL[::3])
    one, other = (
        STACKED.measure(record_of(stacked, classifier, given)).numbers["stacked"]
        for given in (images, to_unit_range(images))
    )
    assert one == other


def test_errors_of_the_classifier_are_told(stacked, tmp_path):
    """It takes the quadrants 2 and 3 for each other."""
    path = quadrants.write_classifier(tmp_path / "wrong.keras", order=(0, 1, 3, 2))
    record = record_of(stacked, make_classifier(str(path)), stack(ALL[:10]))
    measured = measure(record)
    metrics = metrics_from(record, measured)
    assert metrics["stacked"]["classifier_accuracy"] == 0.5
    said = verdict(record, metrics, measured).findings
    assert "Makes 10 of 64 triples of digits in 10 generations" in said[0]
    assert "reads only 50.0% of real digits right" in said[1]
    assert "right of 50.00% of 20 held-out digits" in metrics["protocol"]


def test_published_numbers_of_samples_are_measured_apart(stacked, classifier, monkeypatch):
    monkeypatch.setattr("logan.evaluation.stacked.PUBLISHED_COUNTS", (16, 64, 100))
    numbers = found(stacked, classifier, ALL)
    assert numbers["at_16"]["captured"] == 16
    assert numbers["at_16"]["kl"] == pytest.approx(np.log(4))
    assert numbers["at_16"]["kl_floor"] == pytest.approx(expected_reverse_kl(16, np.ones(MODES)))
    assert "at_64" not in numbers and "at_100" not in numbers


def test_without_a_classifier_nothing_is_counted(stacked):
    assert not STACKED.applies(record_of(stacked, None, stack(ALL)))


def test_the_table_has_columns_of_both_numbers_of_samples(stacked, classifier):
    numbers = found(stacked, classifier, ALL)
    text = table({"run": {"samples": 64, "stacked": {**numbers, "at_26000": numbers}}})
    for title in ("triples ", "triples of 26k", "KL to uniform of 26k", "confident"):
        assert f"| {title}" in text
