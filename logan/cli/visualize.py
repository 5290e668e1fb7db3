"""Draws what a run learned and how."""

from logan.cli import command
from logan.runs import Run

TEXT = """Draws a run into its figures/ folder: samples over the discriminator's contour, which
latents make which mode, the joint space of 1-D data, training curves, an animation.

    logan-visualize --workdir=runs/ring8-pairwise-seed0"""


def define() -> None:
    command.define_workdir()
    command.define_plugins("figures")
    command.define_threads()


def main() -> None:
    command.load_given_plugins()
    run = Run.open(command.required_workdir())
    command.start_tensorflow()
    from logan.visualization import visualize

    for path in visualize(run):
        print(path)


def run() -> None:
    command.run(TEXT, define, main)
