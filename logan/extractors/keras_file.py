"""Any Keras model of images as an extractor."""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from logan.errors import UserError
from logan.extractors.base import Extractor, as_colour
from logan.extractors.files import name_and_digest

FEATURES = "features"  # the layer that is taken where one has this name

RANGES = {"-1..1": (-1.0, 1.0), "0..1": (0.0, 1.0), "0..255": (0.0, 255.0)}


class KerasFile(Extractor):
    """A layer of a model in a .keras file.

    Images are scaled to the model's input with an antialiased bilinear filter; where the model
    leaves its size open they stay as they are. Grey ones become three equal channels for a model of
    coloured ones.

    Attributes:
        path: the file.
        channels: of the images that the model takes.
        model: the model.
    """

    def __init__(self, path: Path, layer: str = "", range: str = ""):
        """Loads the model.

        Args:
            path: the file of a model with one input [batch, height, width, 1 or 3]. Layers of a
                subclassed one cannot be chosen.
            layer: name of the layer whose output is taken; by default the one called "features", or
                else the model's output. An output [batch, height, width, channels] is averaged over
                places.
            range: of the values that the model takes: "-1..1", "0..1" or "0..255". By default that
                which a Rescaling layer behind the input brings to [-1, 1] or [0, 1], or else
                "-1..1".

        Raises:
            UserError: if the file holds no such model, or there is no such layer or range.
        """
        self.path = path
        self.model = self._functional(_loaded(path))
        *size, self.channels = self._input_shape()
        self._size = None if None in size else size
        self._low, self._high = self._input_range(range)
        kept = self._layer(str(layer))
        self.name = f"{f'{kept.name} of ' if kept else ''}{path.name} (not FID)"
        scaled = "as large as they are"
        if self._size:
            scaled = "scaled to {} x {} by an antialiased bilinear filter".format(*self._size)
        self.text = (
            f"images {scaled}, in the range {self._low:g} to {self._high:g}, model "
            f"{name_and_digest(path)}"
        )
        self._features = self._function(self._pooled(kept.output if kept else self._output()))
        self.has_classifier = _is_softmax(self.model)
        if self.has_classifier:
            self._classifier = self._function(self._output())
        self._try()

    def check_shape(self, height: int, width: int, channels: int) -> None:
        super().check_shape(height, width, channels)
        if channels > self.channels:
            raise UserError(
                f"--extractor: expected images of 1 channel, as {self.path} takes them. Received: "
                f"{channels}"
            )

    def batch_features(self, images: np.ndarray) -> tf.Tensor:
        return self._features(self._colours(images))

    def batch_probabilities(self, images: np.ndarray) -> tf.Tensor:
        return self._classifier(self._colours(images))

    def _colours(self, images: np.ndarray) -> np.ndarray:
        return as_colour(images) if self.channels == 3 else images

    def _function(self, output: keras.KerasTensor) -> Any:
        model = keras.Model(self.model.inputs[0], output)

        def run(images: tf.Tensor) -> tf.Tensor:
            if self._size:
                images = tf.image.resize(images, self._size, "bilinear", antialias=True)
            images = self._low + (images + 1.0) * ((self._high - self._low) / 2)
            return tf.cast(model(images, training=False), tf.float32)

        return tf.function(run, reduce_retracing=True)

    def _try(self) -> None:
        """Refuses a model that fails when it is called, which its file does not tell."""
        image = np.zeros((1, *(self._size or (128, 128)), self.channels), np.float32)
        try:
            is_finite = np.isfinite(self.batch_features(image)).all()
        except Exception as error:
            raise self._refuse("a model that works", " ".join(str(error).split())[:300]) from error
        if not is_finite:
            raise self._refuse("finite features of a grey image", "NaN or infinity among them")

    def _refuse(self, expected: str, received: object) -> UserError:
        return UserError(f"--extractor: expected {expected} in {self.path}. Received: {received}")

    def _functional(self, model: keras.Model) -> keras.Model:
        """The model; a subclassed one, which hides its layers, as the one layer of another."""
        if getattr(model, "inputs", None):
            return model
        shape: Any = (model.get_build_config() or {}).get("input_shape")
        try:
            image = keras.Input(tuple(shape[1:]))
            return keras.Model(image, model(image))
        # It was built for no input, or for several.
        except Exception as error:
            raise self._refuse(
                "a model that was saved with the shape of its one input",
                f"a {type(model).__name__} with {shape}",
            ) from error

    def _input_shape(self) -> tuple[int | None, int | None, int]:
        shapes = [tuple(one.shape) for one in self.model.inputs]
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][-1] not in (1, 3):
            raise self._refuse(
                "a model with one input [batch, height, width, 1 or 3]",
                ", ".join(map(str, shapes)),
            )
        return shapes[0][1:]

    def _input_range(self, name: str) -> tuple[float, float]:
        if name:
            if name not in RANGES:
                raise UserError(
                    f"--extractor: expected range={' or '.join(RANGES)}. Received: {name}"
                )
            return RANGES[name]
        first = next(
            one for one in self.model.layers if not isinstance(one, keras.layers.InputLayer)
        )
        if not isinstance(first, keras.layers.Rescaling):
            return RANGES["-1..1"]
        for given in RANGES.values():
            ends = np.reshape(given, (2, 1)) * np.ravel(first.scale) + np.ravel(first.offset)
            if any(np.allclose(ends, [[low], [1.0]], atol=0.01) for low in (-1.0, 0.0)):
                return given
        raise self._refuse(
            "a Rescaling to 0..1 or -1..1, or else :range=… behind the path,",
            f"scale {first.scale} and offset {first.offset}",
        )

    def _layer(self, name: str) -> keras.layers.Layer | None:
        names = [one.name for one in self.model.layers]
        if name and name not in names:
            raise self._refuse(f"a layer of {', '.join(names)}", name)
        wanted = name or FEATURES
        return self.model.get_layer(wanted) if wanted in names else None

    def _output(self) -> keras.KerasTensor:
        if len(self.model.outputs) != 1:
            raise self._refuse(
                "a model with one output, or :layer=NAME behind its path",
                f"{len(self.model.outputs)} outputs",
            )
        return self.model.outputs[0]

    def _pooled(self, output: keras.KerasTensor) -> keras.KerasTensor:
        if len(output.shape) == 4:
            return keras.layers.GlobalAveragePooling2D(dtype="float32")(output)
        if len(output.shape) != 2:
            raise self._refuse(
                "features [batch, features] or [batch, height, width, features]", output.shape
            )
        return output


def _loaded(path: Path) -> keras.Model:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of optimizers, which are not used
            return keras.saving.load_model(path, compile=False)
    # Keras and h5py raise errors of almost any kind on damaged or foreign files.
    except Exception as error:
        # Keras puts the settings of all layers in front of the cause.
        said = " ".join(str(error).split()).rpartition("Exception encountered: ")[2]
        raise UserError(
            f"--extractor: expected a Keras model in {path}. {_way_out(said)}Received: {said[:200]}"
        ) from error


def _way_out(said: str) -> str:
    if "lambda" in said.lower():
        return (
            "Lambda layers can run any program and are not loaded: make one a layer of its own, "
            "in a file that --plugins names. "
        )
    if "Could not locate" in said:
        return (
            "Its own layers and functions must be registered, by keras.saving."
            "register_keras_serializable, in a file that --plugins names. "
        )
    return ""


def _is_softmax(model: keras.Model) -> bool:
    """Whether the model's one output is probabilities of classes."""
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    return (
        len(model.outputs) == 1
        and model.outputs[0] is last.output
        and len(last.output.shape) == 2
        and (activation is keras.activations.softmax or isinstance(last, keras.layers.Softmax))
    )
