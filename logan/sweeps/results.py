"""What a sweep found: a table over seeds, a CSV of all runs, a picture of each experiment."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logan.errors import UserError
from logan.evaluation import columns, html, stored_metrics
from logan.evaluation.over_seeds import (
    ABSENT,
    by_title,
    cell,
    lookup,
    markdown,
    seeds,
    without_absent,
)
from logan.files import write_text
from logan.sweeps.plan import PlannedRun

Measured = Sequence[tuple[PlannedRun, dict[str, Any]]]


def measured(runs: Sequence[PlannedRun]) -> list[tuple[PlannedRun, dict[str, Any]]]:
    """Those of the runs that are trained and measured, with their metrics."""
    stored = [(each, stored_metrics(each.run)) for each in runs if each.run.is_trained]
    return [(planned, metrics) for planned, metrics in stored if metrics is not None]


def table_over_seeds(found: Measured) -> str:
    """A Markdown table: mean (min to max) over seeds, a row for each experiment and method."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for planned, metrics in found:
        groups.setdefault(planned.group, []).append(metrics)
    titles = by_title()
    rows = [["experiment", "method", "seeds", *titles]]
    for group, runs in groups.items():
        rows.append([*group, seeds(runs), *(cell(runs, column) for column in titles.values())])
    return markdown(without_absent(rows))


def csv_of_runs(found: Measured) -> str:
    """The numbers of tables as they stand in metrics.json, a row for each run.

    A column is named by its number's place there, such as `foreground.distance`. A null, which is a
    divergence without a single good sample, becomes `inf`; what a run does not have stays empty.
    """
    shown = [
        column
        for column in columns()
        if any(lookup(metrics, column) != ABSENT for _, metrics in found)
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["experiment", "method", "seed", *(".".join(c.path) for c in shown)])
    for planned, metrics in found:
        values = [lookup(metrics, column) for column in shown]
        plain = ["" if value == ABSENT else "inf" if value is None else value for value in values]
        writer.writerow([*planned.group, planned.run.experiment.seed, *plain])
    return text.getvalue()


def write_results(folder: Path, found: Measured) -> tuple[str, list[Path]]:
    """Writes sweep.md, sweep.csv, sweep.html and a picture of each experiment into its folder.

    Args:
        folder: the sweep's.
        found: at least one run, measured.

    Returns:
        The table, and the paths of what was written.
    """
    table = table_over_seeds(found)
    paths = [folder / "sweep.md", folder / "sweep.csv"]
    write_text(paths[0], table + "\n")
    write_text(paths[1], csv_of_runs(found))
    pictures = _draw(folder, [planned for planned, _ in found])
    paths.append(folder / "sweep.html")
    write_text(paths[-1], _page(table, pictures))
    return table, [*paths, *pictures]


def _page(table: str, pictures: Sequence[Path]) -> str:
    """The table and the pictures on one page, which needs nothing beside it."""
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
    ]
    experiments = ", ".join(dict.fromkeys(row[0] for row in rows))
    return html.document(
        f"A sweep of {experiments}",
        [
            html.table(head, rows),
            '<p class="small">mean over seeds (least to most)</p>',
            *(html.figure(html.Picture(path.stem, path)) for path in pictures),
        ],
    )


def _draw(folder: Path, runs: Sequence[PlannedRun]) -> list[Path]:
    # Numbers alone do without TensorFlow.
    from logan.figures.files import save_figure
    from logan.visualization.comparison import generations_figure

    paths = []
    for name in dict.fromkeys(planned.run.experiment.name for planned in runs):
        of_methods: dict[str, list[Any]] = {}
        for planned in runs:
            if planned.run.experiment.name == name:
                of_methods.setdefault(planned.method, []).append(planned.run)
        try:
            figure = generations_figure(of_methods)
        except UserError as error:
            print(f"No picture of {name}: {error}", file=sys.stderr)
            continue
        paths.append(save_figure(figure, folder / f"{name}.png"))
    return paths
