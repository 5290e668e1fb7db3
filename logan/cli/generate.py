"""Draws a grid of generated images."""

from absl import flags

from logan.cli import command, image_run

TEXT = """Draws a grid of generated images.

    logan-generate --workdir=runs/traffic-pairwise-seed0 --count=64"""


def define() -> None:
    image_run.define(64, "How many images.", "generations.png")
    flags.DEFINE_integer("seed", 0, "Of the latents.", lower_bound=0, module_name="logan.cli")
    flags.DEFINE_integer(
        "scale", 4, "Pixels a side for each image pixel.", lower_bound=1, module_name="logan.cli"
    )


def main() -> None:
    run = image_run.open_run()
    output = image_run.output_path(run, "generations.png")
    command.start_tensorflow()
    from logan.evaluation import generate
    from logan.figures.files import save_image
    from logan.figures.grids import image_grid

    images = generate(run.trained_model(), flags.FLAGS.seed, flags.FLAGS.count)
    print(save_image(output, image_grid(images), scale=flags.FLAGS.scale))


def run() -> None:
    command.run(TEXT, define, main)
