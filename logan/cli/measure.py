"""Measures any generator's images against real ones, and writes one page on it."""

from pathlib import Path

from absl import flags

from logan.cli import command
from logan.errors import UserError

TEXT = """Measures how well generated images cover real ones, whatever generator made them: prints a
table and what was found, and writes report.html, missed.csv, metrics.json and pictures.

    logan-measure --real=photos --generated=samples
    logan-measure --real=held_out.npy --generated=samples.zip --train=train.npy --output=measured

Each side is a folder of pictures (sub-folders too), a zip archive, an .npy or .npz array (uint8 in
[0, 255] or floating in [-1, 1]), a video, or the folder of an image run, of which --real takes the
held-out part, --train the training part and --generated generations."""


def define() -> None:
    for name, text in (
        ("real", "Held-out real images. Required."),
        ("generated", "What a generator made. Required."),
        ("train", "What the generator was trained on, to find what it copies."),
        ("labels", "CSV file with the columns file and label of all real images. Default: the "
                   "sub-folders, where all lie in some."),
    ):  # fmt: skip
        flags.DEFINE_string(name, None, text, module_name="logan.cli")
    command.define_output("Folder for what is written. Default: measured.")
    command.define_extractor()
    command.define_classifier()
    flags.DEFINE_integer(
        "samples",
        50_000,
        "Images of each side, at most; evenly spread.",
        lower_bound=1,
        module_name="logan.cli",
    )
    flags.DEFINE_integer(
        "image_size",
        0,
        "Pixels a side to which all images are resized. 0: those of the smallest, at most 128.",
        lower_bound=0,
        module_name="logan.cli",
    )
    flags.DEFINE_bool(
        "fixed_camera",
        False,
        "Whether all images show one scene: then what stands before it is measured.",
        module_name="logan.cli",
    )
    flags.DEFINE_bool(
        "skip_unreadable",
        False,
        "Leave out pictures that cannot be read, and name them.",
        module_name="logan.cli",
    )
    flags.DEFINE_integer("seed", 0, "Seed of all draws.", lower_bound=0, module_name="logan.cli")
    command.define_plugins("measures and extractors")
    command.define_threads()


def main() -> None:
    settings = flags.FLAGS
    for name in ("real", "generated"):
        if not settings[name].value:
            raise UserError(f"--{name}: expected images. Received: nothing")
    command.load_given_plugins()
    extractor, weights = command.given_extractor()
    from logan.measuring import Choice, check_sources, record_of, tell

    output = command.given_path(settings.output, Path("measured"))
    if output.exists() and not output.is_dir():
        raise UserError(f"--output: expected a folder. Received: {output}, a file")
    choice = Choice(
        extractor=extractor,
        extractor_weights=weights,
        classifier=command.given_classifier(),
        samples=settings.samples,
        image_size=settings.image_size,
        labels=settings.labels,
        fixed_camera=settings.fixed_camera,
        seed=settings.seed,
        skip_unreadable=settings.skip_unreadable,
        cache=output / ".cache",
    )
    sources = (settings.real, settings.generated, settings.train)
    check_sources(*sources)
    command.start_tensorflow()
    from logan.evaluation import table
    from logan.evaluation.report import measured

    record = record_of(*sources, choice, tell)
    metrics, found, paths = measured(record, output)
    print(table({"generated": metrics}))
    print()
    for sentence in (*record.notes, *found.findings):
        print(sentence)
    print(f"\n{metrics['protocol']}")
    for path in paths:
        print(path)


def run() -> None:
    command.run(TEXT, define, main)
