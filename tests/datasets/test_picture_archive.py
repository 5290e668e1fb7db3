"""Zip archives of pictures that the tests write: picture number n has the grey level n."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from logan.datasets import picture_files
from logan.datasets.image_folder import ImageFolderError, load_image_folder, load_pictures

COUNT = 12
NAMES = [f"{'ab'[number // 6]}/p{number}.png" for number in range(COUNT)]


def png(level):
    file = io.BytesIO()
    Image.new("RGB", (12, 8), (level, level, level)).save(file, "PNG")
    return file.getvalue()


PICTURES = {name: png(level) for level, name in enumerate(NAMES)}


def write(path, members=PICTURES, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.mkdir("a")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def load(path, **settings):
    return load_pictures(path, size=4, **settings)


def refusal(path, **settings):
    with pytest.raises(ImageFolderError) as caught:
        load(path, **settings)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_gives_what_its_folder_gives(tmp_path, method):
    path = write(tmp_path / "faces.zip", method=method)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "faces")
    packed, unpacked = load(path), load(tmp_path / "faces")
    assert packed.names == unpacked.names == NAMES
    np.testing.assert_array_equal(packed.frames, unpacked.frames)
    assert packed.frames[:, 0, 0, 0].tolist() == list(range(COUNT))
    for split in ("images", "folders"):
        parts = [load_image_folder(p, size=4, split=split) for p in (path, tmp_path / "faces")]
        for one, other in zip(*parts, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_is_left_out_of_an_archive(tmp_path, capsys):
    others = {"__MACOSX/a/._p1.png": png(99), "a/._p2.png": b"", ".x/p.png": png(99)}
    others |= {"a/notes.txt": b"BM", "list.csv": b"", "clip.mp4": b"", "README": b"P6 is a format"}
    path = write(tmp_path / "faces", PICTURES | others | {"z": png(50)})
    assert load(path).names == [*NAMES, "z"]
    assert capsys.readouterr().err == (
        f"Left out of {path}: 2 in hidden folders, 1 ._*, 1 .txt, 1 .csv, 1 .mp4, "
        "1 without suffix\n"
    )


def test_an_archive_is_cached_until_it_changes(tmp_path, monkeypatch):
    path, cache = write(tmp_path / "faces.zip"), tmp_path / "cache"
    first = load(path, cache_dir=cache)
    with monkeypatch.context() as patch:
        patch.setattr(picture_files, "_content", None)
        again = load(path, cache_dir=cache)
    assert again.names == first.names and isinstance(again.frames, np.memmap)
    np.testing.assert_array_equal(again.frames, first.frames)
    write(path, PICTURES | {NAMES[3]: png(200)})
    assert load(path, cache_dir=cache).frames[3, 0, 0, 0] == 200


@pytest.mark.parametrize("names", [NAMES, NAMES[5:6]])
def test_an_encrypted_archive_is_refused(tmp_path, names):
    path = write(tmp_path / "faces.zip")
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        starts = [archive.getinfo(name).header_offset for name in names]
    for name, start in zip(names, starts, strict=True):
        # The flags of a member, before its content and in the directory at the end.
        content[start + 6] |= 1
        content[content.rindex(name.encode()) - 46 + 8] |= 1
    path.write_bytes(content)
    assert f"{names[0]} is encrypted" in refusal(path, skip_unreadable=True)


def test_an_unknown_compression_is_refused(tmp_path):
    path = write(tmp_path / "faces.zip")
    content = bytearray(path.read_bytes())
    # Windows takes Deflate64, method 9, for large archives.
    content[content.rindex(NAMES[2].encode()) - 46 + 10] = 9
    path.write_bytes(content)
    message = refusal(path, skip_unreadable=True)
    assert f"Expected {NAMES[2]} deflated" in message and "method 9" in message


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_damaged_archive_is_refused(tmp_path, share):
    path = write(tmp_path / "faces.zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "Received: a damaged archive" in refusal(path)


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "faces.zip"
    for content in (b"", b"<!DOCTYPE html>"):
        path.write_bytes(content)
        assert "Received: a damaged archive" in refusal(path)
    assert "Received: a file" in refusal(path.rename(tmp_path / "faces.txt"))


def test_a_damaged_picture_is_named(tmp_path, capsys):
    path = write(tmp_path / "faces.zip", method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 8] ^= 255
    path.write_bytes(content)
    assert f"Received 1 that cannot be read or cropped:\n  {NAMES[0]}: " in refusal(path)
    assert load(path, skip_unreadable=True).names == NAMES[1:]
    assert f"{NAMES[0]}: damaged in the archive: Bad CRC-32" in capsys.readouterr().err


def test_a_member_that_would_fill_the_memory(tmp_path, monkeypatch):
    path = write(tmp_path / "faces.zip", PICTURES | {"z.png": bytes(10000)})
    monkeypatch.setattr(picture_files, "MAXIMUM_MEMBER_BYTES", 9999)
    assert "z.png: 10000 bytes; expected 9999 at most" in refusal(path)


def test_an_archive_without_pictures(tmp_path):
    message = refusal(write(tmp_path / "a.zip", {"a.txt": b"", "b.zip": b"PK"}))
    assert "It holds other files: 1 .txt, 1 .zip." in message
