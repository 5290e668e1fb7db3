"""Runs on stacked digits and on images with classes, from training to the page."""

import json

import numpy as np
import pytest
import quadrants
from installed import call
from PIL import Image

import logan
from logan.errors import UserError
from logan.evaluation import evaluate, table
from logan.runs import Run
from logan.settings import preset
from logan.training import train

SMALL = dict(
    image_size=16, width=4, latent_length=4, batch_size=8, steps=4, log_every=2, snapshots=1
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    quadrants.write_digits(folder / "digits")
    quadrants.write_classifier(folder / "digits.keras")
    for label in range(4):
        (folder / f"pictures/{label}").mkdir(parents=True)
        for place in range(10):
            path = folder / f"pictures/{label}/{place}.png"
            Image.fromarray(quadrants.digit(label, place)).save(path)
    return folder


def trained(folder, experiment, name, **settings):
    experiment = preset(experiment, {**SMALL, **settings})
    return train(experiment, folder / name, show_progress=False).run


@pytest.fixture(scope="module")
def stacked_run(folder):
    return trained(folder, "stacked_mnist", "stacked", data=str(folder / "digits"))


@pytest.fixture(scope="module")
def digits_run(folder):
    return trained(folder, "mnist", "mnist", data=str(folder / "digits"))


@pytest.fixture(scope="module")
def pictures_run(folder):
    settings = dict(data=str(folder / "pictures"), labels="folders", channels=1)
    return trained(folder, "images", "images", **settings)


# Stacked digits.


def test_modes_are_counted_by_the_classifier(folder, stacked_run):
    shown = call(
        "logan-evaluate", f"--workdir={stacked_run.path}", "--samples=300", "--threads=1",
        f"--classifier={folder / 'digits.keras'}",
    )  # fmt: skip
    metrics = json.loads(stacked_run.metrics.read_text())
    numbers = metrics["stacked"]
    assert (numbers["modes"], numbers["samples"]) == (64, 300)
    assert 1 <= numbers["captured"] <= 64
    assert numbers["classifier_accuracy"] == 1
    assert numbers["kl_real"] < 2 * numbers["kl_floor"]
    assert metrics["classifier"].endswith("digits.keras")
    assert "| triples " in shown
    assert "triples of digits" in (stacked_run.path / "report.html").read_text()


def test_without_a_classifier_the_way_out_is_told(folder, stacked_run):
    told = call("logan-evaluate", f"--workdir={stacked_run.path}", code=2)
    assert "--classifier: expected a classifier of digits" in told
    assert "logan-classifier --images=MNIST" in told
    told = call(
        "logan-sweep", "--experiment=stacked_mnist", "--methods=gan", f"--workdir={folder / 's'}",
        code=2,
    )  # fmt: skip
    assert "--classifier: expected a classifier of digits" in told
    assert not (folder / "s").exists()
    with pytest.raises(UserError, match=r"^--classifier: expected a classifier of digits"):
        evaluate(stacked_run)


def test_images_of_any_generator_are_counted_against_a_runs_held_out_triples(folder, stacked_run):
    classes = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=-1)
    digits = np.stack([quadrants.digit(label, side=16) for label in range(4)])
    metrics = logan.measure(
        stacked_run.path,
        np.moveaxis(digits[classes], 1, -1),
        extractor=str(folder / "digits.keras"),
        samples=100,
    )
    assert metrics["stacked"]["captured_fair"] == 64
    assert metrics["stacked"]["kl"] == pytest.approx(0, abs=1e-9)
    assert metrics["fidelity"]["extractor"] == "features of digits.keras (not FID), of each channel"


@pytest.mark.slow
def test_a_run_stopped_half_way_ends_as_one_that_was_not(folder):
    """Bit by bit, as `deterministic` promises."""
    settings = dict(
        data=str(folder / "digits"), deterministic=True, schedule="constant", checkpoint_every=2,
        snapshots=0,
    )  # fmt: skip
    whole = trained(folder, "stacked_mnist", "whole", **settings)
    for steps in (2, 4):
        halves = trained(folder, "stacked_mnist", "halves", **settings, steps=steps)
    one, other = (run.trained_model("last").get_weights() for run in (whole, halves))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


# Images with classes.


def test_digits_are_measured_by_class_and_their_encoder_is_probed(folder, digits_run):
    classifier = str(folder / "digits.keras")
    metrics, _ = evaluate(digits_run, 60, "random", classifier=classifier)
    classes, probe = metrics["classes"], metrics["probe"]
    assert (classes["classes"], classes["classifier_accuracy"]) == (4, 1)
    assert 1 <= classes["score"] <= classes["score_real"] + 1e-3
    assert probe["pixels"] == 1 and probe["most_frequent_class"] == 0.25
    assert set(metrics["groups"]) == set(quadrants.NAMES)
    shown = table({"run": metrics})
    assert "| class score " in shown and "| probe " in shown
    plain, _ = evaluate(digits_run, 60, "none")
    assert "classes" not in plain and plain["probe"]["pixels"] == 1


def test_pictures_in_folders_are_read_by_a_classifier_of_the_same_names(folder, pictures_run):
    metrics, _ = evaluate(pictures_run, 60, str(folder / "digits.keras"))
    assert metrics["classes"]["classifier"] == "digits.keras"
    assert set(metrics["classes"]["shares"]) == set(quadrants.NAMES)
    measured = logan.measure(
        pictures_run.path, folder / "pictures", classifier=folder / "digits.keras"
    )
    assert measured["classes"]["captured_fair"] == 4
    assert measured["classes"]["kl"] == pytest.approx(0, abs=1e-9)
    other = quadrants.write_classifier(folder / "other.keras", names=("a", "b", "c", "d"))
    told = r"^--classifier: expected the classes 0, 1, 2, 3\. Received: a, b, c, d"
    with pytest.raises(UserError, match=told):
        evaluate(pictures_run, 60, "none", classifier=str(other))


@pytest.mark.slow
def test_labels_change_nothing_for_networks_that_take_none(folder):
    settings = dict(data=str(folder / "pictures"), channels=1, deterministic=True, snapshots=0)
    plain = trained(folder, "images", "plain", **settings)
    labelled = trained(folder, "images", "labelled", **settings, labels="folders")
    logs = [
        [
            {name: value for name, value in line.items() if name != "seconds"}
            for line in run.records()
        ]
        for run in (plain, labelled)
    ]
    assert logs[0] == logs[1]
    assert np.isfinite(logs[0][-1]["generator_loss"])
    assert Run.open(labelled.path).experiment.labels == "folders"
