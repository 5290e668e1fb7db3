"""Classes of generations by a made-up classifier, and a probe of made-up features."""

import numpy as np
import pytest
import quadrants

from logan.evaluation.classes import CLASSES, PROBE
from logan.evaluation.record import Probed, Record
from logan.extractors.classifiers import make_classifier
from logan.metrics.coverage import expected_reverse_kl, reverse_kl

SIZE = 16


def shown(labels):
    return np.stack([quadrants.digit(label, side=SIZE) for label in labels])[..., None]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return make_classifier(
        str(quadrants.write_classifier(tmp_path_factory.mktemp("model") / "digits.keras"))
    )


def record_of(classifier, generated, labels=(0, 1, 2, 3), **others):
    return Record(
        "", 0, shown(labels), labels=np.array(labels), label_names=quadrants.NAMES,
        class_shares=np.array([2, 1, 1, 1]), classifier=classifier, generated=generated, **others,
    )  # fmt: skip


def numbers_of(classifier, labels, **settings):
    return CLASSES.measure(record_of(classifier, shown(labels), **settings)).numbers["classes"]


def test_classes_are_counted_against_their_shares_in_the_data(classifier):
    # Of 100 generations the shares are 40, 20, 20 and 20: fair ones are 8 and 4.
    numbers = numbers_of(classifier, np.repeat([0, 1, 2], [7, 89, 4]))
    assert (numbers["classes"], numbers["captured"], numbers["captured_fair"]) == (4, 3, 2)
    assert numbers["kl"] == pytest.approx(reverse_kl(np.array([7, 89, 4, 0]), [2, 1, 1, 1]))
    assert numbers["kl_floor"] == pytest.approx(expected_reverse_kl(100, [2, 1, 1, 1]))
    assert numbers["kl_real"] == pytest.approx(reverse_kl(np.ones(4), [2, 1, 1, 1]))
    assert numbers["shares"] == {"0": 0.07, "1": 0.89, "2": 0.04, "3": 0}


def test_score_is_the_number_of_classes_that_are_made_surely_and_evenly(classifier):
    assert numbers_of(classifier, [0, 1, 2, 3] * 5)["score"] == pytest.approx(4, rel=1e-3)
    assert numbers_of(classifier, [0, 1] * 5)["score"] == pytest.approx(2, rel=1e-3)
    numbers = numbers_of(classifier, [2] * 8)
    assert numbers["score"] == pytest.approx(1)
    assert numbers["score_real"] == pytest.approx(4, rel=1e-3)
    assert numbers["confident"] == numbers["confident_real"] == 1
    # Half of the generations are of no class: exp of half of ln 2, and their mean, is left.
    grey = np.full((8, SIZE, SIZE, 1), 128, np.uint8)
    mixed = np.concatenate([grey, shown([0] * 8)])
    p = np.repeat([[0.25] * 4, [1, 0, 0, 0]], 8, axis=0)
    mean = p.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.exp(np.nansum(p * np.log(p / mean), axis=1).mean())
    found = CLASSES.measure(record_of(classifier, mixed)).numbers["classes"]
    assert found["score"] == pytest.approx(expected, rel=1e-3)
    assert found["confident"] == 0.5


def test_accuracy_is_of_the_held_out_images(classifier):
    record = record_of(classifier, shown([0, 1]))
    wrong = Record(**{**vars(record), "labels": np.array([0, 1, 3, 2])})
    for each, accuracy in ((record, 1), (wrong, 0.5)):
        measured = CLASSES.measure(each)
        assert measured.numbers["classes"]["classifier_accuracy"] == accuracy
        assert f"right of {accuracy:.2%} of 4 held-out images" in measured.protocol


@pytest.mark.parametrize("missing", ["labels", "classifier", "generated", "class_shares"])
def test_without_one_of_its_parts_it_is_left_out(classifier, missing):
    record = record_of(classifier, shown([0]))
    assert CLASSES.applies(record)
    assert not CLASSES.applies(Record(**{**vars(record), missing: None}))


def test_the_probe_reads_each_kind_of_features():
    draws = np.random.default_rng(0)
    labels, expected = np.array([0, 0, 0, 1] * 50), np.array([0, 1] * 40)
    blind = draws.normal(size=(200, 2)), draws.normal(size=(80, 2))
    seeing = (blind[0] + 9 * labels[:, None], blind[1] + 9 * expected[:, None])
    probed = Probed({"encoder": seeing, "pixels": blind}, labels, expected)
    record = record_of(None, shown([0]), probed=probed)
    assert PROBE.applies(record) and not PROBE.applies(record_of(None, shown([0])))
    measured = PROBE.measure(record)
    numbers = measured.numbers["probe"]
    assert numbers["encoder"] == 1
    assert numbers["pixels"] < 0.7
    assert numbers["most_frequent_class"] == 0.5
    assert "of 200 training images" in measured.protocol and "on 80 held-out" in measured.protocol
