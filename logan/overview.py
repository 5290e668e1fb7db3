"""What a training is about to do and how long it will take, in a few lines."""

import math
import sys
from typing import Any

from tqdm import tqdm

from logan.datasets.images import Images
from logan.datasets.toy import ToyDistribution
from logan.models.adversarial import AdversarialModel
from logan.pace import duration, steps_within
from logan.runs import Run
from logan.settings import IMAGE_SIZES, Experiment
from logan.settings.names import PLAIN

_LONG = 3600  # seconds of training from which on it is told how to shorten it
_INDENT = 10


def overview(run: Run, data: Any, model: AdversarialModel, first_step: int) -> str:
    """Lines on the data, the networks, the steps and where pictures of training will lie.

    Args:
        run: what is to be trained.
        data: its `Data`.
        model: its networks.
        first_step: steps that are done already.
    """
    experiment = run.experiment
    rows = [
        ("Data", _of_data(data, experiment)),
        ("Networks", [_of_networks(model, experiment)]),
        ("Training", [_of_steps(data, experiment, first_step)]),
        ("Pictures", [_of_pictures(run)]),
    ]
    return "\n".join(row(title, *lines) for title, lines in rows)


def estimate(experiment: Experiment, step: int, seconds: float) -> str:
    """How long the rest of a training will take; of a long one also what would shorten it.

    Args:
        experiment: its settings.
        step: steps that are done.
        seconds: of one step.
    """
    left = (experiment.steps - step) * seconds
    said = f"{duration(seconds)} a step on this machine: about {duration(left)} to go"
    whole = experiment.steps * seconds
    return row("Time", said, *(_shorter(experiment, seconds) if whole > _LONG else []))


def row(title: str, *lines: str) -> str:
    """A title and what belongs to it, aligned with those of other rows."""
    return f"{title:{_INDENT}}" + ("\n" + " " * _INDENT).join(lines)


def tell(text: str) -> None:
    """Prints to standard error, above a progress bar if there is one."""
    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()


def _of_data(data: Any, experiment: Experiment) -> list[str]:
    if isinstance(data, ToyDistribution):
        plane = f"{data.features} dimension{'s' if data.features > 1 else ''}"
        return [f"{data.name}: {data.mode_count} modes in {plane}, drawn anew at each step"]
    if not isinstance(data, Images):
        return [experiment.dataset]
    height, width, channels = data.frames.shape[1:]
    size = f"{width} x {height} pixels in {'colour' if channels == 3 else 'grey'}"
    return [
        f"{len(data.train):,} images to train on, {len(data.test):,} held out",
        *([f"held out: {data.split}"] if data.split else []),
        f"cropped to {data.crop}, resized to {size}" if data.crop else size,
    ]


def _of_networks(model: AdversarialModel, experiment: Experiment) -> str:
    counts = [f"{role} {getattr(model, role).count_params():,}" for role in model.networks]
    return f"{experiment.network}, parameters: {', '.join(counts)}"


def _of_steps(data: Any, experiment: Experiment, first_step: int) -> str:
    what = "images" if experiment.is_image else "samples"
    text = f"{experiment.steps:,} steps of {experiment.batch_size:,} {what}"
    if isinstance(data, Images):
        times = experiment.steps * experiment.batch_size / len(data.train)
        text += f", each image {times:,.0f} times" if times >= 2 else ""
    return text + (f"; {first_step:,} are done" if first_step else "")


def _of_pictures(run: Run) -> str:
    experiment = run.experiment
    if not experiment.snapshots:
        return "none on the way (--snapshots=0)"
    every = math.ceil(experiment.steps / experiment.snapshots)
    often = f"every {max(every, min(experiment.log_every, experiment.steps)):,} steps"
    if experiment.is_image:
        of_prior = "" if experiment.sampler == PLAIN else ", of draws from the prior"
        return f"{often} in {run.figures}{of_prior}"
    return f"by logan-visualize, of samples that lie in {run.snapshots} {often}"


def _shorter(experiment: Experiment, seconds: float) -> list[str]:
    """Flags that shorten a training of so many seconds a step."""
    ways = [f"--steps={steps_within(_LONG, seconds)} (about an hour)"]
    half = experiment.image_size // 2
    least = 32 if experiment.is_junction else min(IMAGE_SIZES)
    if experiment.is_image and half >= least:
        ways.append(f"--image_size={half} (a quarter of the pixels)")
    ways.append(f"--width={max(1, experiment.width // 2)} (half as wide networks)")
    return [
        "Shorter: --quick, a first look in some five minutes; or in another --workdir",
        ", ".join(ways[:-1]),
        f"or {ways[-1]}",
    ]
