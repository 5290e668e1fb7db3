"""Processes side by side; real ones, of a shell."""

import os
import re
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from logan.errors import UserError
from logan.runs import Run
from logan.settings import preset
from logan.sweeps.work import Job, installed, work


def job(folder: Path, name: str, *scripts: str) -> Job:
    run = Run(folder / name, preset("ring8", {"steps": 200}))
    return Job(run, [["sh", "-c", script] for script in scripts], folder / "logs" / f"{name}.txt")


def log(run: Run, *steps: int) -> None:
    run.path.mkdir()
    run.log.write_text("".join(f'{{"step": {step}, "seconds": 1}}\n' for step in steps))


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def quietly(jobs: Sequence[Job], at_once: int = 1):
    return work(jobs, at_once, show_progress=False)


def test_commands_follow_each_other_and_what_they_print_is_kept(tmp_path: Path) -> None:
    one = job(tmp_path, "one", "echo a", "echo b >&2", f"touch {tmp_path}/done")
    finished = quietly([one])
    assert finished.failures == []
    assert finished.interrupted_by is None
    assert lines(one.log) == ["a", "b"]
    assert (tmp_path / "done").exists()


def test_a_failure_is_told_and_leaves_the_others_alone(tmp_path: Path) -> None:
    bad = job(tmp_path, "bad", "seq 9; exit 3", f"touch {tmp_path}/never")
    good = job(tmp_path, "good", f"touch {tmp_path}/done")
    (failure,) = quietly([bad, good]).failures
    assert failure.splitlines()[0] == f"bad failed with exit code 3. {bad.log} ends:"
    assert failure.splitlines()[1:] == [f"  {number}" for number in range(5, 10)]
    assert (tmp_path / "done").exists()
    assert not (tmp_path / "never").exists()


def test_no_more_run_at_once_than_asked(tmp_path: Path) -> None:
    script = f"echo start >> {tmp_path}/all; sleep 0.3; echo end >> {tmp_path}/all"
    quietly([job(tmp_path, str(number), script) for number in range(3)], at_once=1)
    assert lines(tmp_path / "all") == ["start", "end"] * 3
    quietly([job(tmp_path, str(number), script) for number in range(2)], at_once=2)
    assert lines(tmp_path / "all")[6:] == ["start", "start", "end", "end"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_what_runs_save_and_starts_nothing_new(
    tmp_path: Path, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    saving = (
        f"trap 'touch {tmp_path}/saved; exit 143' TERM; touch {tmp_path}/begun; sleep 30 & wait"
    )
    jobs = [
        job(tmp_path, "one", saving, f"touch {tmp_path}/measured"),
        job(tmp_path, "two", f"touch {tmp_path}/second"),
    ]

    def interrupt() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    thread = threading.Thread(target=interrupt)
    thread.start()
    finished = quietly(jobs)
    thread.join()
    assert finished.interrupted_by == number
    assert finished.failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "logs", "saved"]
    assert "the runs save their state" in capfd.readouterr().err
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_place_and_share_of_a_job(tmp_path: Path) -> None:
    one = job(tmp_path, "one")
    assert (one.place, one.share) == ("0/200", 0.0)
    log(one.run, 100, 150)
    assert (one.place, one.share) == ("150/200", 0.75)
    one.run.log.write_text('{"step": 200, "seconds": 1}\n')
    assert (one.place, one.share) == ("being measured", 1.0)


def test_the_bar_counts_parts_of_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begun = job(tmp_path, "begun", "true")
    log(begun.run, 100)
    work([job(tmp_path, "new", "sleep 0.3"), begun], 1)
    shown = re.findall(r"([\d.]+) of 2 runs", capfd.readouterr().err)
    assert shown[0] == "0.5"
    assert shown[-1] == "2.0"


def test_a_command_that_is_not_installed_is_refused() -> None:
    with pytest.raises(UserError, match="expected the command logan-nothing on PATH"):
        installed("logan-nothing")
