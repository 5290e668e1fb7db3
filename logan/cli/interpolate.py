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

    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --count=6 --points=9
    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --kind=spherical --seed=1
    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --kind=traversal --features=0,5,7
    logan-interpolate --workdir=runs/traffic-pairwise-seed0 --images=one.png,two.jpg,three.png"""

_KINDS = ("linear", "spherical", "traversal")
_RANKING_IMAGES = 4


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


def main() -> None:
    run = image_run.open_run()
    output = image_run.output_path(run, "interpolations.png")
    is_traversal = flags.FLAGS.kind == "traversal"
    features = _features(run, is_traversal)
    own = _own_images(run, is_traversal)
    command.start_tensorflow()
    model = image_run.encoding_model_of(run)
    figure = _traversals(model, run, features, own) if is_traversal else _ways(model, run, own)
    print(image_run.save(figure, output))


def _ways(model: "EncodingModel", run: Run, own: "np.ndarray | None") -> "Figure":
    from logan import interpolation
    from logan.figures.grids import interpolation_figure
    from logan.generation import encode

    starts, ends = _held_out_pairs(run) if own is None else (own[:-1], own[1:])
    kind = flags.FLAGS.kind
    way = getattr(interpolation, kind) if kind else interpolation.WAYS[model.prior]
    z = way(encode(model, starts), encode(model, ends), flags.FLAGS.points)
    return interpolation_figure(_decode(model, z), starts, ends, way=way.__name__)


def _held_out_pairs(run: Run) -> "tuple[np.ndarray, np.ndarray]":
    from logan.datasets.load import load_images

    images = load_images(run.experiment, run.cache)
    x = image_run.held_out(images, run, 2 * flags.FLAGS.count, flags.FLAGS.seed)
    rows = len(x) // 2
    if not rows:
        raise UserError(f"--workdir: expected 2 held-out images or more. {run.path} has {len(x)}")
    return x[:rows], x[rows : 2 * rows]


def _traversals(
    model: "EncodingModel", run: Run, features: list[int], own: "np.ndarray | None"
) -> "Figure":
    import numpy as np

    from logan.datasets.load import load_images
    from logan.figures.grids import traversal_figure
    from logan.generation import encode
    from logan.interpolation import traversal

    if own is None:
        images = load_images(run.experiment, run.cache)
        image = image_run.held_out(images, run, 1, flags.FLAGS.seed)
        others = image_run.held_out(images, run, _RANKING_IMAGES, 0)
    else:
        image = others = own
    if not features:
        changes = feature_changes(model, encode(model, others), PRIORS[model.prior])
        features = np.argsort(-changes, kind="stable")[: flags.FLAGS.count].tolist()
    points, reach = flags.FLAGS.points, PRIORS[model.prior]
    rows = _decode(model, traversal(encode(model, image)[0], features, points, reach))
    return traversal_figure(rows, features, np.linspace(-reach, reach, points), image[0])


def feature_changes(model: "EncodingModel", z: "np.ndarray", reach: float = 1.0) -> "np.ndarray":
    """How much of an image each latent feature decides.

    Args:
        model: whose averaged generator decodes.
        z: float32 [encodings, latent_length].
        reach: above 0; each feature is taken from -reach to reach.

    Returns:
        float64 [latent_length], the mean over encodings, pixels and channels of the absolute
        difference between the images at both ends.
    """
    import numpy as np

    from logan.interpolation import traversal

    changes = []
    for encoding in z:
        ends = _decode(model, traversal(encoding, range(len(encoding)), 2, reach))
        changes.append(np.abs(ends[:, 1] - ends[:, 0]).mean(axis=(1, 2, 3), dtype=np.float64))
    return np.mean(changes, axis=0)


def _decode(model: "EncodingModel", z: "np.ndarray") -> "np.ndarray":
    """[rows, points, latent_length] to [rows, points, height, width, channels]."""
    from logan.generation import in_batches

    decoded = in_batches(model.averaged_generator, z.reshape(-1, z.shape[-1]), size=100)
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
