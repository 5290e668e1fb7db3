"""Writes the API reference, a small site made of the docstrings. Run by scripts/docs.sh.

usage: python scripts/reference.py FOLDER
"""

import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

# What a user's own program may import; everything else is free to change.
PAGES = (
    "logan",
    "logan.losses",
    "logan.penalties",
    "logan.terms",
    "logan.networks",
    "logan.networks.convolutional",
    "logan.networks.mlp",
    "logan.settings",
    "logan.registry",
    "logan.sampling",
    "logan.density_ratio",
    "logan.classifier",
    "logan.extractors",
    "logan.extractors.base",
    "logan.metrics.areas",
    "logan.metrics.cars",
    "logan.metrics.coverage",
    "logan.metrics.distances",
    "logan.metrics.fidelity",
    "logan.metrics.foreground",
    "logan.metrics.images",
    "logan.metrics.light",
    "logan.metrics.missed",
    "logan.metrics.neighbours",
    "logan.metrics.reconstruction",
    "logan.metrics.scene",
    "logan.figures",
    "logan.errors",
)


def load(page: str) -> ModuleType:
    """The module, with names that load when they are first used in place."""
    module = importlib.import_module(page)
    for name in getattr(module, "__all__", ()):
        vars(module)[name] = getattr(module, name)
    return module


def public(module: ModuleType) -> dict[str, Any]:
    """Its functions and classes that a reader is meant to see, by name."""
    listed = getattr(module, "__all__", None)
    names = listed or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    values = {name: getattr(module, name) for name in names}
    return {n: value for n, value in values.items() if inspect.isclass(value) or callable(value)}


def main() -> None:
    import pdoc

    folder = Path(sys.argv[1])
    for page in PAGES:
        load(page)
    pdoc.render.configure(docformat="google", footer_text="logan", show_source=False)
    # The package brings all its modules along: those that are no page go again.
    others = "|".join(page.replace(".", r"\.") for page in PAGES)
    pdoc.pdoc("logan", f"!(?!({others})$)", output_directory=folder)
    print(folder / "index.html")


if __name__ == "__main__":
    main()
