"""A CIFAR-10 of six batches of two pictures, in the binary version that the tests write."""

import io
import os
import tarfile
import zipfile

import numpy as np
import pytest

from logan.datasets.cifar10 import BATCHES, Cifar10Error, load_cifar10, load_cifar10_labels
from logan.errors import UserError

ROWS = np.random.default_rng(0).integers(0, 256, (len(BATCHES), 2, 3072), dtype=np.uint8)
# [pictures, height, width, colour]
EXPECTED = ROWS.reshape(12, 3, 32, 32).transpose(0, 2, 3, 1)


def batch(rows, kind=3):
    """Each picture behind its kind."""
    return b"".join(bytes([kind]) + row.tobytes() for row in rows)


def batches():
    return {name: batch(ROWS[index]) for index, name in enumerate(BATCHES)}


def write_folder(folder, others=()):
    place = folder / "cifar-10-batches-bin"
    place.mkdir(parents=True)
    for name, content in (batches() | dict(others)).items():
        (place / name).write_bytes(content)
    return folder


def write_archive(path, contents=None, prefix="cifar-10-batches-bin/"):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (batches() if contents is None else contents).items():
            member = tarfile.TarInfo(prefix + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def check(result):
    frames, train, test = result
    assert frames.dtype == np.uint8
    np.testing.assert_array_equal(frames, EXPECTED)
    assert train.dtype == test.dtype == np.int64
    assert train.tolist() == list(range(10)) and test.tolist() == [10, 11]


def refusal(path):
    with pytest.raises(Cifar10Error) as caught:
        load_cifar10(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------- what is loaded


@pytest.mark.parametrize("given", [".", "cifar-10-batches-bin"])
def test_a_folder(tmp_path, given):
    check(load_cifar10(write_folder(tmp_path) / given))


@pytest.mark.parametrize("given", [".", "cifar-10-binary.tar.gz"])
def test_an_archive(tmp_path, given):
    write_archive(tmp_path / "cifar-10-binary.tar.gz")
    check(load_cifar10(tmp_path / given))
    assert len(list(tmp_path.iterdir())) == 1


def test_names_with_spaces_and_of_any_script(tmp_path):
    (tmp_path / "кре́сты 交差点 ü").mkdir()
    check(load_cifar10(write_archive(tmp_path / "кре́сты 交差点 ü" / "my cifar.tar.gz")))


@pytest.mark.parametrize("writer", [write_folder, write_archive])
def test_what_may_not_be_read(open_folder, without_privileges, writer):
    path = writer(open_folder / "cifar-10-binary.tar.gz")
    locked = path / "cifar-10-batches-bin" / "data_batch_3.bin" if path.is_dir() else path
    locked.chmod(0)
    with without_privileges():
        assert "Permission denied" in refusal(path)


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert "nothing is there" in refusal(tmp_path / "one")


def test_a_zip_of_ones_own_and_batches_in_any_order(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in reversed(batches().items()):
            archive.writestr(f"my/{name}", content)
        archive.writestr("my/batches.meta.txt", "airplane")
    check(load_cifar10(tmp_path / "a.zip"))


def test_size_and_channels(tmp_path):
    rows = np.repeat(np.array([200, 40, 40], np.uint8), 1024).reshape(1, 3072)
    contents = dict.fromkeys(BATCHES, batch(rows))
    path = write_archive(tmp_path / "a.tar.gz", contents)
    frames, _, _ = load_cifar10(path, size=8)
    assert frames.shape == (6, 8, 8, 3)
    assert (frames == [200, 40, 40]).all()
    grey, _, _ = load_cifar10(path, size=64, channels=1)
    assert grey.shape == (6, 64, 64, 1)
    assert (grey == 88).all()


def test_labels_come_in_the_order_of_the_frames(tmp_path):
    contents = {name: batch(ROWS[index], kind=index) for index, name in enumerate(BATCHES)}
    for path in (write_archive(tmp_path / "a.tar.gz", contents), write_folder(tmp_path, contents)):
        labels = load_cifar10_labels(path)
        assert labels.dtype == np.int64
        assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_cache_is_used_until_the_source_changes(tmp_path):
    write_folder(tmp_path / "set")
    settings = {"cache_dir": tmp_path / "cache"}
    check(load_cifar10(tmp_path / "set", **settings))
    place = tmp_path / "set" / "cifar-10-batches-bin" / "test_batch.bin"
    before = place.stat().st_mtime_ns
    # Were it read again, this would be seen.
    place.write_bytes(batch(ROWS[1]))
    os.utime(place, ns=(before, before))
    result = load_cifar10(tmp_path / "set", **settings)
    assert isinstance(result[0], np.memmap)
    check(result)
    place.write_bytes(batch(ROWS[0]))
    frames, _, _ = load_cifar10(tmp_path / "set", **settings)
    np.testing.assert_array_equal(frames[10:], EXPECTED[:2])


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Received: 0 bytes"),
        (b"This is a text.", "Expected pictures of 3073 bytes each"),
        (batch(ROWS[0])[:3000], "Received: 3000 bytes"),
        (batch(ROWS[0]) + b"\0", "Received: 6147 bytes"),
        (batch(ROWS[0, :, :3000]), "Received: 6002 bytes"),
        (batch(ROWS[0, :1]), "Expected 1 pictures"),
        (batch(ROWS[0], kind=10), "one of the kind 10"),
    ],
)
@pytest.mark.parametrize(
    "write", [write_folder, lambda f, others: write_archive(f / "a.tar.gz", batches() | others)]
)
def test_a_damaged_batch(tmp_path, content, message, write):
    text = refusal(write(tmp_path, {"data_batch_1.bin": content}))
    assert message in text and "data_batch" in text


def test_a_batch_that_would_fill_the_memory(tmp_path):
    folder = write_folder(tmp_path)
    os.truncate(folder / "cifar-10-batches-bin" / "data_batch_1.bin", 2**26 + 1)
    assert "Expected at most 67108864 bytes in data_batch_1.bin" in refusal(folder)


def test_the_version_of_pickles_is_refused_and_the_other_is_named(tmp_path):
    pickles = {name.removesuffix(".bin"): b"\x80\x02}." for name in BATCHES}
    archive = write_archive(tmp_path / "cifar-10-python.tar.gz", pickles, "cifar-10-batches-py/")
    (tmp_path / "cifar-10-batches-py").mkdir()
    for name, content in pickles.items():
        (tmp_path / "cifar-10-batches-py" / name).write_bytes(content)
    for path in (archive, tmp_path, tmp_path / "cifar-10-batches-py"):
        message = refusal(path)
        assert 'Fetch "CIFAR-10 binary version", cifar-10-binary.tar.gz' in message
        assert 'The "python version" is not read' in message


def test_a_batch_that_is_missing(tmp_path):
    folder = write_folder(tmp_path / "set")
    (folder / "cifar-10-batches-bin" / "data_batch_3.bin").unlink()
    assert "Received: no data_batch_3.bin." in refusal(folder)
    contents = batches()
    del contents["test_batch.bin"]
    path = write_archive(tmp_path / "a.tar.gz", contents)
    assert "Received: no test_batch.bin." in refusal(path)


def test_nothing_there(tmp_path):
    assert "nothing is there" in refusal(tmp_path / "absent")
    message = refusal(tmp_path)
    assert "Received: neither" in message and "1. Open https://www.cs.toronto.edu" in message


def test_no_archive(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz")
    content = path.read_bytes()
    for damaged in (b"", b"<html></html>" * 100, content[: len(content) // 2]):
        path.write_bytes(damaged)
        assert "Expected the archive cifar-10-binary.tar.gz, whole" in refusal(path)


@pytest.mark.parametrize("prefix", ["../", "/", "a/../../"])
def test_names_that_escape_are_refused(tmp_path, prefix):
    path = write_archive(tmp_path / "a.tar.gz", prefix=prefix)
    assert "leads out of it" in refusal(path)


def test_links_in_an_archive_are_not_followed(tmp_path):
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in BATCHES:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
    assert "Received: no data_batch_1.bin" in refusal(path)


def test_settings_out_of_range(tmp_path):
    for settings in ({"size": 0}, {"channels": 2}):
        with pytest.raises(UserError, match=f"Expected {next(iter(settings))}"):
            load_cifar10(write_folder(tmp_path / str(settings)), **settings)


# --------------------------------------------------------------------------- TensorFlow Datasets


@pytest.fixture
def builder(tmp_path, monkeypatch):
    """A builder like TFDS's own of cifar10, which generates the pictures of these tests."""
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.core.registered.skip_registration():

        class Cifar10(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("3.0.2")

            def _info(self):
                image = tfds.features.Image(shape=(32, 32, 3))
                return tfds.core.DatasetInfo(
                    builder=self, features=tfds.features.FeaturesDict({"image": image})
                )

            def _split_generators(self, dl_manager):
                return {
                    "train": self._generate_examples(0, 10),
                    "test": self._generate_examples(10, 12),
                }

            def _generate_examples(self, start, stop):
                for index in range(start, stop):
                    yield index, {"image": EXPECTED[index]}

    made = Cifar10(data_dir=tmp_path / "tfds")
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir: {"cifar10": made}[name])
    return made


def test_the_tfds_road(builder):
    frames, train, test = load_cifar10()
    assert frames.shape == (12, 32, 32, 3)
    assert train.tolist() == list(range(10)) and test.tolist() == [10, 11]
    # TFDS shuffles the pictures of a part when it stores them.
    for found, wanted in ((frames[:10], EXPECTED[:10]), (frames[10:], EXPECTED[10:])):
        assert sorted(map(bytes, found)) == sorted(map(np.ndarray.tobytes, wanted))


def test_a_failed_download_explains_the_local_way(builder, monkeypatch):
    from tensorflow_datasets.core.download.util import DownloadError

    def fail():
        raise DownloadError("no network")

    monkeypatch.setattr(builder, "download_and_prepare", fail)
    with pytest.raises(Cifar10Error, match=r"(?s)DownloadError: no network.*1\. Open https"):
        load_cifar10()
