"""What every extractor does with images, on one whose features are their mean and their least."""

import numpy as np
import pytest

from logan.errors import UserError
from logan.extractors import base
from logan.extractors.base import Extractor


class MeanAndLeast(Extractor):
    name = "mean and least"

    def __init__(self):
        self.batches = []

    def batch_features(self, images):
        assert images.dtype == np.float32
        self.batches.append(images.shape)
        return np.stack([images.mean(axis=(1, 2, 3)), images.min(axis=(1, 2, 3))], axis=1)


class WithClassifier(MeanAndLeast):
    has_classifier = True

    def batch_probabilities(self, images):
        share = (images[:, 0, 0, :1] + 1) / 2
        return np.concatenate([share, 1 - share], axis=1)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), np.uint8)


def test_bytes_are_the_same_images_as_their_floats(pixels):
    floats = pixels / 127.5 - 1
    expected = np.stack([floats.mean(axis=(1, 2, 3)), floats.min(axis=(1, 2, 3))], axis=1)
    for images in (pixels, floats, floats.astype(np.float32)):
        features = MeanAndLeast()(images)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, expected, atol=1e-6)


def test_images_of_a_file_are_read_batch_by_batch(pixels, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "BATCH_IMAGES", 3)
    np.save(tmp_path / "images.npy", pixels)
    network = MeanAndLeast()
    features = network(np.load(tmp_path / "images.npy", mmap_mode="r"))
    assert [shape[0] for shape in network.batches] == [3, 3, 1]
    np.testing.assert_array_equal(features, MeanAndLeast()(pixels))


def test_batches_of_large_images_are_smaller():
    network = MeanAndLeast()
    assert network.batch_size(64, 64) == 32
    assert network.batch_size(1024, 1024) == 8
    assert network.batch_size(8000, 8000) == 1


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 4)), r"of shape \[images, height, width, channels\].*\(2, 4, 4\)"),
        (np.zeros((0, 4, 4, 3)), "none of them 0"),
        (np.zeros((2, 4, 4, 3), np.int64), "or uint8 images.*dtype=int64"),
        (np.full((2, 4, 4, 3), 255.0), r"in \[-1, 1\]\. Received: 255 to 255.*have to be uint8"),
        (np.full((2, 4, 4, 3), np.nan), r"in \[-1, 1\]\. Received: nan to nan"),
        (np.zeros((2, 4, 4, 2)), "of 1 or 3 channels. Received: 2"),
    ],
)
def test_other_images_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        MeanAndLeast()(images)


def test_images_that_may_be_of_another_range_are_warned_of(pixels):
    with pytest.warns(UserWarning, match=r"no value below 0.25\. Images in \[0, 1\]"):
        MeanAndLeast()(np.full((40, 4, 4, 3), 0.25))
    MeanAndLeast()(np.full((1, 4, 4, 3), 255, np.uint8))  # whose range is known: no warning


def test_probabilities_are_those_of_the_classifier(pixels):
    probabilities = WithClassifier().probabilities(pixels)
    np.testing.assert_allclose(probabilities[:, 0], pixels[:, 0, 0, 0] / 255, atol=1e-6)
    with pytest.raises(UserError, match=r"classifier for probabilities. Received: mean and least"):
        MeanAndLeast().probabilities(pixels)
