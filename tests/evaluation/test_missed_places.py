"""What is missed of a fixed camera, by where things stand."""

import numpy as np
import pytest
from clips import clip

from logan.evaluation.missed import PLACES, places, search
from logan.evaluation.record import Record
from logan.metrics.missed import SURE
from logan.metrics.scene import Foreground


class Blind:
    """An extractor that sees nothing of what is there."""

    name = "noise"

    def __call__(self, images):
        return np.random.default_rng(len(images)).normal(size=(len(images), 4)).astype(np.float32)


def halves(frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tenth of the frames show a thing above, others one below; images and which they are."""
    x, random = clip(frames)
    kind = random.permutation(frames) % 10
    for index, each in enumerate(kind.tolist()):
        if each < 4:
            top, left = (5 if each == 0 else 20) + random.integers(2), 12 + random.integers(2)
            tone = random.choice([-1, 1]) * random.uniform(0.3, 0.7)
            x[index, top : top + 3, left : left + 5] += np.float32(tone)
    return x, kind == 0, (kind > 0) & (kind < 4)


def record_of(real: np.ndarray, generated: np.ndarray) -> Record:
    return Record("", 0, real, generated=generated, extractor=Blind(), has_fixed_camera=True)


@pytest.fixture(scope="module")
def frames():
    return halves(1_200)


def test_things_at_a_place_without_generations_are_missed(frames) -> None:
    x, above, below = frames
    real, rest = np.arange(600), np.arange(600, 1_200)
    generated = x[rest[~above[rest]]]
    searched = search(record_of(x[real], generated))
    assert searched.name == PLACES
    is_missed = searched.found.chance < SURE
    assert is_missed[above[real]].mean() > 0.9
    assert not is_missed[~above[real]].any()
    assert below[real].sum() > 100


def test_a_generator_that_draws_things_larger_misses_no_place(frames) -> None:
    x, _, _ = frames
    generated = x[600:].copy()
    scene = np.median(x, axis=0)
    off = np.abs(generated - scene).max(-1, keepdims=True) > 0.25
    for axis in (1, 2):  # Each thing grows by a pixel to the right and below.
        grown = np.roll(generated, 1, axis)
        take = np.roll(off, 1, axis) & ~off
        generated = np.where(take, grown, generated)
        off |= take
    searched = search(record_of(x[:600], generated))
    assert searched.name != PLACES or (searched.found.chance > SURE).all()


def test_places_are_covered_squares_whatever_the_size() -> None:
    mask = np.zeros((4, 16, 16), bool)
    mask[0, :2, :4] = True  # two whole squares of 2 x 2 pixels
    mask[1, :1, :4] = True  # half of the same squares
    mask[2, 0, 0] = True  # too small to be a thing
    found = places(Foreground(mask, np.array([8, 4, 1, 0]) / 256, 4 / 256))
    assert found.shape == (4, 64)
    np.testing.assert_allclose(found[:2, :3], [[0.5**0.5, 0.5**0.5, 0]] * 2, rtol=1e-6)
    assert not found[2:].any()


def test_a_copy_without_things_misses_nothing() -> None:
    x, _ = clip(200)
    assert (search(record_of(x[:100], x[100:])).found.chance > SURE).all()
