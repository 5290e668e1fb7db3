"""A run goes on with more steps as if it had had them from the start, or says why it does not."""

import dataclasses

import numpy as np
import pytest
from campaigns.stored import variables

from logan.errors import RunError
from logan.runs import Run
from logan.settings import Experiment, last_common_step
from logan.training import train

EXPERIMENT = Experiment(
    dataset="line",
    latent_length=1,
    width=4,
    hidden_layers=1,
    batch_size=8,
    steps=200,
    log_every=50,
    checkpoint_every=1000,
    schedule="constant",
    snapshots=2,
    jit=False,
)


def with_steps(steps, **settings):
    return dataclasses.replace(EXPERIMENT, steps=steps, **settings)


def log_without_seconds(run):
    return [{**record, "seconds": None} for record in run.records()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(EXPERIMENT, tmp_path_factory.mktemp("runs") / "whole", show_progress=False).run


@pytest.mark.parametrize(
    ("end", "common"), [(100, 100), pytest.param(130, 100, marks=pytest.mark.slow)]
)
def test_finished_run_goes_on_as_if_it_had_been_longer(whole, tmp_path, capsys, end, common):
    run = train(with_steps(end), tmp_path / "run", show_progress=False).run
    assert run.checkpoints.steps() == sorted({common, end})
    assert run.exported_steps()[0] == end
    capsys.readouterr()
    outcome = train(EXPERIMENT, run.path, show_progress=False)
    assert outcome.step == 200
    said = capsys.readouterr().err
    assert ("goes on from step 100." in said) == (end != common)
    run = Run.open(run.path)
    assert run.experiment == EXPERIMENT
    assert log_without_seconds(run) == log_without_seconds(whole)
    ours, theirs = (variables(each.checkpoints, 200) for each in (run, whole))
    assert ours.keys() == theirs.keys()
    assert any(name.startswith("best/") for name in ours)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)
    assert run.exported_steps() == whole.exported_steps()


def test_end_between_two_lines_of_the_log_is_left_even_if_it_is_all_there_is(tmp_path, capsys):
    run = Run.create_or_continue(tmp_path / "run", with_steps(130))
    run.checkpoints.path(130).mkdir(parents=True)
    with Run(run.path, with_steps(130)).held():
        assert run.checkpoints.steps() == [130]
    with Run(run.path, EXPERIMENT).held():
        assert run.checkpoints.steps() == []
    assert "goes on from step 0. Step 130 was an end between" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("begun", "wanted", "expected"),
    [
        ({}, dict(steps=199), "--steps: expected at least 200, as .*run was begun with. Received"),
        (
            dict(schedule="cosine"),
            dict(schedule="cosine", steps=201),
            "expected 200, .* Received: 201. By --schedule=cosine .* another --workdir, with "
            "--schedule=constant",
        ),
        (
            dict(schedule="cosine"),
            dict(steps=300),
            "made with --steps: 200, not 300; --schedule: cosine, not constant",
        ),
        ({}, dict(steps=300, seed=3), "made with --steps: 200, not 300; --seed: 0, not 3"),
    ],
)
def test_what_is_not_the_same_run_is_refused_and_left_as_it_was(tmp_path, begun, wanted, expected):
    run = Run.create_or_continue(tmp_path / "run", dataclasses.replace(EXPERIMENT, **begun))
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    with pytest.raises(RunError, match=expected):
        train(dataclasses.replace(EXPERIMENT, **wanted), run.path, show_progress=False)
    assert before == {path: path.read_bytes() for path in run.path.iterdir()}


@pytest.mark.parametrize(
    ("steps", "every", "expected"),
    [
        (12_000, 100, 12_000),
        (12_050, 100, 12_000),
        (99, 100, 0),
        (250, 10, 200),
        (200, 10, 200),
        (125, 30, 120),
        (150, 30, 120),
        (600, 250, 500),
        (90, 30, 0),
    ],
)
def test_last_common_step(steps, every, expected):
    """With lines at 30, 60, 90, 120, 150 the hundred is passed at 120."""
    assert last_common_step(Experiment(steps=steps, log_every=every)) == expected
