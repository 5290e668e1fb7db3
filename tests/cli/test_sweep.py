"""logan-sweep as a user calls it, on tiny runs."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from logan.files import read_json

COMMAND = Path(sys.executable).parent / "logan-sweep"
TINY = [
    "--experiment=ring8",
    "--methods=pairwise,gan",
    "--width=8",
    "--hidden_layers=1",
    "--batch_size=32",
    "--log_every=10",
    "--snapshots=1",
    "--jit=false",
    "--jobs=2",
]


def call(*arguments: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweeps")


@pytest.fixture(scope="module")
def sweep(folder: Path) -> Path:
    """Two methods with seed 0, trained and measured, a third one that fails; what is printed."""
    third = ["--methods=pairwise,bigan,gan", "--method_flags=bigan:--loss=vanilla:smoothing=2"]
    done = call(*TINY, *third, "--steps=20", cwd=folder, code=1)
    (folder / "printed.txt").write_text(done.stdout)
    (folder / "errors.txt").write_text(done.stderr)
    return folder / "runs" / "sweep"


def test_help_shows_examples(folder: Path) -> None:
    done = call("--helpshort", cwd=folder, code=1)
    assert "logan-sweep --experiment=traffic --methods=pairwise,bigan,wgan-gp" in done.stdout
    for flag in ("--methods:", "--seeds:", "--[no]dry_run:", "--equal:", "--learning_rate:"):
        assert flag in done.stdout


def test_help_loads_nothing_heavy() -> None:
    code = "import logan.cli.sweep, sys; print({'tensorflow', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_sweep_writes_table_csv_picture_and_logs(folder: Path, sweep: Path) -> None:
    printed = (folder / "printed.txt").read_text()
    assert (sweep / "sweep.md").read_text().strip() in printed
    assert "| ring8 | pairwise | 0 | 20 |" in printed
    with (sweep / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["seed"], row["step"]) for row in rows] == [
        ("pairwise", "0", "20"),
        ("gan", "0", "20"),
    ]
    assert float(rows[0]["reconstruction_rmse"]) > 0
    assert rows[1]["reconstruction_rmse"] == ""
    with Image.open(sweep / "ring8.png") as picture:
        assert picture.width > picture.height
    assert "20 steps in" in (sweep / "logs" / "ring8-gan-seed0.txt").read_text()
    sessions = read_json(sweep / "ring8-gan-seed0" / "environment.json")
    assert sessions[0]["threads"] == 1


def test_a_run_that_fails_is_told_at_the_end_and_the_others_go_on(
    folder: Path, sweep: Path
) -> None:
    told = (folder / "errors.txt").read_text()
    assert told.startswith("3 runs in runs/sweep, 0 of them complete.\n")
    *_, failure, last = told.splitlines()
    assert failure == (
        "ring8-bigan-seed0 failed with exit code 2. runs/sweep/logs/ring8-bigan-seed0.txt ends:"
    )
    assert last.startswith("  logan-train: --loss=vanilla:smoothing=2: ")
    assert "bigan" not in (folder / "printed.txt").read_text()


def test_only_what_is_missing_is_planned(folder: Path, sweep: Path) -> None:
    assert call(*TINY, "--steps=20", "--dry_run", cwd=folder).stdout == ""
    (sweep / "ring8-gan-seed0" / "metrics.json").rename(sweep / "kept.json")
    printed = call(*TINY, "--steps=20", "--seeds=0-1", "--jobs=1", "--dry_run", cwd=folder).stdout
    (sweep / "kept.json").rename(sweep / "ring8-gan-seed0" / "metrics.json")
    flags = (
        "--batch_size=32 --width=8 --hidden_layers=1 --steps=20 --jit=false --log_every=10 "
        "--snapshots=1"
    )
    expected = ["logan-evaluate --workdir=runs/sweep/ring8-gan-seed0"]
    expected += [
        f"logan-train --experiment=ring8 --method={method} --seed=1 {flags} "
        f"--workdir=runs/sweep/ring8-{method}-seed1 --noprogress && "
        f"logan-evaluate --workdir=runs/sweep/ring8-{method}-seed1"
        for method in ("pairwise", "gan")
    ]
    assert printed.splitlines() == expected


def test_runs_are_measured_as_flags_say_and_again_only_if_they_were_not(
    folder: Path, sweep: Path
) -> None:
    asked = call(*TINY, "--steps=20", "--samples=500", "--dry_run", cwd=folder).stdout
    assert asked.splitlines() == [
        f"logan-evaluate --workdir=runs/sweep/ring8-{method}-seed0 --threads=1 --samples=500"
        for method in ("pairwise", "gan")
    ]
    samples = read_json(sweep / "ring8-gan-seed0" / "metrics.json")["samples"]
    assert not call(*TINY, "--steps=20", f"--samples={samples}", "--dry_run", cwd=folder).stdout


def test_runs_of_other_settings_are_told_before_any_work(folder: Path, sweep: Path) -> None:
    told = call(*TINY, "--steps=30", "--seeds=0-1", cwd=folder, code=2).stderr
    for method in ("pairwise", "gan"):
        begun = rf"--steps: expected 20, as \S*ring8-{method}-seed0 was begun with. Received: 30"
        assert re.search(begun, told)
    assert not (sweep / "ring8-gan-seed1").exists()


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--methods=pairwis", "Did you mean pairwise"),
        ("--experiments=ring8,ring9", "Did you mean ring8"),
        ("--seeds=1-0", "--seeds: expected whole numbers such as 0-2,5. Received: '1-0'"),
        ("--jobs=0", "--jobs=0"),
        ("--samples=0", "--samples=0"),
        ("--extractor=vgg", "--extractor"),
        ("--equal=luck", "--equal=luck"),
        ("--run_names=all", "expected a name of its own for each run. Received: all"),
    ],
)
def test_bad_input_is_told_on_one_line(tmp_path: Path, flag: str, words: str) -> None:
    told = call(*TINY, "--seeds=0-1", flag, cwd=tmp_path, code=2).stderr
    assert words in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_stopped_sweep_goes_on_and_complete_runs_stay(tmp_path: Path) -> None:
    arguments = [*TINY, "--seeds=0-1", "--steps=3000"]
    command = [COMMAND, *arguments]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    log = tmp_path / "runs/sweep/ring8-pairwise-seed0/log.jsonl"
    deadline = time.monotonic() + 200
    while not log.is_file() or len(log.read_bytes().splitlines()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "Stopped with 0 of 4 runs complete; the same command continues" in printed

    call(*arguments, cwd=tmp_path)
    with (tmp_path / "runs/sweep/sweep.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3000"] * 4
    sessions = read_json(log.parent / "environment.json")
    assert len(sessions) == 2
    assert 0 < sessions[1]["first_step"] < 3000

    times = {path: path.stat().st_mtime_ns for path in log.parents[1].glob("*/log.jsonl")}
    assert len(times) == 4
    call(*arguments, cwd=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.slow
def test_equal_times_are_measured_once_and_kept(tmp_path: Path) -> None:
    arguments = [*TINY, "--equal=time", "--steps=600", "--dry_run"]
    printed = call(*arguments, cwd=tmp_path).stdout
    times = read_json(tmp_path / "runs/sweep/step_times.json")
    seconds = {name: entry["seconds"] for name, entry in times.items()}
    assert set(seconds) == {"ring8 pairwise", "ring8 gan"}
    steps = 10 * round(600 * seconds["ring8 pairwise"] / seconds["ring8 gan"] / 10)
    assert re.findall(r"--steps=(\d+)", printed) == ["600", str(steps)]
    assert not list((tmp_path / "runs/sweep").glob(".timing-*"))
    again = call(*arguments, cwd=tmp_path)
    assert again.stdout == printed
    assert "Measuring" not in again.stderr
