"""The pages of results/ against their metrics files, and the script against cells by hand."""

import importlib
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from logan.evaluation.tables import columns
from logan.files import write_json

ROOT = Path(__file__).parents[1]
SCRIPTS = ("write_tables", "published")


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "scripts"))
    yield importlib.import_module("write_tables")
    sys.path.remove(str(ROOT / "scripts"))
    for name in SCRIPTS:
        sys.modules.pop(name, None)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with README.md and results/, without pictures."""
    shutil.copy(ROOT / "README.md", tmp_path)
    shutil.copytree(
        ROOT / "results", tmp_path / "results", ignore=shutil.ignore_patterns("figures")
    )
    return tmp_path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A checkout with the metrics of two runs: fair 2 and 3, HQ 0.93449 and 0.9349."""
    folder = tmp_path / "results" / "metrics" / "toy"
    folder.mkdir(parents=True)
    write_json(folder / "a-seed0.json", {"seed": 0, "captured_fair": 2, "high_quality": 0.93449})
    write_json(folder / "a-seed1.json", {"seed": 1, "captured_fair": 3, "high_quality": 0.9349})
    return tmp_path


def test_every_page_agrees_with_its_metrics_files(script: ModuleType) -> None:
    assert [path.name for path in script.stale(ROOT)] == []


def test_a_changed_digit_of_a_table_is_found(script: ModuleType, copy: Path) -> None:
    page = copy / "results" / "toy.md"
    text = page.read_text()
    page.write_text(text.replace("| 0.935 (0.920 to", "| 0.936 (0.920 to", 1))
    assert script.stale(copy) == {page: text}


def test_a_changed_digit_of_a_claim_is_found(script: ModuleType, copy: Path) -> None:
    page = copy / "results" / "README.md"
    text = page.read_text()
    page.write_text(text.replace(" fair -->7.8 (", " fair -->7.9 (", 1))
    assert script.stale(copy) == {page: text}


def test_a_changed_metrics_file_is_found(script: ModuleType, copy: Path) -> None:
    file = copy / "results" / "metrics" / "video" / "gan-seed0.json"
    file.write_text(file.read_text().replace('"distance": 0.6131', '"distance": 0.7131'))
    assert list(script.stale(copy)) == [copy / "results" / "video.md"]


def test_a_number_is_the_mean_with_its_range_rounded_once(script: ModuleType, runs: Path) -> None:
    # The mean of the numbers is 0.934695; that of the rounded ones would be 0.9345.
    assert script.fill(runs, "<!-- number: toy/a-seed* HQ -->?<!-- end -->") == (
        "<!-- number: toy/a-seed* HQ -->0.935 (0.934 to 0.935)<!-- end -->"
    )
    assert "-->2.5 (2 to 3)<" in script.fill(runs, "<!-- number: toy/a-seed* fair --><!-- end -->")
    assert "-->2<" in script.fill(runs, "<!-- number: toy/a-seed0 fair --><!-- end -->")
    assert "-->-<" in script.fill(runs, "<!-- number: toy/a-seed* SSIM --><!-- end -->")


def test_a_table_has_the_titles_of_its_columns_and_a_row_for_each_setting(
    script: ModuleType, runs: Path
) -> None:
    spec = script.Table(
        ("data",),
        (("a", script.Runs("toy/a-seed*", ("seeds", "fair", "HQ"), "plain: ", mean_only=True)),),
    )
    assert script.table(runs, spec) == (
        "| data | plain: seeds | plain: fair | plain: HQ |\n"
        "| --- | --- | --- | --- |\n"
        "| a | 0, 1 | 2.5 | 0.935 |"
    )


