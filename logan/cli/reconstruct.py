"""Draws held-out images and what the model makes of them."""

from typing import TYPE_CHECKING

from absl import flags

from logan.cli import command, image_run

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

TEXT = """Draws held-out images, and under each its reconstruction G(E(x)).

It reconstructs up to 1,000 held-out images (fewer above 64 pixels) and shows the best, the median
and the worst by structural similarity (SSIM). Below 11 pixels SSIM is not defined, and the squared
error ranks them. With --order=time the images are evenly spread over the held-out part, however
well they are reconstructed. A conditional run decodes each by its class, G(E(x), y).

    logan-reconstruct --workdir=runs/traffic-pairwise-seed0 --count=6
    logan-reconstruct --workdir=runs/traffic-pairwise-seed0 --order=time --count=16 --size=1200"""

_RANKED = 1_000
_RANKED_VALUES = 2**24
_COUNTS = {"ssim": 6, "time": 16}


def define() -> None:
    image_run.define(
        None,
        f"Number of pairs. Default: {_COUNTS['ssim']} of each group, or {_COUNTS['time']} in all "
        "with --order=time.",
        "reconstructions.png",
        f"{image_run.HELD_OUT_SEED} With --order=ssim it matters only if "
        "there are more than are ranked.",
    )
    flags.DEFINE_enum(
        "order",
        "ssim",
        list(_COUNTS),
        "Pairs to show. ssim: the best, median and worst; time: evenly spread over the held-out "
        "part.",
        module_name="logan.cli",
    )


def main() -> None:
    run = image_run.open_run()
    output = image_run.output_path(run, "reconstructions.png")
    order, seed = flags.FLAGS.order, flags.FLAGS.seed
    count = flags.FLAGS.count or _COUNTS[order]
    command.start_tensorflow()
    from logan.datasets.load import load_images
    from logan.generation import reconstruct

    model = image_run.encoding_model_of(run)
    ranked = min(_RANKED, _RANKED_VALUES // image_run.image_values(run))
    images = load_images(run.experiment, run.cache)
    chosen = (images, run, ranked if order == "ssim" else count, seed)
    x = image_run.held_out(*chosen)
    x_hat = reconstruct(model, x, image_run.held_out_labels(*chosen))
    figure = ranked_figure(x, x_hat, count) if order == "ssim" else spread_figure(x, x_hat)
    print(image_run.save(figure, output))


def ranked_figure(x: "np.ndarray", x_hat: "np.ndarray", count: int) -> "Figure":
    """The best, median and worst `count` by SSIM, or by squared error where images are too small.

    Args:
        x: float32 [images, height, width, channels] in [-1, 1].
        x_hat: their reconstructions, the same shape.
        count: of each group.
    """
    from logan.figures.reconstructions import ranked_reconstruction_figure
    from logan.metrics.images import SSIM_WINDOW, mean_squared_error, ssim

    if min(x.shape[1:3]) >= SSIM_WINDOW:
        return ranked_reconstruction_figure(x, x_hat, ssim(x, x_hat), count=count)
    return ranked_reconstruction_figure(
        x,
        x_hat,
        mean_squared_error(x, x_hat),
        count=count,
        measure="squared error",
        is_error=True,
        note=f"SSIM needs images of {SSIM_WINDOW} pixels or more",
    )


def spread_figure(x: "np.ndarray", x_hat: "np.ndarray") -> "Figure":
    """All pairs in their order, with squared errors."""
    from logan.figures.grids import reconstruction_figure
    from logan.metrics.images import mean_squared_error

    return reconstruction_figure(x, x_hat, mean_squared_error(x, x_hat), measure="squared error")


def run() -> None:
    command.run(TEXT, define, main)
