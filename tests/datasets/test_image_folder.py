"""Folders of pictures that the tests write: picture number n has the grey level n."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from logan.datasets import picture_files, picture_formats, pictures
from logan.datasets.image_folder import ImageFolderError, load_image_folder, load_pictures
from logan.errors import UserError

COUNT = 12


def write(path, level, size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path)
    return path


def write_many(folder, count=COUNT):
    for number in range(count):
        write(folder / f"p{number}.png", number)
    return folder


def load(folder, **settings):
    return load_image_folder(folder, **({"size": 4} | settings))


def levels(frames):
    """The grey level of each frame; fails if a frame is not of one colour."""
    assert (frames == frames[:, :1, :1, :1]).all()
    return frames[:, 0, 0, 0].tolist()


def refusal(folder, **settings):
    with pytest.raises(ImageFolderError) as caught:
        load(folder, **settings)
    assert str(folder) in str(caught.value)
    assert "Received" in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------------------- what is loaded


def test_frames_and_both_parts(tmp_path):
    frames, train, test = load(write_many(tmp_path))
    assert frames.shape == (COUNT, 4, 4, 3) and frames.dtype == np.uint8
    assert levels(frames) == list(range(COUNT))
    assert train.dtype == test.dtype == np.int64
    assert len(train) and len(test)
    assert sorted([*train, *test]) == list(range(COUNT))
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()


def test_folders_of_any_depth_in_natural_order(tmp_path):
    places = ["1.png", "2/9.png", "2/10.png", "2/x/1.png", "10/1.png", "z ü 交差点/a b.png"]
    for level, place in enumerate(places):
        write(tmp_path / place, level)
    frames, _, _ = load(tmp_path, minimum_images=6)
    assert levels(frames) == list(range(6))


def test_what_is_no_picture_is_left_alone(tmp_path):
    write_many(tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "._p3.png").write_text("left behind by a Mac")
    write(tmp_path / ".thumbnails" / "p1.png", 99)
    assert levels(load(tmp_path)[0]) == list(range(COUNT))


def test_content_decides_and_not_the_name(tmp_path):
    write_many(tmp_path)
    write(tmp_path / "q.JPEG", 100).rename(tmp_path / "q.png")
    assert abs(levels(load(tmp_path)[0])[-1] - 100) <= 1


def test_every_picture_counts_whatever_its_suffix(tmp_path):
    kinds = {".jfif": "JPEG", ".jpe": "JPEG", ".avif": "AVIF", "": "PNG", ".dat": "WEBP"}
    kinds |= {".jpg_large": "JPEG", ".JPG~": "JPEG", ".jp2": "JPEG2000", ".pbm~": "PPM"}
    kinds |= {".png?width=300": "PNG", ".tiff.part": "TIFF", ".mpo": "JPEG", ".ico": "ICO"}
    for level, (suffix, kind) in enumerate(kinds.items()):
        picture = Image.new("RGB", (32, 32), (10 * level,) * 3)
        picture.save(tmp_path / f"{level}{suffix}", format=kind)
    frames, _, _ = load(tmp_path)
    wanted = np.arange(len(kinds)).reshape(-1, 1, 1, 1) * np.full(frames.shape, 10)
    np.testing.assert_allclose(frames, wanted, atol=1)


def test_what_is_left_out_is_counted_in_a_line(tmp_path, capsys):
    write_many(tmp_path / "sub")
    for name in ("a.txt", "b.TXT", "sub/c.txt", "clip.mp4", "README", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).write_text("BM or P6, this is a text.")
    for name in ("._p1.png", ".p2.png", ".thumbnails/p3.png"):
        write(tmp_path / name, 99)
    write(tmp_path / "sub" / "raw.tif", 99).rename(tmp_path / "sub" / "raw.dng")
    (tmp_path / "gone").symlink_to("nothing")
    assert levels(load(tmp_path)[0]) == list(range(COUNT))
    assert capsys.readouterr().err == (
        f"Left out of {tmp_path}: 3 .txt, 1 .DS_Store, 1 ._*, 1 hidden .png, 1 hidden folder(s), "
        "1 without suffix, 1 .db, 1 .mp4, 2 of other kinds\n"
    )


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "IMG_1", "IMG_1.photo"])
def test_heic_without_its_plugin_is_counted_with_a_remedy(tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr(picture_formats, "HAS_HEIF", False)
    suffixes = picture_formats.PICTURE_SUFFIXES - picture_formats.HEIF_SUFFIXES
    monkeypatch.setattr(picture_files, "PICTURE_SUFFIXES", suffixes)
    write_many(tmp_path)
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    assert levels(load(tmp_path)[0]) == list(range(COUNT))
    error = capsys.readouterr().err
    assert "heic" in error and "pip install pillow-heif" in error


def test_a_large_file_of_unknown_kind_is_not_read(tmp_path, capsys):
    with (write_many(tmp_path) / "disk").open("wb") as file:
        file.truncate(2**36)  # takes no room, and a minute to read
    load(tmp_path)
    assert "1 without suffix" in capsys.readouterr().err


def test_names_are_those_of_the_frames(tmp_path):
    for place, level in {"b/10.png": 1, "b/9.png": 0, "c.png": 2, "d": 3}.items():
        write(tmp_path / f"{place}.png", level).rename(tmp_path / place)
    (tmp_path / "bad.png").write_text("no picture")
    pictures = load_pictures(tmp_path, size=4, skip_unreadable=True)
    assert pictures.names == ["b/9.png", "b/10.png", "c.png", "d"]
    assert levels(pictures.frames) == [0, 1, 2, 3]
    with pytest.raises(UserError, match="Expected minimum_images of 1 or more"):
        load_pictures(tmp_path, size=4, minimum_images=0)


def test_sizes_may_differ_and_the_middle_square_is_taken(tmp_path):
    write_many(tmp_path)
    pixels = np.zeros((8, 24, 3), np.uint8)
    pixels[:, 8:16] = 77
    Image.fromarray(pixels).save(tmp_path / "q1.png")
    Image.fromarray(pixels.transpose(1, 0, 2)).save(tmp_path / "q2.bmp")
    write(tmp_path / "q3.png", 88, (1, 1))
    assert levels(load(tmp_path)[0])[-3:] == [77, 77, 88]


def test_crop_and_channels(tmp_path):
    write_many(tmp_path)
    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[4:, 10:] = 200, 40, 40
    Image.fromarray(pixels).save(tmp_path / "q.png")
    frames, _, _ = load(tmp_path, crop=(10, 4, 2, 4), channels=1)
    assert frames.shape == (COUNT + 1, 4, 4, 1)
    assert levels(frames)[-1] == 88


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(write_many(tmp_path)))
    assert len(load("~")[0]) == COUNT


def test_progress_is_drawn_only_when_asked_for(tmp_path, capsys):
    load(write_many(tmp_path))
    assert capsys.readouterr() == ("", "")
    load(tmp_path, show_progress=True)
    out, error = capsys.readouterr()
    assert out == "" and "reading pictures" in error and f"{COUNT}/{COUNT}" in error


# ----------------------------------------------------------------------------------------- links


def test_linked_folders_are_followed_and_loops_end(tmp_path):
    folder = write_many(tmp_path / "pictures")
    write(tmp_path / "elsewhere" / "a.png", 50)
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "sub").mkdir()
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "itself").symlink_to("itself")
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    assert sorted(levels(load(folder)[0])) == [*range(COUNT), 50]


def test_a_folder_that_is_reached_twice_counts_once(tmp_path):
    write_many(tmp_path / "real")
    (tmp_path / "a link").symlink_to(tmp_path / "real")
    assert levels(load(tmp_path)[0]) == list(range(COUNT))


# ------------------------------------------------------------------------------ what is refused


def test_no_folder(tmp_path):
    assert "nothing is there" in refusal(tmp_path / "absent")
    assert "Received: a file" in refusal(write(tmp_path / "a.png", 1))


def test_a_folder_without_pictures(tmp_path):
    assert refusal(tmp_path).endswith("none that can be read, also in its sub-folders.")
    (tmp_path / "a.mp4").write_text("")
    assert "It holds other files: 1 .mp4." in refusal(tmp_path)


def test_too_few_pictures(tmp_path):
    write_many(tmp_path, 9)
    assert "Expected at least 10 pictures" in refusal(tmp_path)
    assert len(load(tmp_path, minimum_images=9)[0]) == 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "size"),
        ({"channels": 2}, "channels"),
        ({"test_fraction": 0}, "test_fraction"),
        ({"test_fraction": 1}, "test_fraction"),
        ({"test_fraction": float("nan")}, "test_fraction"),
        ({"split": "random"}, "split"),
        ({"crop": (0, 0, 0, 4)}, "crop"),
        ({"crop": (0, 0, 4)}, "crop"),
        ({"minimum_images": 1}, "minimum_images"),
    ],
)
def test_settings_out_of_range(tmp_path, settings, message):
    write_many(tmp_path)
    with pytest.raises(UserError, match=f"Expected {message}.*Received"):
        load(tmp_path, **settings)


@pytest.fixture
def damaged(tmp_path):
    """12 good pictures, and 13 that cannot be read."""
    folder = write_many(tmp_path / "pictures")
    (folder / "empty.jpg").touch()
    (folder / "sub").mkdir()
    (folder / "sub" / "text ü.png").write_text("no picture")
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "cut.png")
    content = (folder / "cut.png").read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    (folder / "link.png").symlink_to("nothing")
    for number in range(9):
        (folder / f"z{number}.gif").write_text("no picture")
    return folder


def test_all_unreadable_pictures_are_listed_in_one_error(damaged):
    message = refusal(damaged)
    assert "Received 13 that cannot be read" in message
    assert "cut.png: " in message
    assert "empty.jpg: an empty file (0 bytes)" in message
    assert "link.png: a broken link" in message
    assert "sub/text ü.png: no picture in AVIF" in message
    assert all(f"z{number}.gif: no picture" in message for number in range(9))
    assert "--skip_unreadable" in message


@pytest.mark.parametrize("cache", [False, True])
def test_unreadable_pictures_are_left_out_and_named(damaged, tmp_path, capsys, cache):
    settings = {"cache_dir": tmp_path / "cache"} if cache else {}
    for _ in range(2):
        frames, train, test = load(damaged, skip_unreadable=True, **settings)
        assert levels(frames) == list(range(COUNT))
        assert sorted([*train, *test]) == list(range(COUNT))
        assert f"Left out of {damaged}: 13 that cannot be read" in capsys.readouterr().err
    # What was left out of the cache is no reason to be silent about it later.
    assert "Received 13 that cannot be read" in refusal(damaged, **settings)


def test_the_split_of_what_is_left_is_that_of_its_names(damaged):
    _, _, test = load(damaged, skip_unreadable=True)
    for path in damaged.rglob("*"):
        if path.is_symlink() or (path.is_file() and not path.name.startswith("p")):
            path.unlink()
    np.testing.assert_array_equal(load(damaged)[2], test)


def test_too_few_are_readable(damaged):
    message = refusal(damaged, skip_unreadable=True, minimum_images=13)
    assert "Expected at least 13 pictures" in message and "Received 12, and 13 that" in message


def test_none_is_readable(tmp_path):
    for number in range(COUNT):
        (tmp_path / f"{number}.png").touch()
    assert "Received 0, and 12 that" in refusal(tmp_path, skip_unreadable=True)


def test_a_crop_beyond_a_picture_names_it(tmp_path):
    write_many(tmp_path)
    write(tmp_path / "small.png", 9, (5, 5))
    assert "small.png: crop 6x6 at (0, 0)" in refusal(tmp_path, crop=(0, 0, 6, 6))


def test_a_picture_that_would_fill_the_memory(tmp_path, monkeypatch):
    write_many(tmp_path)
    write(tmp_path / "huge.png", 9, (100, 100))
    monkeypatch.setattr(pictures, "MAXIMUM_PIXELS", 1000)
    assert "huge.png: more than 1,000 pixels" in refusal(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permission_denied(open_folder, without_privileges):
    folder = write_many(open_folder / "pictures")
    (folder / "p3.png").chmod(0)
    (folder / "locked").mkdir(mode=0)
    with without_privileges():
        message = refusal(folder)
    (folder / "locked").chmod(0o700)
    assert "p3.png: permission denied" in message and "locked/: Permission denied" in message


def test_permission_is_asked_for_again_when_there_is_a_cache(tmp_path, monkeypatch):
    folder = write_many(tmp_path / "pictures")
    settings = {"cache_dir": tmp_path / "cache", "skip_unreadable": True}
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: not str(path).endswith("p3.png"))
        assert "p3.png: permission denied" in refusal(folder)
        assert 3 not in levels(load(folder, **settings)[0])
    assert levels(load(folder, **settings)[0]) == list(range(COUNT))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(write_many(tmp_path) / "pipe.png")
    assert "pipe.png: a device or a pipe" in refusal(tmp_path)


# ------------------------------------------------------------------------------------- the split


def test_single_pictures_keep_their_side_when_others_come(tmp_path):
    write_many(tmp_path, 40)

    def sides():
        frames, _, test = load(tmp_path)
        return {level: index in test for index, level in enumerate(levels(frames))}

    before = sides()
    # Their names stand before, between and after the others.
    for number in range(40):
        write(tmp_path / f"{'apz'[number % 3]}{number + 100}.png", number + 100)
    after = sides()
    assert {level: after[level] for level in before} == before
    assert len(set(after.values())) == 2


def test_the_share_of_single_pictures(tmp_path):
    write_many(tmp_path, 200)
    # Four standard deviations of a binomial: 4 * sqrt(200 * 0.3 * 0.7) = 26.
    assert abs(len(load(tmp_path, test_fraction=0.3)[2]) - 60) < 26


@pytest.mark.parametrize("test_fraction", [1e-9, 1 - 1e-9])
@pytest.mark.parametrize("split", ["images", "folders"])
def test_no_side_is_empty(tmp_path, test_fraction, split):
    for number in range(10):
        write(tmp_path / f"s{number}" / "1.png", number)
    _, train, test = load(tmp_path, test_fraction=test_fraction, split=split)
    assert min(len(train), len(test)) == 1


def test_whole_people_are_held_out(tmp_path):
    # As in the ORL faces: s1 to s40, ten pictures each.
    for person in range(1, 41):
        for number in range(1, 4):
            write(tmp_path / f"s{person}" / f"{number}.png", person)
    frames, train, test = load(tmp_path, split="folders", test_fraction=0.2)
    of = np.array(levels(frames))
    assert sorted(set(of[test])) == [5, 10, 15, 20, 25, 30, 35, 40]
    assert not set(of[test]) & set(of[train])
    assert len(test) == 24 and len(train) == 96


def test_too_few_folders_to_hold_out(tmp_path):
    write_many(tmp_path / "a")
    write(tmp_path / "b.png", 5)
    assert "at least 2 sub-folders" in refusal(tmp_path, split="folders")


# ---------------------------------------------------------------------------------------- cache


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A folder, a function that loads it with a cache, and the names that had to be decoded."""
    from logan.datasets import image_folder

    folder = write_many(tmp_path / "pictures")
    decoded = []
    read = image_folder.read_picture
    monkeypatch.setattr(
        image_folder, "read_picture", lambda path: decoded.append(path.name) or read(path)
    )
    return folder, lambda **more: load(folder, cache_dir=tmp_path / "cache", **more), decoded


