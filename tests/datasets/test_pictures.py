"""Every picture here is written by the test; its pixels are worked out by hand."""

import io
import struct
import subprocess
import sys
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from logan.datasets import large_pictures, pictures
from logan.datasets.pictures import (
    PictureError,
    central_square,
    crop_box,
    fit,
    in_order,
    natural_order,
    quoted_list,
    read_picture,
)
from logan.errors import UserError


def solid(mode, colour, size=(6, 4)):
    return Image.new(mode, size, colour)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def palette(**options):
    image = solid("P", 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    return saved(image, "PNG", **options)


def sixteen_bits(level):
    return Image.fromarray(np.full((4, 6), level, np.uint16))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (saved(solid("1", 1), "PNG"), 255),
        (saved(solid("L", 100), "PNG"), 100),
        (saved(solid("L", 100), "PPM"), 100),
        (saved(solid("L", 100), "TIFF"), 100),
        (saved(solid("RGB", (10, 20, 30)), "BMP"), (10, 20, 30)),
        (saved(solid("RGB", (10, 20, 30)), "PPM"), (10, 20, 30)),
        (saved(solid("RGB", (10, 20, 30)), "GIF"), (10, 20, 30)),
        (saved(solid("RGB", (10, 20, 30)), "WEBP", lossless=True), (10, 20, 30)),
        (palette(), (10, 20, 30)),
        # Over white: 100 * 128/255 + 255 * 127/255 = 177.2.
        (saved(solid("LA", (100, 128)), "PNG"), (177, 177, 177)),
        (saved(solid("RGBA", (200, 100, 0, 128)), "PNG"), (227, 177, 127)),
        (saved(solid("RGBA", (200, 100, 0, 0)), "WEBP", lossless=True), (255, 255, 255)),
        (saved(solid("RGBA", (200, 100, 0, 255)), "TIFF"), (200, 100, 0)),
        (palette(transparency=1), (255, 255, 255)),
        (saved(solid("RGB", (1, 2, 3)), "PNG", transparency=(1, 2, 3)), (255, 255, 255)),
        (saved(sixteen_bits(100 * 257), "PNG"), 100),
        (saved(sixteen_bits(65535), "TIFF"), 255),
        (io.BytesIO(b"P5 6 4 65535\n" + b"\x64\x64" * 24), 100),
        (saved(solid("CMYK", (0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
    ],
)
def test_pixels_of_every_mode(file, expected):
    image = read_picture(file).image
    assert image.mode == ("L" if isinstance(expected, int) else "RGB")
    assert image.size == (6, 4)
    assert image.getcolors() == [(24, expected)]


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("RGB", (200, 40, 40), (200, 40, 40)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
    ],
)
def test_jpeg_loses_little(mode, colour, expected):
    image = read_picture(saved(solid(mode, colour, (16, 16)), "JPEG", quality=95)).image
    np.testing.assert_allclose(np.asarray(image.convert("RGB"))[8, 8], expected, atol=4)


def test_an_animation_gives_its_first_frame():
    frames = [solid("RGB", (10, 20, 30)), solid("RGB", (200, 0, 0))]
    for kind, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})):
        file = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert read_picture(file).image.getpixel((0, 0)) == (10, 20, 30), kind


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_turn_in_the_exif_data_is_undone(kind):
    image = solid("L", 0, (32, 16)).convert("RGB")
    image.paste((255, 255, 255), (0, 0, 16, 16))
    exif = Image.Exif()
    # 6: to be turned by 90 degrees clockwise to be seen upright; the left side comes on top.
    exif[0x0112] = 6
    upright = read_picture(saved(image, kind, exif=exif))
    assert upright.size == upright.image.size == (16, 32)
    assert upright.image.getpixel((8, 4))[0] > 250
    assert upright.image.getpixel((8, 28))[0] < 5


def reason(file):
    with pytest.raises(PictureError) as caught:
        read_picture(file)
    return str(caught.value)


