"""Every setting of a run in one dataclass, and the paper's experiments as named presets.

The flags of the command line are generated from the fields, so neither can drift from the other.
Nothing here imports TensorFlow: a bad value is refused at once.
"""

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args, get_origin, get_type_hints

from logan.errors import UserError

LOSSES = ("vanilla", "wasserstein", "least_squares", "logan1", "logan2", "logan3")
IMAGE_SIZES = (8, 16, 32, 64, 128, 256)
TOY_MODES = {
    "ring8": 8,
    "ring16": 16,
    "grid25": 25,
    "grid25_wide": 25,
    "swiss": 25,
    "line": 5,
    "line_far": 7,
}
TOY_DATASETS = tuple(TOY_MODES)
IMAGE_DATASETS = ("traffic", "images", "celeb_a", "cifar10")
# What decides the images of a data set and which of them are held out.
IMAGE_FIELDS = (
    "dataset", "video", "frame_interval", "frame_rate", "video_start", "video_stop", "data", "crop",
    "hold_out", "skip_unreadable", "test_fraction", "frames", "empty_share", "scene", "image_size",
    "channels",
)  # fmt: skip


def _setting(
    default: Any,
    text: str,
    *,
    choices: tuple[str, ...] | None = None,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    names_the_run: bool = True,
    is_path: bool = False,
) -> Any:
    """A field with its help text and what it accepts."""
    return dataclasses.field(
        default=default,
        metadata={
            "help": text,
            "choices": choices,
            "at_least": at_least,
            "above": above,
            "below": below,
            "names_the_run": names_the_run,
            "is_path": is_path,
        },
    )


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything that decides what a run computes.

    Raises:
        UserError: on a value out of range, in the form "--field: expected … Received: …".
    """

    name: str = _setting("custom", "The preset that the settings started from, by its name.")

    # Data.
    dataset: str = _setting(
        "ring8",
        "What to learn: a toy mixture; traffic, snapshots of --video or else of the rendered "
        "junction; images, the pictures in the folder --data; celeb_a or cifar10, from --data or "
        "fetched.",
        choices=(*TOY_DATASETS, *IMAGE_DATASETS),
    )
    mode_weights: tuple[float, ...] = _setting(
        (),
        "Toy data: weight of each mode, in any scale, comma-separated. Empty: all alike.",
        above=0,
    )
    video: tuple[str, ...] = _setting(
        (),
        "Video files or folders of frames of one fixed camera, comma-separated.",
        is_path=True,
    )
    frame_interval: float = _setting(
        0.0, "Seconds between two snapshots of a video. 0: every frame.", at_least=0
    )
    frame_rate: float = _setting(
        0.0, "Snapshots of a video in a second, in place of --frame_interval.", at_least=0
    )
    video_start: float = _setting(
        0.0, "Seconds at the beginning of each video to leave out.", at_least=0
    )
    video_stop: float = _setting(
        0.0, "Second of each video from which on to leave out. 0: none.", at_least=0
    )
    data: str = _setting(
        "",
        "A folder of pictures; for celeb_a and cifar10 a folder or archive of one's own.",
        is_path=True,
    )
    crop: tuple[int, ...] = _setting(
        (), "Images: left, top, width and height in pixels. Empty: the central square."
    )
    hold_out: str = _setting(
        "images",
        "Of a folder of pictures: single images, or whole sub-folders such as one for each person.",
        choices=("images", "folders"),
    )
    skip_unreadable: bool = _setting(
        False, "Go on without the pictures of --data that cannot be read."
    )
    test_fraction: float = _setting(
        0.2,
        "Share of the data held out; of a video, in whole stretches of time.",
        above=0,
        below=1,
    )
    frames: int = _setting(
        10_000, "Rendered junction: how many frames, held-out ones included.", at_least=100
    )
    empty_share: float = _setting(
        0.8, "Rendered junction: share of frames without a car.", at_least=0, below=1
    )
    scene: int = _setting(0, "Rendered junction: seed of its scene and its cars.", at_least=0)
    flip: bool = _setting(False, "Images: mirror each training image left to right half the time.")
    image_size: int = _setting(32, "Pixels a side that images are resized to.", at_least=8)
    channels: int = _setting(3, "3 for colour, 1 for grey.", at_least=1)
    batch_size: int = _setting(256, "Real samples in each training step.", at_least=1, below=2**31)

    # Model.
    model: str = _setting(
        "bigan",
        "bigan; gan, without an encoder; encoder, alone against --prior.",
        choices=("bigan", "gan", "encoder"),
    )
    network: str = _setting(
        "mlp",
        "Kind of networks: mlp for vectors, convolutional for images.",
        choices=("mlp", "convolutional"),
    )
    latent_length: int = _setting(2, "Features of the latent z.", at_least=1)
    width: int = _setting(
        128,
        "Units of a hidden layer (mlp), channels of the outermost map (convolutional).",
        at_least=1,
    )
    hidden_layers: int = _setting(4, "Hidden layers of each mlp.", at_least=1)
    normalization: str = _setting(
        "none",
        "In generator and encoder; synchronized_batch over all replicas of a --strategy.",
        choices=("none", "batch", "synchronized_batch", "layer"),
    )
    prior: str = _setting(
        "uniform",
        "Model encoder only: the latent prior, uniform or the modes of a toy set.",
        choices=("uniform", *TOY_DATASETS),
    )

    # Losses.
    loss: str = _setting("vanilla", "The adversarial loss.", choices=LOSSES)
    penalty: str = _setting(
        "pairwise",
        "Penalty on the discriminator's gradient: pairwise, ours; gradient, that of WGAN-GP.",
        choices=("pairwise", "gradient", "none"),
    )
    penalty_weight: float = _setting(0.1, "λ, the penalty's weight.", at_least=0)
    penalty_form: str = _setting(
        "norm",
        "‖g - u‖, ‖g - u‖², or the mean of (g - u)² over features.",
        choices=("norm", "squared_norm", "feature_mean"),
    )
    penalty_distance_scale: float = _setting(
        0.0,
        "τ of the pair's weight n² / (n² + τ²), n = ‖x - x̂‖. 0: all pairs alike.",
        at_least=0,
    )
    weight_clip: float = _setting(
        0.0, "Keeps D's weights in [-c, c], as WGAN does with 0.01. 0: off.", at_least=0
    )
    autoencoder_weight: float = _setting(
        0.0, "Weight of the mean of (x - G(E(x)))² in the loss of G and E. 0: off.", at_least=0
    )

    # Optimisation.
    steps: int = _setting(10_000, "Training steps.", at_least=1)
    learning_rate: float = _setting(2e-3, "Adam's, of all networks.", above=0)
    schedule: str = _setting(
        "cosine",
        "Of the learning rate: cosine falls to --learning_rate_floor at the end.",
        choices=("cosine", "constant"),
    )
    learning_rate_floor: float = _setting(
        0.1, "Where the cosine ends, as a share of --learning_rate.", at_least=0, below=1
    )
    beta_1: float = _setting(0.0, "Adam's.", at_least=0, below=1)
    beta_2: float = _setting(0.9, "Adam's.", at_least=0, below=1)
    discriminator_steps: int = _setting(
        1,
        "Updates of the discriminator for each of the others (wasserstein: 5 is the custom).",
        at_least=1,
    )
    average_decay: float = _setting(
        0.999, "Of the averaged weights that samples are drawn from.", at_least=0, below=1
    )
    seed: int = _setting(0, "Every random draw follows from it.", at_least=0)

    # Execution.
    precision: str = _setting(
        "float32",
        "Of the hidden layers; weights, outputs and the penalty's gradient stay float32.",
        choices=("float32", "bfloat16", "float16"),
    )
    jit: bool = _setting(True, "Compile the training step with XLA, on a single device.")
    deterministic: bool = _setting(False, "Bit-identical results from run to run. Turns --jit on.")
    strategy: str = _setting(
        "none",
        "none: a single device; mirrored: all of this machine's GPUs, or --devices; multi_worker: "
        "the machines that TF_CONFIG or SLURM names. They share each batch.",
        choices=("none", "mirrored", "multi_worker"),
        names_the_run=False,
    )
    devices: tuple[str, ...] = _setting(
        (), "Mirrored: which devices, such as GPU:0,GPU:1.", names_the_run=False
    )
    log_every: int = _setting(100, "Steps between two lines of the log.", at_least=1)
    checkpoint_every: int = _setting(
        1000, "Steps between two checkpoints.", at_least=1, names_the_run=False
    )
    checkpoint_minutes: float = _setting(
        10.0,
        "A checkpoint also after so many minutes, at the end of an interval of the log. 0: never.",
        at_least=0,
        names_the_run=False,
    )
    checkpoints_kept: int = _setting(3, "How many to keep.", at_least=1, names_the_run=False)
    on_nan: str = _setting(
        "stop",
        "When a loss or weight is not finite: stop, or rollback, which goes back one checkpoint "
        "and on with half the learning rate.",
        choices=("stop", "rollback"),
        names_the_run=False,
    )
    most_rollbacks: int = _setting(
        3, "After so many of them a run stops all the same.", at_least=1, names_the_run=False
    )
    snapshots: int = _setting(
        40,
        "How often on the way samples are stored for pictures. 0: never.",
        at_least=0,
        names_the_run=False,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        _check_name(self.name)
        self._check_combinations()

    def _check_combinations(self) -> None:
        is_image = self.dataset in IMAGE_DATASETS
        network = "convolutional" if is_image else "mlp"
        prior_length = 1 if self.prior.startswith("line") else 2
        mode_count = TOY_MODES.get(self.dataset, 0)
        for is_wrong, name, expected in (
            (self.penalty == "pairwise" and self.model != "bigan", "penalty",
             f"none or gradient with --model={self.model}, which makes no reconstructions"),
            (self.autoencoder_weight > 0 and self.model != "bigan", "autoencoder_weight",
             f"0 with --model={self.model}, which makes no reconstructions"),
            (self.loss == "wasserstein" and not self.has_penalty and not self.weight_clip, "loss",
             "another one, such as vanilla, without a --penalty and a --weight_clip: nothing "
             "would bound D"),
            (self.network != network, "network", f"{network} with --dataset={self.dataset}"),
            (self.prior != "uniform" and self.latent_length != prior_length, "latent_length",
             f"{prior_length} with --prior={self.prior}"),
            (len(self.mode_weights) not in (0, mode_count), "mode_weights",
             f"nothing with --dataset={self.dataset}" if is_image
             else f"{mode_count} numbers for {self.dataset}"),
            (bool(self.video) and self.dataset != "traffic", "video",
             f"nothing with --dataset={self.dataset}"),
            (bool(self.data) and self.dataset not in ("images", "celeb_a", "cifar10"), "data",
             f"nothing with --dataset={self.dataset}"),
            (self.dataset == "images" and not self.data, "data",
             "the path of a folder of pictures with --dataset=images"),
            (bool(self.crop) and not self.video and self.dataset != "images", "crop",
             "nothing but for --video and --dataset=images"),
            (self.frame_rate > 0 and self.frame_interval > 0, "frame_rate",
             "nothing beside --frame_interval"),
            (0 < self.video_stop <= self.video_start, "video_stop",
             f"a time after --video_start={self.video_start:g}"),
            *((bool(getattr(self, name)) and not self.video, name, "nothing without --video")
              for name in ("frame_rate", "video_start", "video_stop")),
            (any("," in path for path in self.video), "video",
             "paths without commas, which stand between paths"),
            (self.model == "encoder" and self.latent_length > 2, "latent_length",
             "1 or 2 with --model=encoder, so that the prior can be cut into cells and drawn"),
            (is_image and self.model == "encoder", "model", "bigan or gan with images"),
            (is_image and self.channels not in (1, 3), "channels", "1 or 3"),
            (is_image and self.image_size not in IMAGE_SIZES, "image_size",
             f"one of {', '.join(map(str, IMAGE_SIZES))}"),
            (self.is_junction and not 32 <= self.image_size <= 128, "image_size",
             "32, 64 or 128 with the rendered junction"),
            (bool(self.crop) and not is_crop(self.crop), "crop",
             "left,top,width,height in pixels, width and height above 0"),
            (self.strategy != "none" and self.deterministic, "deterministic",
             f"false with --strategy={self.strategy}, whose steps are not compiled"),
            (bool(self.devices) and self.strategy != "mirrored", "devices",
             f"nothing with --strategy={self.strategy}"),
            (self.strategy == "multi_worker" and self.on_nan == "rollback", "on_nan",
             "stop with --strategy=multi_worker"),
            (bool(self.batch_size % self.discriminator_steps), "batch_size",
             f"a multiple of --discriminator_steps={self.discriminator_steps}"),
        ):  # fmt: skip
            if is_wrong:
                raise _refusal(name, expected, to_text(getattr(self, name)) or "nothing")

    @property
    def is_image(self) -> bool:
        return self.network == "convolutional"

    @property
    def is_junction(self) -> bool:
        """Whether the data are frames of the rendered junction, whose truth is known."""
        return self.dataset == "traffic" and not self.video

    @property
    def crop_or_none(self) -> tuple[int, int, int, int] | None:
        """(left, top, width, height) of the crop, if there is one."""
        return cast("tuple[int, int, int, int] | None", self.crop or None)

    @property
    def has_penalty(self) -> bool:
        return self.penalty != "none" and self.penalty_weight > 0


def is_crop(crop: Any) -> bool:
    """Whether this is (left, top, width, height) in whole pixels of a picture."""
    return (
        len(crop) == 4
        and all(isinstance(value, int) for value in crop)
        and min(crop[:2]) >= 0
        and min(crop[2:]) >= 1
    )


def _refusal(name: str, expected: str, received: Any) -> UserError:
    return UserError(f"--{name}: expected {expected}. Received: {received}")


def _check(field: dataclasses.Field, value: Any) -> None:
    """Each item of a field against its kind and its rules."""
    kind = KINDS[field.name]
    is_sequence = get_origin(kind) is tuple
    if is_sequence and not isinstance(value, tuple):
        raise _refusal(field.name, "a tuple", repr(value))
    for item in value if is_sequence else (value,):
        _check_item(field, get_args(kind)[0] if is_sequence else kind, item)


def _check_item(field: dataclasses.Field, kind: type, item: Any) -> None:
    rules = field.metadata
    if kind is float and isinstance(item, int) and not isinstance(item, bool):
        item = float(item)
    choices, at_least = rules["choices"], rules["at_least"]
    above, below = rules["above"], rules["below"]
    # bool is a kind of int in Python, but not in a flag.
    if type(item) is not kind:
        raise _refusal(field.name, kind.__name__, repr(item))
    for is_wrong, expected in (
        (choices is not None and item not in choices, f"one of {', '.join(choices or ())}"),
        (isinstance(item, float) and not math.isfinite(item), "a finite number"),
        (at_least is not None and item < at_least, f"a number >= {at_least}"),
        (above is not None and item <= above, f"a number > {above}"),
        (below is not None and item >= below, f"a number < {below}"),
    ):
        if is_wrong:
            raise _refusal(field.name, expected, repr(item))


KINDS: dict[str, Any] = get_type_hints(Experiment)


@dataclasses.dataclass(frozen=True)
class Preset:
    """A named experiment.

    Attributes:
        text: a line of description.
        settings: those that differ from default.
        unbounded: settings in place of these where nothing bounds D, no penalty and no clipping.
    """

    text: str
    settings: Mapping[str, Any]
    unbounded: Mapping[str, Any] = dataclasses.field(default_factory=dict)


# Once solved, a line falls into bursts of unrest: a gentle loss, and an end before they come.
_LINE = dict(
    latent_length=1,
    loss="least_squares",
    learning_rate=1e-3,
    learning_rate_floor=0.0,
    penalty_weight=0.3,
    steps=6_000,
)

_PAPER_TOY = dict(
    latent_length=1,
    width=512,
    hidden_layers=3,
    loss="logan1",
    penalty_weight=0.1,
    penalty_distance_scale=0.0,
    learning_rate=1e-4,
    schedule="constant",
    beta_1=0.5,
    steps=40_000,
)

_IMAGES = dict(
    network="convolutional",
    width=32,
    latent_length=64,
    normalization="batch",
    batch_size=64,
    loss="wasserstein",
    # One step for one of G's leaves D behind reconstructions that move on.
    discriminator_steps=2,
    penalty_weight=5.0,
    penalty_form="squared_norm",
    # The penalty brings the rare things, this keeps each in its own reconstruction.
    autoencoder_weight=300.0,
    learning_rate=1e-3,
    steps=8_000,
    jit=False,
)

# The plain BiGAN, or with --model=gan the plain GAN.
_PLAIN_IMAGES = dict(loss="vanilla", discriminator_steps=1, autoencoder_weight=0.0)

_PAPER_IMAGES = dict(
    network="convolutional",
    image_size=128,
    width=64,
    latent_length=128,
    normalization="batch",
    loss="logan2",
    penalty_weight=1.0,
    batch_size=64,
    learning_rate=1e-4,
    schedule="constant",
    beta_1=0.5,
    jit=False,
)


def _encoder(prior: str) -> dict[str, Any]:
    # A curve in the plane against a line: the encoder could cover either prior.
    return dict(
        model="encoder",
        dataset="swiss",
        latent_length=1,
        prior=prior,
        penalty="none",
        steps=6_000,
        learning_rate=1e-3,
    )


PRESETS: dict[str, Preset] = {
    "ring8": Preset("8 modes on a circle", dict(dataset="ring8", steps=12_000)),
    "ring16": Preset("8 modes on each of two circles", dict(dataset="ring16", steps=20_000)),
    "grid25": Preset("5 x 5 modes, spacing 100 σ", dict(dataset="grid25", steps=30_000)),
    "grid25_wide": Preset("5 x 5 modes, spacing 40 σ", dict(dataset="grid25_wide", steps=24_000)),
    "swiss": Preset(
        "a swiss roll of 1,000 modes", dict(dataset="swiss", penalty_weight=0.3, steps=16_000)
    ),
    "line": Preset("1-D: 5 modes", dict(dataset="line", **_LINE)),
    "line_far": Preset("1-D: 5 modes and two far ones", dict(dataset="line_far", **_LINE)),
    **{
        f"{name}-paper": Preset(
            f"{name} with the paper's settings", dict(dataset=name, **_PAPER_TOY)
        )
        for name in TOY_DATASETS
    },
    "encoder-unimodal": Preset("an encoder alone against a unimodal prior", _encoder("uniform")),
    "encoder-modes": Preset("an encoder alone against a prior of separate modes", _encoder("line")),
    "traffic": Preset(
        "snapshots of a fixed camera: --video, or a rendered junction",
        # What differs between frames of a fixed camera is little.
        {**_IMAGES, "dataset": "traffic", "latent_length": 16},
        _PLAIN_IMAGES,
    ),
    "images": Preset(
        "the pictures in the folder --data", dict(dataset="images", **_IMAGES), _PLAIN_IMAGES
    ),
    "celeb_a": Preset(
        "faces at 64 pixels", dict(dataset="celeb_a", **_IMAGES, image_size=64), _PLAIN_IMAGES
    ),
    "cifar10": Preset(
        "photographs of ten kinds", dict(dataset="cifar10", **_IMAGES), _PLAIN_IMAGES
    ),
    "traffic-paper": Preset(
        "traffic snapshots with the paper's settings",
        dict(dataset="traffic", **_PAPER_IMAGES, steps=20_000),  # 160 epochs of the junction
    ),
    # 160 epochs of 162,770 and of 50,000 pictures.
    "celeb_a-paper": Preset(
        "faces with the paper's settings", dict(dataset="celeb_a", **_PAPER_IMAGES, steps=406_880)
    ),
    "cifar10-paper": Preset(
        "CIFAR-10 with the paper's settings",
        {
            **_PAPER_IMAGES,
            "dataset": "cifar10",
            "image_size": 32,
            "loss": "logan1",
            "steps": 124_960,
        },
    ),
    "custom": Preset("nothing but the flags and their defaults", {}),
}


def preset(name: str, settings: Mapping[str, Any] | None = None) -> Experiment:
    """The named experiment with some settings replaced.

    Where they leave nothing that bounds D, the others are those of the plain BiGAN or GAN.

    Raises:
        UserError: on an unknown name (the nearest ones are offered) or a bad setting.
    """
    _check_name(name)
    settings = dict(settings or {})
    is_bounded = settings.get("penalty") != "none" or bool(settings.get("weight_clip"))
    unbounded = {} if is_bounded else PRESETS[name].unbounded
    return Experiment(name=name, **{**PRESETS[name].settings, **unbounded, **settings})


def _check_name(name: str) -> None:
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=3)
        offer = f" Did you mean {' or '.join(near)}?" if near else ""
        raise _refusal("experiment", f"one of {', '.join(PRESETS)}", f"{name!r}.{offer}")


def to_text(value: Any) -> str:
    """A setting's value as a flag's text."""
    if isinstance(value, tuple):
        return ",".join(map(to_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def from_text(name: str, text: str) -> Any:
    """The inverse of `to_text` for the field of that name.

    Raises:
        UserError: if the text is not of the field's kind.
    """
    kind = KINDS[name]
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(_item_from_text(name, item, part) for part in text.split(",") if part)
    return _item_from_text(name, kind, text)


def _item_from_text(name: str, kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise UserError(f"--{name}: expected true or false. Received: {text!r}")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise UserError(f"--{name}: expected {wanted}. Received: {text!r}") from None


def to_flags(experiment: Experiment) -> list[str]:
    """One `--flag=value` for each field: the content of a run's flags.txt."""
    values = dataclasses.asdict(experiment)
    lines = [f"--experiment={values.pop('name')}"]
    return lines + [f"--{name}={to_text(value)}" for name, value in values.items()]


