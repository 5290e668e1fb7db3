"""A linear probe of features whose classes are known."""

import numpy as np
import pytest

from logan.metrics.probe import PENALTIES, linear_probe


def clouds(count, seed, distance=4.0, features=2, scale=1.0):
    """Three classes around the corners of a triangle, in the first two of the features."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 3, count)
    angles = 2 * np.pi * labels / 3
    x = draws.normal(size=(count, features))
    x[:, 0] += distance * np.cos(angles)
    x[:, 1] += distance * np.sin(angles)
    return x * scale + 100, labels


def test_classes_that_a_plane_divides_are_read():
    assert linear_probe(*clouds(300, 0), *clouds(200, 1)).accuracy >= 0.99


def test_features_in_any_scale_are_read_alike():
    train, labels = clouds(300, 0)
    test, expected = clouds(200, 1)
    plain = linear_probe(train, labels, test, expected)
    scaled = linear_probe(train * [1e3, 1e-3], labels, test * [1e3, 1e-3], expected)
    assert abs(plain.accuracy - scaled.accuracy) <= 0.02
    constant = [np.concatenate([x, np.ones((len(x), 1))], axis=1) for x in (train, test)]
    again = linear_probe(constant[0], labels, constant[1], expected)
    assert abs(plain.accuracy - again.accuracy) <= 0.02


def test_what_no_plane_divides_is_not_read():
    """The sign of a product, which a linear classifier does not see."""
    draws = np.random.default_rng(0)
    parts = [draws.normal(size=(400, 2)) for _ in range(2)]
    labels = [(x[:, 0] * x[:, 1] > 0).astype(int) for x in parts]
    assert linear_probe(parts[0], labels[0], parts[1], labels[1]).accuracy < 0.65
    products = [(x[:, :1] * x[:, 1:]) for x in parts]
    assert linear_probe(products[0], labels[0], products[1], labels[1]).accuracy > 0.85


def test_labels_without_meaning_are_read_by_chance_alone():
    draws = np.random.default_rng(0)
    train, test = draws.normal(size=(2, 400, 3))
    labels, expected = draws.integers(0, 4, (2, 400))
    assert linear_probe(train, labels, test, expected).accuracy < 0.35


def test_many_features_with_little_meaning_get_a_strong_penalty():
    train, test = clouds(60, 0, distance=1.5, features=200), clouds(400, 1, 1.5, 200)
    assert linear_probe(*train, *test).penalty >= PENALTIES[1]


def test_it_repeats_and_takes_images():
    train, labels = clouds(100, 0, features=12)
    test, expected = clouds(100, 1, features=12)
    as_images = (part.reshape(-1, 2, 2, 3) for part in (train, test))
    first = linear_probe(train, labels, test, expected)
    images, others = as_images
    assert linear_probe(images, labels, others, expected) == first


def test_what_cannot_be_probed_is_refused():
    x, labels = np.zeros((4, 2)), np.zeros(4, int)
    for train, of_train, test, of_test in [
        (x, labels[:3], x, labels),
        (x, labels, x, labels[:3]),
        (x[:1], labels[:1], x, labels),
        (x, labels, x[:0], labels[:0]),
        (x * np.nan, labels, x, labels),
    ]:
        with pytest.raises(ValueError, match="Expected"):
            linear_probe(train, of_train, test, of_test)
