"""Networks that turn images into the feature vectors that `logan.metrics.fidelity` compares.

Nothing here loads NumPy or TensorFlow before `make_extractor`. `logan.extractors.base` has what is
needed to write another one.
"""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from logan.errors import UserError
from logan.extractors.files import check_weights_file
from logan.registry import Part, Registry, parse_part
from logan.settings.names import EXTRACTORS, ExtractorEntry

if TYPE_CHECKING:
    from logan.extractors.base import Extractor

__all__ = [
    "DIGITS_NEEDED",
    "NO_CLASSIFIER",
    "check_classifier",
    "check_extractor",
    "check_has_classifier",
    "make_extractor",
]

NO_CLASSIFIER = "none"
DIGITS_NEEDED = (
    "expected a classifier of digits, which counts the modes of stacked_mnist; logan-classifier "
    "--images=MNIST --channels=1 --output=mnist.keras trains one, --classifier=none does without"
)


def check_extractor(text: str, weights: str | Path | None = None) -> None:
    """Refuses what can be seen to be wrong without loading a network.

    Args:
        text: as for `make_extractor`.
        weights: as for `make_extractor`.

    Raises:
        UserError: on an unknown name, a file that is missing or of another kind, and weights that
            the extractor does not take or that it lacks.
    """
    part = parse_part(text, EXTRACTORS.kind)
    entry = _entry(part)
    if weights is None:
        if entry.needs_weights:
            raise UserError(
                f"--extractor_weights: expected {entry.weights_source} for the extractor "
                f"{part.name}. Received: nothing"
            )
    elif not entry.suffixes:
        raise UserError(
            f"--extractor_weights: expected none for the extractor {part.name}, which takes none. "
            f"Received: {weights}"
        )
    else:
        check_weights_file(Path(weights).expanduser(), entry.suffixes, part.name)


def check_classifier(text: str) -> None:
    """Refuses what can be seen to be wrong without loading a network.

    Args:
        text: the path of a Keras model; "none" or nothing for none.

    Raises:
        UserError: if it is no .keras file.
    """
    if text in ("", NO_CLASSIFIER):
        return
    path = Path(parse_part(text, "classifier").name).expanduser()
    if path.suffix != ".keras":
        raise UserError(f"--classifier: expected a Keras model, .keras. Received: {path}")
    _check_keras_file(path, "--classifier")


def check_has_classifier(classifier: str, extractor: str) -> None:
    """Refuses to measure stacked digits without a classifier, unless that is asked for.

    Args:
        classifier: as for `check_classifier`.
        extractor: as for `make_extractor`; the path of a model may be one of a classifier.

    Raises:
        UserError: if there is none.
    """
    if not classifier and not _is_keras_file(parse_part(extractor, EXTRACTORS.kind)):
        raise UserError(f"--classifier: {DIGITS_NEEDED}. Received: nothing")


def make_extractor(text: str, weights: str | Path | None = None) -> "Extractor | None":
    """The extractor of a text.

    Args:
        text: a name in `EXTRACTORS`, or the path of a Keras model, which ends in .keras; settings
            may follow: "name:setting=value".
        weights: a file of weights, for those that take one.

    Returns:
        The extractor; None for "none".

    Raises:
        UserError: as for `check_extractor`, on unknown settings, and for weights or a model that
            cannot be loaded.
    """
    from logan.keras_settings import package_settings

    check_extractor(text, weights)
    with package_settings():
        return _made(parse_part(text, EXTRACTORS.kind), weights)


def _made(part: Part, weights: str | Path | None) -> "Extractor | None":
    if _is_keras_file(part):
        path = Path(part.name).expanduser()
        entry = ExtractorEntry("logan.extractors.keras_file:KerasFile")
        of_path = Registry(EXTRACTORS.kind, {part.name: entry}).bind_part(part)
        return cast("Extractor", of_path(path))
    build = EXTRACTORS.bind_part(part)
    if not EXTRACTORS[part.name].suffixes:
        return cast("Extractor | None", build())
    return cast("Extractor", build(None if weights is None else Path(weights).expanduser()))


def _is_keras_file(part: Part) -> bool:
    return part.name.endswith(".keras")


def _entry(part: Part) -> ExtractorEntry:
    if not _is_keras_file(part):
        EXTRACTORS.check(part.name)
        return EXTRACTORS[part.name]
    _check_keras_file(Path(part.name).expanduser(), "--extractor")
    return ExtractorEntry()


def _check_keras_file(path: Path, flag: str) -> None:
    if not path.is_file():
        raise UserError(f"{flag}: expected a Keras model. Received: {path}: no file")
    if not zipfile.is_zipfile(path):
        raise UserError(
            f"{flag}: expected a Keras model. Received: {path}, which is not a .keras file, or "
            "only the beginning of one"
        )
