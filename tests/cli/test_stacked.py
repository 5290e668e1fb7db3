"""Stacked digits from training to the page, by the commands."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import quadrants

from logan.runs import Run

COMMANDS = Path(sys.executable).parent
SMALL = [
    "--image_size=16", "--width=4", "--latent_length=4", "--batch_size=8", "--log_every=2",
    "--snapshots=1", "--threads=1",
]  # fmt: skip


def call(command, *arguments, code=0):
    done = subprocess.run(
        [COMMANDS / command, *map(str, arguments)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacked")
    quadrants.write_digits(folder / "digits")
    quadrants.write_classifier(folder / "digits.keras")
    return folder


@pytest.fixture(scope="module")
def run(folder):
    call(
        "logan-train", "--experiment=stacked_mnist", f"--data={folder / 'digits'}", "--steps=4",
        f"--workdir={folder / 'run'}", *SMALL,
    )  # fmt: skip
    return folder / "run"


def test_modes_are_counted_by_the_classifier(folder, run):
    shown = call(
        "logan-evaluate", f"--workdir={run}", "--samples=300", "--threads=1",
        f"--classifier={folder / 'digits.keras'}",
    )  # fmt: skip
    metrics = json.loads((run / "metrics.json").read_text())
    numbers = metrics["stacked"]
    assert (numbers["modes"], numbers["samples"]) == (64, 300)
    assert 1 <= numbers["captured"] <= 64
    assert numbers["classifier_accuracy"] == 1
    assert numbers["kl_real"] < 2 * numbers["kl_floor"]
    assert metrics["classifier"].endswith("digits.keras")
    assert "| triples " in shown and "triples of digits" in (run / "report.html").read_text()


def test_without_a_classifier_the_way_out_is_told(folder, run):
    told = call("logan-evaluate", f"--workdir={run}", code=2)
    assert "--classifier: expected a classifier of digits" in told
    assert "logan-classifier --images=MNIST" in told
    told = call(
        "logan-sweep", "--experiment=stacked_mnist", "--methods=gan", f"--workdir={folder / 's'}",
        code=2,
    )  # fmt: skip
    assert "--classifier: expected a classifier of digits" in told
    assert not (folder / "s").exists()


def test_images_of_any_generator_are_counted_against_a_runs_held_out_triples(folder, run):
    call(
        "logan-measure", f"--real={run}", f"--generated={run}", "--samples=100", "--threads=1",
        f"--extractor={folder / 'digits.keras'}", f"--output={folder / 'measured'}",
    )  # fmt: skip
    metrics = json.loads((folder / "measured/metrics.json").read_text())
    assert metrics["stacked"]["samples"] == 100
    assert metrics["fidelity"]["extractor"] == "features of digits.keras (not FID), of each channel"


def test_a_run_stopped_half_way_ends_as_one_that_was_not(folder, run):
    """Bit by bit, as --deterministic promises."""
    settings = [
        "--experiment=stacked_mnist", f"--data={folder / 'digits'}", *SMALL, "--deterministic",
        "--schedule=constant", "--checkpoint_every=2", "--snapshots=0",
    ]  # fmt: skip
    for name, steps in (("whole", [4]), ("halves", [2, 4])):
        for count in steps:
            call("logan-train", *settings, f"--steps={count}", f"--workdir={folder / name}")
    one, other = (
        Run.open(folder / name).trained_model("last").get_weights() for name in ("whole", "halves")
    )
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
