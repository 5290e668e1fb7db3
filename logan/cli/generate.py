"""Draws a grid of generated images."""

from absl import flags

from logan.cli import command, image_run
from logan.errors import UserError
from logan.settings.names import PLAIN

TEXT = """Draws a grid of generated images.

    logan-generate --workdir=runs/traffic-pairwise-seed0 --count=64
    logan-generate --workdir=runs/traffic-pairwise-seed0 --count=30 --columns=10 --size=1200"""

_SCALE = 4


def define() -> None:
    image_run.define(64, "Number of images.", "generations.png", "Seed of the latents.")
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
    sampler = command.given_sampler()
    output = image_run.output_path(run, "generations.png")
    if flags.FLAGS.size is not None and flags.FLAGS.scale is not None:
        raise UserError(
            "--scale: expected none together with --size, which decides the scale. "
            f"Received: --scale={flags.FLAGS.scale} --size={flags.FLAGS.size}"
        )
    command.start_tensorflow()
    from logan.datasets.load import load
    from logan.figures.grids import image_grid
    from logan.sampling import sample

    model = run.trained_model(flags.FLAGS.weights)
    data = None if sampler == PLAIN else load(run.experiment, run.cache)
    images, _ = sample(model, flags.FLAGS.seed, flags.FLAGS.count, sampler, data)
    grid = image_grid(images, flags.FLAGS.columns)
    print(image_run.save_grid(grid, output, flags.FLAGS.scale or _SCALE))


def run() -> None:
    command.run(TEXT, define, main)
