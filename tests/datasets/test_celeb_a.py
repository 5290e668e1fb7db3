"""A CelebA of six pictures that the tests write: number n has the grey level 40 n in its middle."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from logan.datasets.celeb_a import CelebAError, load_celeb_a
from logan.errors import UserError

PARTITION = "list_eval_partition.txt"
LINES = ["000001.jpg 0", "000002.jpg 0", "000003.jpg 0", "000004.jpg 1", "000005.jpg 2"]
PARTITION_TEXT = "\n".join(LINES)
# Of the five, the fourth is for validation.
TRAIN, TEST = [40, 80, 120], [200]


def jpeg(number):
    """Grey in the middle 108 x 108 pixels, white around them."""
    image = Image.new("RGB", (178, 218), "white")
    # Wider by a block of JPEG's, whose errors stay in their blocks.
    image.paste((40 * number,) * 3, (24, 40, 152, 176))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


def pictures():
    return {f"{number:06}.jpg": jpeg(number) for number in range(1, 6)}


def write_folder(folder, lines=LINES):
    images = folder / "img_align_celeba"
    images.mkdir(parents=True)
    for name, content in pictures().items():
        (images / name).write_bytes(content)
    (folder / PARTITION).write_text("\n".join(lines) + "\n")
    return folder


def write_zip(path, members=None, partition=PARTITION_TEXT):
    members = {f"img_align_celeba/{name}": data for name, data in pictures().items()} | (
        members or {}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("img_align_celeba")
        for name, data in members.items():
            archive.writestr(name, data)
    if partition is not None:
        (path.parent / PARTITION).write_text(partition)
    return path


def load(path, **settings):
    return load_celeb_a(path, **({"size": 16} | settings))


def check_parts(result, size=16):
    frames, train, test = result
    assert frames.dtype == np.uint8 and frames.shape == (4, size, size, 3)
    assert train.dtype == test.dtype == np.int64
    assert train.tolist() == [0, 1, 2] and test.tolist() == [3]
    wanted = np.array(TRAIN + TEST).reshape(4, 1, 1, 1)
    np.testing.assert_allclose(frames, np.broadcast_to(wanted, frames.shape), atol=3)


def refusal(path):
    with pytest.raises(CelebAError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    return message


# ------------------------------------------------------------------------------- what is loaded


@pytest.mark.parametrize("given", [".", "img_align_celeba"])
def test_a_folder(tmp_path, given):
    check_parts(load(write_folder(tmp_path / "Ö CelebA") / given))


@pytest.mark.parametrize(("mode", "kind"), [("L", "JPEG"), ("CMYK", "JPEG"), ("P", "PNG")])
def test_pictures_of_other_modes_than_colour(tmp_path, mode, kind):
    """As some tools store pictures without colour; the content decides, not the name."""
    folder = write_folder(tmp_path)
    for path in (folder / "img_align_celeba").iterdir():
        with Image.open(path) as image:
            image.convert(mode).save(path, kind)
    check_parts(load(folder))


def test_a_picture_that_may_not_be_read(open_folder, without_privileges):
    folder = write_folder(open_folder / "CelebA")
    (folder / "img_align_celeba" / "000002.jpg").chmod(0)
    with without_privileges():
        assert "000002.jpg: Permission denied" in refusal(folder)


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "img_align_celeba").symlink_to(tmp_path / "again")
    (tmp_path / "again").symlink_to(tmp_path / "img_align_celeba")
    assert "Received: neither" in refusal(tmp_path)
    assert "nothing is there" in refusal(tmp_path / "again")


def test_a_folder_with_its_partition_file_inside(tmp_path):
    write_folder(tmp_path)
    (tmp_path / PARTITION).rename(tmp_path / "img_align_celeba" / PARTITION)
    check_parts(load(tmp_path))


def test_a_folder_within_a_folder_of_the_same_name(tmp_path):
    write_folder(tmp_path / "img_align_celeba")
    check_parts(load(tmp_path))


@pytest.mark.parametrize("given", [".", "img_align_celeba.zip"])
def test_an_archive(tmp_path, given):
    write_zip(tmp_path / "img_align_celeba.zip")
    check_parts(load(tmp_path / given))
    assert len(list(tmp_path.iterdir())) == 2


def test_an_archive_with_its_partition_file_inside(tmp_path):
    path = write_zip(tmp_path / "faces.zip", {PARTITION: "\n".join(LINES)}, partition=None)
    check_parts(load(path))


def test_a_tar_of_ones_own(tmp_path):
    write_folder(tmp_path / "a")
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        archive.add(tmp_path / "a", "CelebA")
    check_parts(load(tmp_path / "faces.tar"))


def test_the_authors_own_layout(tmp_path):
    (tmp_path / "Img").mkdir()
    write_zip(tmp_path / "Img" / "img_align_celeba.zip")
    (tmp_path / "Eval").mkdir()
    (tmp_path / "Img" / PARTITION).rename(tmp_path / "Eval" / PARTITION)
    check_parts(load(tmp_path))


def test_folder_and_archive_give_the_same(tmp_path):
    folder = load(write_folder(tmp_path / "a"))
    archive = load(write_zip(tmp_path / "b.zip"))
    for one, other in zip(folder, archive, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_follow_the_partition_file(tmp_path):
    frames, train, test = load(write_folder(tmp_path, [*LINES[:2], "000003.jpg 2", *LINES[3:]]))
    assert len(train) == 2
    np.testing.assert_allclose(frames[test][:, 8, 8, 0], [120, 200], atol=3)


def test_the_crop(tmp_path):
    write_folder(tmp_path)
    wide, _, _ = load(tmp_path, size=89, crop_side=178)
    assert wide[0, 0, 0, 0] > 250
    # Of 178 pixels at half size: grey from (24 + 0)/2 to 152/2, and up from (40 - 20)/2.
    np.testing.assert_allclose(wide[0, 12:76, 14:74], 40, atol=5)
    tight, _, _ = load(tmp_path, size=8, crop_side=8, channels=1)
    assert tight.shape == (4, 8, 8, 1)
    np.testing.assert_allclose(tight[0], 40, atol=3)


# ------------------------------------------------------------------------------ as it is found

CSV = "list_eval_partition.csv"
CSV_TEXT = "image_id,partition\n" + PARTITION_TEXT.replace(" ", ",") + "\n"


def png(number):
    file = io.BytesIO()
    with Image.open(io.BytesIO(jpeg(number))) as image:
        image.save(file, "PNG")
    return file.getvalue()


def found(kind):
    """A set as it comes from its sources: the content of each file by its path."""
    by_name = pictures()
    if kind == "kaggle":
        # As a Mac packs it, beside files that are of no use here.
        extra = {"__MACOSX/img_align_celeba/._000001.jpg": b"", CSV: CSV_TEXT.encode()}
        extra |= {"list_attr_celeba.csv": b"image_id,Male\n000001.jpg,1\n"}
        return extra | {f"img_align_celeba/img_align_celeba/{n}": by_name[n] for n in by_name}
    if kind == "png":
        names = {f"img_align_celeba_png/{number:06}.png": png(number) for number in range(1, 6)}
        return names | {PARTITION: PARTITION_TEXT.encode()}
    if kind == "Mac's disk":
        files = {f"img_align_celeba/{name}": by_name[name] for name in by_name}
        files |= {f"img_align_celeba/._{name}": b"\0\5\x16\7" for name in by_name}
        return (
            files
            | {"img_align_celeba/.DS_Store": b"", f"._{PARTITION}": b"\0\5"}
            | {PARTITION: PARTITION_TEXT.encode()}
        )
    # torchvision's root
    files = {f"celeba/img_align_celeba/{name}": by_name[name] for name in by_name}
    return files | {f"celeba/{PARTITION}": PARTITION_TEXT.encode()}


@pytest.mark.parametrize("kind", ["kaggle", "png", "Mac's disk", "torchvision"])
def test_what_is_found_in_a_folder(tmp_path, kind):
    for name, content in found(kind).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    check_parts(load(tmp_path))


@pytest.mark.parametrize("kind", ["kaggle", "png", "Mac's disk", "torchvision"])
@pytest.mark.parametrize("given", ["archive.zip", "."])
def test_what_is_found_in_an_archive(tmp_path, kind, given):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for name, content in found(kind).items():
            archive.writestr(name, content)
    check_parts(load(tmp_path / given))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("name", "text"), [(PARTITION, PARTITION_TEXT), (CSV, CSV_TEXT.replace("\n", "\r\n"))]
)
def test_a_byte_order_mark(tmp_path, encoding, name, text):
    write_folder(tmp_path)
    (tmp_path / PARTITION).unlink()
    (tmp_path / name).write_bytes(text.encode(encoding))
    check_parts(load(tmp_path))


def test_a_csv_with_quotation_marks_and_without_a_header(tmp_path):
    write_folder(tmp_path)
    (tmp_path / PARTITION).unlink()
    lines = [f'"{name}", "{part}"' for name, part in map(str.split, LINES)]
    (tmp_path / CSV).write_text("\n".join(lines))
    check_parts(load(tmp_path))


def test_one_picture_as_jpg_and_as_png(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "img_align_celeba" / "000002.png").write_bytes(png(2))
    assert "Received: 000002.jpg and 000002.png" in refusal(tmp_path)


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    "settings", [{"crop_side": 0}, {"crop_side": 179}, {"size": 0}, {"channels": 4}]
)
def test_settings_out_of_range(tmp_path, settings):
    with pytest.raises(UserError, match=f"Expected {next(iter(settings))}"):
        load(write_folder(tmp_path), **settings)


def test_nothing_there(tmp_path):
    assert "nothing is there" in refusal(tmp_path / "absent")
    message = refusal(tmp_path)
    assert "Received: neither" in message and "1. Open https://mmlab" in message


def test_no_partition_file(tmp_path):
    write_folder(tmp_path)
    (tmp_path / PARTITION).unlink()
    message = refusal(tmp_path)
    assert "Expected list_eval_partition.txt" in message and "Eval" in message


@pytest.mark.parametrize(
    "line",
    [
        *("000003.jpg", "000003.jpg 3", "000003.jpg 0 1", "000003 0", "../000003.jpg 0", "x"),
        *("000003.jpg,,0", "image_id,partition"),
    ],
)
def test_a_malformed_line(tmp_path, line):
    message = refusal(write_folder(tmp_path, [*LINES[:2], line, *LINES[3:]]))
    assert f"{PARTITION}, line 3: expected" in message and f'Received: "{line}"' in message


def test_a_partition_file_that_is_no_text(tmp_path):
    write_folder(tmp_path)
    (tmp_path / PARTITION).write_bytes(b"\xff\xfe\x00\x01")
    assert "line 1: expected" in refusal(tmp_path)


def test_a_line_that_is_there_twice(tmp_path):
    message = refusal(write_folder(tmp_path, [*LINES, LINES[1]]))
    assert "line 6" in message and "000002.jpg, which line 2 has already" in message


@pytest.mark.parametrize(
    "write",
    [
        write_folder,
        lambda f, lines: write_zip(f / "img_align_celeba.zip", partition="\n".join(lines)).parent,
    ],
)
def test_lines_and_pictures_that_have_no_partner(tmp_path, write):
    (tmp_path / "extra").mkdir()
    message = refusal(write(tmp_path / "extra", [*LINES, "000006.jpg 0", "000007.jpg 2"]))
    assert "Received 2 for pictures that are not there:\n  line 6: 000006.jpg" in message
    (tmp_path / "missing").mkdir()
    message = refusal(write(tmp_path / "missing", LINES[:-2] + LINES[-1:]))
    assert "Received none for 1:\n  000004.jpg" in message


@pytest.mark.parametrize(("part", "name"), [("0", "test"), ("2", "training")])
def test_a_part_without_pictures(tmp_path, part, name):
    lines = [f"{line.split()[0]} {part}" for line in LINES]
    assert f"no {name} pictures" in refusal(write_folder(tmp_path, lines))


def test_damaged_pictures_are_listed(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "img_align_celeba" / "000002.jpg").write_bytes(jpeg(2)[:500])
    Image.new("RGB", (64, 64)).save(tmp_path / "img_align_celeba" / "000005.jpg")
    message = refusal(tmp_path)
    assert "Received 2 that cannot be used" in message
    assert "000002.jpg: " in message
    assert "000005.jpg: 64x64 pixels, too few for a square of 108" in message


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "/evil.jpg", "a/../../evil.jpg", "C:evil.jpg", "..\\evil.jpg"]
)
def test_names_that_escape_are_refused(tmp_path, name):
    path = write_zip(tmp_path / "a.zip", {name: jpeg(1)})
    message = refusal(path)
    assert name in message and "leads out of it" in message


def test_no_archive(tmp_path):
    path = write_zip(tmp_path / "a.zip")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "no whole archive" in refusal(path)
    # The version of the format that the first entry of the archive's directory asks for.
    version = content.index(b"PK\1\2") + 6
    path.write_bytes(content[:version] + b"\x54" + content[version + 1 :])
    assert "no whole archive (zip file version 8.4)" in refusal(path)
    path.write_text("<!DOCTYPE html><html>Quota exceeded</html>")
    assert "a web page" in refusal(path)


def test_an_archive_with_a_name_that_is_no_text(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"é.txt": b""})
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert "no whole archive ('utf-8' codec" in refusal(path)


def test_a_damaged_member_is_named(tmp_path):
    path = write_zip(tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\xd8")
    content[start + 700] ^= 255
    path.write_bytes(content)
    assert "img_align_celeba/000001.jpg to be whole" in refusal(path)


def test_a_member_that_would_fill_the_memory(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("000001.jpg", bytes(2**25 + 1))
        archive.writestr("000002.jpg", b"")
    (tmp_path / PARTITION).write_text("000001.jpg 0\n000002.jpg 2")
    assert "Expected at most 33554432 bytes in 000001.jpg" in refusal(path)


def test_a_picture_that_is_there_twice(tmp_path):
    assert "Expected each name once" in refusal(
        write_zip(tmp_path / "a.zip", {"more/000001.jpg": jpeg(1)})
    )


# ---------------------------------------------------------------------------------------- cache


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_cache_is_used_until_a_source_changes(tmp_path, monkeypatch, kind):
    from logan.datasets import celeb_a

    decoded = []
    read = celeb_a.read_picture
    monkeypatch.setattr(celeb_a, "read_picture", lambda file: decoded.append(file) or read(file))
    place = tmp_path / "set"
    write_folder(place)
    if kind == "zip":
        write_zip(tmp_path / "a.zip")
        (tmp_path / PARTITION).rename(place / PARTITION)
        (tmp_path / "a.zip").rename(place / "img_align_celeba.zip")
        for path in (place / "img_align_celeba").iterdir():
            path.unlink()

    def load_cached():
        return load(place, cache_dir=tmp_path / "cache")

    check_parts(load_cached())
    check_parts(load_cached())
    assert isinstance(load_cached()[0], np.memmap)
    assert len(decoded) == 4
    (place / PARTITION).write_text("\n".join([*LINES[:2], "000003.jpg 2", *LINES[3:]]))
    assert [len(part) for part in load_cached()] == [4, 2, 2]
    assert len(decoded) == 8


# --------------------------------------------------------------------------- TensorFlow Datasets


@pytest.fixture(scope="module")
def tfds():
    return pytest.importorskip("tensorflow_datasets")


@pytest.fixture
def builder(tfds, tmp_path, monkeypatch):
    """A builder like TFDS's own of celeb_a, which generates the pictures of these tests."""
    with tfds.core.registered.skip_registration():

        class CelebA(tfds.core.GeneratorBasedBuilder):
            name = "celeb_a"
            VERSION = tfds.core.Version("2.1.0")

            def _info(self):
                features = {
                    "image": tfds.features.Image(shape=(218, 178, 3), encoding_format="jpeg")
                }
                return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

            def _split_generators(self, dl_manager):
                parts = {"train": "0", "validation": "1", "test": "2"}
                return {name: self._generate_examples(part) for name, part in parts.items()}

            def _generate_examples(self, part):
                encoded = pictures()
                for line in LINES:
                    name, of = line.split()
                    if of == part:
                        yield name, {"image": io.BytesIO(encoded[name])}

    made = CelebA(data_dir=tmp_path / "tfds")
    asked = []
    monkeypatch.setattr(
        tfds, "builder", lambda name, data_dir: asked.append((name, data_dir)) or made
    )
    made.asked = asked
    return made


