"""The measures by name.

A measure is a module with a `Measure`, and a line here. A file of --plugins adds one by
`MEASURES.register("brightness", Entry())(Measure(…))`.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from logan.evaluation.record import Record
from logan.registry import Entry, Registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of tables of runs.

    Attributes:
        title: its heading.
        path: where its number stands in metrics.json.
        form: how the number is printed.
        better: which way is better, where one is.
        unit: of the number.
    """

    title: str
    path: tuple[str, ...]
    form: str
    better: Literal["higher", "lower"] | None = None
    unit: str = ""


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a measure found.

    Attributes:
        numbers: what goes into metrics.json.
        protocol: how they were measured, a sentence without its full stop.
        draw: draws the measure's picture.
        text: content of the measure's file.
        notes: what it is that was found, in words for a reader.
    """

    numbers: dict[str, Any]
    protocol: str = ""
    draw: "Callable[[], Figure] | None" = None
    text: str | None = None
    notes: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        applies: whether the record has what it needs.
        measure: measures a record.
        columns: what tables show of it.
        picture: name of its picture in the run's figures/, if it has one.
        file: name of its file in the run's folder, if it has one.
    """

    applies: Callable[[Record], bool]
    measure: Callable[[Record], Measured]
    columns: tuple[Column, ...] = ()
    picture: str = ""
    file: str = ""


# In the order of metrics.json, of its protocol and of the columns of tables.
MEASURES = Registry(
    "measure",
    {
        "coverage": Entry("logan.evaluation.coverage:COVERAGE", "modes of toy data"),
        "toy_reconstruction": Entry(
            "logan.evaluation.reconstruction:TOY_RECONSTRUCTION", "G(E(x)) of toy data"
        ),
        "encoder_coverage": Entry(
            "logan.evaluation.coverage:ENCODER_COVERAGE", "the prior, by an encoder alone"
        ),
        "spread": Entry("logan.evaluation.spread:SPREAD", "deviation of pixels over images"),
        "foreground": Entry("logan.evaluation.foreground:FOREGROUND", "what stands before a scene"),
        "junction": Entry("logan.evaluation.junction:JUNCTION", "cars of the rendered junction"),
        "stacked": Entry("logan.evaluation.stacked:STACKED", "triples of stacked digits"),
        "classes": Entry("logan.evaluation.classes:CLASSES", "classes of generations"),
        "probe": Entry("logan.evaluation.classes:PROBE", "classes by a linear classifier of E(x)"),
        "reconstruction": Entry(
            "logan.evaluation.reconstruction:RECONSTRUCTION", "G(E(x)) of images, E(G(z))"
        ),
        "pull": Entry("logan.evaluation.pull:PULL", "where D's gradient leads"),
        "fidelity": Entry("logan.evaluation.fidelity:FIDELITY", "features of images"),
        "missed": Entry("logan.evaluation.missed:MISSED", "images that no generation is near to"),
        "copies": Entry("logan.evaluation.copies:COPIES", "generations that copy training images"),
        "groups": Entry("logan.evaluation.groups:GROUPS", "coverage by sub-folder or class"),
    },
)
