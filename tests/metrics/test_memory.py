"""No measure holds the distances of all pairs at once."""

import tracemalloc

import numpy as np
import pytest

from logan.metrics.fidelity import fidelity
from logan.metrics.missed import missed_images, near_copies
from logan.metrics.neighbours import covered, equal_share

IMAGES = 6_000
ALL_PAIRS = 8 * IMAGES**2  # bytes in float64


@pytest.mark.parametrize(
    "measure",
    [
        lambda real, generated: fidelity(real, generated, seed=0),
        covered,
        lambda real, generated: equal_share(real),
        missed_images,
        lambda real, generated: near_copies(generated, real, real),
    ],
    ids=["fidelity", "covered", "equal", "missed", "copies"],
)
def test_memory_is_that_of_a_few_blocks(measure) -> None:
    draws = np.random.default_rng(0).normal(size=(2, IMAGES, 4)).astype(np.float32)
    tracemalloc.start()
    try:
        measure(*draws)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ALL_PAIRS / 2
