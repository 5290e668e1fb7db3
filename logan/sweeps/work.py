"""Commands run side by side as processes of their own."""

import collections
import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from logan.errors import UserError
from logan.runs import Run

_POLL_SECONDS = 0.2
_SHOW_SECONDS = {True: 2.0, False: 60.0}  # between two drawings of the bar, on a terminal or not
_LAST_LINES = 5


@dataclasses.dataclass(frozen=True)
class Job:
    """Commands to run one after the other.

    Attributes:
        run: the run that they work on.
        commands: each with its arguments; the next one runs if the one before it succeeded.
        log: the file that gets what they print.
    """

    run: Run
    commands: Sequence[Sequence[str]]
    log: Path

    @property
    def step(self) -> int:
        """The last one in the run's log."""
        with contextlib.suppress(UserError):
            return max((record["step"] for record in self.run.records()), default=0)
        return 0

    @property
    def share(self) -> float:
        """How much of the training is done, in [0, 1]."""
        return min(1.0, self.step / self.run.experiment.steps)

    @property
    def place(self) -> str:
        """Where it is, in words."""
        steps = self.run.experiment.steps
        return f"{self.step:,}/{steps:,}" if self.step < steps else "being measured"


@dataclasses.dataclass(frozen=True)
class Finished:
    """How `work` ended.

    Attributes:
        failures: a text for each job that failed.
        interrupted_by: the signal that stopped it early, or None.
    """

    failures: list[str]
    interrupted_by: signal.Signals | None


def work(jobs: Sequence[Job], at_once: int, show_progress: bool = True) -> Finished:
    """Runs jobs, so many at once; a job that fails leaves the others alone.

    Ctrl-C or SIGTERM, the first time, stops every command as SIGTERM does, which saves a training's
    state, and waits for them. The second time ends them at once.

    Args:
        jobs: in the order in which to start them.
        at_once: how many side by side, at least 1.
        show_progress: draw a bar on standard error.

    Returns:
        How it ended.
    """
    waiting, failures = collections.deque(jobs), []
    running: list[_Running] = []
    try:
        with _Signals() as signals, _Bar(jobs, show_progress) as bar:
            while running or (waiting and not signals.received):
                while waiting and len(running) < at_once and not signals.received:
                    running.append(_Running(waiting.popleft()))
                time.sleep(_POLL_SECONDS)
                for each in list(running):
                    if signals.received:
                        each.stop()
                    if each.is_over():
                        running.remove(each)
                        failures += each.failure(was_stopped=signals.received is not None)
                bar.show([each.job for each in running], len(waiting))
        return Finished(failures, signals.received)
    finally:
        for each in running:
            each.process.kill()


def installed(command: str) -> str:
    """The path of one of this package's commands, that of this Python first.

    Raises:
        UserError: if it is not installed.
    """
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    path = shutil.which(command, path=os.pathsep.join(folders))
    if path is None:
        raise UserError(f"expected the command {command} on PATH. Received: {folders[1]}")
    return path


class _Running:
    """A job whose commands run.

    Attributes:
        job: the job.
        process: of the command that runs now.
    """

    def __init__(self, job: Job):
        self.job = job
        self._commands = collections.deque(job.commands)
        self._is_stopped = False
        job.log.parent.mkdir(parents=True, exist_ok=True)
        job.log.write_bytes(b"")
        self._start()

    def _start(self) -> None:
        name, *arguments = self._commands.popleft()
        with self.job.log.open("ab") as log:
            # In a session of its own: the terminal's Ctrl-C is ours to pass on.
            self.process = subprocess.Popen(
                [installed(name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_over(self) -> bool:
        """Whether there is nothing left to run; starts the next command if it is its turn."""
        code = self.process.poll()
        if code == 0 and self._commands and not self._is_stopped:
            self._start()
            return False
        return code is not None

    def stop(self) -> None:
        """Asks the command, once, to save and leave."""
        if not self._is_stopped:
            self._is_stopped = True
            self.process.terminate()

    def failure(self, was_stopped: bool) -> list[str]:
        """A text on a command that failed by itself; none of one that did not."""
        code = self.process.returncode
        if code == 0 or (was_stopped and code in (-signal.SIGTERM, 128 + signal.SIGTERM)):
            return []
        lines = self.job.log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = "".join(f"\n  {line}" for line in lines[-_LAST_LINES:])
        return [f"{self.job.run.label} failed with exit code {code}. {self.job.log} ends:{last}"]


class _Signals:
    """Catches the first Ctrl-C or SIGTERM; the second one acts as ever.

    Attributes:
        received: the signal, or None.
    """

    received: signal.Signals | None = None

    def __enter__(self) -> "_Signals":
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._previous = {number: signal.signal(number, self._remember) for number in numbers}
        return self

    def _remember(self, number: int, frame: object) -> None:
        self.received = signal.Signals(number)
        self._restore()
        print("\nStopping: the runs save their state.", file=sys.stderr, flush=True)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def __exit__(self, *error: object) -> None:
        self._restore()


class _Bar:
    """How many jobs are done, parts of them included, and at which steps the running ones are."""

    def __init__(self, jobs: Sequence[Job], is_shown: bool):
        self._jobs = jobs
        self._shown_at = 0.0
        self._bar = tqdm(
            total=len(jobs),
            initial=sum(job.share for job in jobs),
            disable=not is_shown or not jobs,
            bar_format="{percentage:3.0f}% |{bar:20}| {n:.1f} of {total} runs, "
            "{elapsed} < {remaining}{postfix}",
        )

    def __enter__(self) -> "_Bar":
        return self

    def show(self, running: Sequence[Job], waiting: int) -> None:
        """Draws the bar anew, not too often."""
        now, every = time.monotonic(), _SHOW_SECONDS[sys.stderr.isatty()]
        if self._bar.disable or (running and now - self._shown_at < every):
            return
        self._shown_at = now
        begun = [*running, *self._jobs[len(self._jobs) - waiting :]]
        self._bar.n = len(self._jobs) - len(begun) + sum(job.share for job in begun)
        places = [f"{job.run.label} {job.place}" for job in running]
        self._bar.set_postfix_str(", ".join(places))

    def __exit__(self, *error: object) -> None:
        self._bar.close()
