"""What `logan-evaluate` measures of a run on images."""

import csv
import dataclasses
import io
from typing import Any

import numpy as np

from logan.datasets.images import Images
from logan.datasets.junction import CELL_BOXES, CELL_LANES, LANE_AXES, Junction
from logan.datasets.load import load_images, load_junction
from logan.datasets.video import to_unit_range
from logan.files import write_text
from logan.generation import encode, generate, reconstruct
from logan.metrics.cars import Detections, cell_coverage_of, detect_cars, detector_accuracy
from logan.metrics.extractors import Extractor, InceptionV3
from logan.metrics.fidelity import fidelity, inception_score, nearest_distances
from logan.metrics.foreground import (
    background,
    foreground_area,
    foreground_distance,
    foreground_mask,
    foreground_share,
)
from logan.metrics.images import SSIM_WINDOW, mean_squared_error, psnr, spread, ssim
from logan.models.adversarial import AdversarialModel, latent_length_of
from logan.models.bigan import BiGAN
from logan.penalties import pairwise_gradient
from logan.randomness import Purpose, key, latents, uniform
from logan.runs import Run
from logan.settings import Experiment

SAMPLES = 5_000
REAL_IMAGES = 2_000  # of the training and of the held-out part, at most, and compared by features
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
OCCUPIED_AREA = 0.02
FEWEST_COMPARED = 6  # images on each side: one more than the neighbours of density and coverage
INCEPTION_SPLITS = 10
_MISSED = 12
_BATCH = 500


@dataclasses.dataclass(frozen=True)
class Missed:
    """The held-out images that the generator covers worst, the worst one first.

    Attributes:
        index: int64 [images], their places in the data set.
        distance: float64 [images], from each one's features to those of the nearest generation.
        error: float64 [images], mean of (x - G(E(x)))²; None without an encoder.
        images: float32 [shown, height, width, channels], the first of them.
        nearest: the same shape, the generation nearest to each.
        reconstructions: the same shape, or None.
        generations: how many were looked through.
        features: whose distance it is, in words.
    """

    index: np.ndarray
    distance: np.ndarray
    error: np.ndarray | None
    images: np.ndarray
    nearest: np.ndarray
    reconstructions: np.ndarray | None
    generations: int
    features: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What pictures of an evaluation are drawn from.

    Attributes:
        missed: what the generator covers worst.
        foreground_maps: share of real and of generated frames with foreground, float64
            [height, width] each; None where the camera is not fixed.
    """

    missed: Missed | None
    foreground_maps: tuple[np.ndarray, np.ndarray] | None


def evaluate_images(
    model: AdversarialModel, run: Run, samples: int, extractor: Extractor | None
) -> tuple[dict[str, Any], Evidence]:
    """Measures generations against real images, and reconstructions of held-out ones.

    Args:
        model: the run's trained model.
        run: the run.
        samples: how many images to generate.
        extractor: whose features are compared; None leaves out what needs features.

    Returns:
        The metrics by name with their `protocol`, and what to draw of them.
    """
    experiment = run.experiment
    images = load_images(experiment, run.cache)
    train, test = images.training_sample(REAL_IMAGES), images.evaluation_sample(0, REAL_IMAGES)
    generated = generate(model, experiment.seed, samples)
    metrics: dict[str, Any] = {
        "samples": samples,
        "spread": {"real": spread(train), "generated": spread(generated)},
    }
    protocol = [
        f"{samples:,} generations of the averaged generator with the run's seed; real: up to "
        f"{REAL_IMAGES:,} images of each part, evenly spread, here {len(train):,} for training "
        f"and {len(test):,} held out ({_split(experiment)}). spread: mean standard deviation of a "
        "pixel over images"
    ]
    x_hat = reconstruct(model, test) if isinstance(model, BiGAN) else None
    maps = None
    is_occupied = None
    if experiment.dataset == "traffic":
        metrics["foreground"], maps, is_occupied = _foreground(train, test, generated)
        protocol.append(
            "foreground, against the training frames: share of frames in which over "
            f"{OCCUPIED_AREA:.0%} of the pixels differ from the median of the training frames by "
            "more than 0.2 of [-1, 1] after light correction; faint: share of frames in "
            "which some pixels do, but not so many; distance: Jensen-Shannon distance of the "
            "histograms of that area"
        )
    if experiment.is_junction:
        metrics["junction"], is_occupied = _junction(experiment, images, generated, test, x_hat)
        protocol.append(
            "junction: lane cells and colours found in generations by a detector whose accuracy "
            "on held-out frames stands beside; captured: in one generation at least, "
            "captured_fair: in a fifth of its true share of frames; reconstructed: the same "
            "accuracy on reconstructions of the held-out frames, cell_recall: the share of cars "
            "whose reconstruction shows one at their place"
        )
    if isinstance(model, BiGAN) and x_hat is not None:
        metrics["reconstruction"] = _reconstruction(test, x_hat, is_occupied)
        protocol.append(
            f"reconstruction: G(E(x)) of the {len(test):,} held-out images, SSIM and PSNR on "
            "[0, 1], mse on [-1, 1]; latent_error: mean |z - E(G(z))| over features"
        )
        if "occupied" in metrics["reconstruction"]:
            protocol.append(
                "occupied: of those with "
                + ("a car in them by the truth" if experiment.is_junction else "foreground")
            )
        metrics["baselines"] = {
            name: _reconstruction(test, guess, is_occupied)
            for name, guess in _guesses(train, test).items()
        }
        protocol.append(
            "baselines: the same measures of what needs no model in place of G(E(x)), from the "
            f"{len(train):,} images for training: their mean and their median at every pixel, and "
            "the one that is nearest in squared error"
        )
        metrics["reconstruction"]["latent_error"] = _latent_error(model, experiment.seed, generated)
        metrics["pull"] = _pull(model, experiment.seed, test, x_hat)
        protocol.append(
            "pull: D's gradient between the same reconstructions and images; slope: its length; "
            "alignment: cosine of its angle with the way to x; alignment_of_others: the same with "
            "z = E(another image), as high if D does not look at z"
        )
    missed = None
    if extractor is not None and min(len(test), samples) < FEWEST_COMPARED:
        protocol.append(
            f"fidelity: left out, as it takes {FEWEST_COMPARED} held-out images and generations"
        )
    elif extractor is not None:
        metrics["fidelity"], features = _fidelity(extractor, test, generated, experiment.seed)
        protocol.append(
            f"fidelity: features of {extractor.name}, {len(features[0]):,} held-out images "
            f"against {len(features[1]):,} generations; kernel distance over at most 10 "
            "disjoint subsets; precision and recall with 3 neighbours, density and coverage with "
            "5; mmd with a Gaussian kernel, as wide as the median distance of held-out images "
            "that differ"
        )
        missed = _missed(images, test, generated, features, extractor.name, x_hat)
    return {**metrics, "protocol": ". ".join(protocol)}, Evidence(missed, maps)


def _split(experiment: Experiment) -> str:
    """Which images are held out, in words."""
    share = f"{experiment.test_fraction:.0%}"
    if experiment.is_junction:
        return f"the last {share} of the frames, which do not depend on each other"
    if experiment.dataset == "traffic":
        return f"blocks of time, {share}, with frames between them and the training part left out"
    if experiment.dataset == "images":
        of_folders = experiment.hold_out == "folders"
        return f"{share} of the {'sub-folders' if of_folders else 'images, by a hash of the name'}"
    return "the official test part"


def _foreground(
    train: np.ndarray, test: np.ndarray, generated: np.ndarray
) -> tuple[dict[str, float], tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Its metrics, the two maps, and which held-out frames are occupied."""
    scene = background(train)
    real_masks, masks = foreground_mask(train, scene), foreground_mask(generated, scene)
    real_areas, areas = real_masks.mean((1, 2)), masks.mean((1, 2))
    metrics = {
        "real_share": foreground_share(real_areas, OCCUPIED_AREA),
        "generated_share": foreground_share(areas, OCCUPIED_AREA),
        "real_faint_share": _faint_share(real_areas),
        "generated_faint_share": _faint_share(areas),
        "distance": foreground_distance(real_areas, areas),
    }
    return (
        metrics,
        (real_masks.mean(0), masks.mean(0)),
        foreground_area(test, scene) > OCCUPIED_AREA,
    )


