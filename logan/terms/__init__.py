"""Summands of a loss besides the adversarial one, by name.

A new one is a class like those of `logan.terms.gradient` and a line in
`logan.settings.names.TERMS`; from outside of this package, `TERMS.register` in a file that
--plugins names.
"""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.settings.names import TERMS
from logan.terms.base import Compared, Term, Update
from logan.terms.gradient import GradientPenalty, PairwisePenalty
from logan.terms.reconstruction import AutoencoderLoss

__all__ = [
    "AutoencoderLoss",
    "Compared",
    "GradientPenalty",
    "PairwisePenalty",
    "Term",
    "Update",
    "get",
]


def get(term: str | Term) -> Term:
    """A term by its name with settings, "pairwise:weight=0.1"; a term as it is.

    Raises:
        UserError: a ValueError, on an unknown name or setting.
        ValueError: on a setting out of range.
    """
    return TERMS.bind(term)() if isinstance(term, str) else term
