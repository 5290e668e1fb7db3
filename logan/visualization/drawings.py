"""The pictures of one run, by their file names.

A picture is a `Drawing` in a module and a line here. A file of --plugins adds one by
`DRAWINGS.register("norms.png", Entry())(Drawing(…))`.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from logan.figures.files import save_figure
from logan.registry import Entry, Registry
from logan.runs import Run
from logan.visualization.history import History


@dataclasses.dataclass(frozen=True)
class Drawing:
    """One picture of a run.

    Attributes:
        applies: whether the run has what it shows.
        write: writes it to a path and returns the path.
    """

    applies: Callable[[History], bool]
    write: Callable[[History, Path], Path]


def saved(draw: Callable[[History], Figure]) -> Callable[[History, Path], Path]:
    """`Drawing.write` of a figure."""
    return lambda history, path: save_figure(draw(history), path)


DRAWINGS = Registry(
    "figure",
    {
        "curves.png": Entry("logan.visualization.curves:CURVES", "the log over steps"),
        "encoder.png": Entry("logan.visualization.encoder:ENCODER", "data and their encodings"),
        "samples.png": Entry("logan.visualization.toy:SAMPLES", "samples over D's contour"),
        "coverage.png": Entry("logan.visualization.curves:COVERAGE", "covered modes over steps"),
        "latent_map.png": Entry("logan.visualization.toy:LATENT_MAP", "the mode of each z"),
        "joint_space.png": Entry("logan.visualization.toy:JOINT_SPACE", "pairs of 1-D x and z"),
        "densities.png": Entry(
            "logan.visualization.densities:DENSITIES", "density of a generator of 1-D x over steps"
        ),
        "training.gif": Entry("logan.visualization.toy:ANIMATION", "samples over steps"),
    },
)


def visualize(run: Run) -> list[Path]:
    """Draws everything there is to see of one run into its folder.

    Returns:
        The pictures' paths.

    Raises:
        RunError: if the run left nothing to draw.
    """
    history, paths = History(run), []
    for name in DRAWINGS:
        drawing = DRAWINGS.load(name)
        if drawing.applies(history):
            paths.append(drawing.write(history, run.figures / name))
    return paths
