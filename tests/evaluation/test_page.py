"""The page holds everything itself, and fits a phone and paper in a real browser."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from logan.evaluation.html import Picture, document, figure, table
from logan.evaluation.page import page
from logan.evaluation.record import Record
from logan.evaluation.verdict import Verdict

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.fixture
def shown(tmp_path):
    path = tmp_path / "wide.png"
    Image.fromarray(np.zeros((200, 1_600), np.uint8)).save(path)
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (70, 16, 16, 3)).astype(np.float32)
    record = Record("", 0, images, generated=images[:50], notes=["a <note>"])
    groups = {
        f"a/long/name/of/a/group/{i}": dict(
            images=5, real_share=0.5, generated_share=0.1, coverage=0.25, missed_share=0.0
        )
        for i in range(3)
    }
    metrics = {
        "samples": 50,
        "groups": groups,
        "protocol": "protocol & more",
        "fidelity": {
            "extractor": "features of a name that is rather long (not FID)",
            "coverage": 0.96,
            "recall": 0.5,
        },
    }
    said = Verdict(["covers <most>", f"forgets {'x' * 300}"], ["train longer"])
    return page("A title & more", record, metrics, said, [Picture("Missed", path, ["a.png"])])


def test_the_page_says_everything_and_escapes_it(shown):
    for text in (
        "<h1>A title &amp; more</h1>",
        "<p>Covers &lt;most&gt;.</p>",
        '<p class="note">A &lt;note&gt;.</p>',
        "<li>Train longer.</li>",
        "Protocol &amp; more.",
        "<td>coverage ↑</td>",
        "50 of 50, evenly spread",
        "60 of 70, evenly spread",
        "<li>a.png</li>",
    ):
        assert text in shown
    assert '<td class="number">0.960</td>' in shown and '<td class="number">0.250</td>' in shown


def test_the_page_needs_nothing_beside_it(shown):
    sources = re.findall(r'(?:src|href)="([^"]*)"', shown)
    assert len(sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in shown and "url(" not in shown


def test_cells_that_are_numbers_stand_on_the_right():
    shown = table(["a"], [["1.5"], ["-2"], ["x<y"]])
    assert '<td class="number">1.5</td>' in shown and '<td class="number">-2</td>' in shown
    assert "<td>x&lt;y</td>" in shown


def test_a_picture_without_a_list_has_none(tmp_path):
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "a.png")
    assert "<ol" not in figure(Picture("A", tmp_path / "a.png"))
    assert document("t", ["<p>x</p>"]).startswith("<!DOCTYPE html>")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [500, 1_100])
def test_nothing_reaches_beyond_the_window(shown, tmp_path, width):
    """Headless Chromium has no narrower window than 500 pixels."""
    path = tmp_path / "page.html"
    measured = "<script>document.title = document.documentElement.scrollWidth</script>"
    path.write_text(shown.replace("</body>", f"{measured}</body>"), encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [*command, f"--window-size={width},900", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = re.search(r"<title>(\d+)</title>", done.stdout)
    assert found and int(found[1]) <= width
