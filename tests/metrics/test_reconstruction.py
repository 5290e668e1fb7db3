import numpy as np
import pytest

from logan.metrics.reconstruction import root_mean_square_distance


def test_vectors_by_hand():
    x = [[3.0, 4.0], [1.0, 1.0]]
    assert root_mean_square_distance(x, np.zeros((2, 2))) == pytest.approx((27 / 2) ** 0.5)


def test_images_are_compared_over_all_axes():
    x = np.ones((3, 2, 2, 2))
    assert root_mean_square_distance(x, -x) == pytest.approx(32**0.5)


def test_equal_inputs():
    x = np.random.default_rng(0).normal(size=(4, 3))
    assert root_mean_square_distance(x, x) == 0


def test_small_differences_of_float32_keep_their_digits():
    x = np.full((10, 1), 1000, np.float32)
    assert root_mean_square_distance(x, x + np.float32(0.125)) == pytest.approx(0.125)


@pytest.mark.parametrize("shape", [(4, 2), (3, 1), (3,), (1, 3)])
def test_shapes_that_differ_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(3, 2\).*Received: \("):
        root_mean_square_distance(np.zeros((3, 2)), np.zeros(shape))


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match="at least one sample"):
        root_mean_square_distance(np.zeros((0, 2)), np.zeros((0, 2)))
