"""Penalties on the discriminator's gradient, usable with any discriminator."""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.penalties.common import floored_root
from logan.penalties.gradient import (
    between,
    gradient_norm,
    gradient_penalty,
    one_sided_gradient_penalty,
    perturbed,
    squared_slope,
    zero_centered_gradient_penalty,
)
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
    "between",
    "check_form",
    "check_softness",
    "distance_weight",
    "floored_root",
    "gradient_norm",
    "gradient_penalty",
    "one_sided_gradient_penalty",
    "pairwise_gradient",
    "pairwise_gradient_penalty",
    "penalty_of",
    "perturbed",
    "squared_slope",
    "zero_centered_gradient_penalty",
]
