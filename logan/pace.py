"""How long a training step takes, measured on the steps of a training, and times in words."""

import time
from collections.abc import Callable
from typing import Any

import keras


class Pace(keras.callbacks.Callback):
    """Measures the first steps after those that compile, and then costs nothing more.

    Attributes:
        seconds: of one step; None until enough of them were measured.
        seconds_to_begin: from the beginning of `fit` to the end of the steps that compile.
    """

    ENOUGH = 3.0  # seconds of steps to measure

    def __init__(self, then: Callable[[int, float], None] | None = None):
        """`then` is called once, with the finished steps and the seconds of one step."""
        super().__init__()
        self.seconds: float | None = None
        self.seconds_to_begin = 0.0
        self._then = then

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()
        self._has_compiled = False
        self._steps = 0
        self._measured = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._start = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.seconds is not None:
            return
        step = int(self.model.step.numpy())  # waits for the device
        if not self._has_compiled:
            self._has_compiled = True
            self.seconds_to_begin = time.monotonic() - self._began
            return
        self._measured += time.monotonic() - self._start
        self._steps += self.model.steps_per_execution
        if self._measured >= self.ENOUGH:
            self.seconds = self._measured / self._steps
            if self._then:
                self._then(step, self.seconds)


def steps_within(seconds: float, of_a_step: float) -> int:
    """As many steps as fit into that time, rounded down to two digits; 1 at least."""
    steps = max(1, int(seconds / of_a_step))
    unit = 10 ** max(0, len(str(steps)) - 2)
    return steps // unit * unit


def duration(seconds: float) -> str:
    """A time in two units at most, such as 4.25 ms, 25 s, 8 min, 2 h 5 min, 3 d 4 h."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
