"""Images from wherever people have them, and what is refused."""

import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from logan.datasets.image_sets import Shape, load_image_set, shape_of, with_labels
from logan.errors import UserError


def levels(*values, side=4, channels=1):
    """uint8 images of one value each."""
    shape = (len(values), side, side, channels)
    return np.broadcast_to(np.reshape(values, (-1, 1, 1, 1)), shape).astype(np.uint8)


def load(source, size=4, channels=1):
    return load_image_set(source, size, channels, "--real")


@pytest.fixture
def folder(tmp_path):
    for name, value in (("b/1.png", 10), ("a/2.png", 20), ("a/10.png", 30)):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 6), value, np.uint8)).save(path)
    return tmp_path / "pictures"


def test_a_nested_folder_has_names_and_its_sub_folders_as_labels(folder):
    found = load(folder)
    assert found.names.files == ["a/2.png", "a/10.png", "b/1.png"]
    assert found.images[:, 0, 0, 0].tolist() == [20, 30, 10]
    assert found.labels.tolist() == [0, 0, 1] and found.label_names == ["a", "b"]
    assert shape_of(folder, "--real") == Shape(4, 1)


def test_an_archive_is_read_as_its_folder(folder, tmp_path):
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.png"):
            archive.write(file, file.relative_to(folder))
    np.testing.assert_array_equal(load(path).images, load(folder).images)
    assert load(path).names.files == load(folder).names.files


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_of_either_kind_give_the_same_pixels(tmp_path, suffix):
    path = tmp_path / f"images{suffix}"
    images = levels(0, 51, 255)
    for stored in (images, images[..., 0], images / 127.5 - 1):
        np.save(path, stored) if suffix == ".npy" else np.savez(path, samples=stored, seed=3)
        found = load(path)
        np.testing.assert_array_equal(found.images, images)
        assert found.names.files == [f"images{suffix}[{i}]" for i in range(3)]
        assert found.labels is None
    assert shape_of(images, "--real") == Shape(4, 1)


def test_images_are_cut_to_squares_and_resized():
    wide = np.zeros((1, 8, 16, 3), np.uint8)
    wide[:, :, 4:12] = 200
    assert (load(wide, size=4, channels=3).images == 200).all()
    assert load(wide, size=4).images.shape == (1, 4, 4, 1)


def test_a_video_gives_its_frames(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for value in range(0, 200, 20):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), value, np.uint8))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    found = load(path, size=8)
    assert len(found) == 10 and set(found.names.files) == {"clip.mp4"}
    assert np.all(np.diff(found.images[:, 4, 4, 0].astype(int)) > 10)


def test_some_are_spread_evenly(folder):
    some = load(folder).spread(2)
    assert some.names.files == ["a/2.png", "b/1.png"] and some.labels.tolist() == [0, 1]
    assert "2 evenly spread" in some.text
    assert len(load(folder).spread(9)) == 3


def test_labels_of_a_file(folder, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("\ufefffile,label\na/2.png,cat\na/10.png,dog\nb/1.png,cat\nelsewhere,cow\n")
    found = with_labels(load(folder), path)
    assert found.labels.tolist() == [0, 1, 0] and found.label_names == ["cat", "dog"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na/2.png,cat\n", "none of a/10.png and of 1 others"),
        ("name,label\na/2.png,cat\n", "Received: name, label"),
        ("", "Received: no rows"),
    ],
)
def test_labels_that_do_not_fit_are_refused(folder, tmp_path, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=f"--labels: expected .*{message}"):
        with_labels(load(folder), path)
    with pytest.raises(UserError, match="--labels: expected a CSV file"):
        with_labels(load(folder), tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 4, 4, 2), np.uint8), r"an array of shape \[3, 4, 4, 2\]"),
        (np.zeros((3, 3, 4, 4), np.uint8), "channels have to come last"),
        (np.zeros((0, 4, 4, 1), np.uint8), r"shape \[0, 4, 4, 1\]"),
        (np.zeros((3, 4, 4), np.int64), "int64"),
        (np.full((3, 4, 4), 255.0), "255 to 255"),
        (np.linspace(0, 1, 48).reshape(3, 4, 4), "no value below 0"),
        (np.full((3, 4, 4), np.nan), "NaN or infinity"),
    ],
)
def test_arrays_of_a_wrong_shape_or_range_are_refused(array, message):
    with pytest.raises(UserError, match=f"--real: expected .*{message}"):
        load(array)


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npy").write_text("not an array")
    (tmp_path / "text.mp4").write_text("not a video")
    np.savez(tmp_path / "two.npz", a=np.zeros(3), b=np.zeros(3))
    for name, message in (
        ("none", "nothing is there"),
        ("empty", "none|No picture|pictures"),
        ("text.npy", "expected an array"),
        ("two.npz", "Received: a, b"),
        ("text.mp4", "text.mp4"),
    ):
        with pytest.raises(UserError, match=f"(?s)--real: .*({message})"):
            shape_of(tmp_path / name, "--real")


def test_pictures_that_cannot_be_read_are_named_or_left_out(folder, capsys):
    (folder / "a" / "1.png").write_bytes(b"no picture")
    assert shape_of(folder, "--real") == Shape(4, 1)
    with pytest.raises(UserError, match=r"(?s)--real: .*a/1\.png"):
        load(folder)
    assert len(load_image_set(folder, 4, 1, "--real", skip_unreadable=True)) == 3
    assert "a/1.png" in capsys.readouterr().err


def test_paths_are_strings_too(folder):
    assert len(load(str(folder))) == len(load(Path(folder)))
