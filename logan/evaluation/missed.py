"""The real images that the generator covers worst, in missed.csv and missed.png."""

import csv
import dataclasses
import io

import numpy as np
from matplotlib.figure import Figure

from logan.datasets.names import Names, joined
from logan.datasets.pixels import unit_range
from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.figures.missed import missed_figure
from logan.metrics.images import mean_squared_error, thumbnails
from logan.metrics.missed import SURE, Missed, cases, missed_by_any, missed_images
from logan.metrics.neighbours import equal_share
from logan.metrics.scene import Foreground

SHOWN = 12
THUMBNAILS = "means over 8 x 8 squares"
PLACES = "where things stand before the scene, in 8 x 8 squares"
SAME_PLACE = 0.6  # an angle of 35 degrees: blur and grain of a generator count for little
CASES = 100  # told apart in missed.csv


@dataclasses.dataclass(frozen=True)
class Searched:
    """What was searched, the held-out part before the training part, and what was found.

    Attributes:
        parts: the held-out and, where they are searched, the training images.
        features: float32 [images, features], those by which most surely something is missed.
        name: what these features are.
        reconstructed: G(E(x)) of each, if there is an encoder.
        names: what they are called, if it is known.
        found: how well each is covered.
        order: int64 [images], the worst first.
        case: int64 [images], the case of each.
    """

    parts: list[np.ndarray]
    features: np.ndarray
    name: str
    reconstructed: np.ndarray | None
    names: Names | None
    found: Missed
    order: np.ndarray
    case: np.ndarray

    @property
    def held_out(self) -> int:
        """How many images are held out; they come first."""
        return len(self.parts[0])

    def shown(self, index: np.ndarray) -> np.ndarray:
        """Some of the images, in [-1, 1]."""
        of = [self.parts[0][i] if i < self.held_out else self.parts[1][i - self.held_out]
              for i in index.tolist()]  # fmt: skip
        return unit_range(np.stack(of))

    def heads(self) -> list[int]:
        """The worst image of each case, in order."""
        _, first = np.unique(self.case[self.order], return_index=True)
        return [i for i in self.order[np.sort(first)].tolist() if self.case[i] >= 0]


def search(record: Record) -> Searched:
    """Looks for missed images among held-out and training images, as far as they are at hand."""
    parts, features = [record.held_out], record.features[0]
    names, reconstructed = record.held_out_names, record.reconstructed
    if record.train_features is not None:
        parts.append(record.train)
        features = np.concatenate([features, record.train_features])
        names = joined(names, record.train_names)
        if reconstructed is not None and record.train_reconstructed is not None:
            reconstructed = np.concatenate([reconstructed, record.train_reconstructed])
        else:
            reconstructed = None
    generated = record.generated[: len(record.features[1])]
    kinds: dict[str, tuple[np.ndarray, np.ndarray, float | None]] = {
        record.extractor.name: (features, record.features[1], None),
        THUMBNAILS: (
            np.concatenate([thumbnails(part) for part in parts]),
            thumbnails(generated),
            None,
        ),
    }
    if record.has_fixed_camera:
        fronts = [record.held_out_foreground]
        fronts += [record.train_foreground] if len(parts) > 1 else []
        of_generated = places(record.generated_foreground)[: len(generated)]
        kinds[PLACES] = np.concatenate([*map(places, fronts)]), of_generated, SAME_PLACE
    found, kind = missed_by_any([missed_images(*each) for each in kinds.values()])
    name, (seen, _, _) = list(kinds.items())[kind]
    are_next = {} if names is None else {"is_next": names.are_next}
    case = cases(found, seen, CASES, **are_next)
    return Searched(parts, seen, name, reconstructed, names, found, found.worst_first(), case)


