"""Pages of HTML that need nothing beside them, readable on a phone and on paper."""

import base64
import dataclasses
import html
from collections.abc import Sequence
from pathlib import Path

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
    """A picture of a page.

    Attributes:
        title: its heading.
        path: of a PNG.
        points: a list under it.
    """

    title: str
    path: Path
    points: Sequence[str] = ()


def document(title: str, parts: Sequence[str]) -> str:
    """A whole page: its heading, and what stands under it as HTML."""
    shown = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{shown}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{shown}</h1>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells that are numbers stand on the right, and it scrolls if it is too wide."""
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def figure(picture: Picture) -> str:
    """A picture under its heading, with its list."""
    image = embedded(picture.path.read_bytes(), picture.title)
    points = "".join(f"<li>{html.escape(point)}</li>" for point in picture.points)
    listed = f'<ol class="small">{points}</ol>' if points else ""
    return f"<h2>{html.escape(picture.title)}</h2><figure>{image}</figure>{listed}"


def embedded(png: bytes, text: str, kind: str = "") -> str:
    """An image within the page.

    Args:
        png: its file.
        text: what it shows, for those who do not see it.
        kind: its class: `pixels` keeps them square.
    """
    data = base64.b64encode(png).decode()
    style = f' class="{kind}"' if kind else ""
    return f'<img{style} alt="{html.escape(text)}" src="data:image/png;base64,{data}">'


def sentence(text: str) -> str:
    """The text as a sentence, escaped."""
    return html.escape(text[:1].upper() + text[1:] + ("" if text.endswith(".") else "."))


def _cell(text: str) -> str:
    is_number = text[:1].isdigit() or text[:1] == "-"
    kind = ' class="number"' if is_number else ""
    return f"<td{kind}>{html.escape(text)}</td>"
