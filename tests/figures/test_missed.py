"""What was missed: the farthest first, each above its nearest generation."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from logan.figures.missed import missed_figure


def _flat(*values: float, side: int = 16) -> np.ndarray:
    """Images of one value each."""
    shape = (len(values), side, side, 1)
    return np.broadcast_to(np.reshape(values, (-1, 1, 1, 1)), shape).astype(np.float32)


def _texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def _line(figure: Figure, label: str) -> list[int]:
    """The grey values of the first line of that label."""
    axes = figure.axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    row = round(float(axes.get_yticks()[labels.index(label)]))
    sheet = np.asarray(axes.images[0].get_array())[..., 0]
    return [int(value) for value in sheet[row, 8::18]]


def test_the_farthest_stand_first_above_their_nearest_generation() -> None:
    figure = missed_figure(
        _flat(-1.0, 0.0, 1.0),
        _flat(1.0, -1.0, 0.0),
        np.array([2.0, 0.5, 3.25]),
        _flat(0.0, 1.0, -1.0),
        count=2,
        generations=10_000,
    )
    assert _line(figure, "held-out image") == [255, 0]
    assert _line(figure, "its reconstruction") == [0, 128]
    assert _line(figure, "nearest generation") == [128, 255]
    assert [text for text in _texts(figure) if " " not in text] == ["3.25", "2.00"]
    assert "the 2 of 3 held-out images farthest from 10,000 generations" in " ".join(_texts(figure))


def test_without_an_encoder_there_is_no_reconstruction() -> None:
    figure = missed_figure(_flat(0.0), _flat(0.0), np.array([123.4]), total=2_000)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["held-out image", "nearest generation", "distance"]
    assert "123" in _texts(figure)
    assert "the 1 of 2,000 held-out images farthest from all" in " ".join(_texts(figure))


@pytest.mark.parametrize("side", [8, 256])
def test_nothing_is_cut_off(side: int) -> None:
    for count in (1, 12):
        images = np.zeros((count, side, side, 3))
        figure = missed_figure(images, images, np.ones(count), images, generations=5_000)
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0


def test_it_refuses() -> None:
    two, one = _flat(0.0, 0.0), np.ones(2)
    with pytest.raises(ValueError, match=r"Expected nearest of shape .* Received"):
        missed_figure(two, two[:1], one)
    with pytest.raises(ValueError, match=r"Expected distances of shape \(2,\)\. Received"):
        missed_figure(two, two, np.ones(3))
    with pytest.raises(ValueError, match=r"Expected reconstructions of shape .* Received"):
        missed_figure(two, two, one, two[:1])
    with pytest.raises(ValueError, match=r"Expected finite distances\. Received"):
        missed_figure(two, two, np.array([1, np.inf]))
    with pytest.raises(ValueError, match=r"Expected count >= 1 and columns >= 1\. Received: 0, 6"):
        missed_figure(two, two, one, count=0)
    with pytest.raises(ValueError, match=r"Expected at least one of inputs\. Received: none"):
        missed_figure(two[:0], two[:0], one[:0])
