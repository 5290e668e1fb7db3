"""Draws held-out images and what the model makes of them."""

from absl import flags

from logan.cli import command, image_run

TEXT = """Draws held-out images, and under each its reconstruction G(E(x)) and squared error.

    logan-reconstruct --workdir=runs/traffic-pairwise-seed0 --count=16"""


def define() -> None:
    image_run.define(16, "How many pairs.", "reconstructions.png")


def main() -> None:
    run = image_run.open_run()
    output = image_run.output_path(run, "reconstructions.png")
    command.start_tensorflow()
    from logan.datasets.load import load_images
    from logan.evaluation import reconstruct
    from logan.figures.files import save_figure
    from logan.figures.grids import reconstruction_figure
    from logan.metrics.images import mean_squared_error

    x = load_images(run.experiment, run.cache).evaluation_sample(0, flags.FLAGS.count)
    x_hat = reconstruct(image_run.bigan_of(run), x)
    print(save_figure(reconstruction_figure(x, x_hat, mean_squared_error(x, x_hat)), output))


def run() -> None:
    command.run(TEXT, define, main)
