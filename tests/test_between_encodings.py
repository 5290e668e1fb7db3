"""The sampler that draws z between the encodings of neighbouring training samples."""

import keras
import numpy as np
import pytest

from logan import GAN, BiGAN
from logan.between_encodings import points_between
from logan.errors import RunError, UserError
from logan.networks import mlp
from logan.sampling import sample

NAME = "between-encodings"


class Pairs:
    """Training data around two distant places, four samples at the one and two at the other."""

    samples = np.float32([[0, 0], [1, 0], [0, 1], [1, 1], [50, 50], [50, 52]])

    def training_sample(self, count):
        return self.samples[:count]

    def evaluation_sample(self, seed, count):
        raise AssertionError("held-out data are not to be looked at")


def identity():
    return keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, use_bias=False, kernel_initializer="identity")]
    )


@pytest.fixture(scope="module")
def model():
    return BiGAN(identity(), identity(), mlp.Discriminator((2,), 2, width=4, hidden_layers=1))


def test_points_lie_on_lines_to_the_nearest_others():
    points = np.float32([[0], [1], [3], [10], [14]])
    found = points_between(points, 4000, 1, seed=1)
    assert found.shape == (4000, 1) and found.dtype == np.float32
    x = found[:, 0]
    # 0 and 1 have each other, 3 has 1, 10 and 14 have each other: each line as probable.
    shares = [((low <= x) & (x < high)).mean() for low, high in ((0, 1), (1, 3), (10, 14))]
    np.testing.assert_allclose(shares, [0.4, 0.2, 0.4], atol=0.04)
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    on_the_way = (x[(x > 1) & (x < 3)] - 1) / 2
    assert on_the_way.mean() == pytest.approx(0.5, abs=0.05)
    assert on_the_way.std() == pytest.approx(12**-0.5, abs=0.03)


def test_further_neighbours_are_drawn_as_often():
    points = np.float32([[0, 0], [1, 0], [0, 2], [90, 90], [91, 90], [90, 92]])
    found = points_between(points, 3000, 2, seed=2)
    near = found[found[:, 0] < 50]
    right, up, between = (
        ((near[:, 1] == 0) & (near[:, 0] > 0)).mean(),
        ((near[:, 0] == 0) & (near[:, 1] > 0)).mean(),
        ((near[:, 0] > 0) & (near[:, 1] > 0)).mean(),
    )
    np.testing.assert_allclose([right, up, between], 1 / 3, atol=0.04)


def test_equal_points_give_themselves():
    points = np.float32([[1, 2]] * 4)
    np.testing.assert_array_equal(points_between(points, 9, 3, seed=0), np.tile(points[:1], (9, 1)))


def test_fewer_are_the_first_of_more_and_seeds_differ():
    points = np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32)
    more = points_between(points, 1300, 5, seed=4)
    np.testing.assert_array_equal(more[:600], points_between(points, 600, 5, seed=4))
    assert not np.array_equal(more, points_between(points, 1300, 5, seed=5))


def test_samples_have_the_shares_of_the_data(model):
    samples, notes = sample(model, 3, 3000, f"{NAME}:neighbours=1", Pairs())
    far = samples[:, 0] > 10
    assert far.mean() == pytest.approx(1 / 3, abs=0.05)
    np.testing.assert_array_equal(samples[far, 0], 50)
    assert (samples[~far] >= 0).all() and (samples[~far] <= 1).all()
    assert notes == "between the encodings of 6 training samples and one of the 1 nearest"


def test_of_few_samples_all_others_are_neighbours(model):
    few = Pairs()
    few.samples = few.samples[:3]
    samples, notes = sample(model, 0, 200, NAME, few)
    assert notes.endswith("of 3 training samples and one of the 2 nearest")
    assert (samples.sum(axis=1) < 1 + 1e-6).all()
    few.samples = few.samples[:1]
    with pytest.raises(UserError, match=r"Expected 2 or more training samples\. Received: 1"):
        sample(model, 0, 10, NAME, few)


@pytest.mark.parametrize("neighbours", ["0", "-1", "1.5", "many"])
def test_neighbours_that_are_none_are_refused(model, neighbours):
    told = rf"--sampler={NAME}.*Expected neighbours to be a whole number >= 1\..*{neighbours}"
    with pytest.raises(UserError, match=told):
        sample(model, 0, 10, f"{NAME}:neighbours={neighbours}", Pairs())


def test_models_without_the_networks_are_refused():
    gan = GAN(identity(), mlp.Discriminator((2,), 0, width=4, hidden_layers=1))
    with pytest.raises(RunError, match="expected a run with an encoder"):
        sample(gan, 0, 10, NAME, Pairs())
    size = dict(width=4, hidden_layers=1)
    generator = mlp.Generator((2,), 2, classes=3, **size)
    of_classes = BiGAN(generator, identity(), mlp.Discriminator((2,), 2, classes=3, **size))
    with pytest.raises(RunError, match="expected a generator of z alone"):
        sample(of_classes, 0, 10, NAME, Pairs())
