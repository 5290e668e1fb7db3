"""From an experiment's settings to a compiled model."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from logan import losses
from logan.errors import UserError
from logan.labels import Classes
from logan.mixtures import RECIPES
from logan.models.adversarial import AdversarialModel
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.alice import ALICE
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.models.gan_with_encoder import MDGAN, GANWithEncoder, SeparateDiscriminators
from logan.models.kernel_adamw import KernelAdamW
from logan.models.self_conditioned import SelfConditionedGAN
from logan.networks import mlp
from logan.networks.multi_scale import MultiScaleDiscriminator
from logan.settings import DATASETS, NETWORKS, PRIORS, SAMPLERS, TERMS, Experiment
from logan.settings.names import DISCRIMINATOR_PARTS
from logan.terms import Term

PRIOR_REACH = 0.8  # how far the modes of a prior lie from 0, inside of the uniform prior's [-1, 1]
PRIOR_SIGMA = 0.02

_KINDS: dict[str, type[AdversarialModel]] = {
    "bigan": BiGAN,
    "alice": ALICE,
    "gan": GAN,
    "gan_encoder": GANWithEncoder,
    "mdgan": MDGAN,
    "separate": SeparateDiscriminators,
    "encoder": AdversarialEncoder,
}
_LATENT_WIDTH, _LATENT_LAYERS = 128, 3  # of a discriminator of z alone beside networks for images


def assemble(
    experiment: Experiment,
    steps_per_execution: int = 1,
    learning_rate_factor: float = 1.0,
    classes: Classes | None = None,
) -> AdversarialModel:
    """The experiment's model with fresh weights, a function of its seed, and its optimizers.

    To be called in the scope of the strategy that will train it.

    Args:
        experiment: the settings.
        steps_per_execution: training steps in one call of the compiled function.
        learning_rate_factor: of all learning rates.
        classes: what networks that take labels are asked for, see `logan.datasets.load.classes_of`.
            Not needed of toy mixtures and clusters.

    Raises:
        ValueError: if they are needed and missing.
        UserError: if a term, the loss or the networks have no such setting.
    """
    # Keras draws initial weights from this global seed, and from nothing else here.
    keras.utils.set_random_seed(experiment.seed % 2**32)
    roles = _roles(experiment)
    count = _class_count(experiment, classes)
    networks = {role: _network(experiment, role, count) for role in roles}
    if classes is not None and "generator" in networks:
        networks["generator"].known_classes = classes
    model = _model(experiment, networks)
    model.compile(
        **{
            f"{role}_optimizer": _optimizer(experiment, role, learning_rate_factor)
            for role in roles
        },
        jit_compile=(experiment.jit or experiment.deterministic) and experiment.strategy == "none",
        steps_per_execution=steps_per_execution,
    )
    if not model.built:  # of networks that a plugin brings
        data_shape, _ = _shapes(experiment, "generator")
        model.build_networks(tf.zeros([experiment.batch_size, *data_shape]))
    return model


def check_parts(experiment: Experiment) -> None:
    """Refuses settings that a loss or a term does not have or take, before any work.

    Raises:
        UserError: naming the flag and what was expected.
    """
    loss = losses.get(experiment.loss)
    SAMPLERS.bind(experiment.sampler)  # refuses settings that it does not have
    try:
        with tf.Graph().as_default():  # eager tensors would settle TensorFlow's devices
            loss(tf.zeros([1, 1]), tf.zeros([1, 1]))
    except (TypeError, ValueError) as error:
        raise UserError(f"--loss={experiment.loss}: {error}") from error
    for term in terms_of(experiment):
        if term.weight:
            try:
                term.check(experiment.model_entry.roles)
                term.check_inputs(experiment.model_entry.discriminator_inputs)
            except ValueError as error:
                raise UserError(f"--terms: {error}") from error


def terms_of(experiment: Experiment) -> list[Term]:
    """The summands of the experiment's losses.

    Raises:
        UserError: if one has no such setting, or refuses its value.
    """
    terms = []
    for part in experiment.term_parts:
        try:
            terms.append(TERMS.bind_part(part)())
        except UserError:
            raise
        except ValueError as error:
            raise UserError(f"--terms: {part.name}: {error}") from error
    return terms


def _class_count(experiment: Experiment, classes: Classes | None) -> int:
    """How many classes generator and discriminator are made for; 0 of an unconditional model."""
    if not experiment.is_conditional:
        return 0
    if experiment.condition == "clusters":
        return experiment.clusters
    count = DATASETS[experiment.dataset].modes if classes is None else len(classes)
    if not count:
        raise ValueError("Expected classes=… for a conditional model of images. Received: none")
    return count


def _model(experiment: Experiment, networks: dict[str, keras.Model]) -> AdversarialModel:
    settings: dict[str, Any] = dict(
        loss=experiment.loss,
        terms=terms_of(experiment),
        weight_clip=experiment.weight_clip,
        discriminator_steps=experiment.discriminator_steps,
        average_decay=experiment.average_decay,
        packing=experiment.packing,
        generator_steps=experiment.generator_steps,
        adversarial_weight=experiment.adversarial_weight,
        instance_noise=experiment.instance_noise,
        instance_noise_steps=experiment.instance_noise_steps,
        unroll=experiment.unroll,
        unroll_rate=experiment.unroll_rate,
        unroll_gradient=experiment.unroll_gradient,
        seed=experiment.seed,
    )
    if experiment.model_entry.second_inputs:
        settings["second_discriminator_weight"] = experiment.second_discriminator_weight
    kind = _KINDS[experiment.model]
    if experiment.condition == "clusters":
        kind = SelfConditionedGAN
    if issubclass(kind, BiGAN):
        settings["penalty_weight"] = 0.0  # the penalty is one of the terms
    return kind(**networks, **settings, **_prior(experiment))


def _roles(experiment: Experiment) -> tuple[str, ...]:
    """The networks in the order in which they are made, as it decides their first weights.

    What is beside a BiGAN or a GAN comes last, and leaves those of these as they are.
    """
    model = experiment.model_entry
    roles = (*model.roles, "discriminator")
    if model.reconstructs and not model.is_joint:
        roles = ("generator", "discriminator", "encoder")
    return (*roles, "second_discriminator") if model.second_inputs else roles


def _network(experiment: Experiment, role: str, classes: int) -> keras.Model:
    if role == "second_discriminator" and experiment.model_entry.second_inputs == "z":
        return _latent_discriminator(experiment)
    name, role = role, role.removeprefix("second_")
    kind = NETWORKS[experiment.network]
    constructor = getattr(NETWORKS.load(experiment.network), role)
    own = kind.discriminator_takes if role == "discriminator" else ("normalization",)
    own += kind.generator_takes if role == "generator" else ()
    settings = {name: getattr(experiment, name) for name in ("width", *kind.takes, *own)}
    if role == "discriminator" and experiment.discriminator_scales > 1:
        constructor = functools.partial(
            MultiScaleDiscriminator,
            kind=experiment.network,
            scales=experiment.discriminator_scales,
            scale_logits=experiment.scale_logits,
        )
    if classes and role != "encoder":
        settings["classes"] = classes
    if classes and role == "discriminator":
        settings |= dict(projection=experiment.projection, classifier=experiment.tells_classes)
    if role == "encoder" and kind.encoder_activations:
        settings["output_activation"] = kind.encoder_activations[experiment.prior]
    if name != role:
        settings["name"] = name
    network = constructor(*_shapes(experiment, name), **settings, dtype=_dtype(experiment))
    if role == "generator":
        network.prior = experiment.prior
    return network


def _latent_discriminator(experiment: Experiment) -> keras.Model:
    """D(z), a perceptron, whatever the other networks are."""
    size: dict[str, Any] = dict(width=experiment.width, hidden_layers=experiment.hidden_layers)
    if experiment.is_image:
        size = dict(width=_LATENT_WIDTH, hidden_layers=_LATENT_LAYERS)
    parts = {name: getattr(experiment, name) for name in DISCRIMINATOR_PARTS}
    return mlp.Discriminator(
        (experiment.latent_length,),
        0,
        **size,
        **parts,
        name="second_discriminator",
        dtype=_dtype(experiment),
    )


def _shapes(experiment: Experiment, role: str) -> tuple[tuple[int, ...], int]:
    """The shape of one x, and the features of z."""
    length = experiment.latent_length
    if experiment.is_image:
        data_shape: tuple[int, ...] = (
            experiment.image_size,
            experiment.image_size,
            experiment.channels,
        )
    else:
        data_shape = (DATASETS[experiment.dataset].features,)
    if role == "second_discriminator":
        *places, channels = data_shape
        beside = 2 if experiment.model_entry.second_inputs == "pairs" else 1
        return (*places, channels * beside), 0
    if role != "discriminator":
        return data_shape, length
    *places, channels = data_shape
    packs = (*places, channels * experiment.packing), length * experiment.packing
    if experiment.model_entry.is_joint:
        return packs
    return (packs[0] if experiment.model != "encoder" else (packs[1],)), 0


def _dtype(experiment: Experiment) -> str:
    """The Keras dtype policy of the networks."""
    is_mixed = experiment.precision != "float32"
    return f"mixed_{experiment.precision}" if is_mixed else "float32"


def _prior(experiment: Experiment) -> dict[str, Any]:
    if experiment.prior in PRIORS:
        return dict(prior=experiment.prior)
    centers = RECIPES[experiment.prior].centers().astype(np.float32)
    scaled = centers / abs(centers).max() * PRIOR_REACH
    return dict(prior_centers=scaled.tolist(), prior_sigma=PRIOR_SIGMA)


def _optimizer(experiment: Experiment, role: str, factor: float) -> keras.optimizers.Optimizer:
    is_discriminator = role.endswith("discriminator")
    rate = experiment.learning_rate
    if is_discriminator:
        rate = experiment.discriminator_learning_rate or rate
    # A schedule also for the constant rate: a plain number would be restored with the checkpoint,
    # and a factor that came later be lost.
    schedule = keras.optimizers.schedules.CosineDecay(
        rate * factor,
        experiment.steps
        * (experiment.discriminator_steps if is_discriminator else experiment.generator_steps),
        alpha=experiment.learning_rate_floor if experiment.schedule == "cosine" else 1.0,
    )
    settings = dict(
        beta_1=experiment.beta_1,
        beta_2=experiment.beta_2,
        global_clipnorm=experiment.clip_norm or None,
    )
    if not experiment.weight_decay:
        return keras.optimizers.Adam(schedule, **settings)
    return KernelAdamW(schedule, weight_decay=experiment.weight_decay, **settings)
