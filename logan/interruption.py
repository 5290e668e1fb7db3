"""Ctrl-C and SIGTERM during training: an answer at once, and an end at the next line of the log."""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from logan.callbacks import Interval
from logan.distribution import all_agree_to
from logan.overview import tell
from logan.pace import Pace, duration
from logan.runs import Run

_HEARD = (signal.SIGINT, signal.SIGTERM)
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Interruption(Interval):
    """Ends training after the running interval once Ctrl-C or SIGTERM came, on any worker.

    To be in front of what acts on that end: the last checkpoint.

    Attributes:
        received: the signal, or None.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, run: Run, pace: Pace, *, exits: bool = False
    ):
        """Prepares to listen.

        Args:
            strategy: that of the training.
            run: what is trained.
            pace: measures its steps.
            exits: the same signal a second time ends the process at once. Otherwise it is left to
                who listened before, which is not before TensorFlow hands back control.
        """
        super().__init__()
        self._strategy = strategy
        self._run = run
        self._pace = pace
        self._exits = exits
        self._lock = threading.Lock()
        self._done = max([0, *run.checkpoints.steps()])
        self._at = self._done
        self.received: signal.Signals | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Answers to signals within the block.

        Outside of the main thread Python can catch no signals, and this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: Any) -> None:
            name = signal.Signals(number)
            self.received = self.received or name
            if not self._exits:
                signal.signal(name, previous[name])

        previous = {number: signal.signal(number, note) for number in _HEARD}
        # Python's handlers wait until TensorFlow hands back control, which may take many steps; a
        # thread that reads the signals' numbers does not.
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        earlier = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        thread = threading.Thread(target=self._listen, args=(ours,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(earlier)
            for number, handler in previous.items():
                signal.signal(number, handler)
            theirs.close()
            thread.join()
            ours.close()

    def _listen(self, numbers: socket.socket) -> None:
        heard: set[int] = set()
        while number := numbers.recv(1):
            if number[0] not in _HEARD:
                continue
            name = signal.Signals(number[0])
            # SIGTERM may follow on Ctrl-C without being meant as a second one.
            if name in heard:
                self._leave(name)
            elif not heard:
                self._stop(name)
            heard.add(name)

    def _stop(self, name: signal.Signals) -> None:
        with self._lock:
            self.received = self.received or name
        every, steps = self._run.experiment.log_every, self._run.experiment.steps
        end = min(self._done - self._done % every + every, steps)
        left = (self._pace.seconds or 0.0) * (end - self._at)
        when = f", in about {duration(left)}" if left >= 1 else ""
        tell(
            f"Stopping after step {end:,}{when}. {_NAMES[name]} again: leave now, back to "
            f"{self._place()}."
        )

    def _leave(self, name: signal.Signals) -> None:
        try:
            tell(f"Left at once. The same command goes on from {self._place()}.")
        finally:  # also if nobody reads
            if self._exits:
                os._exit(128 + name)

    def _place(self) -> str:
        steps = self._run.checkpoints.steps()
        return f"the checkpoint of step {steps[-1]:,}" if steps else "the start: no checkpoint yet"

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._note(int(self.model.step.numpy()))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._at += self.model.steps_per_execution

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        is_told = self._note(step)
        # A worker that stopped alone would leave the others waiting for it.
        if all_agree_to(self._strategy, is_told):
            self.received = self.received or signal.SIGTERM
            self.model.stop_training = True

    def _note(self, step: int) -> bool:
        """Begins an interval, unless a signal came before it: whether one did."""
        with self._lock:
            is_told = self.received is not None
            if not is_told:
                self._done = self._at = step
            return is_told
