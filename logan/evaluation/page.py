"""report.html: what was found about images on one page, which needs nothing beside it."""

import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from logan.datasets.pixels import unit_range
from logan.datasets.splits import evenly
from logan.evaluation.html import Picture, document, embedded, figure, sentence, table
from logan.evaluation.measures import Column
from logan.evaluation.record import Record
from logan.evaluation.tables import columns, value_of
from logan.evaluation.verdict import Verdict
from logan.figures.grids import image_grid

_SHOWN = 60
_COLUMNS = 12
_SHEET_PIXELS = 900
_ARROWS = {"higher": " ↑", "lower": " ↓", None: ""}


def page(
    title: str,
    record: Record,
    metrics: dict[str, Any],
    said: Verdict,
    pictures: Sequence[Picture] = (),
) -> str:
    """The page as HTML with its pictures within.

    Args:
        title: what was measured.
        record: the images.
        metrics: all numbers by name, with their protocol.
        said: the verdict.
        pictures: what to show besides generations, in order.
    """
    findings = "".join(f"<p>{sentence(each)}</p>" for each in said.findings)
    parts = [
        f'<div class="verdict">{findings}</div>',
        *(f'<p class="note">{sentence(note)}</p>' for note in record.notes),
        "<h2>Numbers</h2>",
        _numbers(metrics),
        '<p class="small">↑ higher is better, ↓ lower is better, ± standard error</p>',
        *map(figure, pictures),
        *_groups(metrics),
        *_sheets(record),
        *_advice(said),
        "<h2>How it was measured</h2><details><summary>Protocol</summary>"
        f"<p>{sentence(metrics['protocol'])}</p></details>",
    ]
    return document(title, parts)


def _advice(said: Verdict) -> list[str]:
    if not said.advice:
        return []
    points = "".join(f"<li>{sentence(each)}</li>" for each in said.advice)
    return [f"<h2>What to try next</h2><ul>{points}</ul>"]


def _numbers(metrics: dict[str, Any]) -> str:
    rows = [
        [f"{column.title}{_ARROWS[column.better]}", shown]
        for column in columns()
        if (shown := _shown(metrics, column))
    ]
    return table(["measure", "value"], rows)


def _shown(metrics: dict[str, Any], column: Column) -> str:
    """The value with its standard error and unit, as far as they are known."""
    value = value_of(metrics, column)
    if value is None:
        return ""
    path = (*column.path[:-1], f"{column.path[-1]}_error")
    error = value_of(metrics, dataclasses.replace(column, path=path))
    parts = [column.form.format(value)]
    parts += [f"± {error:.1g}"] if error is not None else []
    return " ".join([*parts, column.unit]).strip()


def _groups(metrics: dict[str, Any]) -> list[str]:
    """A table of the classes or sub-folders, the worst covered first."""
    groups = metrics.get("groups")
    if not groups:
        return []
    shares = ("real_share", "generated_share", "coverage", "missed_share")
    rows = [
        [name, f"{numbers['images']:,}", *(f"{numbers[share]:.3f}" for share in shares)]
        for name, numbers in groups.items()
    ]
    titles = ["group", "images", "real share", "generated share", "coverage ↑", "missed ↓"]
    return ["<h2>By group, the worst covered first</h2>", table(titles, rows)]


def _sheets(record: Record) -> list[str]:
    """Generations and real images, evenly spread and not chosen."""
    parts = []
    for title, images in (("Generations", record.generated), ("Real images", record.held_out)):
        if images is None:
            continue
        index = evenly(len(images), _SHOWN)
        grid = image_grid(unit_range(images[index]), _COLUMNS)
        scale = max(1, _SHEET_PIXELS // grid.shape[1])
        picture = np.repeat(np.repeat(grid, scale, 0), scale, 1)
        parts.append(
            f"<h2>{title}</h2><figure>{embedded(_png(picture), title, 'pixels')}"
            f"<figcaption>{len(index)} of {len(images):,}, evenly spread, not chosen</figcaption>"
            "</figure>"
        )
    return parts


def _png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(content, "PNG")
    return content.getvalue()