def test_a_second_load_decodes_nothing(cached, tmp_path):
    folder, load_cached, decoded = cached
    first, second = load_cached(), load_cached()
    assert len(decoded) == COUNT
    assert isinstance(second[0], np.memmap)
    for one, other, plain in zip(first, second, load(folder), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, plain)
    assert len(list((tmp_path / "cache").glob("frames-*"))) == 2


def test_the_split_needs_no_decoding(cached):
    _, load_cached, decoded = cached
    load_cached()
    assert len(load_cached(test_fraction=0.9)[2]) > len(load_cached(test_fraction=0.1)[2])
    assert len(decoded) == COUNT


def test_a_change_is_seen(cached, tmp_path):
    folder, load_cached, _ = cached
    load_cached()
    write(folder / "p3.png", 200)
    assert levels(load_cached()[0])[3] == 200
    write(folder / "sub" / "new.png", 201)
    assert levels(load_cached()[0])[-1] == 201
    (folder / "p4.png").unlink()
    assert 4 not in levels(load_cached()[0])
    (folder / "p5.png").rename(folder / "sub" / "p5.png")
    assert levels(load_cached()[0])[-1] == 5
    os.utime(folder / "p6.png", ns=(1, 1))
    assert levels(load_cached()[0]) == levels(load(folder)[0])
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1


