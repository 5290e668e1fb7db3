import dataclasses
import json

import numpy as np
import pytest

from logan.errors import DivergedError, RunError, UserError
from logan.files import read_json
from logan.runs import Run, default_workdir
from logan.settings import Experiment
from logan.snapshots import read_snapshots, write_snapshot

EXPERIMENT = Experiment(name="ring8", seed=2, steps=50)


@pytest.fixture
def run(tmp_path):
    return Run.create_or_continue(tmp_path / "run", EXPERIMENT)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_default_workdir_names_experiment_penalty_and_seed():
    assert default_workdir(EXPERIMENT).as_posix() == "runs/ring8-pairwise-seed2"
    plain = dataclasses.replace(EXPERIMENT, penalty="none")
    assert default_workdir(plain).as_posix() == "runs/ring8-none-seed2"


def test_new_run_can_be_opened(run):
    again = Run.open(run.path)
    assert (again.path, again.experiment) == (run.path, EXPERIMENT)
    assert run.label == "run"


def test_same_experiment_is_continued(run):
    changed = dataclasses.replace(EXPERIMENT, checkpoint_every=3)
    with Run.create_or_continue(run.path, changed).held():
        assert Run.open(run.path).experiment.checkpoint_every == 3


def test_empty_folder_becomes_a_run(tmp_path):
    Run.create_or_continue(tmp_path, EXPERIMENT)
    assert Run.open(tmp_path).experiment == EXPERIMENT


def test_folder_of_another_experiment_is_refused_naming_the_field(run):
    before = contents(run.path)
    other = dataclasses.replace(EXPERIMENT, seed=3, loss="logan1")
    with pytest.raises(RunError, match="--loss: vanilla, not logan1; --seed: 2, not 3"):
        Run.create_or_continue(run.path, other)
    assert contents(run.path) == before


def test_folder_with_other_files_is_refused_and_left_untouched(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="other files"):
        Run.create_or_continue(tmp_path, EXPERIMENT)
    assert contents(tmp_path) == {"thesis.tex": b"years of work"}


def test_file_as_folder_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(RunError, match="Received the file"):
        Run.create_or_continue(path, EXPERIMENT)
    assert path.read_text() == "text"


def test_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(RunError, match="--workdir: cannot write"):
        Run.create_or_continue(tmp_path / "file" / "run", EXPERIMENT)


def test_folder_without_flags_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"flags\.txt"):
        Run.open(tmp_path)
    with pytest.raises(RunError, match=r"flags\.txt"):
        Run.open(tmp_path / "missing")


@pytest.mark.parametrize("text", ["--steps=0", "garbage", "--steps=many", "--mode=vae"])
def test_damaged_flags_are_refused_naming_the_file(run, text):
    (run.path / "flags.txt").write_text(text)
    with pytest.raises(RunError, match=r"flags\.txt: "):
        Run.open(run.path)


def test_records_come_back_in_order(run):
    assert run.records() == []
    records = [{"step": step, "seconds": 0.5, "loss": step / 3} for step in (10, 20, 30)]
    for record in records:
        run.append_record(record)
    assert run.records() == records


def test_last_record_that_was_cut_short_is_left_out(run):
    records = [{"step": step, "seconds": 0.5} for step in (10, 20)]
    for record in records:
        run.append_record(record)
    text = run.log.read_text()
    for cut in range(1, len(json.dumps(records[1]))):
        run.log.write_text(text[: -1 - cut])
        assert run.records() == records[:1]


@pytest.mark.parametrize(
    "line",
    [
        b"", b'{"step": 2, "seco', b"\xff", b"[2, 1.0]", b'{"step": 2}', b"[" * 10**5,
        b'{"step": "2", "seconds": 1}', b'{"step": 2, "seconds": "1"}',
        b'{"step": Infinity, "seconds": 1}',
    ],
)  # fmt: skip
def test_damaged_record_before_others_is_named_and_nothing_is_dropped(run, line):
    records = [{"step": step, "seconds": 0.5} for step in (1, 3)]
    run.log.write_bytes(b"%b\n%b\n%b\n" % (_json(records[0]), line, _json(records[1])))
    before = contents(run.path)
    with pytest.raises(RunError, match=r"log\.jsonl, line 2: expected a record of a step"):
        run.keep_records_until(3)
    assert contents(run.path) == before


