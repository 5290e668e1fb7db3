"""The encoder experiment: data and encodings in the same colours, over the prior."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from logan.figures.encoder import EncoderPanel, encoder_figure
from logan.figures.style import GREY, mode_colors

MODES = np.array([0, 1, 1])
POINTS = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.5]])
PRIOR = np.random.default_rng(0).uniform(-1, 1, (40, 2))


def test_a_row_for_each_prior() -> None:
    panels = [
        EncoderPanel("uniform prior", POINTS, MODES, POINTS / 2, PRIOR, "prior coverage 0.98"),
        EncoderPanel("prior of 4 modes", POINTS, MODES, POINTS / 2, PRIOR),
    ]
    axes = encoder_figure(panels).axes
    assert len(axes) == 4
    assert axes[1].get_title() == "E(x) over the uniform prior (grey)\nprior coverage 0.98"
    assert axes[3].get_title() == "E(x) over the prior of 4 modes (grey)"
    assert (axes[0].get_xlabel(), axes[1].get_xlabel()) == ("$x_1$", "$z_1$")


def test_data_and_encodings_have_the_colors_of_their_modes() -> None:
    figure = encoder_figure([EncoderPanel("uniform prior", POINTS, MODES, POINTS / 2, PRIOR)])
    data, encodings = figure.axes
    (points,) = data.collections
    prior, encoded = encodings.collections
    for artist in (points, encoded):
        colors = np.asarray(artist.get_facecolor())[:, :3]
        np.testing.assert_allclose(colors, mode_colors(2)[MODES])
    np.testing.assert_allclose(np.asarray(encoded.get_offsets()), POINTS / 2)
    np.testing.assert_allclose(np.asarray(prior.get_facecolor())[0, :3], to_rgb(GREY))
    assert prior.get_zorder() < encoded.get_zorder()


def test_one_dimensional_latents_stack_to_the_whole() -> None:
    panel = EncoderPanel("uniform prior", POINTS, MODES, POINTS[:, :1], PRIOR[:, :1])
    axes = encoder_figure([panel]).axes[1]
    stacks = [patch for patch in axes.patches if hasattr(patch, "get_data")]
    shares = [(data.values - data.baseline).sum() for data in (s.get_data() for s in stacks)]
    np.testing.assert_allclose(shares, [1 / 3, 2 / 3])
    assert axes.get_ylabel() == "share of points"


def test_prior_and_encodings_are_counted_in_the_same_bins() -> None:
    """Also where some encodings lie far outside of the prior: heights compare."""
    latents = np.array([[0.0], [0.1], [9.0]])
    axes = encoder_figure([EncoderPanel("prior", POINTS, MODES, latents, PRIOR[:, :1])]).axes[1]
    stack = next(patch for patch in axes.patches if hasattr(patch, "get_data"))
    bars = [patch for patch in axes.patches if hasattr(patch, "get_height")]
    edges = stack.get_data().edges
    np.testing.assert_allclose([bar.get_x() for bar in bars], edges[:-1], atol=1e-9)
    np.testing.assert_allclose(sum(bar.get_height() for bar in bars), 1)


@pytest.mark.parametrize(
    "panel",
    [
        EncoderPanel("a", POINTS, MODES[:2], POINTS, PRIOR),
        EncoderPanel("a", POINTS, MODES, POINTS[:2], PRIOR),
        EncoderPanel("a", POINTS, MODES, POINTS, PRIOR[:, :1]),
        EncoderPanel("a", POINTS, MODES, np.zeros((3, 3)), np.zeros((3, 3))),
    ],
)
def test_encoder_figure_refuses(panel: EncoderPanel) -> None:
    with pytest.raises(ValueError, match=r"Expected .* Received"):
        encoder_figure([panel])


def test_encoder_figure_refuses_nothing() -> None:
    with pytest.raises(ValueError, match=r"Expected at least one of panels\. Received: none"):
        encoder_figure([])
