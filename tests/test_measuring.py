"""Any generator's images against real ones, by a call and by the command."""

import csv
import json

import numpy as np
import pytest
from installed import call
from PIL import Image

import logan
from logan.errors import UserError
from logan.measuring import Choice


def blobs(seed, count, places, side=16):
    """uint8 images with a bright square at one of some places, and a little noise."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 30, (count, side, side, 1)).astype(np.uint8)
    for image in images:
        top, left = places[random.integers(len(places))]
        image[top : top + 5, left : left + 5] = random.integers(200, 255)
    return images


PLACES = [(0, 0), (0, 11), (11, 0), (11, 11)]


def test_a_copy_covers_everything_and_a_place_that_is_left_out_is_missed():
    real = blobs(0, 200, PLACES)
    complete = logan.measure(real, blobs(1, 200, PLACES))
    assert complete["missed"]["missed_cases"] == 0
    assert complete["fidelity"]["coverage"] > 0.9
    lacking = logan.measure(real, blobs(1, 200, PLACES[:3]))
    in_the_last = np.mean(real[:, 13, 13, 0] > 100)
    assert lacking["missed"]["missed_cases"] == 1
    assert lacking["missed"]["missed_share"] == pytest.approx(in_the_last, abs=0.02)
    assert "16 x 16 in grey" in lacking["protocol"]


def test_copies_of_training_images_are_told():
    real, train = blobs(0, 150, PLACES), blobs(1, 150, PLACES)
    generated = np.concatenate([train[:50], blobs(2, 100, PLACES)])
    copies = logan.measure(real, generated, train)["copies"]
    assert 1 / 3 <= copies["share"] < 0.37 and copies["held_out_share"] < 0.03


def test_few_images_and_settings_out_of_range_are_refused():
    real = blobs(0, 20, PLACES)
    with pytest.raises(UserError, match="--generated: expected 6 images or more"):
        logan.measure(real, real[:5])
    with pytest.raises(UserError, match="--samples: expected 1 or more"):
        logan.measure(real, real, samples=0)
    with pytest.raises(UserError, match="--image_size: expected 8 to 1024"):
        Choice(image_size=4)
    with pytest.raises(UserError, match="--train: expected a folder"):
        logan.measure(real, real, "nowhere")
    with pytest.raises(UserError, match="--labels: expected a CSV file"):
        logan.measure(real, real, labels="nowhere.csv")


def test_images_compared_with_themselves_are_told(tmp_path):
    real = blobs(0, 30, PLACES)
    logan.measure(real, real.copy(), output=tmp_path)
    assert "The generated images equal the real ones" in (tmp_path / "report.html").read_text()


def test_the_command_writes_a_page_that_names_what_was_missed(tmp_path):
    real = blobs(0, 200, PLACES)
    for index, image in enumerate(real):
        place = "last" if image[13, 13, 0] > 100 else "other"
        path = tmp_path / "real" / place / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
    np.save(tmp_path / "made.npy", blobs(1, 200, PLACES[:3]) / 127.5 - 1)
    output = tmp_path / "out"
    printed = call(
        "logan-measure",
        f"--real={tmp_path / 'real'}",
        f"--generated={tmp_path / 'made.npy'}",
        f"--output={output}",
        "--threads=1",
    )
    assert "Forgets mostly: last/" in printed and "| precision" in printed
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["groups"]["last"]["coverage"] < 0.2 < metrics["groups"]["other"]["coverage"]
    with (output / "missed.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    assert all(row["file"].startswith("last/") for row in rows[:20])
    page = (output / "report.html").read_text()
    assert "Forgets mostly: last/" in page and page.count("data:image/png") == 3
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


def test_the_command_refuses_before_any_work(tmp_path):
    made = tmp_path / "made.npy"
    np.save(made, np.full((10, 8, 8), 7.0))
    for flags, message in (
        ([f"--generated={made}"], "--real: expected images. Received: nothing"),
        ([f"--real={tmp_path / 'no'}", f"--generated={made}"], "--real: expected a folder"),
        ([f"--real={made}", f"--generated={made}"], "--real: expected uint8 images in"),
        ([f"--real={made}", f"--generated={made}", "--extractor=vgg"], "extractor"),
        ([f"--real={made}", f"--generated={made}", f"--output={made}"], "--output: expected a"),
    ):
        assert message in call("logan-measure", *flags, code=2)
        assert not (tmp_path / "measured").exists()
