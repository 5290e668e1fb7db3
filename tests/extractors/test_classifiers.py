"""Classifiers of a data set's own classes: which fit, and in which order they tell classes."""

import keras
import numpy as np
import pytest
import quadrants

from logan.errors import UserError
from logan.extractors import check_has_classifier
from logan.extractors.classifiers import OfChannels, chosen, fitting, make_classifier


def shown(labels, channels=1, size=16):
    """uint8 images of these quadrants."""
    images = np.stack([quadrants.digit(label, side=size) for label in labels])
    return np.repeat(images[..., None], channels, axis=-1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return quadrants.write_classifier(tmp_path_factory.mktemp("model") / "digits.keras")


def test_classes_come_in_the_order_of_the_data(tmp_path):
    names = ("b", "d", "a", "c")
    model = quadrants.write_classifier(tmp_path / "c.keras", names=names, order=(1, 3, 0, 2))
    classifier = make_classifier(str(model))
    assert classifier.names == list(names)
    found = classifier.probabilities(shown([0, 1, 2, 3, 1]), ["a", "b", "c", "d"])
    assert found.argmax(axis=1).tolist() == [0, 1, 2, 3, 1]
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert found.max(axis=1).min() > 0.99


def test_without_names_as_many_classes_fit(tmp_path):
    model = quadrants.write_classifier(tmp_path / "c.keras", names=())
    classifier = make_classifier(str(model))
    assert classifier.names is None
    assert classifier.fits(["a", "b", "c", "d"], 1) and not classifier.fits(["a", "b"], 1)
    found = classifier.probabilities(shown([2]), ["a", "b", "c", "d"])
    assert found.argmax() == 2
    model.with_suffix(".json").write_text('{"classes": ["of", "another", "one"]}')
    assert make_classifier(str(model)).names is None


def test_classifiers_of_other_images_are_refused_or_left_out(path):
    classifier = make_classifier(str(path))
    for names, channels, told in [
        (("0", "1", "2", "4"), 1, "expected the classes 0, 1, 2, 4. Received: 0, 1, 2, 3 in"),
        (quadrants.NAMES, 3, "expected a model of coloured images"),
        ((), 1, "expected images with classes"),
    ]:
        with pytest.raises(UserError, match=f"^--classifier: {told}"):
            fitting(classifier, names, channels, is_needed=True)
        assert fitting(classifier, names, channels, is_needed=False) is None
    assert fitting(classifier, quadrants.NAMES, 1, is_needed=True) is classifier


def test_files_that_are_no_classifiers_are_refused(tmp_path):
    (tmp_path / "text.keras").write_text("no model")
    image = keras.Input((8, 8, 1))
    keras.Model(image, keras.layers.Flatten()(image)).save(tmp_path / "flat.keras")
    (tmp_path / "old.h5").write_bytes(b"")
    for name, told in [
        ("nothing.keras", "no file"),
        ("text.keras", "not a .keras file"),
        ("old.h5", r"expected a Keras model, \.keras"),
        ("flat.keras", "ends in a softmax"),
        ("flat.keras:layer=none", "expected a layer of"),
    ]:
        with pytest.raises(UserError, match=f"^--classifier: .*{told}"):
            make_classifier(str(tmp_path / name))
    assert make_classifier("none") is make_classifier("") is None


def test_the_extractor_serves_where_it_is_a_classifier(path):
    features, classifier = chosen(str(path), None, "", False)
    assert classifier.network is features
    assert chosen(str(path), None, "none", False)[1] is None
    assert chosen("random", None, "", False)[1] is None
    assert chosen("random", None, str(path), False)[1].path == path


def test_stacked_digits_need_a_classifier_unless_told_otherwise():
    for ask in (lambda: chosen("random", None, "", True), lambda: check_has_classifier("", "none")):
        with pytest.raises(UserError, match=r"^--classifier: expected a classifier of digits"):
            ask()
    assert chosen("none", None, "none", True) == (None, None)
    check_has_classifier("none", "random")
    check_has_classifier("", "digits.keras")


def test_an_extractor_of_grey_images_sees_each_channel(path):
    features, classifier = chosen(str(path), None, "", True)
    assert isinstance(features, OfChannels) and classifier.count == 4
    labels = [(0, 1, 2), (3, 3, 0)]
    images = np.stack([np.concatenate(shown(one), axis=-1) for one in labels])
    found = features(images)
    assert found.shape == (2, 12)
    inner = classifier.network(np.concatenate([shown(one) for one in labels])).reshape(2, 12)
    np.testing.assert_allclose(found, inner, atol=1e-6)
