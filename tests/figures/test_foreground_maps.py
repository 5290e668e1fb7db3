"""Foreground maps: one scale for two maps, and their difference around zero."""

import numpy as np
import pytest

from logan.figures.foreground_maps import foreground_maps_figure

REAL = np.array([[0.0, 0.2], [0.4, 0.6]])
GENERATED = np.array([[0.0, 0.2], [0.8, 0.0]])


def test_panels_show_both_maps_and_their_difference() -> None:
    figure = foreground_maps_figure(REAL, GENERATED)
    panels = [axes.images[0].get_array() for axes in figure.axes[:3]]
    for panel, expected in zip(panels, [REAL, GENERATED, GENERATED - REAL], strict=True):
        np.testing.assert_allclose(panel, expected)
    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles == ["real frames", "generated frames", "difference, generated − real"]


def test_both_maps_share_their_colors_from_zero() -> None:
    real, generated, difference = (
        axes.images[0] for axes in foreground_maps_figure(REAL, GENERATED).axes[:3]
    )
    assert real.get_clim() == generated.get_clim()
    low, high = real.get_clim()
    assert low == 0
    assert 0.75 < high <= 0.8
    assert real.get_cmap() == generated.get_cmap()
    low, high = difference.get_clim()
    assert low == -high
    np.testing.assert_allclose(difference.get_cmap()(0.5)[:3], 1, atol=0.01)  # none is white


def test_bars_are_labelled() -> None:
    labels = [axes.get_xlabel() for axes in foreground_maps_figure(REAL, GENERATED).axes[3:]]
    assert labels == ["share of frames", "too rare  ←  share of frames  →  too often"]


def test_captions_tell_the_shares() -> None:
    figure = foreground_maps_figure(REAL, GENERATED, 0.75, 0.5)
    real, generated, difference = (axes.get_xlabel() for axes in figure.axes[:3])
    assert real == "foreground in 75.0% of frames\n30.0% of pixels"
    assert generated == "foreground in 50.0% of frames\n25.0% of pixels"
    assert "25.0%" in difference  # (0 + 0 + 0.4 + 0.6) / 4


def test_a_few_extreme_pixels_do_not_take_all_colors() -> None:
    real = np.full((32, 32), 0.1)
    real[0, 0] = 1.0
    figure = foreground_maps_figure(real, np.full((32, 32), 0.1))
    assert figure.axes[0].images[0].get_clim()[1] == pytest.approx(0.1)


def test_maps_without_foreground_have_a_scale() -> None:
    figure = foreground_maps_figure(np.zeros((8, 8)), np.zeros((8, 8)))
    assert figure.axes[0].images[0].get_clim() == (0, 0.01)


@pytest.mark.parametrize("shape", [(8, 8), (256, 256), (32, 64), (64, 32)])
def test_nothing_is_cut_off(shape: tuple[int, int]) -> None:
    maps = np.random.default_rng(0).uniform(0, 1, (2, *shape))
    figure = foreground_maps_figure(*maps, 0.456, 0.5, label="traffic-pairwise-seed0")
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0


@pytest.mark.parametrize(
    "wrong", [np.zeros(4), np.zeros((0, 2)), REAL + 1, REAL - 1, REAL * np.nan]
)
def test_it_refuses(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Expected real_map .* Received"):
        foreground_maps_figure(wrong, GENERATED)


def test_it_refuses_maps_of_two_shapes() -> None:
    with pytest.raises(ValueError, match=r"Expected generated_map of shape \(2, 2\)\. Received"):
        foreground_maps_figure(REAL, np.zeros((3, 3)))
