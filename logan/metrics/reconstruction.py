"""How well generator and encoder invert each other."""

import numpy as np


def root_mean_square_distance(x: np.ndarray, x_hat: np.ndarray) -> float:
    """√ mean ‖x - x̂‖², the norm over all axes but the first.

    Args:
        x: floating [batch, ...].
        x_hat: of x's shape.

    Raises:
        ValueError: if the shapes differ, or on no samples.
    """
    x, x_hat = np.asarray(x, np.float64), np.asarray(x_hat, np.float64)
    if x.shape != x_hat.shape:
        raise ValueError(f"Expected x_hat of shape {x.shape}. Received: {x_hat.shape}")
    if x.size == 0:
        raise ValueError(f"Expected at least one sample. Received: shape {x.shape}")
    return float(np.sqrt(np.mean(np.sum((x - x_hat).reshape(len(x), -1) ** 2, axis=1))))
