"""Pictures are written in one piece, with the same bytes for the same picture."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from logan.figures.files import save_figure, save_image


def _figure() -> Figure:
    figure = Figure(figsize=(1, 2))
    figure.subplots().plot([0, 1], [1, 0])
    return figure


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")]
)
def test_save_figure_takes_the_format_of_the_suffix(
    tmp_path: Path, suffix: str, start: bytes
) -> None:
    path = save_figure(_figure(), tmp_path / "new" / f"picture{suffix}")
    assert path.read_bytes().startswith(start)
    assert [file.name for file in path.parent.iterdir()] == [f"picture{suffix}"]


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_same_figure_gives_same_bytes(tmp_path: Path, suffix: str) -> None:
    paths = [save_figure(_figure(), tmp_path / f"{name}{suffix}") for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"matplotlib.org" not in paths[0].read_bytes()


def test_save_figure_has_the_size_in_pixels(tmp_path: Path) -> None:
    path = save_figure(_figure(), tmp_path / "picture.png", dpi=50)
    with Image.open(path) as image:
        assert image.size == (50, 100)


def test_save_figure_refuses_other_formats(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Expected a path that ends in .*\.png.*Received"):
        save_figure(_figure(), tmp_path / "picture.bmp")


@pytest.mark.parametrize("channels", [1, 3])
def test_save_image_enlarges_each_pixel(tmp_path: Path, channels: int) -> None:
    pixels = np.arange(2 * 3 * channels, dtype=np.uint8).reshape(2, 3, channels)
    path = save_image(tmp_path / "image.png", pixels, scale=2)
    with Image.open(path) as image:
        read = np.asarray(image).reshape(4, 6, channels)
    np.testing.assert_array_equal(read[::2, ::2], pixels)
    np.testing.assert_array_equal(read[1::2, 1::2], pixels)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "pixels", "scale"),
    [
        ("image.jpg", np.zeros((2, 2, 3), np.uint8), 1),
        ("image.png", np.zeros((2, 2, 3), np.float32), 1),
        ("image.png", np.zeros((2, 2), np.uint8), 1),
        ("image.png", np.zeros((2, 2, 3), np.uint8), 0),
    ],
)
def test_save_image_refuses(tmp_path: Path, name: str, pixels: np.ndarray, scale: int) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        save_image(tmp_path / name, pixels, scale)
    assert not list(tmp_path.iterdir())
