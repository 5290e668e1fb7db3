"""Trains a classifier of labelled images, whose features measure generators of them."""

from absl import flags

from logan.cli import command
from logan.errors import UserError

TEXT = """Trains a classifier of labelled images: its features tell more of such images than
those of networks that never saw any. Prints its accuracy on held-out images.

    logan-classifier --images=photos --image_size=64 --output=photos.keras
    logan-classifier --images=mnist --channels=1 --output=mnist.keras
    logan-evaluate --workdir=runs/images-pairwise-seed0 --extractor=photos.keras"""


def define() -> None:
    flags.DEFINE_string(
        "images",
        None,
        "Folder with a sub-folder of pictures for each class, or with these in train/ and test/; "
        "or MNIST's four files, or CIFAR-10's cifar-10-binary.tar.gz. Required.",
        module_name="logan.cli",
    )
    command.define_output("Path of the classifier, .keras. Default: classifier.keras.")
    for name, default, text, least in (
        ("image_size", 32, "Height and width of the images, in pixels.", 8),
        ("epochs", None, "Number of epochs. Default: as many as make 2,000 updates.", 1),
        ("width", 16, "Channels of the first convolution.", 1),
        ("seed", 0, "Seed of weights and order.", None),
    ):
        flags.DEFINE_integer(name, default, text, lower_bound=least, module_name="logan.cli")
    flags.DEFINE_enum(
        "channels", "3", ["1", "3"], "1: grey images; 3: coloured ones.", module_name="logan.cli"
    )
    flags.DEFINE_bool(
        "skip_unreadable",
        False,
        "Leave out pictures that cannot be read, and name them.",
        module_name="logan.cli",
    )
    flags.DEFINE_bool("progress", True, "Draw a progress bar.", module_name="logan.cli")
    command.define_threads()


def main() -> None:
    settings = flags.FLAGS
    if not settings.images:
        raise UserError("--images: expected a folder of classes. Received: nothing")
    output = command.given_path(settings.output or "classifier.keras")
    if output.suffix != ".keras" or output.is_dir():
        raise UserError(f"--output: expected the path of a file, .keras. Received: {output}")
    from logan.datasets.labelled import load_labelled_images

    data = load_labelled_images(
        command.given_path(settings.images),
        size=settings.image_size,
        channels=int(settings.channels),
        skip_unreadable=settings.skip_unreadable,
        show_progress=settings.progress,
    )
    command.start_tensorflow()
    from logan.classifier import save_classifier, train_classifier

    trained = train_classifier(
        data,
        epochs=settings.epochs,
        seed=settings.seed,
        width=settings.width,
        show_progress=settings.progress,
    )
    print(f"{save_classifier(output, trained, data)}\n{output}")


def run() -> None:
    command.run(TEXT, define, main)
