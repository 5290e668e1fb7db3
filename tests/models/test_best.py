"""Which averages are kept while a training goes on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.checkpoints import Checkpoints
from logan.models.best import BestAverages, best_averages
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp


@pytest.fixture
def model():
    size = dict(width=3, hidden_layers=1)
    networks = (mlp.Generator(**size), mlp.Encoder(**size), mlp.Discriminator(**size))
    made = BiGAN(*networks)
    made.compile()
    return made


def fill(model, number):
    """Makes every averaged weight that number, at that step."""
    model.step.assign(number)
    for role in model.roles:
        network = getattr(model, f"averaged_{role}")
        network.set_weights([np.full(w.shape, number) for w in network.weights])


def held(best):
    """The number that all kept weights are."""
    [number] = {
        float(value)
        for network in best.networks.values()
        for weights in network.get_weights()
        for value in np.unique(weights)
    }
    return number


def offer(best, model, errors):
    for number, error in enumerate(errors, start=1):
        fill(model, number)
        best.offer(model, error)


@pytest.mark.parametrize(
    ("errors", "step"),
    [
        ([1.0], 1),
        ([1.0, 0.5, 0.25], 3),
        ([1.0, 0.2, 0.29, 0.31], 3),  # nearly alike and later, and then not
        ([0.2, 0.29, 0.4, 0.29], 4),  # compared with the least one, not with the kept one
        ([0.2, 0.29, 0.1, 0.16], 3),
        ([0.2, float("nan"), float("inf")], 1),
        ([float("nan"), 0.5], 2),
    ],
)
def test_the_last_of_nearly_the_least_errors_is_kept(model, errors, step):
    best = BestAverages(model)
    offer(best, model, errors)
    assert (int(best.step.numpy()), held(best)) == (step, step)


@pytest.mark.parametrize(
    ("penalty_weight", "terms", "tells"),
    [(0.1, (), True), (0.0, ("autoencoder",), True), (0.0, (), False), (0.0, ("gradient",), False)],
)
def test_only_losses_about_reconstructions_tell_the_best(penalty_weight, terms, tells):
    size = dict(width=3, hidden_layers=1)
    networks = (mlp.Generator(**size), mlp.Encoder(**size), mlp.Discriminator(**size))
    model = BiGAN(*networks, penalty_weight=penalty_weight, terms=terms)
    assert (best_averages(model) is not None) == tells


def test_a_gan_has_no_best_averages():
    size = dict(width=3, hidden_layers=1)
    assert best_averages(GAN(mlp.Generator(**size), mlp.Discriminator((2,), 0, **size))) is None


def test_kept_averages_do_not_follow_those_of_the_model_and_come_back(model):
    best = BestAverages(model)
    offer(best, model, [0.1, 0.5, 0.6])
    last = model.generator.get_weights()
    best.restore(model)
    assert (model.averages_step, held(best)) == (1, 1)
    for role in model.roles:
        for weights in getattr(model, f"averaged_{role}").get_weights():
            np.testing.assert_array_equal(weights, 1)
    for weights, before in zip(model.generator.get_weights(), last, strict=True):
        np.testing.assert_array_equal(weights, before)


def test_nothing_was_kept_yet(model):
    fill(model, 7)
    BestAverages(model).restore(model)
    assert model.averages_step is None
    np.testing.assert_array_equal(model.averaged_generator.get_weights()[0], 7)


def test_checkpoint_keeps_them_and_goes_without(model, tmp_path):
    checkpoints, best = Checkpoints(tmp_path, kept=5), BestAverages(model)
    checkpoints.save(model, 1)  # as before version 0.3
    offer(best, model, [0.1, 0.5])
    checkpoints.save(model, 2, best)

    other = keras.models.clone_model(model)
    other.compile()
    found = BestAverages(other)
    assert checkpoints.restore(other, found) == 2
    assert (int(found.step.numpy()), held(found)) == (1, 1)
    assert found.least_error.numpy() == pytest.approx(0.1)
    assert checkpoints.restore(other) == 2  # who does not ask for them does without

    checkpoints.discard(2)
    fresh = BestAverages(other)
    checkpoints.restore(other, fresh)
    assert int(fresh.step.numpy()) == 0
    assert tf.io.gfile.listdir(str(tmp_path)) == ["step-00000001"]


def test_checkpoint_before_version_0_3_with_copies_of_networks_goes_on(model, tmp_path):
    """There were copies of the networks where there are averages of their weights now."""

    def copy(network, number):
        made = type(network).from_config(network.get_config())
        made.set_weights([np.full(weights.shape, number) for weights in network.weights])
        return made

    def holder(**children):
        made = tf.Module()
        for name, child in children.items():
            setattr(made, name, child)
        return made

    optimizers = {f"{role}_optimizer": one for role, one in model.optimizers.items()}
    copies = {f"averaged_{role}": copy(getattr(model, role), 2.0) for role in model.roles}
    kept = {role: copy(getattr(model, role), 3.0) for role in model.roles}
    model.step.assign(7)
    old = dict(
        model=holder(
            **model.networks,
            **optimizers,
            **copies,
            step=model.step,
            first_bad_step=model.first_bad_step,
        ),
        best=holder(
            networks=kept, least_error=tf.Variable(0.5), step=tf.Variable(5, dtype="int64")
        ),
    )
    folder = tmp_path / "step-00000007"
    folder.mkdir()
    tf.train.Checkpoint(**old).write(str(folder / "model"))
    expected = {role: network.get_weights() for role, network in model.networks.items()}

    other = keras.models.clone_model(model)
    other.compile()
    fill(other, 9)
    found = BestAverages(other)
    assert Checkpoints(tmp_path, kept=5).restore(other, found) == 7
    assert (int(found.step.numpy()), held(found)) == (5, 3.0)
    for role, network in other.networks.items():
        for one, two in zip(network.get_weights(), expected[role], strict=True):
            np.testing.assert_array_equal(one, two)
    for role in other.roles:
        for weights in getattr(other, f"averaged_{role}").get_weights():
            np.testing.assert_array_equal(weights, 2.0)
