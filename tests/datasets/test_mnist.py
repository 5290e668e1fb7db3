"""Sets of MNIST's kind: a few digits to train on, a few to test on."""

import os

import numpy as np
import pytest
from idx_files import write_idx, write_mnist

from logan.datasets.load import load_images
from logan.datasets.mnist import MnistError, load_mnist, load_mnist_labels
from logan.errors import UserError
from logan.settings import preset

TRAIN, TEST = [3, 1, 1, 2, 3], [1, 3, 2]


def ramp(label, place):
    """A digit whose pixels all differ from those of its neighbours."""
    return ((np.arange(784) * 7 + 31 * label + place) % 256).reshape(28, 28)


DIGITS = np.stack([ramp(*pair[::-1]) for part in (TRAIN, TEST) for pair in enumerate(part)])


@pytest.fixture
def folder(tmp_path):
    return write_mnist(tmp_path / "set", TRAIN, TEST, ramp)


def test_digits_are_padded_to_32_pixels(folder):
    frames, train, test = load_mnist(folder)
    assert frames.shape == (8, 32, 32, 1)
    np.testing.assert_array_equal(frames[:, 2:30, 2:30, 0], DIGITS)
    edge = frames.copy()
    edge[:, 2:30, 2:30] = 0
    assert not edge.any()
    assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3, 4], [5, 6, 7])


def test_digits_stay_as_they_are_at_their_own_size_and_are_resized_to_any_other(folder):
    frames, _, _ = load_mnist(folder, size=28, channels=3)
    np.testing.assert_array_equal(frames, np.repeat(DIGITS[..., None], 3, axis=-1))
    even = write_mnist(folder.parent / "even", TRAIN, TEST)
    for size in (16, 64):
        frames, _, _ = load_mnist(even, size=size)
        assert (frames == 20 * np.array(TRAIN + TEST)[:, None, None, None]).all()


def test_labels_are_classes_in_the_order_of_the_frames(folder):
    labels, names = load_mnist_labels(folder)
    assert labels.dtype == np.int64
    assert names == ("1", "2", "3")
    assert [names[label] for label in labels] == list(map(str, TRAIN + TEST))


def test_a_cache_is_used_until_the_source_changes(folder, tmp_path):
    place = folder / "t10k-images-idx3-ubyte.gz"
    first, _, _ = load_mnist(folder, cache_dir=tmp_path / "cache")
    before = place.stat().st_mtime_ns
    content = place.read_bytes()
    place.write_bytes(bytes(len(content)))
    os.utime(place, ns=(before, before))
    again, _, _ = load_mnist(folder, cache_dir=tmp_path / "cache")
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(again, first)
    os.utime(place, ns=(before + 1, before + 1))
    with pytest.raises(MnistError, match="t10k-images"):
        load_mnist(folder, cache_dir=tmp_path / "cache")


def test_an_experiment_has_the_official_parts_with_labels(folder):
    experiment = preset("mnist", {"data": str(folder)})
    assert (experiment.image_size, experiment.channels) == (32, 1)
    images = load_images(experiment)
    assert images.split == "the official test part"
    assert images.labels[images.held_out(10)].tolist() == [0, 2, 1]
    assert images.label_names == ("1", "2", "3")
    # Networks that take no labels get batches of images alone, as without labels.
    batch = next(iter(images.batches(0, 4)))
    assert batch.shape == (4, 32, 32, 1)


def test_what_is_missing_is_named_with_a_way_out(folder, tmp_path):
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(MnistError, match=r"t10k-images-idx3-ubyte in .*--data=FOLDER"):
        load_mnist(folder)
    with pytest.raises(MnistError, match="train-labels-idx1-ubyte"):
        load_mnist(tmp_path / "nothing")


def test_parts_that_do_not_fit_are_refused(folder):
    write_idx(folder / "t10k-images-idx3-ubyte.gz", np.zeros((2, 28, 28), np.uint8))
    with pytest.raises(MnistError, match=r"as many labels as pictures in the part t10k.*3 and 2"):
        load_mnist(folder)
    write_idx(folder / "t10k-images-idx3-ubyte.gz", np.zeros((3, 28), np.uint8))
    with pytest.raises(MnistError, match=r"3 axes"):
        load_mnist(folder)


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        (dict(flip=True), "flip"),
        (dict(labels="folders"), "labels"),
        (dict(crop=(0, 0, 4, 4)), "crop"),
        (dict(channels=2), "channels"),
    ],
)
def test_settings_that_are_not_for_digits_are_refused(folder, settings, flag):
    with pytest.raises(UserError, match=f"^--{flag}: expected"):
        preset("mnist", {"data": str(folder), **settings})


# --------------------------------------------------------------------------- TensorFlow Datasets


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """A builder like TFDS's own of mnist, which generates the digits of these tests."""
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.core.registered.skip_registration():

        class Mnist(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("3.0.1")

            def _info(self):
                features = {
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
                return tfds.core.DatasetInfo(
                    builder=self, features=tfds.features.FeaturesDict(features)
                )

            def _split_generators(self, dl_manager):
                return {
                    "train": self._generate_examples(0, TRAIN),
                    "test": self._generate_examples(len(TRAIN), TEST),
                }

            def _generate_examples(self, start, labels):
                for index, label in enumerate(labels):
                    image = DIGITS[start + index].astype(np.uint8)[..., None]
                    yield index, {"image": image, "label": label}

    made = Mnist(data_dir=tmp_path / "tfds")
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir: {"mnist": made}[name])


def test_the_tfds_road_gives_digits_with_their_labels(builder):
    frames, train, test = load_mnist(size=28)
    labels, names = load_mnist_labels()
    assert (len(train), len(test)) == (5, 3)
    # TFDS stores examples in an order of its own.
    for part, expected in ((train, TRAIN), (test, TEST)):
        found = [names[label] for label in labels[part]]
        assert sorted(found) == sorted(map(str, expected))
    for frame, label in zip(frames[..., 0], labels, strict=True):
        places = range(len(TRAIN))
        assert any((frame == ramp(int(names[label]), place)).all() for place in places)
