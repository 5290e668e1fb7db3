"""Which values a network can give, from its last layers or from what it gives."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Range = tuple[float, float]

UNBOUNDED: Range = (-math.inf, math.inf)

_OF_ACTIVATION: dict[str, Range] = {
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "sparsemax": (0.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, math.inf),
    "exponential": (0.0, math.inf),
    "elu": (-1.0, math.inf),
    "linear": UNBOUNDED,
    "leaky_relu": UNBOUNDED,
}

# Layers that give some of the values that they get, or means of them.
_KEEPING = (
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.Permute,
    keras.layers.Identity,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.UpSampling1D,
    keras.layers.UpSampling2D,
    keras.layers.AveragePooling2D,
    keras.layers.MaxPooling2D,
    keras.layers.RepeatVector,
)

_STEEP = (1e3, 1e6)  # factors of latents that drive a last tanh or sigmoid to its ends
_USUAL: tuple[Range, ...] = ((-1.0, 1.0), (0.0, 1.0), (0.0, 255.0))


def range_of(network: keras.Model, inputs: np.ndarray | None = None, **settings: Any) -> Any:
    """The values that a network can give.

    Args:
        network: built, of one input.
        inputs: some, floating [batch, ...]. If the layers do not tell, the network is asked for
            its outputs of huge multiples of these; None leaves that out.
        **settings: further arguments of its call.

    Returns:
        The least and the largest value, which may be infinite; None if not known.
    """
    found = _of_layers(_last_operations(network))
    if found is None and inputs is not None:
        found = _of_outputs(network, inputs, settings)
    return found


def _last_operations(network: keras.Model) -> Sequence[Any]:
    """What made its output, the last first; as far back as there is one way only."""
    if isinstance(network, keras.Sequential):
        return list(reversed(network.layers))
    outputs = getattr(network, "outputs", None)  # of a functional model
    if not outputs or len(outputs) != 1:
        return []
    operations, tensor = [], outputs[0]
    while True:
        history = tensor._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        operations.append(history.operation)
        if len(node.input_tensors) != 1:
            return operations
        tensor = node.input_tensors[0]


def _of_layers(operations: Sequence[Any]) -> Range | None:
    for index, operation in enumerate(operations):
        if isinstance(operation, _KEEPING):
            continue
        if isinstance(operation, keras.layers.Rescaling):
            before = _of_layers(operations[index + 1 :])
            return None if before is None else _rescaled(before, operation)
        if isinstance(operation, keras.Model):
            return _of_layers(_last_operations(operation))
        if isinstance(operation, keras.layers.Softmax):
            return 0.0, 1.0
        if isinstance(operation, keras.layers.ReLU):
            least = -math.inf if operation.negative_slope else 0.0
            return least, math.inf if operation.max_value is None else float(operation.max_value)
        if isinstance(operation, keras.layers.Layer):
            activation = getattr(operation, "activation", None)
            has_weights = isinstance(operation, keras.layers.Dense) or hasattr(operation, "kernel")
            if activation is None:
                return UNBOUNDED if has_weights else None
            return _OF_ACTIVATION.get(getattr(activation, "__name__", ""))
        # A function of keras.ops in a functional model.
        return _OF_ACTIVATION.get(type(operation).__name__.lower())
    return None


def _rescaled(before: Range, layer: keras.layers.Rescaling) -> Range | None:
    scale, offset = np.asarray(layer.scale, float), np.asarray(layer.offset, float)
    if scale.size != 1 or offset.size != 1 or not scale:
        return None
    ends = sorted(float(end * scale.item() + offset.item()) for end in before)
    return ends[0], ends[1]


def _of_outputs(network: keras.Model, inputs: np.ndarray, settings: dict[str, Any]) -> Range | None:
    outputs = [
        np.asarray(network(tf.constant(factor * inputs), training=False, **settings), np.float64)
        for factor in _STEEP
    ]
    if not all(np.isfinite(values).all() for values in outputs):
        return None
    reached = [(float(values.min()), float(values.max())) for values in outputs]
    sizes = [max(-least, most) for least, most in reached]
    if sizes[1] > 10 * sizes[0]:
        return UNBOUNDED
    for least, most in _USUAL:
        slack = 1e-3 * (most - least)
        if all(
            abs(low - least) <= slack and abs(high - most) <= slack and low >= least - 1e-6
            for low, high in reached
        ):
            return least, most
    return None
