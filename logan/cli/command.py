"""What every command shares: parsing flags, threads, and errors on one line."""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from absl import app, flags, logging

from logan import __version__, environment
from logan.errors import UserError
from logan.extractors import check_classifier, check_extractor
from logan.registry import load_plugins, parse_part
from logan.settings.names import EXTRACTORS, SAMPLERS

FLAGS = flags.FLAGS
FAILED = 2  # exit code: a user's mistake
INTERRUPTED = 130  # exit code: stopped by Ctrl-C, as shells have it


def run(text: str, define: Callable[[], None], main: Callable[[], int | None]) -> None:
    """Runs one command and exits with its code.

    Args:
        text: what the command does, for --help.
        define: defines its flags.
        main: the work; returns an exit code, None for 0.
    """
    environment.set_up()
    # TensorFlow's C++ errors come as exceptions as well.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.set_verbosity(logging.WARNING)
    define()
    for answer in (_Help(), _Version()):
        flags.DEFINE_flag(answer, module_name="logan.cli")
    # absl's own --help leaves with exit code 1.
    sys.argv[1:] = ["-h" if argument == "--help" else argument for argument in sys.argv[1:]]
    # absl takes both the help text and the flags worth showing from the main module, which for
    # an installed command is a generated script without either.
    sys.modules["__main__"].__doc__ = text
    for flag in FLAGS.flags_by_module_dict().get("logan.cli", []):
        FLAGS.register_key_flag_for_module(sys.argv[0], flag)
    app.run(lambda arguments: sys.exit(_guarded(main, arguments)), flags_parser=_parsed_or_exit)


class _Help(flags.BooleanFlag):
    """-h and --help."""

    def __init__(self) -> None:
        super().__init__("h", False, "Show this help and exit, as --help.")

    def parse(self, argument: Any) -> None:
        if self._parse(argument):
            app.usage(shorthelp=True, writeto_stdout=True)
            sys.exit(0)


class _Version(flags.BooleanFlag):
    """--version."""

    def __init__(self) -> None:
        super().__init__("version", False, "Print the version and exit.")

    def parse(self, argument: Any) -> None:
        if self._parse(argument):
            print(f"{_name(sys.argv)} {__version__}")
            sys.exit(0)


def parse_flags(arguments: list[str]) -> list[str]:
    """Sets the flags, those of a --flagfile too, and returns what is left over.

    Raises:
        UserError: if they are not as they should be.
    """
    try:
        return FLAGS(arguments)
    except flags.Error as error:
        raise UserError(str(error)) from error
    # absl's own reader of flag files knows text only, and looks for near names by recursion.
    except (UnicodeDecodeError, RecursionError) as error:
        raise UserError(
            f"--flagfile: expected a text file of flags, one on each line. Received: {error}"
        ) from error


def _parsed_or_exit(arguments: list[str]) -> list[str]:
    try:
        return parse_flags(arguments)
    except UserError as error:
        print(f"{_name(arguments)}: {error} (--help shows the flags)", file=sys.stderr)
        sys.exit(FAILED)


def _name(arguments: list[str]) -> str:
    return os.path.basename(arguments[0])  # noqa: PTH119


