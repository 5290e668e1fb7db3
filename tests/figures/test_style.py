"""Colours tell modes apart, and figures leave no trace in matplotlib's global state."""

import matplotlib
import numpy as np

from logan.figures.style import DISTINCT_MODES, logit_colormap, mode_colors, tinted
from logan.figures.toy import samples_figure


def test_25_modes_get_25_clearly_different_colors() -> None:
    colors = mode_colors(25)
    distances = np.linalg.norm(colors[:, None] - colors[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert colors.shape == (25, 3)
    assert distances.min() > 0.06


def test_many_modes_run_through_viridis() -> None:
    colors = mode_colors(DISTINCT_MODES + 1)
    np.testing.assert_allclose(colors[0], matplotlib.colormaps["viridis"](0.0)[:3])
    np.testing.assert_allclose(colors[-1], matplotlib.colormaps["viridis"](1.0)[:3])


def test_tinted_reaches_white_and_black() -> None:
    np.testing.assert_allclose(tinted("red", 1), [1, 1, 1])
    np.testing.assert_allclose(tinted("red", -1), [0, 0, 0])
    np.testing.assert_allclose(tinted("red", 0.5), [1, 0.5, 0.5])


def test_logit_colormap_gets_lighter_with_the_logit() -> None:
    luminance = logit_colormap()(np.linspace(0, 1, 11))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(luminance) > 0)


def test_drawing_leaves_the_settings_of_the_caller() -> None:
    before = matplotlib.rcParams["font.size"]
    samples_figure(np.zeros((2, 2)), np.ones((2, 2)))
    assert matplotlib.rcParams["font.size"] == before
