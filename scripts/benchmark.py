"""Speed of a training step, as a share of what the machine's matrix multiplication reaches.

Two steps are measured, as `fit` runs them, data pipeline, optimizers and averages included:

    toy     multilayer perceptrons, 3 hidden layers of 512 units, batch 256
    image   the convolutional networks and settings of the experiment traffic, on random images

Beside each stands how fast its data pipeline alone delivers batches: images are read from a file
mapped into memory, as training reads them.

A step's floating-point operations are counted in its traced graph; see `count_operations`. The
matrix-multiply rate is taken right before and right after each measurement of a step, so that
whatever else the machine does slows both down.

    python scripts/benchmark.py [--only=toy] [--json]
"""

import dataclasses
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from absl import app, flags

from logan.datasets.images import image_batches
from logan.datasets.load import load_toy
from logan.models.adversarial import AdversarialModel
from logan.models.assemble import assemble
from logan.settings import Experiment, preset

FLAGS = flags.FLAGS
STEPS = ("toy", "image")
MATRIX_SIZES = (2048, 4096)
RANDOM_IMAGES = 1024

_GEMM_SECONDS = 0.15  # of each trial
_GEMM_TRIALS = 2  # of each size
_CALLS = ("Call", "If", "While", "Case", "XlaLaunch")
_PRODUCTS = ("MatMul", "Conv", "Einsum")
_ZERO_IF_ANY = (
    "MatMul",
    "Conv2D",
    "Conv2DBackpropInput",
    "Conv2DBackpropFilter",
    "Mul",
)
_CONSTANTS = ("Const", "Fill")
_ZERO_IF_FIRST = ("Reshape", "Slice", "LeakyReluGrad")
_ZERO_IF_ALL = ("AddN", "AddV2")


@dataclasses.dataclass(frozen=True)
class Speed:
    """What was measured of one step; medians over the rounds.

    Attributes:
        seconds: of one step.
        operations: floating-point operations of one step.
        gemm_rate: floating-point operations per second of a large matrix product.
        gemm_share: operations / seconds / gemm_rate, each round with its own rate.
        compile_seconds: of the first call, which is in none of the others.
        pipeline_seconds: of one batch from the data pipeline alone.
    """

    seconds: float
    operations: int
    gemm_rate: float
    gemm_share: float
    compile_seconds: float
    pipeline_seconds: float

    def summary(self, batch_size: int) -> dict[str, float]:
        return {
            "ms_per_step": round(1e3 * self.seconds, 3),
            "gflop_per_step": round(1e-9 * self.operations, 6),
            "gemm_share": round(self.gemm_share, 4),
            "examples_per_second": round(batch_size / self.seconds, 1),
            "pipeline_examples_per_second": round(batch_size / self.pipeline_seconds, 1),
        }


# Counting.


def step_graph(model: AdversarialModel, batch: tf.TensorSpec) -> tf.Graph:
    """The training step as TensorFlow operations, before any compiler has touched it."""
    return tf.function(model.train_step).get_concrete_function(batch).graph


def count_operations(graph: tf.Graph) -> int:
    """Floating-point operations of the graph's matrix products and convolutions.

    Two for each multiply-add, nothing for all else. Left out is what the result does not need:
    products that no output and no variable depends on (the tape writes down gradients that nobody
    asks for), and products with a factor known to be zero (TensorFlow's gradient of the gradient of
    leaky ReLU sends zeros back through the whole network). Padding counts as input of a
    convolution, as is the custom.

    So a step of BiGAN with the penalty is: E(x), G(z) and G(E(x)) forwards; D on the real and fake
    batch, and the gradient in its weights; D at the interpolated points up to its last hidden
    layer, the gradient in its inputs, and that gradient's own gradient in D's weights; D on both
    batches again after its update, the gradient in its inputs, and from there the gradient in the
    weights of G and E.

    Raises:
        ValueError: if the graph calls functions, or multiplies in a way that is not known here.
    """
    return sum(map(_operations_of, _needed(graph) - _zeros(graph)))


