"""D beside D*: what is drawn where."""

import numpy as np
import pytest

from logan.figures.optimal import Judged, optimal_discriminator_figure

X = np.linspace(-1, 1, 9)
P, Q = np.abs(X), np.ones(9)
BEST = P / (P + Q)


def judged(label: str, level: float, steps: tuple[int, ...] = (0, 100, 2000)) -> Judged:
    values = np.full((len(steps), 9), level)
    return Judged(label, steps, values, np.array([0, 1000, 2000]), np.array([0.0, 0.1, 0.2]))


def draw(*discriminators: Judged):
    return optimal_discriminator_figure(X, P, Q, BEST, 0.25, discriminators)


def test_a_panel_for_the_densities_for_each_step_and_for_the_divergence() -> None:
    figure = draw(judged("plain", 0.4), judged("penalty", 0.6))
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    assert titles == [
        "two known densities", "step 0", "step 100", "step 2,000", "how much of it D sees"
    ]  # fmt: skip
    assert len(figure.axes) == 6  # the spare one is off


def test_every_step_shows_the_best_and_each_discriminator() -> None:
    figure = draw(judged("plain", 0.4), judged("penalty", 0.6))
    for axes in figure.axes[1:4]:
        best, plain, penalty = axes.get_lines()
        np.testing.assert_allclose(best.get_ydata(), BEST)
        np.testing.assert_allclose(plain.get_ydata(), 0.4)
        np.testing.assert_allclose(penalty.get_ydata(), 0.6)
        assert plain.get_linestyle() != penalty.get_linestyle()
        assert plain.get_color() != penalty.get_color()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"plain", "penalty", "best, $D^* = p / (p + q)$"} < set(labels)


def test_the_divergence_stands_as_a_level_beside_log_2() -> None:
    curve = draw(judged("plain", 0.4)).axes[4]
    heights = [np.unique(line.get_ydata()) for line in curve.get_lines()]
    np.testing.assert_allclose(heights[0], np.log(2))
    np.testing.assert_allclose(heights[1], 0.25)
    np.testing.assert_allclose(heights[2], [0, 0.1, 0.2])
    assert "0.250" in " ".join(text.get_text() for text in curve.texts)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one of judged"):
        draw()
    with pytest.raises(ValueError, match=r"at the steps \[0, 100, 2000\].*\[0, 1, 2\]"):
        draw(judged("a", 0), judged("b", 0, (0, 1, 2)))
    with pytest.raises(ValueError, match=r"probabilities of shape \(1, 9\)"):
        draw(Judged("a", (0,), np.zeros((1, 8)), np.zeros(1), np.zeros(1)))
    with pytest.raises(ValueError, match="p of shape"):
        optimal_discriminator_figure(X, P[:3], Q, BEST, 0.1, [judged("a", 0)])
