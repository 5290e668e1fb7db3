"""What an evaluation says of D's pull, on discriminators whose gradient is known."""

import numpy as np
import pytest
import tensorflow as tf

from logan.evaluation import columns, table
from logan.evaluation.fidelity import FIDELITY
from logan.evaluation.measures import MEASURES, Column, Measure, Measured
from logan.evaluation.pull import PULL
from logan.evaluation.reconstruction import closeness, reference_guesses
from logan.evaluation.record import Record
from logan.evaluation.report import measure, metrics_from
from logan.extractors.base import Extractor
from logan.registry import Entry

# Two kinds of image of 1 x 2 pixels, at right angles to each other; reconstructions are black.
X = np.repeat(np.array([[[[1.0], [0.0]]], [[[0.0], [1.0]]]], np.float32), 600, axis=0)


def pull(discriminator):
    record = Record(
        "",
        0,
        X,
        encoded=X.reshape(-1, 2),
        reconstructed=np.zeros_like(X),
        discriminator=discriminator,
    )
    return PULL.measure(record).numbers["pull"]


def inner_product(x, z):
    return tf.reduce_sum(tf.reshape(x, [-1, 2]) * z, axis=1, keepdims=True)


def test_discriminator_that_leads_by_z_fails_with_the_z_of_others():
    """Its gradient is 3 z = 3 x, of others at a right angle to the way."""
    found = pull(lambda x, z: 3.0 * inner_product(x, z))
    assert found == pytest.approx({"slope": 3, "alignment": 1, "alignment_of_others": 0}, abs=1e-5)


def test_discriminator_that_ignores_z_leads_as_well_with_the_z_of_others():
    found = pull(lambda x, z: inner_product(x, tf.ones_like(z)))
    expected = {"slope": 2**0.5, "alignment": 0.5**0.5, "alignment_of_others": 0.5**0.5}
    assert found == pytest.approx(expected, abs=1e-5)


def test_guesses_are_the_mean_the_median_and_the_nearest_of_the_training_images():
    train = np.array([-1, -1, 0.25, 0.75], np.float32).reshape(4, 1, 1, 1) * np.ones((1, 2, 1))
    x = np.array([0.4, -0.9, 1.0], np.float32).reshape(3, 1, 1, 1) * np.ones((1, 2, 1))
    expected = {
        "mean training image": [-0.25, -0.25, -0.25],
        "median training image": [-0.375, -0.375, -0.375],
        "nearest training image": [0.25, -1, 0.75],
    }
    guesses = reference_guesses(Record("", 0, x, train=train))
    assert {name: guess.shape for name, guess in guesses.items()} == dict.fromkeys(
        expected, x.shape
    )
    assert {name: guess[:, 0, 1, 0].tolist() for name, guess in guesses.items()} == expected


def test_reconstructions_of_occupied_images_are_measured_apart():
    x_hat = X + np.repeat([0.5, 0.0], 600).reshape(-1, 1, 1, 1)
    is_occupied = np.arange(1_200) < 600
    measured = closeness(X, x_hat, is_occupied)
    assert measured["mse"] == pytest.approx(0.125)
    assert measured["occupied"]["mse"] == pytest.approx(0.25)
    assert measured["occupied"]["images"] == 600
    assert "occupied" not in closeness(X, x_hat, None)
    assert "occupied" not in closeness(X, x_hat, np.zeros(1_200, bool))


@pytest.fixture
def brightness():
    """A measure from outside of the package."""
    found = Measure(
        lambda record: record.has("generated"),
        lambda record: Measured(
            {"brightness": float(record.generated.mean())}, "brightness: mean of all values"
        ),
        (Column("brightness", ("brightness",), "{:.2f}", "higher"),),
    )
    MEASURES.register("brightness", Entry(text="mean of all values"))(found)
    yield
    MEASURES.remove("brightness")


def test_a_measure_from_outside_brings_numbers_protocol_and_column(brightness):
    record = Record("2 samples", 0, X[:2], generated=np.full((2, 1, 2, 1), 0.25))
    metrics = metrics_from(record, measure(record))
    assert metrics["brightness"] == 0.25
    assert metrics["protocol"].endswith("brightness: mean of all values")
    assert "| 0.25 " in table({"run": metrics})
    assert columns()[-2].title == "brightness"


def test_a_measure_that_lacks_what_it_needs_is_left_out(brightness):
    record = Record("nothing", 0, X[:2], encoded=np.zeros((2, 1)))
    assert "brightness" not in measure(record)


def test_columns_have_different_titles_and_paths():
    assert len({column.title for column in columns()}) == len(columns())
    assert len({column.path for column in columns()}) == len(columns())


class Plain(Extractor):
    """Features of the four corners of an image of 2 x 2 pixels; probabilities by its first."""

    name = "corners"
    text = "seen as they are"
    has_classifier = True

    def batch_features(self, images):
        return images.reshape(len(images), -1)

    def batch_probabilities(self, images):
        is_bright = (images[:, 0, 0] > 0).astype(np.float32)
        return np.concatenate([is_bright, 1 - is_bright], axis=1)


class OfFid(Plain):
    is_fid = True


def test_only_the_network_of_fid_gives_numbers_of_its_names():
    draws = np.random.default_rng(0)
    images = draws.uniform(-1, 1, (2, 20, 2, 2, 1)).astype(np.float32)
    images[1, :, 0, 0] = np.where(np.arange(20) % 2, 0.5, -0.5)[:, None]
    plain, published = (
        FIDELITY.measure(Record("", 0, images[0], generated=images[1], extractor=network))
        for network in (Plain(), OfFid())
    )
    numbers, of_fid = (one.numbers["fidelity"] for one in (plain, published))
    renamed = {
        "fid": "frechet_distance",
        "kid": "kernel_distance",
        "kid_error": "kernel_distance_error",
        "inception_score": "classifier_score",
        "inception_score_error": "classifier_score_error",
    }
    assert {renamed.get(name, name): value for name, value in of_fid.items()} == numbers
    assert set(of_fid) - set(numbers) == set(renamed)
    # Each of ten splits has one image of either class.
    assert numbers["classifier_score"] == pytest.approx(2)
    assert "features of corners; seen as they are; 20 held-out images" in plain.protocol
    assert plain.protocol.endswith("; classifier_score over 10 splits of the generations")


def test_no_probabilities_are_asked_of_networks_without_a_classifier():
    network = Plain()
    network.has_classifier = False
    images = np.random.default_rng(0).uniform(-1, 1, (20, 2, 2, 1))
    found = FIDELITY.measure(Record("", 0, images, generated=images, extractor=network))
    assert "classifier_score" not in found.numbers["fidelity"]
    assert "classifier_score" not in found.protocol
