"""Parts by name: known at once, loaded when they are first used.

A name, a line of text and what settings must know of a part stand here without TensorFlow; the part
itself lies in a module of its own. `register` adds parts from outside of this package.
"""

import ast
import dataclasses
import difflib
import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from logan.errors import UserError


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is known of a part before it is loaded.

    Attributes:
        home: where it lies, "package.module:attribute"; empty if it was registered as an object.
        text: a line of description.
    """

    home: str = ""
    text: str = ""


def check_name(name: str, names: Iterable[str], kind: str) -> None:
    """Refuses an unknown name.

    Raises:
        UserError: with the nearest known names; the message names the flag --kind.
    """
    known = list(names)
    if name not in known:
        listed = ", ".join(known)
        raise UserError(
            f"--{kind}: expected one of {listed}. Received: {name!r}.{offer(name, known)}"
        )


def offer(name: str, known: Sequence[str]) -> str:
    """A question, after a space, with the nearest of the known names; nothing if none is near."""
    near = difflib.get_close_matches(name, known, n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


E = TypeVar("E", bound=Entry)


class Registry(Mapping[str, E], Generic[E]):
    """Parts of one kind by name.

    Args:
        kind: what they are called in messages and flags, such as "loss".
        entries: the package's own.
    """

    def __init__(self, kind: str, entries: Mapping[str, E]):
        self.kind = kind
        self._entries = dict(entries)
        self._objects: dict[str, Any] = {}

    def __getitem__(self, name: str) -> E:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, name: str, entry: E) -> None:
        """Adds an entry under that name, in place of any before it."""
        self._entries[name] = entry
        self._objects.pop(name, None)

    def remove(self, name: str) -> None:
        """Takes an entry away."""
        del self._entries[name]
        self._objects.pop(name, None)

    def register(self, name: str, entry: E) -> Callable[[Any], Any]:
        """A decorator that adds an entry for the class or function that follows."""

        def register(part: Any) -> Any:
            self.add(name, entry)
            self._objects[name] = part
            return part

        return register

    def check(self, name: str) -> None:
        """Refuses an unknown name.

        Raises:
            UserError: with the nearest known names.
        """
        check_name(name, self, self.kind)

    def load(self, name: str) -> Any:
        """The part itself.

        Raises:
            UserError: on an unknown name.
        """
        self.check(name)
        if name not in self._objects:
            module, _, attribute = self._entries[name].home.partition(":")
            self._objects[name] = getattr(importlib.import_module(module), attribute)
        return self._objects[name]

    def bind(self, text: str) -> Callable[..., Any]:
        """The part of a text "name:setting=value:…", its settings bound as keyword arguments.

        Raises:
            UserError: on an unknown name, or a setting that the part does not have.
        """
        return self.bind_part(parse_part(text, self.kind))

    def bind_part(self, part: "Part") -> Callable[..., Any]:
        """The same of a part that was read already."""
        function = self.load(part.name)
        known = inspect.signature(function).parameters.values()
        own = [one.name for one in known if one.default is not one.empty]
        for setting in part.settings:
            if setting not in own:
                expected = f"one of {', '.join(own)}" if own else "no settings"
                raise UserError(
                    f"--{self.kind}: expected {expected} with {part.name}. Received: {setting}"
                )
        return functools.partial(function, **part.settings) if part.settings else function


class Part(NamedTuple):
    """A part's name and its settings, as a flag gives them."""

    name: str
    settings: dict[str, Any]


def parse_part(text: str, kind: str) -> Part:
    """Reads "name:setting=value:setting=value"; values are numbers, true, false or words.

    Raises:
        UserError: if the text is not of that form; the message names the flag --kind.
    """
    name, *pairs = text.split(":")
    settings = {}
    for pair in pairs:
        setting, equals, value = pair.partition("=")
        if not (setting.isidentifier() and equals and value):
            raise UserError(f"--{kind}: expected name:setting=value:… . Received: {text!r}")
        settings[setting] = _value(value)
    return Part(name, settings)


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, int | float) else text


def load_plugins(paths: Iterable[str]) -> None:
    """Runs Python files that register parts, each once in a process.

    Raises:
        UserError: if one is not there, or fails.
    """
    for path in paths:
        _load_plugin(Path(path).expanduser().resolve())


@functools.cache
def _load_plugin(path: Path) -> None:
    if path.suffix != ".py" or not path.is_file():
        raise UserError(f"--plugins: expected Python files, .py. Received: {path}")
    name = f"logan_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"--plugins: expected Python files, .py. Received: {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UserError(f"--plugins: {path} failed: {type(error).__name__}: {error}") from error
