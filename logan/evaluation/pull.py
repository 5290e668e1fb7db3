"""The pull: D's gradient on the way from reconstructions to their images.

The pairwise penalty wants it to lead to the image along the whole way, by what D sees of x and z.
"""

import numpy as np

from logan.evaluation.measures import Measure, Measured
from logan.evaluation.record import Record

_BATCH = 500


def _measure(record: Record) -> Measured:
    slope, alignment = _slope_and_alignment(record, record.encoded)
    # Neighbours in time are alike, so the others are taken from afar.
    others = np.roll(record.encoded, len(record.encoded) // 2, axis=0)
    _, of_others = _slope_and_alignment(record, others)
    numbers = {"slope": slope, "alignment": alignment, "alignment_of_others": of_others}
    return Measured(
        {"pull": numbers},
        "pull: D's gradient between the same reconstructions and images; slope: its length; "
        "alignment: cosine of its angle with the way to x; alignment_of_others: the same with z = "
        "E(another image), as high if D does not look at z",
    )


def _slope_and_alignment(record: Record, z: np.ndarray) -> tuple[float, float]:
    """Means over the held-out images, with these z for them."""
    # Tables, which need the columns of measures only, do without TensorFlow.
    from logan.penalties import pairwise_gradient
    from logan.randomness import Purpose, key, uniform

    x, x_hat = record.held_out, record.reconstructed
    epsilon = uniform(key(record.seed, 0, Purpose.INTERPOLATION), [len(x)]).numpy()
    batches = [slice(start, start + _BATCH) for start in range(0, len(x), _BATCH)]
    parts = [
        pairwise_gradient(
            record.discriminator, x[rows], z[rows], x_hat[rows], epsilon=epsilon[rows]
        ).slope_and_alignment()
        for rows in batches
    ]
    slope, alignment = (float(np.concatenate(values).mean()) for values in zip(*parts, strict=True))
    return slope, alignment


PULL = Measure(
    lambda record: record.is_image and record.has("encoded", "reconstructed", "discriminator"),
    _measure,
)
