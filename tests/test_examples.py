"""The method on one page computes what the package computes; the other examples run."""

import importlib.util
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.networks import mlp
from logan.randomness import Draw

PATH = Path(__file__).parent.parent / "examples" / "bigan.py"


@pytest.fixture
def example():
    keras.utils.set_random_seed(0)
    spec = importlib.util.spec_from_file_location("example_bigan", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_step_is_the_models(example):
    sizes = dict(width=128, hidden_layers=4)
    model = BiGAN(
        mlp.Generator((2,), 2, **sizes),
        mlp.Encoder((2,), 2, **sizes),
        mlp.Discriminator((2,), 2, **sizes),
        loss="vanilla",
        penalty_weight=example.PENALTY_WEIGHT,
        seed=3,
    )
    rate = keras.optimizers.schedules.CosineDecay(example.RATE, example.STEPS, alpha=0.1)
    adam = dict(learning_rate=rate, beta_1=0.0, beta_2=0.9)
    model.compile(
        **{
            f"{role}_optimizer": keras.optimizers.Adam(**adam)
            for role in (*model.roles, "discriminator")
        }
    )
    networks = {
        "generator": example.generator,
        "encoder": example.encoder,
        "discriminator": example.joint,
    }
    for role, network in networks.items():
        getattr(model, role).set_weights(network.get_weights())
    start = example.joint.get_weights()

    for number in range(3):
        x = example.data(64)
        draw = Draw(3, tf.constant(number, tf.int64))
        example.step(x, draw.latents(64, example.LATENT), draw.epsilon(64))
        model.train_step(x)

    for role, network in networks.items():
        for one, other in zip(
            network.get_weights(), getattr(model, role).get_weights(), strict=True
        ):
            # Adam's first steps have the gradient's sign; where it is next to 0, rounding decides.
            is_close = np.isclose(one, other, rtol=1e-3, atol=2e-5)
            assert is_close.mean() > 0.999, role
    moved = [np.abs(a - b).max() for a, b in zip(start, example.joint.get_weights(), strict=True)]
    assert min(moved) > 1e-3


def test_it_is_one_page():
    assert len(PATH.read_text(encoding="utf-8").splitlines()) <= 125


# The penalty in one's own training loop.

EXAMPLES = PATH.parent


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_own_loop_trains_with_and_without_the_penalty(capsys):
    example = loaded("own_loop")
    data, has_car = example.pictures(500)
    assert data.shape == (500, example.SIDE**2)
    assert np.abs(data).max() <= 1
    np.testing.assert_array_equal(example.show_a_car(data), has_car)
    weights = {}
    for penalty_weight in (0.0, 0.3):
        generator, encoder = example.train(data, 3, penalty_weight)
        assert generator(encoder(data)).shape == data.shape
        weights[penalty_weight] = np.concatenate([w.ravel() for w in generator.get_weights()])
    assert capsys.readouterr().out.count("3 steps") == 2
    assert all(np.isfinite(each).all() for each in weights.values())
    assert not np.allclose(weights[0.0], weights[0.3], atol=1e-6)


# The notebook.

NOTEBOOK = EXAMPLES / "forgotten_modes.ipynb"


def test_notebook_is_stored_without_outputs_and_names_what_there_is():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code"] == [[]] * 7
    text = "".join("".join(cell["source"]) for cell in cells)
    for path in re.findall(r"`((?:docs|examples)/\S+)`", text):
        assert (EXAMPLES.parent / path).is_file()


@pytest.mark.slow
def test_notebook_runs_from_top_to_bottom():
    import nbclient
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=1800).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    printed = "".join(out.get("text", "") for out in outputs)
    found = re.search(r"modes kept of (\d+): (\d+) without the penalty, (\d+) with it", printed)
    modes, without, kept = map(int, found.groups())
    assert without < kept <= modes
    assert printed.count("a car on") == 2
    assert sum("image/png" in out.get("data", {}) for out in outputs) == 2
