"""A few hundred random files through every reader that works without TensorFlow's start."""

import subprocess
import sys
from pathlib import Path

import pytest

from logan.files import read_json

SCRIPT = Path(__file__).parent / "campaigns" / "fuzz_readers.py"
QUICK = [
    "pictures", "an archive of pictures", "video", "CelebA's partition file", "CelebA's archive",
    "CIFAR-10's batches", "CIFAR-10's archive", "MNIST's files", "frame cache", "flags of a run",
    "flagfile",
]  # fmt: skip


def fuzz(folder, inputs, readers=()):
    """The counts of outcomes by reader."""
    command = [sys.executable, SCRIPT, f"--inputs={inputs}", f"--folder={folder}"]
    if readers:
        command.append(f"--readers={','.join(readers)}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: found["counts"] for name, found in read_json(folder / "fuzz.json").items()}


def test_readers_read_or_refuse_random_files(tmp_path):
    counts = fuzz(tmp_path / "fuzz", 40, QUICK)
    assert list(counts) == QUICK
    for reader, outcomes in counts.items():
        assert sum(outcomes.values()) == 40, reader
        # A cache is made anew whatever is in it; of everything else some is refused.
        assert bool(outcomes.get("refused")) == (reader != "frame cache")


@pytest.mark.slow
def test_readers_read_or_refuse_many_random_files(tmp_path):
    counts = fuzz(tmp_path / "fuzz", 500)
    assert all(sum(outcomes.values()) == 500 for outcomes in counts.values())
