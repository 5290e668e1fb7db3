"""Puts several runs side by side: one picture and one table."""

from absl import flags

from logan.cli import command
from logan.errors import UserError
from logan.files import write_text
from logan.runs import Run

TEXT = """Puts several runs side by side: one picture, and one table beside it.

    logan-compare --workdirs=runs/ring8-none-seed0,runs/ring8-pairwise-seed0"""


def define() -> None:
    flags.DEFINE_list(
        "workdirs", [], "The runs' folders, comma-separated. Required.", module_name="logan.cli"
    )
    flags.DEFINE_integer(
        "columns",
        None,
        "Panels in a row, of toy data. Default: all.",
        lower_bound=1,
        module_name="logan.cli",
    )
    command.define_output(
        "Path of the picture, .png, .pdf or .svg; the table lies beside it as .md. Default: "
        "compare.png beside the runs."
    )
    command.define_plugins("measures")
    command.define_threads()


def main() -> None:
    command.load_given_plugins()
    if not flags.FLAGS.workdirs:
        raise UserError("--workdirs: expected folders of runs, comma-separated. Received: nothing")
    runs = [Run.open(command.given_path(path)) for path in flags.FLAGS.workdirs]
    output = command.given_path(flags.FLAGS.output, runs[0].path.parent / "compare.png")
    if output.suffix not in (".png", ".pdf", ".svg"):
        raise UserError(f"--output: expected a path in .png, .pdf or .svg. Received: {output}")
    command.start_tensorflow()
    from logan.evaluation import table
    from logan.figures.files import save_figure
    from logan.visualization import compare

    figure, metrics = compare(runs, flags.FLAGS.columns)
    text = table(metrics)
    save_figure(figure, output)
    write_text(output.with_suffix(".md"), text + "\n")
    print(f"{text}\n\n{output}")


def run() -> None:
    command.run(TEXT, define, main)
