"""Parts by name: loading, settings, and files that register parts from outside."""

import sys
from fractions import Fraction

import pytest

from logan.errors import UserError
from logan.registry import Entry, Part, Registry, load_plugins, parse_part


def bent(x, *, angle=90, side="left"):
    return x, angle, side


def straight(x):
    return x


@pytest.fixture
def lines():
    """Of two kinds of line, the second not loaded yet."""
    registry = Registry("line", {"dashed": Entry("fractions:Fraction", "with gaps")})
    registry.register("bent", Entry(text="with an angle"))(bent)
    registry.register("straight", Entry())(straight)
    return registry


# Registries.


def test_registry_is_a_mapping_of_entries_in_their_order(lines):
    assert list(lines) == ["dashed", "bent", "straight"]
    assert lines["bent"].text == "with an angle"
    assert "curved" not in lines


def test_part_is_imported_from_where_its_entry_says(lines):
    assert lines.load("dashed") is Fraction
    assert lines.load("bent") is bent


def test_register_replaces_and_gives_the_part_back(lines):
    assert lines.register("dashed", Entry(text="anew"))(straight) is straight
    assert lines.load("dashed") is straight
    assert list(lines) == ["dashed", "bent", "straight"]
    lines.add("bent", Entry("fractions:Fraction"))
    assert lines.load("bent") is not bent
    lines.remove("bent")
    assert list(lines) == ["dashed", "straight"]


@pytest.mark.parametrize("use", ["check", "load", "bind"])
def test_unknown_name_is_refused_with_flag_and_near_names(lines, use):
    message = r"--line: expected one of dashed, bent, straight\. Received: 'strait'\. .* straight\?"
    with pytest.raises(UserError, match=message):
        getattr(lines, use)("strait")
    with pytest.raises(UserError, match=r"Received: 'xyz'\.$"):
        getattr(lines, use)("xyz")


def test_settings_of_a_text_are_bound(lines):
    assert lines.bind("bent")("x") == ("x", 90, "left")
    assert lines.bind("bent:angle=30:side=right")("x") == ("x", 30, "right")
    assert lines.bind("straight") is straight


def test_setting_that_a_part_does_not_have_is_refused_with_those_that_it_has(lines):
    with pytest.raises(UserError, match=r"--line: expected one of angle, side with bent.*: length"):
        lines.bind("bent:length=3")
    with pytest.raises(UserError, match=r"--line: expected no settings with straight.*: angle"):
        lines.bind("straight:angle=3")
    with pytest.raises(UserError, match=r"Received: x$"):  # what it is called with is no setting
        lines.bind("bent:x=3")


# Texts.


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("bent", {}),
        ("bent:angle=30", {"angle": 30}),
        ("bent:angle=-1.5e-3:side=left", {"angle": -1.5e-3, "side": "left"}),
        ("bent:closed=true:filled=false", {"closed": True, "filled": False}),
        ("bent:side=None", {"side": "None"}),
        ("bent:side=[1]", {"side": "[1]"}),
        ("bent:side=a=b", {"side": "a=b"}),
    ],
)
def test_name_and_settings_of_a_text(text, settings):
    part = parse_part(text, "line")
    assert part == Part("bent", settings)
    assert list(map(type, part.settings.values())) == list(map(type, settings.values()))


@pytest.mark.parametrize("text", ["bent:", "bent:angle", "bent:angle=", "bent:=3", "bent:a b=3"])
def test_text_of_another_form_is_refused(text):
    with pytest.raises(UserError, match=f"--line: expected name:setting=value.*{text!r}"):
        parse_part(text, "line")


# Plugins.


@pytest.fixture
def plugin(tmp_path):
    """A file that adds a line to another one whenever it runs."""
    path = tmp_path / "plugin.py"
    trace = tmp_path / "trace.txt"
    path.write_text(f"with open({str(trace)!r}, 'a') as file:\n    file.write('run ')\n")
    return path, trace


def test_plugin_runs_once_however_it_is_named(plugin, monkeypatch, tmp_path):
    path, trace = plugin
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    load_plugins([str(path), "plugin.py"])
    load_plugins(["~/plugin.py", "./plugin.py"])
    assert trace.read_text() == "run "


def test_plugins_run_in_their_order(tmp_path):
    for name in "ab":
        text = f"import sys\nsys.modules.setdefault('order', []).append({name!r})\n"
        (tmp_path / f"{name}.py").write_text(text)
    load_plugins([str(tmp_path / "b.py"), str(tmp_path / "a.py")])
    assert sys.modules.pop("order") == ["b", "a"]


@pytest.mark.parametrize("name", ["none.py", "folder.py", "plugin.txt"])
def test_plugin_that_is_no_python_file_is_refused(tmp_path, name):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "plugin.txt").touch()
    with pytest.raises(UserError, match=f"--plugins: expected Python files.*{name}"):
        load_plugins([str(tmp_path / name)])


@pytest.mark.parametrize(
    ("text", "told"), [("1 / 0", "ZeroDivisionError"), ("1 +", "SyntaxError"), ("x", "'x'")]
)
def test_plugin_that_fails_is_named_and_runs_again(tmp_path, text, told):
    path = tmp_path / "plugin.py"
    path.write_text(text)
    with pytest.raises(UserError, match=f"--plugins: .*plugin.py failed: .*{told}"):
        load_plugins([str(path)])
    path.write_text("")
    load_plugins([str(path)])
