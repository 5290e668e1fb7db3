"""The same numbers on one device and on several, and several machines for real on the loopback."""

import dataclasses
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest
import replicas
import tensorflow as tf
from campaigns.stored import variables

from logan import distribution
from logan.distribution import all_agree_to, is_chief, is_same_on_all, split, start_strategy
from logan.errors import UserError
from logan.runs import Run
from logan.settings import Experiment

MIRRORED = Experiment(strategy="mirrored")
TRAIN = Path(sys.executable).parent / "logan-train"

# Sums in another order differ in the last digits; Adam divides small gradients by their size and
# so makes the differences larger.
TOLERANCE = dict(rtol=1e-4, atol=2e-5)


def on_replicas(count, kinds, folder):
    """What the models of these kinds come to, by a program of its own."""
    output = folder / f"{count}.npz"
    subprocess.run(
        [sys.executable, replicas.__file__, output, f"{count}", *kinds], check=True, timeout=240
    )
    return dict(np.load(output))


@functools.cache
def on_one_device(kind):
    return replicas.train(replicas.KINDS[kind], 1)


def assert_same_as_one_device(values, kind):
    expected = on_one_device(kind)
    assert sum(name.startswith(f"{kind} ") for name in values) == len(expected)
    for index, value in enumerate(expected):
        np.testing.assert_allclose(values[f"{kind} {index}"], value, **TOLERANCE)


QUICK = ("toy", "synchronized_batch", "remedies")


@pytest.fixture(scope="module")
def on_two(tmp_path_factory):
    return on_replicas(2, QUICK, tmp_path_factory.mktemp("replicas"))


@pytest.mark.parametrize("kind", QUICK)
def test_two_replicas_compute_what_one_device_does(on_two, kind):
    assert_same_as_one_device(on_two, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted({*replicas.KINDS} - {*QUICK}))
def test_so_they_do_with_other_kinds(tmp_path, kind):
    assert_same_as_one_device(on_replicas(2, [kind], tmp_path), kind)


@pytest.mark.slow
def test_four_replicas_compute_what_one_device_does(tmp_path):
    assert_same_as_one_device(on_replicas(4, ["toy"], tmp_path), "toy")


@pytest.mark.parametrize("settings", [dict(seed=1), dict(learning_rate=2e-3)], ids=str)
def test_trained_weights_do_differ_from_others(settings):
    """So that the comparison above could fail."""
    other = replicas.train(dataclasses.replace(replicas.KINDS["toy"], **settings), 1)
    assert not np.allclose(on_one_device("toy")[-2], other[-2], **TOLERANCE)


def test_without_a_strategy_there_is_one_replica_and_it_is_the_chief():
    strategy = start_strategy(Experiment())
    assert strategy.num_replicas_in_sync == 1
    assert is_chief(strategy)
    assert [all_agree_to(strategy, wish) for wish in (True, False)] == [True, False]
    assert is_same_on_all(strategy, 3)
    batches = tf.data.Dataset.range(3)
    assert split(lambda: batches, strategy, 8, 1) is batches


def test_devices_that_are_not_there_are_refused():
    for devices in (("GPU:7",), ("CPU:0", "CPU:0"), ("tpu",)):
        with pytest.raises(UserError, match=r"--devices: expected different ones of .*CPU:0"):
            start_strategy(dataclasses.replace(MIRRORED, devices=devices))


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        (dict(strategy="mirrored", deterministic=True), "--deterministic"),
        (dict(strategy="none", devices=("CPU:0",)), "--devices"),
        (dict(strategy="multi_worker", on_nan="rollback"), "--on_nan"),
        (dict(strategy="parameter_server"), "--strategy"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(settings, flag):
    with pytest.raises(UserError, match=flag):
        Experiment(**settings)


@pytest.mark.parametrize(
    "config",
    [
        None,
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}',
    ],
)
def test_cluster_that_is_not_described_is_refused(monkeypatch, config):
    for name in ("TF_CONFIG", "SLURM_STEP_NODELIST"):
        monkeypatch.delenv(name, raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match=r"--strategy=multi_worker: expected .*TF_CONFIG"):
        start_strategy(Experiment(strategy="multi_worker"))


