import types

import pytest

from logan import pace as module
from logan.pace import Pace, duration, steps_within


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0024567, "2.46 ms"),
        (0.062, "62 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (25.4, "25 s"),
        (99.4, "99 s"),
        (100, "2 min"),
        (59.4 * 60, "59 min"),
        (59.6 * 60, "1 h"),
        (2 * 3600 + 300, "2 h 5 min"),
        (24 * 3600 - 10, "1 d"),
        (76.2 * 3600, "3 d 4 h"),
    ],
)
def test_duration(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "of_a_step", "expected"),
    [(300, 0.5, 600), (300, 0.0221, 13_000), (19, 1, 19), (345, 1, 340), (5, 9, 1), (-4, 1, 1)],
)
def test_steps_within_a_time_have_two_digits(seconds, of_a_step, expected):
    assert steps_within(seconds, of_a_step) == expected


def test_pace_leaves_out_what_compiles_and_what_lies_between_the_steps(monkeypatch):
    """Executions of 5 steps: 10 s with compilation, then 2 s each, a pause of 7 s before each."""
    now = 0.0
    monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: now))
    said = []
    pace = Pace(lambda step, seconds: said.append((step, seconds)))
    model = types.SimpleNamespace(steps_per_execution=5)
    model.step = types.SimpleNamespace(numpy=lambda: done)
    pace.set_model(model)
    done = 100
    pace.on_train_begin()
    seen = []
    for seconds in (10, 2, 2, 50):
        pace.on_train_batch_begin(0)
        now += seconds
        done += 5
        pace.on_train_batch_end(0)
        now += 7
        seen.append(pace.seconds)
    assert seen == [None, None, 0.4, 0.4]
    assert said == [(115, 0.4)]
    assert pace.seconds_to_begin == 10
