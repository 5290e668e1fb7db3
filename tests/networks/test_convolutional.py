import dataclasses
import re

import keras
import numpy as np
import pytest

from logan.networks.base import NORMALIZATIONS
from logan.networks.convolutional import (
    IMAGE_SIZES,
    Discriminator,
    Encoder,
    Generator,
    levels_of,
)
from logan.settings import Experiment, preset

TINY = dict(data_shape=(8, 8, 3), latent_length=5, width=2)
NARROW = {**TINY, "dense_width": 6}


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def networks():
    return [
        *(Generator(**TINY, normalization=kind) for kind in NORMALIZATIONS),
        *(Encoder(**TINY, normalization=kind) for kind in NORMALIZATIONS),
        Discriminator(**NARROW),
        Discriminator(**{**NARROW, "latent_length": 0}),
    ]


def inputs_of(network):
    x, z = numbers(3, *network.data_shape), numbers(3, network.latent_length, seed=1)
    if isinstance(network, Generator):
        return (z,)
    if isinstance(network, Encoder) or not network.latent_length:
        return (x,)
    return (x, z)


each_network = pytest.mark.parametrize(
    "network",
    [pytest.param(net, id=f"{net.name}-{number}") for number, net in enumerate(networks())],
)


@pytest.mark.parametrize(
    ("image_size", "levels"), [(8, 1), (16, 2), (32, 3), (64, 4), (128, 5), (256, 6)]
)
def test_levels_of_the_paper(image_size, levels):
    assert levels_of(image_size) == levels


@pytest.mark.parametrize(("image_size", "channels"), [(8, 1), (16, 3), (32, 3), (64, 1)])
def test_shapes(image_size, channels):
    size = dict(data_shape=(image_size, image_size, channels), latent_length=5, width=1)
    x, z = numbers(2, image_size, image_size, channels), numbers(2, 5)
    assert Generator(**size)(z).shape == x.shape
    assert Encoder(**size)(x).shape == z.shape
    assert Discriminator(**size, dense_width=4)(x, z).shape == (2, 1)
    assert Discriminator(**{**size, "latent_length": 0}, dense_width=4)(x).shape == (2, 1)


