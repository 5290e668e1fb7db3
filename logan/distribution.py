"""Several devices, or several machines, behind one training: TensorFlow's strategies.

The global batch and all draws are those of a single device, split over the replicas, so that a run
computes the same on any number of them, up to the order of summation; only a batch normalization
that is not synchronized sees its own replica's part alone.
"""

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from logan.errors import UserError, WorkerLostError
from logan.settings import Experiment


def start_strategy(experiment: Experiment) -> tf.distribute.Strategy:
    """The strategy that the experiment's settings ask for. To be called before any other work.

    Raises:
        UserError: if there are no such devices, the cluster is not described, or the batch cannot
            be split evenly.
    """
    if experiment.strategy == "mirrored":
        strategy: tf.distribute.Strategy = _mirrored(experiment.devices)
    elif experiment.strategy == "multi_worker":
        strategy = tf.distribute.MultiWorkerMirroredStrategy(_cluster())
    else:
        return tf.distribute.get_strategy()
    parts = strategy.num_replicas_in_sync * experiment.discriminator_steps * experiment.packing
    if experiment.batch_size % parts:
        raise UserError(
            f"--batch_size: expected a multiple of {parts}, replicas times --discriminator_steps "
            "times --packing. "
            f"Received: {experiment.batch_size}"
        )
    return strategy


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    """Over the named devices, or all GPUs, or the CPU where there is none.

    One for each choice of devices: a second one would number what its devices exchange from the
    beginning again, and meet the exchanges of the first.
    """
    wanted = [int(device[4:]) for device in devices if re.fullmatch(r"CPU:\d+", device)]
    _divide_cpu(max(wanted, default=0) + 1)
    there = [
        device.name.removeprefix("/device:")
        for kind in ("GPU", "CPU")
        for device in tf.config.list_logical_devices(kind)
    ]
    missing = [device for device in devices if device not in there]
    if missing or len(set(devices)) < len(devices):
        raise UserError(
            f"--devices: expected different ones of {', '.join(there)}. "
            f"Received: {','.join(devices)}"
        )
    # TensorFlow reads the description of a cluster here too, and fails on one that is damaged.
    config = os.environ.pop("TF_CONFIG", None)
    try:
        return tf.distribute.MirroredStrategy(devices or None)
    finally:
        if config is not None:
            os.environ["TF_CONFIG"] = config


def _divide_cpu(parts: int) -> None:
    """Makes at least so many devices of the CPU: TensorFlow sees one, however many cores."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or [None]) >= parts:
        return
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * parts
        )
    except RuntimeError:
        raise UserError(
            f"--devices: expected CPU:0 alone once TensorFlow has begun to work. Received: {parts} "
            "parts of the CPU"
        ) from None


def _cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """From TF_CONFIG, or else from the variables of a SLURM job."""
    text = os.environ.get("TF_CONFIG", "")
    if not text and "SLURM_STEP_NODELIST" in os.environ:
        return _slurm_cluster()
    fault = _fault_of(text)
    if fault:
        raise UserError(
            "--strategy=multi_worker: expected the environment variable TF_CONFIG, such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", '
            f'"index": 0}}}}, or those of a SLURM step. Received: {fault}'
        )
    return _Trainers()


_TRAINING_JOBS = ("chief", "worker")


class _Trainers(tf.distribute.cluster_resolver.TFConfigClusterResolver):
    """Those of TF_CONFIG that train: an evaluator may be listed, but takes no part."""

    def cluster_spec(self) -> tf.train.ClusterSpec:
        jobs = super().cluster_spec().as_dict()
        return tf.train.ClusterSpec({job: jobs[job] for job in _TRAINING_JOBS if job in jobs})


def _fault_of(text: str) -> str:
    """What is wrong with the text of TF_CONFIG, in words; empty if nothing is."""
    if not text:
        return "neither"
    try:
        config = json.loads(text)
    except ValueError as error:
        return f"{text}, which is not JSON: {error}"
    for key in ("cluster", "task"):
        if not isinstance(config, dict) or not isinstance(config.get(key), dict):
            return f'{text}, without an object "{key}"'
    cluster, task = config["cluster"], config["task"]
    kind, index = task.get("type"), task.get("index")
    if kind == "evaluator":
        return 'the task "evaluator". There is none: logan-evaluate measures a run that has ended'
    if kind == "ps" or "ps" in cluster:
        return 'parameter servers, "ps". All tasks train here: "worker", and at most one "chief"'
    unknown = cluster.keys() - {*_TRAINING_JOBS, "evaluator"}
    if unknown:
        return f'{text}, with "{min(unknown)}" in its cluster'
    trainers = [job for job in _TRAINING_JOBS if job in cluster]
    for job in trainers:
        if not isinstance(cluster[job], list) or not all(map(_is_address, cluster[job])):
            return f'{text}, where "{job}" is not a list of addresses "host:port"'
    addresses = [address for job in trainers for address in cluster[job]]
    if len(set(addresses)) < len(addresses):
        return f"{text}, with one address twice"
    if len(cluster.get("chief", [])) > 1:
        return f"{text}, with more than one chief"
    if kind not in trainers:
        return f"{text}, whose task has the type {json.dumps(kind)}, which is not in its cluster"
    # Some schedulers write it as text; TensorFlow takes both.
    number = str(index)
    if isinstance(index, bool) or not number.isdecimal() or int(number) >= len(cluster[kind]):
        count = len(cluster[kind])
        return f'{text}, whose task has the index {json.dumps(index)} of {count} "{kind}"'
    return ""


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\S+:\d+", value) is not None


def _slurm_cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    """One worker for each task of the step, with an equal part of its node's GPUs, if any."""
    # Without GPUs the resolver still wants to share some out.
    settings = {}
    try:
        if not _has_gpus():
            enough = int(os.environ["SLURM_STEP_NUM_TASKS"])
            settings = dict(gpus_per_node=enough, gpus_per_task=1, auto_set_gpu=False)
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(**settings)
        resolver.cluster_spec()  # what does not fit together shows here
        return resolver
    except (RuntimeError, ValueError, KeyError) as error:
        raise UserError(
            "--strategy=multi_worker: expected the environment variables of a SLURM step, as srun "
            "sets them, and on each node at least a GPU for each task, or none. Received: "
            f"{type(error).__name__}: {error}"
        ) from error


