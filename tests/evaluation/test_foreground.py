"""The measure of foreground on clips of which it is known what stands before the scene."""

import numpy as np
import pytest
from clips import HOUSE, clip, passing

from logan.evaluation import table
from logan.evaluation.foreground import FOREGROUND
from logan.evaluation.record import Record


@pytest.fixture
def record():
    """Small things in 37 % of the real frames and in 10 % of the generated ones; a lit house."""
    x, random = clip(400)
    x[HOUSE] += 0.3 * np.sin(np.arange(400) / 40, dtype=np.float32)[:, None, None, None]
    passing(x[:200], random, 0.37)
    passing(x[200:], random, 0.1)
    x[200:240, 14, 10:14] += 0.4  # a line is no thing
    return Record("", 0, x[:200], train=x[:200], generated=x[200:], has_fixed_camera=True)


def test_forgotten_things_show(record):
    measured = FOREGROUND.measure(record)
    found = measured.numbers["foreground"]
    assert found["real_share"] == pytest.approx(0.37, abs=0.03)
    assert found["generated_share"] == pytest.approx(0.1, abs=0.01)
    assert found["real_faint_share"] <= 0.01
    assert found["generated_faint_share"] == pytest.approx(0.2, abs=0.04)
    assert found["light_sources"] == 1
    assert found["smallest_area"] == pytest.approx(7.5 / 1024)
    assert 0.01 < found["noise"] < 0.015
    assert "of at least 0.73% of the pixels" in measured.protocol
    assert f"more than {found['threshold']:.3f} of [-1, 1]" in measured.protocol


def test_distance_is_that_of_areas_in_units_of_the_smallest(record):
    """37 % against 10 % of frames in one bin, and 20 % in that of a line of 4 pixels."""
    p, q = np.array([0.63, 0, 0.37]), np.array([0.72, 0.18, 0.1])
    middle = (p + q) / 2
    divergence = sum(
        0.5 * np.sum(part[part > 0] * np.log2(part[part > 0] / middle[part > 0])) for part in (p, q)
    )
    found = FOREGROUND.measure(record).numbers["foreground"]
    assert found["distance"] == pytest.approx(np.sqrt(divergence), abs=0.03)


def test_faint_shares_stand_in_the_table(record):
    printed = table({"run": {"samples": 200, **FOREGROUND.measure(record).numbers}})
    assert "| faint | real faint |" in printed


def test_a_house_in_slow_light_is_not_on_the_map(record):
    figure = FOREGROUND.measure(record).draw()
    real_map = np.asarray(figure.axes[0].images[0].get_array())
    assert real_map[:10].max() <= 0.01
    assert real_map[10:22].max() > 0.02


def test_held_out_frames_are_occupied_by_the_same_rule(record):
    assert record.is_occupied.mean() == pytest.approx(0.37, abs=0.03)
