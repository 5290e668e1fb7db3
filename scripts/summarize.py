"""Prints a Markdown table of the runs in a folder: mean, min and max over seeds of each setting."""

import collections
import re
import sys
from pathlib import Path
from typing import Any

from absl import app, flags
from over_seeds import ABSENT, BY_TITLE, cell, markdown, seeds

from logan.files import read_json

flags.DEFINE_string("folder", None, "A folder of run folders with metrics.json.", required=True)


def rows(folder: Path) -> list[list[str]]:
    """The table's cells, its head first, one row for the runs that differ in their seed only."""
    groups: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for path in sorted(folder.glob("*/metrics.json")):
        groups[re.sub(r"-seed\d+$", "", path.parent.name)].append(read_json(path))
    table = [["runs", "seeds", *BY_TITLE]]
    for name, runs in groups.items():
        table.append([name, seeds(runs), *(cell(runs, column) for column in BY_TITLE.values())])
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
    print(markdown(table))


if __name__ == "__main__":
    app.run(main)
