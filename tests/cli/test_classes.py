"""Runs on images with classes, by the commands."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import quadrants
from PIL import Image

COMMANDS = Path(sys.executable).parent
SMALL = [
    "--image_size=16", "--channels=1", "--width=4", "--latent_length=4", "--batch_size=8",
    "--steps=4", "--log_every=2", "--snapshots=0", "--threads=1",
]  # fmt: skip


def call(command, *arguments, code=0):
    done = subprocess.run(
        [COMMANDS / command, *map(str, arguments)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    quadrants.write_digits(folder / "digits")
    quadrants.write_classifier(folder / "digits.keras")
    for label in range(4):
        (folder / f"pictures/{label}").mkdir(parents=True)
        for place in range(10):
            path = folder / f"pictures/{label}/{place}.png"
            Image.fromarray(quadrants.digit(label, place)).save(path)
    return folder


def evaluated(run, *flags):
    shown = call("logan-evaluate", f"--workdir={run}", "--samples=60", "--threads=1", *flags)
    return json.loads((run / "metrics.json").read_text()), shown


@pytest.fixture(scope="module")
def digits_run(folder):
    run = folder / "digits_run"
    call(
        "logan-train", "--experiment=mnist", f"--data={folder / 'digits'}", f"--workdir={run}",
        *SMALL,
    )  # fmt: skip
    return run


def test_digits_are_measured_by_class_and_their_encoder_is_probed(folder, digits_run):
    metrics, shown = evaluated(digits_run, f"--classifier={folder / 'digits.keras'}")
    classes, probe = metrics["classes"], metrics["probe"]
    assert (classes["classes"], classes["classifier_accuracy"]) == (4, 1)
    assert 1 <= classes["score"] <= classes["score_real"] + 1e-3
    assert probe["pixels"] == 1 and probe["most_frequent_class"] == 0.25
    assert set(metrics["groups"]) == set(quadrants.NAMES)
    assert "| class score " in shown and "| probe " in shown
    plain, _ = evaluated(digits_run)
    assert "classes" not in plain and plain["probe"] == probe


def test_pictures_in_folders_are_read_by_a_classifier_of_the_same_names(folder):
    run = folder / "pictures_run"
    call(
        "logan-train", "--experiment=images", f"--data={folder / 'pictures'}", "--labels=folders",
        f"--workdir={run}", *SMALL,
    )  # fmt: skip
    metrics, _ = evaluated(run, f"--extractor={folder / 'digits.keras'}")
    assert metrics["classes"]["classifier"] == "digits.keras"
    assert set(metrics["classes"]["shares"]) == set(quadrants.NAMES)
    call(
        "logan-measure", f"--real={run}", f"--generated={folder / 'pictures'}", "--threads=1",
        f"--classifier={folder / 'digits.keras'}", f"--output={folder / 'measured'}",
    )  # fmt: skip
    measured = json.loads((folder / "measured/metrics.json").read_text())
    assert measured["classes"]["captured_fair"] == 4
    assert measured["classes"]["kl"] == pytest.approx(0, abs=1e-9)
    other = quadrants.write_classifier(folder / "other.keras", names=("a", "b", "c", "d"))
    told = call("logan-evaluate", f"--workdir={run}", f"--classifier={other}", code=2)
    assert "--classifier: expected the classes 0, 1, 2, 3. Received: a, b, c, d" in told


def test_labels_change_nothing_for_networks_that_take_none(folder):
    weights = []
    for name, flags in (("plain", []), ("labelled", ["--labels=folders"])):
        call(
            "logan-train", "--experiment=images", f"--data={folder / 'pictures'}", *flags,
            f"--workdir={folder / name}", *SMALL, "--deterministic",
        )  # fmt: skip
        records = (folder / name / "log.jsonl").read_text().splitlines()
        weights.append([{k: v for k, v in json.loads(line).items() if k != "seconds"}
                        for line in records])  # fmt: skip
    assert weights[0] == weights[1]
    assert np.isfinite(weights[0][-1]["generator_loss"])
