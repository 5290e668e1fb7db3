"""Times of a video's frames, and the choice of frames by time."""

import math
from fractions import Fraction

__all__ = ["IntervalSampler", "RunningClock", "exact"]


def exact(seconds: float) -> Fraction:
    """The decimal that was written: 0.1 is a tenth, and 3 * 0.1 s is the frame at 0.3 s."""
    return Fraction(str(seconds))


class RunningClock:
    """Seconds after a video's first frame, which never run backwards.

    Recordings that were joined by `cat` each begin with a clock of their own. Where the time stamps
    step back, the clock goes on one frame after the last one.
    """

    def __init__(self, frame_seconds: Fraction):
        self.last: Fraction | None = None
        self._frame_seconds = frame_seconds
        self._shift: Fraction | None = None

    @property
    def next(self) -> Fraction:
        """When the next frame is due."""
        return Fraction(0) if self.last is None else self.last + self._frame_seconds

    def begin(self, stamp: Fraction) -> None:
        """Sets the time stamp of second 0, of a first frame that cannot be read."""
        self._shift = -stamp

    def seconds(self, stamp: Fraction | None) -> Fraction:
        """The time of the next frame; to be asked for each frame, in order.

        Args:
            stamp: its time stamp in seconds; None where the file has none.
        """
        if stamp is None:
            self.last = self.next
            return self.last
        if self._shift is None:
            self._shift = -stamp
        if self.last is not None and stamp + self._shift < self.last:
            self._shift = self.next - stamp
        self.last = stamp + self._shift
        return self.last


class IntervalSampler:
    """Chooses the frame nearest to each multiple of an interval, by time and not by number."""

    def __init__(self, interval: float, start: float, stop: float | None, frame_seconds: Fraction):
        self._start = exact(start)
        self._stop = math.inf if stop is None else exact(stop)
        self._interval = exact(interval)
        self._frame_seconds = frame_seconds
        self._last: Fraction | None = None
        self._next = Fraction(0)

    def has_passed(self, seconds: Fraction) -> bool:
        """Whether this time and all later ones lie beyond the part to take."""
        return seconds >= self._stop

    def takes(self, seconds: Fraction) -> bool:
        """Whether to take the frame of this time; to be asked for each frame, in order."""
        # A long frame, such as the last of a slide show, makes the average one too long.
        gap = Fraction(0) if self._last is None else seconds - self._last
        self._last = seconds
        if seconds < self._start:
            return False
        position = seconds - self._start + min(self._frame_seconds, gap) / 2
        if position < self._next:
            return False
        if self._interval:
            # After a hole in the recording the next multiple counts, not those that passed.
            self._next = (position // self._interval + 1) * self._interval
        return True
