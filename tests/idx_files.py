"""Writes files of the IDX format, and small sets of MNIST's kind."""

import gzip
import struct

import numpy as np


def write_idx(path, array, kind=8):
    header = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wb") as file:
        file.write(header + array.tobytes())


def write_mnist(folder, train, test, digit=None):
    """MNIST's four files: digits of these labels, by default d times 20 everywhere.

    Args:
        folder: made if it is not there.
        train: labels of those to train on.
        test: labels of those to test on.
        digit: from a label and its place to uint8 [28, 28].
    """
    folder.mkdir(parents=True, exist_ok=True)
    digit = digit or (lambda label, place: np.full((28, 28), 20 * label, np.uint8))
    for part, labels in (("train", train), ("t10k", test)):
        pictures = np.stack([digit(label, place) for place, label in enumerate(labels)])
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", pictures.astype(np.uint8))
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.array(labels, np.uint8))
    return folder
