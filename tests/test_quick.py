"""A first look: how many steps it has, and that the measure leaves no trace in the run."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from campaigns.stored import variables

from logan import quick
from logan.errors import RunError
from logan.pace import Pace
from logan.quick import quickly
from logan.runs import Run, default_workdir
from logan.settings import Experiment, preset
from logan.training import train

EXPERIMENT = Experiment(
    dataset="line",
    latent_length=1,
    width=4,
    hidden_layers=1,
    batch_size=8,
    steps=200,
    log_every=10,
    snapshots=0,
    jit=False,
)


@pytest.fixture
def measures(monkeypatch):
    """Short measures, after which 40 steps are found to fit."""
    monkeypatch.setattr(Pace, "ENOUGH", 0.01)
    monkeypatch.setattr(quick, "steps_within", lambda seconds, of_a_step: 40)


def measured(seconds, seconds_to_begin):
    pace = Pace()
    pace.seconds, pace.seconds_to_begin = seconds, seconds_to_begin
    return pace


@pytest.mark.parametrize(
    ("most", "pace", "steps", "expected"),
    [
        # 300 s, a tenth of them for other things and 20 s to begin, leave 250 s.
        (8000, measured(0.5, 20.0), 500, ["500 of 8,000 steps, at 500 ms a step on this machine",
                                          "all of them, without --quick: about 1 h 7 min"]),
        (500, measured(0.5, 20.0), 500, ["all 500 steps take about 4 min on this machine: nothing "
                                         "is changed"]),
        (30, measured(None, 20.0), 30, ["all 30 steps take seconds on this machine: nothing is "
                                        "changed"]),
    ],
)  # fmt: skip
def test_as_many_steps_as_fit_are_chosen(most, pace, steps, expected):
    assert quick._chosen(most, pace) == (steps, expected)


def test_measure_leaves_no_trace_in_the_run(measures, tmp_path, capsys):
    chosen = quickly(EXPERIMENT, tmp_path / "quick")
    assert chosen == dataclasses.replace(EXPERIMENT, steps=40)
    assert not (tmp_path / "quick").exists()
    assert capsys.readouterr().err.startswith("Quick     40 of 200 steps, at ")
    assert keras.layers.Dense(1).name == "dense"  # the first one, as without a measure
    keras.utils.clear_session()
    run = train(chosen, tmp_path / "quick", show_progress=False).run
    keras.utils.clear_session()
    plain = train(chosen, tmp_path / "plain", show_progress=False).run
    logs = [[{**record, "seconds": None} for record in each.records()] for each in (run, plain)]
    assert logs[0] == logs[1]
    ours, theirs = (variables(each.checkpoints, 40) for each in (run, plain))
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


def test_run_that_was_begun_keeps_its_steps_without_a_measure(tmp_path, capsys, monkeypatch):
    begun = dataclasses.replace(EXPERIMENT, steps=70)
    Run.create_or_continue(tmp_path / "run", begun)
    monkeypatch.setattr(quick, "_measured", None)
    assert quickly(EXPERIMENT, tmp_path / "run") == begun
    assert capsys.readouterr().err == f"Quick     70 steps, as {tmp_path / 'run'} was begun with\n"


def test_folder_with_other_files_is_refused_before_the_measure(tmp_path, monkeypatch):
    (tmp_path / "thesis.tex").write_text("years of work")
    monkeypatch.setattr(quick, "assemble", None)
    with pytest.raises(RunError, match="holds other files"):
        quickly(EXPERIMENT, tmp_path)


def logan_train(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [Path(sys.executable).parent / "logan-train", "--experiment=line", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, timeout=240, check=False
    )


@pytest.mark.slow
def test_command_has_a_default_folder_of_its_own_and_goes_on_there(tmp_path):
    settings = {name: getattr(EXPERIMENT, name) for name in ("width", "hidden_layers", "snapshots")}
    begun = preset("line", {**settings, "steps": 20})
    default = tmp_path / default_workdir(begun)
    Run.create_or_continue(default.with_name("line-pairwise-seed0-quick"), begun)
    done = logan_train(tmp_path, "--quick", *(f"--{n}={value}" for n, value in settings.items()))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20 steps in ")
    assert "20 steps, as runs/line-pairwise-seed0-quick was begun with" in done.stderr


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--steps=9", "--steps: expected nothing beside --quick, which chooses them. Received: 9"),
        ("--strategy=multi_worker", "--quick: expected another --strategy than multi_worker"),
    ],
)
def test_what_does_not_go_with_quick_is_refused(tmp_path, flag, expected):
    done = logan_train(tmp_path, "--quick", flag)
    assert done.returncode == 2
    assert expected in done.stderr
    assert not list(tmp_path.iterdir())
