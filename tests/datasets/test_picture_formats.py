"""What is a picture by its first bytes, and what is not."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from logan.datasets import picture_formats, pictures
from logan.datasets.picture_formats import START_BYTES, is_heif, looks_like_picture
from logan.datasets.pictures import PictureError, read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
FORMATS = ("AVIF", "BMP", "DDS", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "QOI")
FORMATS += ("SGI", "TIFF", "WEBP")
HEIC = struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(40)


def encoded(kind, mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind, **options)
    return file.getvalue()


def psd():
    """Photoshop's, which Pillow reads and does not write."""
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 16, 16, 8, 3)
    return header + bytes(12) + bytes(2) + PIXELS.transpose(2, 0, 1).tobytes()


@pytest.mark.parametrize(
    "content",
    [
        *(encoded(kind) for kind in FORMATS),
        *(encoded("PPM", mode) for mode in ("1", "L")),
        encoded("TIFF", big_tiff=True),
        encoded("PNG", "P"),
        psd(),
        b"P3\n# of GIMP\n1 1\n255\n1 2 3",
        encoded("AVIF").replace(b"ftypavif", b"ftypmif1"),
    ],
)
def test_pictures_are_told_by_their_first_bytes_and_can_be_read(content):
    assert looks_like_picture(content[:START_BYTES])
    assert not is_heif(content[:START_BYTES])
    assert read_picture(io.BytesIO(content)).size in ((16, 16), (1, 1))


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"BMW, Fiat and Volvo\nare the makers of these cars in the pictures.",
        b"P1 is the first place to park, and P2 the second.",
        b"MM and II",
        b"GIF is a format",
        b"\n\x05\n\n",
        b'{"image": 1}',
        b"<!DOCTYPE html>",
        b"%PDF-1.7",
        b"PK\3\4",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"\0\0\1\xba\x44\0\4\0\4\1",
        b"\x93NUMPY\1\0v\0",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        bytes(START_BYTES),
    ],
)
def test_other_files_are_not_taken_for_pictures(start):
    assert not looks_like_picture(start) and not is_heif(start)


def test_raw_files_of_cameras_are_none():
    start = encoded("TIFF")[:START_BYTES]
    assert looks_like_picture(start, ".tif") and looks_like_picture(start, ".x")
    assert not looks_like_picture(start, ".dng") and not looks_like_picture(start, ".nef")


def test_heic(monkeypatch):
    assert is_heif(HEIC)
    monkeypatch.setattr(pictures, "formats", lambda: picture_formats.FORMATS)
    with pytest.raises(PictureError, match="a HEIC picture; pip install pillow-heif"):
        read_picture(io.BytesIO(HEIC))


def test_heic_is_read_where_its_plugin_is_installed():
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 40, 40))).save(file, quality=90)
    assert looks_like_picture(file.getvalue()[:START_BYTES])
    picture = read_picture(file)
    assert picture.size == (64, 48)
    np.testing.assert_allclose(picture.image.getpixel((30, 20)), (200, 40, 40), atol=5)
