"""How well each sub-folder or class of real images is covered, in groups.csv."""

import csv
import io
from typing import Any

import numpy as np

from logan.evaluation.measures import Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.missed import SURE, missed_images
from logan.metrics.neighbours import covered, nearest_distances


def _measure(record: Record) -> Measured:
    groups = groups_of(record)
    text = io.StringIO()
    rows = csv.DictWriter(text, ["group", *next(iter(groups.values()))], lineterminator="\n")
    rows.writeheader()
    rows.writerows({"group": name, **numbers} for name, numbers in groups.items())
    return Measured(
        {"groups": groups},
        "groups: of the real images of each, their share, the share of generations whose nearest "
        "real image is one of them, coverage, and the share that is missed",
        text=text.getvalue(),
    )


def groups_of(record: Record) -> dict[str, dict[str, Any]]:
    """Numbers of each group of real images by its name, the worst covered first."""
    real, generated = record.features
    is_covered = covered(real, generated)
    nearest = nearest_distances(generated, real)[1]
    is_missed = missed_images(real, generated).chance < SURE
    found = {}
    for label in np.unique(record.labels).tolist():
        members = record.labels == label
        found[_name(record, label)] = {
            "images": int(members.sum()),
            "real_share": float(members.mean()),
            "generated_share": float(members[nearest].mean()),
            "coverage": float(is_covered[members].mean()),
            "missed_share": float(is_missed[members].mean()),
        }
    return dict(sorted(found.items(), key=lambda item: item[1]["coverage"]))


def _name(record: Record, label: int) -> str:
    return str(label) if record.label_names is None else record.label_names[label]


GROUPS = Measure(
    lambda record: record.has("labels", "features"),
    _measure,
    file="groups.csv",
)
