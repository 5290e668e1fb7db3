"""Arrows of gradients: directions of one length, beside a lost mode."""

import numpy as np
import pytest

from logan.figures.contours import Contour
from logan.figures.gradients import PulledPanel, gradients_figure

LINE = np.linspace(-2, 2, 5)
CONTOUR = Contour(LINE, LINE, np.arange(25.0).reshape(5, 5))
POINTS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
GRADIENTS = np.array([[3.0, 4.0], [0.0, -0.1], [0.0, 0.0]])


def draw(*panels: PulledPanel):
    return gradients_figure(POINTS, POINTS, np.array([[0.0, -1.0]]), panels, arrow=0.5)


def arrows(axes):
    (quiver,) = (each for each in axes.collections if hasattr(each, "U"))
    return np.column_stack([quiver.U, quiver.V])


def test_arrows_are_in_proportion_and_the_longest_has_the_length_asked_for() -> None:
    figure = draw(PulledPanel("plain", GRADIENTS, CONTOUR, "slope 5"))
    axes = figure.axes[0]
    np.testing.assert_allclose(arrows(axes), [[0.3, 0.4], [0, -0.01], [0, 0]])
    assert axes.get_title() == "plain\nslope 5"
    assert axes.get_xlim() == (-2, 2)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["data", "lost mode", "generated", "D's gradient, the steepest the longest"]


def test_each_panel_has_its_own_landscape() -> None:
    steep = Contour(LINE, LINE, 100 * CONTOUR.logits)
    figure = draw(PulledPanel("a", GRADIENTS, CONTOUR), PulledPanel("b", -GRADIENTS, steep))
    first, second = (axes for axes in figure.axes if axes.get_title())
    np.testing.assert_allclose(arrows(first), -arrows(second))


def test_a_flat_landscape_has_no_arrows() -> None:
    axes = draw(PulledPanel("flat", np.zeros((3, 2)), CONTOUR)).axes[0]
    np.testing.assert_array_equal(arrows(axes), np.zeros((3, 2)))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one of panels"):
        draw()
    with pytest.raises(ValueError, match=r"gradients of shape \(3, 2\)"):
        draw(PulledPanel("a", GRADIENTS[:2], CONTOUR))
    with pytest.raises(ValueError, match=r"lost of shape \[N, 2\]"):
        gradients_figure(POINTS, POINTS, np.zeros(2), [PulledPanel("a", GRADIENTS, CONTOUR)], 1.0)
