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
TINY = [
    "--width=8",
    "--hidden_layers=1",
    "--batch_size=16",
    "--log_every=5",
    "--snapshots=0",
    "--nojit",
]

IMAGES = """
import keras
import numpy as np
import tensorflow as tf

from logan.datasets.images import Images
from logan.extractors.base import Extractor
from logan.evaluation.measures import MEASURES, Column, Measure, Measured
from logan.networks import Network, Networks
from logan.registry import Entry
from logan.settings.names import (
    DATASETS, EXTRACTORS, NETWORKS, SAMPLERS, DatasetEntry, ExtractorEntry, NetworkEntry
)


@DATASETS.register("bars", DatasetEntry(text="a bright bar, upright or lying"))
def load_bars(experiment, cache, *, show_progress):
    frames = np.zeros((40, 8, 8, 1), np.uint8)
    frames[::2, 3:5], frames[1::2, :, 3:5] = 255, 255
    return Images(frames, np.arange(30), np.arange(30, 40), split="the last 10 bars")


class Linear(Network):
    def __init__(self, data_shape, latent_length, *, width, normalization="none", **kwargs):
        kwargs.setdefault("name", None)
        super().__init__(data_shape, latent_length, dict(width=width), **kwargs)


@keras.saving.register_keras_serializable(package="bars")
class Generator(Linear):
    role = "generator"

    def make_layers(self, settings):
        self.dense = keras.layers.Dense(64, activation="tanh")
        self.dense.build((None, self.latent_length))

    def call(self, z, training=False):
        return tf.reshape(self.dense(z), [-1, 8, 8, 1])


@keras.saving.register_keras_serializable(package="bars")
class Encoder(Linear):
    role = "encoder"

    def make_layers(self, settings):
        self.dense = keras.layers.Dense(self.latent_length, activation="tanh")
        self.dense.build((None, 64))

    def call(self, x, training=False):
        return self.dense(tf.reshape(x, [-1, 64]))


@keras.saving.register_keras_serializable(package="bars")
class Discriminator(Linear):
    role = "discriminator"

    def make_layers(self, settings):
        self.dense = keras.layers.Dense(1)
        self.dense.build((None, 64 + self.latent_length))

    def call(self, x, z, training=False):
        return self.dense(tf.concat([tf.reshape(x, [-1, 64]), z], axis=1))


NETWORKS.register("linear", NetworkEntry(text="one layer each", of_images=True))(
    Networks(Generator, Encoder, Discriminator)
)


@SAMPLERS.register("flat", Entry(text="G(0) plus a number"))
def flat(source, count, *, brightness=0.0):
    return np.full_like(source.generate(0 * source.latents(count)), brightness)


@EXTRACTORS.register("corners", ExtractorEntry(text="two values"))
class Corners(Extractor):
    name = "corners"

    def batch_features(self, images):
        return images[:, ::7, 0, 0]


MEASURES.register("brightness", Entry(text="mean of all values"))(
    Measure(
        lambda record: record.has("generated"),
        lambda record: Measured({"brightness": float(record.generated.mean())}),
        (Column("brightness", ("brightness",), "{:.2f}"),),
    )
)
"""


def logan_train(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return command(folder, "logan-train", *arguments)


def command(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [Path(sys.executable).parent / name, *arguments],
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

    flags = [
        "--experiment=ring8", "--plugins=plugin.py", "--method=mine", "--steps=10", "--noprogress",
        "--terms=small_logits:weight=0.1", "--workdir=run", *TINY,
    ]  # fmt: skip
    done = logan_train(tmp_path, *flags)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [5, 10]
    assert json.loads(lines[-1])["square"] > 0
    again = logan_train(tmp_path, *flags)
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


def test_data_networks_sampler_and_measure_of_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "bars.py").write_text(IMAGES, encoding="utf-8")
    listed = logan_train(tmp_path, "--plugins=bars.py", "--list").stdout
    assert all(name in listed for name in ("bars", "linear", "flat", "corners"))

    done = logan_train(
        tmp_path, "--plugins=bars.py", "--experiment=custom", "--dataset=bars", "--network=linear",
        "--image_size=8", "--channels=1", "--steps=5", "--noprogress", "--workdir=run", *TINY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    # The run knows its plugins.
    evaluate = ["--workdir=run", "--samples=20", "--extractor=corners"]
    flat = command(tmp_path, "logan-evaluate", *evaluate, "--sampler=flat:brightness=0.25")
    assert flat.returncode == 0, flat.stderr
    assert "flat:brightness=0.25" in flat.stdout
    metrics = json.loads(
        (tmp_path / "run/variants/sampler=flat-brightness=0.25/metrics.json").read_text()
    )
    assert (metrics["brightness"], metrics["sampler"]) == (0.25, "flat:brightness=0.25")
    assert "by the sampler flat:brightness=0.25" in metrics["protocol"]
    assert "the last 10 bars" in metrics["protocol"]
    assert not (tmp_path / "run" / "metrics.json").exists()

    plain = command(tmp_path, "logan-evaluate", *evaluate)
    assert plain.returncode == 0, plain.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["sampler"], "by the sampler" in metrics["protocol"]) == ("plain", False)
    assert metrics["brightness"] != 0.25
    assert metrics["fidelity"]["extractor"] == "corners"

    drawn = command(
        tmp_path, "logan-generate", "--workdir=run", "--sampler=flat", "--count=4", "--scale=1"
    )
    assert drawn.returncode == 0, drawn.stderr
    unknown = command(tmp_path, "logan-generate", "--workdir=run", "--sampler=flatt")
    assert (unknown.returncode, "Did you mean flat" in unknown.stderr) == (2, True)
