"""Classes of pictures by folders or by a file, from the flag to batches and samples."""

import numpy as np
import pytest
from PIL import Image

from logan.datasets.classes import class_folders, own_parts, rows_of_labels
from logan.datasets.load import load_images
from logan.errors import UserError
from logan.settings import NETWORKS, from_flags, preset, to_flags
from logan.settings.comparison import data_differences, with_whole_paths
from logan.settings.names import NetworkEntry


def write_pictures(root, names):
    """Grey pictures, number i with the value i everywhere."""
    for value, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(root / name)
    return root


NAMES = [f"{kind}/{number}.png" for kind in ("cat2", "cat10", "dog/pup") for number in range(6)]


@pytest.fixture
def pictures(tmp_path):
    return write_pictures(tmp_path / "pictures", NAMES)


def images_of(pictures, **settings):
    sizes = dict(image_size=8, channels=1)
    return load_images(preset("images", {"data": str(pictures), **sizes, **settings}))


def test_the_uppermost_folders_are_classes(pictures):
    images = images_of(pictures, labels="folders")
    assert images.label_names == ("cat2", "cat10", "dog")
    assert images.labels.tolist() == (images.frames[:, 0, 0, 0] // 6).tolist()


def test_folders_train_and_test_are_parts(tmp_path):
    names = [f"{part}/{kind}/{i}.png" for part in ("test", "train") for kind in "ab"
             for i in range(3)]  # fmt: skip
    images = images_of(write_pictures(tmp_path, names), labels="folders")
    assert images.label_names == ("a", "b")
    held_out = images.frames[images.test, 0, 0, 0]
    assert sorted(held_out.tolist()) == list(range(6))
    assert images.labels[images.test].tolist() == (held_out // 3).tolist()
    assert len(images.train) == 6 and images.split == "the folder test"


def test_folders_that_hold_all_are_no_classes():
    """As in an archive of a folder."""
    labels, classes = class_folders("x", [f"photos/of/{kind}/0.png" for kind in "bab"])
    assert (labels.tolist(), classes) == ([1, 0, 1], ("a", "b"))
    names = [f"set/{part}/{kind}/0.png" for part in ("train", "test") for kind in "ab"]
    assert own_parts(names).tolist() == [False, False, True, True]
    assert class_folders("x", names)[0].tolist() == [0, 1, 0, 1]


def test_a_file_gives_the_class_of_every_picture(pictures, tmp_path):
    path = tmp_path / "labels.csv"
    rows = "".join(f"{name},{'even' if i % 2 == 0 else 'odd'}\n" for i, name in enumerate(NAMES))
    path.write_text(f"file,label,note\n{rows}other.png,none\n")
    images = images_of(pictures, labels=str(path))
    assert images.label_names == ("even", "odd")
    assert images.labels.tolist() == (images.frames[:, 0, 0, 0] % 2).tolist()


def test_without_labels_there_are_none_and_the_split_is_the_same(pictures):
    plain, labelled = images_of(pictures), images_of(pictures, labels="folders")
    assert plain.labels is None and not plain.label_names
    np.testing.assert_array_equal(plain.test, labelled.test)
    one, other = (next(iter(images.batches(3, 4))) for images in (plain, labelled))
    np.testing.assert_array_equal(one, other)


@pytest.fixture
def labelled_network():
    NETWORKS.add("labelled", NetworkEntry(of_images=True, takes_labels=True))
    yield
    NETWORKS.remove("labelled")


def test_networks_that_take_labels_get_them_with_the_same_images(pictures, labelled_network):
    plain = images_of(pictures)
    labelled = images_of(pictures, labels="folders", network="labelled")
    for x, (same, labels) in zip(
        plain.batches(1, 5).take(4), labelled.batches(1, 5).take(4), strict=True
    ):
        np.testing.assert_array_equal(x, same)
        values = np.rint((x.numpy()[:, 0, 0, 0] + 1) * 127.5)
        assert labels.numpy().tolist() == (values // 6).tolist()


def test_networks_that_take_labels_need_them(pictures, labelled_network):
    with pytest.raises(UserError, match=r"^--network: expected one that takes no labels"):
        images_of(pictures, network="labelled")
    assert preset("cifar10", {"network": "labelled"}).has_labels


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no file"),
        ("name,label\na,b\n", "columns file and label"),
        ("", "no rows"),
        ("file,label\ncat2/0.png,a\n", r"none of cat2/1\.png and of 16 others"),
        ("file,label\n" + "".join(f"{name},a\n" for name in NAMES), r"2 different labels.*'a'"),
        (
            "file,label\n" + "".join(f"{name},a\n" for name in NAMES[:-1]) + f"{NAMES[-1]},\n",
            r"a label of every image.*none of dog/pup/5\.png",
        ),
    ],
)
def test_files_of_labels_that_do_not_fit_are_refused(pictures, tmp_path, content, told):
    path = tmp_path / "labels.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=f"^--labels: expected .*{told}"):
        images_of(pictures, labels=str(path))


def test_folders_that_are_no_classes_are_refused(tmp_path):
    loose = write_pictures(tmp_path / "loose", ["a/0.png", "b/0.png", *(f"{i}.png" for i in "cde")])
    with pytest.raises(UserError, match=r"in a sub-folder.*Received: c\.png"):
        class_folders(loose, ["a/0.png", "c.png"])
    with pytest.raises(UserError, match=r"at least 2 sub-folders.*Received: 1"):
        class_folders(tmp_path, ["a/0.png", "a/b/1.png"])
    with pytest.raises(UserError, match=r"every class in .*/train\. Received: none of b"):
        class_folders(tmp_path, ["train/a/0.png", "test/a/0.png", "test/b/0.png"])
    with pytest.raises(UserError, match=r"^--hold_out: expected images with --labels=folders"):
        images_of(loose, labels="folders", hold_out="folders")


def test_train_and_test_are_parts_only_where_folders_lie_in_them():
    assert own_parts(["train/a/0.png", "test/a/0.png"]).tolist() == [False, True]
    assert own_parts(["train/0.png", "test/0.png"]) is None
    assert own_parts(["train/a/0.png", "test/a/0.png", "more/a/0.png"]) is None


def test_rows_come_in_the_order_of_the_names(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file,label\nb,2\na,1\n")
    assert rows_of_labels(path, ["a", "b"]) == ["1", "2"]


def test_the_word_folders_is_no_path(pictures, tmp_path):
    assert with_whole_paths("labels", "folders") == "folders"
    assert with_whole_paths("labels", "a.csv").endswith("/a.csv")
    experiment = preset("images", {"data": str(pictures), "labels": "folders"})
    assert from_flags(to_flags(experiment)) == experiment
    plain = preset("images", {"data": str(pictures)})
    assert data_differences(experiment, plain) == ["--labels: folders, not nothing"]
