"""Writes the numbers of results/, docs/ and README.md from the files in results/metrics.

A page marks what is written; the rest of it is left alone:

    <!-- table: toy/comparison -->                                a table of published.py
    <!-- end -->

    | <!-- number: toy/grid25-none-seed* fair --><!-- end --> |   files below results/metrics, title

`--check` writes nothing, names the pages that differ and leaves with exit code 1 if there are any.
"""

import re
import sys
from pathlib import Path
from typing import Any

from absl import app, flags
from published import EXTRA_COLUMNS, TABLES, Runs, Table

from logan.evaluation.over_seeds import by_title, cell, lookup, markdown, seeds
from logan.files import read_json, write_text

flags.DEFINE_bool("check", False, "Compare only.")

ROOT = Path(__file__).parents[1]
_COLUMNS = by_title() | {column.title: column for column in EXTRA_COLUMNS}
_MARK = re.compile(r"(<!-- (table|number): (.+?) -->).*?(<!-- end -->)", re.DOTALL)
_BAR = re.compile(r"(.+) (≥|≤) (\S+)")  # such as "HQ ≥ 0.9", "fair ≥ modes"
_EDGE = re.compile(r"<!-- (table:|number:|end) ")


def numbers(root: Path, runs: Runs) -> list[str]:
    """The cells of some runs, one for each title.

    Raises:
        ValueError: if no metrics file has such a name, or no column such a title.
    """
    paths = sorted((root / "results" / "metrics").glob(f"{runs.files}.json"))
    if not paths:
        raise ValueError(f"Expected metrics files of this name. Received: {runs.files}")
    metrics: list[dict[str, Any]] = [read_json(path) for path in paths]
    cells = []
    for title in runs.titles:
        if title == "seeds":
            cells.append(seeds(metrics))
        elif bar := _BAR.fullmatch(title):
            cells.append(_met(metrics, *bar.groups()))
        elif title in _COLUMNS:
            cells.append(cell(metrics, _COLUMNS[title], runs.mean_only))
        else:
            raise ValueError(f"Expected one of {', '.join(_COLUMNS)}. Received: {title}")
    return cells


def _met(metrics: list[dict[str, Any]], title: str, sign: str, limit: str) -> str:
    """How many of the runs meet a bar: a number, or the value of another column."""
    met = 0
    for each in metrics:
        value = lookup(each, _COLUMNS[title])
        bound = lookup(each, _COLUMNS[limit]) if limit in _COLUMNS else float(limit)
        # A null is a divergence without a single good sample.
        met += value is not None and (value >= bound if sign == "≥" else value <= bound)
    return f"{met} of {len(metrics)}"


def table(root: Path, spec: Table) -> str:
    """A table in Markdown."""
    head = [*spec.labels]
    for part in spec.rows[0]:
        if isinstance(part, Runs):
            head += [part.of + title for title in part.titles]
    lines = [head]
    for row in spec.rows:
        cells: list[str] = []
        for part in row:
            cells += numbers(root, part) if isinstance(part, Runs) else [part]
        lines.append(cells)
    return markdown(lines)


def fill(root: Path, text: str) -> str:
    """A page with all that it marks written anew.

    Raises:
        ValueError: if a mark has no end, or names a table, files or a title that do not exist.
    """
    edges = ["end" if edge == "end" else "start" for edge in _EDGE.findall(text)]
    if edges != ["start", "end"] * (len(edges) // 2):
        raise ValueError("Expected one <!-- end --> after each table or number.")

    def written(match: re.Match[str]) -> str:
        start, kind, name, end = match.groups()
        if kind == "number":
            files, _, title = name.partition(" ")
            return start + numbers(root, Runs(files, (title,)))[0] + end
        if name not in TABLES:
            raise ValueError(f"Expected one of {', '.join(TABLES)}. Received: {name}")
        return f"{start}\n\n{table(root, TABLES[name])}\n\n{end}"

    return _MARK.sub(written, text)


def pages(root: Path) -> list[Path]:
    """README.md and every page of docs and results."""
    folders = (root / "docs", root / "results")
    return [root / "README.md", *(path for each in folders for path in sorted(each.rglob("*.md")))]


def stale(root: Path) -> dict[Path, str]:
    """The pages that differ from their metrics files, with what they ought to be."""
    found = {}
    for path in pages(root):
        text = path.read_text(encoding="utf-8")
        try:
            filled = fill(root, text)
        except ValueError as error:
            raise ValueError(f"{path.relative_to(root)}: {error}") from error
        if filled != text:
            found[path] = filled
    return found


def main(arguments: list[str]) -> None:
    del arguments
    found = stale(ROOT)
    for path, text in found.items():
        if not flags.FLAGS.check:
            write_text(path, text)
        print(f"{'differs' if flags.FLAGS.check else 'written'}: {path.relative_to(ROOT)}")
    if found and flags.FLAGS.check:
        sys.exit("Write them by: python scripts/write_tables.py")


if __name__ == "__main__":
    app.run(main)
