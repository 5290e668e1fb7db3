"""What the three image commands share."""

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from logan.cli import command
from logan.errors import UserError
from logan.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from PIL import Image

    from logan.datasets.images import Images
    from logan.datasets.load import Data
    from logan.models.encoding import EncodingModel

# Random choices are made among so many held-out images, evenly spread. Of float32, 256 MiB.
_POOL_IMAGES = 4_000
_POOL_VALUES = 2**26

HELD_OUT_SEED = "Choice of held-out images. 0: evenly spread; any other number: a random draw."


def define(count: int | None, what: str, output: str, seed: str) -> None:
    """Defines --workdir, --count, --seed, --size, --output, --weights and --threads."""
    command.define_workdir()
    flags.DEFINE_integer("count", count, what, lower_bound=1, module_name="logan.cli")
    flags.DEFINE_integer("seed", 0, seed, lower_bound=0, module_name="logan.cli")
    flags.DEFINE_integer(
        "size",
        None,
        "Pixels of the picture's longer side. Default: as many as show each pixel of an image as a "
        "square of whole pixels.",
        lower_bound=64,
        upper_bound=10_000,
        module_name="logan.cli",
    )
    command.define_output(f"Path of the picture, .png. Default: {output} in the run's figures/.")
    command.define_weights()
    command.define_threads()


def define_label(text: str) -> None:
    """Defines --label."""
    flags.DEFINE_string("label", None, text, module_name="logan.cli")


def given_label(run: Run) -> int | None:
    """The class of --label, by its number; None if it was not given.

    Raises:
        UserError: if there is no such class, or the run is not conditional.
    """
    text = flags.FLAGS.label
    if text is None:
        return None
    classes = run.classes()
    if classes is None:
        raise UserError(
            "--label: expected a conditional run, trained by --condition=classes or a --method "
            f"such as projection or conditional-pairwise. Received: {run.path}, which knows no "
            "classes; without --label it is drawn as it is"
        )
    return classes.number(text)


def open_run() -> Run:
    """The run of --workdir.

    Raises:
        UserError: if it is not a run on images.
    """
    run = Run.open(command.required_workdir())
    if not run.experiment.is_image:
        raise UserError(
            f"--workdir: expected a run on images; logan-visualize draws toy runs. {run.path} is "
            f"of {run.experiment.dataset}"
        )
    return run


def output_path(run: Run, name: str) -> Path:
    """--output, or the name in the run's figures."""
    path = command.given_path(flags.FLAGS.output, run.figures / name)
    if path.suffix.lower() != ".png":
        raise UserError(f"--output: expected a path that ends in .png. Received: {path}")
    return path


def encoding_model_of(run: Run) -> "EncodingModel":
    """The trained model, which must have an encoder.

    Raises:
        UserError: if it has none.
    """
    from logan.models.encoding import EncodingModel

    model = run.trained_model(flags.FLAGS.weights)
    if not isinstance(model, EncodingModel):
        raise UserError(f"--workdir: expected a run with an encoder. {run.path} has none")
    return model


def held_out(data: "Data", run: Run, count: int, seed: int) -> "np.ndarray":
    """Up to `count` held-out images in their order, as `HELD_OUT_SEED` says.

    Returns:
        float32 [images, height, width, channels] in [-1, 1].
    """
    images = data.evaluation_sample(0, _pool(run, count, seed))
    return images if seed == 0 else images[_drawn(len(images), count, seed)]


def held_out_labels(data: "Images", run: Run, count: int, seed: int) -> "np.ndarray | None":
    """The classes of what `held_out` gives, int64 [images]; None of networks without labels."""
    if not run.experiment.takes_labels:
        return None
    labels = data.evaluation_labels(0, _pool(run, count, seed))
    return labels if seed == 0 or labels is None else labels[_drawn(len(labels), count, seed)]


def _pool(run: Run, count: int, seed: int) -> int:
    """Of how many held-out images a choice is made."""
    return count if seed == 0 else max(count, min(_POOL_IMAGES, _POOL_VALUES // image_values(run)))


def _drawn(size: int, count: int, seed: int) -> "np.ndarray":
    """Up to `count` of so many images, drawn at random, ascending."""
    import numpy as np

    from logan.randomness import Purpose, key, uniform

    order = np.argsort(uniform(key(seed, 0, Purpose.EVALUATION_DATA), [size]).numpy())
    return np.sort(order[:count])


def image_values(run: Run) -> int:
    """How many numbers an image of the run has."""
    return run.experiment.image_size**2 * run.experiment.channels


def save(figure: "Figure", output: Path) -> Path:
    """Writes a figure at the size of --size."""
    from PIL import Image

    from logan.figures.files import save_figure

    size = flags.FLAGS.size
    if size is None:
        return save_figure(figure, output)
    # Drawn at least as large, every image pixel a square, and then reduced: no pixel is lost.
    dpi = 100 * math.ceil(size / (100 * max(figure.get_size_inches())))
    with tempfile.TemporaryDirectory() as folder:
        drawn = save_figure(figure, Path(folder, "figure.png"), dpi=dpi)
        with Image.open(drawn) as image:
            return _save_reduced(image.convert("RGB"), output)


def save_grid(pixels: "np.ndarray", output: Path, scale: int) -> Path:
    """Writes uint8 [height, width, channels] at the size of --size, or enlarged `scale` times."""
    from PIL import Image

    from logan.figures.files import save_image

    size = flags.FLAGS.size
    if size is None:
        return save_image(output, pixels, scale=scale)
    factor = math.ceil(size / max(pixels.shape[:2]))
    enlarged = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    return _save_reduced(
        Image.fromarray(enlarged[:, :, 0] if enlarged.shape[2] == 1 else enlarged), output
    )


def _save_reduced(image: "Image.Image", output: Path) -> Path:
    from PIL import Image

    from logan.files import atomic_path

    factor = flags.FLAGS.size / max(image.size)
    width, height = (max(1, round(factor * side)) for side in image.size)
    with atomic_path(output) as temporary:
        image.resize((width, height), Image.Resampling.HAMMING).save(temporary, format="PNG")
    return output
