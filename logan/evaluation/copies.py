"""Generations that are nearer to a training image than held-out images are."""

import numpy as np
from matplotlib.figure import Figure

from logan.datasets.pixels import unit_range
from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.figures.missed import copies_figure
from logan.metrics.missed import COPY_QUANTILE, Copies, near_copies

_SHOWN = 12


def _measure(record: Record) -> Measured:
    held_out, generated = record.features
    found = near_copies(generated, record.train_features, held_out)
    return Measured(
        {"copies": {"share": found.share, "held_out_share": found.held_out_share}},
        f"copies: share of generations at least as near to a training image as the nearest "
        f"{COPY_QUANTILE:.0%} of the held-out images are; of a generator that does not copy it is "
        "that share of the held-out images",
        draw=lambda: _figure(record, found),
    )


def _figure(record: Record, found: Copies) -> Figure:
    distances, nearest = found.distances, found.nearest
    shown = np.argsort(distances, kind="stable")[:_SHOWN]
    names = record.train_names
    return copies_figure(
        unit_range(record.generated[shown]),
        unit_range(record.train[nearest[shown]]),
        distances[shown],
        names=None if names is None else [names.label(i) for i in nearest[shown].tolist()],
        total=len(distances),
        features=record.extractor.name,
    )


COPIES = Measure(
    lambda record: record.has("train", "features", "train_features"),
    _measure,
    (Column("copies", ("copies", "share"), "{:.3f}"),),
    picture="copies.png",
)
