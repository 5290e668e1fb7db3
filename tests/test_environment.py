"""Settings of a shell, a notebook or keras.json that reach into the commands and the library."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from logan import environment
from logan.files import read_json, write_json, write_text
from logan.runs import Run

COMMANDS = Path(sys.executable).parent
TINY = [
    "--experiment=ring8", "--width=8", "--hidden_layers=1", "--batch_size=32", "--steps=4",
    "--log_every=2", "--threads=1",
]  # fmt: skip
ODD_KERAS = dict(backend="jax", floatx="float16", epsilon=1e-3, image_data_format="channels_first")
REFUSED_BY_KERAS = dict(backend="torch", floatx="bfloat16", epsilon=1)
# Python takes these to mean an ASCII file system and ASCII text files.
ASCII = dict(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    """So that no test finds or leaves settings in the tester's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME", raising=False)


def keras_home(folder: Path, settings: dict) -> str:
    folder.mkdir()
    (folder / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    return str(folder)


def call(command, *arguments, cwd, **variables):
    """What it printed, after an end without complaint."""
    done = subprocess.run(
        [COMMANDS / command, *arguments],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    return done.stdout


def log_of(run: Path) -> list[dict]:
    records = map(json.loads, (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
    return [{name: value for name, value in one.items() if name != "seconds"} for one in records]


@pytest.mark.slow
def test_commands_compute_the_same_in_any_environment(tmp_path):
    """A notebook's shell and keras.json of another project; settings that Keras refuses; no home.

    Each is used by several commands: numbers, tables, pictures.
    """
    environments = {
        "usual": {},
        "notebook": dict(
            MPLBACKEND="module://matplotlib_inline.backend_inline",
            KERAS_BACKEND="torch",
            KERAS_HOME=keras_home(tmp_path / "odd keras", ODD_KERAS),
            KERAS_MAX_EPOCHS="1",
            TF_USE_LEGACY_KERAS="1",
            TF_CONFIG="{",
            PYTHONIOENCODING="ascii",
            TERM="dumb",
        ),
        "refused": dict(
            MPLBACKEND="no_such_backend",
            KERAS_HOME=keras_home(tmp_path / "refused keras", REFUSED_BY_KERAS),
            MPLCONFIGDIR="/dev/null/matplotlib",
            HOME="/dev/null",
            **ASCII,
        ),
    }
    for name, variables in environments.items():
        call("logan-train", *TINY, f"--workdir={name}", cwd=tmp_path, **variables)
    logs = [log_of(tmp_path / name) for name in environments]
    assert [record["step"] for record in logs[0]] == [2, 4]
    assert logs[1] == logs[0]
    assert logs[2] == logs[0]

    odd = environments["notebook"]
    printed = call("logan-evaluate", "--workdir=notebook", cwd=tmp_path, **odd).decode("ascii")
    assert "within 3\\u03c3 of the nearest centre" in printed
    refused = environments["refused"]
    call("logan-visualize", "--workdir=refused", cwd=tmp_path, **refused).decode("ascii")
    with Image.open(tmp_path / "refused" / "figures" / "samples.png") as picture:
        assert picture.size > (100, 100)


def write_pictures(folder: Path, count: int) -> None:
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3), np.uint8)
    for index, each in enumerate(pixels):
        Image.fromarray(each).save(folder / f"müll {index}.png")


def test_names_of_files_in_any_encoding(tmp_path):
    """Letters that ASCII lacks, and bytes that are no UTF-8, as old archives do."""
    sources = ["снимки", os.fsdecode(b"caf\xe9")]
    for name in sources:
        write_pictures(tmp_path / name, 20)
    printed = call(
        "logan-measure", f"--real={sources[0]}", f"--generated={sources[1]}", "--output=found",
        "--extractor=none", cwd=tmp_path, **ASCII,
    )  # fmt: skip
    assert printed.isascii()
    assert (tmp_path / "found" / "report.html").read_text(encoding="utf-8")
    images = ["--experiment=images", "--image_size=8", "--width=4", "--latent_length=4"]
    images += ["--batch_size=4", "--steps=2", "--log_every=2", "--snapshots=0", "--nojit"]
    call("logan-train", *images, f"--data={sources[1]}", "--workdir=run", cwd=tmp_path, **ASCII)
    assert Run.open(tmp_path / "run").experiment.data == str(tmp_path / sources[1])
    assert os.fsencode(sources[1]) in (tmp_path / "run" / "flags.txt").read_bytes()

    done = subprocess.run(
        [COMMANDS / "logan-train", *TINY, f"--workdir={sources[1]}-run"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "logan-train: --workdir: expected a name in UTF-8. Received: " + (
        r"'caf\udce9-run'" + "\n"
    )


def test_files_take_names_that_are_not_text(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    write_text(tmp_path / "a.csv", f"{name}, σ")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == r"caf\udce9, σ"
    write_json(tmp_path / "a.json", [name, "σ"])
    assert read_json(tmp_path / "a.json") == [name, "σ"]


# What the library says to a user's own program, whose Keras it leaves alone.


def python(code: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_importing_the_package_loads_and_changes_nothing():
    code = (
        "import os, sys; before = dict(os.environ); import logan; assert os.environ == before; "
        "print({'keras', 'tensorflow', 'matplotlib', 'numpy'} & set(sys.modules))"
    )
    done = python(code, KERAS_BACKEND="jax", MPLBACKEND="no_such_backend")
    assert done.stdout == "set()\n", done.stderr


@pytest.mark.parametrize(
    "first", ["from logan import BiGAN", "from logan.penalties import pairwise_gradient_penalty",
              "from logan.networks import mlp", "import logan; logan.train",
              "import logan.density_ratio", "from logan.terms import PairwisePenalty"],
)  # fmt: skip
def test_another_backend_is_refused_before_keras_looks_for_it(first):
    done = python(first, KERAS_BACKEND="jax")
    assert done.stderr.splitlines()[-1] == (
        "logan.errors.UserError: logan needs Keras with the TensorFlow backend: set the "
        "environment variable KERAS_BACKEND=tensorflow before Keras is imported. Received: jax, "
        "of the environment variable KERAS_BACKEND"
    )


def test_backend_of_keras_json_is_named_with_its_file(monkeypatch, tmp_path):
    folder = keras_home(tmp_path / "odd", ODD_KERAS)
    monkeypatch.setenv("KERAS_HOME", folder)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    assert environment.given_backend() == ("jax", f"of {folder}/keras.json")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert environment.given_backend()[0] == "torch"
    monkeypatch.setenv("KERAS_BACKEND", "")
    (Path(folder) / "keras.json").write_text("{", encoding="utf-8")
    assert environment.given_backend()[0] == "tensorflow"


@pytest.fixture
def foreign_keras():
    """Keras as another program may have set it, and back."""
    import keras

    config = keras.config
    kept = config.floatx(), config.image_data_format(), config.dtype_policy()

    def set_to(floatx, layout):
        config.set_floatx(floatx)
        config.set_image_data_format(layout)
        config.set_dtype_policy(floatx)

    yield set_to
    set_to(*kept[:2])
    config.set_dtype_policy(kept[2])


@pytest.mark.parametrize("floatx", ["float16", "float64"])
def test_our_networks_stay_as_they_are_and_keras_as_it_was(foreign_keras, floatx):
    import keras

    from logan.networks import convolutional, mlp

    def outputs():
        keras.utils.set_random_seed(0)
        z = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
        generator = convolutional.Generator((8, 8, 3), 4, width=4)
        encoder = convolutional.Encoder((8, 8, 3), 4, width=4)
        x = generator(z)
        return [x, encoder(x), mlp.Discriminator((4,), 4, width=8)(z, z)]

    usual = outputs()
    foreign_keras(floatx, "channels_first")
    found = outputs()
    for one, other in zip(usual, found, strict=True):
        assert other.dtype == "float32"
        np.testing.assert_array_equal(one, other)
    assert keras.config.floatx() == floatx
    assert keras.config.image_data_format() == "channels_first"
    assert keras.config.dtype_policy().name == floatx


def test_own_networks_need_floatx_float32_and_are_told_so(foreign_keras):
    from logan import GAN
    from logan.errors import UserError
    from logan.networks import mlp

    networks = mlp.Generator((2,), 2, width=8), mlp.Discriminator((2,), 0, width=8)
    foreign_keras("float64", "channels_last")
    with pytest.raises(UserError, match=r"floatx to be float32.*set_floatx.*Received: float64"):
        GAN(*networks)
    foreign_keras("float32", "channels_first")
    assert GAN(*networks).generator is networks[0]


def test_training_from_a_program_is_that_of_the_command(foreign_keras, tmp_path):
    import dataclasses

    import keras

    from logan import evaluate, preset, train

    experiment = dataclasses.replace(
        preset("ring8"), width=8, hidden_layers=1, batch_size=32, steps=2, log_every=2
    )
    # Compiled: TensorFlow's graphs alone are not exact from run to run.
    train(experiment, tmp_path / "usual", show_progress=False)
    foreign_keras("float64", "channels_first")
    train(experiment, tmp_path / "foreign", show_progress=False)
    assert log_of(tmp_path / "foreign") == log_of(tmp_path / "usual")
    metrics = evaluate(Run.open(tmp_path / "foreign"))[0]
    assert metrics["step"] == 2
    assert keras.config.floatx() == "float64"