def huge_png(width, height):
    """The begin of a picture that would fill the memory."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_what_is_no_picture(tmp_path):
    path = tmp_path / "a.png"
    for content in (b"This is a text.", b"<html></html>", b"\x00\x01" * 50):
        path.write_bytes(content)
        assert "no picture in AVIF" in reason(path)
    path.write_bytes(b"")
    assert reason(path) == "an empty file (0 bytes)"
    assert reason(tmp_path / "absent.png") == "No such file or directory"
    assert reason(tmp_path) == "Is a directory"


def test_formats_that_start_other_programs_are_refused():
    assert "no picture in AVIF" in reason(saved(solid("RGB", 0), "EPS"))


def test_a_huge_picture_is_refused_before_it_is_decoded():
    # Pillow itself warns of the first one and refuses the others, while it opens them.
    for width, height in ((16384, 16385), (30000, 30000), (2**31 - 1, 2**31 - 1)):
        message = reason(io.BytesIO(huge_png(width, height)))
        assert message.startswith("more than 268,435,456 pixels")


def test_floating_point_pixels_are_refused():
    assert "floating-point" in reason(saved(solid("F", 0.5), "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "PPM", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_picture_that_is_cut_off(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind).getvalue()
    assert reason(io.BytesIO(content[: int(share * len(content))]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "PPM", "GIF"])
@pytest.mark.filterwarnings("ignore")
def test_damage_is_a_picture_error_or_harmless(kind):
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind).getvalue()
    for _ in range(200):
        damaged = np.frombuffer(content, np.uint8).copy()
        damaged[generator.integers(0, min(100, len(damaged)), 3)] = generator.integers(0, 256, 3)
        try:
            assert read_picture(io.BytesIO(damaged.tobytes())).image.mode in ("L", "RGB")
        except PictureError as error:
            assert str(error)


# ------------------------------------------------------------------------------------------ TIFF


def tiff(levels, *, bits=16, order="<", planar=False, deflated=False, kind=2, sample=1, extra=()):
    """A TIFF file of 6 x 4 pixels of one colour, with a strip for each plane."""
    code = {8: "B", 16: "H", 32: "I"}[bits]
    planes = [[level] * 24 for level in levels] if planar else [list(levels) * 24]
    strips = [struct.pack(f"{order}{len(plane)}{code}", *plane) for plane in planes]
    strips = [zlib.compress(strip) for strip in strips] if deflated else strips
    start = 8 + sum(map(len, strips))
    offsets = [8 + sum(map(len, strips[:index])) for index in range(len(strips))]
    entries = {
        256: [6], 257: [4], 258: [bits] * len(levels), 259: [8 if deflated else 1], 262: [kind],
        273: offsets, 277: [len(levels)], 278: [4], 279: list(map(len, strips)),
        284: [2 if planar else 1], 338: list(extra), 339: [sample] * len(levels),
    }  # fmt: skip
    entries = {tag: values for tag, values in entries.items() if values}
    far = start + 2 + 12 * len(entries) + 4
    table, more = struct.pack(f"{order}H", len(entries)), b""
    for tag, values in entries.items():
        packed = struct.pack(f"{order}{len(values)}I", *values)
        if len(values) > 1:
            packed, more = struct.pack(f"{order}I", far + len(more)), more + packed
        table += struct.pack(f"{order}HHI", tag, 4, len(values)) + packed
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    return io.BytesIO(header + b"".join(strips) + table + bytes(4) + more)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("settings", "levels", "expected"),
    [
        (dict(), [2570, 25700, 51400], (10, 100, 200)),
        (dict(deflated=True), [2570, 25700, 51400], (10, 100, 200)),
        (dict(deflated=True, planar=True), [2570, 25700, 51400], (10, 100, 200)),
        (dict(bits=8, planar=True), [10, 100, 200], (10, 100, 200)),
        (dict(bits=8, planar=True, deflated=True), [10, 100, 200], (10, 100, 200)),
        (dict(kind=1), [25700], 100),
        # White is 0.
        (dict(kind=0, bits=8), [100], 155),
        (dict(kind=0), [25700], 155),
        (dict(kind=0, deflated=True), [25700], 155),
    ],
)
def test_tiff_in_right_colours(order, settings, levels, expected):
    try:
        image = read_picture(tiff(levels, order=order, **settings)).image
    except PictureError as error:
        # Pillow does not read all that TIFF can be.
        assert (settings.get("kind"), order) == (0, ">") and "no picture in" in str(error)
    else:
        assert image.getcolors() == [(24, expected)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        (dict(planar=True), [2570, 25700, 51400]),
        (dict(planar=True, extra=[2]), [2570, 25700, 51400, 65535]),
        (dict(planar=True, kind=5), [2570, 25700, 51400, 0]),
        (dict(planar=True, bits=8, deflated=True, kind=1, extra=[2]), [100, 255]),
        (dict(kind=1, sample=2), [25700]),
        (dict(kind=1, sample=2, bits=8), [100]),
        (dict(kind=1, bits=32), [25700 * 65536]),
        (dict(kind=1, bits=32, sample=2), [25700]),
    ],
)
def test_tiff_in_wrong_colours_is_refused(order, settings, levels):
    assert reason(tiff(levels, order=order, **settings))


# ---------------------------------------------------------------------------------- large pictures


def ramp(mode, size=(96, 64)):
    """Dark on the left, light on the right, so that each place has its own level."""
    levels = np.broadcast_to(np.linspace(0, 250, size[0]), size[::-1])
    if mode == "I;16":
        return Image.fromarray((levels * 257).astype(np.uint16))
    return Image.fromarray(levels.astype(np.uint8)).convert(mode)


def see_through():
    image = ramp("RGB")
    image.putalpha(ramp("L").rotate(180))
    return image


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(large_pictures, "WHOLE_PIXELS", 2000)
    monkeypatch.setattr(pictures, "STRIP_ROWS", 8)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (ramp("RGB"), "JPEG"), (ramp("L"), "JPEG"), (ramp("CMYK"), "JPEG"), (ramp("RGB"), "MPO"),
        (ramp("L"), "PNG"), (ramp("RGB"), "PNG"), (ramp("P"), "PNG"), (ramp("I;16"), "PNG"),
        (see_through(), "PNG"), (see_through(), "WEBP"), (ramp("RGB"), "WEBP"),
        (ramp("RGB"), "AVIF"), (ramp("RGB"), "BMP"), (ramp("P"), "GIF"), (ramp("RGB"), "TIFF"),
        (ramp("RGB", (95, 63)), "PNG"), (ramp("RGB", (95, 63)), "JPEG"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_picture_is_read_reduced(small_is_large, monkeypatch, image, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {"append_images": [image], "save_all": True} if kind == "MPO" else {}
    file = saved(image, kind, **({} if kind in ("GIF", "BMP") else {"exif": exif}), **more)
    picture = read_picture(file)
    is_turned = orientation == 6 and kind not in ("GIF", "BMP")
    assert picture.size == (image.size[::-1] if is_turned else image.size)
    assert picture.image.size == tuple(-(-length // 2) for length in picture.size)
    monkeypatch.setattr(large_pictures, "WHOLE_PIXELS", 10000)
    file.seek(0)
    whole = read_picture(file)
    assert whole.size == whole.image.size == picture.size
    for crop in (None, (8, 4, 20, 10), (40, 50, 10, 6)):
        box = crop_box(picture.size, crop)
        # A quarter of a pixel is a level.
        np.testing.assert_allclose(fit(picture, box, 8, 3), fit(whole, box, 8, 3), atol=6)


def test_a_crop_of_a_large_picture_is_never_empty(small_is_large):
    picture = read_picture(saved(ramp("L"), "PNG"))
    for place in ((0, 0), (95, 63), (1, 1), (50, 31)):
        assert fit(picture, crop_box(picture.size, (*place, 1, 1)), 1, 1).shape == (1, 1, 1)


PEAK = """
import pathlib, re, sys
from logan.datasets.pictures import read_picture
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1)) / 1024
small, large = map(pathlib.Path, sys.argv[1:])
read_picture(small)
before = peak()
picture = read_picture(large)
print(*picture.size, *picture.image.getextrema(), peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own measure of memory")
@pytest.mark.parametrize(
    ("size", "kind", "megabytes"),
    [((12000, 9000), "JPEG", 100), ((16320, 12240), "JPEG", 150), ((12000, 9000), "PNG", 200)],
)
def test_phone_pictures_of_108_and_200_megapixels(tmp_path, size, kind, megabytes):
    solid("L", 5, (8, 8)).save(tmp_path / "small", kind)
    solid("L", 90, size).save(tmp_path / "large", kind)
    code = [sys.executable, "-W", "error", "-c", PEAK, tmp_path / "small", tmp_path / "large"]
    result = subprocess.run(code, capture_output=True, text=True, check=True)
    *found, growth = result.stdout.split()
    assert [int(number) for number in found] == [*size, 90, 90]
    assert float(growth) < megabytes


def test_the_largest_pictures_are_held_alone():
    order = []
    begun = threading.Event()

    def second():
        begun.set()
        with large_pictures.memory_for(1):
            order.append("second")

    thread = threading.Thread(target=second)
    with large_pictures.memory_for(large_pictures.MAXIMUM_PIXELS):
        thread.start()
        assert begun.wait(10)
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_pillows_own_limit_comes_back(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 7)
    with large_pictures.pillow_limit():
        with large_pictures.pillow_limit():
            pass
        assert Image.MAX_IMAGE_PIXELS == large_pictures.MAXIMUM_PIXELS
    assert Image.MAX_IMAGE_PIXELS == 7


# --------------------------------------------------------------------------------- crop and size


def test_boxes():
    assert central_square((48, 32)) == (8, 0, 40, 32)
    assert central_square((178, 218), 108) == (35, 55, 143, 163)
    assert central_square((1, 1)) == (0, 0, 1, 1)
    assert crop_box((48, 32), None) == (8, 0, 40, 32)
    assert crop_box((48, 32), (8, 2, 40, 30)) == (8, 2, 48, 32)
    with pytest.raises(PictureError, match=r"ends at \(49, 32\), beyond the picture of 48x32"):
        crop_box((48, 32), (9, 2, 40, 30))
    with pytest.raises(PictureError, match="48x32 pixels, too few for a square of 33"):
        central_square((48, 32), 33)


def test_fit_is_exact_at_its_own_size_and_antialiased_below():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fit(Image.fromarray(pixels), (0, 0, 8, 8), 8, 3), pixels)
    np.testing.assert_array_equal(
        fit(Image.fromarray(pixels), (2, 1, 6, 5), 4, 3), pixels[1:5, 2:6]
    )
    stripes = np.zeros((32, 32), np.uint8)
    stripes[:, ::2] = 200
    small = fit(Image.fromarray(stripes), (0, 0, 32, 32), 4, 3)
    assert small.shape == (4, 4, 3)
    np.testing.assert_allclose(small, 100, atol=5)
    # The luma of ITU-R BT.601: 0.299 * 200 + 0.587 * 40 + 0.114 * 40.
    grey = fit(solid("RGB", (200, 40, 40)), (0, 0, 4, 4), 2, 1)
    assert grey.tolist() == [[[88], [88]], [[88], [88]]]


