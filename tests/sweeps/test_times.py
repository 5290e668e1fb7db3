"""Equal times and estimates, worked out by hand."""

from pathlib import Path

import pytest

from logan.errors import UserError
from logan.sweeps.plan import plan
from logan.sweeps.times import (
    FILE,
    StepTimes,
    duration,
    logged_steps,
    measure_steps,
    step_times,
    time_left,
    with_equal_times,
    worth_measuring,
)

GAN, WGAN = ("ring8", "gan"), ("ring8", "wgan")


def planned(folder=Path("sweep"), methods=("gan", "wgan"), seeds=(0,), **given):
    return plan(folder, ["ring8"], list(methods), [], seeds, given, {})


def log(run, *lines):
    """Writes (step, seconds) into a run's log."""
    run.path.mkdir(parents=True, exist_ok=True)
    text = "".join(f'{{"step": {step}, "seconds": {seconds}}}\n' for step, seconds in lines)
    run.log.write_text(text)


def test_the_first_interval_does_not_count():
    records = [(100, 9.0), (200, 10.0), (300, 11.0), (350, 14.0)]
    times = step_times([dict(step=step, seconds=seconds) for step, seconds in records])
    assert times == pytest.approx([0.01, 0.01, 0.06])
    assert step_times([dict(step=100, seconds=9.0)]) == []
    assert step_times([]) == []


def test_equal_times_are_those_of_the_first_method():
    runs = planned(seeds=(0, 1), steps=1_000)
    equal = with_equal_times(runs, {GAN: 0.01, WGAN: 0.03})
    # 10 seconds; 333.3 steps of the other, in whole intervals of 100.
    assert [each.run.experiment.steps for each in equal] == [1_000, 300, 1_000, 300]
    assert equal[1].flags[-1] == "--steps=300"


def test_equal_times_are_never_no_steps_and_the_first_method_keeps_its_own():
    equal = with_equal_times(planned(steps=130), {GAN: 0.01, WGAN: 9.0})
    assert [each.run.experiment.steps for each in equal] == [130, 100]


def test_times_are_kept_for_the_same_settings(tmp_path):
    gan, wgan = planned(tmp_path)
    StepTimes(tmp_path, 1).add(gan, 0.25)
    times = StepTimes(tmp_path, 1)
    assert times.get(gan) == 0.25
    assert times.get(wgan) is None
    assert times.get(planned(tmp_path, seeds=(3,), steps=5)[0]) == 0.25
    assert times.get(planned(tmp_path, width=8)[0]) is None
    assert StepTimes(tmp_path, 0).get(gan) is None
    assert measure_steps([gan], times, tmp_path) == {GAN: 0.25}


@pytest.mark.parametrize("text", ["[]", '{"ring8 gan": 3}', "{"])
def test_a_damaged_file_of_times_is_refused(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match=FILE):
        StepTimes(tmp_path, 1).get(planned(tmp_path)[0])


def test_estimate_is_by_what_is_left_and_by_logs(tmp_path):
    runs = planned(tmp_path, seeds=(0, 1), steps=1_000)
    log(runs[0].run, (100, 9.0), (200, 10.0), (300, 12.0))
    log(runs[2].run, (100, 9.0), (200, 12.0))
    log(runs[3].run, (100, 9.0))
    runs[0].run.checkpoints.path(600).mkdir(parents=True)
    seconds = logged_steps(runs)
    assert seconds == {GAN: pytest.approx(0.02)}
    # 400 and 1,000 steps of the GAN; nothing is known of the other.
    assert time_left(runs, seconds, 1) == pytest.approx(28)
    assert time_left(runs, seconds, 4) == pytest.approx(20)
    assert time_left(runs, {}, 1) is None


def test_only_long_trainings_are_worth_measuring(tmp_path):
    short, long = planned(tmp_path, steps=3_999), planned(tmp_path, seeds=(0, 1), steps=2_000)
    assert worth_measuring(short) == []
    assert worth_measuring(long) == long[:2]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "1 min"), (3_569, "59 min"), (3_600, "1 h 0 min"), (7_500, "2 h 5 min")],
)
def test_durations_in_words(seconds, text):
    assert duration(seconds) == text
