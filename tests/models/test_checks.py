"""What the first batch shows to be wrong, told before the first step."""

import re
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from logan.models.bigan import BiGAN
from logan.models.checks import check_first_batch
from logan.models.gan import GAN
from logan.terms import Term

FEATURES, LATENT = 3, 2
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.9, 0.9, (8, FEATURES)).astype(np.float32)
IMAGES = RNG.uniform(-0.9, 0.9, (4, 8, 8, 1)).astype(np.float32)


def network(inputs, outputs, *last, name=None, **settings):
    return keras.Sequential(
        [keras.Input((inputs,)), layers.Dense(outputs, **settings), *last], name=name
    )


def joint(*between, features=FEATURES, latent=LATENT, outputs=1):
    """D(x, z) with some layers before its last one."""
    x, z = keras.Input((features,)), keras.Input((latent,))
    hidden = layers.Dense(16, "tanh")(layers.Concatenate()([x, z]))
    for layer in between:
        hidden = layer(hidden)
    return keras.Model([x, z], layers.Dense(outputs)(hidden), name="judge")


def bigan(generator=None, encoder=None, discriminator=None, **settings):
    keras.utils.set_random_seed(0)
    model = BiGAN(
        generator or network(LATENT, FEATURES, name="maker"),
        encoder or network(FEATURES, LATENT, name="reader"),
        discriminator or joint(),
        **settings,
    )
    model.compile()
    return model


def of_images(activation=None, *last, discriminator=None):
    """A GAN of images of 8 x 8 pixels."""
    keras.utils.set_random_seed(0)
    generator = network(
        LATENT, 64, layers.Reshape((8, 8, 1)), *last, activation=activation, name="maker"
    )
    model = GAN(
        generator,
        discriminator
        or keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)]),
    )
    model.compile()
    return model


def told(model, data):
    """The first line of the error that `fit` gives, which must be its only one."""
    with pytest.raises(ValueError) as caught:
        model.fit(data, verbose=0, shuffle=False)
    assert "\n" not in str(caught.value)
    assert int(model.step.numpy()) == 0
    return str(caught.value)


def warned(model, data):
    with pytest.warns(UserWarning) as caught:
        check_first_batch(model, data)
    (one,) = caught
    return str(one.message)