def test_one_pixel_fills_the_frame():
    frame = fit(solid("RGB", (1, 2, 3), (1, 1)), central_square((1, 1)), 4, 3)
    assert frame.tolist() == [[[1, 2, 3]] * 4] * 4


def test_settings():
    with pytest.raises(UserError, match=r"Expected size.*size=0"):
        pictures.check_picture_settings(0, 3)
    with pytest.raises(UserError, match=r"Expected channels.*channels=2"):
        pictures.check_picture_settings(8, 2)


# ------------------------------------------------------------------------------- many pictures


def test_names_in_natural_order():
    names = ["b", "a10", "a9", "A9", "9", "10", "é"]
    assert sorted(names, key=natural_order) == ["9", "10", "A9", "a9", "a10", "b", "é"]


def test_long_lists_are_cut():
    assert quoted_list(["a", "b"]) == "\n  a\n  b"
    assert quoted_list([str(number) for number in range(13)]).endswith("\n  9\n  and 3 more")


def test_results_come_in_order_and_are_fetched_a_few_ahead():
    fetched = []
    first_may_end = threading.Event()

    def items():
        for number in range(1000):
            fetched.append(number)
            if number == 3:
                first_may_end.set()
            yield number

    def slow_first(number):
        # The first ends after others have begun.
        assert number or first_may_end.wait(10)
        return -number

    results = in_order(slow_first, items())
    assert next(results) == 0
    assert len(fetched) <= 2 * pictures.WORKERS + 1
    assert list(results) == [-number for number in range(1, 1000)]


def test_an_error_in_a_thread_is_raised_and_ends_the_threads():
    def fail(number):
        if number == 5:
            raise RuntimeError("five")
        return number

    results = in_order(fail, range(10000))
    with pytest.raises(RuntimeError, match="five"):
        list(results)
    abandoned = in_order(abs, range(10000))
    assert next(abandoned) == 0
    abandoned.close()
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_no_tensorflow_is_loaded():
    modules = "pictures", "picture_files", "image_folder", "celeb_a", "cifar10"
    imports = ", ".join(f"logan.datasets.{name}" for name in modules)
    code = f"import sys, {imports}; print([n for n in sys.modules if n.startswith('tensorflow')])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
