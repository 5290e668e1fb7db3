import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from logan.datasets.images import Images
from logan.datasets.load import load
from logan.models.assemble import assemble
from logan.overview import estimate, overview
from logan.runs import Run
from logan.settings import Experiment

TOY = Experiment(
    dataset="line", latent_length=1, width=4, hidden_layers=1, batch_size=8, steps=1000
)
IMAGES = Experiment(
    dataset="images",
    data="photos",
    network="convolutional",
    image_size=16,
    channels=1,
    width=4,
    latent_length=4,
    batch_size=10,
    steps=200,
)


def lines(experiment, data, first_step=0):
    run = Run(Path("runs", "mine"), experiment)
    return overview(run, data, assemble(experiment), first_step).splitlines()


def test_of_a_toy():
    """A network of one hidden layer from n to m features has 4n + 4 + 4m + m parameters."""
    assert lines(TOY, load(TOY)) == [
        "Data      line: 5 modes in 1 dimension, drawn anew at each step",
        "Networks  mlp, parameters: generator 13, encoder 13, discriminator 17",
        "Training  1,000 steps of 8 samples",
        "Pictures  by logan-visualize, of samples that lie in runs/mine/snapshots every 100 steps",
    ]


def test_of_images_that_are_partly_done():
    data = Images(
        np.zeros([1234, 16, 16, 1], np.uint8),
        np.arange(1000),
        np.arange(1000, 1234),
        split="20% of the sub-folders",
        crop="the central square",
    )
    experiment = dataclasses.replace(IMAGES, snapshots=1)
    said = lines(experiment, data, first_step=100)
    assert said[:3] + said[4:] == [
        "Data      1,000 images to train on, 234 held out",
        "          held out: 20% of the sub-folders",
        "          cropped to the central square, resized to 16 x 16 pixels in grey",
        "Training  200 steps of 10 images, each image 2 times; 100 are done",
        "Pictures  every 200 steps in runs/mine/figures",
    ]
    between = dataclasses.replace(experiment, sampler="between-encodings")
    assert lines(between, data)[-1].endswith("in runs/mine/figures, of draws from the prior")
    without = dataclasses.replace(IMAGES, snapshots=0)
    assert lines(without, data)[-1] == "Pictures  none on the way (--snapshots=0)"


@pytest.mark.parametrize(
    ("settings", "crop"),
    [
        ({}, "the central square"),
        (dict(crop=(10, 20, 30, 40)), "30 x 40 pixels, 10 from the left and 20 from the top"),
    ],
)
def test_crop_of_a_folder_is_said_by_its_data(tmp_path, settings, crop):
    for index in range(12):
        pixels = np.full((60, 50, 3), 20 * index, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    data = load(dataclasses.replace(IMAGES, data=str(tmp_path), **settings))
    assert data.crop == crop


def test_short_training_is_told_its_time():
    assert estimate(IMAGES, 50, 0.4) == (
        "Time      400 ms a step on this machine: about 60 s to go"
    )


def test_long_training_is_told_how_to_shorten_it():
    """An hour has 3,600 / 1.7 = 2,117 steps."""
    long = dataclasses.replace(IMAGES, steps=8000)
    said = estimate(long, 20, 1.7).splitlines()
    assert said[0] == "Time      1.7 s a step on this machine: about 3 h 46 min to go"
    assert " ".join(line.strip() for line in said[1:]) == (
        "Shorter: --quick, a first look in some five minutes; or in another --workdir "
        "--steps=2100 (about an hour), --image_size=8 (a quarter of the pixels) or --width=2 (half "
        "as wide networks)"
    )


@pytest.mark.parametrize(
    ("settings", "has_smaller"),
    [(dict(image_size=32), False), (dict(image_size=64), True)],
)
def test_smaller_images_are_named_only_where_there_are_some(settings, has_smaller):
    """The rendered junction has 32 pixels at least; toys have none."""
    junction = dataclasses.replace(
        IMAGES, dataset="traffic", data="", channels=3, steps=9000, **settings
    )
    assert ("--image_size=32" in estimate(junction, 0, 1.0)) == has_smaller
    toy = estimate(dataclasses.replace(TOY, steps=9000), 0, 1.0)
    assert "--image_size" not in toy and "--steps=3600" in toy
