"""Best, median and worst: which pairs are shown, where, and under which words."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from logan.figures.reconstructions import best_median_worst, ranked_reconstruction_figure


def _flat(values: np.ndarray, side: int = 16) -> np.ndarray:
    """Images of one value each."""
    return np.broadcast_to(np.reshape(values, (-1, 1, 1, 1)), (len(values), side, side, 1))


def _shown(figure: Figure) -> np.ndarray:
    """The grey value in the middle of each image, [lines, columns]."""
    axes = figure.axes[0]
    sheet = np.asarray(axes.images[0].get_array())[..., 0]
    columns = (sheet.shape[1] + 2) // 18  # images of 16 pixels, 2 between them
    lines = [
        round(float(y))
        for y, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        if label.get_text() in ("input", "reconstruction")
    ]
    return sheet[np.ix_(lines, [8 + 18 * column for column in range(columns)])]


def test_groups_run_from_better_to_worse() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.7, 0.3, 0.8, 0.2])
    groups = best_median_worst(scores, 2)
    assert {name: indices.tolist() for name, indices in groups.items()} == {
        "best": [1, 5],
        "median": [3, 2],
        "worst": [6, 0],
    }


def test_the_lowest_error_is_the_best() -> None:
    groups = best_median_worst(np.array([3.0, 1.0, 2.0]), 1, is_error=True)
    assert [int(groups[name][0]) for name in ("best", "median", "worst")] == [1, 2, 0]


def test_no_image_stands_in_two_groups() -> None:
    groups = best_median_worst(np.arange(11.0), 6)
    indices = np.concatenate(list(groups.values()))
    assert len(indices) == 9
    assert len(set(indices.tolist())) == 9


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_images_still_make_groups(count: int) -> None:
    assert [len(g) for g in best_median_worst(np.arange(float(count)), 6).values()] == [1, 1, 1]


def test_figure_shows_pairs_with_their_scores() -> None:
    values = np.linspace(-1, 1, 9)
    scores = np.arange(9) / 10
    figure = ranked_reconstruction_figure(_flat(values), _flat(-values), scores, count=2)
    grey = np.rint((values + 1) * 127.5)
    order = [[8, 7], [4, 3], [1, 0]]
    # The median of an odd number is among those shown; an even count adds the one below or above.
    assert _shown(figure)[4].tolist() == grey[order[2]].tolist()
    assert _shown(figure)[0].tolist() == grey[order[0]].tolist()
    assert _shown(figure)[1].tolist() == grey[[0, 1]].tolist()
    assert grey[4] in _shown(figure)[2].tolist()
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in texts if text[0] == "0"][:2] == ["0.800", "0.700"]
    assert [text for text in texts if text[0] == "0"][-2:] == ["0.100", "0.000"]
    assert {"best by SSIM", "median by SSIM", "worst by SSIM"} <= set(texts)
    assert " ".join(texts).count("9 held-out images, mean SSIM 0.400") == 1
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels.count("SSIM") == 3


def test_many_pairs_take_more_lines() -> None:
    images = _flat(np.zeros(30))
    figure = ranked_reconstruction_figure(images, images, np.arange(30.0), count=10)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels.count("input") == 6


def test_another_measure_is_named_with_its_note() -> None:
    images = _flat(np.zeros(3), side=8)
    figure = ranked_reconstruction_figure(
        images, images, np.array([0.2, 0.04, 1.0]), measure="squared error", is_error=True,
        note="SSIM needs images of 11 pixels or more",
    )  # fmt: skip
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "SSIM needs images of 11 pixels or more" in " ".join(texts)
    assert [text for text in texts if text[0] in "01"] == ["0.040", "0.20", "1.0"]


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("side", [8, 256])
def test_nothing_is_cut_off(side: int, count: int) -> None:
    images = np.zeros((24, side, side, 3))
    figure = ranked_reconstruction_figure(
        images, images, np.arange(24) / 24, count=count, note="a note that is rather long " * 2
    )
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= 0


def test_it_refuses() -> None:
    images = _flat(np.zeros(3))
    with pytest.raises(ValueError, match=r"Expected reconstructions of shape .* Received"):
        ranked_reconstruction_figure(images, images[:2], np.zeros(3))
    with pytest.raises(ValueError, match=r"Expected scores of shape \(3,\)\. Received"):
        ranked_reconstruction_figure(images, images, np.zeros(2))
    with pytest.raises(ValueError, match=r"Expected finite scores\. Received"):
        ranked_reconstruction_figure(images, images, np.array([0, 1, np.nan]))
    with pytest.raises(ValueError, match=r"Expected count >= 1\. Received: 0"):
        ranked_reconstruction_figure(images, images, np.zeros(3), count=0)
    with pytest.raises(ValueError, match=r"Expected at least one of inputs\. Received: none"):
        ranked_reconstruction_figure(images[:0], images[:0], np.zeros(0))
