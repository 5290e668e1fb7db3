"""Trains small models on so many logical CPU devices and stores what came out. Run by a test.

A program of its own, because TensorFlow divides the CPU once, before any work, and its devices then
work together in groups of one size.

usage: python tests/replicas.py OUTPUT.npz REPLICAS KIND…      KIND: a name of `KINDS`
"""

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Iterator

import labelled
import numpy as np
import tensorflow as tf

from logan.datasets.images import Images
from logan.datasets.load import Data, load_toy
from logan.distribution import split, start_strategy
from logan.models.assemble import assemble
from logan.settings import NETWORKS, Experiment, preset
from logan.settings.names import NetworkEntry

TOY = Experiment(
    dataset="ring8", width=16, hidden_layers=1, batch_size=32, learning_rate=1e-3, jit=False
)
IMAGES = Experiment(
    dataset="images", data="none", network="convolutional", image_size=8, channels=1, width=4,
    latent_length=3, batch_size=16, normalization="synchronized_batch", jit=False,
)  # fmt: skip


@contextlib.contextmanager
def labelled_networks() -> Iterator[None]:
    """The kind of networks "labelled", known while this lasts, as other tests list them."""
    NETWORKS.register("labelled", NetworkEntry(takes=("hidden_layers",)))(labelled.LABELLED)
    try:
        yield
    finally:
        NETWORKS.remove("labelled")


with labelled_networks():
    KINDS = {
        "toy": dataclasses.replace(TOY, discriminator_steps=2),
        "encoder": dataclasses.replace(
            TOY, model="encoder", penalty="none", prior="line", latent_length=1
        ),
        "labels": dataclasses.replace(TOY, discriminator_steps=2, network="labelled"),
        "conditional": dataclasses.replace(
            TOY, condition="classes", discriminator_steps=2, terms=("auxiliary_classifier",)
        ),
        "clusters": dataclasses.replace(
            TOY, model="gan", penalty="none", condition="clusters", clusters=4
        ),
        "synchronized_batch": IMAGES,
        "spectral": dataclasses.replace(
            TOY, spectral_normalization=True, discriminator_steps=2, terms=("r1:weight=1",)
        ),
        "remedies": dataclasses.replace(
            TOY,
            packing=2,
            penalty="dragan",
            generator_steps=2,
            instance_noise=0.1,
            instance_noise_steps=5,
            weight_decay=0.01,
            discriminator_learning_rate=2e-3,
            terms=("lecam:start=0", "historical_averaging", "augmentation_consistency"),
        ),
    }
KINDS |= {
    name: preset(
        "ring8",
        dict(width=16, hidden_layers=1, batch_size=32, discriminator_steps=2, jit=False),
        name,
    )
    for name in ("alice-adversarial", "reg-gan", "mdgan", "gan-encoder", "separate-discriminators")
}
STEPS = 3


def data_of(experiment: Experiment) -> Data:
    if not experiment.is_image:
        return load_toy(experiment)
    frames = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), np.uint8)
    return Images(frames, np.arange(60), np.arange(60, 64))


def batches_of(experiment: Experiment) -> tf.data.Dataset:
    """Batches of the experiment; of x and its label for networks that take one."""
    batches = data_of(experiment).batches(experiment.seed, experiment.batch_size)
    return batches.map(labelled.with_labels) if experiment.network == "labelled" else batches


@labelled_networks()
def train(experiment: Experiment, replicas: int) -> list[np.ndarray]:
    devices = tuple(f"CPU:{index}" for index in range(replicas))
    shared = dataclasses.replace(experiment, strategy="mirrored", devices=devices)
    strategy = start_strategy(shared) if replicas > 1 else tf.distribute.get_strategy()
    with strategy.scope():
        model = assemble(shared)
    if shared.condition == "clusters":
        model.find_clusters(data_of(shared).training_sample(200))
    batches = functools.partial(batches_of, shared)
    history = model.fit(
        split(batches, strategy, shared.batch_size, shared.discriminator_steps),
        steps_per_epoch=STEPS,
        shuffle=False,
        verbose=0,
    ).history
    networks = [getattr(model, f"averaged_{role}") for role in model.roles]
    networks += [getattr(model, role) for role in model.discriminator_roles]
    weights = [w for net in networks for w in net.get_weights()]
    logs = [np.array(history[name][0]) for name in sorted(history)]
    return [np.array(model.step), *logs, *weights]


def main() -> None:
    output, replicas, *kinds = sys.argv[1:]
    np.savez(
        output,
        **{
            f"{kind} {index}": value
            for kind in kinds
            for index, value in enumerate(train(KINDS[kind], int(replicas)))
        },
    )


if __name__ == "__main__":
    main()