def _needed(graph: tf.Graph) -> set[tf.Operation]:
    """What the graph's outputs and its changes of variables depend on."""
    found: set[tf.Operation] = set()
    waiting = [*(output.op for output in graph.outputs), *graph.control_outputs]
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += [*(value.op for value in operation.inputs), *operation.control_inputs]
    return found


def _zeros(graph: tf.Graph) -> set[tf.Operation]:
    """What is zero in each element, whatever the data."""
    found: set[tf.Operation] = set()
    for operation in graph.get_operations():  # in the order of their making: inputs first
        are_zero = [value.op in found for value in operation.inputs]
        kind = operation.type
        if (
            (kind in _CONSTANTS and _is_zero(operation.outputs[0]))
            or (kind in _ZERO_IF_FIRST and are_zero[0])
            or (kind in _ZERO_IF_ANY and any(are_zero))
            or (kind in _ZERO_IF_ALL and all(are_zero))
        ):
            found.add(operation)
    return found


def _is_zero(constant: tf.Tensor) -> bool:
    return constant.dtype.is_floating and not np.any(tf.get_static_value(constant))


def _operations_of(operation: tf.Operation) -> int:
    kind, inputs = operation.type, operation.inputs
    if kind == "MatMul":
        inner = inputs[0].shape[0 if operation.get_attr("transpose_a") else 1]
        return 2 * operation.outputs[0].shape.num_elements() * inner
    # Each element of a convolution's output meets one filter; forwards and both ways back.
    if kind == "Conv2D":
        return _convolution(outcome=operation.outputs[0], filters=inputs[1])
    if kind == "Conv2DBackpropInput":
        return _convolution(outcome=inputs[2], filters=inputs[1])
    if kind == "Conv2DBackpropFilter":
        return _convolution(outcome=inputs[2], filters=operation.outputs[0])
    if kind.endswith(_CALLS) or any(part in kind for part in _PRODUCTS):
        raise ValueError(f"Expected products that can be counted. Received: an operation {kind}")
    return 0


def _convolution(outcome: tf.Tensor, filters: tf.Tensor) -> int:
    return 2 * outcome.shape.num_elements() * filters.shape[:3].num_elements()


# Measuring.


def seconds_of(work: Callable[[], object], repeats: int) -> float:
    """Mean time of a call, until the device has finished too."""
    tf.test.experimental.sync_devices()
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    tf.test.experimental.sync_devices()
    return (time.perf_counter() - start) / repeats


def repeats_in(seconds: float, work: Callable[[], object]) -> int:
    """How many calls take about so long."""
    return max(1, round(seconds / seconds_of(work, 1)))


def gemm_rates() -> Callable[[], float]:
    """A function that measures the float32 matrix-multiply rate now, in operations per second.

    The best of all sizes and trials, on all threads.
    """
    matrices = {size: tf.random.stateless_normal([size, size], [0, size]) for size in MATRIX_SIZES}
    works = {size: lambda m=m: tf.linalg.matmul(m, m) for size, m in matrices.items()}
    for work in works.values():
        seconds_of(work, 1)
    repeats = {size: repeats_in(_GEMM_SECONDS, work) for size, work in works.items()}
    return lambda: max(
        2 * size**3 / seconds_of(work, repeats[size])
        for size, work in works.items()
        for _ in range(_GEMM_TRIALS)
    )


def measure(
    model: AdversarialModel, batches: tf.data.Dataset, rounds: int, seconds: float
) -> Speed:
    """Times the compiled step on these batches.

    Args:
        model: compiled.
        batches: endless, of one static shape.
        rounds: how often.
        seconds: about how long each round trains.
    """
    iterator = iter(batches)
    model.make_train_function()
    steps = model.steps_per_execution

    def train() -> object:
        return model.train_function(iterator)

    compile_seconds = seconds_of(train, 1)
    repeats = repeats_in(seconds, train)
    gemm_rate = gemm_rates()
    rates, times = [gemm_rate()], []
    for _ in range(rounds):
        times.append(seconds_of(train, repeats) / steps)
        rates.append(gemm_rate())
    alone = iter(batches)
    repeats = repeats_in(seconds / 2, lambda: next(alone))
    pipeline_times = [seconds_of(lambda: next(alone), repeats) for _ in range(rounds)]
    operations = count_operations(step_graph(model, batches.element_spec))
    beside = [(before + after) / 2 for before, after in itertools.pairwise(rates)]
    return Speed(
        seconds=statistics.median(times),
        operations=operations,
        gemm_rate=statistics.median(rates),
        gemm_share=statistics.median(
            operations / time / rate for time, rate in zip(times, beside, strict=True)
        ),
        compile_seconds=compile_seconds,
        pipeline_seconds=statistics.median(pipeline_times),
    )


