"""An evaluation in TensorBoard, beside the run's training curves."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.plugins.hparams import api as hparams

from logan.runs import Run
from logan.settings import to_flags

_FOLDER = "evaluation"


def show_in_tensorboard(
    run: Run, metrics: dict[str, Any], pictures: Sequence[Path], variant: str = ""
) -> None:
    """Writes the numbers, the pictures and the settings, as hparams, into the run's event files.

    Those of an earlier evaluation of the same variant go.

    Args:
        run: the run.
        metrics: numbers by name, as `logan.evaluation.evaluate` gives them.
        pictures: paths of PNG files.
        variant: in what it was not measured as its settings have it; such an evaluation stands
            beside the run's own.
    """
    folder = run.tensorboard / "-".join(filter(None, [_FOLDER, variant]))
    shutil.rmtree(folder, ignore_errors=True)
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default(step=metrics["step"]):
        for name, value in _scalars(metrics):
            tf.summary.scalar(name, value)
        for path in pictures:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            tf.summary.image(path.stem, pixels[None])
        # TensorFlow takes no names of files that are not text.
        lines = (
            line.encode(errors="backslashreplace").decode() for line in to_flags(run.experiment)
        )
        flags = (line.removeprefix("--").partition("=") for line in lines)
        hparams.hparams(
            {name: value for name, _, value in flags},
            trial_id="-".join(filter(None, [run.label, variant])),
        )
    writer.close()


def _scalars(numbers: dict[str, Any], path: str = "") -> list[tuple[str, float]]:
    """The numbers at all depths, by paths with slashes."""
    found: list[tuple[str, float]] = []
    for name, value in numbers.items():
        if isinstance(value, dict):
            found += _scalars(value, f"{path}{name}/")
        elif isinstance(value, int | float):
            found.append((path + name, float(value)))
    return found
