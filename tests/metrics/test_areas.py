import numpy as np
import pytest

from logan.metrics.areas import connected_areas, solid_sizes


def drawn(*frames: str) -> np.ndarray:
    """A mask from pictures, rows apart by spaces, # for what is in it."""
    return np.array([[[pixel == "#" for pixel in row] for row in each.split()] for each in frames])


def test_areas_are_numbered_over_all_frames():
    mask = drawn("##..# .#..# .....", "..... ..... ....#")
    expected = [
        [[1, 1, 0, 0, 2], [0, 1, 0, 0, 2], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 3]],
    ]
    np.testing.assert_array_equal(connected_areas(mask), expected)


def test_corners_connect_and_edges_of_the_frame_do_not():
    mask = drawn("#.... .#... ..#.# #...#")
    np.testing.assert_array_equal(
        connected_areas(mask)[0],
        [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 2], [3, 0, 0, 0, 2]],
    )


def test_a_spiral_is_one_area():
    mask = drawn("####### ......# #####.# #...#.# #.###.# #.....# #######")
    assert connected_areas(mask).max() == 1


def test_areas_agree_with_flood_filling():
    mask = np.random.default_rng(0).random((3, 20, 17)) < 0.4
    areas = connected_areas(mask)
    assert (areas > 0).tolist() == mask.tolist()
    for number in range(1, areas.max() + 1):
        np.testing.assert_array_equal(areas == number, flooded(mask, areas == number))


def flooded(mask: np.ndarray, area: np.ndarray) -> np.ndarray:
    """All that is connected to the first pixel of an area, by growing it pixel by pixel."""
    todo, found = [tuple(np.argwhere(area)[0])], np.zeros_like(mask)
    while todo:
        frame, row, column = todo.pop()
        found[frame, row, column] = True
        for other in np.ndindex(3, 3):
            near = (frame, row + other[0] - 1, column + other[1] - 1)
            is_inside = 0 <= near[1] < mask.shape[1] and 0 <= near[2] < mask.shape[2]
            if is_inside and mask[near] and not found[near]:
                todo.append(near)
    return found


def test_no_area_at_all():
    assert not connected_areas(np.zeros((2, 3, 3), bool)).any()


def test_a_line_has_no_size():
    areas = connected_areas(drawn("#.##. #.##. #..#. #...#"))
    assert solid_sizes(areas).tolist() == [0, 0, 6]


@pytest.mark.parametrize("mask", [np.zeros((3, 3), bool), np.zeros((1, 3, 3))])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ValueError, match="Expected a mask of bool"):
        connected_areas(mask)
