"""What every network shares: its settings, their checks, normalization."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from logan.keras_settings import package_settings
from logan.labels import Classes
from logan.networks.conditional import ClassProjection, SpectralClassProjection
from logan.networks.dropout import Dropout
from logan.networks.minibatch import MINIBATCH_LAYERS, minibatch_layers
from logan.networks.normalization import NORMALIZATIONS as NORMALIZATIONS
from logan.networks.normalization import normalization_layers as normalization_layers
from logan.networks.spectral import SpectralConv2D, SpectralDense

LEAKY_RELU_SLOPE = 0.2  # of the paper's code, in every network


@tf.custom_gradient
def leaky_relu(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """max(x, 0.2·x).

    TensorFlow's own has a second derivative of explicit zeros, which the penalty's gradient of a
    gradient would send back through the whole discriminator: a tenth of a training step.
    """

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return tf.where(x > 0, upstream, LEAKY_RELU_SLOPE * upstream)

    return tf.nn.leaky_relu(x, LEAKY_RELU_SLOPE), gradient


@keras.saving.register_keras_serializable(package="logan")
class LeakyReLU(keras.layers.Layer):
    """`leaky_relu` as a layer."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return leaky_relu(inputs)


def check_positive(**settings: int) -> None:
    """Raises ValueError naming the first setting that is not a positive integer."""
    for name, value in settings.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"Expected {name} to be a positive integer. Received: {value!r}")


