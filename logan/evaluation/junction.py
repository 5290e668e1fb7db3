"""Which cars the rendered junction's generations and reconstructions show."""

from typing import Any

import numpy as np

from logan.datasets.junction import CELL_BOXES, CELL_LANES, LANE_AXES
from logan.datasets.pixels import to_unit_range
from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.cars import Detections, cell_coverage_of, detect_cars, detector_accuracy


def _measure(record: Record) -> Measured:
    junction = record.junction
    numbers: dict[str, Any] = {
        **cell_coverage_of(
            _detections(record, record.generated),
            junction.cell_probabilities,
            junction.colour_probabilities,
        ),
        "true_occupied_share": 1.0 - junction.empty_share,
        "detector_accuracy": _accuracy(record, record.held_out),
    }
    if record.reconstructed is not None:
        numbers["reconstructed"] = _accuracy(record, record.reconstructed)
    return Measured(
        {"junction": numbers},
        "junction: lane cells and colours found in generations by a detector whose accuracy on "
        "held-out frames stands beside; captured: in one generation at least, captured_fair: in a "
        "fifth of its true share of frames; reconstructed: the same accuracy on reconstructions "
        "of the held-out frames, cell_recall: the share of cars whose reconstruction shows one at "
        "their place",
    )


def _accuracy(record: Record, frames: np.ndarray) -> dict[str, float | None]:
    """The detector's accuracy on held-out frames or what stands for them; None of nothing."""
    cells = np.stack([truth.cell_counts for truth in record.truths])
    colours = np.stack([truth.colour_counts for truth in record.truths])
    shares = detector_accuracy(_detections(record, frames), cells, colours)
    return {name: share if np.isfinite(share) else None for name, share in shares.items()}


def _detections(record: Record, frames: np.ndarray) -> Detections:
    junction = record.junction
    scene, palette = to_unit_range(junction.background), to_unit_range(junction.palette)
    return detect_cars(frames, scene, CELL_BOXES, CELL_LANES, LANE_AXES, palette)


JUNCTION = Measure(
    lambda record: record.has("junction", "held_out_index", "generated"),
    _measure,
    (
        Column("occupied", ("junction", "occupied_share"), "{:.3f}"),
        Column("cells", ("junction", "cells_captured"), "{:.2f}", "higher"),
        Column("fair cells", ("junction", "cells_captured_fair"), "{:.2f}", "higher"),
        Column("fair colours", ("junction", "colours_captured_fair"), "{:.2f}", "higher"),
        Column("cars kept", ("junction", "reconstructed", "cell_recall"), "{:.2f}", "higher"),
    ),
)
