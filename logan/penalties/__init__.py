"""Penalties on the discriminator's gradient, usable with any discriminator."""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.penalties.gradient import gradient_norm, gradient_penalty
from logan.penalties.pairwise import (
    PENALTY_FORMS,
    PairwiseGradient,
    check_form,
    check_softness,
    distance_weight,
    pairwise_gradient,
    pairwise_gradient_penalty,
    penalty_of,
)

__all__ = [
    "PENALTY_FORMS",
    "PairwiseGradient",
    "check_form",
    "check_softness",
    "distance_weight",
    "gradient_norm",
    "gradient_penalty",
    "pairwise_gradient",
    "pairwise_gradient_penalty",
    "penalty_of",
]
