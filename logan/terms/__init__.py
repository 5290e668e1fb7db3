"""Summands of a loss besides the adversarial one, by name.

A new one is a class like those of `logan.terms.gradient` and a line in
`logan.settings.names.TERMS`; from outside of this package, `TERMS.register` in a file that
--plugins names.
"""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.settings.names import TERMS
from logan.terms.base import Compared, Term, Update
from logan.terms.classes import AuxiliaryClassifier
from logan.terms.consistency import AugmentationConsistency, ConsistencyTerm, LeCamTerm
from logan.terms.diversity import FeatureMatching, ModeSeeking
from logan.terms.gradient import (
    DraganPenalty,
    GradientPenalty,
    OneSidedGradientPenalty,
    PairwisePenalty,
    R1Penalty,
    R2Penalty,
    ZeroCenteredPenalty,
)
from logan.terms.reconstruction import (
    AutoencoderLoss,
    LatentReconstruction,
    LatentRegression,
    ModeRegularizer,
)
from logan.terms.weights import HistoricalAveraging, WeightPenalty

__all__ = [
    "AugmentationConsistency",
    "AutoencoderLoss",
    "AuxiliaryClassifier",
    "Compared",
    "ConsistencyTerm",
    "DraganPenalty",
    "FeatureMatching",
    "GradientPenalty",
    "HistoricalAveraging",
    "LatentReconstruction",
    "LatentRegression",
    "LeCamTerm",
    "ModeRegularizer",
    "ModeSeeking",
    "OneSidedGradientPenalty",
    "PairwisePenalty",
    "R1Penalty",
    "R2Penalty",
    "Term",
    "Update",
    "WeightPenalty",
    "ZeroCenteredPenalty",
    "get",
]


def get(term: str | Term) -> Term:
    """A term by its name with settings, "pairwise:weight=0.1"; a term as it is.

    Raises:
        UserError: a ValueError, on an unknown name or setting.
        ValueError: on a setting out of range.
    """
    return TERMS.bind(term)() if isinstance(term, str) else term
