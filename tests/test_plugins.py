"""Parts from outside of the package, used by name through the command line."""

import json
import subprocess
import sys
from pathlib import Path

PLUGIN = """
import dataclasses

import keras
import tensorflow as tf

from logan.losses import AdversarialLosses
from logan.settings import LOSSES, METHODS, TERMS, Method
from logan.settings.names import LossEntry, TermEntry
from logan.terms import Term


@TERMS.register("small_logits", TermEntry(text="mean square of D's logits"))
@keras.saving.register_keras_serializable(package="plugin")
@dataclasses.dataclass(frozen=True)
class SmallLogits(Term):
    log_names = ("square",)

    def __call__(self, update):
        square = tf.reduce_mean(update.discriminator(*update.compared.real) ** 2)
        return self.weight * square, {"square": square}


@LOSSES.register("difference", LossEntry(text="logistic in both directions"))
def difference(real, fake, *, scale=1.0):
    gap = scale * tf.reduce_mean(fake - real)
    return AdversarialLosses(tf.math.softplus(gap), tf.math.softplus(-gap))


METHODS.add("mine", Method(text="of the plugin", settings=dict(loss="difference:scale=0.5")))
"""
TINY = ["--width=8", "--hidden_layers=1", "--batch_size=16", "--log_every=5", "--snapshots=0"]


def logan_train(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [Path(sys.executable).parent / "logan-train", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
        check=False,
    )


def test_parts_of_a_plugin_are_listed_trained_with_and_found_again(tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    listed = logan_train(tmp_path, "--plugins=plugin.py", "--list").stdout
    assert all(name in listed for name in ("small_logits", "difference", "mine"))

    command = [
        "--experiment=ring8", "--plugins=plugin.py", "--method=mine", "--steps=10", "--noprogress",
        "--terms=small_logits:weight=0.1", "--workdir=run", *TINY,
    ]  # fmt: skip
    done = logan_train(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [5, 10]
    assert json.loads(lines[-1])["square"] > 0
    again = logan_train(tmp_path, *command)
    assert (again.returncode, "10 steps" in again.stdout) == (0, True), again.stderr


def test_what_a_part_does_not_have_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(PLUGIN, encoding="utf-8")
    done = logan_train(
        tmp_path, "--experiment=ring8", "--plugins=plugin.py", "--terms=small_logits:height=1"
    )
    assert done.returncode == 2
    assert "--terms: expected weight" in done.stderr or "one of weight" in done.stderr
    assert not (tmp_path / "runs").exists()
    unknown = logan_train(tmp_path, "--experiment=ring8", "--terms=small_logits")
    assert unknown.returncode == 2
    assert "--terms: expected one of" in unknown.stderr
