"""Every setting of a run in one dataclass.

The flags of the command line are generated from the fields, so neither can drift from the other.
Nothing here imports TensorFlow: a bad value is refused at once.
"""

import dataclasses
from typing import Any, cast, get_type_hints

from logan.registry import Part, load_plugins, parse_part
from logan.settings.fields import check_kind, check_rules, refusal, setting
from logan.settings.methods import METHODS
from logan.settings.names import DATASETS, IMAGE_SIZES, LOSSES, NETWORKS, TERMS, toy_names
from logan.settings.presets import check_preset_name
from logan.settings.text import to_text


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything that decides what a run computes.

    Raises:
        UserError: on a value out of range, in the form "--field: expected … Received: …".
    """

    name: str = setting("custom", "The preset that the settings started from, by its name.")
    method: str = setting(
        "",
        "How to learn; --list shows the methods. Flags below replace its settings. Empty: the "
        "preset's own method.",
        names_the_run=False,
    )
    plugins: tuple[str, ...] = setting(
        (),
        "Python files to run first. They may register terms, losses, methods, networks, data "
        "sets, measures and samplers, whose names the flags then know.",
        names_the_run=False,
        is_path=True,
    )

    # Data.
    dataset: str = setting(
        "ring8",
        "What to learn: a toy mixture; traffic, snapshots of --video or else of the rendered "
        "junction; images, the pictures in the folder --data; celeb_a or cifar10, from --data or "
        "fetched.",
        choices=DATASETS,
    )
    mode_weights: tuple[float, ...] = setting(
        (),
        "Toy data: weight of each mode, in any scale, comma-separated. Empty: all alike.",
        above=0,
    )
    video: tuple[str, ...] = setting(
        (),
        "Video files or folders of frames of one fixed camera, comma-separated.",
        is_path=True,
    )
    frame_interval: float = setting(
        0.0, "Seconds between two snapshots of a video. 0: every frame.", at_least=0
    )
    frame_rate: float = setting(
        0.0, "Snapshots of a video in a second, in place of --frame_interval.", at_least=0
    )
    video_start: float = setting(
        0.0, "Seconds at the beginning of each video to leave out.", at_least=0
    )
    video_stop: float = setting(
        0.0, "Second of each video from which on to leave out. 0: none.", at_least=0
    )
    data: str = setting(
        "",
        "A folder of pictures; for celeb_a and cifar10 a folder or archive of one's own.",
        is_path=True,
    )
    crop: tuple[int, ...] = setting(
        (), "Images: left, top, width and height in pixels. Empty: the central square."
    )
    hold_out: str = setting(
        "images",
        "Of a folder of pictures: single images, or whole sub-folders such as one for each person.",
        choices=("images", "folders"),
    )
    skip_unreadable: bool = setting(
        False, "Go on without the pictures of --data that cannot be read."
    )
    test_fraction: float = setting(
        0.2,
        "Share of the data held out; of a video, in whole stretches of time.",
        above=0,
        below=1,
    )
    frames: int = setting(
        10_000, "Rendered junction: how many frames, held-out ones included.", at_least=100
    )
    empty_share: float = setting(
        0.8, "Rendered junction: share of frames without a car.", at_least=0, below=1
    )
    scene: int = setting(0, "Rendered junction: seed of its scene and its cars.", at_least=0)
    flip: bool = setting(False, "Images: mirror each training image left to right half the time.")
    image_size: int = setting(32, "Pixels a side that images are resized to.", at_least=8)
    channels: int = setting(3, "3 for colour, 1 for grey.", at_least=1)
    batch_size: int = setting(256, "Real samples in each training step.", at_least=1, below=2**31)

    # Model.
    model: str = setting(
        "bigan",
        "bigan; gan, without an encoder; encoder, alone against --prior.",
        choices=("bigan", "gan", "encoder"),
    )
    network: str = setting(
        "mlp",
        "Kind of networks: mlp for vectors, convolutional for images.",
        choices=NETWORKS,
    )
    latent_length: int = setting(2, "Features of the latent z.", at_least=1)
    width: int = setting(
        128,
        "Units of a hidden layer (mlp), channels of the outermost map (convolutional).",
        at_least=1,
    )
    hidden_layers: int = setting(4, "Hidden layers of each mlp.", at_least=1)
    normalization: str = setting(
        "none",
        "In generator and encoder; synchronized_batch over all replicas of a --strategy.",
        choices=("none", "batch", "synchronized_batch", "layer"),
    )
    prior: str = setting(
        "uniform",
        "Model encoder only: the latent prior, uniform or the modes of a toy set.",
        choices=("uniform", *toy_names()),
    )

    # Losses.
    loss: str = setting(
        "vanilla",
        "The adversarial loss, with its settings, if any: vanilla:smoothing=0.1.",
        parts=LOSSES,
    )
    penalty: str = setting(
        "pairwise",
        "Penalty on the discriminator: pairwise, this package's; gradient, that of WGAN-GP; none.",
    )
    penalty_weight: float = setting(0.1, "λ, the penalty's weight.", at_least=0)
    penalty_form: str = setting(
        "norm",
        "‖g - u‖, ‖g - u‖², or the mean of (g - u)² over features.",
        choices=("norm", "squared_norm", "feature_mean"),
    )
    penalty_distance_scale: float = setting(
        0.0,
        "τ of the pair's weight n² / (n² + τ²), n = ‖x - x̂‖. 0: all pairs alike.",
        at_least=0,
    )
    terms: tuple[str, ...] = setting(
        (),
        "Further summands of the losses, comma-separated, each with its settings: name:weight=0.1.",
        parts=TERMS,
    )
    weight_clip: float = setting(
        0.0, "Keeps D's weights in [-c, c], as WGAN does with 0.01. 0: off.", at_least=0
    )
    autoencoder_weight: float = setting(
        0.0, "Weight of the mean of (x - G(E(x)))² in the loss of G and E. 0: off.", at_least=0
    )

    # Optimisation.
    steps: int = setting(10_000, "Training steps.", at_least=1)
    learning_rate: float = setting(2e-3, "Adam's, of all networks.", above=0)
    schedule: str = setting(
        "cosine",
        "Of the learning rate: cosine falls to --learning_rate_floor at the end.",
        choices=("cosine", "constant"),
    )
    learning_rate_floor: float = setting(
        0.1, "Where the cosine ends, as a share of --learning_rate.", at_least=0, below=1
    )
    beta_1: float = setting(0.0, "Adam's.", at_least=0, below=1)
    beta_2: float = setting(0.9, "Adam's.", at_least=0, below=1)
    discriminator_steps: int = setting(
        1,
        "Updates of the discriminator for each of the others (wasserstein: 5 is the custom).",
        at_least=1,
    )
    average_decay: float = setting(
        0.999, "Of the averaged weights that samples are drawn from.", at_least=0, below=1
    )
    seed: int = setting(0, "Every random draw follows from it.", at_least=0)

    # Execution.
    precision: str = setting(
        "float32",
        "Of the hidden layers; weights, outputs and the penalty's gradient stay float32.",
        choices=("float32", "bfloat16", "float16"),
    )
    jit: bool = setting(True, "Compile the training step with XLA, on a single device.")
    deterministic: bool = setting(False, "Bit-identical results from run to run. Turns --jit on.")
    strategy: str = setting(
        "none",
        "none: a single device; mirrored: all of this machine's GPUs, or --devices; multi_worker: "
        "the machines that TF_CONFIG or SLURM names. They share each batch.",
        choices=("none", "mirrored", "multi_worker"),
        names_the_run=False,
    )
    devices: tuple[str, ...] = setting(
        (), "Mirrored: which devices, such as GPU:0,GPU:1.", names_the_run=False
    )
    log_every: int = setting(100, "Steps between two lines of the log.", at_least=1)
    checkpoint_every: int = setting(
        1000, "Steps between two checkpoints.", at_least=1, names_the_run=False
    )
    checkpoint_minutes: float = setting(
        10.0,
        "A checkpoint also after so many minutes, at the end of an interval of the log. 0: never.",
        at_least=0,
        names_the_run=False,
    )
    checkpoints_kept: int = setting(3, "How many to keep.", at_least=1, names_the_run=False)
    on_nan: str = setting(
        "stop",
        "When a loss or weight is not finite: stop, or rollback, which goes back one checkpoint "
        "and on with half the learning rate.",
        choices=("stop", "rollback"),
        names_the_run=False,
    )
    most_rollbacks: int = setting(
        3, "After so many of them a run stops all the same.", at_least=1, names_the_run=False
    )
    snapshots: int = setting(
        40,
        "How often on the way samples are stored for pictures. 0: never.",
        at_least=0,
        names_the_run=False,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_kind(field.name, KINDS[field.name], getattr(self, field.name))
        load_plugins(self.plugins)
        for field in dataclasses.fields(self):
            check_rules(field, getattr(self, field.name))
        check_preset_name(self.name)
        if self.method:
            METHODS.check(self.method)
        self._check_data()
        self._check_model()
        self._check_execution()

    def _check_data(self) -> None:
        data = DATASETS[self.dataset]
        weights = f"{data.modes} numbers for {self.dataset}"
        self._refuse_first(
            (len(self.mode_weights) not in (0, data.modes), "mode_weights",
             f"nothing with --dataset={self.dataset}" if data.is_image else weights),
            *((bool(getattr(self, name)) and name not in data.takes, name,
               f"nothing with --dataset={self.dataset}") for name in ("video", "data")),
            *((not getattr(self, name), name, f"a path with --dataset={self.dataset}")
              for name in data.needs),
            (bool(self.crop) and ("crop" not in data.takes or self.is_junction), "crop",
             "nothing but for --video and --dataset=images"),
            (self.frame_rate > 0 and self.frame_interval > 0, "frame_rate",
             "nothing beside --frame_interval"),
            (0 < self.video_stop <= self.video_start, "video_stop",
             f"a time after --video_start={self.video_start:g}"),
            *((bool(getattr(self, name)) and not self.video, name, "nothing without --video")
              for name in ("frame_rate", "video_start", "video_stop")),
            (any("," in path for path in self.video), "video",
             "paths without commas, which stand between paths"),
            (data.is_image and self.channels not in (1, 3), "channels", "1 or 3"),
            (data.is_image and self.image_size not in IMAGE_SIZES, "image_size",
             f"one of {', '.join(map(str, IMAGE_SIZES))}"),
            (self.is_junction and not 32 <= self.image_size <= 128, "image_size",
             "32, 64 or 128 with the rendered junction"),
            (bool(self.crop) and not is_crop(self.crop), "crop",
             "left,top,width,height in pixels, width and height above 0"),
        )  # fmt: skip

    def _check_model(self) -> None:
        penalties = ["none", *(name for name, term in TERMS.items() if term.is_penalty)]
        fitting = [name for name in penalties if self.model == "bigan" or not _needs_encoder(name)]
        networks = [name for name, kind in NETWORKS.items() if kind.of_images == self.is_image]
        without = f"with --model={self.model}, which makes no reconstructions"
        prior_length = 2 if self.prior == "uniform" else DATASETS[self.prior].features
        needing = [part.name for part in self._own_terms if _needs_encoder(part.name)]
        needs_bound = LOSSES[parse_part(self.loss, "loss").name].needs_bound
        self._refuse_first(
            (self.is_image and self.model == "encoder", "model", "bigan or gan with images"),
            (self.penalty not in penalties, "penalty", f"one of {', '.join(penalties)}"),
            (self.penalty not in fitting, "penalty", f"{' or '.join(fitting)} {without}"),
            (self.model != "bigan" and bool(needing), "terms",
             f"no {' and no '.join(needing)} {without}"),
            (self.autoencoder_weight > 0 and self.model != "bigan", "autoencoder_weight",
             f"0 {without}"),
            (needs_bound and not self.bounds_discriminator, "loss",
             "another one, such as vanilla, without a --penalty and a --weight_clip: nothing "
             "would bound D"),
            (self.network not in networks, "network",
             f"{' or '.join(networks)} with --dataset={self.dataset}"),
            (self.prior != "uniform" and self.latent_length != prior_length, "latent_length",
             f"{prior_length} with --prior={self.prior}"),
            (self.model == "encoder" and self.latent_length > 2, "latent_length",
             "1 or 2 with --model=encoder, so that the prior can be cut into cells and drawn"),
        )  # fmt: skip

    def _check_execution(self) -> None:
        self._refuse_first(
            (self.strategy != "none" and self.deterministic, "deterministic",
             f"false with --strategy={self.strategy}, whose steps are not compiled"),
            (bool(self.devices) and self.strategy != "mirrored", "devices",
             f"nothing with --strategy={self.strategy}"),
            (self.strategy == "multi_worker" and self.on_nan == "rollback", "on_nan",
             "stop with --strategy=multi_worker"),
            (bool(self.batch_size % self.discriminator_steps), "batch_size",
             f"a multiple of --discriminator_steps={self.discriminator_steps}"),
        )  # fmt: skip

    def _refuse_first(self, *rules: tuple[bool, str, str]) -> None:
        """Raises for the first rule (is wrong, field, expected) that is broken."""
        for is_wrong, name, expected in rules:
            if is_wrong:
                raise refusal(name, expected, to_text(getattr(self, name)) or "nothing")

    @property
    def is_image(self) -> bool:
        """Whether the data are images, or else a toy mixture."""
        return DATASETS[self.dataset].is_image

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

    @property
    def _own_terms(self) -> list[Part]:
        return [parse_part(text, "terms") for text in self.terms]

    @property
    def bounds_discriminator(self) -> bool:
        """Whether a term or clipped weights keep D's slope within bounds."""
        terms = [part.name for part in self._own_terms]
        terms += [self.penalty] if self.has_penalty else []
        return bool(self.weight_clip) or any(TERMS[name].bounds_discriminator for name in terms)

    @property
    def term_parts(self) -> list[Part]:
        """The summands of the losses besides the adversarial one, with their settings."""
        parts = []
        if self.has_penalty:
            fields = TERMS[self.penalty].fields
            settings = {setting: getattr(self, field) for setting, field in fields.items()}
            parts.append(Part(self.penalty, {"weight": self.penalty_weight, **settings}))
        if self.autoencoder_weight:
            parts.append(Part("autoencoder", {"weight": self.autoencoder_weight}))
        return parts + self._own_terms


def is_crop(crop: Any) -> bool:
    """Whether this is (left, top, width, height) in whole pixels of a picture."""
    return (
        len(crop) == 4
        and all(isinstance(value, int) for value in crop)
        and min(crop[:2]) >= 0
        and min(crop[2:]) >= 1
    )


def _needs_encoder(name: str) -> bool:
    return name != "none" and TERMS[name].needs_encoder


KINDS: dict[str, Any] = get_type_hints(Experiment)
