"""What the three image commands share."""

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from logan.cli import command
from logan.errors import UserError
from logan.runs import Run

if TYPE_CHECKING:
    from logan.models.bigan import BiGAN


def define(count: int, what: str, output: str) -> None:
    """Defines --workdir, --count, --output and --threads."""
    command.define_workdir()
    flags.DEFINE_integer("count", count, what, lower_bound=1, module_name="logan.cli")
    command.define_output(f"The picture, .png. Default: {output} in the run's figures/.")
    command.define_threads()


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
    path = Path(flags.FLAGS.output) if flags.FLAGS.output else run.figures / name
    if path.suffix.lower() != ".png":
        raise UserError(f"--output: expected a path that ends in .png. Received: {path}")
    return path


def bigan_of(run: Run) -> "BiGAN":
    """The trained model, which must have an encoder.

    Raises:
        UserError: if it has none.
    """
    from logan.models.bigan import BiGAN

    model = run.trained_model()
    if not isinstance(model, BiGAN):
        raise UserError(f"--workdir: expected a run with an encoder. {run.path} has none")
    return model