def described(monkeypatch, task=("worker", 0), **cluster):
    """Sets TF_CONFIG."""
    kind, index = task
    config = {"cluster": cluster, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))


@pytest.mark.parametrize(
    ("task", "cluster", "text"),
    [
        (("evaluator", 0), dict(worker=["a:1"]), "logan-evaluate measures"),
        (("evaluator", 0), dict(chief=["a:1"], evaluator=["b:1"]), "logan-evaluate measures"),
        (("ps", 0), dict(chief=["a:1"], ps=["b:1"]), "parameter servers"),
        (("worker", 0), dict(worker=["a:1"], ps=["b:1"]), "parameter servers"),
        (("chief", 0), dict(chief=["a:1", "b:1"]), "more than one chief"),
        (("chief", 0), dict(worker=["a:1"]), 'type "chief", which is not in its cluster'),
        (("chief", 1), dict(chief=["a:1"], worker=["b:1"]), 'index 1 of 1 "chief"'),
        (("worker", -1), dict(worker=["a:1"]), 'index -1 of 1 "worker"'),
        (("worker", None), dict(worker=["a:1"]), 'index null of 1 "worker"'),
        (("worker", 0), dict(worker="a:1"), '"worker" is not a list of addresses'),
        (("worker", 0), dict(worker=["a"]), '"worker" is not a list of addresses'),
        (("worker", 0), dict(chief=["a:1"], worker=["a:1"]), "one address twice"),
        (("worker", 0), dict(worker=["a:1"], master=["b:1"]), '"master" in its cluster'),
    ],
)
def test_what_is_wrong_with_a_cluster_is_told_on_one_line(monkeypatch, task, cluster, text):
    described(monkeypatch, task, **cluster)
    with pytest.raises(UserError, match=text) as raised:
        distribution._cluster()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("task", "cluster", "writes"),
    [
        (("chief", 0), dict(chief=["a:1"], worker=["b:1", "c:1"]), True),
        (("worker", 0), dict(chief=["a:1"], worker=["b:1", "c:1"]), False),
        (("worker", "1"), dict(chief=["a:1"], worker=["b:1", "c:1"]), False),
        (("worker", 0), dict(worker=["b:1", "c:1"], evaluator=["d:1"]), True),
        (("worker", 1), dict(worker=["b:1", "c:1"]), False),
    ],
)
def test_the_chief_writes_or_else_the_first_worker(monkeypatch, task, cluster, writes):
    described(monkeypatch, task, **cluster)
    resolver = distribution._cluster()
    assert resolver.cluster_spec().jobs == sorted(cluster.keys() - {"evaluator"})
    assert is_chief(types.SimpleNamespace(cluster_resolver=resolver)) is writes


def test_cluster_means_nothing_to_one_machine(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    distribution._mirrored.cache_clear()
    assert start_strategy(MIRRORED).num_replicas_in_sync >= 1
    distribution._mirrored.cache_clear()
    assert os.environ["TF_CONFIG"] == "{"


@pytest.mark.slow
def test_mirrored_run_goes_on_to_the_same_end(tmp_path):
    """Through the command line, on two parts of the CPU: two checkpoints lost, and made again."""
    command = [
        TRAIN, "--experiment=ring8", "--width=16", "--hidden_layers=1", "--batch_size=32",
        "--steps=40", "--log_every=10", "--checkpoint_every=10", "--checkpoints_kept=9",
        "--snapshots=2", "--threads=1", "--noprogress", "--strategy=mirrored",
        "--devices=CPU:0,CPU:1", f"--workdir={tmp_path / 'run'}",
    ]  # fmt: skip
    done = subprocess.run(command, check=True, timeout=240, capture_output=True, text=True)
    assert "retracing" not in done.stderr
    run = Run.open(tmp_path / "run")
    expected, log = variables(run.checkpoints, 40), run.records()
    shutil.rmtree(run.export)
    for step in (30, 40):
        run.checkpoints.discard(step)
    subprocess.run(command, check=True, timeout=240)
    found = variables(run.checkpoints, 40)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, err_msg=name, **TOLERANCE)
    assert [record["step"] for record in run.records()] == [10, 20, 30, 40]
    assert run.records()[:2] == log[:2]
    assert run.exported_steps()[0] == 40


