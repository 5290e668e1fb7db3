"""Where the modes of the toy mixtures lie.

Source of the sets: the code of "No Modes Left Behind" (AAAI 2018), and VEEGAN (NeurIPS 2017) for
`grid25_wide`.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

SWISS_ARCS = 25  # the roll's 1,000 centres are counted as so many arcs of consecutive centres


def _ring(count: int, radius: float) -> np.ndarray:
    # The end point is left out: with it, the first and the last mode would be one.
    angles = np.linspace(0.0, 2.0 * np.pi, count, endpoint=False)
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _grid(count: int, reach: float) -> np.ndarray:
    line = np.linspace(-reach, reach, count)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def _swiss(count: int, reach: float) -> np.ndarray:
    # The classic roll t·(cos t, sin t) over t from 1.5π to 4.5π.
    angles = 1.5 * np.pi * (1.0 + 2.0 * np.linspace(0.0, 1.0, count))
    roll = angles[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return roll / np.abs(roll).max() * reach


def _line() -> np.ndarray:
    return np.linspace(-0.5, 0.5, 5)[:, None]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a mixture is made.

    Attributes:
        centers: gives float64 [components, features].
        sigma: standard deviation per axis of each component.
        modes: how many modes the components are counted as; None: one each.
    """

    centers: Callable[[], np.ndarray]
    sigma: float = 0.01
    modes: int | None = None


RECIPES = {
    "ring8": Recipe(lambda: _ring(8, 1.0)),
    "ring16": Recipe(lambda: np.concatenate([_ring(8, 1.0), _ring(8, 2.0)])),
    "grid25": Recipe(lambda: _grid(5, 2.0)),
    "grid25_wide": Recipe(lambda: _grid(5, 4.0), sigma=0.05),
    "swiss": Recipe(lambda: _swiss(1000, 2.0), modes=SWISS_ARCS),
    "line": Recipe(_line),
    "line_far": Recipe(lambda: np.concatenate([_line(), [[-5.0], [5.0]]])),
}
