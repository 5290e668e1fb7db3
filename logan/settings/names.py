"""Names of everything that a setting can choose, and what must be known of it at once.

To add a part is a line here and its code in the module that the line names. Nothing here imports
TensorFlow.
"""

import dataclasses
from collections.abc import Mapping

from logan.registry import Entry, Registry

IMAGE_SIZES = (8, 16, 32, 64, 128, 256)
SMALLEST_MAP = 4  # places a side, of the innermost feature map of networks for images


def feature_map_sizes(image_size: int) -> tuple[int, ...]:
    """Sides of the feature maps of networks for such images: 4, 8, … image_size / 2."""
    return tuple(size // 2 for size in IMAGE_SIZES if SMALLEST_MAP < size <= image_size)


SCALE_LOGITS = ("mean", "sum", "each")  # what becomes of the logits of several scales


def most_scales(image_size: int) -> int:
    """On how many scales a discriminator can see such images: down to the smallest image size."""
    return sum(size <= image_size for size in IMAGE_SIZES)


@dataclasses.dataclass(frozen=True)
class LossEntry(Entry):
    """An adversarial loss, a function of r and f; see `logan.losses`.

    Attributes:
        needs_bound: whether it has no minimum unless something bounds D's slope.
    """

    needs_bound: bool = False


LOSSES = Registry(
    "loss",
    {
        "vanilla": LossEntry(
            "logan.losses:vanilla", "non-saturating; smoothing=0.1 smooths one side"
        ),
        "wasserstein": LossEntry(
            "logan.losses:wasserstein", "WGAN's; something must bound D", needs_bound=True
        ),
        "least_squares": LossEntry("logan.losses:least_squares", "LSGAN's"),
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
        bounds_discriminator: whether it bounds D's slope, as a Wasserstein loss requires.
        fields: of those of its settings that have a flag of their own, the flag's name. The weight
            of a penalty is --penalty_weight.
    """

    is_penalty: bool = False
    needs_encoder: bool = False
    bounds_discriminator: bool = False
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict)


TERMS = Registry(
    "terms",
    {
        "pairwise": TermEntry(
            "logan.terms.gradient:PairwisePenalty",
            "pairwise gradient penalty on D",
            is_penalty=True,
            needs_encoder=True,
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
            bounds_discriminator=True,
        ),
        "autoencoder": TermEntry(
            "logan.terms.reconstruction:AutoencoderLoss",
            "mean (x - G(E(x)))² for G and E",
            needs_encoder=True,
        ),
    },
)


@dataclasses.dataclass(frozen=True)
class NetworkEntry(Entry):
    """A kind of networks.

    Attributes:
        of_images: whether for images, or else for vectors.
        takes: fields of `Experiment` that its constructors take besides those that all have.
        generator_takes: those that only the generator's takes.
        discriminator_takes: those that only the discriminator's takes.
    """

    of_images: bool = False
    takes: tuple[str, ...] = ()
    generator_takes: tuple[str, ...] = ()
    discriminator_takes: tuple[str, ...] = ()

    def heeds(self, field: str) -> bool:
        """Whether it takes that field of `Experiment`, with one of its constructors."""
        return field in (*self.takes, *self.generator_takes, *self.discriminator_takes)


NETWORKS = Registry(
    "network",
    {
        "mlp": NetworkEntry(
            "logan.networks.mlp:MLP",
            "multilayer perceptrons, for vectors",
            takes=("hidden_layers",),
            discriminator_takes=("fourier_octaves", "fourier_scale"),
        ),
        "convolutional": NetworkEntry(
            "logan.networks.convolutional:CONVOLUTIONAL",
            "DCGAN-like, for images",
            of_images=True,
            takes=("attention_size",),
            generator_takes=("hierarchical_latents",),
        ),
        "residual": NetworkEntry(
            "logan.networks.residual:RESIDUAL",
            "SNGAN-like residual blocks, for images",
            of_images=True,
            takes=("attention_size",),
            generator_takes=("hierarchical_latents",),
        ),
    },
)

PLAIN = "plain"  # the sampler that takes the generator as it is
SAMPLERS = Registry(
    "sampler",
    {
        PLAIN: Entry("logan.sampling:plain", "G(z) of draws from the prior"),
        "rejection": Entry(
            "logan.rejection:rejection", "discriminator rejection sampling; percentile=5"
        ),
        "metropolis-hastings": Entry(
            "logan.rejection:metropolis_hastings", "the end of a chain for each sample; steps=640"
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
    """

    modes: int = 0
    features: int = 2
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        return self.modes == 0


def _toy(text: str, modes: int, features: int = 2) -> DatasetEntry:
    return DatasetEntry("logan.datasets.load:load_toy", text, modes, features, ("mode_weights",))


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
            takes=("data", "crop"),
            needs=("data",),
        ),
        "celeb_a": DatasetEntry(
            "logan.datasets.load:load_faces", "faces, from --data or fetched", takes=("data",)
        ),
        "cifar10": DatasetEntry(
            "logan.datasets.load:load_photographs",
            "photographs of ten kinds, from --data or fetched",
            takes=("data",),
        ),
    },
)


def toy_names() -> tuple[str, ...]:
    """Names of the toy mixtures."""
    return tuple(name for name, entry in DATASETS.items() if not entry.is_image)
