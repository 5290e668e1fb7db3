"""Draws a grid of generated images."""

from absl import flags

from logan.cli import command, image_run
from logan.errors import UserError
from logan.settings.names import PLAIN

TEXT = """Draws a grid of generated images.

    logan-generate --workdir=runs/traffic-pairwise-seed0 --count=64
    logan-generate --workdir=runs/traffic-pairwise-seed0 --count=30 --columns=10 --size=1200

Of a conditional run it draws a row for each class, with the same latents in each, or one class:

    logan-generate --workdir=runs/mnist-projection-seed0 --count=12
    logan-generate --workdir=runs/cifar10-conditional-pairwise-seed0 --label=ship"""

_SCALE = 4
_COUNT, _COUNT_OF_A_CLASS = 64, 10


def define() -> None:
    image_run.define(
        None,
        f"Number of images, or of those in each class's row. Default: {_COUNT}, or "
        f"{_COUNT_OF_A_CLASS} in a row.",
        "generations.png",
        "Seed of the latents.",
    )
    image_run.define_label(
        "Class to draw, of a conditional run: its name, or else its number from 0. Default: a row "
        "for each class; with a --sampler, classes as often as the data have them."
    )
    flags.DEFINE_integer(
        "columns",
        None,
        "Images in a row. Default: as many as make the grid square.",
        lower_bound=1,
        module_name="logan.cli",
    )
    flags.DEFINE_integer(
        "scale",
        None,
        f"Pixels a side of each pixel of an image, in place of --size. Default: {_SCALE}.",
        lower_bound=1,
        module_name="logan.cli",
    )
    command.define_sampler()
    command.define_plugins("samplers")


def main() -> None:
    command.load_given_plugins()
    run = image_run.open_run()
    sampler = command.given_sampler() or run.experiment.sampler
    output = image_run.output_path(run, "generations.png")
    if flags.FLAGS.size is not None and flags.FLAGS.scale is not None:
        raise UserError(
            "--scale: expected none together with --size, which decides the scale. "
            f"Received: --scale={flags.FLAGS.scale} --size={flags.FLAGS.size}"
        )
    label, classes = image_run.given_label(run), run.classes()
    if label is not None and sampler != PLAIN:
        raise UserError(
            "--label: expected nothing beside a --sampler, which weighs the classes by the data. "
            f"Received: --sampler={sampler}"
        )
    by_rows = classes is not None and label is None and sampler == PLAIN
    for name in ("columns", "scale"):
        if by_rows and flags.FLAGS[name].value is not None:
            raise UserError(
                f"--{name}: expected nothing with a row for each class; --count says how many "
                "images are in it, --size how large the picture is. Received: "
                f"{flags.FLAGS[name].value}"
            )
    command.start_tensorflow()
    from logan.figures.grids import comparison_sheet, image_grid
    from logan.generation import by_class
    from logan.sampling import data_for, sample

    model = run.trained_model(flags.FLAGS.weights)
    seed, scale = flags.FLAGS.seed, flags.FLAGS.scale or _SCALE
    if by_rows:
        assert classes is not None
        count = flags.FLAGS.count or _COUNT_OF_A_CLASS
        images, labels = by_class(model, seed, range(len(classes)), count)
        rows = [(name, images[labels == row]) for row, name in enumerate(classes.names)]
        print(image_run.save(comparison_sheet(rows), output))
        return
    count = flags.FLAGS.count or _COUNT
    if label is not None:
        grid = image_grid(by_class(model, seed, [label], count)[0], flags.FLAGS.columns)
        print(image_run.save_grid(grid, output, scale))
        return
    images, _ = sample(model, seed, count, sampler, data_for(sampler, run))
    grid = image_grid(images, flags.FLAGS.columns)
    print(image_run.save_grid(grid, output, scale))


def run() -> None:
    command.run(TEXT, define, main)
