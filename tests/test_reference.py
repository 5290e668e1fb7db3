"""The API reference: every public name is there with words of its own."""

import dataclasses
import importlib.util
import inspect
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "reference.py"


def _script():
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _script()


def words_on(name, value):
    """The docstring that the reference shows; none of what a dataclass writes by itself."""
    text = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
    return "" if (text or "").startswith(f"{name}(") else (text or "").strip()


@pytest.mark.parametrize("page", reference.PAGES)
def test_every_public_name_has_a_docstring(page):
    module = reference.load(page)
    assert words_on(page, module)
    names = reference.public(module)
    assert names or page == "logan.networks"
    assert [name for name, value in names.items() if not words_on(name, value)] == []


def test_names_of_the_package_are_all_on_its_page():
    import logan

    found = reference.public(reference.load("logan"))
    modules = {name for name in logan.__all__ if inspect.ismodule(getattr(logan, name))}
    assert found.keys() == set(logan.__all__) - {"__version__"} - modules


def test_a_name_without_words_would_be_seen():
    def bare():
        pass

    assert words_on("bare", bare) == ""
    assert words_on("Pair", dataclasses.make_dataclass("Pair", ["x"])) == ""
    assert words_on("words_on", words_on)


def test_docstrings_show_in_the_reference():
    doc = pytest.importorskip("pdoc.doc")
    for page in ("logan", "logan.penalties", "logan.metrics.coverage"):
        shown = doc.Module(reference.load(page)).members
        for name in reference.public(reference.load(page)):
            assert shown[name].docstring.strip(), f"{page}.{name}"