def test_another_setting_has_a_cache_of_its_own(cached, tmp_path):
    _, load_cached, _ = cached
    for settings in ({}, {"size": 8}, {"channels": 1}, {"crop": (0, 0, 2, 2)}):
        load_cached(**settings)
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 4


def test_a_damaged_cache_is_built_again(cached, tmp_path):
    _, load_cached, decoded = cached
    load_cached()
    note = next((tmp_path / "cache").glob("*.json"))
    content = json.loads(note.read_text())
    for damage in (
        "",
        "[]",
        json.dumps({name: content[name] for name in content if name != "notes"}),
    ):
        note.write_text(damage)
        assert levels(load_cached()[0]) == list(range(COUNT))
    assert len(decoded) == 4 * COUNT


def test_a_refused_folder_leaves_no_cache(damaged, tmp_path):
    refusal(damaged, cache_dir=tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf_8(tmp_path):
    folder = write_many(tmp_path / "pictures")
    bad = folder / os.fsdecode(b"\xff.png")
    (folder / "p0.png").rename(bad)
    assert len(load(folder, cache_dir=tmp_path / "cache")[0]) == COUNT
    bad.write_text("no picture")
    frames, _, _ = load(folder, cache_dir=tmp_path / "cache", skip_unreadable=True)
    assert len(frames) == COUNT - 1


# --------------------------------------------------------------------------------------- memory

PEAK = """
import re, sys
from logan.datasets.image_folder import load_image_folder
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1)) / 1024
few, many, cache = sys.argv[1:]
load_image_folder(few, size=8, cache_dir=cache)
before = peak()
frames, _, _ = load_image_folder(many, size=8, cache_dir=cache)
print(len(frames), peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own measure of memory")
def test_memory_stays_flat(tmp_path):
    content = write(tmp_path / "one.png", 5, (128, 128)).read_bytes()
    for folder, count in (("few", 50), ("many", 3000)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number}.png").write_bytes(content)
    result = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "few", tmp_path / "many", tmp_path / "cache"],
        capture_output=True,
        text=True,
        check=True,
    )
    count, growth = result.stdout.split()
    assert int(count) == 3000
    # Decoded, the 3,000 pictures have 147 MB.
    assert float(growth) < 30
