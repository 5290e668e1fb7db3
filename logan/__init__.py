"""logan: generative models that keep every mode of their data.

A BiGAN (generator, encoder, joint discriminator) with the pairwise gradient penalty of
S. Sharma and V. Namboodiri, "No Modes Left Behind: Capturing the Data Distribution Effectively
Using GANs", AAAI 2018.

The public names below load TensorFlow only when they are first used, so that `--help` and the
check of a command's flags stay instant.
"""

import importlib
from typing import Any

__version__ = "0.3.0.dev0"

_HOME_OF = {
    "BiGAN": "logan.models.bigan",
    "Experiment": "logan.settings",
    "GAN": "logan.models.gan",
    "AdversarialEncoder": "logan.models.adversarial_encoder",
    "evaluate": "logan.evaluation",
    "measure": "logan.measuring",
    "pairwise_gradient": "logan.penalties",
    "pairwise_gradient_penalty": "logan.penalties",
    "preset": "logan.settings",
    "train": "logan.training",
}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'logan' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
