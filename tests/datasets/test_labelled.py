"""Images with classes, from folders and from files of MNIST's kind."""

import gzip
import struct

import numpy as np
import pytest
from idx_files import write_idx
from PIL import Image

from logan.datasets.cifar10 import BATCHES
from logan.datasets.idx import read_idx
from logan.datasets.labelled import load_labelled_images
from logan.errors import UserError


@pytest.fixture
def folder(tmp_path):
    """Ten grey pictures of each of three classes; all of a class and a number have one value."""
    for label, name in enumerate(("cat2", "cat10", "dog/puppy")):
        (tmp_path / name).mkdir(parents=True)
        for number in range(10):
            grey = np.full((8, 10), 80 * label + number, np.uint8)
            Image.fromarray(grey).save(tmp_path / name / f"{number}.png")
    return tmp_path


@pytest.fixture
def mnist(tmp_path):
    """Five digits to train on, two to test on; digit d is d times 20 everywhere."""
    for part, labels in (("train", [3, 1, 1, 2, 3]), ("t10k", [1, 3, 2])):
        labels = np.array(labels, np.uint8)
        pictures = np.repeat(labels * np.uint8(20), 28 * 28).reshape(-1, 28, 28)
        write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", pictures)
        write_idx(tmp_path / f"{part}-labels.idx1-ubyte", labels)
    return tmp_path


# Folders.


