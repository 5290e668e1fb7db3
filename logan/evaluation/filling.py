"""From a run to the record that is measured."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from logan.datasets.images import Images
from logan.datasets.load import load_images, load_toy
from logan.datasets.pixels import to_uint8
from logan.errors import UserError
from logan.evaluation.record import COMPARED, Modes, Probed, Record
from logan.extractors.base import Extractor
from logan.extractors.classifiers import Classifier, fitting
from logan.generation import encode, in_batches, reconstruct
from logan.models.adversarial import AdversarialModel
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.assemble import assemble
from logan.models.encoding import EncodingModel
from logan.runs import Run
from logan.sampling import Source, drawn_by, sample
from logan.settings.names import PLAIN

PROBED = 10_000  # images of each part, at most
_PROBED_VALUES = 2**26  # of each part, 256 MB
TOY_SAMPLES, IMAGE_SAMPLES, STACKED_SAMPLES = 10_000, 5_000, 50_000


def record_of(
    model: AdversarialModel,
    run: Run,
    samples: int | None,
    extractor: Extractor | None,
    sampler: str = PLAIN,
    classifier: Classifier | None = None,
) -> Record:
    """What is at hand of a run.

    Args:
        model: the run's trained model.
        run: the run.
        samples: how many samples to generate, see `evaluate`.
        extractor: whose features of images are compared.
        sampler: how to sample, see `sample`.
        classifier: of the images' classes, or of stacked digits.

    Raises:
        RunError: if the samples are not finite.
        UserError: if the data, the sampler or the classifier cannot be used.
    """
    if run.experiment.is_image:
        return _of_images(model, run, samples, extractor, sampler, classifier)
    if isinstance(model, AdversarialEncoder):
        if sampler != PLAIN:
            raise UserError("--sampler: expected a run with a generator. Received: an encoder's")
        return _of_encoder(model, run, samples or TOY_SAMPLES)
    return _of_toy(model, run, samples or TOY_SAMPLES, sampler)


def _of_toy(model: AdversarialModel, run: Run, samples: int, sampler: str) -> Record:
    toy, seed = load_toy(run.experiment), run.experiment.seed
    x, labels = toy.evaluation_sample(seed, samples), toy.evaluation_labels(seed, samples)
    generated, notes = sample(model, seed, samples, sampler, toy)
    return Record(
        f"{samples:,} samples of {_averaged(model)} with the run's seed{drawn_by(sampler, notes)}"
        f"{_asked(model, run)}",
        seed,
        x,
        generated=generated,
        generated_labels=_asked_labels(model, run, samples, sampler),
        modes=Modes.of(toy),
        **_by_encoder(model, seed, x, samples, labels if run.experiment.takes_labels else None),
    )


def _of_encoder(model: AdversarialEncoder, run: Run, samples: int) -> Record:
    seed, centers = run.experiment.seed, model.prior_centers
    x = load_toy(run.experiment).evaluation_sample(seed, samples)
    return Record(
        f"{samples:,} encodings of held-out x by the averaged encoder",
        seed,
        x,
        encoded=encode(cast(Any, model), x),
        prior=model.prior,
        prior_modes=None if centers is None else Modes(np.array(centers), model.prior_sigma),
    )


def _of_images(
    model: AdversarialModel,
    run: Run,
    samples: int | None,
    extractor: Extractor | None,
    sampler: str,
    classifier: Classifier | None,
) -> Record:
    images, seed = load_images(run.experiment, run.cache), run.experiment.seed
    if classifier is not None:
        classifier = _fitting(classifier, images, extractor)
    samples = samples or (IMAGE_SAMPLES if images.stacked is None else STACKED_SAMPLES)
    train, x = images.training_sample(COMPARED), images.evaluation_sample(0, COMPARED)
    index, train_index = images.held_out(COMPARED), images.trained_on(COMPARED)
    labels, train_labels = images.evaluation_labels(0, COMPARED), images.training_labels(COMPARED)
    generated, notes = sample(model, seed, samples, sampler, images)
    if images.stacked is not None:
        generated = to_uint8(generated)  # a quarter of the memory, as so many are needed
    return Record(
        f"{samples:,} generations of {_averaged(model)} with the run's seed"
        f"{drawn_by(sampler, notes)}{_asked(model, run)}; real: up to {COMPARED:,} images of each "
        f"part, evenly spread, here {len(train):,} for training and {len(x):,} held out "
        f"({images.split})",
        seed,
        x,
        held_out_index=index,
        labels=labels,
        label_names=images.label_names or None,
        class_shares=images.class_counts,
        probed=_probed(model, run, images),
        train=train,
        train_index=train_index,
        held_out_names=None if images.names is None else images.names.of(index),
        train_names=None if images.names is None else images.names.of(train_index),
        train_reconstructed=(
            reconstruct(model, train, train_labels) if isinstance(model, EncodingModel) else None
        ),
        generated=generated,
        generated_labels=_asked_labels(model, run, samples, sampler),
        has_fixed_camera=images.has_fixed_camera,
        junction=images.junction,
        stacked=images.stacked,
        classifier=classifier,
        extractor=extractor,
        **_by_encoder(model, seed, x, samples if images.stacked is None else len(x), labels),
    )


def _fitting(
    classifier: Classifier, images: Images, extractor: Extractor | None
) -> Classifier | None:
    """The classifier, if it tells the images' classes; refused if not, unless it just happened."""
    if images.stacked is not None:
        return fitting(classifier, images.stacked.label_names, 1, is_needed=True)
    is_needed = classifier.network is not extractor
    return fitting(classifier, images.label_names, images.frames.shape[3], is_needed=is_needed)


