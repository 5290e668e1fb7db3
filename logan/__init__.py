"""logan: generative models that keep every mode of their data.

A BiGAN (generator, encoder, joint discriminator) with the pairwise gradient penalty of
S. Sharma and V. Namboodiri, "No Modes Left Behind: Capturing the Data Distribution Effectively
Using GANs", AAAI 2018.

The public names below load TensorFlow only when they are first used, so that `--help` and the
check of a command's flags stay instant. What `keras.saving.load_model` may find in a file is
registered as soon as both this package and Keras are loaded.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers see; the names are those of `_HOME_OF` and `_MODULES`
    from logan import density_ratio as density_ratio
    from logan import errors as errors
    from logan import extractors as extractors
    from logan import figures as figures
    from logan import interpolation as interpolation
    from logan import losses as losses
    from logan import metrics as metrics
    from logan import networks as networks
    from logan import penalties as penalties
    from logan import sampling as sampling
    from logan import settings as settings
    from logan import terms as terms
    from logan.density_ratio import learn_density_ratio as learn_density_ratio
    from logan.evaluation import evaluate as evaluate
    from logan.extractors import make_extractor as make_extractor
    from logan.measuring import measure as measure
    from logan.models.adversarial_encoder import AdversarialEncoder as AdversarialEncoder
    from logan.models.alice import ALICE as ALICE
    from logan.models.bigan import BiGAN as BiGAN
    from logan.models.gan import GAN as GAN
    from logan.models.gan_with_encoder import MDGAN as MDGAN
    from logan.models.gan_with_encoder import GANWithEncoder as GANWithEncoder
    from logan.models.gan_with_encoder import SeparateDiscriminators as SeparateDiscriminators
    from logan.penalties import gradient_norm as gradient_norm
    from logan.penalties import gradient_penalty as gradient_penalty
    from logan.penalties import pairwise_gradient as pairwise_gradient
    from logan.penalties import pairwise_gradient_penalty as pairwise_gradient_penalty
    from logan.runs import Run as Run
    from logan.settings import Experiment as Experiment
    from logan.settings import preset as preset
    from logan.terms import AutoencoderLoss as AutoencoderLoss
    from logan.terms import GradientPenalty as GradientPenalty
    from logan.terms import PairwisePenalty as PairwisePenalty
    from logan.training import train as train

__version__ = "0.3.0.dev0"

_HOME_OF = {
    "ALICE": "logan.models.alice",
    "AdversarialEncoder": "logan.models.adversarial_encoder",
    "AutoencoderLoss": "logan.terms",
    "BiGAN": "logan.models.bigan",
    "Experiment": "logan.settings",
    "GAN": "logan.models.gan",
    "GANWithEncoder": "logan.models.gan_with_encoder",
    "GradientPenalty": "logan.terms",
    "MDGAN": "logan.models.gan_with_encoder",
    "PairwisePenalty": "logan.terms",
    "Run": "logan.runs",
    "SeparateDiscriminators": "logan.models.gan_with_encoder",
    "evaluate": "logan.evaluation",
    "gradient_norm": "logan.penalties",
    "gradient_penalty": "logan.penalties",
    "learn_density_ratio": "logan.density_ratio",
    "make_extractor": "logan.extractors",
    "measure": "logan.measuring",
    "pairwise_gradient": "logan.penalties",
    "pairwise_gradient_penalty": "logan.penalties",
    "preset": "logan.settings",
    "train": "logan.training",
}

_MODULES = (
    "density_ratio",
    "errors",
    "extractors",
    "figures",
    "interpolation",
    "losses",
    "metrics",
    "networks",
    "penalties",
    "sampling",
    "settings",
    "terms",
)

__all__ = ["__version__", *sorted([*_HOME_OF, *_MODULES])]


if not TYPE_CHECKING:  # to a type checker, any name would be there

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return importlib.import_module(f"logan.{name}")
        if name not in _HOME_OF:
            raise AttributeError(f"module 'logan' has no attribute {name!r}")
        return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


_SAVED = (
    "logan.models.bigan",
    "logan.models.gan",
    "logan.models.alice",
    "logan.models.gan_with_encoder",
    "logan.models.adversarial_encoder",
    "logan.models.self_conditioned",
    "logan.networks",
    "logan.terms",
)


def _register_with_keras() -> None:
    """Makes the classes of saved models known to Keras."""
    # What cannot be loaded says so when it is used: `import keras` must not fail for it.
    with contextlib.suppress(Exception):
        for name in _SAVED:
            importlib.import_module(name)


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Registers with Keras when it is imported after this package, and by others than it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            if not _is_being_imported():
                _register_with_keras()

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec


def _is_being_imported() -> bool:
    """Whether one of our modules waits for an import: those that need it would meet half of it."""
    ours = [module for name, module in sys.modules.items() if name.startswith("logan.")]
    return any(getattr(module.__spec__, "_initializing", False) for module in ours)


if "keras" in sys.modules:
    _register_with_keras()
else:
    sys.meta_path.insert(0, _AfterKeras())