def test_sub_folders_are_classes_in_natural_order(folder):
    data = load_labelled_images(folder, size=4, channels=3)
    assert data.classes == ("cat2", "cat10", "dog")
    assert data.frames.shape == (30, 4, 4, 3)
    # The class of each picture is written in its pixels.
    assert data.labels.tolist() == (data.frames[:, 0, 0, 0] // 80).tolist()


def test_some_of_each_class_are_held_out_by_name_alone(folder):
    data = load_labelled_images(folder, size=4, channels=1)
    assert sorted([*data.train, *data.test]) == list(range(30))
    for label in range(3):
        assert set(data.labels[data.train]) == set(data.labels[data.test]) == {0, 1, 2}, label
    held_out = set(data.frames[data.test, 0, 0, 0].tolist())
    (folder / "dog/puppy/9.png").unlink()
    again = load_labelled_images(folder, size=4, channels=1)
    assert set(again.frames[again.test, 0, 0, 0].tolist()) - held_out <= {160 + 8}


def test_a_class_of_two_pictures_is_in_both_parts(folder):
    for number in range(2, 10):
        (folder / f"cat2/{number}.png").unlink()
    data = load_labelled_images(folder, size=4, channels=1)
    assert (data.labels[data.train] == 0).sum() == (data.labels[data.test] == 0).sum() == 1


def test_folders_that_are_no_classes_are_refused(folder):
    (folder / "loose.png").write_bytes((folder / "cat2/0.png").read_bytes())
    with pytest.raises(UserError, match=r"in a sub-folder.*Received: loose\.png"):
        load_labelled_images(folder, size=4, channels=1)
    (folder / "loose.png").unlink()
    with pytest.raises(UserError, match=r"at least 2 sub-folders.*Received: 1"):
        load_labelled_images(folder / "dog", size=4, channels=1)
    for number in range(1, 10):
        (folder / f"cat10/{number}.png").unlink()
    with pytest.raises(UserError, match=r"at least 2 pictures of each class.*1 of cat10"):
        load_labelled_images(folder, size=4, channels=1)


def test_a_class_without_a_readable_picture_is_refused(folder, capsys):
    for path in (folder / "cat10").iterdir():
        path.write_text("no picture")
    (folder / "cat10/0.png").write_bytes((folder / "cat2/0.png").read_bytes())
    with pytest.raises(UserError, match="--skip_unreadable goes on"):
        load_labelled_images(folder, size=4, channels=1)
    with pytest.raises(UserError, match="1 of cat10"):
        load_labelled_images(folder, size=4, channels=1, skip_unreadable=True)
    assert "cat10/1.png" in capsys.readouterr().err


def test_folders_train_and_test_are_the_two_parts(tmp_path):
    for part, numbers in (("train", range(8)), ("test", range(8, 10))):
        for label, name in enumerate(("cat", "dog")):
            (tmp_path / part / name).mkdir(parents=True)
            for number in numbers:
                grey = np.full((8, 8), 80 * label + number, np.uint8)
                Image.fromarray(grey).save(tmp_path / part / name / f"{number}.png")
    data = load_labelled_images(tmp_path, size=4, channels=1)
    assert data.classes == ("cat", "dog")
    values = data.frames[:, 0, 0, 0]
    assert data.labels.tolist() == (values // 80).tolist()
    assert sorted(values[data.test].tolist()) == [8, 9, 88, 89]
    assert sorted([*data.train, *data.test]) == list(range(20))
    assert data.split == "the folder test"
    for number in (8, 9):
        (tmp_path / f"test/dog/{number}.png").unlink()
    with pytest.raises(UserError, match=r"every class in .*/test\. Received: none of dog"):
        load_labelled_images(tmp_path, size=4, channels=1)


def test_cifar10_is_read_with_its_kinds_and_parts(tmp_path):
    rows = np.zeros((6, 10, 3073), np.uint8)
    rows[:, :, 0] = np.arange(10)
    rows[:, :, 1:] = 20 * np.arange(10, dtype=np.uint8)[:, None]
    for batch, name in zip(rows, BATCHES, strict=True):
        (tmp_path / name).write_bytes(batch.tobytes())
    data = load_labelled_images(tmp_path, size=32, channels=3)
    assert (data.frames == 20 * data.labels[:, None, None, None]).all()
    assert data.classes[:3] == ("airplane", "automobile", "bird")
    assert (len(data.train), data.test.tolist()) == (50, list(range(50, 60)))


# MNIST's files.


def test_files_of_mnist_keep_their_parts(mnist):
    data = load_labelled_images(mnist, size=8, channels=3)
    assert data.frames.shape == (8, 8, 8, 3)
    assert data.classes == ("1", "2", "3")  # as in EMNIST's letters, there is no 0
    assert data.labels.tolist() == [2, 0, 0, 1, 2, 0, 2, 1]
    assert (data.frames == 20 * (data.labels[:, None, None, None] + 1)).all()
    assert (data.train.tolist(), data.test.tolist()) == ([0, 1, 2, 3, 4], [5, 6, 7])


def test_pixels_of_the_same_size_stay_as_they_are(mnist):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    write_idx(mnist / "t10k-images-idx3-ubyte.gz", pictures)
    data = load_labelled_images(mnist, size=28, channels=1)
    np.testing.assert_array_equal(data.frames[5:, ..., 0], pictures)


def test_files_of_mnist_that_do_not_fit_are_refused(mnist):
    write_idx(mnist / "t10k-labels.idx1-ubyte", np.array([1, 2, 2], np.uint8))
    with pytest.raises(UserError, match=r"every class in the part t10k.*none of 3"):
        load_labelled_images(mnist, size=8, channels=1)
    write_idx(mnist / "t10k-labels.idx1-ubyte", np.zeros(4, np.uint8))
    with pytest.raises(UserError, match=r"as many labels as pictures in the part t10k.*4 and 3"):
        load_labelled_images(mnist, size=8, channels=1)
    write_idx(mnist / "t10k-labels.idx1-ubyte", np.zeros((2, 1), np.uint8))
    with pytest.raises(UserError, match=r"1 axes.*labels\.idx1-ubyte.*\(2, 1\)"):
        load_labelled_images(mnist, size=8, channels=1)
    (mnist / "t10k-labels.idx1-ubyte").unlink()
    with pytest.raises(UserError, match="Expected t10k-labels-idx1-ubyte in"):
        load_labelled_images(mnist, size=8, channels=1)


def test_array_of_an_idx_file(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for name in ("a.gz", "a"):
        write_idx(tmp_path / name, array)
        np.testing.assert_array_equal(read_idx(tmp_path / name), array)


def test_idx_files_of_another_kind_or_length_are_refused(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(UserError, match="no file"):
        read_idx(path)
    path.write_bytes(b"no")
    with pytest.raises(UserError, match=r"whole IDX file.*/a"):
        read_idx(path)
    path.write_text("some text")
    with pytest.raises(UserError, match="another format"):
        read_idx(path)
    write_idx(path, np.zeros(3, np.uint8), kind=13)
    with pytest.raises(UserError, match="another format"):
        read_idx(path)
    for content, told in ((b"abc", "fewer"), (b"abcdef", "more")):
        path.write_bytes(struct.pack(">HBBI", 0, 8, 1, 4) + content)
        with pytest.raises(UserError, match=f"4 bytes of 4 in .*Received: {told}"):
            read_idx(path)
    packed = gzip.compress(struct.pack(">HBBI", 0, 8, 1, 4) + b"abcd")
    path.write_bytes(packed[:-6])
    with pytest.raises(UserError, match=r"whole IDX file.*/a"):
        read_idx(path)
