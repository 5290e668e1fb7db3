"""How every command ends: exit codes, and what is printed of errors, real ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import logan
from logan.cli.command import _guarded, given_path
from logan.errors import UserError
from logan.settings import PRESETS

NAME = ["/somewhere/logan-train"]


def write_to_full_disk():
    """The kernel's own device without space."""
    Path("/dev/full").write_bytes(b"x")


def allocate_8_tebibytes():
    tf.fill([2**41], 0.0)


def allocate_under_xla():
    tf.function(lambda: tf.reduce_sum(tf.random.uniform([2**41])), jit_compile=True)()


def write_events_to_full_disk(folder):
    full = folder / "full"
    full.symlink_to("/dev/full")
    with tf.io.TFRecordWriter(str(full)) as writer:
        writer.write(b"x" * 10_000)
        writer.flush()


def fail():
    raise UserError("--steps: expected a number")


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("work", "code", "text"),
    [
        (lambda: None, 0, ""),
        (lambda: 130, 130, ""),
        (fail, 2, "logan-train: --steps: expected a number\n"),
        (interrupt, 130, "logan-train: interrupted\n"),
        (write_to_full_disk, 2, "logan-train: no space left on the disk of --workdir"),
    ],
)
def test_exit_code_and_what_is_printed(capfd, work, code, text):
    assert _guarded(work, NAME) == code
    printed = capfd.readouterr().err
    lines = [line for line in printed.splitlines(keepends=True) if line.startswith("logan-train")]
    assert "".join(lines).startswith(text)
    assert bool(lines) == bool(text)


def test_path_of_the_wrong_kind_is_named(capfd, tmp_path):
    (tmp_path / "file").touch()
    for work in (
        lambda: (tmp_path / "file").mkdir(),
        lambda: (tmp_path / "file" / "run").mkdir(),
        lambda: tmp_path.write_text("text"),
    ):
        assert _guarded(work, NAME) == 2
        assert capfd.readouterr().err.startswith(f"logan-train: {tmp_path}")


def test_tilde_of_a_flag_is_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert given_path("~/runs/a") == tmp_path / "runs" / "a"
    assert str(given_path("runs/~a")) == "runs/~a"
    assert given_path(None, tmp_path) == tmp_path


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_what_may_not_be_read_is_named(capfd, open_folder, without_privileges):
    locked = open_folder / "locked"
    locked.mkdir(mode=0)
    with without_privileges():
        assert _guarded(lambda: (locked / "flags.txt").read_text(), NAME) == 2
    locked.chmod(0o700)
    assert capfd.readouterr().err == f"logan-train: no permission for {locked}/flags.txt\n"


def test_full_disk_is_named_when_tensorflow_meets_it(capfd, tmp_path):
    assert _guarded(lambda: write_events_to_full_disk(tmp_path), NAME) == 2
    assert "no space left on the disk" in capfd.readouterr().err


# TensorFlow waits ten seconds for memory to become free.
@pytest.mark.parametrize(
    "work", [allocate_8_tebibytes, pytest.param(allocate_under_xla, marks=pytest.mark.slow)]
)
def test_what_was_too_big_is_told(capfd, work):
    assert _guarded(work, NAME) == 2
    printed = capfd.readouterr().err
    assert "logan-train: out of memory. Lower --batch_size" in printed
    if work is allocate_8_tebibytes:
        assert "shape[2199023255552]" in printed


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        _guarded(lambda: 1 // 0, NAME)


def test_arguments_that_are_no_flags_are_refused(capfd):
    assert _guarded(os.getpid, [*NAME, "ring8"]) == 2
    assert "expected flags only" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"--steps=many\n", "flag --steps=many: expected a whole number"),
        (b"--steps=5\xff\n", "--flagfile: expected a text file of flags"),
        (b"--" + b"x" * 10**5, "--flagfile: expected a text file of flags"),
        (b"--nosuch=1\n", "Unknown command line flag 'nosuch'"),
        (None, "Unable to open flagfile"),
    ],
)
def test_bad_flagfile_is_told_on_one_line(tmp_path, content, text):
    if content is not None:
        (tmp_path / "flags.txt").write_bytes(content)
    command = [Path(sys.executable).parent / "logan-train", f"--flagfile={tmp_path}/flags.txt"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


SCRIPTS = sorted(
    line.partition("=")[0].strip()
    for line in (Path(__file__).parents[2] / "setup.cfg").read_text(encoding="utf-8").splitlines()
    if line.strip().startswith("logan-")
)


@pytest.mark.parametrize("command", SCRIPTS)
def test_every_command_tells_its_version_and_its_flags(command):
    assert len(SCRIPTS) == 10

    def printed(flag):
        path = Path(sys.executable).parent / command
        done = subprocess.run([path, flag], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    assert printed("--version") == f"{command} {logan.__version__}\n"
    text = printed("-h")
    assert text == printed("--help")
    assert "--[no]version:" in text
    assert command in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_flags_and_names(tmp_path):
    code = [sys.executable, "-m", "logan.cli.completion"]
    script = subprocess.run(code, capture_output=True, text=True, timeout=60, check=True).stdout
    assert [f"complete -o default -F _logan_{name.removeprefix('logan-')} {name}" in script
            for name in SCRIPTS] == [True] * len(SCRIPTS)  # fmt: skip

    def completed(command, *words):
        call = "COMP_WORDS=({}); COMP_CWORD={}; _logan_{}; echo ${{COMPREPLY[*]}}".format(
            " ".join(words), len(words) - 1, command
        )
        done = subprocess.run(["bash", "-c", script + "\n" + call], capture_output=True, text=True)
        return done.stdout.split()

    assert completed("train", "logan-train", "--exp") == ["--experiment="]
    assert completed("train", "logan-train", "--experiment", "=") == list(PRESETS)
    assert completed("train", "logan-train", "--experiment", "=", "ring") == ["ring8", "ring16"]
    assert completed("train", "logan-train", "--noj") == ["--nojit"]
    assert completed("evaluate", "logan-evaluate", "--weights", "=", "b") == ["best"]
    assert completed("evaluate", "logan-evaluate", "--workdir", "=", "ru") == []
