"""Draws the way between the encodings of two held-out images."""

from absl import flags

from logan.cli import command, image_run

TEXT = """Draws rows of images decoded on the straight line between the encodings of two held-out
images, which stand at both ends.

    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --count=6 --points=9"""


def define() -> None:
    image_run.define(6, "How many rows.", "interpolations.png")
    flags.DEFINE_integer(
        "points", 9, "Images decoded in each row.", lower_bound=2, module_name="logan.cli"
    )


def main() -> None:
    run = image_run.open_run()
    output = image_run.output_path(run, "interpolations.png")
    command.start_tensorflow()
    import numpy as np

    from logan.datasets.load import load_images
    from logan.figures.files import save_figure
    from logan.figures.grids import interpolation_figure
    from logan.snapshots import in_batches

    rows = flags.FLAGS.count
    x = load_images(run.experiment, run.cache).evaluation_sample(0, 2 * rows)
    # Partners lie half of the held-out time apart, so the two ends differ.
    rows = len(x) // 2
    starts, ends = x[:rows], x[rows : 2 * rows]
    model = image_run.bigan_of(run)
    first, last = (in_batches(model.averaged_encoder, images) for images in (starts, ends))
    shares = np.linspace(0, 1, flags.FLAGS.points, dtype=np.float32)[None, :, None]
    z = (1 - shares) * first[:, None] + shares * last[:, None]
    decoded = in_batches(model.averaged_generator, z.reshape(-1, z.shape[-1]), size=500)
    decoded = decoded.reshape(rows, flags.FLAGS.points, *x.shape[1:])
    print(save_figure(interpolation_figure(decoded, starts, ends), output))


def run() -> None:
    command.run(TEXT, define, main)