def test_a_bar_is_met_by_some_of_the_runs(script: ModuleType, runs: Path) -> None:
    write_json(runs / "results/metrics/toy/b-seed0.json", {"captured_fair": 5, "modes": 5})
    write_json(runs / "results/metrics/toy/b-seed1.json", {"captured_fair": 4, "modes": 5})
    write_json(runs / "results/metrics/toy/b-seed2.json", {"reverse_kl": None, "modes": 5})
    spec = script.Runs("toy/a-seed*", ("HQ ≥ 0.9349", "HQ ≤ 0.95", "fair ≥ 3"))
    assert script.numbers(runs, spec) == ["1 of 2", "2 of 2", "1 of 2"]
    spec = script.Runs("toy/b-seed[01]", ("fair ≥ modes",))
    assert script.numbers(runs, spec) == ["1 of 2"]
    # No good sample at all is no small divergence.
    assert script.numbers(runs, script.Runs("toy/b-seed2", ("reverse KL ≤ 9",))) == ["0 of 1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!-- table: nothing --><!-- end -->", "Received: nothing"),
        ("<!-- number: toy/b-seed* fair --><!-- end -->", "Received: toy/b-seed*"),
        ("<!-- number: toy/a-seed* fare --><!-- end -->", "Received: fare"),
        ("<!-- number: toy/a-seed* fair --> 2", "one <!-- end -->"),
        ("<!-- number: toy/a-seed* fair --> 2 <!-- end --> 3 <!-- end -->", "one <!-- end -->"),
        (
            "<!-- number: toy/a-seed* fair --> <!-- number: toy/a-seed* HQ --> <!-- end -->",
            "one <!-- end -->",
        ),
    ],
)
def test_a_wrong_mark_is_refused(script: ModuleType, runs: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        script.fill(runs, text)


def test_published_titles_are_those_of_the_commands(script: ModuleType) -> None:
    published = sys.modules["published"]
    extra = {column.title for column in published.EXTRA_COLUMNS}
    shown = {
        title
        for table in published.TABLES.values()
        for row in table.rows
        for part in row
        if isinstance(part, published.Runs)
        for title in part.titles
        for title in re.split(" [≥≤] ", title)[: 2 if title.endswith("modes") else 1]
    }
    assert extra.isdisjoint(column.title for column in columns())
    assert shown - extra - {"seeds"} <= {column.title for column in columns()}


def test_every_metrics_file_is_shown(script: ModuleType) -> None:
    published = sys.modules["published"]
    pages = "".join(path.read_text() for path in script.pages(ROOT))
    patterns = set(re.findall(r"<!-- number: (\S+) ", pages))
    for name in re.findall(r"<!-- table: (\S+) -->", pages):
        for row in published.TABLES[name].rows:
            patterns |= {part.files for part in row if isinstance(part, published.Runs)}
    metrics = ROOT / "results" / "metrics"
    shown = {path for pattern in patterns for path in metrics.glob(f"{pattern}.json")}
    assert set(metrics.rglob("*.json")) - shown == set()


def results_pages() -> list[Path]:
    return sorted((ROOT / "results").rglob("*.md"))


@pytest.mark.parametrize("page", results_pages(), ids=lambda path: path.name)
def test_a_table_is_written_or_says_that_it_is_by_hand(page: Path) -> None:
    text = re.sub(r"<!-- table: .*?<!-- end -->", "", page.read_text(), flags=re.DOTALL)
    heads = re.findall(r"^.*\n.*\n *\|[^\n]*\n *\|[ |:-]+\|$", text, re.MULTILINE)
    assert [head for head in heads if not head.lstrip().startswith("<!-- by hand: ")] == []


@pytest.mark.parametrize("page", results_pages(), ids=lambda path: path.name)
def test_links_lead_to_files_and_sections(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        name, _, section = target.partition("#")
        path = (page.parent / name) if name else page
        assert path.exists(), target
        if section:
            titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert section in [title.lower().replace(" ", "-") for title in titles], target


def test_every_picture_is_shown() -> None:
    text = "".join(page.read_text() for page in [ROOT / "README.md", *results_pages()])
    pictures = (ROOT / "results" / "figures").iterdir()
    assert [path.name for path in pictures if f"figures/{path.name})" not in text] == []
