"""Measures any generator: images that it made against images that are real."""

import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from logan.datasets.image_sets import (
    LARGEST_SIZE,
    ImageSet,
    Shape,
    existing,
    load_image_set,
    shape_of,
    with_labels,
)
from logan.errors import UserError
from logan.runs import Run

if TYPE_CHECKING:
    from logan.evaluation.record import Record
    from logan.extractors.base import Extractor
    from logan.extractors.classifiers import Classifier

# A folder, a zip archive, an .npy or .npz file, a video, an image run, or an array.
Source = str | Path | np.ndarray
Part = Literal["real", "generated", "train"]

MOST_IMAGES = 50_000


@dataclasses.dataclass(frozen=True)
class Choice:
    """How two sets of images are compared.

    Attributes:
        extractor: whose features are compared, see `logan.extractors.make_extractor`.
        extractor_weights: a file of weights for it.
        classifier: the path of a model that tells the classes of the real images, or the digits of
            a run of stacked_mnist; "none" leaves out what needs it. Empty: the extractor, if it is
            such a model.
        samples: how many images of each set at most, evenly spread.
        image_size: pixels a side to which all are resized; 0 for those of the smallest images
            that are seen, at most 128.
        labels: a CSV file with the columns file and label of the real images.
        fixed_camera: whether all images show one scene, so that a foreground can be told from it.
        seed: of the draws of measures, and of a run's generations.
        skip_unreadable: leave out pictures that cannot be read, and name them on stderr.
        cache: folder to keep decoded pictures in, or None.
    """

    extractor: str = "random"
    extractor_weights: str | Path | None = None
    classifier: str | Path = ""
    samples: int = MOST_IMAGES
    image_size: int = 0
    labels: str | Path | None = None
    fixed_camera: bool = False
    seed: int = 0
    skip_unreadable: bool = False
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise UserError(f"--samples: expected 1 or more. Received: {self.samples}")
        if self.image_size and not 8 <= self.image_size <= 1024:
            raise UserError(f"--image_size: expected 8 to 1024. Received: {self.image_size}")


def measure(
    real: Source,
    generated: Source,
    train: Source | None = None,
    *,
    output: str | Path | None = None,
    show_progress: bool = False,
    **choice: Any,
) -> dict[str, Any]:
    """Measures how well generated images cover real ones.

        >>> logan.measure("photos", "samples")["fidelity"]["coverage"]
        0.96

    Args:
        real: held-out real images: a folder (nested), a zip archive, an .npy or .npz file, a video,
            an image run, whose held-out part is taken, or an array, uint8 in [0, 255] or floating
            in [-1, 1], [images, height, width] or [images, height, width, 1 or 3].
        generated: what a generator made, likewise; of a run its generations.
        train: what the generator was trained on, likewise, to find what it copies.
        output: folder for metrics.json, missed.csv, the pictures and report.html; none without.
        show_progress: whether to tell on stderr what is done and how long it takes.
        **choice: the fields of `Choice`.

    Returns:
        Numbers by name, with `protocol`, how they were measured.

    Raises:
        UserError: if a source is missing, empty or of a wrong kind or range, or a setting is.
    """
    from logan.evaluation.report import measured
    from logan.keras_settings import package_settings

    chosen = Choice(**choice)
    check_sources(real, generated, train)
    with package_settings():
        record = record_of(real, generated, train, chosen, tell if show_progress else _silent)
        return measured(record, None if output is None else Path(output).expanduser())[0]


def check_sources(real: Source, generated: Source, train: Source | None) -> None:
    """Refuses sources that are not there, before any work.

    Raises:
        UserError: naming the flag.
    """
    for name, source in (("real", real), ("generated", generated), ("train", train)):
        if source is not None and not isinstance(source, np.ndarray):
            existing(source, f"--{name}")


def record_of(
    real: Source,
    generated: Source,
    train: Source | None,
    choice: Choice,
    say: Callable[[str], None],
) -> "Record":
    """What is at hand of the images, see `measure`; `say` is called with what is done."""
    from logan.extractors import check_classifier, check_extractor
    from logan.extractors.classifiers import chosen, fitting

    check_extractor(choice.extractor, choice.extractor_weights)
    check_classifier(str(choice.classifier))
    if choice.labels is not None and not Path(choice.labels).expanduser().is_file():
        raise UserError(f"--labels: expected a CSV file. Received: {choice.labels}: no file")
    sources: dict[Part, Source] = {"real": real, "generated": generated}
    if train is not None:
        sources["train"] = train
    runs = {part: run for part, source in sources.items() if (run := _run(source, part))}
    shapes = {
        part: _shape(runs[part]) if part in runs else shape_of(source, f"--{part}")
        for part, source in sources.items()
    }
    size, channels = _common(shapes, choice.image_size)
    sets: dict[Part, ImageSet] = {}
    for part, source in sources.items():
        if part in runs:
            found = _of_run(runs[part], part, size, channels, choice)
        else:
            found = load_image_set(
                source,
                size,
                channels,
                f"--{part}",
                skip_unreadable=choice.skip_unreadable,
                cache_dir=choice.cache,
                show_progress=say is not _silent,
            )
        sets[part] = found.spread(choice.samples)
        _check_enough(sets[part], part)
    if choice.labels is not None:
        sets["real"] = with_labels(sets["real"], Path(choice.labels).expanduser())
    stacked = sets["real"].stacked
    extractor, classifier = chosen(
        choice.extractor, choice.extractor_weights, str(choice.classifier), stacked is not None
    )
    if classifier is not None:
        names = sets["real"].label_names if stacked is None else stacked.label_names
        seen = channels if stacked is None else 1
        is_needed = bool(choice.classifier or stacked)
        classifier = fitting(classifier, names, seen, is_needed=is_needed)
    if extractor is not None:
        say(_estimate(sets, extractor))
    return _record(sources, sets, shapes, extractor, classifier, choice)


