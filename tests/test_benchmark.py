"""The count of a step's operations against counts by hand, and the benchmark on tiny steps."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import keras
import pytest
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.models.assemble import assemble
from logan.settings import Experiment

SCRIPT = Path(__file__).parents[1] / "scripts" / "benchmark.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def tiny_toy(**settings: object) -> Experiment:
    values = dict(width=8, batch_size=4, hidden_layers=2, jit=False)
    return Experiment(dataset="ring8", **{**values, **settings})


def tiny_image(**settings: object) -> Experiment:
    values = dict(
        dataset="images",
        data="none",
        network="convolutional",
        image_size=16,
        width=3,
        latent_length=5,
        batch_size=4,
        normalization="batch",
        jit=False,
    )
    return Experiment(**{**values, **settings})


def counted(script: ModuleType, experiment: Experiment) -> int:
    batch = script.batches_of(experiment).element_spec
    return script.count_operations(script.step_graph(assemble(experiment), batch))


def layer_costs(network: keras.Model, batch: int) -> list[int]:
    """Operations of each layer's forward pass, from its kernel's shape and its map's."""
    costs = []
    for layer in (layer for stack in network.layers for layer in stack.layers):
        if isinstance(layer, keras.layers.Conv2DTranspose):
            pixels = layer.input.shape[1] * layer.input.shape[2]
        elif isinstance(layer, keras.layers.Conv2D):
            pixels = layer.output.shape[1] * layer.output.shape[2]
        elif isinstance(layer, keras.layers.Dense):
            pixels = 1
        else:
            continue
        costs.append(2 * batch * pixels * layer.kernel.shape.num_elements())
    return costs


def by_hand(model: AdversarialModel, batch: int) -> int:
    """A step of BiGAN, pass by pass."""
    generator, encoder, discriminator = (
        layer_costs(network, batch)
        for network in (model.generator, model.encoder, model.discriminator)
    )
    g, e, d = sum(generator), sum(encoder), sum(discriminator)
    players_forwards = g + e
    # The weights of each layer, the input of each layer but the first.
    discriminator_step = 2 * (d + d + d - discriminator[0])
    players_step = 2 * (d + d) + (2 * g - generator[0]) + (2 * e - encoder[0])
    if not model.terms:
        return players_forwards + discriminator_step + players_step
    reconstruction = g
    hidden = d - discriminator[-1]
    gradient_in_x = d
    # The logit's own gradient is 1, so nothing goes back beyond the last layer's weights.
    gradient_of_gradient = d + hidden
    penalty = reconstruction + hidden + gradient_in_x + gradient_of_gradient
    return players_forwards + discriminator_step + penalty + players_step


def test_count_of_a_tiny_step_is_the_hand_computed_one(script):
    # Batch 4, one hidden layer of 8 units, x and z of 2 features. Multiply-adds:
    # G and E: 4·(2·8 + 8·2) = 128 forwards; D: 4·(4·8 + 8·1) = 128 + 32 = 160.
    # Forwards of E, G and G(E(x)):                 3·128                        =   384
    # D's step, twice the batch:                    2·(160 + 160 + 32)           =   704
    # Penalty: hidden layer, gradient, its own:     128 + 160 + (160 + 128)      =   576
    # D after its step, forwards, back to (x, z):   2·(160 + 160)                =   640
    # G and E: each weight, the last layer's input: 2·(128 + 64)                 =   384
    assert counted(script, tiny_toy(hidden_layers=1)) == 2 * (384 + 704 + 576 + 640 + 384)


@pytest.mark.parametrize("penalty", ["pairwise", "none"])
@pytest.mark.parametrize("make", [tiny_toy, tiny_image])
def test_count_is_the_sum_over_layers_and_passes(script, make, penalty):
    experiment = make(penalty=penalty)
    expected = by_hand(assemble(experiment), experiment.batch_size)
    assert counted(script, experiment) == expected


def test_count_of_a_convolution_and_a_product(script):
    layer = keras.layers.Conv2D(5, 3, 2, "same", use_bias=False)
    layer.build((4, 9, 9, 2))
    function = tf.function(lambda x: tf.linalg.matmul(tf.reshape(layer(x), [4, -1]), w))
    w = tf.ones([125, 7])
    graph = function.get_concrete_function(tf.TensorSpec([4, 9, 9, 2])).graph
    # 5 x 5 places, 3 x 3 x 2 weights for each of 5 channels; then 125 x 7.
    assert script.count_operations(graph) == 2 * 4 * (25 * 18 * 5 + 125 * 7)


def test_count_refuses_products_that_it_does_not_know(script):
    function = tf.function(lambda x: tf.linalg.matmul(x, x))
    graph = function.get_concrete_function(tf.TensorSpec([3, 2, 2])).graph
    with pytest.raises(ValueError, match="BatchMatMul"):
        script.count_operations(graph)


def test_benchmark_reports_a_step(script, monkeypatch, capsys):
    monkeypatch.setattr(script, "MATRIX_SIZES", (64,))
    monkeypatch.setattr(script, "_GEMM_SECONDS", 0.001)
    experiment = tiny_toy(hidden_layers=1)
    summaries = script.benchmark(dict(toy=experiment), rounds=2, seconds=0.001)
    assert list(summaries) == ["toy"]
    assert list(summaries["toy"]) == [
        "ms_per_step",
        "gflop_per_step",
        "gemm_share",
        "examples_per_second",
        "pipeline_examples_per_second",
    ]
    speeds = summaries["toy"]
    assert speeds["examples_per_second"] == pytest.approx(4e3 / speeds["ms_per_step"], rel=0.01)
    assert summaries["toy"]["ms_per_step"] > 0
    assert summaries["toy"]["gflop_per_step"] == pytest.approx(5376e-9, abs=5e-7)
    printed = capsys.readouterr().out
    assert printed.startswith("toy: ") and "first call" in printed


def test_share_is_operations_per_time_and_rate(script, monkeypatch):
    monkeypatch.setattr(script, "seconds_of", lambda work, repeats: 0.5)
    monkeypatch.setattr(script, "gemm_rates", lambda: lambda: 1e6)
    experiment = tiny_toy()
    speed = script.measure(
        assemble(experiment, 10), script.batches_of(experiment), rounds=2, seconds=1
    )
    assert speed.seconds == pytest.approx(0.05)
    assert speed.gemm_share == pytest.approx(speed.operations / 0.05 / 1e6)
