"""Digits that a network of one layer tells apart: class i is bright in quadrant i, of four."""

import json
from pathlib import Path

import keras
import numpy as np
from idx_files import write_mnist

NAMES = ("0", "1", "2", "3")


def digit(label: int, place: int = 0, side: int = 28) -> np.ndarray:
    """uint8 [side, side], bright in one quadrant; its brightness tells its place a little."""
    half = side // 2
    top, left = divmod(label, 2)
    pixels = np.zeros((side, side), np.uint8)
    pixels[top * half : (top + 1) * half, left * half : (left + 1) * half] = 240 + place % 10
    return pixels


def write_digits(folder: Path, train: int = 40, test: int = 20) -> Path:
    """MNIST's four files of such digits, of each class equally many."""
    parts = ([place % 4 for place in range(count)] for count in (train, test))
    return write_mnist(folder, *parts, digit)


def write_classifier(
    path: Path, *, size: int = 16, channels: int = 1, names: tuple[str, ...] = NAMES,
    order: tuple[int, ...] = (0, 1, 2, 3), sharpness: float = 20.0,
) -> Path:  # fmt: skip
    """A classifier of them, and its .json: softmax of the quadrants' means times the sharpness.

    Args:
        path: of the model.
        size: pixels a side.
        channels: of its images; all count.
        names: of the classes by the file beside; none without.
        order: the quadrant of each output.
        sharpness: how sure it is.
    """
    image = keras.Input((size, size, channels))
    means = keras.layers.AveragePooling2D(size // 2)(image)
    flat = keras.layers.Flatten(name="features")(means)
    dense = keras.layers.Dense(len(order), "softmax", name="classes")
    model = keras.Model(image, dense(flat))
    kernel = np.zeros((4 * channels, len(order)), np.float32)
    for output, quadrant in enumerate(order):
        kernel[quadrant * channels : (quadrant + 1) * channels, output] = sharpness / channels
    dense.set_weights([kernel, np.zeros(len(order), np.float32)])
    model.save(path)
    if names:
        path.with_suffix(".json").write_text(json.dumps({"classes": names}))
    return path