def _record(
    sources: dict[Part, Source],
    sets: dict[Part, ImageSet],
    shapes: dict[Part, Shape],
    extractor: "Extractor | None",
    classifier: "Classifier | None",
    choice: Choice,
) -> "Record":
    from logan.evaluation.record import Record

    real, generated, train = sets["real"], sets["generated"], sets.get("train")
    size = real.images.shape[1]
    resized = ", ".join(f"{part} {shape.size}" for part, shape in shapes.items())
    colours = "grey" if real.images.shape[3] == 1 else "colour"
    return Record(
        f"real: {real.text}; generated: {generated.text}"
        + (f"; training: {train.text}" if train else "")
        + f"; the largest square in the middle of each, {size} x {size} in {colours} by Pillow's "
        f"Hamming filter (shorter sides before: {resized} pixels)",
        choice.seed,
        real.images,
        held_out_names=real.names,
        labels=real.labels,
        label_names=real.label_names or None,
        class_shares=real.class_counts,
        train=None if train is None else train.images,
        train_names=None if train is None else train.names,
        generated=generated.images,
        has_fixed_camera=choice.fixed_camera,
        stacked=real.stacked,
        classifier=classifier,
        extractor=extractor,
        compared=choice.samples,
        notes=_notes(sources, sets),
    )


def _notes(sources: dict[Part, Source], sets: dict[Part, ImageSet]) -> list[str]:
    """What is odd about the images."""
    notes = []
    real, generated = sets["real"].images, sets["generated"].images
    if _same_place(sources["real"], sources["generated"]):
        notes.append("--generated is the same place as --real: images are compared with themselves")
    elif real.shape == generated.shape and np.array_equal(real, generated):
        notes.append("the generated images equal the real ones, one by one")
    if "train" in sources and _same_place(sources["real"], sources["train"]):
        notes.append("--train is the same place as --real, so that copies cannot be told apart")
    return notes


def _same_place(one: Source, other: Source) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one is other
    return Path(one).expanduser().resolve() == Path(other).expanduser().resolve()


def _common(shapes: dict[Part, Shape], image_size: int) -> tuple[int, int]:
    """The size and channels to which all are brought."""
    size = image_size or min(LARGEST_SIZE, *(shape.size for shape in shapes.values()))
    return max(size, 8), max(shape.channels for shape in shapes.values())


def _check_enough(images: ImageSet, part: Part) -> None:
    from logan.evaluation.record import FEWEST_COMPARED

    if len(images) < FEWEST_COMPARED:
        raise UserError(
            f"--{part}: expected {FEWEST_COMPARED} images or more. Received: {images.text}"
        )


def _run(source: Source, part: Part) -> Run | None:
    """The image run in a folder, if there is one."""
    if isinstance(source, np.ndarray) or not (Path(source).expanduser() / "flags.txt").is_file():
        return None
    run = Run.open(Path(source).expanduser())
    if not run.experiment.is_image:
        raise UserError(
            f"--{part}: expected a run on images. Received: {source}, of {run.experiment.dataset}"
        )
    return run


def _shape(run: Run) -> Shape:
    return Shape(run.experiment.image_size, run.experiment.channels)


def _of_run(run: Run, part: Part, size: int, channels: int, choice: Choice) -> ImageSet:
    """Generations of a run, or one part of its data."""
    if part == "generated":
        from logan.sampling import data_for, drawn_by, sample

        sampler, model = run.experiment.sampler, run.trained_model()
        data = data_for(sampler, run)
        images, notes = sample(model, choice.seed, choice.samples, sampler, data)
        found = load_image_set(np.clip(images, -1, 1), size, channels, "--generated")
        text = f"{len(found):,} generations of {run.path}{drawn_by(sampler, notes)}"
        return dataclasses.replace(found, text=text)
    from logan.datasets.load import load_images

    data, count = load_images(run.experiment, run.cache), choice.samples
    index = data.held_out(count) if part == "real" else data.trained_on(count)
    found = load_image_set(data.frames[index], size, channels, f"--{part}")
    names = found.names if data.names is None else data.names.of(index)
    what = "held-out" if part == "real" else "training"
    text = f"{len(found):,} {what} images of {run.path}"
    labels = None if data.labels is None else data.labels[index]
    return dataclasses.replace(
        found,
        names=names,
        text=text,
        labels=labels,
        label_names=data.label_names,
        class_counts=data.class_counts,
        stacked=data.stacked,
    )


def _estimate(sets: dict[Part, ImageSet], extractor: "Extractor") -> str:
    """How long it will take, by a few images."""
    from logan.metrics.distances import BLOCK_ROWS, squared_distances
    from logan.pace import duration

    some = sets["real"].images[:32]
    extractor(some)
    start = time.perf_counter()
    features = extractor(some)
    seconds = (time.perf_counter() - start) / len(some) * sum(map(len, sets.values()))
    count = max(map(len, sets.values()))
    rows = np.zeros((min(BLOCK_ROWS, count), features.shape[1]))
    others = np.zeros((count, features.shape[1]))
    start = time.perf_counter()
    np.partition(squared_distances(rows, others), min(5, count - 1), axis=1)
    passes = 16 if "train" in sets else 12
    seconds += (time.perf_counter() - start) * passes * count / len(rows)
    numbers = ", ".join(f"{len(images):,} {part}" for part, images in sets.items())
    return f"measuring {numbers} images: about {duration(seconds)}"


def tell(text: str) -> None:
    """Prints a line on stderr."""
    print(text, file=sys.stderr, flush=True)


def _silent(text: str) -> None:
    pass