def set_slurm(monkeypatch, **variables):
    for name in [*os.environ, "TF_CONFIG"]:
        if name.startswith("SLURM_") or name == "TF_CONFIG":
            monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(f"SLURM_{name}", value)


def test_cluster_of_a_slurm_step_without_gpus(monkeypatch):
    """Two tasks on each of two nodes; this is the fourth."""
    tasks = dict(STEP_TASKS_PER_NODE="2(x2)", STEP_NUM_TASKS="4", PROCID="3")
    set_slurm(monkeypatch, STEP_NODELIST="node[07-08]", **tasks)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cluster = distribution._cluster()
    hosts = ["node07:8888", "node07:8889", "node08:8888", "node08:8889"]
    assert cluster.cluster_spec().as_dict() == {"worker": hosts}
    assert (cluster.task_type, cluster.task_id) == ("worker", 3)


def test_tasks_of_a_slurm_step_share_the_gpus_of_their_node(monkeypatch):
    tasks = dict(STEP_TASKS_PER_NODE="2", STEP_NUM_TASKS="2", PROCID="1")
    set_slurm(monkeypatch, STEP_NODELIST="node07", **tasks)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    cluster = distribution._cluster()
    assert cluster.cluster_spec().as_dict() == {"worker": ["node07:8888", "node07:8889"]}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UserError, match=r"SLURM step, .* a GPU for each task"):
        distribution._cluster()


def test_slurm_step_that_is_not_whole_is_refused(monkeypatch):
    set_slurm(monkeypatch, STEP_NODELIST="node[07-08]", PROCID="0")
    with pytest.raises(UserError, match=r"--strategy=multi_worker: expected .* SLURM step"):
        start_strategy(Experiment(strategy="multi_worker"))


# Two machines, which are two processes here.


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


WORKERS = (("worker", 0), ("worker", 1))
CHIEF_AND_WORKER = (("chief", 0), ("worker", 0))


def start_workers(workdir, *flags, second=(), tasks=WORKERS):
    """Both with these flags, the second one with some in addition."""
    cluster = {}
    for (kind, _), port in zip(tasks, free_ports(2), strict=True):
        cluster.setdefault(kind, []).append(f"127.0.0.1:{port}")
    return [
        subprocess.Popen(
            [
                TRAIN, "--experiment=ring8", "--width=16", "--hidden_layers=2", "--batch_size=32",
                "--log_every=10", "--checkpoint_every=50", "--snapshots=2", "--threads=1",
                "--noprogress", "--strategy=multi_worker", f"--workdir={workdir}", *flags,
                *(second if (kind, index) == tasks[1] else ()),
            ],
            env={
                **os.environ,
                "TF_CONFIG": json.dumps(
                    {"cluster": cluster, "task": {"type": kind, "index": index}}
                ),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kind, index in tasks
    ]  # fmt: skip


def wait_for(path, processes):
    deadline = time.monotonic() + 240
    while not path.exists():
        assert time.monotonic() < deadline
        assert all(process.poll() is None for process in processes)
        time.sleep(0.1)


@pytest.mark.parametrize(
    "tasks",
    [pytest.param(WORKERS, marks=pytest.mark.slow), CHIEF_AND_WORKER],
    ids=["workers", "chief and worker"],
)
def test_two_workers_train(tmp_path, tasks):
    """Agreeing with each other at every line of the log, by one function that is traced once."""
    flags = ("--steps=20", "--log_every=2")
    for worker in start_workers(tmp_path / "run", *flags, tasks=tasks):
        _, printed = worker.communicate(timeout=240)
        assert worker.returncode == 0, printed
        assert "retracing" not in printed
    run = Run.open(tmp_path / "run")
    assert [record["step"] for record in run.records()] == list(range(2, 21, 2))
    assert run.exported_steps()[0] == 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "text"),
    [
        ("--seed=1", "expected the same settings on all workers"),
        ("--workdir={}/other", "expected a folder that all workers see"),
    ],
)
def test_workers_that_would_compute_different_things_are_refused(tmp_path, second, text):
    """The second one begins anew in its own folder, where the first goes on."""
    workdir = tmp_path / "run"
    for worker in start_workers(workdir, "--steps=50"):
        worker.communicate(timeout=240)
        assert worker.returncode == 0
    for worker in start_workers(workdir, "--steps=50", second=[second.format(tmp_path)]):
        _, printed = worker.communicate(timeout=240)
        assert worker.returncode == 2
        assert text in printed


