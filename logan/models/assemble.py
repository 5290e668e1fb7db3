"""From an experiment's settings to a compiled model."""

import keras

from logan.datasets.toy import toy_distribution
from logan.models.adversarial import AdversarialModel
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import convolutional, mlp
from logan.settings import Experiment

PRIOR_REACH = 0.8  # how far the modes of a prior lie from 0, inside of the uniform prior's [-1, 1]
PRIOR_SIGMA = 0.02


def assemble(
    experiment: Experiment, steps_per_execution: int = 1, learning_rate_factor: float = 1.0
) -> AdversarialModel:
    """The experiment's model with fresh weights, a function of its seed, and its optimizers.

    To be called in the scope of the strategy that will train it.

    Args:
        experiment: the settings.
        steps_per_execution: training steps in one call of the compiled function.
        learning_rate_factor: of all learning rates.
    """
    # Keras draws initial weights from this global seed, and from nothing else here.
    keras.utils.set_random_seed(experiment.seed % 2**32)
    roles = {"bigan": ("generator", "encoder"), "gan": ("generator",), "encoder": ("encoder",)}
    networks = {role: _network(experiment, role) for role in roles[experiment.model]}
    networks["discriminator"] = _discriminator(experiment)
    settings = dict(
        loss=experiment.loss,
        discriminator_steps=experiment.discriminator_steps,
        average_decay=experiment.average_decay,
        seed=experiment.seed,
        weight_clip=experiment.weight_clip,
        gradient_penalty_weight=_weight_if(experiment, "gradient"),
    )
    model = _model(experiment, networks, settings)
    model.compile_with(
        {role: _optimizer(experiment, role, learning_rate_factor) for role in networks},
        jit_compile=(experiment.jit or experiment.deterministic) and experiment.strategy == "none",
        steps_per_execution=steps_per_execution,
    )
    return model


def _model(experiment: Experiment, networks: dict, settings: dict) -> AdversarialModel:
    if experiment.model == "gan":
        return GAN(**networks, **settings)
    if experiment.model == "encoder":
        return AdversarialEncoder(**networks, **settings, **_prior(experiment))
    return BiGAN(
        **networks,
        **settings,
        penalty_weight=_weight_if(experiment, "pairwise"),
        penalty_form=experiment.penalty_form,
        penalty_distance_scale=experiment.penalty_distance_scale,
        autoencoder_weight=experiment.autoencoder_weight,
    )


def _weight_if(experiment: Experiment, penalty: str) -> float:
    return experiment.penalty_weight if experiment.penalty == penalty else 0.0


def _dtype(experiment: Experiment) -> str:
    """The Keras dtype policy of the networks."""
    is_mixed = experiment.precision != "float32"
    return f"mixed_{experiment.precision}" if is_mixed else "float32"


def _data_length(experiment: Experiment) -> int:
    return toy_distribution(experiment.dataset, experiment.mode_weights).features


def _network(experiment: Experiment, role: str) -> keras.Model:
    is_generator = role == "generator"
    if experiment.network == "mlp":
        perceptron = mlp.Generator if is_generator else mlp.Encoder
        return perceptron(
            _data_length(experiment),
            experiment.latent_length,
            experiment.width,
            experiment.hidden_layers,
            experiment.normalization,
            dtype=_dtype(experiment),
        )
    convolutions = convolutional.Generator if is_generator else convolutional.Encoder
    return convolutions(
        experiment.image_size,
        experiment.channels,
        experiment.latent_length,
        experiment.width,
        experiment.normalization,
        dtype=_dtype(experiment),
    )


def _discriminator(experiment: Experiment) -> keras.Model:
    joins_latent = experiment.model == "bigan"
    latent_length = experiment.latent_length if joins_latent else 0
    if experiment.network == "mlp":
        sees_latent_alone = experiment.model == "encoder"
        return mlp.Discriminator(
            experiment.latent_length if sees_latent_alone else _data_length(experiment),
            latent_length,
            experiment.width,
            experiment.hidden_layers,
            dtype=_dtype(experiment),
        )
    return convolutional.Discriminator(
        experiment.image_size,
        experiment.channels,
        latent_length,
        experiment.width,
        dtype=_dtype(experiment),
    )


def _prior(experiment: Experiment) -> dict:
    if experiment.prior == "uniform":
        return {}
    centers = toy_distribution(experiment.prior).centers
    scaled = centers / abs(centers).max() * PRIOR_REACH
    return dict(prior_centers=scaled.tolist(), prior_sigma=PRIOR_SIGMA)


def _optimizer(experiment: Experiment, role: str, factor: float) -> keras.optimizers.Optimizer:
    updates = experiment.steps
    if role == "discriminator":
        updates *= experiment.discriminator_steps
    # A schedule also for the constant rate: a plain number would be restored with the checkpoint,
    # and a factor that came later be lost.
    rate = keras.optimizers.schedules.CosineDecay(
        experiment.learning_rate * factor,
        updates,
        alpha=experiment.learning_rate_floor if experiment.schedule == "cosine" else 1.0,
    )
    return keras.optimizers.Adam(rate, beta_1=experiment.beta_1, beta_2=experiment.beta_2)
