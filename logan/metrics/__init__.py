"""The measures, as functions of arrays; a module for each kind, loaded when it is first used."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers see; the names are those of `_MODULES`
    from logan.metrics import areas as areas
    from logan.metrics import cars as cars
    from logan.metrics import coverage as coverage
    from logan.metrics import distances as distances
    from logan.metrics import fidelity as fidelity
    from logan.metrics import foreground as foreground
    from logan.metrics import images as images
    from logan.metrics import light as light
    from logan.metrics import missed as missed
    from logan.metrics import neighbours as neighbours
    from logan.metrics import reconstruction as reconstruction
    from logan.metrics import scene as scene

_MODULES = (
    "areas",
    "cars",
    "coverage",
    "distances",
    "fidelity",
    "foreground",
    "images",
    "light",
    "missed",
    "neighbours",
    "reconstruction",
    "scene",
)

__all__ = sorted(_MODULES)


if not TYPE_CHECKING:  # to a type checker, any name would be there

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module 'logan.metrics' has no attribute {name!r}")
        return importlib.import_module(f"logan.metrics.{name}")
