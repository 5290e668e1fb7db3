"""Training curves: which panels and lines a log gives."""

import numpy as np
import pytest
from matplotlib.lines import Line2D

from logan.figures.curves import Records, curves_figure, smooth


def _records(count: int, **values: float) -> list[dict[str, float]]:
    return [{"step": 10.0 * n, **values} for n in range(count)]


def _xs(line: Line2D) -> np.ndarray:
    return np.asarray(line.get_xdata())


def test_smooth_is_a_centered_average_shorter_at_the_ends() -> None:
    np.testing.assert_allclose(smooth(np.array([0.0, 3.0, 6.0, 3.0]), 3), [1.5, 3, 4, 4.5])
    np.testing.assert_allclose(smooth(np.array([1.0, 2.0]), 1), [1, 2])


def test_smooth_passes_over_missing_values() -> None:
    values = np.array([1.0, np.nan, 3.0, np.nan, np.nan, np.nan, 5.0])
    np.testing.assert_allclose(smooth(values, 3), [1, 2, 3, 3, np.nan, 5, 5])


def test_only_logged_keys_get_a_panel() -> None:
    records = _records(5, discriminator_loss=1.0, generator_loss=2.0, penalty=0.5)
    loss, penalty, *rest = curves_figure({"run": records}).axes
    assert (loss.get_ylabel(), penalty.get_ylabel()) == ("loss with penalties", "penalty")
    assert not [axes for axes in rest if axes.axison]
    legend = loss.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "discriminator",
        "generator and encoder",
    ]
    np.testing.assert_allclose(_xs(loss.lines[1]), [0, 10, 20, 30, 40])
    np.testing.assert_allclose(np.asarray(loss.lines[1].get_ydata()), 2.0)


def test_long_logs_show_raw_and_smoothed_values() -> None:
    records = [{"step": n, "penalty": float(n % 2)} for n in range(200)]
    axes = curves_figure({"run": records}).axes[0]
    raw, smoothed = axes.lines
    assert np.ptp(raw.get_ydata()) == 1
    assert np.ptp(smoothed.get_ydata()) < 0.3
    assert raw.get_alpha() == 0.2


def test_runs_differ_in_color_and_keys_in_dashes() -> None:
    records = _records(4, real_logits=1.0, fake_logits=-1.0)
    figure = curves_figure({"pairwise": records, "plain": records})
    lines = [line for line in figure.axes[0].lines if len(_xs(line))]
    colors = [line.get_color() for line in lines]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["pairwise", "plain"]


def test_a_key_that_starts_late_or_is_null_is_drawn_where_it_is() -> None:
    records: Records = [{"step": 0}, {"step": 1, "penalty": None}, {"step": 2, "penalty": 0.5}]
    axes = curves_figure({"run": records}).axes[0]
    np.testing.assert_allclose(_xs(axes.lines[0]), [2])


def test_coverage_is_drawn_as_counts_of_modes_and_shares() -> None:
    records = _records(3, modes=8, captured=7, captured_fair=5, high_quality=0.9, reverse_kl_all=1)
    modes, share, divergence = curves_figure({"run": records}).axes
    drawn = {str(line.get_label()): np.asarray(line.get_ydata()).tolist() for line in modes.lines}
    assert drawn == {"all": [8] * 3, "captured": [7] * 3, "in a fair share": [5] * 3}
    assert (modes.get_ylabel(), share.get_ylabel()) == ("modes", "share within 3σ")
    np.testing.assert_allclose(np.asarray(share.lines[0].get_ydata()), 0.9)
    assert divergence.get_ylabel() == "KL of all samples"


def test_all_panels_together() -> None:
    keys = ["generator_loss", "real_logits", "penalty", "gradient_slope", "reconstruction_distance"]
    figure = curves_figure({"run": _records(3, **dict.fromkeys([*keys, "learning_rate"], 1.0))})
    assert len(figure.axes) == 6
    assert all(axes.axison and axes.get_xlabel() == "step" for axes in figure.axes)


def test_curves_refuse() -> None:
    with pytest.raises(ValueError, match=r"Expected at least one of runs\. Received: none"):
        curves_figure({})
    with pytest.raises(ValueError, match=r"Expected records .* Received: keys \['step'\]"):
        curves_figure({"run": _records(3)})
    with pytest.raises(ValueError, match=r"Expected values .* Received"):
        smooth(np.zeros(3), 0)