@pytest.mark.slow
def test_lost_chief_stops_the_other_and_both_go_on_when_started_again(tmp_path):
    workdir = tmp_path / "run"
    chief, other = start_workers(workdir, "--steps=400")
    wait_for(workdir / "checkpoints" / "step-00000100", [chief, other])
    chief.send_signal(signal.SIGKILL)
    chief.communicate(timeout=60)
    _, printed = other.communicate(timeout=240)
    assert other.returncode == 2
    assert "lost another worker" in printed

    for worker in start_workers(workdir, "--steps=400"):
        printed = worker.communicate(timeout=240)
        assert worker.returncode == 0, printed
    run = Run.open(workdir)
    assert [record["step"] for record in run.records()] == list(range(10, 401, 10))
    assert run.exported_steps()[0] == 400


@pytest.mark.slow
def test_lost_worker_stops_the_other_and_both_go_on_when_started_again(tmp_path):
    """Killed, told to stop, and over the first steps what a single device comes to."""
    workdir, alone = tmp_path / "run", tmp_path / "alone"
    flags = "--steps=600"
    workers = start_workers(workdir, flags)
    wait_for(workdir / "checkpoints" / "step-00000100", workers)
    workers[1].send_signal(signal.SIGKILL)
    workers[1].communicate(timeout=60)
    _, printed = workers[0].communicate(timeout=240)
    assert workers[0].returncode == 2
    assert "lost another worker" in printed
    assert "go on from the newest checkpoint" in printed

    workers = start_workers(workdir, flags)
    wait_for(workdir / "checkpoints" / "step-00000300", workers)
    workers[1].send_signal(signal.SIGTERM)  # told to one, heeded by both
    outputs = [worker.communicate(timeout=240)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [128 + signal.SIGTERM] * 2
    assert all("Stopped at step" in output for output in outputs)

    workers = start_workers(workdir, flags)
    for worker in workers:
        printed = worker.communicate(timeout=240)
        assert worker.returncode == 0, printed
    run = Run.open(workdir)
    assert [record["step"] for record in run.records()] == list(range(10, 601, 10))

    subprocess.run(
        [
            TRAIN, "--experiment=ring8", "--width=16", "--hidden_layers=2", "--batch_size=32",
            "--log_every=10", "--snapshots=2", "--threads=1", "--noprogress", f"--workdir={alone}",
            flags,
        ],
        check=True, timeout=240,
    )  # fmt: skip
    for ours, theirs in zip(run.records()[:10], Run.open(alone).records()[:10], strict=True):
        for name in theirs.keys() - {"seconds"}:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3, abs=1e-4)
