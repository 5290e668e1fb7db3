"""The latent-to-mode map on generators that are known by heart."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from logan.figures.latent_map import latent_grid, latent_map_figure
from logan.figures.style import GREY, mode_colors

CENTERS = np.array([[-1.0, 0.0], [1.0, 0.0], [9.0, 9.0]])


def _texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def _cells(axes: Axes) -> np.ndarray:
    """The RGB colours of a strip or square, [rows, columns, 3]."""
    return np.asarray(axes.collections[0].get_array())


def _halves(latents: np.ndarray) -> np.ndarray:
    """A generator that sends negative first coordinates to mode 0 and others to mode 1."""
    return CENTERS[(latents[:, 0] >= 0).astype(int)]


def test_latent_grid_covers_the_square() -> None:
    grid = latent_grid(2, 3)
    assert grid.shape == (9, 2)
    assert sorted({tuple(point) for point in grid.tolist()}) == [
        (x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)
    ]
    np.testing.assert_allclose(latent_grid(1, 3), [[-1], [0], [1]])
    np.testing.assert_allclose(latent_grid(1, 3, reach=3.0), [[-3], [0], [3]])
    with pytest.raises(ValueError, match=r"Expected latents of length 1 or 2\. Received: 3"):
        latent_grid(3)


@pytest.mark.parametrize("reach", [1.0, 3.0])
def test_the_square_shows_all_of_the_prior(reach: float) -> None:
    latents = latent_grid(2, 20, reach)
    square = latent_map_figure(latents, _halves(latents), CENTERS, np.ones(400, bool)).axes[0]
    assert square.get_xlim() == square.get_ylim() == (-reach, reach)
    np.testing.assert_allclose(square.get_xticks(), reach * np.array([-1, -0.5, 0, 0.5, 1]))
    assert _cells(square).shape == (20, 20, 3)


def test_strip_is_colored_by_mode_and_grey_where_not_high_quality() -> None:
    latents = latent_grid(1, 100)[::-1]  # any order is put in order
    good = np.abs(latents[:, 0]) > 0.2
    figure = latent_map_figure(latents, _halves(latents), CENTERS, good)
    strip, first, second, _ = figure.axes
    colors = _cells(strip)[0]
    np.testing.assert_allclose(colors[0], mode_colors(3)[0])
    np.testing.assert_allclose(colors[50], to_rgb(GREY))
    np.testing.assert_allclose(colors[-1], mode_colors(3)[1])
    assert _texts(strip) == ["0", "1"]
    assert (first.get_ylabel(), second.get_ylabel()) == ("$G(z)_1$", "$G(z)_2$")


def test_one_dimensional_data_has_one_coordinate_panel() -> None:
    latents = latent_grid(1, 50)
    figure = latent_map_figure(latents, latents, np.array([[-0.5], [0.5]]), np.ones(50, bool))
    assert [axes.get_ylabel() for axes in figure.axes] == ["", "$G(z)$", "mode"]


def test_square_is_an_image_with_an_index_inside_each_region() -> None:
    latents = latent_grid(2, 21)
    shuffled = np.random.default_rng(0).permutation(latents)
    figure = latent_map_figure(shuffled, _halves(shuffled), CENTERS, np.ones(441, bool))
    square, key = figure.axes
    colors = _cells(square)
    np.testing.assert_allclose(colors[5, 0], mode_colors(3)[0])
    np.testing.assert_allclose(colors[5, 20], mode_colors(3)[1])
    places = {text.get_text(): text.get_position() for text in square.texts}
    assert places.keys() == {"0", "1"}
    assert places["0"][0] < 0 < places["1"][0]
    assert _texts(key) == ["0", "1", "2"]


def test_scattered_latents_are_drawn_as_points() -> None:
    latents = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    square, _ = latent_map_figure(latents, _halves(latents), CENTERS, np.ones(50, bool)).axes
    np.testing.assert_allclose(np.asarray(square.collections[0].get_offsets()), latents)


def test_missed_mode_is_hollow_and_named() -> None:
    latents = latent_grid(2, 11)
    figure = latent_map_figure(latents, _halves(latents), CENTERS, np.ones(121, bool))
    fill = np.asarray(figure.axes[1].collections[-1].get_facecolor())[:, :3]
    np.testing.assert_allclose(fill[:2], mode_colors(3)[:2])
    np.testing.assert_allclose(fill[2], 1.0)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["not high quality", "mode that no latent reaches"]


def test_all_25_modes_are_numbered() -> None:
    axis = np.linspace(-0.8, 0.8, 5)
    centers = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    latents = latent_grid(2, 50)
    figure = latent_map_figure(latents, latents, centers, np.ones(2500, bool))
    for axes in figure.axes:
        assert sorted(map(int, _texts(axes))) == list(range(25))


def test_the_swiss_roll_has_colors_but_no_numbers() -> None:
    latents = latent_grid(1, 200)
    centers = np.column_stack([np.linspace(-1, 1, 100), np.zeros(100)])
    samples = np.column_stack([latents, 0 * latents])
    figure = latent_map_figure(latents, samples, centers, np.ones(200, bool))
    assert [_texts(axes) for axes in figure.axes] == [[], [], [], []]


@pytest.mark.parametrize(
    ("latents", "samples", "mask"),
    [
        (np.zeros((4, 3)), np.zeros((4, 2)), np.ones(4)),
        (np.zeros((4, 1)), np.zeros((5, 2)), np.ones(4)),
        (np.zeros((4, 1)), np.zeros((4, 2)), np.ones(5)),
        (np.zeros((4, 1)), np.zeros((4, 1)), np.ones(4)),
        (np.zeros((0, 1)), np.zeros((0, 2)), np.ones(0)),
    ],
)
def test_latent_map_refuses(latents: np.ndarray, samples: np.ndarray, mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        latent_map_figure(latents, samples, CENTERS, mask)
