"""Averages of networks' weights, which samples are drawn from."""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf

from logan.models.own_networks import described, inlined


class AveragedNetwork(keras.Model):
    """A network computed with averages of its weights, which are variables of this model.

    It has no layers of its own: calling it calls the network with the averages in place of its
    weights, so that any network that can be called can be averaged. What is written to disk, by
    `save`, `save_weights` and `export`, is the network itself with the averages as its weights.

    Its `weights` are in the order of the network's.
    """

    def __init__(self, network: keras.Model, role: str):
        """Takes the network. The averages begin with `build`, at its weights of then.

        Args:
            network: what is averaged.
            role: what error messages call it: generator, encoder.
        """
        super().__init__(
            name=f"averaged_{network.name}", trainable=False, dtype="float32", autocast=False
        )
        self._role = role
        # In a function, or else Keras would take the network's weights for this model's own.
        self._get_network = lambda: network

    def build(self, input_shape: Any = None) -> None:
        """Makes the averages.

        Raises:
            ValueError: if the network has no weights yet.
        """
        del input_shape
        network = self._get_network()
        if not network.built:
            raise ValueError(
                f"Expected a built {self._role} to average. Received: {described(network)}. Call "
                "the model, or fit it, first"
            )
        for index, weights in enumerate(network.weights):
            average = self.add_weight(
                shape=weights.shape,
                dtype=weights.dtype,
                initializer="zeros",
                trainable=False,
                name=f"average_{index}",
            )
            average.assign(weights.value)
            # By name, for checkpoints.
            setattr(self, f"average_{index}", average)

    def call(self, inputs: Any, labels: Any = None, training: bool | None = None) -> Any:
        network = self._get_network()
        of_labels = {} if labels is None else {"labels": labels}
        averages = [average.value for average in self.weights]
        replaced = zip(network.weights, averages, strict=True)
        with keras.StatelessScope(state_mapping=list(replaced)), inlined(network):
            return network(inputs, training=bool(training), **of_labels)

    @contextlib.contextmanager
    def lent(self) -> Iterator[keras.Model]:
        """The network with the averages as its weights; it gets its own back."""
        network = self._get_network()
        kept = network.get_weights()
        network.set_weights(self.get_weights())
        try:
            yield network
        finally:
            network.set_weights(kept)

    def save(self, filepath: str | os.PathLike[str], *args: Any, **settings: Any) -> None:
        """As `keras.Model.save`: a file of the network, with the averages as its weights."""
        with self.lent() as network:
            network.save(filepath, *args, **settings)

    def save_weights(self, filepath: str | os.PathLike[str], *args: Any, **settings: Any) -> None:
        """As `keras.Model.save_weights`: the averages as weights of the network."""
        with self.lent() as network:
            network.save_weights(filepath, *args, **settings)

    def export(self, filepath: str | os.PathLike[str], *args: Any, **settings: Any) -> None:
        """As `keras.Model.export`: the network, with the averages as its weights."""
        with self.lent() as network:
            network.export(filepath, *args, **settings)

    def load_own_variables(self, store: Any) -> None:
        if self.weights and not len(store.keys()):
            self._load_copy(store)
        else:
            super().load_own_variables(store)

    def _load_copy(self, store: Any) -> None:
        """Takes the averages from the copy of the network that versions before 0.3 saved.

        Raises:
            ValueError: if there is none.
        """
        copy = getattr(store, "h5_file", {}).get(f"averaged_{self._role}")
        if copy is None:
            raise ValueError(f"Expected averages of the {self._role}'s weights. Received: none")
        network = self._get_network()
        kept = network.get_weights()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "copy.weights.h5")
            with h5py.File(path, "w") as file:
                for name in copy:
                    copy.copy(name, file)
            network.load_weights(path)
        self.set_weights(network.get_weights())
        network.set_weights(kept)


def move_averages(
    pairs: Iterable[tuple[keras.Model, keras.Model]], step: tf.Tensor, decay: float
) -> None:
    """Moves each average towards its network, after `step` training steps.

    It follows quickly at first: decay min(d, (1 + t) / (10 + t)) after t steps.

    Args:
        pairs: networks and their averages.
        step: t, scalar.
        decay: d, weight of the past in [0, 1).
    """
    steps = tf.cast(step, tf.float32)
    kept = tf.minimum(decay, (1.0 + steps) / (10.0 + steps))
    for network, averaged in pairs:
        for value, average in zip(network.weights, averaged.weights, strict=True):
            if tf.as_dtype(value.dtype).is_floating:
                value = average + (1.0 - kept) * (value - average)
            average.assign(value)
