"""How classes that a classifier reads from generations are spread over the true ones."""

from typing import Any

import numpy as np

from logan.metrics.coverage import expected_reverse_kl, is_fair, reverse_kl

__all__ = ["CONFIDENT", "class_spread", "share_counts"]

CONFIDENT = 0.9  # the least probability of a class that is read surely


def share_counts(classes: np.ndarray, count: int) -> np.ndarray:
    """How often each class occurs, int64 [count]."""
    return np.bincount(np.asarray(classes, np.int64), minlength=count)


def class_spread(classes: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    """How many classes occur, and how unevenly.

    A class is captured when a sample of it occurs, and fairly when a fifth of its share does.

    Args:
        classes: int [samples], from 0.
        weights: [classes], the true shares, positive, in any scale.

    Returns:
        `captured`; `captured_fair`; `kl`, KL(q ‖ p) in nats of the classes' shares to the true
        ones; and `kl_floor`, what it is on average of as many draws of the truth.
    """
    weights = np.asarray(weights, np.float64) / np.sum(weights)
    counts = share_counts(classes, len(weights))
    return {
        "captured": int((counts > 0).sum()),
        "captured_fair": int(is_fair(counts, weights * len(classes)).sum()),
        "kl": reverse_kl(counts, weights),
        "kl_floor": expected_reverse_kl(len(classes), weights),
    }