@dataclasses.dataclass(frozen=True)
class DiscriminatorParts:
    """What a discriminator may have besides, with any of the networks here.

    Attributes:
        spectral_normalization: whether each layer's kernel is divided by its largest singular
            value, see `logan.networks.spectral`.
        dropout: share of each hidden layer's units that are dropped in training, in [0, 1).
        minibatch: what the last layer sees of the other samples, see `logan.networks.minibatch`:
            `none`, `discrimination` or `deviation`.

    Raises:
        ValueError: on a setting out of range.
    """

    spectral_normalization: bool = False
    dropout: float = 0.0
    minibatch: str = "none"

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError(f"Expected a dropout in [0, 1). Received: {self.dropout}")
        if self.minibatch not in MINIBATCH_LAYERS:
            raise ValueError(
                f"Expected minibatch to be one of {MINIBATCH_LAYERS}. Received: {self.minibatch!r}"
            )

    def dense(self, units: int, **settings: Any) -> keras.layers.Layer:
        kind = SpectralDense if self.spectral_normalization else keras.layers.Dense
        return kind(units, **settings)

    def convolution(self, *arguments: Any, **settings: Any) -> keras.layers.Layer:
        kind = SpectralConv2D if self.spectral_normalization else keras.layers.Conv2D
        return kind(*arguments, **settings)

    def projection(self, classes: int, **settings: Any) -> ClassProjection:
        kind = SpectralClassProjection if self.spectral_normalization else ClassProjection
        return kind(classes, **settings)

    def dropout_layers(self) -> list[keras.layers.Layer]:
        """No layer or one, to be put behind an activation."""
        return [Dropout(self.dropout)] if self.dropout else []

    def minibatch_layers(self) -> list[keras.layers.Layer]:
        """No layer or one, to be put in front of the layer that makes the logits."""
        return minibatch_layers(self.minibatch)

    def config(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


PLAIN_PARTS = DiscriminatorParts()


class Network(keras.Model):
    """A keras.Model that is built when constructed and whose settings travel in its config.

    All networks of this package are made by (data_shape, latent_length, settings by name). Keras
    collects constructor arguments for layers by itself, but for subclassed models it only sees
    their defaults (Keras 3.15), hence the explicit copy.

    With dtype `mixed_bfloat16` or `mixed_float16`, also as Keras's global policy, the hidden layers
    compute in 16 bits; weights and outputs stay float32. Keras's floatx and image_data_format
    change nothing: these networks are float32, images [height, width, channels].

    Attributes:
        data_shape: shape of one x.
        latent_length: features of z; 0 for a discriminator of x alone.
        prior: of a generator, what it was trained to be given: `uniform` or `normal`, see
            `logan.models.generative`. A file of the network keeps it.
        classes: of a generator or a discriminator that was made for classes, how many; 0 otherwise.
        takes_labels: whether it is called with labels, integers [batch] in [0, classes), which then
            follow its other inputs: G(z, labels), D(x, z, labels).
        known_classes: of a generator that takes labels, what the classes are called and how often
            each occurs in the data, if that is known. A file of the network keeps it.
    """

    role = ""
    prior = "uniform"
    classes = 0
    takes_labels = False
    known_classes: Classes | None = None

    def __init__(
        self,
        data_shape: Sequence[int],
        latent_length: int,
        settings: dict[str, Any],
        name: str | None,
        **kwargs: Any,
    ):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = _default_policy()
        super().__init__(name=name or self.role, **kwargs)
        if self.role != "discriminator" or latent_length != 0:
            check_positive(latent_length=latent_length)
        for length in data_shape:
            check_positive(data_shape=length)
        self.data_shape = tuple(data_shape)
        self.latent_length = latent_length
        self._settings = settings
        with package_settings(self.dtype_policy):
            self.make_layers(settings)
        self.built = True

    def make_layers(self, settings: dict[str, Any]) -> None:
        """Makes the layers that `call` uses, as attributes.

        Args:
            settings: the constructor's, by name, besides data_shape and latent_length.
        """
        raise NotImplementedError

    def export(
        self,
        filepath: str | os.PathLike[str],
        *args: Any,
        input_signature: Any = None,
        **settings: Any,
    ) -> None:
        """As `keras.Model.export`; the shapes of inputs are known without a call.

        What is exported of a network that takes labels takes them by name, beside z or x:
        z, labels of a generator, x, z, labels of a discriminator; labels are int64 [batch].
        """
        x, z = (
            keras.InputSpec(shape=(None, *shape), dtype="float32")
            for shape in (self.data_shape, (self.latent_length,))
        )
        takes = {"generator": [z], "encoder": [x]}.get(self.role, [x, z][: 2 if z.shape[1] else 1])
        if self.takes_labels and input_signature is None:
            named_inputs(self, takes).export(filepath, *args, **settings)
            return
        super().export(filepath, *args, input_signature=input_signature or takes, **settings)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "data_shape": list(self.data_shape),
            "latent_length": self.latent_length,
            **(dict(prior=self.prior) if self.role == "generator" else {}),
            **self._class_config(),
            **self._settings,
        }

    def _class_config(self) -> dict[str, Any]:
        """Nothing of a network without classes, so that its config is what it always was."""
        known = self.known_classes
        return {
            **(dict(classes=self.classes) if self.classes else {}),
            **({} if known is None else dict(known_classes=known.config())),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Network":
        del custom_objects
        config = dict(config)
        # As exported before version 0.3.
        if "data_length" in config:
            config["data_shape"] = (config.pop("data_length"),)
        if "image_size" in config:
            size = config.pop("image_size")
            config["data_shape"] = (size, size, config.pop("channels"))
        prior, known = config.pop("prior", cls.prior), config.pop("known_classes", None)
        network = cls(**config)
        network.prior = prior
        network.known_classes = known and Classes.from_config(known)
        return network


def named_inputs(network: keras.Model, specs: Sequence[keras.InputSpec]) -> keras.Model:
    """A network that takes labels, as a functional model of inputs by name: x, z, labels."""
    inputs = {
        name: keras.Input(spec.shape[1:], dtype="float32", name=name)
        for name, spec in zip(_NAMES_OF_INPUTS[network.role], specs, strict=False)
    }
    labels = keras.Input((), dtype="int64", name="labels")
    outputs = network(*inputs.values(), labels=labels)
    return keras.Model({**inputs, "labels": labels}, outputs, name=network.name)


_NAMES_OF_INPUTS = dict(generator=("z",), encoder=("x",), discriminator=("x", "z"))


def _default_policy() -> Any:
    """Keras's global policy if it is a mixed one; not what it is by floatx alone."""
    policy = keras.config.dtype_policy()
    return policy if policy.name.startswith("mixed_") else "float32"


class Networks(NamedTuple):
    """One kind of networks: the class of each role, all with the same constructor."""

    generator: type[Network]
    encoder: type[Network]
    discriminator: type[Network]
