"""Faults of the machine, provoked for real: full and read-only disks, caches that go, SIGKILL.

The disks are small tmpfs mounts in a mount namespace of the test's own, which needs no privileges
where the system allows user namespaces; elsewhere those tests are skipped.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from campaigns.stored import variables

import logan.training
from logan.files import read_json
from logan.runs import Run, cache_of
from logan.settings import Experiment
from logan.training import train

COMMANDS = Path(sys.executable).parent
TRAIN = (
    f"{COMMANDS / 'logan-train'} --experiment=ring8 --width=32 --batch_size=32 --steps=60 "
    "--log_every=10 --checkpoint_every=10 --snapshots=6 --deterministic --threads=1 --noprogress"
)
JUNCTION = Experiment(
    dataset="traffic",
    frames=100,
    network="convolutional",
    width=2,
    latent_length=2,
    batch_size=4,
    steps=6,
    log_every=2,
    snapshots=3,
    jit=False,
)


def checkpoint_bytes(workdir):
    checkpoints = Run.open(workdir).checkpoints
    stored = variables(checkpoints, checkpoints.steps()[-1])
    return {name: value.tobytes() for name, value in stored.items()}


@pytest.fixture
def in_namespace(tmp_path):
    """Runs a script of the shell with mounts of its own."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    probe = ["sh", "-c", f"mount -t tmpfs probe {tmp_path}"]
    if not shutil.which("unshare") or subprocess.run([*unshare, *probe], check=False).returncode:
        pytest.skip("expected unshare with user namespaces")

    def run(script):
        return subprocess.run(
            [*unshare, "bash", "-c", script],
            capture_output=True, text=True, timeout=900, check=False, cwd=tmp_path,
        )  # fmt: skip

    return run


@pytest.mark.slow
def test_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(in_namespace, tmp_path):
    """At whatever write the space ends, the run comes to the end of an undisturbed one."""
    sizes = ["60k", "400k", "1m"]
    script = f"""
        set -u
        {TRAIN} --workdir={tmp_path}/undisturbed || exit 1
        mkdir disk kept
        for size in {" ".join(sizes)}; do
            mount -t tmpfs -o size=$size tmpfs disk
            {TRAIN} --workdir=disk/run 2>err-$size
            echo "$size $?"
            find disk/run -name '*.json' -exec python3 -m json.tool '{{}}' /dev/null ';' 2>>bad
            mount -o remount,size=20m disk
            {TRAIN} --workdir=disk/run >>log 2>&1 || echo "$size failed"
            cp -r disk/run kept/$size
            umount disk
        done
    """
    done = in_namespace(script)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "steps in" not in line]
    assert lines == [f"{size} 2" for size in sizes]
    assert not (tmp_path / "bad").read_text()
    expected = checkpoint_bytes(tmp_path / "undisturbed")
    for size in sizes:
        printed = (tmp_path / f"err-{size}").read_text()
        assert "no space left on the disk" in printed or "No space left" in printed
        assert "Traceback" not in printed
        assert checkpoint_bytes(tmp_path / "kept" / size) == expected
        steps = [record["step"] for record in Run.open(tmp_path / "kept" / size).records()]
        assert steps == [10, 20, 30, 40, 50, 60]


@pytest.mark.slow
def test_read_only_disk_is_named(in_namespace):
    done = in_namespace(f"""
        mkdir disk && mount -t tmpfs tmpfs disk
        {TRAIN} --workdir=disk/run --steps=20 >/dev/null || exit 1
        mount -o remount,ro disk
        {TRAIN} --workdir=disk/run --steps=20; echo "same run: $?"
        {TRAIN} --workdir=disk/other; echo "new run: $?"
        {COMMANDS / "logan-evaluate"} --workdir=disk/run; echo "evaluate: $?"
    """)
    assert done.stdout.splitlines()[-1] == "evaluate: 2"
    assert "same run: 2" in done.stdout
    assert "new run: 2" in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.count("ead-only") == 3


def test_cache_that_vanishes_during_training_does_no_harm(tmp_path, monkeypatch):
    """The frames stay mapped; the next run draws them again."""
    kept = logan.training._take

    def take(model, data, run):
        kept(model, data, run)
        shutil.rmtree(cache_of(run.path), ignore_errors=True)

    monkeypatch.setattr(logan.training, "_take", take)
    outcome = train(JUNCTION, tmp_path / "run", show_progress=False)
    assert outcome.step == 6
    assert not cache_of(outcome.run.path).exists()


@pytest.mark.slow
def test_folder_of_a_run_that_vanishes_is_named(tmp_path):
    workdir = tmp_path / "run"
    command = [*TRAIN.replace("--steps=60", "--steps=100000").split(), f"--workdir={workdir}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as training:
        while not (workdir / "log.jsonl").exists() and training.poll() is None:
            time.sleep(0.05)
        shutil.rmtree(workdir, ignore_errors=True)  # the run may write into it at the same time
        try:
            _, errors = training.communicate(timeout=60)
        finally:
            training.kill()
    assert training.returncode == 2
    assert errors == f"logan-train: {workdir} was deleted during training\n"


@pytest.mark.slow
def test_cache_cut_short_under_a_run_kills_it_and_it_goes_on(tmp_path):
    """The system ends a process that reads what is gone of a mapped file; the run is not lost."""
    flags = [f"--{name}" for name in (
        "experiment=traffic", "frames=100", "width=2", "latent_length=2", "batch_size=4",
        "steps=1000", "log_every=20", "checkpoint_every=20", "snapshots=0", "threads=1",
        "noprogress", f"workdir={tmp_path / 'run'}",
    )]  # fmt: skip
    process = subprocess.Popen([COMMANDS / "logan-train", *flags])
    while not (tmp_path / "run" / "checkpoints" / "step-00000020").exists():
        assert process.poll() is None
    (frames,) = (tmp_path / ".cache").glob("frames-*.npy")
    os.truncate(frames, 4096)
    assert process.wait(120) < 0
    done = subprocess.run(
        [COMMANDS / "logan-train", *flags], capture_output=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(np.load(frames, mmap_mode="r")) == 100


@pytest.mark.slow
def test_two_evaluations_at_once_leave_whole_files(tmp_path):
    run = train(
        dataclasses.replace(Experiment(width=4, hidden_layers=1), steps=4, log_every=2),
        tmp_path / "run",
        show_progress=False,
    ).run
    command = [COMMANDS / "logan-evaluate", f"--workdir={run.path}", "--threads=1"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(240) for process in both] == [0, 0]
    assert read_json(run.metrics)["step"] == 4
    assert not list(run.path.glob(".*metrics*"))
