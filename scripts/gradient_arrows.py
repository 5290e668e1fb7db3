"""Where D pulls generated points beside a lost mode, with and without the pairwise penalty.

    python scripts/gradient_arrows.py [--output=results/figures/gradient_arrows.png]

Generator and encoder are written down, not trained: G makes seven of the eight modes of `ring8`,
each in full, and E inverts it; what lies in the lost mode is encoded as the same place in the mode
beside it. So the data and G differ by the lost mode alone. Two discriminators are trained against
them, one of them with the penalty, and ∇D(G(z), z) in x is drawn. Where x = G(E(x)) the penalty
asks for a slope of 0: such exact networks show it at its weakest.
"""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from logan import losses, pairwise_gradient_penalty
from logan.datasets.toy import ToyDistribution, toy_distribution
from logan.figures.contours import Contour
from logan.figures.files import save_figure
from logan.figures.gradients import PulledPanel, gradients_figure
from logan.networks import mlp
from logan.randomness import Purpose, key, latents, uniform

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "results/figures/gradient_arrows.png", "The picture.")
flags.DEFINE_string("numbers", None, "JSON file for slopes and cosines.")
flags.DEFINE_float("penalty_weight", 0.3, "Of the pairwise penalty.", lower_bound=0)
flags.DEFINE_integer("steps", 1000, "Of D's training.", lower_bound=1)
flags.DEFINE_integer("batch_size", 256, "Samples of each side in a step.", lower_bound=1)
flags.DEFINE_float("learning_rate", 2e-3, "Of Adam, at first; it falls to 0 by a cosine.")
flags.DEFINE_integer("seed", 0, "Of all draws.")
flags.DEFINE_integer("threads", 1, "CPU threads.", lower_bound=1)

LOST = 0  # the mode at (1, 0)
MEASURED = 2000
ARROWS = 10  # in each mode
CELLS = 80
_INSIDE = 1 - 1e-6  # erfinv is infinite at the ends


class SevenModes:
    """G and E of all modes but one, exact inverses of each other on these.

    The first feature of z says which mode and how far right in it, the second one how far up.
    """

    def __init__(self, toy: ToyDistribution):
        self.sigma = toy.sigma
        self.all_centers = tf.constant(toy.centers)
        self.centers = tf.constant(np.delete(toy.centers, LOST, axis=0))
        self.count = len(toy.centers) - 1

    def generate(self, z: tf.Tensor) -> tf.Tensor:
        """x, float32 [batch, 2], of z in [-1, 1)²: exactly the mixture of the modes that it has."""
        place = (z[:, 0] + 1) / 2 * self.count
        mode = tf.clip_by_value(tf.floor(place), 0, self.count - 1)
        along = tf.stack([2 * (place - mode) - 1, z[:, 1]], axis=1)
        normal = np.sqrt(2) * tf.math.erfinv(tf.clip_by_value(along, -_INSIDE, _INSIDE))
        return tf.gather(self.centers, tf.cast(mode, tf.int32)) + self.sigma * normal

    def encode(self, x: tf.Tensor) -> tf.Tensor:
        """z, float32 [batch, 2] in [-1, 1]²."""
        mode = self._nearest(x, self.centers)
        own = tf.gather(self.all_centers, self._nearest(x, self.all_centers))
        offset = (x - own) / self.sigma
        along = tf.clip_by_value(tf.math.erf(offset / np.sqrt(2)), -_INSIDE, _INSIDE)
        place = tf.cast(mode, tf.float32) + (along[:, 0] + 1) / 2
        return tf.stack([place / self.count * 2 - 1, along[:, 1]], axis=1)

    @staticmethod
    def _nearest(x: tf.Tensor, centers: tf.Tensor) -> tf.Tensor:
        distances = tf.reduce_sum(tf.square(x[:, None] - centers[None]), axis=2)
        return tf.argmin(distances, axis=1, output_type=tf.int32)