def _probed(model: AdversarialModel, run: Run, images: Images) -> Probed | None:
    """Encodings and pixels of images with classes; None without classes, or without E(x)."""
    if images.labels is None or not isinstance(model, EncodingModel):
        return None
    if getattr(model.encoder, "takes_labels", False):
        return None
    count = min(PROBED, _PROBED_VALUES // int(np.prod(images.frames.shape[1:])))
    x = images.training_sample(count), images.evaluation_sample(0, count)
    fresh = cast(EncodingModel, assemble(run.experiment, classes=run.classes()))
    return Probed(
        {
            "encoder": _pair(lambda part: encode(model, part), x),
            "pixels": x,
            "random_encoder": _pair(lambda part: in_batches(fresh.encoder, part, size=500), x),
        },
        images.labels[images.trained_on(count)],
        images.labels[images.held_out(count)],
    )


def _pair(
    function: Callable[[np.ndarray], np.ndarray], parts: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    return function(parts[0]), function(parts[1])


def _averaged(model: AdversarialModel) -> str:
    z = " of z from N(0, 1)" if model.prior == "normal" else ""
    if model.averages_step is None:
        return f"the averaged generator{z}"
    return (
        f"the generator{z} averaged at step {model.averages_step:,}, whose held-out "
        "reconstructions were best,"
    )


def _asked(model: AdversarialModel, run: Run) -> str:
    """What the generator was asked for, in words."""
    if not getattr(model, "takes_labels", False):
        return ""
    what = "cluster of D's features" if run.experiment.condition == "clusters" else "class"
    return f", asked for each {what} as often as it occurs in the data"


def _asked_labels(
    model: AdversarialModel, run: Run, samples: int, sampler: str
) -> np.ndarray | None:
    """The classes that the generations were asked for; of clusters, or other samplers, None."""
    if not run.experiment.takes_labels or sampler != PLAIN:
        return None
    return Source(model, run.experiment.seed).labels(samples)


def _by_encoder(
    model: AdversarialModel, seed: int, x: np.ndarray, samples: int, labels: np.ndarray | None
) -> dict[str, Any]:
    """What only a model with an encoder has to show; of its prior, whatever samples are taken.

    Args:
        model: the model.
        seed: of draws.
        x: held-out examples.
        samples: draws of the prior.
        labels: the classes of x, for networks that take them.
    """
    if not isinstance(model, EncodingModel):
        return {}
    source = Source(model, seed)
    z, asked = source.latents(samples), source.labels(samples)
    # A discriminator that takes labels takes those of other examples where pairs are compared.
    sees_pairs = (
        model.sees_single_samples
        and len(model.discriminator_inputs) == 2
        and not model.discriminator_takes_labels
    )
    return dict(
        latents=z,
        recovered=encode(model, source.generate(z, asked), asked),
        encoded=encode(model, x, labels),
        reconstructed=reconstruct(model, x, labels),
        discriminator=model.discriminator_in_float32 if sees_pairs else None,
    )
