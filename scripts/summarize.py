"""Prints a Markdown table of the runs in a folder: mean, min and max over seeds of each setting."""

import collections
import re
import sys
from pathlib import Path
from typing import Any

from absl import app, flags

from logan.files import read_json

flags.DEFINE_string("folder", None, "A folder of run folders with metrics.json.", required=True)

COLUMNS = {
    "modes": ("modes", "{:.0f}"),
    "captured": ("captured", "{:.0f}"),
    "fair": ("captured_fair", "{:.0f}"),
    "HQ": ("high_quality", "{:.3f}"),
    "spread/σ": ("mode_spread", "{:.2f}"),
    "reverse KL": ("reverse_kl", "{:.4f}"),
    "rmse G(E(x))": ("reconstruction_rmse", "{:.4f}"),
    "frames with a car": ("junction.occupied_share", "{:.3f}"),
    "cells": ("junction.cells_captured", "{:.2f}"),
    "fair cells": ("junction.cells_captured_fair", "{:.2f}"),
    "fair colours": ("junction.colours_captured_fair", "{:.2f}"),
    "foreground": ("foreground.generated_share", "{:.3f}"),
    "real": ("foreground.real_share", "{:.3f}"),
    "distance": ("foreground.distance", "{:.3f}"),
    "cars kept": ("junction.reconstructed.cell_recall", "{:.2f}"),
    "SSIM": ("reconstruction.ssim", "{:.3f}"),
    "occupied SSIM": ("reconstruction.occupied.ssim", "{:.3f}"),
    "features": ("fidelity.extractor", "{}"),
    "Fréchet": ("fidelity.frechet_distance", "{:.3f}"),
    "recall": ("fidelity.recall", "{:.3f}"),
    "coverage": ("fidelity.coverage", "{:.3f}"),
    "training s": ("training_seconds", "{:.0f}"),
}
ABSENT = "-"


def lookup(metrics: dict[str, Any], path: str) -> Any:
    """The value at a path of names; `ABSENT` if it is not there."""
    value: Any = metrics
    for name in path.split("."):
        value = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def spread(values: list[Any], form: str) -> str:
    """The mean (min to max), or one value where all print alike. None counts as infinite."""
    if isinstance(values[0], str):
        return ", ".join(sorted(set(values)))
    numbers = [float("inf") if value is None else value for value in values]
    low, high = form.format(min(numbers)), form.format(max(numbers))
    if low == high:
        return low
    # Whole numbers of modes need a digit more for their mean.
    mean = "{:.1f}" if form == "{:.0f}" else form
    return f"{mean.format(sum(numbers) / len(numbers))} ({low} to {high})"


def rows(folder: Path) -> list[list[str]]:
    """The table's cells, its head first, one row for the runs that differ in their seed only."""
    groups: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for path in sorted(folder.glob("*/metrics.json")):
        groups[re.sub(r"-seed\d+$", "", path.parent.name)].append(read_json(path))
    table = [["runs", "seeds", *COLUMNS]]
    for name, group in groups.items():
        seeds = ", ".join(str(metrics["seed"]) for metrics in group)
        cells = []
        for path, form in COLUMNS.values():
            values = [lookup(metrics, path) for metrics in group]
            cells.append(ABSENT if ABSENT in values else spread(values, form))
        table.append([name, seeds, *cells])
    is_told = [
        any(cells[column] != ABSENT for cells in table[1:]) for column in range(len(table[0]))
    ]
    return [[cell for cell, told in zip(cells, is_told, strict=True) if told] for cells in table]


def main(arguments: list[str]) -> None:
    del arguments
    folder = Path(flags.FLAGS.folder)
    table = rows(folder)
    if len(table) == 1:
        sys.exit(f"--folder: expected runs with metrics.json. Received: {folder}")
    table.insert(1, ["---"] * len(table[0]))
    for cells in table:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    app.run(main)
