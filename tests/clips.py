"""Made-up clips of a fixed camera, of which it is known what stands before the scene."""

import numpy as np

SIDE = 32
HOUSE = np.s_[:, :10, 4:28]  # [frames, rows, columns]


def clip(
    frames: int = 200, channels: int = 1, noise: float = 0.01, seed: int = 0
) -> tuple[np.ndarray, np.random.Generator]:
    """An empty street between a house and a meadow, with noise of the camera.

    Returns:
        float32 [frames, side, side, channels] in [-1, 1], and a source of further draws.
    """
    random = np.random.default_rng(seed)
    scene = np.full((SIDE, SIDE, 1), -0.1)
    scene[:10], scene[22:] = 0.2, -0.35
    scene = scene + np.array([0.05, 0.0, -0.05])[:channels]
    scene = scene + random.uniform(-0.08, 0.08, (SIDE, SIDE, 1))
    x = scene + noise * random.standard_normal((frames, SIDE, SIDE, channels))
    return x.astype(np.float32), random


def passing(
    x: np.ndarray,
    random: np.random.Generator,
    share: float,
    height: int = 3,
    width: int = 5,
    contrast: float = 0.5,
    rows: tuple[int, int] = (10, 22),
) -> np.ndarray:
    """Puts a thing, lighter or darker than the scene, anywhere in the rows of some frames.

    Returns:
        bool [frames], which.
    """
    is_occupied = random.permutation(len(x)) < round(share * len(x))
    for index in np.flatnonzero(is_occupied):
        top = random.integers(rows[0], rows[1] - height + 1)
        left = random.integers(0, SIDE - width + 1)
        tone = contrast * random.choice([-1, 1]) * random.uniform(0.7, 1.3)
        x[index, top : top + height, left : left + width] += np.float32(tone)
    return is_occupied
