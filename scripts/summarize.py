"""Prints a Markdown table of the runs in a folder: mean, min and max over seeds of each setting."""

import collections
import sys
from pathlib import Path
from typing import Any

from absl import app, flags

from logan.files import read_json

flags.DEFINE_string("folder", None, "A folder of run folders with metrics.json.", required=True)

COLUMNS = {
    "captured": ("captured", "{:.0f}"),
    "fair": ("captured_fair", "{:.0f}"),
    "HQ": ("high_quality", "{:.3f}"),
    "spread/σ": ("mode_spread", "{:.2f}"),
    "reverse KL": ("reverse_kl", "{:.4f}"),
    "rmse G(E(x))": ("reconstruction_rmse", "{:.4f}"),
    "training s": ("training_seconds", "{:.0f}"),
}


def spread(values: list[float | None], form: str) -> str:
    """The mean (min to max), or one number where all print alike. None counts as infinite."""
    numbers = [float("inf") if value is None else value for value in values]
    low, high = form.format(min(numbers)), form.format(max(numbers))
    if low == high:
        return low
    # Whole numbers of modes need a digit more for their mean.
    mean = "{:.1f}" if form == "{:.0f}" else form
    return f"{mean.format(sum(numbers) / len(numbers))} ({low} to {high})"


def rows(folder: Path) -> list[list[str]]:
    """The table's cells, its head first, one row for each experiment and penalty."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = collections.defaultdict(list)
    for path in sorted(folder.glob("*/metrics.json")):
        metrics = read_json(path)
        groups[metrics["experiment"], metrics["penalty"]].append(metrics)
    table = [["experiment", "penalty", "seeds", "modes", *COLUMNS]]
    for (experiment, penalty), group in groups.items():
        seeds = ", ".join(str(metrics["seed"]) for metrics in group)
        cells = [
            spread([metrics.get(key) for metrics in group], form) if key in group[0] else "-"
            for key, form in COLUMNS.values()
        ]
        table.append([experiment, penalty, seeds, str(group[0].get("modes", "-")), *cells])
    return table


def main(arguments: list[str]) -> None:
    del arguments
    folder = Path(flags.FLAGS.folder)
    table = rows(folder)
    if len(table) == 1:
        sys.exit(f"--folder: expected runs with metrics.json. Received: {folder}")
    order = {name: index for index, name in enumerate(sorted({row[0] for row in table[1:]}))}
    table[1:] = sorted(table[1:], key=lambda row: (order[row[0]], row[1] == "none"))
    table.insert(1, ["---"] * len(table[0]))
    for cells in table:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    app.run(main)
