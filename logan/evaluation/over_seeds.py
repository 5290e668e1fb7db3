"""Cells of a table of runs: a measure's mean, minimum and maximum over runs of several seeds."""

from collections.abc import Sequence
from typing import Any

from logan.evaluation.measures import Column
from logan.evaluation.tables import columns

ABSENT = "-"
MANY = 5  # seeds that are listed one by one, at most


def by_title() -> dict[str, Column]:
    """All columns of tables by their titles."""
    return {column.title: column for column in columns()}


def lookup(metrics: dict[str, Any], column: Column) -> Any:
    """The column's value in a metrics file; `ABSENT` if it is not there."""
    value: Any = metrics
    for name in column.path:
        value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def cell(runs: Sequence[dict[str, Any]], column: Column, mean_only: bool = False) -> str:
    """The mean (min to max) of a column over runs, or one value where all print alike.

    Args:
        runs: the contents of the runs' metrics files.
        column: what to show of them, and how a value is printed.
        mean_only: leaves the spread out.

    Returns:
        `ABSENT` if one of the runs has no value. A null, which is a divergence without a single
        good sample, counts as infinite. Each number is rounded once, from the files' digits.
    """
    values = [lookup(metrics, column) for metrics in runs]
    if ABSENT in values:
        return ABSENT
    if isinstance(values[0], str):
        return ", ".join(sorted(set(values)))
    numbers = [float("inf") if value is None else value for value in values]
    low, high = column.form.format(min(numbers)), column.form.format(max(numbers))
    if low == high:
        return low
    # Whole numbers, as of modes, need a digit more for their mean.
    form = "{:.1f}" if all(isinstance(number, int) for number in numbers) else column.form
    mean = form.format(sum(numbers) / len(numbers))
    return mean if mean_only else f"{mean} ({low} to {high})"


def without_absent(table: Sequence[Sequence[str]]) -> list[list[str]]:
    """A table, its head first, without the columns that no row has a value in."""
    is_told = [any(cell != ABSENT for cell in cells[1:]) for cells in zip(*table, strict=True)]
    return [[cell for cell, told in zip(cells, is_told, strict=True) if told] for cells in table]


def seeds(runs: Sequence[dict[str, Any]]) -> str:
    """The runs' seeds, ascending; of many in a row the first and the last."""
    found = sorted(metrics["seed"] for metrics in runs)
    if len(found) > MANY and found == list(range(found[0], found[-1] + 1)):
        return f"{found[0]} to {found[-1]}"
    return ", ".join(map(str, found))


def markdown(table: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells, its head first."""
    lines = [table[0], ["---"] * len(table[0]), *table[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