def is_silent(model, data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_first_batch(model, data)
    return True


# Values.


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_data_that_are_not_finite_are_refused_before_the_first_step(value):
    data = X.copy()
    data[5, 1] = value
    message = told(bigan(), data)
    assert "NaN or infinity in 1 of 8 examples, the first of them number 5" in message
    message = told(bigan(), tf.data.Dataset.from_tensor_slices(data).batch(4).skip(1))
    assert "in 1 of 4 examples, the first of them number 1" in message


def test_arrays_are_looked_at_as_a_whole():
    data = np.tile(X, (10, 1))
    data[77] = np.nan
    with pytest.raises(ValueError, match="in 1 of 80 examples, the first of them number 77"):
        bigan().fit(data, batch_size=8, shuffle=False, verbose=0)


# Ranges.


@pytest.mark.parametrize(
    ("activation", "last", "data", "expected"),
    [
        ("tanh", (), 127.5 * (IMAGES + 1), r"\[-1, 1\].*12\.\d+ to 24\d.*x / 127\.5 - 1"),
        ("sigmoid", (), IMAGES, r"\[0, 1\].*-0\.9 to 0\.9.*as 0\.5 x \+ 0\.5|x / 2 \+ 0\.5"),
        (None, (layers.Activation("tanh"),), 3 * IMAGES, r"\[-1, 1\]\. Received: -2\."),
        ("relu", (), IMAGES, r"\[0, ∞\]"),
        ("tanh", (layers.Rescaling(0.5, 0.5),), 255 * abs(IMAGES), r"\[0, 1\].*x / 255"),
    ],
    ids=["pixels", "sigmoid", "standardized", "relu", "rescaled"],
)  # fmt: skip
def test_data_that_the_generator_cannot_make_are_refused(activation, last, data, expected):
    model = of_images(activation, *last)
    with pytest.raises(
        ValueError, match=f"data x in the range of the generator 'maker', .*{expected}"
    ):
        check_first_batch(model, data.astype(np.float32))


@pytest.mark.parametrize(
    ("activation", "last", "data", "expected"),
    [
        ("tanh", (), abs(IMAGES), r"as of data in \[0, 1\].*2 x - 1"),
        ("tanh", (), 1.1 * IMAGES / 0.9, "some of which it cannot make"),
        ("sigmoid", (layers.Rescaling(255.0),), abs(IMAGES), r"\[0, 255\].*small part.*255 x"),
        (None, (), 255 * abs(IMAGES), r"as of pixels in \[0, 255\]"),
    ],
    ids=["unit", "overshoot", "small", "linear"],
)
def test_data_that_look_like_those_of_another_range_are_told(activation, last, data, expected):
    message = warned(of_images(activation, *last), data.astype(np.float32))
    assert re.search(expected, message)


@pytest.mark.parametrize(
    ("activation", "last", "data"),
    [
        ("tanh", (), IMAGES),
        ("sigmoid", (), abs(IMAGES)),
        ("sigmoid", (layers.Rescaling(255.0),), 255 * abs(IMAGES)),
        (None, (), 3 * IMAGES),
        ("silu", (), 3 * IMAGES),
    ],
    ids=["tanh", "sigmoid", "pixels", "linear", "own"],
)
def test_data_in_the_generators_range_are_taken_in_silence(activation, last, data):
    assert is_silent(of_images(activation, *last), data.astype(np.float32))


class Own(keras.Model):
    """A generator whose last layers cannot be seen: the function ends it."""

    def __init__(self, function, **settings):
        super().__init__(**settings)
        self.dense, self.function = layers.Dense(FEATURES), function
        self.dense.build((None, LATENT))
        self.latent_length, self.built = LATENT, True

    def call(self, z, training=None):
        return self.function(self.dense(z))

    def get_config(self):
        return {**super().get_config(), "function": self.function}


@pytest.mark.parametrize(
    ("function", "data"),
    [(tf.tanh, 100 * X), (tf.sigmoid, X), (lambda h: 127.5 * (tf.tanh(h) + 1), X)],
    ids=["tanh", "sigmoid", "pixels"],
)
def test_the_range_of_a_generator_of_ones_own_is_seen_by_its_outputs(function, data):
    model = GAN(Own(function, name="maker"), network(FEATURES, 1))
    model.compile()
    with pytest.raises(ValueError, match="range of the generator 'maker'"):
        check_first_batch(model, data)
    model = GAN(Own(tf.identity), network(FEATURES, 1))
    assert is_silent(model, data)


@pytest.mark.parametrize(
    ("activation", "prior", "expected"),
    [
        ("tanh", "normal", r"prior N\(0, 1\).*\[-1, 1\] only"),
        ("sigmoid", "uniform", r"prior U\[-1, 1\].*\[0, 1\] only"),
        ("tanh", "uniform", None),
        (None, "normal", None),
    ],
)
def test_encoders_that_cannot_reach_the_prior_are_told(activation, prior, expected):
    model = bigan(encoder=network(FEATURES, LATENT, activation=activation, name="r"), prior=prior)
    if expected is None:
        assert is_silent(model, X)
    else:
        assert re.search(f"the encoder 'r' .*{expected}", warned(model, X))


# Shapes.


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        (dict(encoder=network(FEATURES, 5, name="e")),
         r"encoder 'e' to give z of shape \(2,\), as the generator 'maker'.*Received: \(5,\)"),
        (dict(generator=network(LATENT, 4, name="g")),
         r"generator 'g' to give samples of the data's shape \(3,\). Received: \(4,\)"),
        (dict(generator=network(LATENT, 3, layers.Reshape((3, 1)), name="g")),
         r"data's shape \(3,\). Received: \(3, 1\)"),
        (dict(encoder=network(7, LATENT, name="e")),
         r"encoder 'e' to take x of shape \(3,\). Received: one for \(7,\)"),
        (dict(discriminator=joint(features=4)),
         r"discriminator 'judge' to take x of shape \(3,\). Received: one for \(4,\)"),
        (dict(discriminator=joint(latent=6)),
         r"discriminator 'judge' to take z of shape \(2,\). Received: one for \(6,\)"),
        (dict(discriminator=joint(outputs=2)),
         r"discriminator 'judge' to give one logit per example.*\[8, 2\] for 8 examples"),
        (dict(discriminator=network(FEATURES, 1, name="d")),
         r"discriminator 'd' to have the inputs x and z"),
    ],
    ids=["z", "x", "rank", "encoder", "joint x", "joint z", "logits", "inputs"],
)  # fmt: skip
def test_networks_that_do_not_fit_are_named_with_both_shapes(networks, expected):
    with pytest.raises(ValueError, match=expected):
        check_first_batch(bigan(**networks), X)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (np.zeros((4, 8, 8, 3), np.float32), r"'maker'.*\(8, 8, 3\). Received: \(8, 8, 1\)"),
        (np.zeros((4, 16, 16, 1), np.float32), r"'maker'.*\(16, 16, 1\). Received: \(8, 8, 1\)"),
        (np.zeros((4, 64), np.float32), r"'maker'.*\(64,\). Received: \(8, 8, 1\)"),
    ],
)
def test_images_that_do_not_fit_are_told_in_one_line_by_fit(data, expected):
    assert re.search(expected, told(of_images(), data))


