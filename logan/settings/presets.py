"""What is learned, and how large: the named experiments."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from logan.errors import UserError
from logan.registry import check_name
from logan.settings.names import DATASETS, toy_names


@dataclasses.dataclass(frozen=True)
class Preset:
    """A named experiment.

    Attributes:
        text: a line of description.
        settings: data, networks and length of training, where they differ from default.
        method: the method that it is trained by unless another one is named.
        of_videos: further settings where a video is given.
    """

    text: str
    settings: Mapping[str, Any]
    method: str = "pairwise"
    of_videos: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def _toy(name: str, method: str = "pairwise", **settings: Any) -> Preset:
    return Preset(DATASETS[name].text, dict(dataset=name, **settings), method)


def _images(name: str, **settings: Any) -> Preset:
    sizes = dict(
        network="convolutional",
        width=32,
        latent_length=64,
        normalization="batch",
        batch_size=64,
        steps=8_000,
        jit=False,
    )
    return Preset(
        DATASETS[name].text, {**sizes, "dataset": name, **settings}, "pairwise-autoencoder"
    )


def _encoder(text: str, prior: str) -> Preset:
    # A curve in the plane against a line: the encoder could cover either prior.
    settings = dict(dataset="swiss", latent_length=1, prior=prior, steps=6_000)
    return Preset(text, settings, "encoder")


PRESETS: dict[str, Preset] = {
    "ring8": _toy("ring8", "pairwise-fourier", steps=12_000),
    "ring16": _toy("ring16", "pairwise-fourier", steps=20_000),
    "grid25": _toy("grid25", steps=30_000),
    "grid25_wide": _toy("grid25_wide", steps=24_000),
    "swiss": _toy("swiss", steps=16_000),
    "line": _toy("line", "pairwise-fourier", latent_length=1, steps=6_000),
    "line_far": _toy("line_far", latent_length=1, steps=6_000),
    "encoder-unimodal": _encoder("an encoder alone against a unimodal prior", "uniform"),
    "encoder-modes": _encoder("an encoder alone against a prior of separate modes", "line"),
    # What differs between frames of a fixed camera is little.
    "traffic": dataclasses.replace(
        _images("traffic", latent_length=16), of_videos=dict(hold_out="passages")
    ),
    "images": _images("images"),
    "celeb_a": _images("celeb_a", image_size=64),
    "cifar10": _images("cifar10"),
    "mnist": _images("mnist", channels=1),
    # The length of z is that of PacGAN's code.
    "stacked_mnist": _images("stacked_mnist", latent_length=100),
    "custom": Preset("the flags and their defaults", {}, "custom"),
}

# Names of version 0.1, which said what is learned and how in one.
PAPER_NAMES: dict[str, str] = {
    f"{name}-paper": name for name in (*toy_names(), "traffic", "celeb_a", "cifar10")
}


def check_preset_name(name: str) -> None:
    """Refuses an unknown name.

    Raises:
        UserError: with the nearest known names.
    """
    check_name(name, (*PRESETS, *PAPER_NAMES), "experiment")


def check_preset_dataset(name: str, dataset: str) -> None:
    """Refuses the name of a preset for other data than its own, which it would be taken for.

    Raises:
        UserError: saying how to get the preset.
    """
    own = PRESETS[PAPER_NAMES.get(name, name)].settings.get("dataset", dataset)
    if dataset != own:
        raise UserError(
            f"--dataset: expected {own} with --experiment={name}. Received: {dataset}. In Python, "
            f'the preset is logan.preset("{name}"): the name of an Experiment alone sets nothing. '
            "Other data go with --experiment=custom"
        )
