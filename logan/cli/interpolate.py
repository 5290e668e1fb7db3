"""Draws ways through the latent space, from and between encodings of real images."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from logan.cli import command, image_run
from logan.errors import UserError
from logan.runs import Run
from logan.settings import PRIORS

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from logan.models.encoding import EncodingModel

TEXT = """Draws rows of decoded latents.

--kind=linear and --kind=spherical go from the encoding of one image to that of another. Both images
stand at the ends of their row. Held-out partners lie about half of the held-out part apart. The
straight line suits a uniform prior; draws of a normal one lie near a sphere.

--kind=traversal takes the encoding of one image and moves one latent feature in each row from -1
to 1, of a run with --prior=normal from -3 to 3. Without --features it shows those that change the
image most: by the mean absolute difference between the images at both ends of the range, over the
encodings of four held-out images, or of the one of --images.

Of a conditional run both ends of a row are of one class, and all of the row is decoded by it:
G(z, y). --label decodes by another class; pictures of your own need it.

    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --count=6 --points=9
    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --kind=spherical --seed=1
    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --kind=traversal --features=0,5,7
    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --images=one.png,two.jpg,three.png"""

_KINDS = ("linear", "spherical", "traversal")
_RANKING_IMAGES = 4
_PARTNERS = 1_000  # held-out images that the ends of a conditional run's rows are taken from


def define() -> None:
    image_run.define(
        6,
        "Number of rows. Not used with --features, which have a row each, nor with --images, "
        "where each neighbouring pair has one.",
        "interpolations.png",
        image_run.HELD_OUT_SEED,
    )
    flags.DEFINE_integer(
        "points", 9, "Number of images decoded in each row.", lower_bound=2, module_name="logan.cli"
    )
    flags.DEFINE_enum(
        "kind",
        None,
        _KINDS,
        "Way through the latent space: straight, along the sphere, or one feature at a time. "
        "Default: linear, of a run with --prior=normal spherical.",
        module_name="logan.cli",
    )
    flags.DEFINE_list(
        "features",
        [],
        "Latent features of --kind=traversal, counted from 0, comma-separated. Default: those that "
        "change the image most.",
        module_name="logan.cli",
    )
    flags.DEFINE_list(
        "images",
        [],
        "Pictures of your own in place of held-out images, comma-separated: two or more, or one "
        "with --kind=traversal. They are cropped as the run's images are. Default: held-out "
        "images.",
        module_name="logan.cli",
    )

    image_run.define_label(
        "Class to decode by, of a conditional run: its name, or else its number from 0. Default: "
        "that of the held-out images."
    )


def main() -> None:
    run = image_run.open_run()
    output = image_run.output_path(run, "interpolations.png")
    is_traversal = flags.FLAGS.kind == "traversal"
    features = _features(run, is_traversal)
    own, label = _own_images(run, is_traversal), image_run.given_label(run)
    if own is not None and label is None and run.classes() is not None:
        raise UserError(
            "--label: expected the class to decode pictures of your own by, of a conditional run. "
            "Received: nothing"
        )
    command.start_tensorflow()
    model = image_run.encoding_model_of(run)
    if is_traversal:
        figure = _traversals(model, run, features, own, label)
    else:
        figure = _ways(model, run, own, label)
    print(image_run.save(figure, output))


def _ways(
    model: "EncodingModel", run: Run, own: "np.ndarray | None", label: int | None
) -> "Figure":
    import numpy as np

    from logan import interpolation
    from logan.figures.grids import interpolation_figure
    from logan.generation import encode

    if own is None:
        starts, ends, labels = _held_out_pairs(run)
    else:
        starts, ends, labels = own[:-1], own[1:], None
    if label is not None:
        labels = np.full(len(starts), label)
    kind = flags.FLAGS.kind
    way = getattr(interpolation, kind) if kind else interpolation.WAYS[model.prior]
    z = way(encode(model, starts, labels), encode(model, ends, labels), flags.FLAGS.points)
    return interpolation_figure(_decode(model, z, labels), starts, ends, way=way.__name__)


def _held_out_pairs(run: Run) -> "tuple[np.ndarray, np.ndarray, np.ndarray | None]":
    """The ends of the rows, and of a conditional run the class that both ends of a row have."""
    from logan.datasets.load import load_images

    count, seed = flags.FLAGS.count, flags.FLAGS.seed
    images = load_images(run.experiment, run.cache)
    x = image_run.held_out(images, run, 2 * count, seed)
    rows = len(x) // 2
    if not rows:
        raise UserError(f"--workdir: expected 2 held-out images or more. {run.path} has {len(x)}")
    if not run.experiment.takes_labels:
        return x[:rows], x[rows : 2 * rows], None
    labels = image_run.held_out_labels(images, run, 2 * count, seed)
    pool = image_run.held_out(images, run, _PARTNERS, 0)
    of_pool = image_run.held_out_labels(images, run, _PARTNERS, 0)
    assert labels is not None and of_pool is not None
    starts, ends = partners(labels[:rows], of_pool)
    if not len(starts):
        raise UserError(
            f"--workdir: expected 2 held-out images of a class or more. {run.path} has 1 of each"
        )
    return x[starts], pool[ends], labels[starts]


def partners(labels: "np.ndarray", of_pool: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """For images a partner each of the same class, from all over the pool.

    Args:
        labels: int [images].
        of_pool: int [pool], the classes of images that partners are taken from, the images among
            them, evenly spread and as many to a class as may be.

    Returns:
        Which of the images have one, and which of the pool that is: of row r the one r + 1/2 of
        the way through those of its class, counted round and round.
    """
    import numpy as np

    starts, ends = [], []
    for row, label in enumerate(labels.tolist()):
        same = np.flatnonzero(of_pool == label)
        if len(same) > 1:
            starts.append(row)
            ends.append(same[(len(same) // 2 + row) % len(same)])
    return np.array(starts, np.int64), np.array(ends, np.int64)


def _traversals(
    model: "EncodingModel",
    run: Run,
    features: list[int],
    own: "np.ndarray | None",
    label: int | None,
) -> "Figure":
    import numpy as np

    from logan.datasets.load import load_images
    from logan.figures.grids import traversal_figure
    from logan.generation import encode
    from logan.interpolation import traversal

    if own is None:
        images = load_images(run.experiment, run.cache)
        choices = ((images, run, 1, flags.FLAGS.seed), (images, run, _RANKING_IMAGES, 0))
        image, others = (image_run.held_out(*each) for each in choices)
        of_image, of_others = (image_run.held_out_labels(*each) for each in choices)
    else:
        image, of_image = others, of_others = own, None
    if label is not None:
        of_image, of_others = np.full(len(image), label), np.full(len(others), label)
    if not features:
        z = encode(model, others, of_others)
        changes = feature_changes(model, z, PRIORS[model.prior], of_others)
        features = np.argsort(-changes, kind="stable")[: flags.FLAGS.count].tolist()
    points, reach = flags.FLAGS.points, PRIORS[model.prior]
    z = traversal(encode(model, image, of_image)[0], features, points, reach)
    rows = _decode(model, z, None if of_image is None else np.repeat(of_image, len(z)))
    return traversal_figure(rows, features, np.linspace(-reach, reach, points), image[0])


def feature_changes(
    model: "EncodingModel", z: "np.ndarray", reach: float = 1.0, labels: "np.ndarray | None" = None
) -> "np.ndarray":
    """How much of an image each latent feature decides.

    Args:
        model: whose averaged generator decodes.
        z: float32 [encodings, latent_length].
        reach: above 0; each feature is taken from -reach to reach.
        labels: int [encodings], the classes to decode by, of a conditional generator.

    Returns:
        float64 [latent_length], the mean over encodings, pixels and channels of the absolute
        difference between the images at both ends.
    """
    import numpy as np

    from logan.interpolation import traversal

    changes = []
    for index, encoding in enumerate(z):
        of_ends = None if labels is None else np.repeat(labels[index], len(encoding))
        ends = _decode(model, traversal(encoding, range(len(encoding)), 2, reach), of_ends)
        changes.append(np.abs(ends[:, 1] - ends[:, 0]).mean(axis=(1, 2, 3), dtype=np.float64))
    return np.mean(changes, axis=0)


def _decode(
    model: "EncodingModel", z: "np.ndarray", labels: "np.ndarray | None" = None
) -> "np.ndarray":
    """[rows, points, latent_length] to [rows, points, height, width, channels]; labels [rows]."""
    from logan.generation import decode

    points = z.shape[1]
    of_points = None if labels is None else labels.repeat(points)
    decoded = decode(model, z.reshape(-1, z.shape[-1]), of_points, size=100)
    return decoded.reshape(*z.shape[:2], *decoded.shape[1:])


def _features(run: Run, is_traversal: bool) -> list[int]:
    """--features, checked; none if it was not given."""
    given, length = flags.FLAGS.features, run.experiment.latent_length
    if given and not is_traversal:
        received = flags.FLAGS.kind or "another kind"
        raise UserError(f"--features: expected --kind=traversal. Received: {received}")
    for text in given:
        if not (text.isascii() and text.isdigit() and int(text) < length):
            expected = f"whole numbers from 0 to {length - 1}, the run's latent features"
            raise UserError(f"--features: expected {expected}. Received: {text!r}")
    return [int(text) for text in given]


def _own_images(run: Run, is_traversal: bool) -> "np.ndarray | None":
    """--images, float32 [images, size, size, channels] in [-1, 1]; None if not given."""
    import numpy as np

    from logan.datasets.pixels import to_unit_range

    paths: Sequence[str] = flags.FLAGS.images
    if not paths:
        return None
    if is_traversal and len(paths) != 1:
        raise UserError(f"--images: expected one picture to traverse from. Received: {len(paths)}")
    if not is_traversal and len(paths) < 2:
        raise UserError(f"--images: expected two pictures or more. Received: {','.join(paths)}")
    return to_unit_range(np.stack([_own_image(command.given_path(path), run) for path in paths]))


def _own_image(path: Path, run: Run) -> "np.ndarray":
    """uint8 [size, size, channels], fitted as the run's data are."""
    from logan.datasets.celeb_a import face_square
    from logan.datasets.pictures import PictureError, crop_box, fit, read_picture

    experiment = run.experiment
    try:
        picture = read_picture(path)
        if experiment.dataset == "celeb_a":
            box = face_square(picture.size)
        else:
            box = crop_box(picture.size, experiment.crop_or_none)
    except PictureError as error:
        raise UserError(f"--images: expected a picture in {path}. Received: {error}") from error
    return fit(picture, box, experiment.image_size, experiment.channels)


def run() -> None:
    command.run(TEXT, define, main)
