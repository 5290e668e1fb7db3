"""Whole runs of a tiny experiment: 25 steps, a log line every 10 and one for the rest."""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from campaigns.stored import variables

from logan.callbacks import SaveCheckpoints
from logan.datasets.load import load
from logan.errors import DivergedError, RunError
from logan.generation import reconstruct
from logan.metrics.reconstruction import root_mean_square_distance
from logan.models.assemble import assemble
from logan.runs import Run
from logan.settings import Experiment
from logan.snapshots import read_snapshots
from logan.training import train

EXPERIMENT = Experiment(
    dataset="line",
    latent_length=1,
    width=4,
    hidden_layers=1,
    batch_size=8,
    steps=25,
    log_every=10,
    checkpoint_every=10,
    snapshots=3,
    deterministic=True,
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return train(EXPERIMENT, tmp_path_factory.mktemp("runs") / "whole", show_progress=False)


@pytest.fixture
def copy(undisturbed, tmp_path):
    """The undisturbed run's folder once more, to be damaged."""
    return Run.open(shutil.copytree(undisturbed.run.path, tmp_path / "copy"))


def forget_after(run, step):
    """What a crash after that step would have left."""
    for later in run.checkpoints.steps():
        if later > step:
            shutil.rmtree(run.checkpoints.path(later))
    shutil.rmtree(run.export)


def everything(run):
    model = run.trained_model()
    variables = [*model.weights]
    for optimizer in model.optimizers.values():
        variables += optimizer.variables
    return [variable.numpy() for variable in variables]


def log_without_seconds(run):
    return [{**record, "seconds": None} for record in run.records()]


def assert_same_outcome(run, other):
    """Bit for bit: weights, optimizers, counters, log, snapshots."""
    for one, two in zip(everything(run), everything(other), strict=True):
        np.testing.assert_array_equal(one, two)
    assert log_without_seconds(run) == log_without_seconds(other)
    for one, two in zip(*(read_snapshots(r.snapshots) for r in (run, other)), strict=True):
        assert one.keys() == two.keys()
        for name, values in one.items():
            np.testing.assert_array_equal(values, two[name])


def assert_only_finite_checkpoints(run):
    for step in run.checkpoints.steps():
        for name, value in variables(run.checkpoints, step).items():
            assert np.isfinite(value).all(), (step, name)


def after_checkpoint(monkeypatch, step, act):
    """Does `act(model)` once all work of the interval up to that step is done; 0: of the start."""
    begin, end = SaveCheckpoints.on_train_begin, SaveCheckpoints.on_interval_end

    def begin_and_act(self, logs=None):
        begin(self, logs)
        if step == int(self.model.step.numpy()) == 0:
            act(self.model)

    def end_and_act(self, done, means):
        end(self, done, means)
        if done == step:
            act(self.model)

    monkeypatch.setattr(SaveCheckpoints, "on_train_begin", begin_and_act)
    monkeypatch.setattr(SaveCheckpoints, "on_interval_end", end_and_act)


# An undisturbed run.


def test_outcome_and_log(undisturbed):
    assert (undisturbed.step, undisturbed.interrupted_by) == (25, None)
    records = undisturbed.run.records()
    assert [record["step"] for record in records] == [10, 20, 25]
    seconds = [record["seconds"] for record in records]
    assert 0 < seconds[0] < seconds[1] < seconds[2] == undisturbed.seconds
    rates = [record["learning_rate"] for record in records]
    # A cosine from 2e-3 down to a tenth of it.
    expected = [2e-4 + 9e-4 * (1 + np.cos(np.pi * step / 25)) for step in (10, 20, 25)]
    np.testing.assert_allclose(rates, expected, rtol=1e-4, atol=1e-9)


def test_held_out_reconstructions_are_measured_every_hundred_steps_and_at_the_end(tmp_path):
    experiment = dataclasses.replace(EXPERIMENT, steps=250, log_every=50, learning_rate=0.05)
    run = train(experiment, tmp_path / "run", show_progress=False).run
    distances = {r["step"]: r.get("held_out_distance") for r in run.records()}
    assert [step for step, distance in distances.items() if distance] == [100, 200, 250]
    least = min(filter(None, distances.values()))
    good = [step for step, distance in distances.items() if distance and distance <= 1.5 * least]
    best, last = run.trained_model("best"), run.trained_model("last")
    assert (best.averages_step, last.averages_step) == (good[-1], None)
    assert run.exported_steps() == (250, good[-1])
    x = load(experiment).evaluation_sample(experiment.seed + 1, 500)
    distance = root_mean_square_distance(x, reconstruct(best, x))
    assert distance == pytest.approx(distances[good[-1]], rel=1e-4)


def test_export_follows_the_choice_of_weights(copy, undisturbed):
    """The same command with --weights=last exports anew, without training."""
    model = copy.trained_model()
    model.averages_step = 10
    copy.export_networks(model)
    assert copy.exported_steps() == (25, 10)
    settings = dataclasses.replace(EXPERIMENT, weights="last")
    train(settings, copy.path, show_progress=False)
    assert copy.exported_steps() == (25, 25)


def test_what_a_run_leaves_in_its_folder(undisturbed):
    run = undisturbed.run
    assert run.checkpoints.steps() == [10, 20, 25]
    assert [int(s["step"]) for s in read_snapshots(run.snapshots)] == [0, 10, 20, 25]
    assert {path.name for path in run.export.iterdir()} == {
        "generator.keras",
        "encoder.keras",
        "discriminator.keras",
        "step.json",
    }
    assert list(run.tensorboard.glob("events.*"))
    assert Run.open(run.path).experiment == EXPERIMENT


def test_exported_networks_are_the_averaged_ones(undisturbed):
    run, model = undisturbed.run, undisturbed.run.trained_model()
    z, x = np.float32([[0.3], [-0.5]]), np.float32([[0.2], [0.1]])
    inputs = {"generator": (z,), "encoder": (x,), "discriminator": (x, z)}
    networks = [model.averaged_generator, model.averaged_encoder, model.discriminator]
    for (name, values), network in zip(inputs.items(), networks, strict=True):
        loaded = keras.models.load_model(run.export / f"{name}.keras")
        np.testing.assert_array_equal(loaded(*values), network(*values))
    assert not np.array_equal(model.generator(z), model.averaged_generator(z))


def test_training_is_the_models_steps_on_the_batches_in_order(undisturbed):
    """The same 25 steps without `fit`, eager."""
    model = assemble(EXPERIMENT)
    data = load(EXPERIMENT)
    for batch in data.batches(EXPERIMENT.seed, EXPERIMENT.batch_size).take(25):
        model.train_step(batch)
    trained = undisturbed.run.trained_model()
    assert int(trained.step.numpy()) == 25
    for one, other in zip(trained.discriminator.weights, model.discriminator.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


# Once more.


def test_same_seed_gives_the_same_run_bit_for_bit(undisturbed, tmp_path):
    second = train(EXPERIMENT, tmp_path / "second", show_progress=False)
    assert_same_outcome(second.run, undisturbed.run)


def test_other_seed_gives_another_run(undisturbed, tmp_path):
    other = dataclasses.replace(EXPERIMENT, seed=2**40 + 1, steps=2, deterministic=False, jit=False)
    outcome = train(other, tmp_path / "other", show_progress=False)
    first, second = (read_snapshots(o.run.snapshots)[0] for o in (outcome, undisturbed))
    for name in ("real", "latents", "generated"):
        assert not np.array_equal(first[name], second[name])


def test_finished_run_does_nothing(copy):
    before = {path: path.read_bytes() for path in copy.path.rglob("*") if path.is_file()}
    outcome = train(EXPERIMENT, copy.path, show_progress=False)
    assert (outcome.step, outcome.interrupted_by) == (25, None)
    assert before == {path: path.read_bytes() for path in copy.path.rglob("*") if path.is_file()}


# Interruption.


def test_run_that_lost_its_end_is_continued_to_the_same_end(undisturbed, copy):
    """The log was ahead of the checkpoint, and its last line cut short."""
    forget_after(copy, 10)
    copy.log.write_text(copy.log.read_text()[:-9])
    outcome = train(EXPERIMENT, copy.path, show_progress=False)
    assert outcome.step == 25
    assert_same_outcome(copy, undisturbed.run)
    assert copy.checkpoints.steps() == [10, 20, 25]
    assert (copy.export / "generator.keras").is_file()
    sessions = json.loads((copy.path / "environment.json").read_text())
    assert [session["first_step"] for session in sessions] == [0, 10]
    seconds = [record["seconds"] for record in copy.records()]
    assert seconds == sorted(seconds)


def test_interrupted_run_is_continued_to_the_same_end(undisturbed, tmp_path, monkeypatch):
    """No checkpoint is due at step 10 of this run, other than that of the interruption."""
    experiment = dataclasses.replace(EXPERIMENT, checkpoint_every=1000)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        after_checkpoint(patch, 0, lambda model: signal.raise_signal(signal.SIGINT))
        first = train(experiment, tmp_path / "run", show_progress=False)
    assert (first.step, first.interrupted_by) == (10, signal.SIGINT)
    assert first.run.checkpoints.steps() == [10]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    second = train(experiment, tmp_path / "run", show_progress=False)
    assert (second.step, second.interrupted_by) == (25, None)
    assert_same_outcome(second.run, undisturbed.run)


def test_interruption_between_checkpoint_and_next_interval_loses_nothing(tmp_path, monkeypatch):
    experiment = dataclasses.replace(EXPERIMENT, checkpoint_every=1000)
    after_checkpoint(monkeypatch, 10, lambda model: signal.raise_signal(signal.SIGTERM))
    outcome = train(experiment, tmp_path / "run", show_progress=False)
    assert (outcome.step, outcome.interrupted_by) == (20, signal.SIGTERM)
    assert outcome.run.checkpoints.steps() == [20]
    assert [record["step"] for record in outcome.run.records()] == [10, 20]


def crash(model):
    raise RuntimeError("a crash")


@pytest.mark.parametrize("step", [10, pytest.param(25, marks=pytest.mark.slow)])
def test_crash_right_after_a_checkpoint_loses_nothing(undisturbed, tmp_path, monkeypatch, step):
    """Found by tests/campaigns/kill_runs.py: the snapshot of that step came after it, and never."""
    with monkeypatch.context() as patch:
        after_checkpoint(patch, step, crash)
        with pytest.raises(RuntimeError, match="a crash"):
            train(EXPERIMENT, tmp_path / "run", show_progress=False)
    run = train(EXPERIMENT, tmp_path / "run", show_progress=False).run
    assert_same_outcome(run, undisturbed.run)


# Divergence.


def poison(variable):
    variable.assign(tf.fill(variable.shape, np.float32("nan")))


def test_loss_that_is_not_finite_names_its_step_and_keeps_the_last_good_checkpoint(
    undisturbed, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        after_checkpoint(patch, 10, lambda model: poison(model.generator.weights[0]))
        with pytest.raises(DivergedError, match=r"loss at step 11 .*step-00000010\."):
            train(EXPERIMENT, tmp_path / "run", show_progress=False)
    run = Run.open(tmp_path / "run")
    assert [record["step"] for record in run.records()] == [10]
    assert run.checkpoints.steps() == [10]
    assert_only_finite_checkpoints(run)
    train(EXPERIMENT, run.path, show_progress=False)
    assert_same_outcome(run, undisturbed.run)


def test_weight_that_is_not_finite_is_never_saved(tmp_path, monkeypatch):
    """The averages take no part in any loss."""
    after_checkpoint(monkeypatch, 10, lambda model: poison(model.averaged_generator.weights[0]))
    with pytest.raises(DivergedError, match=r"weight after step 20 .*step-00000010\."):
        train(EXPERIMENT, tmp_path / "run", show_progress=False)
    run = Run.open(tmp_path / "run")
    assert run.checkpoints.steps() == [10]
    assert_only_finite_checkpoints(run)


def test_huge_learning_rate_diverges_at_the_first_step(tmp_path):
    """The players' loss of the first step is that of the discriminator after its update."""
    wild = dataclasses.replace(
        EXPERIMENT, learning_rate=1e30, schedule="constant", loss="wasserstein"
    )
    with pytest.raises(DivergedError, match=r"loss at step 1 .*There is no checkpoint yet"):
        train(wild, tmp_path / "run", show_progress=False)
    run = Run.open(tmp_path / "run")
    assert run.records() == []
    assert run.checkpoints.steps() == []


def test_explosion_names_the_bound(tmp_path):
    wild = dataclasses.replace(
        EXPERIMENT, learning_rate=100.0, loss="wasserstein", penalty_weight=1e-9
    )
    with pytest.raises(DivergedError, match=r"loss at step 2 is beyond 1e\+08 \(disc"):
        train(wild, tmp_path / "run", show_progress=False)


# Rollbacks.


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_run_that_explodes_is_rolled_back_until_it_does_not(tmp_path, capsys, schedule):
    wild = dataclasses.replace(
        EXPERIMENT,
        learning_rate=100.0,
        learning_rate_floor=0.1,
        schedule=schedule,
        loss="wasserstein",
        penalty_weight=1e-9,
        on_nan="rollback",
    )
    outcome = train(wild, tmp_path / "run", show_progress=False)
    assert outcome.step == 25
    rollbacks = outcome.run.rollbacks()
    assert rollbacks[0] == {"from_step": 2, "to_step": 0}
    assert capsys.readouterr().err.count("Rolled back to step") == len(rollbacks)
    final = 100.0 * 0.5 ** len(rollbacks) * (0.1 if schedule == "cosine" else 1.0)
    assert outcome.run.records()[-1]["learning_rate"] == pytest.approx(final)


def test_rolled_back_run_is_continued_to_the_same_end(tmp_path, monkeypatch):
    experiment = dataclasses.replace(EXPERIMENT, on_nan="rollback")
    with monkeypatch.context() as patch:
        after_checkpoint(patch, 10, lambda model: poison(model.generator.weights[0]))
        run = train(experiment, tmp_path / "run", show_progress=False).run
    assert run.rollbacks() == [{"from_step": 11, "to_step": 10}]
    assert [record["step"] for record in run.records()] == [10, 20, 25]
    again = Run.open(shutil.copytree(run.path, tmp_path / "again"))
    forget_after(again, 20)
    train(experiment, again.path, show_progress=False)
    assert_same_outcome(again, run)


@pytest.mark.slow
def test_after_the_most_rollbacks_a_run_stops(tmp_path):
    wild = dataclasses.replace(
        EXPERIMENT, learning_rate=1e30, loss="wasserstein", on_nan="rollback", most_rollbacks=2
    )
    for _ in range(2):  # also when called again
        with pytest.raises(DivergedError, match="It was rolled back 2 times"):
            train(wild, tmp_path / "run", show_progress=False)
    assert len(Run.open(tmp_path / "run").rollbacks()) == 2


# Folders that are not ours.


def test_folder_of_another_experiment_is_refused(copy):
    with pytest.raises(RunError, match="--log_every: 10, not 5"):
        train(dataclasses.replace(EXPERIMENT, log_every=5), copy.path, show_progress=False)


def truncate(checkpoint):
    data = checkpoint / "model.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:200])


def flip_a_bit(checkpoint):
    data = checkpoint / "model.data-00000-of-00001"
    values = bytearray(data.read_bytes())
    values[len(values) // 2] ^= 1
    data.write_bytes(values)


def empty_index(checkpoint):
    (checkpoint / "model.index").write_bytes(b"")


def lose_data(checkpoint):
    (checkpoint / "model.data-00000-of-00001").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        flip_a_bit,
        *(pytest.param(one, marks=pytest.mark.slow) for one in (empty_index, lose_data)),
    ],
)
def test_damaged_newest_checkpoint_is_reported_and_the_one_before_it_used(
    undisturbed, copy, capfd, damage
):
    damage(copy.checkpoints.path(25))
    train(EXPERIMENT, copy.path, show_progress=False)
    said = capfd.readouterr().err
    assert "step-00000025: expected a checkpoint of this run." in said
    assert "Going on from" in said and "step-00000020." in said
    assert copy.checkpoints.steps() == [10, 20, 25]
    assert_same_outcome(copy, undisturbed.run)


def test_without_a_checkpoint_that_can_be_read_the_run_is_refused(copy):
    for step in copy.checkpoints.steps():
        empty_index(copy.checkpoints.path(step))
    with pytest.raises(RunError, match=r"step-00000025: expected(.|\n)*step-00000010: expected"):
        train(EXPERIMENT, copy.path, show_progress=False)
    assert copy.records()


def test_half_written_checkpoint_is_cleared_and_never_used(undisturbed, copy):
    half = copy.checkpoints.folder / ".unfinished-abc"
    shutil.copytree(copy.checkpoints.path(25), half)
    forget_after(copy, 20)
    train(EXPERIMENT, copy.path, show_progress=False)
    assert not half.exists()
    assert_same_outcome(copy, undisturbed.run)


def test_as_many_checkpoints_stay_as_are_wanted(tmp_path):
    few = dataclasses.replace(EXPERIMENT, checkpoints_kept=2)
    run = train(few, tmp_path / "run", show_progress=False).run
    assert run.checkpoints.steps() == [20, 25]
    assert {path.name for path in run.checkpoints.folder.iterdir()} == {
        "step-00000020",
        "step-00000025",
    }


def test_checkpoints_come_by_minutes_too(tmp_path):
    often = dataclasses.replace(EXPERIMENT, checkpoint_every=1000, checkpoint_minutes=1e-9)
    run = train(often, tmp_path / "run", show_progress=False).run
    assert run.checkpoints.steps() == [10, 20, 25]
    never = dataclasses.replace(EXPERIMENT, checkpoint_every=1000, checkpoint_minutes=0)
    run = train(never, tmp_path / "other", show_progress=False).run
    assert run.checkpoints.steps() == [25]


def test_folder_in_use_is_refused_naming_the_process(copy):
    forget_after(copy, 20)
    code = (
        "import sys, time; from logan.runs import Run\n"
        "with Run.open(sys.argv[1]).held(): print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(copy.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=rf"in use by process {other.pid} on "):
            refused = dataclasses.replace(EXPERIMENT, checkpoint_every=7)
            train(refused, copy.path, show_progress=False)
        assert copy.checkpoints.steps() == [10, 20]
        assert Run.open(copy.path).experiment == EXPERIMENT
        other.kill()
    train(EXPERIMENT, copy.path, show_progress=False)
    assert copy.checkpoints.steps() == [10, 20, 25]


def events_of(run):
    """(step, name) of every value in TensorBoard's files."""
    found = []
    for path in sorted(run.tensorboard.glob("events.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found += [(event.step, value.tag) for value in event.summary.value]
    return sorted(found)


def test_continued_run_has_every_step_once_in_its_log_and_events(undisturbed, copy):
    forget_after(copy, 10)  # while log and events know of steps 20 and 25
    train(EXPERIMENT, copy.path, show_progress=False)
    assert [record["step"] for record in copy.records()] == [10, 20, 25]
    assert events_of(copy) == events_of(undisturbed.run)
    assert len(set(events_of(copy))) == len(events_of(copy))


def test_export_that_was_cut_short_is_made_again(copy):
    before = (copy.export / "encoder.keras").read_bytes()
    (copy.export / "encoder.keras").write_bytes(b"of an earlier step")
    (copy.export / "step.json").write_text("20")
    train(EXPERIMENT, copy.path, show_progress=False)
    assert len((copy.export / "encoder.keras").read_bytes()) == len(before)
    assert copy.exported_steps()[0] == 25


# Other kinds.


@pytest.mark.parametrize("model", ["gan", "encoder"])
def test_other_models_train(tmp_path, model):
    experiment = dataclasses.replace(
        EXPERIMENT, model=model, penalty="none", steps=4, deterministic=False, jit=False
    )
    outcome = train(experiment, tmp_path / "run", show_progress=True)
    assert [record["step"] for record in outcome.run.records()] == [4]
    role = "generator" if model == "gan" else "encoder"
    assert {path.name for path in outcome.run.export.iterdir()} == {
        f"{role}.keras",
        "discriminator.keras",
        "step.json",
    }
    assert len(read_snapshots(outcome.run.snapshots)) == 2
