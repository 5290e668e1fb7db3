"""A CIFAR-10 of six batches of two pictures, written as its author's Python 2 would have."""

import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from logan.datasets.cifar10 import BATCHES, Cifar10Error, load_cifar10
from logan.errors import UserError

ROWS = np.random.default_rng(0).integers(0, 256, (len(BATCHES), 2, 3072), dtype=np.uint8)
# [pictures, height, width, colour]
EXPECTED = ROWS.reshape(12, 3, 32, 32).transpose(0, 2, 3, 1)


def batch(rows, protocol=2, key=b"data"):
    content = {b"batch_label": b"a batch", b"labels": [3] * len(rows), key: rows}
    return pickle.dumps(content | {b"filenames": [b"a.png"] * len(rows)}, protocol)


def batches(protocol=2):
    return {name: batch(ROWS[index], protocol) for index, name in enumerate(BATCHES)}


def write_folder(folder, **others):
    place = folder / "cifar-10-batches-py"
    place.mkdir(parents=True)
    for name, content in (batches() | others).items():
        (place / name).write_bytes(content)
    return folder


def write_archive(path, contents=None, prefix="cifar-10-batches-py/"):
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


@pytest.mark.parametrize("given", [".", "cifar-10-batches-py"])
def test_a_folder(tmp_path, given):
    check(load_cifar10(write_folder(tmp_path) / given))


@pytest.mark.parametrize("given", [".", "cifar-10-python.tar.gz"])
def test_an_archive(tmp_path, given):
    write_archive(tmp_path / "cifar-10-python.tar.gz")
    check(load_cifar10(tmp_path / given))
    assert len(list(tmp_path.iterdir())) == 1


def test_names_with_spaces_and_of_any_script(tmp_path):
    (tmp_path / "кре́сты 交差点 ü").mkdir()
    check(load_cifar10(write_archive(tmp_path / "кре́сты 交差点 ü" / "my cifar.tar.gz")))


@pytest.mark.parametrize("writer", [write_folder, write_archive])
def test_what_may_not_be_read(open_folder, without_privileges, writer):
    path = writer(open_folder / "cifar-10-python.tar.gz")
    locked = path / "cifar-10-batches-py" / "data_batch_3" if path.is_dir() else path
    locked.chmod(0)
    with without_privileges():
        assert "Permission denied" in refusal(path)


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert "nothing is there" in refusal(tmp_path / "one")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickles_of_python_3(tmp_path, protocol):
    check(load_cifar10(write_archive(tmp_path / "a.tar.gz", batches(protocol))))


# As Python 2 and NumPy 1.6 wrote it: strings of 8 bits and the old name of NumPy's module.
PYTHON_2 = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04"
    b"K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87R"
    b"q\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00%stb"
    b"U\x06labelsq\x08]q\tK\x06au."
)


def test_pickles_of_python_2(tmp_path):
    contents = {
        name: PYTHON_2.replace(b"%s", ROWS[index, 0].tobytes())
        for index, name in enumerate(BATCHES)
    }
    frames, train, test = load_cifar10(write_archive(tmp_path / "a.tar.gz", contents))
    np.testing.assert_array_equal(frames, EXPECTED[::2])
    assert len(train) == 5 and len(test) == 1


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


def test_a_cache_is_used_until_the_source_changes(tmp_path):
    write_folder(tmp_path / "set")
    settings = {"cache_dir": tmp_path / "cache"}
    check(load_cifar10(tmp_path / "set", **settings))
    place = tmp_path / "set" / "cifar-10-batches-py" / "test_batch"
    before = place.stat().st_mtime_ns
    # Were it read again, this would be seen.
    place.write_bytes(batches()["test_batch"].replace(b"a batch", b"A BATCH"))
    os.utime(place, ns=(before, before))
    result = load_cifar10(tmp_path / "set", **settings)
    assert isinstance(result[0], np.memmap)
    check(result)
    place.write_bytes(batch(ROWS[0]))
    frames, _, _ = load_cifar10(tmp_path / "set", **settings)
    np.testing.assert_array_equal(frames[10:], EXPECTED[:2])


# ------------------------------------------------------------------------------ what is refused


class Malicious:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.mkdir, ("hacked",), "posix.mkdir"),
        (eval, ("1 + 1",), "builtins.eval"),
        (getattr, ("", "join"), "builtins.getattr"),
        (np.load, ("a.npy",), "numpy.load"),
        (np.frombuffer, (b"abc",), "frombuffer"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_pickle_is_refused_and_not_run(
    tmp_path, monkeypatch, function, arguments, name, protocol
):
    monkeypatch.chdir(tmp_path)
    evil = pickle.dumps({b"data": Malicious(function, *arguments)}, protocol)
    folder = write_folder(tmp_path / "set", data_batch_1=evil)
    message = refusal(folder)
    assert name.split(".")[-1] in message and "which was refused" in message
    assert not (tmp_path / "hacked").exists()


def test_an_encoding_that_runs_code_is_not_looked_up(tmp_path):
    evil = b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R."
    assert "bytes in the encoding" in refusal(write_folder(tmp_path, data_batch_1=evil))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "pickle exhausted before seeing STOP"),
        (b"This is a text.", "Received: ValueError"),
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "9 bytes that remembers 2147483647 things"),
        (batch(ROWS[0])[:3000], "Received: "),
        (pickle.dumps([1, 2], 2), "Received: AttributeError"),
        (pickle.dumps({b"labels": []}, 2), "Received: KeyError"),
        (pickle.dumps({b"data": b"abc"}, 2), "Received: AttributeError"),
        (batch(ROWS[0].astype(np.float32)), "not of bytes"),
        (batch(ROWS[0].astype(object)), "not of bytes"),
        (batch(ROWS[0, :, :3000]), "an array of the shape (2, 3000)"),
        (batch(ROWS[0, 0]), "an array of the shape (3072,)"),
        (batch(ROWS[0, :0], protocol=3), "Received: none"),
        (batch(ROWS[0, :1]), "Expected 1 pictures"),
        (batch(ROWS[0]).replace(b"K\x02M\x00\x0c", b"K\x03M\x00\x0c"), "bytes for the shape"),
    ],
)
def test_a_damaged_batch(tmp_path, content, message):
    text = refusal(write_folder(tmp_path, data_batch_1=content))
    assert message in text and "data_batch" in text


def test_a_batch_that_is_missing(tmp_path):
    folder = write_folder(tmp_path / "set")
    (folder / "cifar-10-batches-py" / "data_batch_3").unlink()
    assert "Received: no data_batch_3." in refusal(folder)
    contents = batches()
    del contents["test_batch"]
    path = write_archive(tmp_path / "a.tar.gz", contents)
    assert "Received: no test_batch." in refusal(path)


def test_nothing_there(tmp_path):
    assert "nothing is there" in refusal(tmp_path / "absent")
    message = refusal(tmp_path)
    assert "Received: neither" in message and "1. Open https://www.cs.toronto.edu" in message


def test_no_archive(tmp_path):
    path = write_archive(tmp_path / "a.tar.gz")
    content = path.read_bytes()
    for damaged in (b"", b"<html></html>" * 100, content[: len(content) // 2]):
        path.write_bytes(damaged)
        assert "Expected the archive cifar-10-python.tar.gz, whole" in refusal(path)


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
    assert "Received: no data_batch_1" in refusal(path)


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
