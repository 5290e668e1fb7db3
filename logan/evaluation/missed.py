"""The held-out images that the generator covers worst, in missed.csv and missed.png."""

import csv
import io

import numpy as np
from matplotlib.figure import Figure

from logan.evaluation.measures import Measure, Measured
from logan.evaluation.record import Record
from logan.figures.missed import missed_figure
from logan.metrics.images import mean_squared_error
from logan.metrics.neighbours import nearest_distances

_SHOWN = 12


def _measure(record: Record) -> Measured:
    distances, nearest = nearest_distances(*record.features)
    worst = np.argsort(-distances, kind="stable")
    return Measured(
        {},
        draw=lambda: _figure(record, worst[:_SHOWN], distances, nearest),
        text=_table(record, worst, distances),
    )


def _figure(
    record: Record, shown: np.ndarray, distances: np.ndarray, nearest: np.ndarray
) -> Figure:
    x_hat = record.reconstructed
    return missed_figure(
        record.held_out[shown],
        record.generated[nearest[shown]],
        distances[shown],
        None if x_hat is None else x_hat[shown],
        total=len(distances),
        generations=len(record.features[1]),
        features=record.extractor.name,
    )


def _table(record: Record, worst: np.ndarray, distances: np.ndarray) -> str:
    """A line of every held-out image, the worst covered one first."""
    x, x_hat = record.held_out, record.reconstructed
    errors = [""] * len(x) if x_hat is None else mean_squared_error(x, x_hat)[worst]
    index = record.held_out_index[worst].tolist()
    features = [record.extractor.name] * len(x)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["image", "distance_to_nearest_generation", "reconstruction_mse", "features"])
    rows.writerows(zip(index, distances[worst].tolist(), errors, features, strict=True))
    return text.getvalue()


MISSED = Measure(
    lambda record: record.has("held_out_index", "features"),
    _measure,
    picture="missed.png",
    file="missed.csv",
)
