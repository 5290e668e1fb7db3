"""Tables of runs. Nothing here loads TensorFlow."""

from typing import Any

from logan.evaluation.measures import MEASURES, Column

_FIRST = (Column("step", ("step",), "{:,}"), Column("samples", ("samples",), "{:,}"))
_LAST = (Column("seconds", ("training_seconds",), "{:.0f}", "lower", "s"),)


def columns() -> list[Column]:
    """All columns: those of the run itself, and between them those of the measures, each once."""
    measured = [column for name in MEASURES for column in MEASURES.load(name).columns]
    return list(dict.fromkeys([*_FIRST, *measured, *_LAST]))


def table(rows: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of metrics, one row for each label; columns that no row has are left out."""
    shown = [c for c in columns() if any(value_of(m, c) is not None for m in rows.values())]
    lines = [["run", *(column.title for column in shown)]]
    for label, metrics in rows.items():
        values = [value_of(metrics, column) for column in shown]
        cells = [
            "-" if value is None else column.form.format(value)
            for value, column in zip(values, shown, strict=True)
        ]
        lines.append([label, *cells])
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| "
        + " | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def value_of(metrics: Any, column: Column) -> Any:
    """The column's value in a run's metrics; None if it is not there."""
    for name in column.path:
        metrics = metrics.get(name) if isinstance(metrics, dict) else None
    return metrics