def _faint_share(areas: np.ndarray) -> float:
    return float(np.mean((areas > 0) & (areas <= OCCUPIED_AREA)))


def _junction(
    experiment: Experiment,
    images: Images,
    generated: np.ndarray,
    test: np.ndarray,
    x_hat: np.ndarray | None,
) -> tuple[dict[str, Any], np.ndarray]:
    """What the detector finds, and which held-out frames are occupied by the truth."""
    junction = load_junction(experiment)
    truths = [junction.truth(index) for index in images.held_out(REAL_IMAGES).tolist()]
    counts = [
        np.stack([truth.cell_counts for truth in truths]),
        np.stack([truth.colour_counts for truth in truths]),
    ]
    coverage = cell_coverage_of(
        _detections(junction, generated),
        junction.cell_probabilities,
        junction.colour_probabilities,
    )
    metrics = {
        **coverage,
        "true_occupied_share": 1.0 - junction.empty_share,
        "detector_accuracy": _accuracy(junction, test, *counts),
    }
    if x_hat is not None:
        metrics["reconstructed"] = _accuracy(junction, x_hat, *counts)
    return metrics, np.array([len(truth) > 0 for truth in truths])


def _accuracy(
    junction: Junction, frames: np.ndarray, cell_counts: np.ndarray, colour_counts: np.ndarray
) -> dict[str, float | None]:
    """The detector's accuracy; None for a share of nothing."""
    shares = detector_accuracy(_detections(junction, frames), cell_counts, colour_counts)
    return {name: share if np.isfinite(share) else None for name, share in shares.items()}


def _detections(junction: Junction, frames: np.ndarray) -> Detections:
    scene, palette = to_unit_range(junction.background), to_unit_range(junction.palette)
    return detect_cars(frames, scene, CELL_BOXES, CELL_LANES, LANE_AXES, palette)


