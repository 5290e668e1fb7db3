"""Every setting of a run in one dataclass.

The flags of the command line are generated from the fields, so neither can drift from the other.
Nothing here imports TensorFlow: a bad value is refused at once.
"""

import dataclasses
from typing import Any, cast, get_type_hints

from logan.registry import Part, load_plugins, parse_part
from logan.settings.fields import check_kind, check_rules, refusal, setting
from logan.settings.methods import METHODS
from logan.settings.names import (
    AUXILIARY_CLASSIFIER,
    CONDITIONS,
    DATASETS,
    DISCRIMINATOR_PARTS,
    FOLDERS,
    IMAGE_SIZES,
    LOSSES,
    MODELS,
    NETWORKS,
    PLAIN,
    PRIORS,
    SAMPLERS,
    SCALE_LOGITS,
    TERMS,
    ModelEntry,
    SamplerEntry,
    feature_map_sizes,
    most_scales,
    toy_names,
)
from logan.settings.presets import check_preset_dataset, check_preset_name
from logan.settings.text import to_text


@dataclasses.dataclass(frozen=True)
class Experiment:
    """Everything that decides what a run computes.

    The settings of a named experiment come from `logan.preset`, not from the field `name`:

        logan.preset("grid25", {"seed": 1}, method="pairwise")

    Raises:
        UserError: on a value out of range, in the form "--field: expected … Received: …".
    """

    name: str = setting(
        "custom",
        "Name of the preset that the settings started from. It sets nothing by itself, and its "
        "data set must be that of the preset.",
    )
    method: str = setting(
        "",
        "How to learn, with the best settings that were found for it; --list shows the methods. "
        "Single flags override its settings. Empty: the preset's own method.",
        names_the_run=False,
    )
    plugins: tuple[str, ...] = setting(
        (),
        "Python files to run before anything else, comma-separated. They may register terms, "
        "losses, methods, networks, data sets, measures and samplers; flags then know their names. "
        "Empty: none.",
        names_the_run=False,
        is_path=True,
    )

    # Data.
    dataset: str = setting(
        "ring8",
        "Data to learn. traffic: snapshots of --video, without it of the rendered junction. "
        "images: the pictures in the folder --data. celeb_a, cifar10, mnist and stacked_mnist: "
        "from --data, without it fetched. The others are toy mixtures.",
        choices=DATASETS,
    )
    mode_weights: tuple[float, ...] = setting(
        (),
        "Weight of each mode of a toy mixture, comma-separated, in any scale. Empty: equal "
        "weights.",
        above=0,
    )
    video: tuple[str, ...] = setting(
        (),
        "Videos of one fixed camera, comma-separated: files, folders of clips or of frames, or "
        "patterns such as 'clips/*.mp4'. Empty: traffic is the rendered junction.",
        is_path=True,
    )
    frame_interval: float = setting(
        0.0, "Seconds between two snapshots of a video. 0: every frame.", at_least=0
    )
    frame_rate: float = setting(
        0.0,
        "Snapshots per second of a video, in place of --frame_interval. 0: as --frame_interval "
        "says.",
        at_least=0,
    )
    video_start: float = setting(
        0.0, "Seconds to leave out at the beginning of each video.", at_least=0
    )
    video_stop: float = setting(
        0.0, "Second of each video at which to stop reading. 0: read to its end.", at_least=0
    )
    data: str = setting(
        "",
        "Folder or zip archive of pictures; for celeb_a and cifar10 a local folder or archive, for "
        "mnist and stacked_mnist the folder of MNIST's four files. Empty: TensorFlow Datasets "
        "fetches these.",
        is_path=True,
    )
    labels: str = setting(
        "",
        "Classes of the pictures in --data. folders: the sub-folders, or those within train/ and "
        "test/, which then are the two parts; otherwise a CSV file with the columns file and label "
        "for every picture. Empty: none. cifar10 and mnist have classes of their own.",
        is_path=True,
        words=(FOLDERS,),
    )
    crop: tuple[int, ...] = setting(
        (),
        "Part of each image to take: left,top,width,height in pixels, of a video as it is shown, "
        "upright and with square pixels. Empty: the central square.",
    )
    hold_out: str = setting(
        "images",
        "What to hold out. images: single pictures of a folder, two blocks of time of a video. "
        "folders: whole sub-folders of pictures, such as one for each person. passages: of a "
        "video many short blocks of time, so that both parts have their share of what passes.",
        choices=("images", "folders", "passages"),
    )
    skip_unreadable: bool = setting(
        False, "Go on without the pictures of --data that cannot be read."
    )
    test_fraction: float = setting(
        0.2,
        "Share of the images to hold out; of a video, in whole stretches of time. celeb_a, "
        "cifar10, mnist and stacked_mnist have test parts of their own.",
        above=0,
        below=1,
    )
    frames: int = setting(
        10_000,
        "Number of frames of the rendered junction, held-out ones included.",
        at_least=100,
    )
    empty_share: float = setting(
        0.8, "Share of frames without a car in the rendered junction.", at_least=0, below=1
    )
    scene: int = setting(0, "Seed of the rendered junction: of its scene and its cars.", at_least=0)
    flip: bool = setting(
        False, "Mirror each training image left to right with probability one half."
    )
    image_size: int = setting(
        32,
        "Pixels a side that images are resized to. One of "
        f"{', '.join(map(str, IMAGE_SIZES))}; the rendered junction has 32, 64 or 128.",
        at_least=8,
    )
    channels: int = setting(3, "Channels of images: 3 for colour, 1 for grey.", at_least=1)
    batch_size: int = setting(
        256, "Number of real samples in each training step.", at_least=1, below=2**31
    )

    # Model.
    model: str = setting(
        "bigan",
        "What to train. "
        + "; ".join(f"{name}: {entry.text}" for name, entry in MODELS.items())
        + ".",
        choices=MODELS,
    )
    network: str = setting(
        "mlp",
        "Kind of networks: mlp for vectors, convolutional or residual for images.",
        choices=NETWORKS,
    )
    latent_length: int = setting(2, "Number of features of the latent z.", at_least=1)
    width: int = setting(
        128,
        "Units of each hidden layer (mlp), or channels of the outermost feature map "
        "(convolutional, residual).",
        at_least=1,
    )
    hidden_layers: int = setting(4, "Number of hidden layers of each mlp.", at_least=1)
    fourier_octaves: int = setting(
        0,
        "Number of octaves of Fourier features of x that an mlp's discriminator sees beside x: "
        "sines and cosines of πx, 2πx, 4πx, … 0: none.",
        at_least=0,
    )
    fourier_scale: float = setting(
        0.1,
        "Amplitude of the first octave of --fourier_octaves; each further one has half of it.",
        above=0,
    )
    spectral_normalization: bool = setting(
        False,
        "Divide each kernel of the discriminator by its largest singular value, as SN-GAN.",
    )
    dropout: float = setting(
        0.0,
        "Share of the units of each hidden layer of the discriminator that are dropped in "
        "training. 0: none.",
        at_least=0,
        below=1,
    )
    minibatch: str = setting(
        "none",
        "What the discriminator's last layer sees of the other samples of a batch. discrimination: "
        "how close their features lie; deviation: their standard deviation in groups of 4. "
        "Excludes penalties on single samples; with a --strategy each replica sees its own share.",
        choices=("none", "discrimination", "deviation"),
    )
    packing: int = setting(
        1,
        "Number of samples that the discriminator sees as one, all real or all generated, as "
        "PacGAN. A batch of n samples is n / packing of them.",
        at_least=1,
    )
    attention_size: int = setting(
        0,
        "Pixels a side of the feature map, in all networks for images, on which self-attention "
        "stands: 4, 8, … half of --image_size. 0: none.",
        at_least=0,
    )
    hierarchical_latents: bool = setting(
        False,
        "Give each level of a generator of images a part of z of its own. Otherwise all of z "
        "enters at the first layer.",
    )
    discriminator_scales: int = setting(
        1,
        "Number of scales on which the discriminator sees an image, with a network for each: the "
        "image, its half by average pooling, and so on.",
        at_least=1,
    )
    scale_logits: str = setting(
        "mean",
        "What becomes of the logits of --discriminator_scales. mean, sum: one logit; each: every "
        "scale has a loss of its own, of which the mean counts.",
        choices=SCALE_LOGITS,
    )
    condition: str = setting(
        "none",
        "What generator and discriminator know besides: the class y of a sample. classes: those of "
        "the data, see --labels, of a toy mixture its modes; clusters: those of k-means on the "
        "discriminator's features, as a self-conditioned GAN; none: nothing.",
        choices=CONDITIONS,
    )
    projection: bool = setting(
        True,
        "With a --condition, let the discriminator's logit know the class, by a projection. "
        f"Without it --terms={AUXILIARY_CLASSIFIER} has to tell G of classes.",
    )
    clusters: int = setting(
        50, "Number of clusters of --condition=clusters, k of k-means.", at_least=2
    )
    cluster_every: int = setting(
        5_000,
        "Training steps after which --condition=clusters clusters anew; a multiple of --log_every.",
        at_least=1,
    )
    normalization: str = setting(
        "none",
        "Normalization in generator and encoder. synchronized_batch takes its statistics over all "
        "replicas of a --strategy.",
        choices=("none", "batch", "synchronized_batch", "layer"),
    )
    prior: str = setting(
        "uniform",
        "Prior of the latents. uniform: U[-1, 1] in each feature; normal: N(0, 1) in each feature. "
        "With --model=encoder also a toy mixture, whose modes it then has.",
        choices=(*PRIORS, *toy_names()),
    )

    # Losses.
    loss: str = setting(
        "vanilla",
        "Adversarial loss, with its settings if any: vanilla:smoothing=0.1. --list shows the "
        "losses.",
        parts=LOSSES,
    )
    penalty: str = setting(
        "pairwise",
        "Penalty on the discriminator. pairwise: the pairwise gradient penalty; gradient: that of "
        "WGAN-GP; none: no penalty. --list shows the others, r1 and dragan among them.",
    )
    penalty_weight: float = setting(0.1, "Weight λ of the penalty. 0: no penalty.", at_least=0)
    penalty_form: str = setting(
        "norm",
        "Form of the pairwise penalty. norm: ‖g - u‖; squared_norm: ‖g - u‖²; feature_mean: the "
        "mean of (g - u)² over features.",
        choices=("norm", "squared_norm", "feature_mean"),
    )
    penalty_distance_scale: float = setting(
        0.0,
        "Scale τ in the weight n² / (n² + τ²) of a pair at the distance n = ‖x - x̂‖. 0: all pairs "
        "weigh the same.",
        at_least=0,
    )
    penalty_softness: float = setting(
        0.0,
        "Distance τ from each sample within which the pairwise penalty asks for less slope, "
        "n / √(n² + τ²) at the distance n = ‖x - x̂‖. 0: for slope 1 everywhere.",
        at_least=0,
    )
    terms: tuple[str, ...] = setting(
        (),
        "Further summands of the losses, comma-separated, each with its settings: name:weight=0.1. "
        "--list shows the names. Empty: none.",
        parts=TERMS,
    )
    weight_clip: float = setting(
        0.0,
        "Bound c that keeps D's weights in [-c, c]; WGAN's is 0.01. 0: no bound.",
        at_least=0,
    )
    adversarial_weight: float = setting(
        1.0,
        "Weight of the adversarial loss in that of generator and encoder. 0: their --terms alone, "
        "as with feature matching.",
        at_least=0,
    )
    instance_noise: float = setting(
        0.0,
        "Standard deviation of the normal noise on all x that the discriminator sees, at the "
        "beginning; it falls to 0 in --instance_noise_steps. Penalties see x without it. 0: none.",
        at_least=0,
    )
    instance_noise_steps: int = setting(
        0, "Training steps until --instance_noise has fallen to 0.", at_least=0
    )
    second_discriminator_weight: float = setting(
        1.0,
        "Weight of the second discriminator's loss in that of generator and encoder, with "
        f"--model={', '.join(name for name, entry in MODELS.items() if entry.second_inputs)}.",
        above=0,
    )
    autoencoder_weight: float = setting(
        0.0,
        "Weight of the autoencoder loss of G and E, the mean of (x - G(E(x)))². 0: no such loss.",
        at_least=0,
    )

    # Optimisation.
    steps: int = setting(
        10_000,
        "Number of training steps. With --schedule=constant a run goes on with more of them.",
        at_least=1,
    )
    learning_rate: float = setting(2e-3, "Learning rate of Adam, for all networks.", above=0)
    discriminator_learning_rate: float = setting(
        0.0,
        "Learning rate of the discriminator, where it is another one (two time-scales). "
        "0: --learning_rate.",
        at_least=0,
    )
    weight_decay: float = setting(
        0.0,
        "Decoupled weight decay w of the kernels of all networks, by AdamW: each step takes "
        "learning rate · w · W off. 0: Adam.",
        at_least=0,
    )
    clip_norm: float = setting(
        0.0,
        "Largest norm of each network's gradient, over all its weights; a longer one is shortened "
        "to it. 0: no bound.",
        at_least=0,
    )
    schedule: str = setting(
        "cosine",
        "Course of the learning rate. cosine: it falls to --learning_rate_floor at the end, so "
        "--steps must stay as a run was begun with.",
        choices=("cosine", "constant"),
    )
    learning_rate_floor: float = setting(
        0.1,
        "Learning rate at the end of the cosine, as a share of --learning_rate.",
        at_least=0,
        below=1,
    )
    beta_1: float = setting(0.0, "Decay of Adam's mean of gradients, β₁.", at_least=0, below=1)
    beta_2: float = setting(
        0.9, "Decay of Adam's mean of squared gradients, β₂.", at_least=0, below=1
    )
    discriminator_steps: int = setting(
        1,
        "Updates of the discriminator for each update of the other networks; 5 is usual with "
        "wasserstein.",
        at_least=1,
    )
    generator_steps: int = setting(
        1,
        "Updates of generator and encoder after those of the discriminator, with the same x and "
        "other z.",
        at_least=1,
    )
    unroll: int = setting(
        0,
        "Inner steps of a copy of the discriminator before generator and encoder meet it, as in an "
        "unrolled GAN; 5 or 10 are usual. 0: none.",
        at_least=0,
    )
    unroll_rate: float = setting(0.01, "Learning rate of the steps of --unroll.", above=0)
    unroll_gradient: bool = setting(
        True,
        "Let generator and encoder see how they change the steps of --unroll. Without it they meet "
        "a better trained discriminator.",
    )
    average_decay: float = setting(
        0.999,
        "Decay of the averaged weights, which samples are drawn from. 0: no averaging.",
        at_least=0,
        below=1,
    )
    weights: str = setting(
        "best",
        "Averaged weights to export and to measure. best: those that reconstructed held-out "
        "samples best, or nearly so and later; last: those of the end. Without a pairwise penalty "
        "and an autoencoder loss, or with a D of x alone: last.",
        choices=("best", "last"),
        names_the_run=False,
    )
    sampler: str = setting(
        PLAIN,
        "How the trained generator is sampled and measured, unless a command is told otherwise, "
        "with settings if any: name:setting=value. --list shows the samplers. Pictures on the way "
        "are of draws from the prior.",
        parts=SAMPLERS,
        names_the_run=False,
    )
    seed: int = setting(0, "Seed of every random draw.", at_least=0)

    # Execution.
    precision: str = setting(
        "float32",
        "Precision of the hidden layers. Weights, outputs and the penalty's gradient stay float32.",
        choices=("float32", "bfloat16", "float16"),
    )
    jit: bool = setting(
        True, "Compile the training step with XLA. Has no effect with a --strategy."
    )
    deterministic: bool = setting(
        False, "Make results bit-identical from run to run. Turns --jit on."
    )
    strategy: str = setting(
        "none",
        "Devices that share each batch. none: a single device; mirrored: all GPUs of this machine, "
        "or --devices; multi_worker: the machines that TF_CONFIG or SLURM names.",
        choices=("none", "mirrored", "multi_worker"),
        names_the_run=False,
    )
    devices: tuple[str, ...] = setting(
        (),
        "Devices of --strategy=mirrored, such as GPU:0,GPU:1. Empty: all GPUs.",
        names_the_run=False,
    )
    log_every: int = setting(100, "Steps between two lines of the log.", at_least=1)
    checkpoint_every: int = setting(
        1000, "Steps between two checkpoints.", at_least=1, names_the_run=False
    )
    checkpoint_minutes: float = setting(
        10.0,
        "Minutes after which to save a checkpoint too, at the next line of the log. 0: never.",
        at_least=0,
        names_the_run=False,
    )
    checkpoints_kept: int = setting(
        3, "Number of newest checkpoints to keep.", at_least=1, names_the_run=False
    )
    on_nan: str = setting(
        "stop",
        "What to do when the loss explodes, or a loss or weight is not finite. stop: end the run; "
        "rollback: go back to a checkpoint and on with half the learning rate.",
        choices=("stop", "rollback"),
        names_the_run=False,
    )
    most_rollbacks: int = setting(
        3,
        "Maximum number of rollbacks before the run stops.",
        at_least=1,
        names_the_run=False,
    )
    snapshots: int = setting(
        40,
        "Number of times that samples are stored during training, for pictures. 0: never.",
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
        check_preset_dataset(self.name, self.dataset)
        if self.method:
            METHODS.check(self.method)
        self._check_data()
        self._check_model()
        self._check_encoder()
        self._check_discriminator()
        self._check_condition()
        self._check_execution()

    def _check_data(self) -> None:
        data = DATASETS[self.dataset]
        weights = f"{data.modes} numbers for {self.dataset}"
        self._refuse_first(
            (len(self.mode_weights) not in (0, data.modes), "mode_weights",
             f"nothing with --dataset={self.dataset}" if data.is_image else weights),
            *((bool(getattr(self, name)) and name not in data.takes, name,
               f"nothing with --dataset={self.dataset}") for name in ("video", "data", "labels")),
            *((not getattr(self, name), name, f"the path of pictures with --dataset={self.dataset}")
              for name in data.needs),
            (bool(self.crop) and ("crop" not in data.takes or self.is_junction), "crop",
             "nothing but for --video and --dataset=images"),
            (self.labels == FOLDERS and self.hold_out == "folders", "hold_out",
             f"images with --labels={FOLDERS}: held-out folders would be classes never seen"),
            (self.frame_rate > 0 and self.frame_interval > 0, "frame_rate",
             "nothing beside --frame_interval"),
            (0 < self.video_stop <= self.video_start, "video_stop",
             f"a time after --video_start={self.video_start:g}"),
            *((bool(getattr(self, name)) and not self.video, name, "nothing without --video")
              for name in ("frame_rate", "video_start", "video_stop")),
            (self.hold_out == "passages" and not self.video, "hold_out",
             "images or folders without --video"),
            (self.hold_out == "folders" and bool(self.video), "hold_out",
             "images or passages with --video"),
            (any(path.endswith("\\") or "\\," in path for path in self.video), "video",
             "paths without a backslash at the end or before a comma"),
            (data.is_image and self.channels not in data.channels, "channels",
             " or ".join(map(str, data.channels))),
            (self.flip and not data.can_flip, "flip",
             f"false with --dataset={self.dataset}: a mirrored digit is none"),
            (data.is_image and self.image_size not in IMAGE_SIZES, "image_size",
             f"one of {', '.join(map(str, IMAGE_SIZES))}"),
            (self.is_junction and not 32 <= self.image_size <= 128, "image_size",
             "32, 64 or 128 with the rendered junction"),
            (bool(self.crop) and not is_crop(self.crop), "crop",
             "left,top,width,height in pixels, width and height above 0"),
        )  # fmt: skip

    def _check_model(self) -> None:
        penalties = ["none", *(name for name, term in TERMS.items() if term.is_penalty)]
        model = self.model_entry
        fitting = [name for name in penalties if name == "none" or TERMS[name].fits(model)]
        networks = [name for name, kind in NETWORKS.items() if kind.of_images == self.is_image]
        without = f"with --model={self.model}, which makes no reconstructions"
        if model.reconstructs:
            without = f"with --model={self.model}, whose discriminator sees x alone"
        has_modes = self.prior not in PRIORS
        prior_length = DATASETS[self.prior].features if has_modes else self.latent_length
        needing = [part.name for part in self._own_terms if not TERMS[part.name].fits(model)]
        loss = parse_part(self.loss, "loss")
        needs_bound = LOSSES[loss.name].needs_bound
        has_own_labels = LOSSES[loss.name].labels_samples
        self._refuse_first(
            (self.is_image and self.model == "encoder", "model",
             "bigan or gan with images, or another one with a generator"),
            (self.penalty not in penalties, "penalty", f"one of {', '.join(penalties)}"),
            (self.penalty not in fitting, "penalty", f"{' or '.join(fitting)} {without}"),
            (bool(needing), "terms",
             f"no {' and no '.join(needing)} {without}"),
            (self.autoencoder_weight > 0 and not model.reconstructs, "autoencoder_weight",
             f"0 {without}"),
            ("smoothing" in loss.settings and not has_own_labels and loss.name in _OWN_LOSSES,
             "loss", f"no smoothing with {loss.name}, whose D does not call samples true or false: "
             "vanilla:smoothing=… or saturating:smoothing=…"),
            (needs_bound and not self.bounds_discriminator, "loss",
             "another one, such as vanilla, without a --penalty and a --weight_clip: nothing "
             "would bound D"),
            (self.network not in networks, "network",
             f"{' or '.join(networks)} with --dataset={self.dataset}"),
            (NETWORKS[self.network].takes_labels and not self.has_labels, "network",
             "one that takes no labels without classes: --labels gives those of pictures"),
            (self.fourier_octaves > 0 and self.is_image, "fourier_octaves",
             f"0 with --network={self.network}"),
            *self._rules_of_image_networks(),
            (has_modes and self.model != "encoder", "prior",
             f"{' or '.join(PRIORS)} with --model={self.model}"),
            (self.latent_length != prior_length, "latent_length",
             f"{prior_length} with --prior={self.prior}"),
            (self.model == "encoder" and self.latent_length > 2, "latent_length",
             "1 or 2 with --model=encoder, so that the prior can be cut into cells and drawn"),
        )  # fmt: skip

    def _check_encoder(self) -> None:
        model = self.model_entry
        names = [part.name for part in self.term_parts]
        loss = parse_part(self.loss, "loss").name
        needing = [name for name in names if TERMS[name].needs_probability]
        two = f"with --model={self.model}, whose second discriminator sees other inputs"
        others = ", ".join(name for name, entry in MODELS.items() if entry.second_inputs)
        self._refuse_first(
            (model.needs_term and not any(map(_trains_encoder, names)), "terms",
             f"one that trains the encoder with --model={self.model}, such as latent_regression, "
             "or --autoencoder_weight"),
            (bool(needing) and not LOSSES[loss].gives_probability, "loss",
             f"one by which D learns a probability, such as vanilla, with {' and '.join(needing)}, "
             "which takes its logarithm; or --autoencoder_weight in its place"),
            (self.second_discriminator_weight != 1 and not model.second_inputs,
             "second_discriminator_weight", f"1 without a second discriminator, --model={others}"),
            (self._sampler_needs_encoder and not (model.reconstructs and self.condition == "none"),
             "sampler", "one that needs no encoder, such as plain, with "
             f"--model={self.model} --condition={self.condition}"),
            *((bool(model.second_inputs) and getattr(self, name) != _DEFAULTS[name], name,
               f"{to_text(_DEFAULTS[name])} {two}; --model=bigan or gan has it")
              for name in ("packing", "instance_noise", "unroll")),
            (bool(model.second_inputs) and LOSSES[loss].needs_bound and not self._bounds_both,
             "loss", "another one, such as vanilla, without a --weight_clip and "
             "--spectral_normalization: penalties would bound the first discriminator only"),
        )  # fmt: skip

    @property
    def _sampler_needs_encoder(self) -> bool:
        entry = SAMPLERS[parse_part(self.sampler, "sampler").name]
        return isinstance(entry, SamplerEntry) and entry.needs_encoder

    def _rules_of_image_networks(self) -> list[tuple[bool, str, str]]:
        heeds = NETWORKS[self.network].heeds
        with_network = f"with --network={self.network}"
        sizes = feature_map_sizes(self.image_size)
        parts = len(sizes) + 1
        scales = most_scales(self.image_size) if self.is_image else 1
        of_what = (
            f"--image_size={self.image_size}" if self.is_image else f"--dataset={self.dataset}"
        )
        return [
            (self.attention_size > 0 and not heeds("attention_size"), "attention_size",
             f"0 {with_network}"),
            (self.attention_size not in (0, *sizes), "attention_size",
             f"0 or one of {', '.join(map(str, sizes))} with --image_size={self.image_size}"),
            (self.hierarchical_latents and not heeds("hierarchical_latents"),
             "hierarchical_latents", f"false {with_network}"),
            (self.hierarchical_latents and self.latent_length < parts, "latent_length",
             f"{parts} or more with --hierarchical_latents and --image_size={self.image_size}"),
            (self.discriminator_scales > scales, "discriminator_scales",
             f"at most {scales} with {of_what}"),
            (self.scale_logits != "mean" and self.discriminator_scales == 1, "scale_logits",
             "mean with --discriminator_scales=1"),
        ]  # fmt: skip

    def _check_discriminator(self) -> None:
        names = [part.name for part in self.term_parts]
        single = [name for name in names if TERMS[name].needs_separate_examples]
        dropping = [name for name in names if TERMS[name].needs_dropout]
        takes = NETWORKS[self.network].discriminator_takes
        across = self.minibatch != "none"
        parts = self.discriminator_steps * self.packing
        self._refuse_first(
            *((getattr(self, name) != _DEFAULTS[name] and name not in takes, name,
               f"{to_text(_DEFAULTS[name])} with --network={self.network}")
              for name in DISCRIMINATOR_PARTS),
            (across and bool(single), "minibatch",
             f"none with {' and '.join(single)}, which takes D's slope or change at single "
             "samples, while its logit depends on all; or --packing in its place, or another "
             "--penalty such as none"),
            (bool(dropping) and not self.dropout, "dropout",
             f"a number above 0 with {' and '.join(dropping)}, which compares two passes with "
             "different dropout; or augmentation_consistency in its place"),
            (bool(self.batch_size % parts), "batch_size", self._parts_of_a_batch(parts)),
            (self.unroll > 0 and self.spectral_normalization, "unroll",
             "0 with --spectral_normalization, whose state would have to be unrolled too; or "
             "--penalty=r1 in its place"),
            (self.unroll > 0 and self.dropout > 0, "unroll",
             "0 with --dropout: each inner step would be of another discriminator"),
            (self.unroll > 0 and self.strategy != "none", "unroll",
             f"0 with --strategy={self.strategy}, where each replica would unroll its share alone"),
            (self.instance_noise > 0 and not self.instance_noise_steps, "instance_noise_steps",
             "the number of steps in which --instance_noise falls to 0"),
            (self.instance_noise == 0 and self.instance_noise_steps > 0, "instance_noise_steps",
             "0 without --instance_noise"),
            (self.adversarial_weight == 0 and not self._trains_generator, "adversarial_weight",
             "a number above 0 without a term for generator and encoder such as "
             "--terms=feature_matching"),
        )  # fmt: skip

    def _check_condition(self) -> None:
        network, with_none = NETWORKS[self.network], "--condition=none"
        of_classes, of_clusters = (self.condition == name for name in ("classes", "clusters"))
        is_conditional = self.is_conditional
        needing = [part.name for part in self._own_terms if TERMS[part.name].needs_classes]
        with_clusters = "with --condition=clusters"
        self._refuse_first(
            (is_conditional and not network.takes_condition, "condition",
             f"none with --network={self.network}"
             + (", which takes labels by itself" if network.takes_labels else "")),
            (is_conditional and self.model == "encoder", "condition",
             "none with --model=encoder, which has no generator to ask for a class"),
            (is_conditional and self.model not in ("gan", "bigan", "encoder"), "condition",
             f"none with --model={self.model}, whose losses are those of x alone; or --model=bigan "
             "or gan"),
            (of_classes and not self.has_labels, "condition",
             f"none or clusters with --dataset={self.dataset}, which has no classes; cifar10, "
             "mnist, toy mixtures and pictures with --labels have"),
            (is_conditional and self.packing > 1, "packing",
             "1 with a --condition: a pack has several classes"),
            (is_conditional and not self.projection and not needing, "projection",
             f"true without --terms={AUXILIARY_CLASSIFIER}: nothing else would tell the "
             "generator of classes"),
            (not self.projection and not is_conditional, "projection", f"true with {with_none}"),
            (bool(needing) and not is_conditional, "condition",
             f"classes or clusters with --terms={AUXILIARY_CLASSIFIER}"),
            (bool(needing) and self.discriminator_scales > 1, "discriminator_scales",
             f"1 with --terms={AUXILIARY_CLASSIFIER}: each scale would tell a class of its own"),
            (of_clusters and self.model != "gan", "condition",
             f"none or classes with --model={self.model}: clusters are those of D(x), "
             "and of D(x, z) they would change with E(x); or --model=gan"),
            (of_clusters and self.dropout > 0, "dropout",
             f"0 {with_clusters}, whose features must not change from call to call"),
            (of_clusters and self.minibatch != "none", "minibatch",
             f"none {with_clusters}, whose features must be those of single samples"),
            (of_clusters and self.discriminator_scales > 1, "discriminator_scales",
             f"1 {with_clusters}, which needs one last hidden layer"),
            (of_clusters and self.strategy == "multi_worker", "strategy",
             f"none or mirrored {with_clusters}, which one machine has to find"),
            (of_clusters and bool(self.cluster_every % self.log_every), "cluster_every",
             f"a multiple of --log_every={self.log_every}"),
        )  # fmt: skip

    def _parts_of_a_batch(self, parts: int) -> str:
        steps = f"a multiple of --discriminator_steps={self.discriminator_steps}"
        if self.packing == 1:
            return steps
        near = max(1, self.batch_size // parts) * parts
        return f"{steps} times --packing={self.packing}, such as {near}"

    @property
    def _trains_generator(self) -> bool:
        """Whether a term is one of the losses of generator and encoder."""
        return any(TERMS[part.name].trains_generator for part in self.term_parts)

    def _check_execution(self) -> None:
        self._refuse_first(
            (self.strategy != "none" and self.deterministic, "deterministic",
             f"false with --strategy={self.strategy}, whose steps are not compiled"),
            (bool(self.devices) and self.strategy != "mirrored", "devices",
             f"nothing with --strategy={self.strategy}"),
            (self.strategy == "multi_worker" and self.on_nan == "rollback", "on_nan",
             "stop with --strategy=multi_worker"),
            (self.clip_norm > 0 and self.strategy != "none", "clip_norm",
             f"0 with --strategy={self.strategy}, where each replica would clip its share alone"),
        )  # fmt: skip

    def _refuse_first(self, *rules: tuple[bool, str, str]) -> None:
        """Raises for the first rule (is wrong, field, expected) that is broken."""
        for is_wrong, name, expected in rules:
            if is_wrong:
                raise refusal(name, expected, to_text(getattr(self, name)) or "nothing")

    @property
    def way(self) -> str:
        """How it is learned, as runs and tables name it: the method, or else the penalty."""
        return self.method or self.penalty

    @property
    def is_image(self) -> bool:
        """Whether the data are images, or else a toy mixture."""
        return DATASETS[self.dataset].is_image

    @property
    def is_junction(self) -> bool:
        """Whether the data are frames of the rendered junction, whose truth is known."""
        return self.dataset == "traffic" and not self.video

    @property
    def has_labels(self) -> bool:
        """Whether the data have classes."""
        return DATASETS[self.dataset].has_labels or bool(self.labels)

    @property
    def takes_labels(self) -> bool:
        """Whether the networks are called with the data's classes."""
        return NETWORKS[self.network].takes_labels or self.condition == "classes"

    @property
    def is_conditional(self) -> bool:
        """Whether generator and discriminator know a class, of the data or of clusters."""
        return self.condition != "none"

    @property
    def tells_classes(self) -> bool:
        """Whether the discriminator has a classifier, for an auxiliary term."""
        parts = self.term_parts
        return any(TERMS[one.name].needs_classes and one.settings.get("weight", 1) for one in parts)

    @property
    def crop_or_none(self) -> tuple[int, int, int, int] | None:
        """(left, top, width, height) of the crop, if there is one."""
        return cast("tuple[int, int, int, int] | None", self.crop or None)

    @property
    def model_entry(self) -> ModelEntry:
        """What --model is made of."""
        return MODELS[self.model]

    @property
    def has_penalty(self) -> bool:
        return self.penalty != "none" and self.penalty_weight > 0

    @property
    def _own_terms(self) -> list[Part]:
        return [parse_part(text, "terms") for text in self.terms]

    @property
    def bounds_discriminator(self) -> bool:
        """Whether a term, clipped weights or normalized kernels keep D's slope within bounds."""
        terms = [part.name for part in self._own_terms]
        terms += [self.penalty] if self.has_penalty else []
        return self._bounds_both or any(TERMS[name].bounds_discriminator for name in terms)

    @property
    def _bounds_both(self) -> bool:
        """Whether clipped weights or normalized kernels bound all discriminators there are."""
        return bool(self.weight_clip) or self.spectral_normalization

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


def _trains_encoder(name: str) -> bool:
    return TERMS[name].needs_encoder and not TERMS[name].is_penalty


KINDS: dict[str, Any] = get_type_hints(Experiment)
_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Experiment)}
_OWN_LOSSES = frozenset(LOSSES)  # what others are able to do, they know themselves