def test_channels_double_three_times_then_stay():
    encoder = Encoder((128, 128, 3), 4, width=2)
    channels = [
        layer.filters for layer in encoder.stack.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    assert channels == [2, 4, 8, 16, 16]


def test_pixels_and_codes_lie_between_minus_one_and_one():
    generator, encoder = Generator(**TINY), Encoder(**TINY)
    assert np.abs(generator(1000 * numbers(4, 5), training=True)).max() <= 1
    assert np.abs(encoder(1000 * numbers(4, 8, 8, 3), training=True)).max() <= 1


@each_network
def test_keras_file_keeps_settings_and_outputs(network, tmp_path):
    for weight in network.weights:
        weight.assign(weight + 0.1)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert type(loaded) is type(network)
    assert loaded.get_config() == network.get_config()
    assert (loaded.data_shape, loaded.latent_length) == (network.data_shape, network.latent_length)
    inputs = inputs_of(network)
    np.testing.assert_array_equal(loaded(*inputs), network(*inputs))


@each_network
def test_config_makes_a_network_of_the_same_structure(network):
    twin = type(network).from_config(network.get_config())
    assert [w.shape for w in twin.weights] == [w.shape for w in network.weights]


@each_network
def test_summary_counts_the_weights(network):
    lines = []
    network.summary(print_fn=lines.append)
    assert f"{network.count_params():,}" in "\n".join(lines)


def test_logit_depends_on_its_own_example_alone():
    discriminator = Discriminator(**NARROW)
    x, z = numbers(4, 8, 8, 3), numbers(4, 5, seed=1)
    before = discriminator(x, z, training=True).numpy()
    x[1:], z[1:] = 100, -100
    after = discriminator(x, z, training=True).numpy()
    np.testing.assert_allclose(after[0], before[0], rtol=1e-5)
    assert (np.abs(after[1:] - before[1:]) > 1e-3).all()


def test_logit_depends_on_image_and_latent():
    discriminator = Discriminator(**NARROW)
    x, z = numbers(4, 8, 8, 3), numbers(4, 5, seed=1)
    logits = discriminator(x, z).numpy()
    assert not np.allclose(discriminator(x + 1, z), logits)
    assert not np.allclose(discriminator(x, z + 1), logits)


def test_batch_normalization_learns_the_batch_in_training_only():
    encoder = Encoder(**TINY, normalization="batch")
    before = [value.copy() for value in encoder.get_weights()]
    encoder(numbers(4, 8, 8, 3), training=False)
    for old, new in zip(before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    encoder(numbers(4, 8, 8, 3), training=True)
    changed = [
        weight.path.rsplit("/", 1)[-1]
        for old, weight in zip(before, encoder.weights, strict=True)
        if not np.array_equal(old, weight)
    ]
    assert changed == ["moving_mean", "moving_variance"]


@pytest.mark.parametrize("network", [Generator, Encoder, Discriminator])
@pytest.mark.parametrize("image_size", [0, 4, 20, 48, 512])
def test_image_size_that_cannot_be_halved_to_four_is_refused(network, image_size):
    with pytest.raises(ValueError, match=f"(image_size|data_shape).*Received: {image_size}"):
        network((image_size, image_size, 3))


@pytest.mark.parametrize("network", [Generator, Encoder, Discriminator])
@pytest.mark.parametrize("shape", [(8, 16, 3), (8, 8), (8, 8, 3, 1), (2,)])
def test_shape_that_is_not_of_square_images_is_refused(network, shape):
    with pytest.raises(ValueError, match=re.escape(f"(size, size, channels). Received: {shape}")):
        network(shape)


@pytest.mark.parametrize("network", [Generator, Encoder, Discriminator])
@pytest.mark.parametrize(
    ("name", "value"), [("width", 0), ("data_shape", (8, 8, 0)), ("data_shape", (8, 8, 2.5))]
)
def test_setting_that_is_no_positive_integer_is_refused(network, name, value):
    received = value[-1] if isinstance(value, tuple) else value
    with pytest.raises(ValueError, match=f"{name}.*Received: {received}"):
        network(**{**TINY, name: value})


def test_discriminator_of_a_negative_latent_length_is_refused():
    with pytest.raises(ValueError, match=r"latent_length.*Received: -1"):
        Discriminator(**{**TINY, "latent_length": -1})


@pytest.mark.parametrize("network", [Generator, Encoder])
def test_generator_or_encoder_without_latent_is_refused(network):
    with pytest.raises(ValueError, match=r"latent_length.*Received: 0"):
        network(**{**TINY, "latent_length": 0})


@pytest.mark.parametrize("network", [Generator, Encoder])
def test_unknown_normalization_is_refused(network):
    with pytest.raises(ValueError, match=r"normalization.*Received: 'group'"):
        network(**TINY, normalization="group")


def test_every_normalization_can_be_chosen():
    fields = {field.name: field for field in dataclasses.fields(Experiment)}
    assert fields["normalization"].metadata["choices"] == NORMALIZATIONS


@pytest.mark.parametrize("image_size", [4, 8, 12, 16, 32, 64, 100, 128, 256, 512])
def test_experiments_accept_the_image_sizes_of_the_networks(image_size):
    settings = dict(video=("street.mp4",), image_size=image_size)
    if image_size in IMAGE_SIZES:
        assert preset("traffic", settings).image_size == image_size
    else:
        with pytest.raises(ValueError, match="--image_size"):
            preset("traffic", settings)


def test_config_of_version_0_2_is_read():
    """As its exports have it."""
    old = dict(name="discriminator", image_size=8, channels=1, latent_length=3, width=4)
    network = Discriminator.from_config(dict(old, dense_width=16))
    assert (network.data_shape, network.latent_length) == ((8, 8, 1), 3)
    logits = network(np.zeros([2, 8, 8, 1], np.float32), np.zeros([2, 3], np.float32))
    assert logits.shape == (2, 1)