def _has_gpus() -> bool:
    """Whether this node has any, without TensorFlow: it would take all of them for this task."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return visible not in ("", "-1")
    if not shutil.which("nvidia-smi"):
        return False
    done = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, check=False)
    return done.returncode == 0 and bool(done.stdout.strip())


@contextlib.contextmanager
def naming_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Says in plain words what TensorFlow reports when another worker is gone.

    Raises:
        WorkerLostError: in place of TensorFlow's errors about the others.
    """
    lost = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)
    try:
        yield
    except lost as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        pattern = r"/job:(?:chief|worker)/replica:0/task:\d+$"
        names = re.findall(pattern, str(error), re.MULTILINE)
        gone = ", ".join(sorted(set(names)))
        raise WorkerLostError(
            f"lost another worker ({gone or 'which one is not known'}). Start all of them again: "
            "the same commands go on from the newest checkpoint"
        ) from error


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes: the chief, or else the first worker."""
    resolver = strategy.cluster_resolver
    if resolver is None or "chief" not in resolver.cluster_spec().as_dict():
        return resolver is None or not resolver.task_id
    return str(resolver.task_type) == "chief"


def all_agree_to(strategy: tf.distribute.Strategy, wish: bool) -> bool:
    """Whether any worker wishes it: the same answer on all of them. All must ask together."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return wish
    return _sum(strategy, float(wish)) > 0


def is_same_on_all(strategy: tf.distribute.Strategy, number: int) -> bool:
    """Whether all workers ask with the same number: one answer. All must ask together."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    differs = _sum(strategy, float(number)) != strategy.num_replicas_in_sync * float(number)
    return not all_agree_to(strategy, differs)


def _sum(strategy: tf.distribute.Strategy, number: float) -> float:
    """Over all replicas of all workers."""
    return float(_total_over(strategy)(tf.constant(number, tf.float64)))


@functools.cache
def _total_over(strategy: tf.distribute.Strategy) -> Callable[[tf.Tensor], tf.Tensor]:
    """The sum of a number over all replicas; one function for each strategy, traced once."""

    @tf.function
    def total(own: tf.Tensor) -> tf.Tensor:
        each = strategy.run(lambda: own)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

    return total


def split(
    batches: Callable[[], tf.data.Dataset],
    strategy: tf.distribute.Strategy,
    batch_size: int,
    discriminator_steps: int,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Each global batch, divided over the replicas.

    Args:
        batches: makes the data set of global batches, x or (x, labels).
        strategy: whose replicas.
        batch_size: of a global batch.
        discriminator_steps: a batch is that many parts after each other, one for each update of D;
            every replica gets its share of each.

    Returns:
        A data set for `fit`: what replica r gets of the parts are their r-th shares.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches()
    share = batch_size // (discriminator_steps * replicas)

    def of_this_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local

        def rows(x: tf.Tensor) -> tf.Tensor:
            """[local replicas, rows of one replica, ...]."""
            rest = x.shape[1:]
            parts = tf.reshape(x, [discriminator_steps, replicas, share, *rest])
            mine = parts[:, first : first + local]
            by_replica = tf.experimental.numpy.swapaxes(mine, 0, 1)
            return tf.reshape(by_replica, [local, discriminator_steps * share, *rest])

        # A replica after the other, as TensorFlow hands out what a pipeline gives.
        shares = batches().map(lambda *batch: tuple(map(rows, batch)))
        return shares.unbatch().prefetch(2 * local)

    return strategy.distribute_datasets_from_function(of_this_worker)