def test_a_map_of_logits_is_refused():
    patches = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 3, 2)], name="patches")
    with pytest.raises(ValueError, match=r"'patches' to give one logit.*\[4, 3, 3, 1\] for 4"):
        check_first_batch(of_images(discriminator=patches), IMAGES)


def test_a_network_of_ones_own_that_fails_is_named():
    generator = Own(lambda h: tf.reshape(h, [-1, 5]), name="maker")
    model = GAN(generator, network(FEATURES, 1))
    with pytest.raises(
        ValueError, match=r"generator 'maker' to take z of shape \(8, 2\)\. Received"
    ):
        check_first_batch(model, X)


# Examples that act on each other.


class Centred(layers.Layer):
    """Features less their means over the batch."""

    def call(self, h):
        return h - tf.reduce_mean(h, axis=0, keepdims=True)


class Deviation(layers.Layer):
    """Features beside the batch's standard deviation, as in a progressive GAN."""

    def call(self, h):
        spread = tf.reduce_mean(tf.math.reduce_std(h, axis=0))
        return tf.concat([h, tf.fill([tf.shape(h)[0], 1], spread)], axis=1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)


MIXING = {
    "batch normalization": lambda: layers.BatchNormalization(name="bn"),
    "nested": lambda: keras.Sequential(
        [keras.Input((16,)), layers.Dense(4), layers.BatchNormalization(name="bn")]
    ),
    "own": lambda: Centred(name="bn"),
    "deviation": lambda: Deviation(name="bn"),
}


@pytest.mark.parametrize("kind", MIXING)
@pytest.mark.parametrize("penalty", ["pairwise", "gradient"])
def test_layers_that_mix_examples_are_refused_under_a_penalty(kind, penalty):
    model = bigan(discriminator=joint(MIXING[kind]()), penalty_weight=0.0, terms=[penalty])
    with pytest.raises(ValueError, match="'judge', whose layer 'bn' "):
        check_first_batch(model, X)


@pytest.mark.parametrize("kind", ["batch normalization", "own"])
def test_without_a_penalty_they_are_taken(kind):
    discriminator = joint(MIXING[kind]())
    assert is_silent(bigan(discriminator=discriminator, penalty_weight=0.0), X)