def _guesses(train: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
    """What stands for a reconstruction of each x without a model, by name."""
    _, nearest = nearest_distances(x.reshape(len(x), -1), train.reshape(len(train), -1))
    return {
        "mean training image": np.broadcast_to(train.mean(0), x.shape),
        "median training image": np.broadcast_to(background(train), x.shape),
        "nearest training image": train[nearest],
    }


def _reconstruction(
    x: np.ndarray, x_hat: np.ndarray, is_occupied: np.ndarray | None
) -> dict[str, Any]:
    """Measures of all images, and under `occupied` of those that are, if there are any."""
    metrics = _closeness(x, x_hat)
    if is_occupied is not None and is_occupied.any():
        metrics["occupied"] = {
            **_closeness(x[is_occupied], x_hat[is_occupied]),
            "images": int(is_occupied.sum()),
        }
    return metrics


def _closeness(x: np.ndarray, x_hat: np.ndarray) -> dict[str, Any]:
    """Means and quantiles over images; a measure that is infinite or undefined is left out."""
    measured = {"mse": mean_squared_error(x, x_hat), "psnr": psnr(x, x_hat)}
    if min(x.shape[1:3]) >= SSIM_WINDOW:
        measured["ssim"] = ssim(x, x_hat)
    metrics: dict[str, Any] = {}
    for name, values in measured.items():
        if np.isfinite(values).all():
            metrics[name] = float(values.mean())
            metrics[f"{name}_quantiles"] = {
                str(share): float(np.quantile(values, share)) for share in QUANTILES
            }
    return metrics


def _latent_error(model: BiGAN, seed: int, generated: np.ndarray) -> float:
    """Mean |z - E(G(z))| over the generations and the features of z."""
    draw = key(seed, 0, Purpose.EVALUATION_LATENT)
    z = latents(draw, len(generated), latent_length_of(model.generator)).numpy()
    return float(np.abs(z - encode(model, generated)).mean())


def _pull(model: BiGAN, seed: int, x: np.ndarray, x_hat: np.ndarray) -> dict[str, float]:
    """How far D's slope leads from reconstructions to their images, and whether by looking at z."""
    z = encode(model, x)
    epsilon = uniform(key(seed, 0, Purpose.INTERPOLATION), [len(x)]).numpy()
    batches = [slice(start, start + _BATCH) for start in range(0, len(x), _BATCH)]
    measured = []
    # Neighbours in time are alike, so the others are taken from afar.
    for codes in (z, np.roll(z, len(z) // 2, axis=0)):
        parts = [
            pairwise_gradient(
                model.discriminator_in_float32,
                x[rows],
                codes[rows],
                x_hat[rows],
                epsilon=epsilon[rows],
            ).slope_and_alignment()
            for rows in batches
        ]
        measured.append(
            [float(np.concatenate(values).mean()) for values in zip(*parts, strict=True)]
        )
    (slope, alignment), (_, of_others) = measured
    return {"slope": slope, "alignment": alignment, "alignment_of_others": of_others}


def _fidelity(
    extractor: Extractor, test: np.ndarray, generated: np.ndarray, seed: int
) -> tuple[dict[str, Any], tuple[np.ndarray, np.ndarray]]:
    generated = generated[:REAL_IMAGES]
    features = extractor(test), extractor(generated)
    metrics: dict[str, Any] = {"extractor": extractor.name, **fidelity(*features, seed=seed)}
    if isinstance(extractor, InceptionV3):
        metrics["fid"] = metrics.pop("frechet_distance")
        metrics["kid"] = metrics.pop("kernel_distance")
        metrics["kid_error"] = metrics.pop("kernel_distance_error")
        if extractor.has_classifier and len(generated) >= INCEPTION_SPLITS:
            score, error = inception_score(extractor.probabilities(generated), INCEPTION_SPLITS)
            metrics |= {"inception_score": score, "inception_score_error": error}
    return metrics, features


def _missed(
    images: Images,
    test: np.ndarray,
    generated: np.ndarray,
    features: tuple[np.ndarray, np.ndarray],
    features_name: str,
    x_hat: np.ndarray | None,
) -> Missed:
    distance, nearest = nearest_distances(*features)
    worst = np.argsort(-distance, kind="stable")
    shown = worst[:_MISSED]
    error = None if x_hat is None else mean_squared_error(test, x_hat)[worst]
    return Missed(
        index=images.held_out(REAL_IMAGES)[worst],
        distance=distance[worst],
        error=error,
        images=test[shown],
        nearest=generated[nearest[shown]],
        reconstructions=None if x_hat is None else x_hat[shown],
        generations=len(features[1]),
        features=features_name,
    )


def write_missed(run: Run, missed: Missed) -> None:
    """Writes missed.csv: every held-out image that was compared, the worst covered one first."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    errors = missed.error if missed.error is not None else [""] * len(missed.index)
    rows.writerow(["image", "distance_to_nearest_generation", "reconstruction_mse", "features"])
    names = [missed.features] * len(missed.index)
    rows.writerows(zip(missed.index.tolist(), missed.distance.tolist(), errors, names, strict=True))
    write_text(run.missed, text.getvalue())
