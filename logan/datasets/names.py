"""What images are called, so that a measure can say which ones it means."""

import dataclasses
from collections.abc import Sequence

import numpy as np

# Frames of one video this close in time show one event.
NEXT_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Names:
    """What the images of a set are called, one entry for each.

    Attributes:
        files: their files: of pictures paths within the set, of a video's frames its name.
        frames: int64 [images], their numbers from 0 within a sequence; None without one.
        seconds: float64 [images], their times from the start of their video; None without one.
    """

    files: Sequence[str]
    frames: np.ndarray | None = None
    seconds: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.files)

    def of(self, index: np.ndarray) -> "Names":
        """The names of some images, int64 [some]."""
        return Names(
            [self.files[i] for i in index.tolist()],
            None if self.frames is None else self.frames[index],
            None if self.seconds is None else self.seconds[index],
        )

    def label(self, image: int) -> str:
        """The file, and of a video's frame the time in minutes and seconds."""
        if self.seconds is None:
            return self.files[image]
        # In tenths first: 59.96 s is 1:00.0, not 0:60.0.
        minutes, tenths = divmod(round(10 * float(self.seconds[image])), 600)
        return f"{self.files[image]} {minutes}:{tenths / 10:04.1f}"

    def are_next(self, one: int, other: int) -> bool:
        """Whether two images are neighbours in time."""
        if self.seconds is not None:
            gap = abs(float(self.seconds[one] - self.seconds[other]))
            return self.files[one] == self.files[other] and gap <= NEXT_SECONDS
        if self.frames is not None:
            return abs(int(self.frames[one]) - int(self.frames[other])) <= 1
        return False


def joined(first: Names | None, second: Names | None) -> Names | None:
    """The names of one set after those of another; None if either has none."""
    if first is None or second is None:
        return None
    return Names(
        [*first.files, *second.files],
        _both(first.frames, second.frames),
        _both(first.seconds, second.seconds),
    )


def _both(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    return None if first is None or second is None else np.concatenate([first, second])
