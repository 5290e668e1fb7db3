"""A sampler that draws z where the encoder puts the training samples, in place of the prior."""

import numpy as np

from logan.errors import RunError
from logan.generation import encode
from logan.metrics.distances import blocks, float64, squared_distances
from logan.models.encoding import EncodingModel
from logan.randomness import Purpose, key, uniform
from logan.sampling import Source

_ENCODED = 50_000
_VALUES = 2**28  # float32 numbers of the samples that are encoded, at most: 1 GiB


def between_encodings(source: Source, count: int, *, neighbours: int = 5) -> np.ndarray:
    """Generations of points between encodings that are neighbours.

    z = e + u (e' - e), with e the encoding of a training sample, each as probable as any other, e'
    one of the encodings nearest to it, and u ~ U[0, 1]. This is SMOTE in z: what E and G
    reconstruct is generated in its own share, also where the encodings do not fill the prior. It
    needs the training samples at hand, makes nothing that lies far from all of them, and shows what
    the reconstructions can do, not what the generator has learned to make of its prior.

    Source: N. Chawla et al., "SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002; in
    an autoencoder's z: D. Dablain, B. Krawczyk and N. Chawla, "DeepSMOTE", IEEE TNNLS 2022,
    2105.02340. That z should be drawn where the encodings are: P. Ghosh et al., "From variational
    to deterministic autoencoders", ICLR 2020, 1903.12436.

    Args:
        source: of a model with an encoder, and its data. Up to 50,000 training samples are encoded,
            fewer of large images: 21,845 of 64 x 64 x 3 pixels, a gibibyte.
        count: how many to return.
        neighbours: how many nearest encodings e' is drawn from, at least 1. Where there are fewer
            others, all of them.

    Returns:
        float32 [count, ...].

    Raises:
        RunError: if the model has no encoder, or its generator takes labels.
        ValueError: on fewer neighbours than 1, or a single training sample.
    """
    model = source.model
    if not isinstance(model, EncodingModel):
        raise RunError(
            "--sampler=between-encodings: expected a run with an encoder. Received: one without"
        )
    if model.takes_labels:
        raise RunError(
            "--sampler=between-encodings: expected a generator of z alone. Received: one of classes"
        )
    if not (isinstance(neighbours, int) and neighbours >= 1):
        raise ValueError(f"Expected neighbours to be a whole number >= 1. Received: {neighbours}")
    encoded = encode(model, source.real(min(_ENCODED, _VALUES // source.real(1)[0].size)))
    if len(encoded) < 2:
        raise ValueError("Expected 2 or more training samples. Received: 1")
    neighbours = min(neighbours, len(encoded) - 1)
    source.notes.append(
        f"between the encodings of {len(encoded):,} training samples and one of the "
        f"{neighbours} nearest"
    )
    return source.generate(points_between(encoded, count, neighbours, source.seed))


def points_between(points: np.ndarray, count: int, neighbours: int, seed: int) -> np.ndarray:
    """Points on lines from random points to one of their nearest others.

    Args:
        points: float32 [points, features].
        count: how many to return.
        neighbours: how many nearest others, below the number of points.
        seed: of the draws, of which fewer are the first of more.

    Returns:
        float32 [count, features].
    """
    own, which, way = (
        float64(uniform(key(seed, turn, Purpose.SAMPLER), [count]).numpy()) for turn in range(3)
    )
    chosen, place = (own * len(points)).astype(int), (which * neighbours).astype(int)
    others = np.empty(count, int)
    for block in blocks(count):
        rows = chosen[block]
        distances = squared_distances(float64(points[rows]), float64(points))
        distances[np.arange(len(rows)), rows] = np.inf
        nearest = np.argpartition(distances, neighbours - 1, axis=1)[:, :neighbours]
        others[block] = nearest[np.arange(len(rows)), place[block]]
    return points[chosen] + np.float32(way[:, None]) * (points[others] - points[chosen])