def _json(value):
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "text", ["{", "7", '[{"from_step": 3}]', '[{"to_step": 1, "from_step": []}]']
)
def test_damaged_rollbacks_are_named(run, text):
    (run.path / "rollbacks.json").write_text(text)
    with pytest.raises(UserError, match=r"rollbacks\.json"):
        run.rollbacks()


@pytest.mark.parametrize("text", ["{", "{}", '[{"seed": NaN}]'])
def test_damaged_environment_is_named_and_kept(run, text):
    (run.path / "environment.json").write_text(text)
    with pytest.raises(UserError, match=r"environment\.json"):
        run.write_environment(0)
    assert (run.path / "environment.json").read_text() == text


@pytest.mark.parametrize("text", ["", "{", '"77"', "null", "7"])
def test_export_with_a_damaged_step_counts_as_none(run, text):
    run.export.mkdir()
    (run.export / "step.json").write_text(text)
    assert run.exported_steps() is None
    (run.export / "step.json").write_text("[7, 5]")
    assert run.exported_steps() == (7, 5)


def test_damaged_snapshot_is_named(tmp_path):
    write_snapshot(tmp_path, {"step": 3, "real": np.ones((2, 2))})
    (snapshot,) = read_snapshots(tmp_path)
    assert snapshot["real"].tolist() == [[1, 1], [1, 1]]
    path = tmp_path / "step-00000003.npz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RunError, match=r"step-00000003\.npz: expected arrays"):
        read_snapshots(tmp_path)


def test_records_of_later_steps_are_dropped(run):
    records = [{"step": step, "seconds": 0.5} for step in (10, 20, 30)]
    for record in records:
        run.append_record(record)
    with run.log.open("a") as file:
        file.write('{"step": 4')
    assert run.keep_records_until(20) == records[:2]
    assert run.log.read_text() == "".join(f"{json.dumps(record)}\n" for record in records[:2])
    run.append_record(records[2])
    assert [record["step"] for record in run.records()] == [10, 20, 30]


def test_record_with_a_number_that_json_lacks_is_refused(run):
    with pytest.raises(ValueError, match="JSON"):
        run.append_record({"step": 1, "loss": float("nan")})
    assert run.records() == []


def test_each_session_is_added_to_the_environment(run):
    run.write_environment(0)
    run.write_environment(20)
    sessions = read_json(run.path / "environment.json")
    assert [session["first_step"] for session in sessions] == [0, 20]
    for name in ("tensorflow", "keras", "python", "git_revision", "command", "cores", "time"):
        assert sessions[0][name]
    assert sessions[0]["seed"] == 2
    json.dumps(sessions, allow_nan=False)


def test_rollback_goes_one_checkpoint_further_where_an_earlier_one_failed(tmp_path):
    experiment = Experiment(on_nan="rollback", most_rollbacks=4)
    run = Run.create_or_continue(tmp_path / "run", experiment)
    for step in (10, 20):
        run.checkpoints.path(step).mkdir(parents=True)
    targets = []
    for _ in range(4):
        run.roll_back(DivergedError("not finite.", 25))
        targets.append((run.rollbacks()[-1]["to_step"], run.checkpoints.steps()))
    assert targets == [(20, [10, 20]), (10, [10]), (0, []), (0, [])]
    with pytest.raises(DivergedError, match=r"not finite\. It was rolled back 4 times"):
        run.roll_back(DivergedError("not finite.", 25))


def test_what_killed_trainings_left_is_removed_and_nothing_else(run):
    run.export.mkdir()
    run.snapshots.mkdir()
    run.figures.mkdir()
    kept = [
        run.path / ".0123abcd-metrics.json",
        run.export / "generator.keras",
        run.log,
        run.figures / ".0123abcd-missed.png",
        run.figures / ".0123abcd-generations.png",
    ]
    gone = [
        run.path / ".0123abcd-flags.txt",
        run.path / ".0123abcd-log.jsonl",
        run.export / ".0123abcd-generator.keras",
        run.snapshots / ".0123abcd-step-00000010.npz",
        run.figures / ".0123abcd-generations-00000010.png",
        run.figures / ".0123abcd-reconstructions-00000010.png",
    ]
    for path in (*kept, *gone):
        path.write_text("", encoding="utf-8")
    run.clear_leftovers()
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_run_without_checkpoint_has_no_trained_model(run):
    with pytest.raises(RunError, match="no checkpoint"):
        run.trained_model()
