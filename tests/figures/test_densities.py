"""Densities on a line over training: stages, ways from z to x, and the curve."""

import numpy as np
import pytest

from logan.figures.densities import DensityStage, densities_figure

EDGES = np.array([0.0, 1.0, 2.0, 4.0])
REAL = np.array([0.5, 0.25, 0.125])
Z = np.array([-1.0, 0.0, 1.0])


def stage(label: str, generated=(0.0, 1.0, 0.0), x=(1.0, 1.5, 2.0)) -> DensityStage:
    return DensityStage(label, np.array(generated), Z, np.array(x), 0.3)


def draw(*stages: DensityStage):
    steps = np.array([0, 100])
    return densities_figure(EDGES, REAL, stages, steps, np.array([0.6, 0.1]))


def test_two_rows_of_stages_and_a_curve() -> None:
    figure = draw(stage("step 0"), stage("step 100"))
    *panels, curve = figure.axes
    assert [axes.get_title() for axes in panels] == [
        "step 0\nJSD 0.30", "step 100\nJSD 0.30", "", ""
    ]  # fmt: skip
    assert curve.get_title() == "divergence of data\nand generator"
    np.testing.assert_allclose(curve.get_lines()[0].get_ydata(), [0.6, 0.1])
    assert {axes.get_xlim() for axes in panels} == {(0.0, 4.0)}


def test_densities_are_drawn_over_their_bins_and_peaks_are_cut_off() -> None:
    top = draw(stage("step 0", generated=(0.0, 9.0, 0.0))).axes[0]
    real, generated = top.patches
    np.testing.assert_allclose(real.get_data().values, REAL)
    np.testing.assert_allclose(generated.get_data().values, [0, 9, 0])
    assert top.get_ylim() == (0, 0.75)


def test_ways_lead_from_evenly_spaced_z_to_what_they_make() -> None:
    way = draw(stage("step 0")).axes[1]
    lines = way.get_lines()
    first, middle, last = lines[0], lines[len(lines) // 2], lines[-1]
    # z = -1, 0 and 1 stand at the left, in the middle and at the right of the width of 4.
    assert [tuple(line.get_xdata()) for line in (first, middle, last)] == [
        (0.0, 1.0), (2.0, 1.5), (4.0, 2.0)
    ]  # fmt: skip


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one of stages"):
        draw()
    with pytest.raises(ValueError, match=r"generated of shape \(3,\)"):
        draw(stage("a", generated=(1.0,)))
    with pytest.raises(ValueError, match=r"generated_x of shape \(3,\)"):
        draw(stage("a", x=(1.0, 2.0)))
