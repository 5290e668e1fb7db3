import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.checkpoints import Checkpoints
from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import convolutional, mlp, multi_scale
from logan.terms import AutoencoderLoss, PairwisePenalty

SETTINGS = {
    BiGAN: dict(
        loss="logan2",
        penalty_weight=0.0,
        terms=[PairwisePenalty(0.3, form="squared_norm", distance_scale=0.5), "autoencoder"],
        discriminator_steps=2,
        average_decay=0.9,
    ),
    AdversarialEncoder: dict(prior_centers=[[0.5, 0.5], [-0.5, 0.1]], prior_sigma=0.07),
}


@pytest.fixture
def trained(make, kind, x):
    """After three steps: Adam's moments, counters and averages are no longer as new."""
    model = make(kind, optimizer=keras.optimizers.Adam, **SETTINGS.get(kind, {}))
    for _ in range(3):
        model.train_step(tf.constant(x))
    return model


def everything(model):
    """Weights, averages, counters, and each optimizer's slots, by path."""
    variables = list(model.weights)
    for optimizer in model.optimizers.values():
        variables += optimizer.variables
    return [variable.numpy() for variable in variables]


def assert_equal(first, second):
    for one, other in zip(everything(first), everything(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_keras_file_keeps_all_that_training_needs(trained, tmp_path, x):
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(trained)
    assert_equal(loaded, trained)
    assert int(loaded.step.numpy()) == 3
    for model in (trained, loaded):
        for _ in range(2):
            model.train_step(tf.constant(x))
    assert_equal(loaded, trained)


def test_keras_file_keeps_the_settings(trained, tmp_path):
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == trained.get_config()
    assert loaded.get_compile_config() == trained.get_compile_config()
    assert loaded.seed == 5
    assert loaded.terms == trained.terms
    if type(loaded) is BiGAN:
        penalty = PairwisePenalty(0.3, form="squared_norm", distance_scale=0.5)
        assert loaded.terms == (penalty, AutoencoderLoss(1.0))


def test_keras_file_keeps_weights_that_differ_from_the_first(trained, tmp_path):
    """The averages are not the weights, nor what a fresh twin would hold."""
    trained.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    role = trained.roles[0]
    kernel, averaged = (
        getattr(loaded, name).get_weights()[0] for name in (role, f"averaged_{role}")
    )
    assert (kernel != averaged).any()


def test_checkpoint_keeps_all_that_training_needs(trained, make, kind, tmp_path, x):
    path = tf.train.Checkpoint(model=trained).save(str(tmp_path / "step"))
    other = make(kind, optimizer=keras.optimizers.Adam, **SETTINGS.get(kind, {}))
    status = tf.train.Checkpoint(model=other).restore(path)
    status.assert_existing_objects_matched()
    assert_equal(other, trained)
    for model in (trained, other):
        model.train_step(tf.constant(x))
    assert_equal(other, trained)


def test_summary_names_the_networks(trained):
    lines = []
    trained.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for role in (*trained.roles, "discriminator"):
        assert role in text


def test_model_that_was_not_compiled_comes_back_so(tmp_path):
    model = GAN(mlp.Generator(width=4), mlp.Discriminator(latent_length=0, width=4))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not model.compiled
    assert not loaded.compiled


class WithLists(keras.Model):
    """A user's own generator, whose layers stand in a list and in a dictionary."""

    def __init__(self):
        super().__init__()
        self.hidden = [keras.layers.Dense(4), keras.layers.BatchNormalization()]
        self.last = {"x": keras.layers.Dense(16 * 16)}

    def call(self, z, training=None):
        dense, normalization = self.hidden
        h = normalization(dense(z), training=training)
        return keras.ops.reshape(self.last["x"](h), (-1, 16, 16, 1))


def several_scales():
    return multi_scale.MultiScaleDiscriminator(
        (16, 16, 1), 0, kind="convolutional", scales=2, width=2, spectral_normalization=True
    )


@pytest.mark.parametrize(
    "networks",
    [
        lambda: (WithLists(), convolutional.Discriminator((16, 16, 1), 0, width=2)),
        lambda: (convolutional.Generator((16, 16, 1), 3, width=2), several_scales()),
    ],
    ids=["own generator", "several scales"],
)
def test_a_run_continues_with_what_lies_in_lists_of_layers(networks, tmp_path):
    """Running moments and directions of kernels, which no gradient moves."""

    def fresh(seed):
        keras.utils.set_random_seed(seed)
        model = GAN(*networks(), latent_length=3)
        model.compile()
        model.build_networks(np.zeros((4, 16, 16, 1), np.float32))
        return model

    one, other = fresh(1), fresh(2)
    for network in one.networks.values():
        rng = np.random.default_rng(0)
        network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    checkpoints = Checkpoints(tmp_path, 1)
    checkpoints.save(one, 7)
    checkpoints.restore(other)
    for role, network in one.networks.items():
        restored = other.networks[role]
        for ours, theirs in zip(network.weights, restored.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
