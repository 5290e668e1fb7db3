"""What is a picture, told from a file's first bytes, and what Pillow reads wrongly."""

import functools
import importlib.util
import re

from PIL import Image, TiffImagePlugin

__all__ = [
    "HEIF_HINT",
    "HEIF_SUFFIXES",
    "PICTURE_SUFFIXES",
    "START_BYTES",
    "formats",
    "is_heif",
    "looks_like_picture",
    "tiff_fault",
    "white_is_zero",
]

HEIF_HINT = "pip install pillow-heif makes HEIC readable"
HEIF_SUFFIXES = frozenset((".heic", ".heif", ".hif"))
HAS_HEIF = importlib.util.find_spec("pillow_heif") is not None

# What has one of these is a picture, and if it cannot be read, that is an error.
PICTURE_SUFFIXES = frozenset(
    (
        ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png",
        ".pnm", ".ppm", ".tif", ".tiff", ".webp",
    )
) | (HEIF_SUFFIXES if HAS_HEIF else frozenset())  # fmt: skip

# A camera's raw file begins like a TIFF file, of which Pillow would read the thumbnail.
RAW_SUFFIXES = frozenset(
    (
        ".3fr", ".arw", ".cr2", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".nef",
        ".nrw", ".orf", ".pef", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw",
    )
)  # fmt: skip

# Pillow knows more: formats that start other programs, such as Ghostscript, and TGA, which nothing
# in its content tells from other files.
FORMATS = (
    "AVIF", "BMP", "DDS", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD", "QOI",
    "SGI", "TIFF", "WEBP",
)  # fmt: skip

START_BYTES = 64
# Two letters alone would be too few: a text may begin with them.
SIGNATURES = re.compile(
    b"|".join(
        (
            rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00",  # BMP
            rb"DDS \x7c\x00\x00\x00",
            rb"GIF8[79]a",
            rb"\x00\x00\x01\x00[^\x00]\x00.{3}\x00",  # ICO
            rb"\xff\xd8\xff",  # JPEG
            rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",  # JPEG 2000
            rb"\n[\x00\x02\x03\x05]\x01[\x01\x02\x04\x08]",  # PCX
            rb"\x89PNG\r\n\x1a\n",
            rb"P[1-6]\s+(?:#|[0-9]+\s)",  # PBM, PGM, PPM
            rb"8BPS\x00\x01",  # PSD
            rb"qoif",
            rb"\x01\xda[\x00\x01][\x01\x02]",  # SGI
            rb"II[*+]\x00|MM\x00[*+]",  # TIFF
            rb"RIFF.{4}WEBP",
        )
    ),
    re.DOTALL,
)
AVIF_BRANDS = re.compile(rb".{4}ftyp.*avi[fs]", re.DOTALL)
HEIF_BRANDS = re.compile(rb".{4}ftyp.*(hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)


@functools.cache
def formats() -> tuple[str, ...]:
    """Pillow's names of the formats that are read."""
    if not HAS_HEIF:
        return FORMATS
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return (*FORMATS, "HEIF")


def looks_like_picture(start: bytes, suffix: str = "") -> bool:
    """Whether a file is a picture that can be read.

    Args:
        start: its first START_BYTES bytes.
        suffix: of its name, in small letters.
    """
    if suffix in RAW_SUFFIXES:
        return False
    if SIGNATURES.match(start) or AVIF_BRANDS.match(start):
        return True
    return HAS_HEIF and is_heif(start)


def is_heif(start: bytes) -> bool:
    """Whether a file that begins so is HEIC, which Pillow alone cannot read."""
    return bool(HEIF_BRANDS.match(start)) and not AVIF_BRANDS.match(start)


def white_is_zero(image: Image.Image) -> bool:
    """Whether Pillow would read an opened picture as its negative: 16-bit TIFF whose 0 is white."""
    return (
        isinstance(image, TiffImagePlugin.TiffImageFile)
        and image.mode == "I;16"
        and image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0
    )


def tiff_fault(image: Image.Image) -> str | None:
    """Why an opened picture would come in wrong colours, if it is a TIFF file that would."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return None
    tags = image.tag_v2
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    is_planar = samples > 1 and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
    is_compressed = tags.get(TiffImagePlugin.COMPRESSION, 1) != 1
    # 1: unsigned; 4: nothing is said of it.
    if not set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) <= {1, 4}:
        return "signed or floating-point pixels, whose range is not known"
    if bits > 8 and bits != 16:
        return f"TIFF with {bits} bits a channel; expected 16 or up to 8"
    if is_planar and bits == 16 and not is_compressed:
        return "uncompressed 16-bit TIFF with a plane for each colour; save it compressed"
    if is_planar and tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) in (0, 1):
        return "grey TIFF with its transparency in another plane; save it interleaved"
    return None
