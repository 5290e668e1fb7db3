"""What a shell, a notebook or Keras's own file of settings must not change about the commands.

Nothing here imports Keras, TensorFlow or matplotlib: it has to be called before they are.
"""

import atexit
import codecs
import contextlib
import json
import locale
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["given_backend", "keras_folder", "set_up", "write_any_character"]

# As Keras has them unasked, and as every published number was made.
_KERAS_SETTINGS: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "nnx_enabled": False,
}
# Of Keras's own folder, what it fetches: to be found again.
_KERAS_DOWNLOADS = ("models", "datasets")


def set_up() -> None:
    """Gives a command the environment that it needs; to be called before anything else.

    Whatever Keras and matplotlib were told elsewhere, results are the same, number for number.
    """
    _read_and_write_utf8()
    for name in list(os.environ):
        # KERAS_MAX_EPOCHS, for one, ends a training after so many lines of its log.
        if name.startswith("KERAS_") and name != "KERAS_HOME":
            del os.environ[name]
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    # A notebook's own one is known to the notebook's Python only. No command opens a window.
    os.environ["MPLBACKEND"] = "agg"
    if not _has_usual_settings(keras_folder() / "keras.json"):
        os.environ["KERAS_HOME"] = str(_folder_without_settings(keras_folder()))
    write_any_character()


def write_any_character() -> None:
    r"""Lets standard output take what its encoding lacks: as \u2192, in place of an error.

    Also names of files that are not text in the file system's encoding.
    """
    for stream in (sys.stdout, sys.stderr):
        # None where the shell closed it; something else under a test or in a notebook.
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _read_and_write_utf8() -> None:
    """Starts Python again where names of files and text files would not be UTF-8 to it.

    What is printed stays in the encoding that was asked for.
    """
    encoding = locale.getpreferredencoding(do_setlocale=False)
    if sys.flags.utf8_mode or codecs.lookup(encoding).name == "utf-8":
        return
    if sys.stdout is not None:
        os.environ["PYTHONIOENCODING"] = f"{sys.stdout.encoding}:backslashreplace"
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def keras_folder() -> Path:
    """Where Keras looks for keras.json and keeps what it fetches."""
    if "KERAS_HOME" in os.environ:
        return Path(os.path.expanduser(os.environ["KERAS_HOME"]))  # noqa: PTH111
    home = os.path.expanduser("~")  # noqa: PTH111  Path.home() raises where there is none
    return Path(home if os.access(home, os.W_OK) else "/tmp") / ".keras"


def given_backend() -> tuple[str, str]:
    """The backend that Keras has, or will have once it is imported, and who says so."""
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "config"):
        return str(keras.config.backend()), "as Keras was imported with"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "of the environment variable KERAS_BACKEND"
    path = keras_folder() / "keras.json"
    settings = _settings_in(path)
    named = settings.get("backend") if isinstance(settings, dict) else None
    return str(named or "tensorflow"), f"of {path}"


def _settings_in(path: Path) -> Any:
    """What keras.json holds; nothing where Keras would see none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    except OSError:
        return None  # one that cannot be read; Keras would fail


def _has_usual_settings(path: Path) -> bool:
    settings = _settings_in(path)
    return isinstance(settings, dict) and all(
        settings.get(name, usual) == usual and type(settings.get(name, usual)) is type(usual)
        for name, usual in _KERAS_SETTINGS.items()
    )


def _folder_without_settings(usual: Path) -> Path:
    """A folder for Keras that leads to what it fetched before, but has no keras.json.

    Settings that Keras refuses would keep it from being imported at all.
    """
    folder = Path(tempfile.mkdtemp(prefix="logan-keras-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in _KERAS_DOWNLOADS:
        with contextlib.suppress(OSError):
            (usual / name).mkdir(exist_ok=True)
            (folder / name).symlink_to((usual / name).absolute())
    return folder