HARMLESS = {
    "layer normalization": lambda: layers.LayerNormalization(),
    "dropout": lambda: layers.Dropout(0.5),
    "noise": lambda: layers.GaussianNoise(1.0),
    "spectral": lambda: layers.SpectralNormalization(layers.Dense(4)),
    "frozen": lambda: layers.BatchNormalization(trainable=False),
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_layers_that_look_at_one_example_are_taken(kind):
    assert is_silent(bigan(discriminator=joint(HARMLESS[kind]())), X)


class OwnDiscriminator(keras.Model):
    """D(x) that compares with the batch in its own call."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.dense = layers.Dense(1)
        self.dense.build((None, FEATURES))
        self.built = True

    def call(self, x, training=None):
        return self.dense(tf.abs(x - tf.reduce_mean(x, axis=0)))


def test_a_discriminator_that_mixes_by_itself_is_refused():
    model = GAN(network(LATENT, FEATURES), OwnDiscriminator(name="d"), terms=["gradient"])
    with pytest.raises(ValueError, match="'d', in which the examples of a batch act on each other"):
        check_first_batch(model, X)


@pytest.mark.parametrize("layer", [layers.BatchNormalization, layers.LayerNormalization])
def test_one_example_alone_is_judged_by_the_kinds_of_layers(layer):
    model = bigan(discriminator=joint(layer(name="bn")))
    if layer is layers.LayerNormalization:
        assert is_silent(model, X[:1])
    else:
        with pytest.raises(ValueError, match="whose layer 'bn' "):
            check_first_batch(model, X[:1])


class OnSide(Term):
    """A term of a user's own, on D's side."""

    def __call__(self, update):
        return 0.0, {}


class Harmless(OnSide):
    needs_separate_examples = False


def test_a_term_of_ones_own_is_told_unless_it_says_that_it_does_not_matter():
    settings = dict(discriminator=joint(MIXING["batch normalization"]()), penalty_weight=0.0)
    message = warned(bigan(**settings, terms=[OnSide()]), X)
    assert re.search(r"for OnSide, .* layer 'bn' .*needs_separate_examples = False", message)
    assert is_silent(bigan(**settings, terms=[Harmless()]), X)


# What the checks leave alone.


def gan(generator=None, discriminator=None, **settings):
    keras.utils.set_random_seed(3)
    model = GAN(
        generator or network(LATENT, FEATURES), discriminator or network(FEATURES, 1), **settings
    )
    model.compile()
    return model


def test_the_checks_change_nothing():
    """Counters, moving averages, seeds of dropout and what comes of the training."""
    results = []
    for is_on in (True, False):
        keras.utils.set_random_seed(3)
        generator = network(LATENT, FEATURES, layers.BatchNormalization())
        discriminator = network(FEATURES, 4, layers.Dropout(0.5, seed=2), layers.Dense(1))
        model = gan(generator, discriminator, terms=["gradient"])
        model.checks_first_batch = is_on
        data = tf.data.Dataset.from_tensor_slices(np.tile(X, (3, 1))).shuffle(24, seed=1).batch(8)
        model.fit(data, verbose=0, shuffle=False)
        assert model.is_checked == is_on
        results.append([tf.convert_to_tensor(value).numpy() for value in model.variables])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("steps_per_execution", "batches"), [(1, 2), (3, 5)])
def test_every_batch_is_trained_on_once(steps_per_execution, batches):
    model = gan()
    model.compile(steps_per_execution=steps_per_execution)
    data = tf.data.Dataset.from_tensors(X).repeat(batches)
    for fits in (1, 2):
        model.fit(data, verbose=0, shuffle=False)
        assert int(model.step.numpy()) == fits * batches


def test_single_batches_and_generators_are_checked_and_trained_on():
    model = gan()
    model.train_on_batch(X)
    model.fit(((X,) for _ in range(3)), steps_per_epoch=3, verbose=0, shuffle=False)
    assert int(model.step.numpy()) == 4
    with pytest.raises(ValueError, match="NaN or infinity in 8 of 8"):
        gan().train_on_batch(X * np.nan)


def test_each_training_is_checked_anew():
    model = of_images("tanh")
    model.fit(IMAGES, verbose=0, shuffle=False)
    with pytest.raises(ValueError, match=r"range of the generator 'maker', \[-1, 1\]"):
        model.fit(255 * abs(IMAGES), verbose=0, shuffle=False)
