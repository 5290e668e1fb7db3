"""The discriminator's landscape: checked on entry, with round levels."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from logan.figures.contours import Contour, add_colorbar, contour_levels, draw_contour


def _contour(logits: np.ndarray) -> Contour:
    height, width = logits.shape
    return Contour(np.linspace(-1, 1, width), np.linspace(-2, 3, height), logits)


def test_limits_are_the_corners() -> None:
    np.testing.assert_allclose(_contour(np.zeros((4, 3))).limits, [[-1, -2], [1, 3]])


@pytest.mark.parametrize(
    ("x", "y", "logits"),
    [
        (np.zeros(3), np.zeros(4), np.zeros((3, 4))),
        (np.zeros((3, 1)), np.zeros(4), np.zeros((4, 3))),
        (np.zeros(3), np.zeros(4), np.full((4, 3), np.nan)),
    ],
)
def test_contour_refuses(x: np.ndarray, y: np.ndarray, logits: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        Contour(x, y, logits)


def test_levels_are_even_and_ignore_one_extreme_corner() -> None:
    logits = np.linspace(-1, 1, 400).reshape(20, 20)
    logits[0, 0] = -1e6
    levels = contour_levels([_contour(logits)])
    assert levels.min() > -2
    assert 8 <= len(levels) <= 20
    np.testing.assert_allclose(np.diff(levels), levels[1] - levels[0])


def test_levels_cover_all_contours() -> None:
    low, high = (_contour(np.full((5, 5), value)) for value in (-4.0, 6.0))
    levels = contour_levels([low, high])
    assert levels[0] <= -4
    assert levels[-1] >= 6


def test_constant_discriminator_can_be_drawn() -> None:
    figure = Figure()
    axes = figure.subplots()
    bar = add_colorbar(figure, axes, draw_contour(axes, _contour(np.full((5, 5), 0.3))))
    figure.draw_without_rendering()
    assert bar.ax.get_ylabel() == "D logit"