def train(toy: ToyDistribution, modes: SevenModes, penalty_weight: float) -> keras.Model:
    """A discriminator trained against them."""
    keras.utils.set_random_seed(FLAGS.seed)
    discriminator = mlp.Discriminator((2,), 2, width=64, hidden_layers=4)
    rate = keras.optimizers.schedules.CosineDecay(FLAGS.learning_rate, FLAGS.steps)
    optimizer = keras.optimizers.Adam(rate, beta_1=0.0, beta_2=0.9)
    optimizer.build(discriminator.trainable_variables)
    count = FLAGS.batch_size

    @tf.function(jit_compile=True, autograph=False)
    def update(step: tf.Tensor) -> None:
        choice, noise, latent, between = (
            key(FLAGS.seed, step, purpose)
            for purpose in (
                Purpose.DATA, Purpose.DATA_NOISE, Purpose.LATENT, Purpose.INTERPOLATION
            )
        )  # fmt: skip
        x, z = toy.draw(choice, noise, count), latents(latent, count, 2)
        encoded = modes.encode(x)
        with tf.GradientTape() as tape:
            real, fake = discriminator(x, encoded), discriminator(modes.generate(z), z)
            loss = losses.vanilla(real, fake).discriminator
            if penalty_weight:
                penalty = pairwise_gradient_penalty(
                    discriminator,
                    x,
                    encoded,
                    modes.generate(encoded),
                    form="squared_norm",
                    epsilon=uniform(between, [count]),
                )
                loss += penalty_weight * tf.reduce_mean(penalty)
        optimizer.apply(tape.gradient(loss, discriminator.trainable_variables))

    for step in range(FLAGS.steps):
        update(tf.constant(step, tf.int64))
    return discriminator


def gradient(discriminator: keras.Model, x: tf.Tensor, z: tf.Tensor) -> np.ndarray:
    """∇D(x, z) in x, [batch, 2]."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = discriminator(x, z)
    return tape.gradient(logits, x).numpy()


def main(arguments: list[str]) -> None:
    del arguments
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    toy = toy_distribution("ring8")
    modes = SevenModes(toy)
    z = latents(key(FLAGS.seed, 0, Purpose.EVALUATION_LATENT), MEASURED, 2)
    x = modes.generate(z)
    lost = toy.centers[LOST]
    nearest = np.argmin(np.linalg.norm(x.numpy()[:, None] - toy.centers, axis=2), axis=1)
    beside = np.isin(nearest, [(LOST + 1) % 8, (LOST - 1) % 8])
    chosen = np.concatenate([np.flatnonzero(nearest == mode)[:ARROWS] for mode in range(8)])
    line = np.linspace(-1.5, 1.5, CELLS, dtype=np.float32)
    plane = tf.constant(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2))
    panels, numbers = [], {}
    for title, weight in (
        ("without a penalty", 0.0),
        (f"with the pairwise penalty, λ = {FLAGS.penalty_weight:g}", FLAGS.penalty_weight),
    ):
        discriminator = train(toy, modes, weight)
        gradients = gradient(discriminator, x, z)
        slopes = np.linalg.norm(gradients, axis=1)
        ways = (lost - x.numpy())[beside]
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        cosines = np.sum(gradients[beside] * ways, axis=1) / np.maximum(slopes[beside], 1e-12)
        numbers[title] = {
            "median slope beside the lost mode": float(np.median(slopes[beside])),
            "mean cosine with the way to it": float(cosines.mean()),
            "least cosine": float(cosines.min()),
        }
        print(title, numbers[title], flush=True)
        caption = (
            f"beside it: cosine {cosines.mean():.2f} with the way there, "
            f"slope {np.median(slopes[beside]):.2g}"
        )
        logits = discriminator(plane, modes.encode(plane)).numpy().reshape(CELLS, CELLS)
        panels.append(PulledPanel(title, gradients[chosen], Contour(line, line, logits), caption))
    real = toy.evaluation_sample(FLAGS.seed, 400)
    figure = gradients_figure(real, x.numpy()[chosen], lost[None], panels, arrow=0.3)
    if FLAGS.numbers:
        Path(FLAGS.numbers).write_text(json.dumps(numbers, indent=1) + "\n")
    print(save_figure(figure, FLAGS.output))


if __name__ == "__main__":
    app.run(main)
