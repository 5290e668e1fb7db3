"""What a user's Keras network may be: built or not, of 16 bits or not, and how to name it."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf


def described(network: Any) -> str:
    """Its name and its class, for messages."""
    return f"{getattr(network, 'name', network)}, {type(network).__name__}"


def layers_of(network: keras.Layer) -> list[keras.Layer]:
    """The network itself and all layers in it, however deep."""
    return list(network._flatten_layers())


def is_built(network: keras.Layer) -> bool:
    """Whether all of its weights are there, as far as Keras knows."""
    return all(layer.built for layer in layers_of(network))


def check_can_be_saved(role: str, network: keras.Model) -> None:
    """Makes sure that what is saved of the network can be loaded.

    Raises:
        ValueError: if its constructor does not take what its `get_config` gives.
    """
    kind = type(network)
    constructor = kind.__init__
    of_keras = constructor.__module__.startswith("keras.")  # as that of functional models
    if of_keras or kind.from_config.__func__ is not keras.Model.from_config.__func__:
        return
    try:
        # The class's own signature will not do: in Python 3.11.2 it may be that of __new__.
        inspect.signature(constructor).bind(network, **network.get_config())
    except TypeError as error:
        raise ValueError(
            f"Expected a {role} that can be made again by from_config(get_config()), to save it. "
            f"Received: {described(network)}: {error}. Give it an __init__(self, **kwargs) that "
            "calls super().__init__(**kwargs), or use save_weights"
        ) from error


@contextlib.contextmanager
def inlined(network: keras.Layer) -> Iterator[None]:
    """Runs what is decorated with tf.function in the network as plain Python.

    A traced function keeps the variables and the precision that it was traced with.
    """
    if not any(_is_traced(layer) for layer in layers_of(network)):
        yield
        return
    kept = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(kept)


def _is_traced(layer: keras.Layer) -> bool:
    return isinstance(layer.call, tf.types.experimental.GenericFunction)


def length_of_input(network: keras.Model) -> int | None:
    """Its attribute latent_length, or else its input's features; None as long as not known."""
    shape = getattr(network, "input_shape", None)  # of functional models and of Sequential
    if shape is None and network.built:
        config = network.get_build_config() or {}
        shape = next(iter(config.get("shapes_dict", config).values()), None)
    return _length(network, shape)


def length_of_output(network: keras.Model) -> int | None:
    """Its attribute latent_length, or else its output's features; None as long as not known."""
    return _length(network, getattr(network, "output_shape", None))


def _length(network: keras.Model, shape: Any) -> int | None:
    own = getattr(network, "latent_length", None)
    if own is not None:
        return int(own)
    while shape and isinstance(shape[0], list | tuple):
        shape = shape[0]
    return shape[-1] if isinstance(shape, list | tuple) and shape else None


@contextlib.contextmanager
def naming_network(role: str, network: keras.Model) -> Iterator[None]:
    """Says whose call it was that failed.

    Raises:
        ValueError: in place of Keras's and TensorFlow's errors about what a network was given.
    """
    try:
        yield
    except (TypeError, ValueError, AttributeError, tf.errors.InvalidArgumentError) as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(f"the {role} ({described(network)}) failed: {said}") from error
