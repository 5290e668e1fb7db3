"""What type checkers see of the package, and that it is what there is."""

import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import logan
import logan.metrics

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted((ROOT / "tests" / "typed").glob("*.py"))


def names_for_type_checkers(module):
    """Public name -> (module, name there) of the imports below `if TYPE_CHECKING:`."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imports = [(node.module, alias) for node in block.body for alias in node.names]
    return {alias.asname: (home, alias.name) for home, alias in imports}


@pytest.mark.parametrize("module", [logan, logan.metrics], ids=lambda module: module.__name__)
def test_type_checkers_see_every_public_name_and_no_other(module):
    names = names_for_type_checkers(module)
    assert set(names) == set(module.__all__) - {"__version__"}
    for name, (home, original) in names.items():
        assert original == name
        origin = importlib.import_module(home)
        expected = getattr(origin, original, None)
        if expected is None or home == module.__name__:
            expected = importlib.import_module(f"{home}.{original}")
        assert getattr(module, name) is expected


def test_a_name_that_there_is_not_is_refused():
    for module in (logan, logan.metrics):
        with pytest.raises(AttributeError, match=f"'{module.__name__}' has no attribute 'trian'"):
            _ = module.trian


@pytest.mark.parametrize(
    "code",
    [
        "import logan; dir(logan)",
        "import logan; logan.metrics",
        "from logan import preset; preset('grid25')",
        "import logan; logan.Experiment()",
    ],
)
def test_names_load_tensorflow_only_when_it_is_needed(code):
    code += "; import sys; assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def python_blocks(path):
    return re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_documents_use_names_that_there_are():
    """Each `from logan… import …` and `logan.….…` of an example leads somewhere."""
    found = 0
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in python_blocks(path):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("logan"):
                    home = importlib.import_module(node.module)
                    for alias in node.names:
                        if not hasattr(home, alias.name):
                            importlib.import_module(f"{node.module}.{alias.name}")
                        found += 1
        for name in re.findall(r"\blogan\.([a-z_A-Z]+(?:\.[a-z_A-Z]+)*)\(", text):
            home = logan
            for part in name.split("."):
                home = getattr(home, part)
            found += 1
    assert found > 8


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_users_typed_program_is_checked(program, tmp_path_factory):
    """The types and faults that mypy --strict finds are those of the comments."""
    cache = tmp_path_factory.getbasetemp() / "mypy"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file=",
            "--strict",
            "--ignore-missing-imports",
            "--follow-imports=silent",
            f"--cache-dir={cache}",
            "--no-error-summary",
            "--hide-error-context",
            "--python-version=3.11",
            program,
        ],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=program.parent,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        check=False,
    )
    assert not done.stderr
    reported = {}
    for line in done.stdout.splitlines():
        number, kind, message = re.fullmatch(r"[^:]+:(\d+): (\w+): (.*)", line).groups()
        reported.setdefault(int(number), []).append((kind, message))
    lines = program.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        found = reported.pop(number, [])
        comment = line.partition("  # ")[2]
        if line.lstrip().startswith("reveal_type("):
            ((kind, message),) = found
            revealed = re.fullmatch(r'Revealed type is "(.*)"', message)[1].replace("builtins.", "")
            assert kind == "note"
            fallback = re.search(r"fallback=([\w.]+)", revealed)  # of a named tuple
            assert (fallback[1] if fallback else revealed).startswith(comment), line
        elif comment.startswith("error: "):
            assert any(message.endswith(f"[{comment[7:]}]") for _, message in found), (line, found)
        else:
            assert not found, (line, found)
    assert not reported