# The two steps.


def toy_experiment() -> Experiment:
    """The default BiGAN with the networks of the paper's toy experiments."""
    return preset("ring8", dict(batch_size=256, width=512, hidden_layers=3))


def image_experiment(image_size: int = 32) -> Experiment:
    return preset("traffic", dict(image_size=image_size))


def batches_of(experiment: Experiment) -> tf.data.Dataset:
    """What the experiment trains on, with noise in a file for its images."""
    if not experiment.is_image:
        return load_toy(experiment).batches(experiment.seed, experiment.batch_size)
    shape = (RANDOM_IMAGES, experiment.image_size, experiment.image_size, experiment.channels)
    images = np.random.default_rng(experiment.seed).integers(0, 256, shape, np.uint8)
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, images)
        file.flush()
        mapped = np.load(file.name, mmap_mode="r")  # stays readable when the name is gone
    return image_batches(mapped, np.arange(len(mapped)), experiment.seed, experiment.batch_size)


def _steps_per_execution(experiment: Experiment) -> int:
    """Few for images, whose steps are long."""
    return 5 if experiment.is_image else 50


def report(name: str, experiment: Experiment, speed: Speed) -> str:
    rate = speed.operations / speed.seconds
    return (
        f"{name}: {1e3 * speed.seconds:.2f} ms per step, {1e-9 * speed.operations:.3f} GFLOP per "
        f"step, {1e-9 * rate:.0f} GFLOP/s, {speed.gemm_share:.0%} of the matrix-multiply rate "
        f"{1e-9 * speed.gemm_rate:.0f} GFLOP/s (batch {experiment.batch_size}, "
        f"XLA {'on' if experiment.jit else 'off'}; first call {speed.compile_seconds:.1f} s); "
        f"{experiment.batch_size / speed.seconds:,.0f} examples per second, the pipeline alone "
        f"{experiment.batch_size / speed.pipeline_seconds:,.0f}, "
        f"{speed.seconds / speed.pipeline_seconds:.0f} times as many"
    )


def define_flags() -> None:
    flags.DEFINE_enum("only", None, STEPS, "Measure this step and leave the other out.")
    flags.DEFINE_bool("json", False, "Print the numbers as a last line of JSON.")
    flags.DEFINE_bool("jit", None, "Compile with XLA. Default: as the experiment has it.")
    flags.DEFINE_enum("image_size", "32", ["32", "64", "128"], "Pixels a side of the image step.")
    flags.DEFINE_integer("rounds", 5, "Measurements of each step.", lower_bound=1)
    flags.DEFINE_float("seconds", 2.0, "About how long each measurement trains.", lower_bound=0)


def benchmark(
    experiments: Mapping[str, Experiment], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Measures and reports the step of each experiment; the summaries by name."""
    summaries = {}
    for name, experiment in experiments.items():
        model = assemble(experiment, _steps_per_execution(experiment))
        speed = measure(model, batches_of(experiment), rounds, seconds)
        print(report(name, experiment, speed), flush=True)
        summaries[name] = speed.summary(experiment.batch_size)
    return summaries


def main(arguments: list[str]) -> None:
    del arguments
    changes = {} if FLAGS.jit is None else dict(jit=FLAGS.jit)
    experiments = dict(toy=toy_experiment(), image=image_experiment(int(FLAGS.image_size)))
    chosen = {
        name: dataclasses.replace(experiment, **changes)
        for name, experiment in experiments.items()
        if FLAGS.only in (None, name)
    }
    summaries = benchmark(chosen, FLAGS.rounds, FLAGS.seconds)
    if FLAGS.json:
        print(json.dumps(summaries))


if __name__ == "__main__":
    define_flags()
    app.run(main)
