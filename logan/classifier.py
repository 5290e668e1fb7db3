"""A convolutional classifier of one's own images, whose features measure generators of them."""

import dataclasses
import sys
import time
from pathlib import Path

import logan.keras_settings  # noqa: F401  before Keras is imported

# isort: split
import keras
import numpy as np
import tensorflow as tf
import tqdm
from keras import layers

from logan.datasets.images import image_batches
from logan.datasets.labelled import LabelledImages
from logan.datasets.pixels import to_unit_range
from logan.extractors.keras_file import FEATURES
from logan.files import atomic_path, write_json
from logan.keras_settings import package_settings
from logan.randomness import Purpose, key

__all__ = ["TrainedClassifier", "classifier", "save_classifier", "train_classifier"]

BATCH = 128
LEARNING_RATE = 2e-3
UPDATES = 2_000  # that the default number of epochs gives at least
WIDTH = 16
SMALLEST_MAP = 4  # pixels a side of the last feature map, at least
MOST_CHANNELS = 256
SHIFT = 1 / 16  # of an image's side


@dataclasses.dataclass(frozen=True)
class TrainedClassifier:
    """A classifier and what it does on held-out images.

    Attributes:
        model: from float32 [batch, size, size, channels] in [-1, 1] to probabilities of classes.
            Its layer "features" is what `logan.extractors.keras_file` takes.
        accuracy: share of held-out images whose class is the most probable one.
        accuracy_by_class: the same of each class, float64 [classes].
        epochs: of the training.
        seconds: that it took.
    """

    model: keras.Model
    accuracy: float
    accuracy_by_class: np.ndarray
    epochs: int
    seconds: float


@package_settings()
def train_classifier(
    data: LabelledImages,
    *,
    epochs: int | None = None,
    seed: int = 0,
    width: int = WIDTH,
    show_progress: bool = False,
) -> TrainedClassifier:
    """Trains a classifier on the training part and measures it on the held-out one.

    AdamW with a cosine schedule; each batch is shifted by up to a sixteenth of the side.

    Args:
        data: the images and their classes.
        epochs: how many; by default as many as make 2,000 updates.
        seed: of the first weights, the order, the shifts and the dropout.
        width: channels of the first convolution.
        show_progress: whether to draw a bar on stderr.
    """
    start = time.monotonic()
    keras.utils.set_random_seed(seed % 2**32)
    model = classifier(data.frames.shape[1], data.frames.shape[3], len(data.classes), width)
    batch = min(BATCH, len(data.train))
    updates = -(-len(data.train) // batch)
    epochs = epochs or -(-UPDATES // updates)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * updates)
    model.compile(keras.optimizers.AdamW(schedule), "sparse_categorical_crossentropy")
    with tqdm.tqdm(
        desc="training",
        total=epochs * updates,
        unit="step",
        file=sys.stderr,
        disable=not show_progress,
    ) as bar:
        told = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update())
        model.fit(
            _batches(data, seed, batch),
            steps_per_epoch=updates,
            epochs=epochs,
            shuffle=False,
            callbacks=[told],
            verbose=0,
        )
    is_right = _is_right(model, data)
    labels = data.labels[data.test]
    by_class = [is_right[labels == label].mean() for label in range(len(data.classes))]
    return TrainedClassifier(
        model, float(is_right.mean()), np.array(by_class), epochs, time.monotonic() - start
    )


def save_classifier(path: Path, trained: TrainedClassifier, data: LabelledImages) -> str:
    """Writes the model, and beside it a .json of its classes and its accuracy.

    Returns:
        What it can do, in words.
    """
    worst = int(trained.accuracy_by_class.argmin())
    text = (
        f"{trained.accuracy:.2%} of {len(data.test):,} held-out images ({data.split}) right, of "
        f"the worst class, {data.classes[worst]}, {trained.accuracy_by_class[worst]:.2%}; "
        f"{len(data.train):,} images trained on for {trained.epochs} epochs in "
        f"{trained.seconds:.0f} s"
    )
    with atomic_path(path) as temporary:
        trained.model.save(temporary)
    write_json(
        path.with_suffix(".json"),
        {
            "classes": data.classes,
            "accuracy": trained.accuracy,
            "accuracy_by_class": trained.accuracy_by_class,
            "held_out": len(data.test),
            "protocol": text,
        },
    )
    return text


@package_settings()
def classifier(image_size: int, channels: int, classes: int, width: int = WIDTH) -> keras.Model:
    """A convolutional classifier with fresh weights.

    A convolution of 3 x 3, then pairs of them, the first with stride 2 and twice the channels,
    until 4 to 7 pixels a side are left; each with batch normalisation and ReLU. The mean over
    places is the layer "features"; dropout and a softmax follow.

    Args:
        image_size: pixels a side, 8 or more.
        channels: of the images.
        classes: how many.
        width: channels of the first convolution.
    """
    image = keras.Input((image_size, image_size, channels))
    x = _convolution(image, width)
    while x.shape[1] >= 2 * SMALLEST_MAP:
        width = min(2 * width, MOST_CHANNELS)
        x = _convolution(_convolution(x, width, strides=2), width)
    x = layers.GlobalAveragePooling2D(name=FEATURES)(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(image, layers.Dense(classes, "softmax", name="classes")(x))


def _convolution(x: keras.KerasTensor, width: int, strides: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(width, 3, strides, "same", use_bias=False)(x)
    # Few updates: with Keras's 0.99 the averages would still be those of the beginning.
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def _batches(data: LabelledImages, seed: int, batch: int) -> tf.data.Dataset:
    """Endless batches of shifted images and their labels."""
    side = data.frames.shape[1]
    margin = round(side * SHIFT)

    def shift(step: tf.Tensor, example: tuple[tf.Tensor, tf.Tensor]) -> tuple:
        images, labels = example
        edge = [margin, margin]
        padded = tf.pad(images, [[0, 0], edge, edge, [0, 0]], "SYMMETRIC")
        top, left = tf.unstack(
            tf.random.stateless_uniform(
                [2], key(seed, step, Purpose.SHIFT), 0, 2 * margin + 1, tf.int32, alg="philox"
            )
        )
        return padded[:, top : top + side, left : left + side], labels

    batches = image_batches(data.frames, data.train, seed, batch, labels=data.labels)
    return batches.enumerate().map(shift)


def _is_right(model: keras.Model, data: LabelledImages) -> np.ndarray:
    """Which held-out images the classifier gets right, bool [held-out images]."""
    found = []
    for first in range(0, len(data.test), BATCH):
        index = data.test[first : first + BATCH]
        probabilities = model.predict_on_batch(to_unit_range(data.frames[index]))
        found.append(probabilities.argmax(axis=1) == data.labels[index])
    return np.concatenate(found)
