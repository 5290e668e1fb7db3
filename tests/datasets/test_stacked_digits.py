"""Stacked digits: which digits are in which image, and that each draw repeats."""

import numpy as np
import pytest
import quadrants

from logan.datasets.load import load_images
from logan.datasets.stacked_digits import StackedDigits, stacked_images
from logan.errors import UserError
from logan.settings import preset

# Digit i has the value i everywhere; the last three are held out.
DIGITS = np.tile(np.arange(9, dtype=np.uint8)[:, None, None, None], (1, 2, 2, 1))
LABELS = np.array([0, 1, 1, 0, 1, 1, 0, 1, 0])
TRAIN, TEST = np.arange(6), np.arange(6, 9)


@pytest.fixture(scope="module")
def stacked():
    return StackedDigits.of(DIGITS, LABELS, ("no", "yes"), TRAIN, TEST, 3_000, 600)


def test_each_channel_is_a_digit_of_its_part(stacked):
    images = stacked_images(stacked)
    assert images.frames.shape == (3_600, 2, 2, 3)
    shown = images.frames[np.arange(3_600)]
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown[:, 0, 0], stacked.places)
    np.testing.assert_array_equal(shown[:, 1, 1], stacked.places)
    assert set(stacked.places[images.train].ravel()) == set(range(6))
    assert set(stacked.places[images.test].ravel()) == {6, 7, 8}
    np.testing.assert_array_equal(images.frames[7], shown[7])
    np.testing.assert_array_equal(images.frames[5:9], shown[5:9])


def test_digits_are_drawn_evenly_and_independently(stacked):
    places = stacked.places[:3_000]
    for channel in range(3):
        counts = np.bincount(places[:, channel], minlength=6)
        assert np.abs(counts - 500).max() < 5 * (3_000 / 6 * 5 / 6) ** 0.5
    pairs = np.bincount(6 * places[:, 0] + places[:, 1], minlength=36)
    assert np.abs(pairs - 3_000 / 36).max() < 5 * (3_000 / 36) ** 0.5


def test_triples_are_the_same_for_everybody(stacked):
    again = StackedDigits.of(DIGITS, LABELS, ("no", "yes"), TRAIN, TEST, 3_000, 600)
    np.testing.assert_array_equal(again.places, stacked.places)
    # As other versions and machines must draw them.
    assert stacked.places[:2].tolist() == [[0, 1, 0], [3, 3, 1]]


def test_modes_are_triples_of_classes_with_the_shares_of_the_training_digits(stacked):
    assert stacked.modes == 8
    assert stacked.mode_of([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]]).tolist() == [
        0, 1, 2, 4, 7,
    ]  # fmt: skip
    # Of six training digits four are "yes".
    expected = [(2 / 3) ** bin(mode).count("1") * (1 / 3) ** (3 - bin(mode).count("1"))
                for mode in range(8)]  # fmt: skip
    np.testing.assert_allclose(stacked.mode_weights, expected)


def test_images_are_called_by_their_digits(stacked):
    images = stacked_images(stacked)
    for image in (0, 3_000):
        labels = LABELS[stacked.places[image]]
        assert images.names.files[image] == " ".join("yes" if one else "no" for one in labels)


@pytest.mark.parametrize("first_step", [1, 7])
def test_batches_from_a_later_step_are_those_of_the_whole_run(stacked, first_step):
    images = stacked_images(stacked)
    whole = [batch.numpy() for batch in images.batches(3, 5).take(10)]
    later = [batch.numpy() for batch in images.batches(3, 5, first_step).take(10 - first_step)]
    np.testing.assert_array_equal(later, whole[first_step:])
    assert whole[0].shape == (5, 2, 2, 3) and whole[0].dtype == np.float32
    other = next(iter(images.batches(4, 5))).numpy()
    assert (other != whole[0]).any()


def test_an_epoch_shows_every_training_image_once():
    stacked = StackedDigits.of(DIGITS, LABELS, ("no", "yes"), TRAIN, TEST, 20, 4)
    images = stacked_images(stacked)
    shown = np.concatenate([batch.numpy() for batch in images.batches(0, 5).take(4)])
    values = np.rint((shown[:, 0, 0] + 1) * 127.5).astype(int)
    assert sorted(map(tuple, values)) == sorted(map(tuple, stacked.places[:20]))


def test_an_experiment_stacks_padded_digits(tmp_path):
    data = quadrants.write_digits(tmp_path / "digits")
    experiment = preset("stacked_mnist", {"data": str(data)})
    assert (experiment.image_size, experiment.channels, experiment.latent_length) == (32, 3, 100)
    images = load_images(experiment)
    assert images.frames.shape == (178_000, 32, 32, 3)
    assert (len(images.train), len(images.test)) == (128_000, 50_000)
    assert images.labels is None
    image = images.evaluation_sample(0, 1)[0]
    classes = images.stacked.labels[images.stacked.places[images.held_out(1)[0]]]
    for channel, label in enumerate(classes):
        assert ((image[2:30, 2:30, channel] > 0.8) == (quadrants.digit(label) > 0)).all()
        assert (image[:2, :, channel] == -1).all()
    assert np.isin(images.stacked.places[:128_000], images.stacked.train).all()
    assert np.isin(images.stacked.test_places, images.stacked.test).all()


@pytest.mark.parametrize(
    ("settings", "flag"),
    [(dict(channels=1), "channels"), (dict(flip=True), "flip"), (dict(labels="x.csv"), "labels")],
)
def test_settings_that_are_not_for_stacked_digits_are_refused(settings, flag):
    with pytest.raises(UserError, match=f"^--{flag}: expected"):
        preset("stacked_mnist", settings)