def from_flags(lines: Iterable[str]) -> Experiment:
    """The inverse of `to_flags`.

    Raises:
        UserError: on a line that is not a flag of ours.
    """
    settings = {}
    for line in filter(None, map(str.strip, lines)):
        flag, equals, text = line.partition("=")
        name = "name" if flag == "--experiment" else flag.removeprefix("--")
        if not equals or not flag.startswith("--") or name not in KINDS:
            raise UserError(f"Expected a line --flag=value. Received: {line!r}")
        settings[name] = from_text(name, text)
    return Experiment(**settings)


def with_whole_paths(name: str, value: Any) -> Any:
    """The field's value, of a path the whole one, which holds from any folder."""
    if not _FIELDS[name].metadata["is_path"] or not value:
        return value
    if isinstance(value, tuple):
        return tuple(map(_whole_path, value))
    return _whole_path(value)


def _whole_path(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def differences(first: Experiment, second: Experiment) -> list[str]:
    """Fields in which two experiments would not be the same run, as "--field: a, not b"."""
    names = [name for name, field in _FIELDS.items() if field.metadata["names_the_run"]]
    return _differences(first, second, names)


def identity(experiment: Experiment) -> str:
    """A text that two experiments share if they compute the same, wherever their data lie."""
    return "\n".join(
        f"--{name}={to_text(getattr(experiment, name))}"
        for name, field in _FIELDS.items()
        if field.metadata["names_the_run"] and not field.metadata["is_path"]
    )


def data_differences(first: Experiment, second: Experiment) -> list[str]:
    """Fields in which two experiments' images are not the same, as "--field: a, not b"."""
    return _differences(first, second, IMAGE_FIELDS)


def _differences(first: Experiment, second: Experiment, names: Iterable[str]) -> list[str]:
    rows = []
    for name in names:
        ours, theirs = (with_whole_paths(name, getattr(each, name)) for each in (first, second))
        if ours != theirs:
            flag = "experiment" if name == "name" else name
            ours, theirs = (to_text(value) or "nothing" for value in (ours, theirs))
            rows.append(f"--{flag}: {ours}, not {theirs}")
    return rows


_FIELDS = {field.name: field for field in dataclasses.fields(Experiment)}
