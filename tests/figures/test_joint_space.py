"""The joint space of 1-D x and 1-D z, stage by stage."""

import numpy as np
import pytest

from logan.figures.contours import Contour
from logan.figures.joint_space import JointStage, joint_space_figure

X = np.array([-0.5, 0.0, 0.5])
Z = np.array([-1.0, 0.0, 1.0, 0.5])


def _stage(label: str, scale: float) -> JointStage:
    logits = scale * np.linspace(-1, 1, 20).reshape(4, 5)
    contour = Contour(np.linspace(-1, 1, 5), np.linspace(-2, 2, 4), logits)
    return JointStage(label, Z / 2, Z, X, X * 2, contour)


def test_panels_share_axes_and_one_color_bar() -> None:
    figure = joint_space_figure([_stage(f"step {n}", n + 1) for n in range(3)])
    *panels, bar = figure.axes
    assert [axes.get_title() for axes in panels] == ["step 0", "step 1", "step 2"]
    assert bar.get_ylabel() == "D logit"
    assert {(axes.get_xlim(), axes.get_ylim()) for axes in panels} == {((-1, 1), (-2, 2))}
    levels = [axes.collections[0].levels for axes in panels]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(levels[0], levels[2])
    assert levels[0].max() >= 2.9  # the last stage's logits fit as well


def test_both_kinds_of_pairs_are_drawn() -> None:
    figure = joint_space_figure([JointStage("step 0", Z[:, None] / 2, Z[:, None], X, X * 2)])
    (axes,) = figure.axes
    real, generated = axes.collections
    np.testing.assert_allclose(np.asarray(real.get_offsets()), np.column_stack([X, X * 2]))
    np.testing.assert_allclose(np.asarray(generated.get_offsets()), np.column_stack([Z / 2, Z]))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["$(x, E(x))$", "$(G(z), z)$"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$x$", "$z$")


def test_joint_space_refuses() -> None:
    with pytest.raises(ValueError, match=r"Expected at least one of stages\. Received: none"):
        joint_space_figure([])
    with pytest.raises(ValueError, match=r"Expected generated_x and z .* Received: shapes"):
        joint_space_figure([JointStage("a", Z[:2], Z, X, X)])
    with pytest.raises(ValueError, match=r"Expected real_x and encoded_z .* Received: shapes"):
        joint_space_figure([JointStage("a", Z, Z, np.zeros((3, 2)), np.zeros((3, 2)))])
