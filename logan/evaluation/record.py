"""What is at hand when a model is measured: arrays and what is known of them, but no run."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from logan.datasets.pixels import unit_range
from logan.metrics.coverage import mode_coverage
from logan.metrics.foreground import background
from logan.metrics.scene import Foreground, Scene

if TYPE_CHECKING:
    from logan.datasets.junction import Junction, Truth
    from logan.datasets.names import Names
    from logan.datasets.stacked_digits import StackedDigits
    from logan.datasets.toy import ToyDistribution
    from logan.extractors.base import Extractor
    from logan.extractors.classifiers import Classifier

COMPARED = 2_000  # images of the training and of the held-out part, and generations, at most
FEWEST_COMPARED = 6  # images on each side: one more than the neighbours of density and coverage

# None, typed so that measures need not ask again for what they told `applies` to ask for.
Absent: TypeAlias = Any


@dataclasses.dataclass(frozen=True)
class Modes:
    """The known modes of a mixture of isotropic Gaussians.

    Attributes:
        centers: floating [components, features].
        sigma: standard deviation per axis.
        weights: floating [modes], their true shares; None if all are alike.
        of_component: int64 [components], the mode that each counts towards; None for its own.
    """

    centers: np.ndarray
    sigma: float
    weights: np.ndarray | None = None
    of_component: np.ndarray | None = None

    @classmethod
    def of(cls, toy: "ToyDistribution") -> "Modes":
        """The modes of a toy set."""
        return cls(toy.centers, toy.sigma, toy.mode_weights, toy.modes)

    def coverage(self, samples: np.ndarray) -> dict[str, Any]:
        """What `mode_coverage` says of samples, floating [samples, features]."""
        return mode_coverage(
            samples, self.centers, self.sigma, weights=self.weights, modes=self.of_component
        )


@dataclasses.dataclass(frozen=True)
class Probed:
    """Features of images with classes, to see what a linear classifier reads from them.

    Attributes:
        features: by name, floating [training images, …] and [held-out images, …].
        train_labels: int64 [training images].
        test_labels: int64 [held-out images].
    """

    features: Mapping[str, tuple[np.ndarray, np.ndarray]]
    train_labels: np.ndarray
    test_labels: np.ndarray


@dataclasses.dataclass(frozen=True)
class Record:
    """What measures are computed from. What is not at hand is None.

    `x` stands for [features] of toy data, and for [height, width, channels] in [-1, 1] of images.

    Attributes:
        text: how the samples were made and the real data chosen, in words.
        seed: of draws that a measure needs.
        held_out: float32 [examples, *x], real data that training never saw.
        held_out_index: int64 [examples], their places in the data set.
        labels: int64 [examples], their classes.
        label_names: what the classes are called, by number.
        class_shares: [classes], how often each occurs in the data, in any scale.
        probed: E(x) and other features of more images, with their classes.
        train: float32 [training examples, *x].
        train_index: int64 [training examples], their places in the data set.
        held_out_names: what held-out images are called.
        train_names: what training images are called.
        generated: float32 [samples, *x], generations.
        generated_labels: int64 [samples], the classes that a conditional generator was asked for.
        latents: float32 [samples, latent_length], draws z of the prior.
        recovered: float32 [samples, latent_length], E(G(z)).
        encoded: float32 [examples, latent_length], E(x) of held-out x.
        reconstructed: float32 [examples, *x], G(E(x)) of held-out x.
        train_reconstructed: float32 [training examples, *x], G(E(x)) of training images.
        discriminator: (x, z) -> logits [batch, 1], of one that looks at pairs and takes no labels.
        modes: those of the data.
        prior: of an encoder alone, `uniform` on [-1, 1] or `normal`.
        prior_modes: those of its prior in place of that.
        has_fixed_camera: whether all images show one scene.
        junction: the rendered junction that they show.
        stacked: the digits that they show one on another.
        classifier: tells the classes of images, or of each channel of stacked digits.
        extractor: whose features of images are compared.
        compared: how many generated images features are compared of, at most.
        notes: what a reader has to know of the images, in words.
    """

    text: str
    seed: int
    held_out: np.ndarray
    held_out_index: np.ndarray | Absent = None
    labels: np.ndarray | Absent = None
    label_names: Sequence[str] | Absent = None
    class_shares: np.ndarray | Absent = None
    probed: Probed | Absent = None
    train: np.ndarray | Absent = None
    train_index: np.ndarray | Absent = None
    held_out_names: "Names | Absent" = None
    train_names: "Names | Absent" = None
    generated: np.ndarray | Absent = None
    generated_labels: np.ndarray | Absent = None
    latents: np.ndarray | Absent = None
    recovered: np.ndarray | Absent = None
    encoded: np.ndarray | Absent = None
    reconstructed: np.ndarray | Absent = None
    train_reconstructed: np.ndarray | Absent = None
    discriminator: Callable[[Any, Any], Any] | Absent = None
    modes: Modes | Absent = None
    prior: str = "uniform"
    prior_modes: Modes | Absent = None
    has_fixed_camera: bool = False
    junction: "Junction | Absent" = None
    stacked: "StackedDigits | Absent" = None
    classifier: "Classifier | Absent" = None
    extractor: "Extractor | Absent" = None
    compared: int = COMPARED
    notes: Sequence[str] = ()

    def has(self, *names: str) -> bool:
        """Whether everything of these names is at hand."""
        return all(getattr(self, name) is not None for name in names)

    @property
    def is_image(self) -> bool:
        return self.held_out.ndim == 4

    # What several measures need is computed once.

    @functools.cached_property
    def background(self) -> np.ndarray:
        """float32 [height, width, channels], the median of the training images."""
        return background(self.train)

    @functools.cached_property
    def scene(self) -> Scene:
        """What a fixed camera shows when nothing stands before it."""
        return Scene.fit(unit_range(self.held_out if self.train is None else self.train))

    @functools.cached_property
    def held_out_foreground(self) -> Foreground:
        """What stands before the scene in held-out images."""
        return self.scene.foreground(unit_range(self.held_out))

    @functools.cached_property
    def train_foreground(self) -> Foreground:
        """Likewise in training images."""
        return self.scene.foreground(unit_range(self.train))

    @functools.cached_property
    def generated_foreground(self) -> Foreground:
        """Likewise in generations."""
        return self.scene.foreground(unit_range(self.generated))

    @functools.cached_property
    def truths(self) -> "list[Truth]":
        """Which cars stand on each held-out frame of the junction."""
        return [self.junction.truth(index) for index in self.held_out_index.tolist()]

    @functools.cached_property
    def is_occupied(self) -> np.ndarray | None:
        """Where something stands before the scene, bool [examples]; by the truth if it is known."""
        if self.junction is not None:
            return np.array([len(truth) > 0 for truth in self.truths])
        if self.has_fixed_camera:
            return self.held_out_foreground.is_occupied
        return None

    @functools.cached_property
    def features(self) -> tuple[np.ndarray, np.ndarray] | Absent:
        """Of held-out images and of generations, float32 [images, features] each.

        None without an extractor, or with fewer images than the measures of features take.
        """
        if not self.has("extractor", "generated"):
            return None
        if min(len(self.held_out), len(self.generated)) < FEWEST_COMPARED:
            return None
        return self.extractor(self.held_out), self.extractor(self.generated[: self.compared])

    @functools.cached_property
    def train_features(self) -> np.ndarray | Absent:
        """Of training images, float32 [images, features]; None without them or an extractor."""
        if not self.has("extractor", "train") or len(self.train) < FEWEST_COMPARED:
            return None
        return self.extractor(self.train)
