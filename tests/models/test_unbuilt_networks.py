"""Keras networks of the usual kinds: built by the first batch, called as they take their inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp
from logan.penalties import pairwise_gradient

DATA, LATENT = 3, 2


class Plain(keras.Model):
    """Takes no arguments, is built by its first call, and does not take `training`."""

    def __init__(self, features=DATA):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="relu")
        self.dense = keras.layers.Dense(features)

    def call(self, inputs):
        return self.dense(self.hidden(inputs))


class NoArguments(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(DATA)

    def call(self, z):
        return self.dense(z)


class WithBuild(keras.Model):
    """Makes its weights in `build`."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], DATA), name="kernel")

    def call(self, z, training=None):
        return z @ self.kernel


class Traced(NoArguments):
    """Decorated, as in TensorFlow's own tutorials."""

    @tf.function
    def call(self, z):
        return self.dense(z)


class Joint(keras.Model):
    """D(x, z), built by its first call."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="relu")
        self.dense = keras.layers.Dense(1)

    def call(self, x, z):
        return self.dense(self.hidden(keras.ops.concatenate([x, z], axis=-1)))


class OneList(Joint):
    def call(self, inputs, training=False):
        x, z = inputs
        return super().call(x, z)


class OneListAndMore(Joint):
    def call(self, inputs, with_features=False, mask=None):
        assert not with_features
        return super().call(*inputs)


def functional(inputs, given):
    hidden = keras.layers.Concatenate()(inputs)
    return keras.Model(given, keras.layers.Dense(1)(hidden))


def of_list():
    inputs = [keras.Input((DATA,)), keras.Input((LATENT,))]
    return functional(inputs, inputs)


def of_dictionary(x_name, z_name, z_first=False):
    x, z = keras.Input((DATA,), name=x_name), keras.Input((LATENT,), name=z_name)
    given = {z_name: z, x_name: x} if z_first else {x_name: x, z_name: z}
    return functional([x, z], given)


def in_sequence():
    inputs = [keras.Input((DATA,)), keras.Input((LATENT,))]
    joined = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    return keras.Sequential([joined, keras.layers.Dense(1)])


GENERATORS = {
    "subclass": Plain,
    "no arguments": NoArguments,
    "build": WithBuild,
    "tf.function": Traced,
    "Sequential": lambda: keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(DATA)]),
}
DISCRIMINATORS = {
    "two parameters": Joint,
    "one list": OneList,
    "one list and more": OneListAndMore,
    "functional list": of_list,
    "functional dictionary": lambda: of_dictionary("x", "z"),
    "functional dictionary, other names": lambda: of_dictionary("image", "code", z_first=True),
    "Sequential of a functional one": in_sequence,
}


def encoder():
    return keras.Sequential([keras.Input((DATA,)), keras.layers.Dense(LATENT)])


def moved(model, before):
    return {
        role: any(
            (one != other).any()
            for one, other in zip(network.get_weights(), before[role], strict=True)
        )
        for role, network in model.networks.items()
    }


@pytest.mark.parametrize("kind", GENERATORS)
def test_generator_of_any_kind_is_built_by_the_first_batch(kind, x):
    model = BiGAN(GENERATORS[kind](), encoder(), Joint(), penalty_weight=0.1)
    model.compile(run_eagerly=kind != "tf.function")
    assert not model.built
    model.train_on_batch(x)
    before = {role: network.get_weights() for role, network in model.networks.items()}
    model.fit(x, batch_size=3, verbose=0)
    assert moved(model, before) == dict(generator=True, encoder=True, discriminator=True)
    assert int(model.step.numpy()) == 3
    z = np.ones((4, LATENT), np.float32)
    assert model.averaged_generator(z).shape == (4, DATA)


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_discriminator_of_any_kind_is_called_as_it_takes_its_inputs(kind, x):
    terms = ["pairwise:weight=0.5", "gradient"]
    model = BiGAN(
        encoder=encoder(),
        generator=Plain(),
        discriminator=DISCRIMINATORS[kind](),
        penalty_weight=0.0,
        terms=terms,
    )
    model.compile()
    logs = model.train_step(tf.constant(x))
    assert all(np.isfinite(value) for value in logs.values())
    assert logs["gradient_slope"] > 0
    assert logs["gradient_slope_2"] > 0


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_penalty_alone_calls_a_discriminator_as_it_takes_its_inputs(kind, x):
    z = np.ones((len(x), LATENT), np.float32)
    pair = pairwise_gradient(DISCRIMINATORS[kind](), x, z, x + 1.0)
    assert pair.gradient.shape == x.shape


@pytest.mark.parametrize("use", ["fit", "train_on_batch", "train_step", "graph", "call", "data"])
def test_every_first_use_builds(use, x):
    keras.utils.set_random_seed(2)
    model = BiGAN(Plain(), Plain(LATENT), Joint(), penalty_weight=0.0, seed=3)
    model.compile()
    if use == "fit":
        model.fit(x, batch_size=6, verbose=0)
    elif use == "data":
        model.fit(tf.data.Dataset.from_tensor_slices(x).batch(6), shuffle=False, verbose=0)
    elif use == "train_on_batch":
        model.train_on_batch(x)
    elif use == "call":
        assert model(x).shape == x.shape
        model.train_step(tf.constant(x))
    elif use == "graph":
        tf.function(model.train_step)(tf.constant(x))
    else:
        model.train_step(tf.constant(x))
    assert model.built
    assert int(model.step.numpy()) == 1
    assert {len(network.weights) for network in model.networks.values()} == {4}
    assert len(model.weights) == 2 + 3 * 4 + 2 * 4


def test_lengths_of_z_come_from_where_they_are_known(x):
    z = np.ones((1, 5), np.float32)
    called = Plain()
    called(z)
    of_input = keras.Sequential([keras.Input((7,)), keras.layers.Dense(DATA)])
    assert GAN(of_input, Plain(1)).latent_length == 7
    assert GAN(called, Plain(1)).latent_length == 5
    assert GAN(Plain(), Plain(1), latent_length=6).latent_length == 6
    from_encoder = BiGAN(Plain(), Plain(LATENT), Joint())
    from_encoder(x)
    assert from_encoder.latent_length == LATENT
    by_call = GAN(Plain(), Plain(1))
    by_call(z)
    assert by_call.latent_length == 5


def test_length_of_z_that_cannot_be_known_is_asked_for(x):
    model = GAN(NoArguments(), Plain(1))
    model.compile()
    with pytest.raises(ValueError, match=r"latent_length=.*generator.*NoArguments"):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match=r"latent_length=5, the generator's. Received: 4"):
        called = Plain()
        called(np.ones((1, 5), np.float32))
        GAN(called, Plain(1), latent_length=4)
    with pytest.raises(ValueError, match=r"latent_length >= 1. Received: 0"):
        GAN(Plain(), Plain(1), latent_length=0)


def test_gan_and_encoder_take_unbuilt_networks(x):
    gan = GAN(Plain(), Plain(1), latent_length=4, discriminator_steps=2)
    gan.compile(run_eagerly=True)
    gan.fit(x, verbose=0)
    assert gan.generator.weights[0].shape == (4, 4)
    alone = AdversarialEncoder(Plain(LATENT), Plain(1))
    alone.compile(run_eagerly=True)
    alone.fit(x, verbose=0)
    assert alone.averaged_encoder(x).shape == (6, LATENT)


class TakesLabels(Plain):
    takes_labels = True

    def call(self, inputs, labels=None):
        return super().call(inputs) + keras.ops.cast(labels, "float32")[:, None]


def test_unbuilt_networks_get_labels(x):
    model = GAN(TakesLabels(), Plain(1), latent_length=LATENT)
    model.compile(run_eagerly=True)
    model.fit(x, np.arange(6), verbose=0)
    z = np.zeros((2, LATENT), np.float32)
    none, one = (model.averaged_generator(z, labels=np.full(2, label)) for label in (0, 1))
    np.testing.assert_allclose(one, none + 1.0, rtol=1e-6)


class Broken(Plain):
    def call(self, inputs):
        return self.dense(keras.ops.reshape(inputs, (-1, 1000)))


class TwoOutputs(Plain):
    def call(self, inputs):
        return super().call(inputs), inputs


@pytest.mark.parametrize(
    ("role", "network"),
    [("generator", Broken), ("encoder", lambda: Broken(LATENT)), ("encoder", TwoOutputs)],
)
def test_network_that_fails_is_named(role, network, x):
    given = {"generator": Plain(), "encoder": encoder(), "discriminator": Joint(), role: network()}
    model = BiGAN(**given)
    model.compile()
    with pytest.raises(ValueError, match=f"the {role} \\({given[role].name}, "):
        model.fit(x, verbose=0)


def test_networks_that_are_none_or_the_same_are_refused():
    with pytest.raises(ValueError, match=r"keras\.Model as discriminator. Received: <function"):
        BiGAN(Plain(), encoder(), lambda x, z: x)
    same = Plain(LATENT)
    with pytest.raises(ValueError, match="own as generator and as encoder"):
        BiGAN(same, same, Joint())


def test_networks_of_equal_names_train_and_come_back(tmp_path, x):
    networks = [
        keras.Sequential([keras.Input((size,)), keras.layers.Dense(out)], name="model")
        for size, out in ((LATENT, DATA), (DATA, LATENT))
    ]
    model = BiGAN(*networks, mlp.Discriminator((DATA,), LATENT, width=4, name="model"))
    model.compile(run_eagerly=True)
    model.fit(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["subclass", "build", "tf.function"])
def test_averages_of_any_kind_are_those_of_the_weights(kind, x):
    """With a decay of 0 the averages are the weights, with one of nearly 1 what they began with."""
    for decay in (0.0, 1 - 1e-6):
        model = BiGAN(GENERATORS[kind](), encoder(), Joint(), average_decay=decay)
        model.compile(generator_optimizer=keras.optimizers.SGD(1.0), run_eagerly=True)
        z = np.random.default_rng(1).normal(size=(4, LATENT)).astype(np.float32)
        model(x)
        before = np.asarray(model.averaged_generator(z))
        np.testing.assert_allclose(before, model.generator(z), rtol=1e-5, atol=1e-6)
        model.train_on_batch(x)
        after = np.asarray(model.averaged_generator(z))
        np.testing.assert_allclose(model.averaged_generator.predict(z, verbose=0), after, rtol=1e-5)
        assert np.abs(np.asarray(model.generator(z)) - before).max() > 1e-4
        if decay == 0.0:  # (1 + t) / (10 + t) after t = 1 step is larger, and the minimum counts
            np.testing.assert_allclose(after, model.generator(z), rtol=1e-5, atol=1e-6)
        else:
            assert np.abs(after - np.asarray(model.generator(z))).max() > 1e-5
            assert np.abs(after - before).max() > 1e-5


@pytest.mark.parametrize("kind", ["subclass", "Sequential"])
def test_averaged_generator_is_saved_and_exported_with_its_averages(kind, tmp_path, x):
    model = BiGAN(GENERATORS[kind](), encoder(), Joint())
    model.compile(generator_optimizer=keras.optimizers.SGD(1.0), run_eagerly=True)
    model.fit(x, verbose=0)
    z = np.random.default_rng(1).normal(size=(4, LATENT)).astype(np.float32)
    expected, own = np.asarray(model.averaged_generator(z)), np.asarray(model.generator(z))
    assert np.abs(expected - own).max() > 1e-5
    model.averaged_generator.export(tmp_path / "averaged", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "averaged"))
    np.testing.assert_allclose(served.serve(tf.constant(z)), expected, rtol=1e-5, atol=1e-6)
    model.averaged_generator.save_weights(tmp_path / "averaged.weights.h5")
    other = GENERATORS[kind]()
    other(z)
    other.load_weights(tmp_path / "averaged.weights.h5")
    np.testing.assert_array_equal(other(z), expected)
    if kind == "Sequential":
        model.averaged_generator.save(tmp_path / "averaged.keras")
        again = keras.saving.load_model(tmp_path / "averaged.keras")
        np.testing.assert_array_equal(again(z), expected)
    np.testing.assert_array_equal(model.generator(z), own)


@keras.saving.register_keras_serializable(package="tests")
class Savable(keras.Model):
    def __init__(self, features, **settings):
        super().__init__(**settings)
        self.features = features
        self.dense = keras.layers.Dense(features)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {**super().get_config(), "features": self.features}


def test_model_of_unbuilt_networks_comes_back_trained_or_not(tmp_path, x):
    model = BiGAN(Savable(DATA), Savable(LATENT), of_list())
    model.compile(run_eagerly=True)
    with pytest.warns(UserWarning, match="not yet been built"):
        model.save(tmp_path / "new.keras")
    model.fit(x, verbose=0)
    model.save(tmp_path / "trained.keras")
    loaded = keras.saving.load_model(tmp_path / "trained.keras")
    assert len(loaded.weights) == len(model.weights)
    for each in (model, loaded):
        each.fit(x, batch_size=6, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    new = keras.saving.load_model(tmp_path / "new.keras")
    new.fit(x, verbose=0)
    assert int(new.step.numpy()) == 1


@pytest.mark.parametrize("unsavable", [NoArguments, Traced])
def test_network_that_keras_could_not_load_again_is_refused_when_it_is_saved(
    unsavable, tmp_path, x
):
    model = BiGAN(unsavable(), encoder(), of_list())
    model.compile(run_eagerly=True)
    model.fit(x, verbose=0)
    with pytest.raises(ValueError, match=r"generator that can be made again.*save_weights"):
        model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    again = BiGAN(unsavable(), encoder(), of_list())
    again.compile()
    again(x)
    again.load_weights(tmp_path / "model.weights.h5")
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