def _measure(record: Record) -> Measured:
    searched = search(record)
    found = searched.found
    is_missed = found.chance < SURE
    numbers = {
        "images": len(searched.features),
        "missed_share": float(is_missed.mean()),
        "missed_cases": len(set(searched.case[is_missed].tolist())),
        "equal_real_share": equal_share(record.features[0]),
        "equal_generated_share": equal_share(record.features[1]),
    }
    parts = "held-out images" if record.train_features is None else "held-out and training images"
    return Measured(
        {"missed": numbers},
        f"missed: {parts} with so few generations among their 8 to 128 nearest images as equal "
        f"distributions have, for any image, in at most {SURE:.0%} of all sets; by the surer of "
        f"the extractor's features and of {THUMBNAILS}{_and_places(record)}, here "
        f"{searched.name}; one case: images "
        "missed in neighbourhoods that overlap, those nearer to its worst one than any generation, "
        "and neighbours in time",
        draw=lambda: _figure(record, searched),
        text=_table(record, searched),
        notes=[_told(searched, head) for head in searched.heads() if is_missed[head]],
    )


def places(front: Foreground) -> np.ndarray:
    """Where things stand before the scene, whatever their size.

    Returns:
        float32 [frames, 64], how much of each of 8 x 8 squares is covered, of length 1; all 0 where
        no thing stands.
    """
    white = np.where(front.mask[..., None], np.uint8(255), np.uint8(0))
    covered = (thumbnails(white) + 1) / 2
    covered[~front.is_occupied] = 0
    return covered / np.maximum(np.linalg.norm(covered, axis=1, keepdims=True), 1e-9)


def _and_places(record: Record) -> str:
    return f" and of {PLACES}" if record.has_fixed_camera else ""


def _told(searched: Searched, head: int) -> str:
    """A case by its worst image, and how many more there are."""
    others = np.count_nonzero(searched.case == searched.case[head]) - 1
    name = f"image {head}" if searched.names is None else searched.names.label(head)
    return f"{name} and {others:,} like it" if others else name


def _figure(record: Record, searched: Searched) -> Figure:
    shown = np.array(searched.heads()[:SHOWN])
    found, names = searched.found, searched.names
    members = [np.count_nonzero(searched.case == searched.case[i]) for i in shown]
    return missed_figure(
        searched.shown(shown),
        unit_range(record.generated[found.nearest[shown]]),
        found.distances[shown],
        None if searched.reconstructed is None else searched.reconstructed[shown],
        names=None if names is None else [names.label(i) for i in shown.tolist()],
        counts=[f"{count:,}" for count in members],
        total=len(searched.features),
        generations=len(record.features[1]),
        features=searched.name,
    )


def _table(record: Record, searched: Searched) -> str:
    """A line of every real image, the worst covered one first."""
    x_hat, found, names = searched.reconstructed, searched.found, searched.names
    errors = None if x_hat is None else mean_squared_error(np.concatenate(searched.parts), x_hat)
    text = io.StringIO()
    rows = csv.DictWriter(text, _TITLES, restval="", lineterminator="\n")
    rows.writeheader()
    for i in searched.order.tolist():
        is_held_out = i < searched.held_out
        row = {
            "part": "held out" if is_held_out else "training",
            "case": searched.case[i] + 1 if searched.case[i] >= 0 else "",
            "distance_to_nearest_generation": found.distances[i],
            "chance": found.chance[i],
            "nearest_images": found.neighbourhood[i],
            "generated_among_them": found.generated_in_it[i],
            "features": searched.name,
        }
        index = record.held_out_index if is_held_out else record.train_index
        if index is not None:
            row["image"] = index[i if is_held_out else i - searched.held_out]
        if names is not None:
            row["file"] = names.files[i]
            row["frame"] = "" if names.frames is None else names.frames[i]
            row["seconds"] = "" if names.seconds is None else f"{names.seconds[i]:.3f}"
        if errors is not None:
            row["reconstruction_mse"] = errors[i]
        rows.writerow(row)
    return text.getvalue()


_TITLES = [
    "case",
    "image",
    "part",
    "file",
    "seconds",
    "frame",
    "distance_to_nearest_generation",
    "chance",
    "nearest_images",
    "generated_among_them",
    "reconstruction_mse",
    "features",
]

MISSED = Measure(
    lambda record: record.has("features"),
    _measure,
    (Column("missed", ("missed", "missed_share"), "{:.3f}", "lower"),),
    picture="missed.png",
    file="missed.csv",
)
