"""The density of a generator on a line, from snapshots whose truth is known."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from logan.datasets.toy import toy_distribution
from logan.visualization.densities import DENSITIES, _line_of, _stage

Z = np.linspace(-1, 1, 20_001, dtype=np.float32)[:, None]


def history_of(*generators, name="line", latent_length=1, is_toy=True):
    snapshots = [
        dict(step=np.array(step), latents=Z, generated=generator(Z).astype(np.float32))
        for step, generator in enumerate(generators)
    ]
    experiment = SimpleNamespace(latent_length=latent_length)
    return SimpleNamespace(
        toy=toy_distribution(name),
        is_toy=is_toy,
        is_conditional=False,
        snapshots=snapshots,
        run=SimpleNamespace(experiment=experiment),
    )


def of_modes(count):
    """A generator of the first modes, alike, each in full: by the quantiles of a Gaussian."""
    draws = np.sort(np.random.default_rng(0).normal(size=4001))
    centers = toy_distribution("line").centers[:count, 0]
    curve = np.concatenate([center + 0.01 * draws for center in centers])
    return lambda z: np.interp(z, np.linspace(-1, 1, len(curve)), curve)


def divergence(generator):
    history = history_of(generator)
    return _stage(history.snapshots[0], _line_of(history)).divergence


def test_masses_of_the_data_are_those_of_its_modes():
    edges, masses = _line_of(history_of())
    assert masses.sum() == pytest.approx(1, abs=1e-6)
    assert np.diff(edges) == pytest.approx(0.01)
    within = np.abs((edges[:-1] + edges[1:]) / 2 - 0.25) < 0.1
    assert masses[within].sum() == pytest.approx(0.2, abs=1e-6)


def test_a_generator_of_all_modes_has_no_divergence():
    assert divergence(of_modes(5)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("count", [1, 3, 4])
def test_divergence_of_so_many_of_five_modes_by_hand(count):
    """On a made mode p = 1/5 and q = 1/count, on the others q = 0."""
    p, q = 1 / 5, 1 / count
    mean = (p + q) / 2
    made = count * (p * math.log(p / mean) + q * math.log(q / mean)) / 2
    lost = (5 - count) * p * math.log(2) / 2
    assert divergence(of_modes(count)) == pytest.approx(made + lost, abs=0.015)


def test_what_lies_beyond_the_picture_counts_at_its_ends():
    assert divergence(lambda z: 100 * np.sign(z)) == pytest.approx(math.log(2), abs=1e-3)
    assert divergence(lambda z: np.full_like(z, 0.625)) == pytest.approx(math.log(2), abs=1e-3)


def test_it_applies_to_generators_of_one_dimension():
    assert DENSITIES.applies(history_of())
    assert not DENSITIES.applies(history_of(latent_length=2))
    assert not DENSITIES.applies(history_of(name="ring8"))
    assert not DENSITIES.applies(history_of(is_toy=False))


def test_it_is_drawn_without_snapshots_that_are_not_finite(tmp_path):
    history = history_of(of_modes(1), lambda z: np.full_like(z, np.nan), of_modes(5))
    path = DENSITIES.write(history, tmp_path / "densities.png")
    assert path.stat().st_size > 10_000
