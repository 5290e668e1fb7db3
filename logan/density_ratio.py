"""How much more often the data have an x than a generator, log p(x) / q(x), learned afterwards.

A fresh D(x) is trained to tell the data from the frozen generator's samples. Its logit tends to
log p(x) / q(x). The discriminator of the training itself will not do: a penalty keeps it flat, and
a joint D(x, z) compares pairs.
"""

import dataclasses
import time

import logan.keras_settings  # noqa: F401  before Keras is imported

# isort: split
import keras
import numpy as np

from logan.keras_settings import package_settings
from logan.networks import convolutional, mlp

PATIENCE = 10  # epochs without a better loss on held-out samples
_EPOCHS, _BATCH, _LEARNING_RATE = 60, 1000, 2e-3
_WIDTH, _LAYERS, _OCTAVES = 128, 3, 7  # the last octave's period is a 64th of the first one's


@dataclasses.dataclass(frozen=True)
class DensityRatio:
    """A calibrated log p(x) / q(x).

    Attributes:
        discriminator: D(x), before calibration.
        slope: a of the calibrated logit a·D(x) + b.
        offset: b.
        epochs: of D's training.
        log_loss: mean of -log of the probability given to the right side, on held-out samples, real
            and generated ones in equal numbers; log 2 = 0.693 if both are alike.
        calibration_error: expected calibration error on the same, over ten bins of equal width.
        seconds: that the training took.
    """

    discriminator: keras.Model
    slope: float
    offset: float
    epochs: int
    log_loss: float
    calibration_error: float
    seconds: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The logarithm of p(x) / q(x), float64 [samples]."""
        logits = self.discriminator.predict_on_batch(x)[:, 0].astype(np.float64)
        return self.slope * logits + self.offset


@package_settings()
def learn_density_ratio(
    real: np.ndarray,
    generated: np.ndarray,
    held_out: np.ndarray,
    held_out_generated: np.ndarray,
    *,
    seed: int,
) -> DensityRatio:
    """Trains D(x) until its loss on held-out samples falls no more, and calibrates it on them.

    Calibration is logistic (J. Platt, 1999): s(a·D(x) + b) with the a >= 0 and b of least log loss.

    Args:
        real: samples of the data, float32 [samples, features], or [samples, size, size, channels]
            in [-1, 1].
        generated: as many of the generator.
        held_out: others of the data.
        held_out_generated: others of the generator, as many.
        seed: of D's first weights and of the order of samples.
    """
    start = time.monotonic()
    keras.utils.set_random_seed(seed % 2**32)
    discriminator = _discriminator(real.shape[1:])
    x, is_real = _both(real, generated)
    batch = min(_BATCH, len(x))
    updates = _EPOCHS * -(-len(x) // batch)
    discriminator.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, updates)),
        keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=len(x.shape) == 2,
    )
    order = np.random.default_rng(seed).permutation(len(x))
    history = discriminator.fit(
        x[order],
        is_real[order],
        batch_size=batch,
        epochs=_EPOCHS,
        validation_data=_both(held_out, held_out_generated),
        callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True)],
        verbose=0,
    )
    x, is_real = _both(held_out, held_out_generated)
    logits = discriminator.predict(x, batch_size=1000, verbose=0)[:, 0].astype(np.float64)
    slope, offset = calibration(logits, is_real[:, 0])
    probabilities = _sigmoid(slope * logits + offset)
    right = np.where(is_real[:, 0] > 0, probabilities, 1 - probabilities)
    return DensityRatio(
        discriminator,
        slope,
        offset,
        len(history.epoch),
        float(-np.log(np.maximum(right, 1e-12)).mean()),
        calibration_error(probabilities, is_real[:, 0]),
        time.monotonic() - start,
    )


def calibration(logits: np.ndarray, is_real: np.ndarray) -> tuple[float, float]:
    """The a >= 0 and b for which s(a·logit + b) has the least log loss, by Newton's method.

    Args:
        logits: floating [samples].
        is_real: 0 or 1 [samples].
    """
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    found = np.array([1.0, 0.0])
    for _ in range(50):
        probabilities = _sigmoid(design @ found)
        weights = probabilities * (1 - probabilities)
        curvature = design.T @ (weights[:, None] * design) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (is_real - probabilities))
        found += step / max(1.0, float(abs(step).max()))
        if abs(step).max() < 1e-9:
            break
    return max(0.0, float(found[0])), float(found[1])


def calibration_error(probabilities: np.ndarray, is_real: np.ndarray, bins: int = 10) -> float:
    """Mean over samples of |share of real ones - mean probability| in their bin of equal width."""
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = np.bincount(which, is_real - probabilities, minlength=bins)
    return float(abs(gaps).sum() / len(probabilities))


def _discriminator(shape: tuple[int, ...]) -> keras.Model:
    if len(shape) == 1:
        return mlp.Discriminator(
            shape,
            0,
            width=_WIDTH,
            hidden_layers=_LAYERS,
            fourier_octaves=_OCTAVES,
            fourier_scale=1.0,
        )
    return convolutional.Discriminator(shape, 0, width=32)


def _both(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = min(len(real), len(generated))
    is_real = np.repeat(np.array([1, 0], np.float32), count)[:, None]
    return np.concatenate([real[:count], generated[:count]]), is_real


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -logits))
