"""Image sheets, pixel by pixel."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from logan.figures.files import save_figure
from logan.figures.grids import (
    comparison_sheet,
    image_grid,
    interpolation_figure,
    reconstruction_figure,
    traversal_figure,
)


def _flat(*values: float, side: int = 2, channels: int = 1) -> np.ndarray:
    """Images of one value each."""
    shape = (len(values), side, side, channels)
    return np.broadcast_to(np.reshape(values, (-1, 1, 1, 1)), shape).astype(np.float32)


def _sheet(figure: Figure) -> np.ndarray:
    """The image on a sheet, first channel."""
    return np.asarray(figure.axes[0].images[0].get_array())[..., 0]


def test_grid_of_hand_made_images() -> None:
    images = np.array([[[[-1.0]]], [[[0.0]]], [[[1.0]]]], dtype=np.float32)
    expected = [[0, 255, 128], [255, 255, 255], [255, 255, 255]]
    np.testing.assert_array_equal(image_grid(images, columns=2, gap=1)[..., 0], expected)


def test_grid_without_gap_keeps_places_and_channels() -> None:
    images = np.linspace(-1, 1, 2 * 2 * 3 * 3).reshape(2, 2, 3, 3)
    grid = image_grid(images, columns=2, gap=0)
    assert grid.dtype == np.uint8
    np.testing.assert_array_equal(grid[:, :3], np.rint((images[0] + 1) * 127.5))
    np.testing.assert_array_equal(grid[:, 3:], np.rint((images[1] + 1) * 127.5))


def test_grid_is_square_by_default() -> None:
    assert image_grid(_flat(*[0.0] * 9), gap=2).shape == (10, 10, 1)
    assert image_grid(_flat(*[0.0] * 5), gap=0).shape == (4, 6, 1)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 4, 4)),
        np.zeros((2, 4, 4, 2)),
        np.zeros((0, 4, 4, 3)),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.full((2, 4, 4, 3), 1.5),
        np.full((2, 4, 4, 3), np.nan),
    ],
)
def test_grid_refuses(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Expected images.* Received"):
        image_grid(images)


def test_grid_refuses_no_columns() -> None:
    with pytest.raises(ValueError, match=r"Expected columns >= 1 and gap >= 0\. Received: 0, 2"):
        image_grid(_flat(0.0), columns=0)


def test_reconstructions_lie_under_their_inputs() -> None:
    inputs, reconstructions = _flat(-1.0, -1.0, -1.0), _flat(0.0, 0.0, 0.0)
    figure = reconstruction_figure(inputs, reconstructions, columns=2)
    axes = figure.axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["input", "reconstruction", "input", "reconstruction"]
    rows = [round(float(tick)) for tick in axes.get_yticks()]
    assert [int(_sheet(figure)[row, 0]) for row in rows] == [0, 128, 0, 128]
    assert [int(_sheet(figure)[row, -1]) for row in rows] == [0, 128, 255, 255]


def test_errors_stand_under_their_pairs() -> None:
    images = _flat(*[0.0] * 5, side=8)
    figure = reconstruction_figure(images, images, np.arange(5) / 10, columns=3)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["0.000", "0.100", "0.200", "0.300", "0.400"]
    places = np.array([text.get_position() for text in axes.texts])
    np.testing.assert_allclose(places[:3, 0], [3.5, 13.5, 23.5])
    np.testing.assert_allclose(places[3:, 0], [3.5, 13.5])
    below_first, below_second = places[0, 1], places[3, 1]
    ticks = axes.get_yticks()
    assert ticks[1] < below_first < ticks[2] < ticks[3] < below_second < len(_sheet(figure))


def test_reconstructions_refuse() -> None:
    with pytest.raises(ValueError, match=r"Expected reconstructions of shape .* Received"):
        reconstruction_figure(_flat(0.0, 0.0), _flat(0.0))
    with pytest.raises(ValueError, match=r"Expected errors of shape \(2,\)\. Received"):
        reconstruction_figure(_flat(0.0, 0.0), _flat(0.0, 0.0), np.zeros(3))
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        reconstruction_figure(np.zeros((0, 2, 2, 1)), np.zeros((0, 2, 2, 1)))


def test_interpolation_has_real_inputs_at_both_ends() -> None:
    rows = np.stack([_flat(0.0, 0.0, 0.0, side=16)] * 2)
    figure = interpolation_figure(rows, _flat(-1.0, -1.0, side=16), _flat(1.0, 1.0, side=16))
    axes = figure.axes[0]
    labels = [tick.get_text() for tick in axes.get_xticklabels()]
    assert labels == ["input", "decoded between the two encodings, 3 steps", "input"]
    columns = [round(float(tick)) for tick in axes.get_xticks()]
    assert [int(_sheet(figure)[0, column]) for column in columns] == [0, 128, 255]
    assert _sheet(figure).shape == (34, 16 + 8 + 52 + 8 + 16)


def test_interpolation_names_its_way_where_there_is_room() -> None:
    labels = [
        interpolation_figure(np.zeros((1, 3, side, side, 1)), way="spherical")
        .axes[0]
        .get_xticklabels()[0]
        .get_text()
        for side in (64, 8, 2)
    ]
    assert labels == [
        "decoded between the two encodings, spherical, 3 steps",
        "decoded, spherical, 3 steps",
        "decoded",
    ]


def test_traversal_labels_features_and_values() -> None:
    rows = np.stack([_flat(-1.0, 0.0, 1.0), _flat(1.0, 0.0, -1.0)])
    figure = traversal_figure(rows, [7, 0], np.array([-1, 0, 1]), _flat(0.0)[0])
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["feature 7", "feature 0"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["input", "−1", "0", "1"]
    assert "value of the feature" in axes.get_xlabel()
    columns = [round(float(tick)) for tick in axes.get_xticks()]
    shown = [[int(_sheet(figure)[round(row), x]) for x in columns] for row in axes.get_yticks()]
    assert shown == [[128, 0, 128, 255], [128, 255, 128, 0]]


def test_traversal_of_many_values_labels_the_ends() -> None:
    figure = traversal_figure(np.zeros((1, 21, 8, 8, 3)), [0], np.linspace(-1, 1, 21))
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["−1", "1"]


def test_traversal_refuses() -> None:
    rows = np.zeros((1, 2, 4, 4, 1))
    with pytest.raises(ValueError, match=r"Expected rows of shape .* Received"):
        traversal_figure(rows[0], [0], np.zeros(2))
    with pytest.raises(ValueError, match=r"Expected features of shape \(1,\)\. Received"):
        traversal_figure(rows, [0, 1], np.zeros(2))
    with pytest.raises(ValueError, match=r"Expected values of shape \(2,\)\. Received"):
        traversal_figure(rows, [0], np.zeros(3))
    with pytest.raises(ValueError, match=r"Expected image of shape .* Received"):
        traversal_figure(rows, [0], np.zeros(2), np.zeros((3, 3, 1)))


def test_interpolation_without_endpoints() -> None:
    figure = interpolation_figure(np.stack([_flat(0.0, 0.0, 0.0)]))
    assert len(figure.axes[0].get_xticks()) == 1


def test_interpolation_refuses() -> None:
    with pytest.raises(ValueError, match=r"Expected rows of shape .* Received"):
        interpolation_figure(_flat(0.0))
    with pytest.raises(ValueError, match=r"Expected starts of shape .* Received"):
        interpolation_figure(np.stack([_flat(0.0)]), _flat(0.0, 0.0))


def test_comparison_sheet_labels_each_source() -> None:
    figure = comparison_sheet([("data", _flat(-1.0, -1.0)), ("pairwise penalty", _flat(0.0))])
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["data", "pairwise penalty"]
    rows = [round(float(tick)) for tick in axes.get_yticks()]
    assert [int(_sheet(figure)[row, 0]) for row in rows] == [0, 128]


def test_comparison_sheet_has_a_second_block_of_reconstructions() -> None:
    figure = comparison_sheet(
        [("data", _flat(-1.0, -1.0, side=32)), ("run", _flat(0.0, side=32))],
        reconstructions=[("held-out", _flat(1.0, side=32)), ("run", _flat(-0.5, side=32))],
    )
    axes = figure.axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == ["data", "run", "held-out", "run"]
    rows = axes.get_yticks()
    assert [int(_sheet(figure)[round(float(row)), 0]) for row in rows] == [0, 128, 255, 64]
    headings = {text.get_text(): text.get_position()[1] for text in axes.texts}
    assert list(headings) == ["generations", "reconstructions of the same held-out images"]
    first, second = headings.values()
    assert first < rows[0] < rows[1] < second < rows[2]


def test_comparison_sheet_without_encoders_has_no_headings() -> None:
    assert not comparison_sheet([("data", _flat(0.0))]).axes[0].texts


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 64, 256])
def test_no_sheet_cuts_off_its_labels(side: int, channels: int) -> None:
    images = np.zeros((2, side, side, channels))
    for figure in (
        reconstruction_figure(images, images, np.ones(2), columns=1, measure="squared error"),
        interpolation_figure(images[None], images[:1], images[:1], way="spherical"),
        traversal_figure(images[None], [127], np.array([-1, 1]), images[0]),
        comparison_sheet([("a", images[:1])], reconstructions=[("a", images[:1])]),
    ):
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0


def test_sheets_of_large_images_stay_as_wide_as_a_page() -> None:
    figure = comparison_sheet([("a", np.zeros((10, 256, 256, 3)))])
    assert 6 < figure.get_size_inches()[0] < 9


def test_long_labels_are_not_cut_off() -> None:
    figure = comparison_sheet([("a rather long name of a method " * 3, _flat(0.0))])
    figure.draw_without_rendering()
    label = figure.axes[0].get_yticklabels()[0].get_window_extent()
    assert label.x0 >= 0


def test_comparison_sheet_refuses() -> None:
    with pytest.raises(ValueError, match=r"Expected at least one of rows\. Received: none"):
        comparison_sheet([])
    with pytest.raises(ValueError, match=r"Expected images of 'b' of shape .* Received"):
        comparison_sheet([("a", _flat(0.0)), ("b", _flat(0.0, side=3))])
    with pytest.raises(ValueError, match=r"Expected images of 'b' of shape .* Received"):
        comparison_sheet([("a", _flat(0.0))], reconstructions=[("b", _flat(0.0, side=3))])


def test_sheets_show_every_pixel_as_a_whole_square(tmp_path: Path) -> None:
    side = 20
    image = np.where(np.indices((side, side)).sum(axis=0) % 2, 1.0, -1.0)[None, :, :, None]
    figure = comparison_sheet([("data", image)])
    with Image.open(save_figure(figure, tmp_path / "a.png", dpi=100)) as saved:
        pixels = np.asarray(saved.convert("L"))
    scale = 8
    checks = pixels[5 : 5 + side * scale, -5 - side * scale : -5]
    np.testing.assert_array_equal(checks[::scale, ::scale] > 127, image[0, :, :, 0] > 0)
    np.testing.assert_array_equal(
        checks, checks[::scale, ::scale].repeat(scale, 0).repeat(scale, 1)
    )
