"""What a run left to draw."""

import dataclasses
import functools
from typing import Any, cast

import numpy as np

from logan.datasets.load import load_toy
from logan.datasets.toy import ToyDistribution
from logan.errors import RunError
from logan.figures.contours import Contour
from logan.generation import decode, encode
from logan.models.adversarial import AdversarialModel
from logan.models.encoding import EncodingModel
from logan.runs import Run
from logan.snapshots import read_snapshots

Snapshot = dict[str, np.ndarray]
_AT_ONCE = 2000


@dataclasses.dataclass(frozen=True)
class History:
    """A run's log and snapshots, each read when it is first asked for.

    Attributes:
        run: the run.
    """

    run: Run

    @property
    def is_encoder(self) -> bool:
        """Whether an encoder alone was trained."""
        return self.run.experiment.model == "encoder"

    @property
    def is_toy(self) -> bool:
        """Whether a generator of toy data was trained."""
        return not (self.run.experiment.is_image or self.is_encoder)

    @property
    def is_conditional(self) -> bool:
        """Whether the generator is asked for a class, so that G(z) alone says nothing."""
        experiment = self.run.experiment
        return experiment.is_conditional or experiment.takes_labels

    @functools.cached_property
    def records(self) -> list[dict[str, Any]]:
        """The log's records.

        Raises:
            RunError: if there are none.
        """
        records = self.run.records()
        if not records:
            raise RunError(
                f"{self.run.path}: expected a run with a log. Received: none; was it trained?"
            )
        return records

    @functools.cached_property
    def snapshots(self) -> list[Snapshot]:
        """All snapshots.

        Raises:
            RunError: if there are none.
        """
        return self._snapshots()

    @functools.cached_property
    def last(self) -> Snapshot:
        """The last snapshot, with what the run's averages make of its latents and real samples.

        These are the averages that --weights names.

        Raises:
            RunError: if there are none.
        """
        last, model = self._snapshots(last=1)[-1], self.model
        if "generated" in last and model.averages_step:
            encoding, labels = cast(EncodingModel, model), last.get("labels")
            last["generated"] = decode(encoding, last["latents"], labels, size=_AT_ONCE)
            of_real = self.toy.evaluation_labels(self.run.experiment.seed, len(last["real"]))
            last["encoded"] = encode(encoding, last["real"], of_real, size=_AT_ONCE)
        return last

    @functools.cached_property
    def model(self) -> AdversarialModel:
        """The trained model."""
        return self.run.trained_model()

    def _snapshots(self, last: int = 0) -> list[Snapshot]:
        snapshots = read_snapshots(self.run.snapshots, last=last)
        if not snapshots:
            path = self.run.path
            raise RunError(f"{path}: expected snapshots. Received: none; --snapshots was 0?")
        return snapshots

    @functools.cached_property
    def toy(self) -> ToyDistribution:
        """The toy data that were learned."""
        return load_toy(self.run.experiment)


def contour_of(snapshot: Snapshot) -> Contour | None:
    """D's logits over a plane; None of a D that sees several samples."""
    if "contour_x" not in snapshot:
        return None
    return Contour(*(snapshot[name] for name in ("contour_x", "contour_y", "contour_logits")))


def plane_contour(snapshot: Snapshot) -> Contour | None:
    """D's logits over the plane of 2-D x."""
    return contour_of(snapshot) if snapshot["real"].shape[1] == 2 else None


def mode_centers(toy: ToyDistribution) -> np.ndarray:
    """[modes, features], the mean of the components that count towards each mode."""
    return np.stack([toy.centers[toy.modes == mode].mean(0) for mode in range(toy.mode_count)])