def test_the_tfds_road_gives_the_same_frames(builder, tmp_path):
    frames, train, test = load(None, data_dir="some folder", cache_dir=tmp_path / "cache")
    assert builder.asked == [("celeb_a", "some folder")]
    assert train.tolist() == [0, 1, 2] and test.tolist() == [3]
    assert isinstance(frames, np.memmap)
    local, _, _ = load(write_folder(tmp_path / "local"))
    # TFDS shuffles the pictures of a part when it stores them.
    order = frames[train][:, 8, 8, 0].argsort()
    np.testing.assert_array_equal(frames[train][order], local[:3])
    np.testing.assert_array_equal(frames[test], local[3:])
    again, _, _ = load(None, cache_dir=tmp_path / "cache")
    np.testing.assert_array_equal(again, frames)


def failures():
    from tensorflow_datasets.core.download import download_manager, util

    return [
        download_manager.NonMatchingChecksumError("https://drive.example/celeb", "quota.html"),
        util.DownloadError("Failed to get url"),
        OSError("Network is unreachable"),
        ImportError("No module named tensorflow_datasets"),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_failed_download_explains_the_local_way(builder, monkeypatch, number):
    error = failures()[number]

    def fail():
        raise error

    monkeypatch.setattr(builder, "download_and_prepare", fail)
    with pytest.raises(CelebAError) as caught:
        load(None)
    message = str(caught.value)
    assert type(error).__name__ in message
    for step in ("1. Open", "2. Fetch Img/img_align_celeba.zip", "3. Put both", "--data="):
        assert step in message


def test_without_tfds_the_local_way_is_explained(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorflow_datasets", None)
    with pytest.raises(CelebAError, match=r"(?s)ModuleNotFoundError.*1\. Open"):
        load(None)
