"""report.html: what was found about images on one page, which needs nothing beside it."""

import base64
import dataclasses
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from logan.datasets.pixels import unit_range
from logan.evaluation.measures import Measured
from logan.evaluation.record import Record
from logan.evaluation.tables import columns, value_of
from logan.evaluation.verdict import Verdict
from logan.figures.grids import image_grid

_SHOWN = 60
_COLUMNS = 12
_ARROWS = {"higher": "↑", "lower": "↓", None: ""}
_MEANING = {"higher": "higher is better", "lower": "lower is better", None: ""}

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 58rem; margin: 0 auto;
  padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #ccc; }
.verdict { border-left: 4px solid #0072b2; background: #f2f7fb; padding: .5rem 1rem; }
.verdict p { margin: .4rem 0; overflow-wrap: anywhere; }
.verdict p:first-child { font-size: 1.1rem; font-weight: 600; }
.note { border-left: 4px solid #d55e00; background: #fdf4ee; padding: .5rem 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e4e4e4;
  vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; }
img.pixels { image-rendering: pixelated; }
figcaption, .small { color: #555; font-size: .9rem; overflow-wrap: anywhere; }
details p { overflow-wrap: anywhere; }
@media print { body { max-width: none; font-size: 11pt; } figure, tr { break-inside: avoid; }
  details > * { display: block; } }
"""


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Attributes:
        title: its heading.
        path: of a PNG.
        caption: what it shows.
        points: a list under it.
    """

    title: str
    path: Path
    caption: str = ""
    points: Sequence[str] = ()


def page(
    title: str,
    record: Record,
    metrics: dict[str, Any],
    found: dict[str, Measured],
    said: Verdict,
    pictures: Sequence[Picture] = (),
) -> str:
    """The page as HTML with its pictures within.

    Args:
        title: what was measured.
        record: the images.
        metrics: all numbers by name, with their protocol.
        found: what each measure found, by its name.
        said: the verdict.
        pictures: what to show besides generations, in order.
    """
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _verdict(said),
        *(f'<p class="note">{html.escape(_sentence(note))}</p>' for note in record.notes),
        "<h2>Numbers</h2>",
        _numbers(metrics),
        *(_figure(picture) for picture in pictures),
        *_groups(metrics),
        *_sheets(record),
        *_advice(said),
        f"<h2>How it was measured</h2><details><summary>Protocol</summary>"
        f"<p>{html.escape(_sentence(metrics['protocol']))}</p></details>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _verdict(said: Verdict) -> str:
    paragraphs = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in said.findings)
    return f'<div class="verdict">{paragraphs}</div>'


def _advice(said: Verdict) -> list[str]:
    if not said.advice:
        return []
    points = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in said.advice)
    return [f"<h2>What to try next</h2><ul>{points}</ul>"]


def _numbers(metrics: dict[str, Any]) -> str:
    rows = []
    for column in columns():
        value = value_of(metrics, column)
        if value is None:
            continue
        error = value_of(metrics, dataclasses.replace(column, path=_error_path(column.path)))
        shown = column.form.format(value) + ("" if error is None else f" ± {error:.1g}")
        unit = f" {column.unit}" if column.unit else ""
        better = _ARROWS[column.better]
        rows.append(
            f"<tr><td>{html.escape(column.title)}</td>"
            f'<td class="number">{html.escape(shown + unit)}</td>'
            f'<td title="{_MEANING[column.better]}">{better}</td></tr>'
        )
    head = "<tr><th>measure</th><th>value</th><th>better</th></tr>"
    return f'<div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _error_path(path: tuple[str, ...]) -> tuple[str, ...]:
    return (*path[:-1], f"{path[-1]}_error")


def _groups(metrics: dict[str, Any]) -> list[str]:
    """A table of the classes or sub-folders, the worst covered first."""
    groups = metrics.get("groups")
    if not groups:
        return []
    head = "<tr><th>group</th><th>images</th><th>real share</th><th>generated share</th>"
    rows = [
        f"<tr><td>{html.escape(name)}</td>"
        f'<td class="number">{numbers["images"]:,}</td>'
        + "".join(
            f'<td class="number">{numbers[key]:.3f}</td>'
            for key in ("real_share", "generated_share", "coverage", "missed_share")
        )
        + "</tr>"
        for name, numbers in groups.items()
    ]
    return [
        "<h2>By group, the worst covered first</h2>",
        f'<div class="wide"><table>{head}<th>coverage ↑</th><th>missed ↓</th></tr>'
        f"{''.join(rows)}</table></div>",
    ]


def _sheets(record: Record) -> list[str]:
    """Generations and real images, evenly spread and not chosen."""
    parts = []
    for title, images in (("Generations", record.generated), ("Real images", record.held_out)):
        if images is None:
            continue
        index = np.linspace(0, len(images) - 1, min(_SHOWN, len(images))).round().astype(int)
        grid = image_grid(unit_range(images[index]), _COLUMNS)
        scale = max(1, 900 // grid.shape[1])
        picture = np.repeat(np.repeat(grid, scale, 0), scale, 1)
        parts.append(
            f"<h2>{title}</h2><figure>{_embedded(_png(picture), title, 'pixels')}"
            f"<figcaption>{len(index)} of {len(images):,}, evenly spread, not chosen</figcaption>"
            "</figure>"
        )
    return parts


def _figure(picture: Picture) -> str:
    caption = f"<figcaption>{html.escape(picture.caption)}</figcaption>" if picture.caption else ""
    image = _embedded(picture.path.read_bytes(), picture.title)
    points = "".join(f"<li>{html.escape(point)}</li>" for point in picture.points)
    listed = f'<ol class="small">{points}</ol>' if points else ""
    return f"<h2>{html.escape(picture.title)}</h2><figure>{image}{caption}</figure>{listed}"


def _embedded(png: bytes, text: str, kind: str = "") -> str:
    data = base64.b64encode(png).decode()
    style = f' class="{kind}"' if kind else ""
    return f'<img{style} alt="{html.escape(text)}" src="data:image/png;base64,{data}">'


def _png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(content, "PNG")
    return content.getvalue()
