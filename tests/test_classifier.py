"""A classifier of images whose classes can be told by where they are bright."""

import json

import keras
import numpy as np
import pytest

from logan.classifier import classifier, save_classifier, train_classifier
from logan.datasets.labelled import LabelledImages
from logan.extractors import make_extractor


def data_of(seed=0, count=120, is_labelled_well=True):
    """Noise with a bright row, column or neither; the last quarter is held out."""
    draws = np.random.default_rng(seed)
    frames = draws.integers(0, 80, (count, 8, 8, 1), np.uint8)
    labels = draws.integers(0, 3, count)
    frames[labels == 0, 3:5] = 255
    frames[labels == 1, :, 3:5] = 255
    if not is_labelled_well:
        labels = draws.integers(0, 3, count)
    index = np.arange(count)
    part = 3 * count // 4
    return LabelledImages(
        frames, labels, ("row", "column", "none"), index[:part], index[part:], "the last quarter"
    )


@pytest.fixture(scope="module")
def trained():
    return train_classifier(data_of(), epochs=40, width=4)


def test_classes_are_learned_and_told_of_held_out_images(trained):
    data = data_of()
    probabilities = trained.model.predict_on_batch(data.frames[data.test] / np.float32(127.5) - 1)
    is_right = probabilities.argmax(axis=1) == data.labels[data.test]
    assert trained.accuracy == is_right.mean() >= 0.9
    shares = [is_right[data.labels[data.test] == label].mean() for label in range(3)]
    assert trained.accuracy_by_class.tolist() == shares


def test_accuracy_is_of_images_that_were_not_trained_on_and_repeats_from_the_seed():
    data = data_of(is_labelled_well=False)
    first, second = (train_classifier(data, epochs=5, width=2, seed=1) for _ in range(2))
    assert first.accuracy == second.accuracy < 0.7
    for weights, again in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_allclose(weights, again, atol=1e-3)


def test_features_and_probabilities_of_the_saved_classifier_are_those_of_an_extractor(
    trained, tmp_path
):
    data = data_of()
    text = save_classifier(tmp_path / "c.keras", trained, data)
    network = make_extractor(str(tmp_path / "c.keras"))
    images = data.frames[data.test]
    expected = trained.model.predict_on_batch(images / np.float32(127.5) - 1)
    np.testing.assert_allclose(network.probabilities(images), expected, atol=1e-5)
    features = network(images)
    assert features.shape == (30, 8)
    dense = trained.model.get_layer("classes")
    logits = features @ dense.kernel + dense.bias
    np.testing.assert_allclose(keras.ops.softmax(logits), expected, atol=1e-5)
    told = json.loads((tmp_path / "c.json").read_text())
    assert told["classes"] == ["row", "column", "none"]
    assert told["accuracy"] == trained.accuracy
    assert f"{trained.accuracy:.2%} of 30 held-out images (the last quarter)" in text


@pytest.mark.parametrize(
    ("size", "channels", "side"), [(8, 16, 4), (28, 32, 7), (32, 64, 4), (60, 128, 4)]
)
def test_images_are_halved_until_four_to_seven_pixels_are_left(size, channels, side):
    model = classifier(size, 3, 10, width=8)
    pooled = model.get_layer("features")
    assert tuple(pooled.input.shape[1:]) == (side, side, channels)
    assert model.output_shape == (None, 10)
