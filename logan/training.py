"""The one road from settings to a finished run."""

import contextlib
import dataclasses
import functools
import math
import os
import signal
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import tensorflow as tf

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.callbacks import (
    FindClusters,
    KeepBest,
    SaveCheckpoints,
    ShowProgress,
    StopOnDivergence,
    TakeSnapshots,
    WriteLog,
)
from logan.datasets.load import Data, classes_of, load
from logan.datasets.toy import ToyDistribution
from logan.distribution import (
    is_chief,
    is_same_on_all,
    naming_lost_workers,
    split,
    start_strategy,
)
from logan.errors import DivergedError, UserError
from logan.interruption import Interruption
from logan.keras_settings import package_settings
from logan.labels import Classes
from logan.models.adversarial import AdversarialModel
from logan.models.assemble import assemble, check_parts
from logan.models.best import BestAverages, best_averages
from logan.overview import estimate, overview, tell
from logan.pace import Pace
from logan.runs import Run, cache_of
from logan.settings import Experiment, identity
from logan.sheets import write_sheets
from logan.snapshots import toy_snapshot, write_snapshot

# Of toys and of images. A signal waits for all of them, a progress bar and the first measure too.
_MOST_STEPS_PER_EXECUTION = {False: 50, True: 10}
_HELD_OUT = {False: 500, True: 256}  # samples to reconstruct, of toy data and of images
_ROLLBACK_FACTOR = 0.5  # of the learning rate, for each rollback


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How `train` ended.

    Attributes:
        run: the run's folder.
        step: finished steps.
        seconds: time that the run's training has taken in all, compilation included.
        interrupted_by: the signal that stopped it early, or None.
    """

    run: Run
    step: int
    seconds: float
    interrupted_by: signal.Signals | None


@package_settings()
def train(
    experiment: Experiment,
    workdir: str | os.PathLike[str],
    *,
    show_progress: bool = True,
    exits: bool = False,
) -> Outcome:
    """Trains the experiment in its folder, from where an earlier call left off.

    Args:
        experiment: the settings.
        workdir: the run's folder; created, or continued if it holds the same experiment. More
            steps than it was begun with are the same one too if its learning rate is constant.
        show_progress: tell on standard error what is trained and how long it will take, and draw
            a progress bar.
        exits: whether a second Ctrl-C ends the process at once, as it should a command. Otherwise
            it raises KeyboardInterrupt once TensorFlow hands back control.

    Returns:
        How it ended. Ctrl-C ends it early: after the running interval of the log, with a
        checkpoint.

    Raises:
        RunError: if the folder holds something else.
        DivergedError: if a loss or weight is not finite; the last good checkpoint is kept. With
            `on_nan` rollback only after `most_rollbacks` of them.
        WorkerLostError: if another machine does not answer any more.
        UserError: if the data cannot be used, or the devices.
    """
    check_parts(experiment)
    strategy = start_strategy(experiment)
    work = _lead if is_chief(strategy) else _help
    with naming_lost_workers(strategy):
        return work(experiment, workdir, strategy, show_progress, exits)


def _lead(
    experiment: Experiment,
    workdir: str | os.PathLike[str],
    strategy: tf.distribute.Strategy,
    show_progress: bool,
    exits: bool,
) -> Outcome:
    """What the only process does, or the chief of several: it alone writes into the folder."""
    data = load(experiment, cache_of(workdir), show_progress=show_progress)
    classes = classes_of(experiment, data)
    run = Run.create_or_continue(workdir, experiment)

    def tell_time(step: int, seconds: float) -> None:
        if show_progress:
            tell(estimate(experiment, step, seconds))

    pace = Pace(tell_time)
    with run.held():
        interruption = Interruption(strategy, run, pace, exits=exits)
        run.clear_leftovers()
        run.note_classes(classes)
        while True:
            try:
                with interruption.listening():
                    model = _continue(run, data, strategy, [pace, interruption], show_progress)
                break
            except DivergedError as error:
                run.roll_back(error)
        step = int(model.step.numpy())
        # Also where an earlier call was killed between its last checkpoint and here.
        if run.exported_steps() != (step, model.averages_step or step):
            run.export_networks(model)
        records = run.records()
    seconds = records[-1]["seconds"] if records else 0.0
    return Outcome(run, step, seconds, interruption.received)


def _continue(
    run: Run,
    data: Data,
    strategy: tf.distribute.Strategy,
    session: list[Any],
    show_progress: bool,
) -> AdversarialModel:
    """Trains on from the newest checkpoint to the end, or until told to stop.

    Args:
        run: what is trained.
        data: its data.
        strategy: its devices.
        session: callbacks that stay over rollbacks, to act after the log and before checkpoints.
        show_progress: see `train`.

    Returns:
        The model, with those averages that the run's --weights names.
    """
    model, best, first_step = _restored(run, strategy, classes_of(run.experiment, data))
    _check_alike(run, strategy, first_step)
    records = run.keep_records_until(first_step)
    if first_step < run.experiment.steps:
        run.write_environment(first_step)
        if show_progress:
            tell(overview(run, data, model, first_step))
        with _callbacks(run, data, best, records, session, show_progress) as callbacks:
            fit(model, data, run.experiment, strategy, callbacks)
    if best and run.experiment.weights == "best":
        best.restore(model)
    return model


def _help(
    experiment: Experiment,
    workdir: str | os.PathLike[str],
    strategy: tf.distribute.Strategy,
    show_progress: bool,
    exits: bool,
) -> Outcome:
    """What a worker does that is not the chief: it trains along and writes nothing but its cache.

    It finds the chief's checkpoints in the same folder, so that must be one that all workers see.
    """
    run = Run(Path(workdir), experiment)
    pace = Pace()
    interruption = Interruption(strategy, run, pace, exits=exits)
    data = load(experiment, cache_of(workdir), show_progress=show_progress)
    start = time.monotonic()
    model, _, first_step = _restored(run, strategy, classes_of(experiment, data))
    _check_alike(run, strategy, first_step)
    if first_step < experiment.steps:
        with interruption.listening():
            callbacks = [StopOnDivergence(run), pace, interruption]
            fit(model, data, experiment, strategy, callbacks)
    seconds = time.monotonic() - start
    return Outcome(run, int(model.step.numpy()), seconds, interruption.received)


def _restored(
    run: Run, strategy: tf.distribute.Strategy, classes: Classes | None
) -> tuple[AdversarialModel, BestAverages | None, int]:
    """The model at its newest checkpoint, its best averages, and that step; new ones at step 0."""
    with strategy.scope():
        model = assemble(
            run.experiment,
            steps_per_execution(run.experiment),
            learning_rate_factor=_ROLLBACK_FACTOR ** len(run.rollbacks()),
            classes=classes,
        )
    best = best_averages(model)
    with strategy.scope():
        return model, best, run.checkpoints.restore(model, best)


def _check_alike(run: Run, strategy: tf.distribute.Strategy, first_step: int) -> None:
    """Keeps workers from training together that would compute different things.

    Raises:
        UserError: on every worker, if one of them has other settings or another checkpoint.
    """
    if not is_same_on_all(strategy, zlib.crc32(identity(run.experiment).encode())):
        raise UserError("expected the same settings on all workers. Received: different ones")
    if not is_same_on_all(strategy, first_step):
        raise UserError(
            f"--workdir: expected a folder that all workers see. {run.path} holds a checkpoint of "
            f"step {first_step:,} here, and another one elsewhere"
        )


def steps_per_execution(experiment: Experiment) -> int:
    """The most steps in one call of TensorFlow that divide every interval, the last one too."""
    # Keras's loop over steps does not run on several devices.
    if experiment.strategy != "none":
        return 1
    common = math.gcd(experiment.log_every, experiment.steps % experiment.log_every)
    common = min(common, experiment.steps)
    most = _MOST_STEPS_PER_EXECUTION[experiment.is_image]
    return max(n for n in range(1, most + 1) if common % n == 0)


@contextlib.contextmanager
def _callbacks(
    run: Run,
    data: Data,
    best: BestAverages | None,
    records: list[dict[str, Any]],
    session: list[Any],
    show_progress: bool,
) -> Iterator[list[Any]]:
    """In the order in which they must act.

    The checkpoint comes last: after a kill, what it stands for is not done again.
    """
    experiment = run.experiment
    callbacks: list[Any] = [StopOnDivergence(run)]
    if experiment.condition == "clusters":
        callbacks.append(
            FindClusters(data.training_sample, experiment.cluster_every, experiment.steps)
        )
    if best:
        callbacks.append(KeepBest(best, *_held_out(data, experiment), experiment.steps))
    callbacks += [WriteLog(run, records), *session]
    if experiment.snapshots:
        snapshots = TakeSnapshots(
            lambda: _take(snapshots.model, data, run), experiment.snapshots, experiment.steps
        )
        callbacks.append(snapshots)
    callbacks.append(SaveCheckpoints(run, best))
    first_step = records[-1]["step"] if records else 0
    progress = ShowProgress(run, first_step) if show_progress else None
    try:
        yield [*callbacks, progress] if progress else callbacks
    finally:
        if progress:
            progress.close()


def _held_out(data: Data, experiment: Experiment) -> tuple[np.ndarray, np.ndarray | None]:
    """What the best averages are chosen by, with its classes if the networks take them.

    Of toy data it is not what an evaluation draws.
    """
    seed, count = experiment.seed + 1, _HELD_OUT[experiment.is_image]
    labels = cast(Any, data).evaluation_labels(seed, count) if experiment.takes_labels else None
    return data.evaluation_sample(seed, count), labels


def _take(model: AdversarialModel, data: Data, run: Run) -> None:
    if isinstance(data, ToyDistribution):
        write_snapshot(run.snapshots, toy_snapshot(model, data, run.experiment.seed))
    else:
        write_sheets(run.figures, model, data, run.experiment.seed)


def fit(
    model: AdversarialModel,
    data: Data,
    experiment: Experiment,
    strategy: tf.distribute.Strategy,
    callbacks: list[Any],
) -> None:
    """Whole intervals of the log as epochs, then the rest of the steps as one more."""
    done, every = int(model.step.numpy()), experiment.log_every
    whole = (experiment.steps - done) // every
    rest = (experiment.steps - done) % every
    for epochs, length in ((whole, every), (1, rest)):
        if epochs * length == 0 or model.stop_training:
            continue
        batches = functools.partial(
            data.batches, experiment.seed, experiment.batch_size, int(model.step.numpy())
        )
        model.fit(
            split(batches, strategy, experiment.batch_size, experiment.discriminator_steps),
            epochs=epochs,
            steps_per_epoch=length,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
