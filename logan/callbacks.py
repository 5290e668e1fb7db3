"""What happens between two intervals of training: log, checkpoint, snapshots, progress.

Training runs under `keras.Model.fit` with one interval of the log as an epoch.
"""

import math
import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from logan.errors import DivergedError
from logan.files import flush_to_disk
from logan.generation import reconstruct
from logan.metrics.reconstruction import root_mean_square_distance
from logan.models.adversarial import EXPLODED, NEVER
from logan.models.best import BestAverages
from logan.models.self_conditioned import CLUSTERED
from logan.runs import Run
from logan.settings import HELD_OUT_EVERY, last_common_step


class Interval(keras.callbacks.Callback):
    """Base of the callbacks here: told the finished step and the means of each interval."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.on_interval_end(
            int(self.model.step.numpy()),
            {name: float(value) for name, value in (logs or {}).items()},
        )

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        raise NotImplementedError


class StopOnDivergence(Interval):
    """Raises as soon as an interval held a loss or ends in a weight that is not good.

    To be the first.
    """

    def __init__(self, run: Run):
        super().__init__()
        self._run = run

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        first_bad_step = int(self.model.first_bad_step.numpy())
        if first_bad_step != NEVER:
            is_finite = all(map(math.isfinite, means.values()))
            what = f"beyond {EXPLODED:g}" if is_finite else "not finite"
            self._fail(f"the loss at step {first_bad_step} is {what}", first_bad_step, means)
        # A loss can still be finite when the update after it was not.
        if not all(np.isfinite(value.numpy()).all() for value in self.model.weights):
            self._fail(f"a weight after step {step} is not finite", step, means)

    def _fail(self, what: str, step: int, means: dict[str, float]) -> None:
        newest = self._run.checkpoints.newest()
        kept = f"The last good checkpoint is {newest}" if newest else "There is no checkpoint yet"
        terms = ", ".join(f"{name} {value:.4g}" for name, value in means.items())
        raise DivergedError(
            f"{self._run.path}: {what} ({terms}). {kept}. "
            "A smaller --learning_rate or --penalty_weight may help.",
            step,
        )


class WriteLog(Interval):
    """Appends each interval's means to log.jsonl and to TensorBoard's events.

    The events are written anew from the log when a run is continued: steps that a killed process
    had written after its last checkpoint would stand in them twice.
    """

    def __init__(self, run: Run, records: Sequence[dict[str, Any]]):
        """Begins after the records that the log holds already."""
        super().__init__()
        self._run = run
        self._start = time.monotonic() - (records[-1]["seconds"] if records else 0.0)
        shutil.rmtree(run.tensorboard, ignore_errors=True)
        self._events = tf.summary.create_file_writer(str(run.tensorboard))
        for record in records:
            self._add_event(record)
        self._events.flush()

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        rate = self.model.optimizers["discriminator"].learning_rate
        seconds = round(time.monotonic() - self._start, 3)
        record = {"step": step, **means, "learning_rate": float(rate), "seconds": seconds}
        self._run.append_record(record)
        self._add_event(record)
        self._events.flush()

    def _add_event(self, record: dict[str, Any]) -> None:
        with self._events.as_default(step=record["step"]):
            for name, value in record.items():
                if name not in ("step", "seconds"):
                    tf.summary.scalar(name, value)


class FindClusters(Interval):
    """Lets a self-conditioned GAN find the clusters of its data, at the beginning and then on.

    To be in front of what saves: a checkpoint at that step holds the clusters found at it. At the
    end of a training none are found, which the generator would not know; one that goes on from
    there begins with it.
    """

    def __init__(self, sample: Callable[[int], np.ndarray], every: int, steps: int | None = None):
        """Prepares to find them.

        Args:
            sample: gives up to so many real samples.
            every: steps between two searches.
            steps: at which training ends, if that is known.
        """
        super().__init__()
        self._sample = sample
        self._every = every
        self._steps = steps

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        step = int(self.model.step.numpy())
        if step % self._every == 0 and int(self.model.found_at.numpy()) != step:
            self._find()

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        if step % self._every == 0 and step != self._steps:
            self._find()

    def _find(self) -> None:
        self.model.find_clusters(self._sample(CLUSTERED))


class KeepBest(Interval):
    """Measures reconstructions of held-out samples, logs their distance, keeps the best averages.

    To be in front of what logs. Every `HELD_OUT_EVERY` steps at most: measuring takes less than
    2 % of what so many steps take.
    """

    def __init__(self, best: BestAverages, x: np.ndarray, labels: np.ndarray | None, steps: int):
        """Takes what keeps them, held-out samples, their classes, and the step of the end."""
        super().__init__()
        self._best = best
        self._x = x
        self._labels = labels
        self._steps = steps

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._last = int(self.model.step.numpy())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        step = int(self.model.step.numpy())
        is_due = step // HELD_OUT_EVERY > self._last // HELD_OUT_EVERY
        if is_due or step == self._steps:
            x_hat = reconstruct(self.model, self._x, self._labels)
            distance = root_mean_square_distance(self._x, x_hat)
            self._best.offer(self.model, distance)
            if logs is not None:  # the callbacks after this one get the same dictionary
                logs["held_out_distance"] = distance
        self._last = step


class SaveCheckpoints(Interval):
    """Saves every so many steps or minutes, at the end, and when training is told to stop."""

    def __init__(self, run: Run, best: BestAverages | None = None):
        super().__init__()
        self._best = best
        self._experiment = run.experiment
        self._checkpoints = run.checkpoints
        self._log = run.log
        # Where a run can be prolonged from whose end is of its own kind.
        self._common = last_common_step(run.experiment)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._last_step = int(self.model.step.numpy())
        self._last_time = time.monotonic()

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        if not (self._is_due(step) or self.model.stop_training):
            return
        # What a checkpoint stands for is not logged again: after a power cut both must be there.
        flush_to_disk(self._log)
        self._checkpoints.save(self.model, step, self._best)
        self._last_step, self._last_time = step, time.monotonic()

    def _is_due(self, step: int) -> bool:
        every = self._experiment.checkpoint_every
        minutes = (time.monotonic() - self._last_time) / 60
        can_be_prolonged = self._experiment.schedule == "constant"
        return (
            step == self._experiment.steps
            or (can_be_prolonged and step == self._common)
            or step // every > self._last_step // every
            or 0 < self._experiment.checkpoint_minutes <= minutes
        )


class TakeSnapshots(Interval):
    """Calls `take` `count` times over the training, at even distances, and at its end."""

    def __init__(self, take: Callable[[], None], count: int, steps: int):
        super().__init__()
        self._take = take
        self._every = math.ceil(steps / count)
        self._steps = steps
        self._last = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._last = int(self.model.step.numpy())
        if self._last == 0:
            self._take()

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        if step // self._every > self._last // self._every or step == self._steps:
            self._take()
        self._last = step


class ShowProgress(Interval):
    """One bar over all steps, with the losses and the time left."""

    def __init__(self, run: Run, first_step: int):
        super().__init__()
        self._bar = tqdm(
            total=run.experiment.steps, initial=first_step, desc=run.label, unit="step"
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.update(self.model.steps_per_execution)

    def on_interval_end(self, step: int, means: dict[str, float]) -> None:
        shown = {
            "D": means["discriminator_loss"],
            "G": means["generator_loss"],
            **{name: means[name] for name in ("penalty",) if name in means},
        }
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in shown.items()}, False)
        self._bar.update(step - self._bar.n)

    def close(self) -> None:
        self._bar.close()
