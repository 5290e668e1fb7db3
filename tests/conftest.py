"""Settings of the test session, made before TensorFlow is imported, and what many tests need."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The networks of the tests are tiny: more threads would only wait for each other.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# Files of minutes start first, so that no worker is left alone with one at the end.
LONGEST = ("test_commands.py", "test_training.py", "test_distribution.py", "test_plugins.py")


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@contextlib.contextmanager
def _without_privileges():
    """A block without the rights of root, who may read everything; nothing new for anyone else."""
    if os.getuid() != 0:
        yield
        return
    nobody = 65534
    os.setresuid(nobody, nobody, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def without_privileges():
    return _without_privileges


@pytest.fixture
def open_folder():
    """A folder that everybody may enter, unlike those of `tmp_path`."""
    folder = Path(tempfile.mkdtemp(prefix="logan-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
