"""Other methods' runs beside a run, and what is said of them."""

import json

import numpy as np
import pytest

from logan.evaluation.record import Record
from logan.evaluation.rivals import rivals_of
from logan.evaluation.verdict import verdict
from logan.runs import Run
from logan.settings import preset, to_flags

PROTOCOL = "20 generations. fidelity: features of random ones, 20 held-out images. pull: D's"


def measured(coverage, sampler="plain", protocol=PROTOCOL):
    return {"sampler": sampler, "protocol": protocol, "fidelity": {"coverage": coverage}}


@pytest.fixture
def add(tmp_path):
    """Writes the folder of a measured run."""

    def write(name, method, metrics, **settings):
        run = Run(tmp_path / name, preset("traffic", settings, method=method))
        run.path.mkdir()
        (run.path / "flags.txt").write_text("\n".join(to_flags(run.experiment)))
        run.metrics.write_text(metrics if isinstance(metrics, str) else json.dumps(metrics))
        return run

    return write


def test_rivals_are_other_methods_on_the_same_images_measured_alike(add):
    own = add("own", "pairwise", measured(0.5))
    add("other seed", "pairwise", measured(0.9), seed=1)
    add("bigan-0", "bigan", measured(0.2))
    add("bigan-1", "bigan", measured(0.4), seed=1)
    add("wgan", "wgan-gp", measured(0.25))
    add("other images", "wgan-gp", measured(0.99), frames=5_000)
    add("rejection", "wgan-gp", measured(0.98, sampler="rejection"), seed=2)
    more = measured(0.97, protocol=PROTOCOL.replace("20 held-out", "900 held-out"))
    add("more images", "wgan-gp", more, seed=3)
    add("damaged", "wgan-gp", "{", seed=4)
    add("of another kind", "wgan-gp", "[]", seed=5)
    found = rivals_of(own, measured(0.5))
    assert {
        method: [metrics["fidelity"]["coverage"] for metrics in runs]
        for method, runs in found.items()
    } == {"bigan": [0.2, 0.4], "wgan-gp": [0.25]}
    record = Record("", 0, np.zeros((9, 8, 8, 1), np.float32))
    assert verdict(record, {}, {}, (), found).findings == [
        "Nearest rival of 2 other methods: bigan covers 30% of the held-out images, "
        "the mean of 2 runs."
    ]


def test_each_run_is_compared_as_its_method_samples(add):
    own = add("own", "pairwise-autoencoder", measured(0.5, sampler="between-encodings"))
    add("bigan", "bigan", measured(0.2))
    add("pairwise", "pairwise", measured(0.9, sampler="rejection"))
    assert own.experiment.sampler == "between-encodings"
    assert set(rivals_of(own, measured(0.5, sampler="between-encodings"))) == {"bigan"}
    assert set(rivals_of(own, measured(0.5, sampler="plain"))) == {"bigan"}
    assert set(rivals_of(own, measured(0.5, sampler="rejection"))) == {"pairwise"}


def test_without_features_nothing_compares(add):
    own = add("own", "pairwise", measured(0.5))
    add("other", "bigan", {"sampler": "plain", "protocol": "20 generations"})
    assert rivals_of(own, {"sampler": "plain", "protocol": "20 generations"}) == {}
