"""Names of everything that a setting can choose, and what must be known of it at once.

To add a part is a line here and its code in the module that the line names. Nothing here imports
TensorFlow.
"""

import dataclasses
from collections.abc import Mapping

from logan.registry import Entry, Registry

IMAGE_SIZES = (8, 16, 32, 64, 128, 256)
CONDITIONS = ("none", "classes", "clusters")  # what a model may be conditioned on
FOLDERS = "folders"  # the value of --labels by which sub-folders are classes

# Priors of z, and how far from 0 pictures follow a feature: to the ends of U[-1, 1], and to three
# standard deviations of N(0, 1).
PRIORS: dict[str, float] = {"uniform": 1.0, "normal": 3.0}
SMALLEST_MAP = 4  # places a side, of the innermost feature map of networks for images


def feature_map_sizes(image_size: int) -> tuple[int, ...]:
    """Sides of the feature maps of networks for such images: 4, 8, … image_size / 2."""
    return tuple(size // 2 for size in IMAGE_SIZES if SMALLEST_MAP < size <= image_size)


SCALE_LOGITS = ("mean", "sum", "each")  # what becomes of the logits of several scales


def most_scales(image_size: int) -> int:
    """On how many scales a discriminator can see such images: down to the smallest image size."""
    return sum(size <= image_size for size in IMAGE_SIZES)


@dataclasses.dataclass(frozen=True)
class ModelEntry:
    """What is trained against what.

    Attributes:
        text: a line of description.
        roles: the networks that are trained against the discriminators.
        discriminator_inputs: what the discriminator is given, of x and z.
        second_inputs: what the second discriminator is given: `x`, `z`, or `pairs` of x beside each
            other; empty if there is none.
        needs_term: whether its encoder is trained by terms alone.
    """

    text: str
    roles: tuple[str, ...]
    discriminator_inputs: tuple[str, ...]
    second_inputs: str = ""
    needs_term: bool = False

    @property
    def reconstructs(self) -> bool:
        """Whether it has G(E(x))."""
        return {"generator", "encoder"} <= set(self.roles)

    @property
    def is_joint(self) -> bool:
        """Whether its discriminator is a D(x, z)."""
        return len(self.discriminator_inputs) == 2


_BOTH = ("generator", "encoder")
MODELS = {
    "bigan": ModelEntry("generator and encoder", _BOTH, ("x", "z")),
    "alice": ModelEntry(
        "the same with a second discriminator, of x beside its reconstruction",
        _BOTH,
        ("x", "z"),
        "pairs",
    ),
    "gan": ModelEntry("a generator alone", ("generator",), ("x",)),
    "gan_encoder": ModelEntry(
        "a generator, and an encoder that --terms train", _BOTH, ("x",), needs_term=True
    ),
    "mdgan": ModelEntry(
        "the same with a second discriminator, of reconstructions beside x", _BOTH, ("x",), "x"
    ),
    "separate": ModelEntry(
        "generator and encoder, each against a discriminator of its own", _BOTH, ("x",), "z"
    ),
    "encoder": ModelEntry("an encoder alone, against --prior", ("encoder",), ("z",)),
}


@dataclasses.dataclass(frozen=True)
class LossEntry(Entry):
    """An adversarial loss, a function of r and f; see `logan.losses`.

    Attributes:
        needs_bound: whether it has no minimum unless something bounds D's slope.
        labels_samples: whether D's loss calls samples true or false, so that its labels can be
            smoothed.
        gives_probability: whether the sigmoid of D's logit is a probability that it learns.
    """

    needs_bound: bool = False
    labels_samples: bool = False
    gives_probability: bool = True


LOSSES = Registry(
    "loss",
    {
        "vanilla": LossEntry(
            "logan.losses:vanilla",
            "non-saturating; smoothing=0.1 smooths the labels of real samples",
            labels_samples=True,
        ),
        "saturating": LossEntry(
            "logan.losses:saturating",
            "the minimax game's; smoothing as vanilla's",
            labels_samples=True,
        ),
        "relativistic": LossEntry(
            "logan.losses:relativistic",
            "real and fake in pairs; R3GAN's with R1 and R2",
            gives_probability=False,
        ),
        "wasserstein": LossEntry(
            "logan.losses:wasserstein",
            "WGAN's; something must bound D",
            needs_bound=True,
            gives_probability=False,
        ),
        "least_squares": LossEntry(
            "logan.losses:least_squares", "LSGAN's", gives_probability=False
        ),
        "logan1": LossEntry("logan.losses:logan1", "the paper's, for toys and CIFAR-10"),
        "logan2": LossEntry("logan.losses:logan2", "the paper's, for CelebA"),
        "logan3": LossEntry("logan.losses:logan3", "of the paper's code"),
    },
)


@dataclasses.dataclass(frozen=True)
class TermEntry(Entry):
    """A summand of a loss.

    Attributes:
        is_penalty: whether it is one on D, which --penalty can name.
        needs_encoder: whether it works with an encoder only.
        needs_joint: whether it works with a discriminator D(x, z) only.
        needs_probability: whether it takes the sigmoid of D's logit for a probability.
        needs_separate_examples: whether it takes D for a function of single examples.
        needs_dropout: whether it works with dropout in D only.
        bounds_discriminator: whether it bounds D's slope, as a Wasserstein loss requires.
        trains_generator: whether it makes generator and encoder follow the data.
        needs_classes: whether it works with a --condition only.
        fields: of those of its settings that have a flag of their own, the flag's name. The weight
            of a penalty is --penalty_weight.
    """

    is_penalty: bool = False
    needs_encoder: bool = False
    needs_joint: bool = False
    needs_probability: bool = False
    needs_separate_examples: bool = False
    needs_dropout: bool = False
    bounds_discriminator: bool = False
    trains_generator: bool = False
    needs_classes: bool = False
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def fits(self, model: ModelEntry) -> bool:
        """Whether it works with the networks and the discriminator of that model."""
        is_joint = model.is_joint or not self.needs_joint
        return is_joint and (model.reconstructs or not self.needs_encoder)


AUXILIARY_CLASSIFIER = "auxiliary_classifier"

TERMS = Registry(
    "terms",
    {
        "pairwise": TermEntry(
            "logan.terms.gradient:PairwisePenalty",
            "pairwise gradient penalty on D",
            is_penalty=True,
            needs_encoder=True,
            needs_joint=True,
            needs_separate_examples=True,
            bounds_discriminator=True,
            fields=dict(
                form="penalty_form",
                distance_scale="penalty_distance_scale",
                softness="penalty_softness",
            ),
        ),
        "gradient": TermEntry(
            "logan.terms.gradient:GradientPenalty",
            "WGAN-GP's penalty on D",
            is_penalty=True,
            needs_separate_examples=True,
            bounds_discriminator=True,
        ),
        "wgan_lp": TermEntry(
            "logan.terms.gradient:OneSidedGradientPenalty",
            "WGAN-LP's penalty on D: on slopes above 1 only",
            is_penalty=True,
            needs_separate_examples=True,
            bounds_discriminator=True,
        ),
        "dragan": TermEntry(
            "logan.terms.gradient:DraganPenalty",
            "DRAGAN's penalty on D: slope 1 around real samples",
            is_penalty=True,
            needs_separate_examples=True,
        ),
        "r1": TermEntry(
            "logan.terms.gradient:R1Penalty",
            "weight / 2 · mean ‖∇D‖² at real samples",
            is_penalty=True,
            needs_separate_examples=True,
        ),
        "r2": TermEntry(
            "logan.terms.gradient:R2Penalty",
            "weight / 2 · mean ‖∇D‖² at generated samples",
            is_penalty=True,
            needs_separate_examples=True,
        ),
        "zero_centered": TermEntry(
            "logan.terms.gradient:ZeroCenteredPenalty",
            "mean ‖∇D‖² between real and generated samples",
            is_penalty=True,
            needs_separate_examples=True,
            bounds_discriminator=True,
        ),
        "consistency": TermEntry(
            "logan.terms.consistency:ConsistencyTerm",
            "CT-GAN's: D alike under two dropouts; beside --penalty=gradient",
            is_penalty=True,
            needs_separate_examples=True,
            needs_dropout=True,
        ),
        "augmentation_consistency": TermEntry(
            "logan.terms.consistency:AugmentationConsistency",
            "CR-GAN's: D alike for x and x mirrored and shifted, or with noise",
            is_penalty=True,
            needs_separate_examples=True,
        ),
        "lecam": TermEntry(
            "logan.terms.consistency:LeCamTerm",
            "LeCam's: D's logits near the average of the other kind",
            is_penalty=True,
        ),
        "latent_reconstruction": TermEntry(
            "logan.terms.reconstruction:LatentReconstruction",
            "‖z - E(G(z))‖² for G and E (VEEGAN's)",
            needs_encoder=True,
        ),
        "latent_regression": TermEntry(
            "logan.terms.reconstruction:LatentRegression",
            "‖z - E(G(z))‖² for E alone, of the averaged G",
            needs_encoder=True,
        ),
        "mode_regularizer": TermEntry(
            "logan.terms.reconstruction:ModeRegularizer",
            "-log s(D(G(E(x)))) for G and E (Reg-GAN's)",
            needs_encoder=True,
            needs_probability=True,
            trains_generator=True,
        ),
        "feature_matching": TermEntry(
            "logan.terms.diversity:FeatureMatching",
            "means of D's last hidden layer alike for real and generated; for G and E",
            trains_generator=True,
        ),
        "mode_seeking": TermEntry(
            "logan.terms.diversity:ModeSeeking", "MSGAN's: different z make different G(z)"
        ),
        AUXILIARY_CLASSIFIER: TermEntry(
            "logan.terms.classes:AuxiliaryClassifier",
            "AC-GAN's: D tells classes, and G makes what it tells right; with --condition",
            needs_classes=True,
        ),
        "historical_averaging": TermEntry(
            "logan.terms.weights:HistoricalAveraging",
            "all networks' weights near their mean over training",
        ),
        "l2": TermEntry("logan.terms.weights:WeightPenalty", "squares of D's kernels"),
        "autoencoder": TermEntry(
            "logan.terms.reconstruction:AutoencoderLoss",
            "mean (x - G(E(x)))², or error=absolute, for G and E (ALICE's)",
            needs_encoder=True,
            trains_generator=True,
        ),
    },
)


@dataclasses.dataclass(frozen=True)
class NetworkEntry(Entry):
    """A kind of networks.

    Attributes:
        of_images: whether for images, or else for vectors.
        takes_labels: whether they are called with the samples' classes, whatever the settings.
        takes_condition: whether they have --condition: generator and discriminator then take
            `classes`, and the discriminator `projection` and `classifier`.
        takes: fields of `Experiment` that its constructors take besides those that all have.
        generator_takes: those that only the generator's takes.
        discriminator_takes: those that only the discriminator's takes.
        encoder_activations: by prior, the output_activation that its encoder is given; empty if it
            is given none.
    """

    of_images: bool = False
    takes_labels: bool = False
    takes_condition: bool = False
    takes: tuple[str, ...] = ()
    generator_takes: tuple[str, ...] = ()
    discriminator_takes: tuple[str, ...] = ()
    encoder_activations: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def heeds(self, field: str) -> bool:
        """Whether it takes that field of `Experiment`, with one of its constructors."""
        return field in (*self.takes, *self.generator_takes, *self.discriminator_takes)


# What a discriminator may have with the networks of this package.
DISCRIMINATOR_PARTS = ("spectral_normalization", "dropout", "minibatch")

NETWORKS = Registry(
    "network",
    {
        "mlp": NetworkEntry(
            "logan.networks.mlp:MLP",
            "multilayer perceptrons, for vectors",
            takes_condition=True,
            takes=("hidden_layers",),
            discriminator_takes=("fourier_octaves", "fourier_scale", *DISCRIMINATOR_PARTS),
        ),
        "convolutional": NetworkEntry(
            "logan.networks.convolutional:CONVOLUTIONAL",
            "DCGAN-like, for images",
            of_images=True,
            takes_condition=True,
            encoder_activations=dict(uniform="tanh", normal="linear"),
            discriminator_takes=DISCRIMINATOR_PARTS,
            takes=("attention_size",),
            generator_takes=("hierarchical_latents",),
        ),
        "residual": NetworkEntry(
            "logan.networks.residual:RESIDUAL",
            "SNGAN-like residual blocks, for images",
            of_images=True,
            takes_condition=True,
            encoder_activations=dict(uniform="tanh", normal="linear"),
            takes=("attention_size",),
            generator_takes=("hierarchical_latents",),
        ),
    },
)


@dataclasses.dataclass(frozen=True)
class SamplerEntry(Entry):
    """A sampler, see `logan.sampling`.

    Attributes:
        needs_encoder: whether it works with G(E(x)) only, G and E of no classes.
    """

    needs_encoder: bool = False


PLAIN = "plain"  # the sampler that takes the generator as it is
SAMPLERS = Registry(
    "sampler",
    {
        PLAIN: SamplerEntry("logan.sampling:plain", "G(z) of draws from the prior"),
        "rejection": SamplerEntry(
            "logan.rejection:rejection", "discriminator rejection sampling; percentile=10"
        ),
        "metropolis-hastings": SamplerEntry(
            "logan.rejection:metropolis_hastings", "the end of a chain for each sample; steps=640"
        ),
        "between-encodings": SamplerEntry(
            "logan.between_encodings:between_encodings",
            "G between encodings of neighbouring training samples; neighbours=5",
            needs_encoder=True,
        ),
    },
)


@dataclasses.dataclass(frozen=True)
class ExtractorEntry(Entry):
    """An extractor; `home` is called with its settings, and first the path of its weights or None.

    Attributes:
        suffixes: of files of weights; empty if it takes none and is called without.
        needs_weights: whether it has none of its own.
        weights_source: which file it needs, in words.
    """

    suffixes: tuple[str, ...] = ()
    needs_weights: bool = False
    weights_source: str = "a file of weights"


EXTRACTORS = Registry(
    "extractor",
    {
        "random": ExtractorEntry(
            "logan.extractors.random_convolutions:RandomConvolutions",
            "fixed random convolutions, which compare runs with each other; not FID",
        ),
        "inception": ExtractorEntry(
            "logan.extractors.inception:InceptionV3",
            "Keras's Inception v3, fetched unless weights are given; not FID",
            (".h5", ".hdf5", ".keras"),
        ),
        "squeezenet": ExtractorEntry(
            "logan.extractors.squeezenet:SqueezeNet",
            "SqueezeNet 1.1, a trained network of 3 MB; needs weights; not FID",
            (".h5", ".hdf5"),
            needs_weights=True,
            weights_source="squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5 of "
            "github.com/DeepCognition/keras-squeezenet",
        ),
        "fid": ExtractorEntry(
            "logan.extractors.published_inception:PublishedInception",
            "the Inception network of 2015 of published FID and KID; needs weights",
            (".pb",),
            needs_weights=True,
            weights_source="classify_image_graph_def.pb of inception-2015-12-05.tgz",
        ),
        "none": ExtractorEntry("logan.extractors.base:none", "no features"),
    },
)


@dataclasses.dataclass(frozen=True)
class DatasetEntry(Entry):
    """A data set; `home` is a function (experiment, cache, show_progress) -> Data.

    Attributes:
        modes: of a toy mixture, how many; 0 for images.
        features: of a toy mixture, numbers in one x.
        takes: of the settings that only some data sets have, those that it heeds.
        needs: those of them that must be given.
        has_labels: whether its samples have classes of their own; of a toy mixture, the modes.
        channels: how many its images have; empty if --channels may say.
        can_flip: whether mirrored images are of its kind.
        needs_classifier: whether its modes are counted by a classifier.
    """

    modes: int = 0
    features: int = 2
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    has_labels: bool = False
    channels: tuple[int, ...] = (1, 3)
    can_flip: bool = True
    needs_classifier: bool = False

    @property
    def is_image(self) -> bool:
        return self.modes == 0


def _toy(text: str, modes: int, features: int = 2) -> DatasetEntry:
    home = "logan.datasets.load:load_toy"
    return DatasetEntry(home, text, modes, features, ("mode_weights",), has_labels=True)


DATASETS = Registry(
    "dataset",
    {
        "ring8": _toy("8 modes on a circle", 8),
        "ring16": _toy("8 modes on each of two circles", 16),
        "grid25": _toy("5 x 5 modes, spacing 100 σ", 25),
        "grid25_wide": _toy("5 x 5 modes, spacing 40 σ", 25),
        "swiss": _toy("a swiss roll, counted as 25 arcs", 25),
        "line": _toy("1-D: 5 modes", 5, features=1),
        "line_far": _toy("1-D: 5 modes and two far ones", 7, features=1),
        "traffic": DatasetEntry(
            "logan.datasets.load:load_traffic",
            "snapshots of --video, or of the rendered junction",
            takes=("video", "crop"),
        ),
        "images": DatasetEntry(
            "logan.datasets.load:load_folder",
            "the pictures in the folder --data",
            takes=("data", "crop", "labels"),
            needs=("data",),
        ),
        "celeb_a": DatasetEntry(
            "logan.datasets.load:load_faces", "faces, from --data or fetched", takes=("data",)
        ),
        "cifar10": DatasetEntry(
            "logan.datasets.load:load_photographs",
            "photographs of ten kinds, from --data or fetched",
            takes=("data",),
            has_labels=True,
        ),
        "mnist": DatasetEntry(
            "logan.datasets.load:load_digits",
            "handwritten digits, from --data or fetched",
            takes=("data",),
            has_labels=True,
            can_flip=False,
        ),
        "stacked_mnist": DatasetEntry(
            "logan.datasets.load:load_stacked_digits",
            "three digits as red, green and blue, 1,000 modes",
            takes=("data",),
            channels=(3,),
            can_flip=False,
            needs_classifier=True,
        ),
    },
)


def toy_names() -> tuple[str, ...]:
    """Names of the toy mixtures."""
    return tuple(name for name, entry in DATASETS.items() if not entry.is_image)
