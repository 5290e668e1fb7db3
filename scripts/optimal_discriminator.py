"""D* = p / (p + q) beside a discriminator in training, where both densities are known.

    python scripts/optimal_discriminator.py [--output=results/figures/optimal_discriminator.png]

The data are `line`, five modes in one dimension, the generator is a Gaussian that is never trained.
D is trained by the vanilla loss alone, and once more beside WGAN-GP's penalty. At each step that is
noted its values stand beside D*, and (V + log 4) / 2 beside the Jensen-Shannon divergence, both by
the trapezoidal rule.
"""

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from logan import losses
from logan.datasets.toy import ToyDistribution, toy_distribution
from logan.figures.files import save_figure
from logan.figures.optimal import Judged, optimal_discriminator_figure
from logan.metrics.densities import (
    divergence_seen,
    jensen_shannon,
    log_mixture,
    optimal_discriminator,
    trapezoid_weights,
)
from logan.networks import mlp
from logan.penalties import gradient_penalty
from logan.randomness import Purpose, key, normal, uniform

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "results/figures/optimal_discriminator.png", "The picture.")
flags.DEFINE_string("numbers", None, "JSON file for the divergences.")
flags.DEFINE_float("mean", 0.1, "Mean of the generator.")
flags.DEFINE_float("sigma", 0.35, "Standard deviation of the generator.", lower_bound=1e-6)
flags.DEFINE_list("penalty_weights", ["0", "0.1"], "Weights of WGAN-GP's penalty, one D for each.")
flags.DEFINE_list("steps", ["0", "100", "500", "2500"], "Steps whose D is drawn, the last too.")
flags.DEFINE_integer("batch_size", 256, "Samples of each side in a step.", lower_bound=1)
flags.DEFINE_float("learning_rate", 2e-3, "Of Adam, at first; it falls to 0 by a cosine.")
flags.DEFINE_integer("octaves", 5, "Octaves of Fourier features of x.", lower_bound=0)
flags.DEFINE_integer("seed", 0, "Of all draws.")
flags.DEFINE_integer("threads", 1, "CPU threads.", lower_bound=1)

POINTS = 4001
NOTES = 60  # of the divergence


def train(
    toy: ToyDistribution, penalty_weight: float, steps: list[int], x: np.ndarray
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Trains one discriminator; its logits at x, at the steps to be drawn and at those noted."""
    keras.utils.set_random_seed(FLAGS.seed)
    # The penalty bounds slopes, those of the Fourier features too.
    discriminator = mlp.Discriminator(
        (1,), 0, width=64, hidden_layers=3, fourier_octaves=FLAGS.octaves, fourier_scale=1.0
    )
    rate = keras.optimizers.schedules.CosineDecay(FLAGS.learning_rate, max(steps[-1], 1))
    optimizer = keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.9)
    optimizer.build(discriminator.trainable_variables)
    count = FLAGS.batch_size

    @tf.function(jit_compile=True, autograph=False)
    def update(step: tf.Tensor) -> None:
        choice, noise = (key(FLAGS.seed, step, each) for each in (Purpose.DATA, Purpose.DATA_NOISE))
        real = toy.draw(choice, noise, count)
        fake = FLAGS.mean + FLAGS.sigma * normal(key(FLAGS.seed, step, Purpose.LATENT), [count, 1])
        points = uniform(key(FLAGS.seed, step, Purpose.INTERPOLATION), [count])
        with tf.GradientTape() as tape:
            loss = losses.vanilla(discriminator(real), discriminator(fake)).discriminator
            if penalty_weight:
                penalty = gradient_penalty(discriminator, [real], [fake], epsilon=points)
                loss += penalty_weight * tf.reduce_mean(penalty)
        gradients = tape.gradient(loss, discriminator.trainable_variables)
        optimizer.apply(gradients)

    grid = tf.constant(x[:, None], tf.float32)
    noted = {*np.linspace(0, steps[-1], NOTES).astype(int).tolist(), *steps}
    found = {}
    for step in range(steps[-1] + 1):
        if step in noted:
            found[step] = discriminator(grid).numpy()[:, 0].astype(np.float64)
        if step < steps[-1]:
            update(tf.constant(step, tf.int64))
    return {step: found[step] for step in steps}, found


def main(arguments: list[str]) -> None:
    del arguments
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    toy = toy_distribution("line")
    steps = sorted({int(step) for step in FLAGS.steps})
    reach = max(8 * FLAGS.sigma, 1.0)
    x = np.linspace(FLAGS.mean - reach, FLAGS.mean + reach, POINTS)
    log_p = log_mixture(x, toy.centers, toy.sigma, toy.weights)
    log_q = log_mixture(x, [FLAGS.mean], FLAGS.sigma)
    weights = trapezoid_weights(x)
    p, q = np.exp(log_p) * weights, np.exp(log_q) * weights
    divergence = jensen_shannon(p, q)
    best, shown = optimal_discriminator(log_p, log_q), abs(x) <= 1
    judged, numbers = [], {"JSD": divergence}
    for text in FLAGS.penalty_weights:
        drawn, noted = train(toy, float(text), steps, x)
        label = f"trained, with a gradient penalty of {text}" if float(text) else "trained, $D$"
        judged.append(
            Judged(
                label,
                steps,
                np.stack([1 / (1 + np.exp(-drawn[step][shown])) for step in steps]),
                np.array(sorted(noted)),
                np.array([divergence_seen(noted[step], p, q) for step in sorted(noted)]),
            )
        )
        gap = np.abs(1 / (1 + np.exp(-drawn[steps[-1]])) - best)
        numbers[label] = {
            "divergence seen": float(judged[-1].divergences[-1]),
            "mean |D - D*| under (p + q) / 2": float(np.sum(gap * (p + q) / 2)),
        }
        print(label, numbers[label], f"JSD {divergence:.4f}", flush=True)
    figure = optimal_discriminator_figure(
        x[shown], np.exp(log_p[shown]), np.exp(log_q[shown]), best[shown], divergence, judged
    )
    if FLAGS.numbers:
        Path(FLAGS.numbers).write_text(json.dumps(numbers, indent=1) + "\n")
    print(save_figure(figure, FLAGS.output))


if __name__ == "__main__":
    app.run(main)
