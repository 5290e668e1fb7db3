"""Real and generated points: what is drawn, and what is refused."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from logan.figures.contours import Contour
from logan.figures.toy import (
    Panel,
    comparison_figure,
    data_limits,
    draw_samples,
    max_share,
    samples_figure,
)

REAL = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
GENERATED = np.array([[0.1, 0.0], [0.5, 0.5], [0.9, 1.9], [1.0, 1.0]])
CONTOUR = Contour(np.linspace(-3, 3, 6), np.linspace(-4, 4, 5), np.arange(30.0).reshape(5, 6))


def _points(axes: Axes, label: str) -> np.ndarray:
    (artist,) = [item for item in axes.collections if item.get_label() == label]
    return np.asarray(artist.get_offsets())


def _legend(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def _texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_limits_leave_room_on_every_side() -> None:
    np.testing.assert_allclose(data_limits(REAL), [[-0.24, -0.24], [1.24, 2.24]])
    centers = np.array([[11.0, 0.0]])
    np.testing.assert_allclose(data_limits(REAL, centers)[1], [11 + 0.12 * 11, 2 + 0.12 * 11])


def test_limits_of_a_single_point_are_not_empty() -> None:
    low, high = data_limits(np.zeros((1, 2)))
    assert np.all(high > low)


def test_samples_figure_shows_both_point_sets() -> None:
    figure = samples_figure(REAL, GENERATED, title="ring8")
    (axes,) = figure.axes
    np.testing.assert_allclose(_points(axes, "real"), REAL)
    np.testing.assert_allclose(_points(axes, "generated"), GENERATED)
    assert axes.get_aspect() == 1
    assert axes.get_title() == "ring8"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x_1$", "$x_2$")
    assert _legend(figure) == ["real", "generated"]


def test_generated_points_lie_above_real_ones_above_the_contour() -> None:
    (axes, *_) = samples_figure(REAL, GENERATED, contour=CONTOUR).axes
    order = {item.get_label(): item.get_zorder() for item in axes.collections}
    contour = min(item.get_zorder() for item in axes.collections)
    assert contour < order["real"] < order["generated"]


def test_contour_brings_a_color_bar_and_its_limits() -> None:
    figure = samples_figure(REAL, GENERATED, contour=CONTOUR)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert [child.get_ylabel() for child in axes.child_axes] == ["D logit"]
    assert (axes.get_xlim(), axes.get_ylim()) == ((-3, 3), (-4, 4))


def test_centers_and_three_sigma_circles() -> None:
    figure = samples_figure(REAL, GENERATED, centers=REAL, sigma=0.1)
    (axes,) = figure.axes
    np.testing.assert_allclose(_points(axes, "mode centre"), REAL)
    circles = axes.collections[-1]
    np.testing.assert_allclose(circles.get_widths(), 0.6)  # type: ignore[attr-defined]
    assert "mode centre" in _legend(figure)


def test_the_swiss_rolls_centers_are_not_drawn() -> None:
    (axes,) = samples_figure(REAL, GENERATED, centers=np.zeros((1000, 2))).axes
    assert "mode centre" not in [item.get_label() for item in axes.collections]


@pytest.mark.parametrize("stray", [100.0, np.nan])
def test_stray_samples_are_counted_and_do_not_shrink_the_picture(stray: float) -> None:
    generated = np.concatenate([GENERATED, [[stray, 0.0]]])
    (axes,) = samples_figure(REAL, generated).axes
    assert axes.get_xlim()[1] == pytest.approx(1.24)
    assert _texts(axes) == ["1 of 5 generated lie outside"]
    assert _texts(samples_figure(REAL, GENERATED).axes[0]) == []


def test_one_dimensional_x_gives_histograms() -> None:
    real = np.array([[0.0], [0.0], [0.0], [1.0]])
    figure = samples_figure(real, real[2:], centers=np.array([[0.0], [1.0]]))
    (axes,) = figure.axes
    shares, heights = (patch.get_data().values for patch in axes.patches)  # type: ignore[attr-defined]
    assert sorted(shares[shares > 0]) == [0.25, 0.75]
    assert sorted(heights[heights > 0]) == [0.5, 0.5]
    (centers,) = axes.lines
    np.testing.assert_allclose(np.asarray(centers.get_xdata()), [0, 1])
    assert _legend(figure) == ["real", "generated", "mode centre"]


def test_max_share_is_the_tallest_bar() -> None:
    points = np.array([[0.0], [0.0], [1.0], [9.0]])
    assert max_share(points, np.array([[-1.0], [2.0]])) == 0.5


def test_comparison_has_a_cell_for_each_panel() -> None:
    labels = ["ring8, plain", "ring8, pairwise", "grid25, plain"]
    panels = [Panel(label, REAL, GENERATED, REAL, caption="8/8 modes") for label in labels]
    figure = comparison_figure(panels, columns=2)
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    titles = [axes.get_title() for axes in figure.axes[:3]]
    assert titles == [f"{label}\n8/8 modes" for label in labels]
    assert [axes.get_ylabel() for axes in figure.axes[:3]] == ["$x_2$", "", "$x_2$"]
    assert len(figure.legends) == 1


def test_comparison_defaults_to_one_row() -> None:
    figure = comparison_figure([Panel("a", REAL, GENERATED), Panel("b", REAL, GENERATED)])
    geometry = figure.axes[0].get_gridspec()
    assert geometry is not None
    assert geometry.get_geometry() == (1, 2)
    assert figure.axes[0].get_title() == "a"


@pytest.mark.parametrize(
    ("real", "generated", "options"),
    [
        (np.zeros(3), np.zeros((3, 1)), {}),
        (np.zeros((3, 3)), np.zeros((3, 3)), {}),
        (np.zeros((0, 2)), np.zeros((3, 2)), {}),
        (np.zeros((3, 2)), np.zeros((3, 1)), {}),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"centers": np.zeros((2, 1))}),
        (np.zeros((3, 1)), np.zeros((3, 1)), {"contour": CONTOUR}),
    ],
)
def test_draw_samples_refuses(real: np.ndarray, generated: np.ndarray, options: dict) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        draw_samples(Figure().subplots(), real, generated, **options)


def test_comparison_refuses_nothing_and_no_columns() -> None:
    with pytest.raises(ValueError, match=r"Expected at least one of panels\. Received: none"):
        comparison_figure([])
    with pytest.raises(ValueError, match=r"Expected at least 1 column\. Received: 0"):
        comparison_figure([Panel("a", REAL, GENERATED)], columns=0)


def test_missed_modes_are_marked_and_named_in_the_legend() -> None:
    real = np.array([[0.0, 0.0], [1.0, 1.0]])
    missed = np.array([[1.0, 1.0]])
    figure = comparison_figure([Panel("one", real, real[:1], real, missed=missed)])
    axes = figure.axes[0]
    marks = next(mark for mark in axes.collections if mark.get_label() == "missed mode")
    np.testing.assert_array_equal(marks.get_offsets(), missed)
    assert "missed mode" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_legend_names_what_any_panel_shows() -> None:
    plain = Panel("plain", REAL, GENERATED)
    missing = Panel("missing", REAL, GENERATED, REAL, missed=REAL[:1])
    names = _legend(comparison_figure([plain, missing]))
    assert names == _legend(comparison_figure([missing]))
    assert "missed mode" in names and len(names) == len(set(names))


def test_no_missed_mode_leaves_no_mark() -> None:
    real = np.array([[0.0, 0.0], [1.0, 1.0]])
    figure = comparison_figure([Panel("one", real, real, real, missed=np.empty((0, 2)))])
    marks = next(m for m in figure.axes[0].collections if m.get_label() == "missed mode")
    assert len(marks.get_offsets()) == 0
