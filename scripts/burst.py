"""How a solved run falls, and what keeps it: line, seed 105, before and after the cure.

    python scripts/burst.py [--output=results/figures/burst.png] [--numbers=FILE.json]

Trains the preset of version 0.2 (`--method=pairwise`) and today's. Every few steps it notes what
D's gradient is like at the pairs, how far Adam moves G, and which modes the current weights, the
averaged ones and the best averaged ones make.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from matplotlib.ticker import NullFormatter

from logan import preset
from logan.datasets.load import load
from logan.evaluation.record import Modes
from logan.figures.files import save_figure
from logan.figures.style import styled
from logan.generation import evaluation_latents, in_batches, reconstruct
from logan.metrics.reconstruction import root_mean_square_distance
from logan.models.assemble import assemble
from logan.training import fit, steps_per_execution

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "results/figures/burst.png", "The picture.")
flags.DEFINE_string("numbers", None, "JSON file for what is drawn.")
flags.DEFINE_string("experiment", "line", "Which toy.")
flags.DEFINE_integer("seed", 105, "Which run.")
flags.DEFINE_integer("every", 20, "Steps between two notes.")
flags.DEFINE_integer("threads", 1, "CPU threads.")

SAMPLES, HELD_OUT = 2_000, 500
PANELS = [
    ("slope of D at pairs", "gradient_slope", "log"),
    ("alignment of D's gradient", "gradient_alignment", "linear"),
    ("way of G's weights in one step", "move", "log"),
    ("distance of reconstructions", "reconstruction_distance", "log"),
    ("modes in a fair share", "fair", "linear"),
]


class Notes(keras.callbacks.Callback):
    """Notes at the end of each interval what the training and the samples are like."""

    def __init__(self, toy: Any, seed: int):
        super().__init__()
        self.toy, self.seed = toy, seed
        self.rows: list[dict[str, float]] = []
        self.earlier: list[np.ndarray] = []
        self.least, self.best_fair = np.inf, 0

    def on_train_begin(self, logs: Any = None) -> None:
        self.earlier = [value.numpy() for value in self.model.generator.weights]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        weights = [value.numpy() for value in self.model.generator.weights]
        squares = sum(np.sum((a - b) ** 2) for a, b in zip(weights, self.earlier, strict=True))
        self.earlier = weights
        held_out = self.toy.evaluation_sample(self.seed + 1, HELD_OUT)
        error = root_mean_square_distance(held_out, reconstruct(self.model, held_out))
        averaged = self._fair(self.model.averaged_generator)
        self.least = min(self.least, error)
        if error <= 1.5 * self.least:
            self.best_fair = averaged
        self.rows.append({
            "step": int(self.model.step.numpy()),
            **{name: float(value) for name, value in (logs or {}).items()},
            "move": float(np.sqrt(squares)) / FLAGS.every,
            "held_out": error,
            "fair": self._fair(self.model.generator),
            "fair averaged": averaged,
            "fair best": self.best_fair,
        })  # fmt: skip

    def _fair(self, generator: Any) -> int:
        z = evaluation_latents(self.model, self.seed, SAMPLES)
        samples = in_batches(generator, z)
        return int(Modes.of(self.toy).coverage(samples)["captured_fair"])


def notes_of(method: str | None) -> list[dict[str, float]]:
    """Trains one run by that method, or the experiment's own, and gives its notes."""
    given = {"seed": FLAGS.seed, "log_every": FLAGS.every}
    experiment = preset(FLAGS.experiment, given, method)
    toy = load(experiment)
    model = assemble(experiment, steps_per_execution(experiment))
    notes = Notes(toy, FLAGS.seed)
    fit(model, toy, experiment, tf.distribute.get_strategy(), [notes])
    return notes.rows


@styled
def draw(runs: dict[str, list[dict[str, float]]]) -> Any:
    """A column of panels for each run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 9.0), layout="constrained")
    grid = figure.subplots(len(PANELS), len(runs), sharex="col", sharey="row", squeeze=False)
    for column, (title, rows) in enumerate(runs.items()):
        steps = [row["step"] for row in rows]
        for axes, (label, key, scale) in zip(grid[:, column], PANELS, strict=True):
            axes.plot(steps, [row[key] for row in rows], color="0.35", lw=0.8, label="current")
            if key == "reconstruction_distance":
                held_out = [row["held_out"] for row in rows]
                axes.plot(steps, held_out, color="#0072b2", label="averaged, held-out (rmse)")
            if key == "fair":
                for name, colour in (("averaged", "#0072b2"), ("best", "#d55e00")):
                    values = [row[f"fair {name}"] for row in rows]
                    axes.plot(
                        steps,
                        values,
                        color=colour,
                        label=name,
                        ls="-" if colour[1] == "0" else "--",
                    )
            axes.set_yscale(scale)
            axes.yaxis.set_minor_formatter(NullFormatter())
            if column == 0:
                axes.set_ylabel(label)
            if key in ("reconstruction_distance", "fair"):
                axes.legend(loc="best", fontsize="small")
        grid[0, column].set_title(title)
        grid[-1, column].set_xlabel("step")
    return figure


def main(arguments: list[str]) -> None:
    del arguments
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    runs = {
        "preset of version 0.2": notes_of("pairwise"),
        "today's preset": notes_of(None),
    }
    if FLAGS.numbers:
        Path(FLAGS.numbers).write_text(json.dumps(runs))
    print(save_figure(draw(runs), FLAGS.output))


if __name__ == "__main__":
    app.run(main)
