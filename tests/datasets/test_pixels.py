import numpy as np
import pytest

from logan.datasets.pixels import to_uint8, to_unit_range


def test_unit_range_is_exact_and_comes_back():
    levels = np.arange(256, dtype=np.uint8)
    floats = to_unit_range(levels)
    assert floats.dtype == np.float32
    assert floats[[0, 255]].tolist() == [-1, 1]
    np.testing.assert_array_equal(to_uint8(floats), levels)
    np.testing.assert_array_equal(to_uint8(np.array([-1.5, 1.5])), [0, 255])


def test_ranges_refuse_the_other_kind():
    with pytest.raises(ValueError, match="Expected uint8"):
        to_unit_range(np.zeros(2))
    with pytest.raises(ValueError, match="Expected floating"):
        to_uint8(np.zeros(2, np.uint8))