def _guarded(main: Callable[[], int | None], arguments: list[str]) -> int:
    name = _name(arguments)
    try:
        if arguments[1:]:
            raise UserError(f"expected flags only, --name=value. Received: {arguments[1]!r}")
        return main() or 0
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return FAILED
    except Exception as error:
        text = _shortage(error)
        if text is None:
            raise
        print(f"{name}: {text}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _shortage(error: Exception) -> str | None:
    """What to tell of an error for want of disk, memory or rights; None of any other error."""
    said = str(error).strip()
    # TensorFlow has one error for both.
    is_exhausted = type(error).__name__ == "ResourceExhaustedError"
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or (is_exhausted and "No space left" in said):
        return (
            "no space left on the disk of --workdir, or of the .cache beside it. Nothing that was "
            "complete is lost: with more space the same command goes on from there"
        )
    if number in (errno.EACCES, errno.EPERM):
        return f"no permission for {getattr(error, 'filename', None) or said}"
    if number in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
        return f"{getattr(error, 'filename', None)}: {getattr(error, 'strerror', said)}"
    if number == errno.EROFS:
        return f"the file system of {error.filename} is read-only"  # type: ignore[attr-defined]
    if isinstance(error, MemoryError) or is_exhausted or "Out of memory" in said:
        return (
            "out of memory. Lower --batch_size, --width or --image_size, or take "
            f"--precision=bfloat16. {_line_on_memory(said)}"
        )
    return None


def _line_on_memory(text: str) -> str:
    """Of TensorFlow's many lines the one that says what was too big."""
    lines = text.splitlines()
    return next((line.strip() for line in lines if "alloc" in line.lower()), "")


def define_threads() -> None:
    flags.DEFINE_integer(
        "threads",
        0,
        "Number of CPU threads. 0: one for each core. Use 1 when runs share a machine.",
        lower_bound=0,
        module_name="logan.cli",
    )


def define_sampler() -> None:
    flags.DEFINE_string(
        "sampler",
        None,
        "How to sample from the generator, with settings if any: name:setting=value. One of "
        f"{', '.join(SAMPLERS)}. Default: as the run's own --sampler says, plain unless its method "
        "has another one.",
        module_name="logan.cli",
    )


def define_weights() -> None:
    flags.DEFINE_enum(
        "weights",
        None,
        ["best", "last"],
        "Which averaged weights: best, those that reconstructed held-out samples best; last, those "
        "of the end. Default: as the run was trained with, best unless it says otherwise.",
        module_name="logan.cli",
    )


def given_sampler() -> str | None:
    """--sampler, None if it was not given.

    Raises:
        UserError: if there is none of its name.
    """
    if FLAGS.sampler is not None:
        SAMPLERS.check(parse_part(FLAGS.sampler, SAMPLERS.kind).name)
    return FLAGS.sampler


def define_samples() -> None:
    flags.DEFINE_integer(
        "samples",
        None,
        "Number of generated samples to measure. Default: 10,000 of toy data, 5,000 of images, "
        "50,000 of stacked_mnist.",
        lower_bound=1,
        module_name="logan.cli",
    )


def define_extractor() -> None:
    """Defines --extractor and --extractor_weights."""
    flags.DEFINE_string(
        "extractor",
        "random",
        f"Network whose features of images are compared. One of {', '.join(EXTRACTORS)}, or the "
        "path of a Keras model: PATH.keras, PATH.keras:layer=NAME:range=0..255. Only fid gives FID "
        "and KID; none leaves features out.",
        module_name="logan.cli",
    )
    flags.DEFINE_string(
        "extractor_weights",
        None,
        "File of weights: classify_image_graph_def.pb of 2015 for fid, .h5 for squeezenet, .h5 or "
        ".keras for inception, which fetches Keras's own without.",
        module_name="logan.cli",
    )


def given_extractor() -> tuple[str, Path | None]:
    """--extractor and --extractor_weights, as `logan.extractors.make_extractor` takes them.

    Raises:
        UserError: on what can be seen to be wrong without loading a network.
    """
    weights = given_path(FLAGS.extractor_weights) if FLAGS.extractor_weights else None
    check_extractor(FLAGS.extractor, weights)
    return FLAGS.extractor, weights


def define_classifier() -> None:
    flags.DEFINE_string(
        "classifier",
        "",
        "Path of a Keras model, .keras, that tells the classes of images, as logan-classifier "
        "trains one; of stacked_mnist the digits. none leaves out what needs it. Default: the "
        "--extractor, if it is such a model.",
        module_name="logan.cli",
    )


def given_classifier() -> str:
    """--classifier, as `logan.extractors.classifiers.make_classifier` takes it.

    Raises:
        UserError: if it is no Keras model.
    """
    check_classifier(FLAGS.classifier)
    return FLAGS.classifier


def define_workdir(text: str = "The run's folder. Required.") -> None:
    flags.DEFINE_string("workdir", None, text, module_name="logan.cli")


def define_output(text: str) -> None:
    flags.DEFINE_string("output", None, text, module_name="logan.cli")


def define_plugins(kind: str) -> None:
    flags.DEFINE_list(
        "plugins",
        [],
        f"Python files to run first, which may register {kind}, comma-separated. Those that the "
        "run was trained with run by themselves.",
        module_name="logan.cli",
    )


def load_given_plugins() -> None:
    """Runs the files of --plugins.

    Raises:
        UserError: if one is not there, or fails.
    """
    load_plugins(FLAGS.plugins)


def start_tensorflow() -> None:
    """Imports TensorFlow without its greetings and applies --threads."""
    with _silent_standard_error():
        import tensorflow as tf
    if FLAGS.threads:
        tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
        tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)


@contextlib.contextmanager
def _silent_standard_error() -> Iterator[None]:
    """Drops what is written to file descriptor 2: the greetings come before any log setting."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def given_path(text: str | None, default: Path = Path()) -> Path:
    """A path of a flag, its tilde replaced, which shells leave in `--flag=~/…`; or the default.

    Raises:
        UserError: on a tilde of nobody's home.
    """
    if not text:
        return default
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"expected a path without ~ where there is no home. Received: {text}"
        ) from error


def required_workdir() -> Path:
    """--workdir.

    Raises:
        UserError: if it was not given.
    """
    if not FLAGS.workdir:
        raise UserError("--workdir: expected the folder of a run. Received: nothing")
    return given_path(FLAGS.workdir)
