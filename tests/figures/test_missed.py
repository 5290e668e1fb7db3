"""What was missed, each above its nearest generation, and what was copied."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from logan.figures.missed import copies_figure, missed_figure


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


def test_cases_stand_in_order_above_their_nearest_generation() -> None:
    figure = missed_figure(
        _flat(1.0, -1.0),
        _flat(0.0, 1.0),
        np.array([3.25, 2.0]),
        _flat(-1.0, 0.0),
        names=["a.png", "b.png"],
        counts=["7", "1"],
        total=3,
        generations=10_000,
    )
    assert _line(figure, "real image") == [255, 0]
    assert _line(figure, "its reconstruction") == [0, 128]
    assert _line(figure, "nearest generation") == [128, 255]
    short = [text for text in _texts(figure) if " " not in text]
    assert short[:6] == ["a.png", "b.png", "7", "1", "3.25", "2.00"]
    assert "of 3 real images among 10,000 generations: 2 cases, worst" in " ".join(_texts(figure))


def test_without_an_encoder_and_names_there_are_no_such_lines() -> None:
    figure = missed_figure(_flat(0.0), _flat(0.0), np.array([123.4]), total=2_000)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["real image", "nearest generation", "distance"]
    assert "123" in _texts(figure)
    assert "of 2,000 real images: 1 case" in " ".join(_texts(figure))


def test_copies_stand_above_their_training_image() -> None:
    figure = copies_figure(
        _flat(-1.0, 0.0), _flat(1.0, -1.0), np.array([0.5, 1.0]), names=["a", "b"], total=90
    )
    assert _line(figure, "generation") == [0, 128]
    assert _line(figure, "nearest training image") == [255, 0]
    assert "the 2 of 90 generations nearest to a training image" in " ".join(_texts(figure))


@pytest.mark.parametrize("side", [8, 256])
def test_nothing_is_cut_off(side: int) -> None:
    for count in (1, 12):
        images = np.zeros((count, side, side, 3))
        names = [f"a folder/of a long name/{i}.png" for i in range(count)]
        figure = missed_figure(
            images, images, np.ones(count), images, names=names, generations=5_000
        )
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
    with pytest.raises(ValueError, match=r"Expected columns >= 1\. Received: 0"):
        missed_figure(two, two, one, columns=0)
    with pytest.raises(ValueError, match=r"Expected at least one of inputs\. Received: none"):
        missed_figure(two[:0], two[:0], one[:0])
