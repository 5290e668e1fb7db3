import keras
import numpy as np
import pytest

from logan.networks.base import LeakyReLU
from logan.networks.mlp import Discriminator, Encoder, Generator, fourier_features

SIZES = [
    dict(data_shape=(2,), latent_length=2, width=8, hidden_layers=1),
    dict(data_shape=(1,), latent_length=1, width=4, hidden_layers=3),
    dict(data_shape=(5,), latent_length=3, width=6, hidden_layers=2),
]
NORMALIZED = [dict(normalization=kind) for kind in ("none", "batch", "synchronized_batch", "layer")]
each_size = pytest.mark.parametrize("size", SIZES)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def inputs_of(network, batch=4):
    x = numbers(batch, *network.data_shape)
    z = numbers(batch, network.latent_length, seed=1)
    if isinstance(network, Generator):
        return (z,)
    if isinstance(network, Encoder) or not network.latent_length:
        return (x,)
    return (x, z)


def networks():
    small = SIZES[2]
    return [
        *(Generator(**small, **extra) for extra in NORMALIZED),
        *(Encoder(**small, **extra) for extra in NORMALIZED),
        Encoder(**small, output_activation="tanh"),
        Discriminator(**small),
        Discriminator(**{**small, "latent_length": 0}),
    ]


each_network = pytest.mark.parametrize(
    "network",
    [pytest.param(net, id=f"{net.name}-{number}") for number, net in enumerate(networks())],
)


@each_size
def test_shapes(size):
    x, z = (4, *size["data_shape"]), (4, size["latent_length"])
    assert Generator(**size)(numbers(*z)).shape == x
    assert Encoder(**size)(numbers(*x)).shape == z
    assert Discriminator(**size)(numbers(*x), numbers(*z)).shape == (4, 1)
    assert Discriminator(**{**size, "latent_length": 0})(numbers(*x)).shape == (4, 1)


@each_size
def test_weights_are_those_of_the_layers_asked_for(size):
    (data,), latent, width = size["data_shape"], size["latent_length"], size["width"]
    inner = (size["hidden_layers"] - 1) * (width + 1) * width

    def count(before, after):
        return (before + 1) * width + inner + (width + 1) * after

    assert Generator(**size).count_params() == count(latent, data)
    assert Encoder(**size).count_params() == count(data, latent)
    assert Discriminator(**size).count_params() == count(data + latent, 1)


@each_network
def test_keras_file_keeps_settings_and_outputs(network, tmp_path):
    for weight in network.weights:  # so that no zero bias looks restored
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
    twin.set_weights(network.get_weights())
    inputs = inputs_of(network)
    np.testing.assert_array_equal(twin(*inputs), network(*inputs))


@each_network
def test_summary_counts_the_weights(network):
    lines = []
    network.summary(print_fn=lines.append)
    assert f"{network.count_params():,}" in "\n".join(lines)


def test_tanh_encoder_stays_in_the_prior_and_is_linear_otherwise():
    x = 1000 * numbers(4, 2)
    size = dict(width=8, hidden_layers=1)
    assert np.abs(Encoder(**size, output_activation="tanh")(x)).max() <= 1
    assert np.abs(Encoder(**size)(x)).max() > 1


def test_normalization_stands_before_each_activation():
    for kind, layer in [
        ("batch", keras.layers.BatchNormalization),
        ("layer", keras.layers.LayerNormalization),
    ]:
        layers = Generator(width=4, hidden_layers=2, normalization=kind).stack.layers
        places = [place for place, found in enumerate(layers) if isinstance(found, layer)]
        assert len(places) == 2
        assert all(isinstance(layers[p + 1], LeakyReLU) for p in places)


def test_logit_depends_on_its_own_example_alone():
    discriminator = Discriminator(**SIZES[0])
    x, z = numbers(4, 2), numbers(4, 2, seed=1)
    before = discriminator(x, z, training=True).numpy()
    x[1:], z[1:] = 100, -100
    after = discriminator(x, z, training=True).numpy()
    np.testing.assert_allclose(after[0], before[0], rtol=1e-6)
    assert (np.abs(after[1:] - before[1:]) > 1e-3).all()


def test_logit_depends_on_data_and_latent():
    discriminator = Discriminator(**SIZES[0])
    x, z = numbers(4, 2), numbers(4, 2, seed=1)
    logits = discriminator(x, z).numpy()
    assert not np.allclose(discriminator(x + 1, z), logits)
    assert not np.allclose(discriminator(x, z + 1), logits)


@pytest.mark.parametrize("network", [Generator, Encoder, Discriminator])
@pytest.mark.parametrize("name", ["data_shape", "latent_length", "width", "hidden_layers"])
@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_setting_that_is_no_positive_integer_is_refused(network, name, value):
    if network is Discriminator and (name, value) == ("latent_length", 0):
        assert network(latent_length=0).latent_length == 0  # a plain GAN's
        return
    with pytest.raises(ValueError, match=f"{name}.*positive integer"):
        network(**{name: (value,) if name == "data_shape" else value})


@pytest.mark.parametrize("network", [Generator, Encoder])
def test_unknown_normalization_is_refused(network):
    with pytest.raises(ValueError, match=r"normalization.*Received: 'group'"):
        network(normalization="group")


def test_config_of_version_0_2_is_read():
    """As its exports have it."""
    old = dict(name="averaged_encoder", trainable=False, data_length=3, latent_length=2, width=8)
    old |= dict(hidden_layers=1, normalization="none", output_activation="linear")
    network = Encoder.from_config(old)
    assert (network.data_shape, network.latent_length, network.trainable) == ((3,), 2, False)
    assert network(np.zeros([4, 3], np.float32)).shape == (4, 2)
    assert "data_length" in old  # the caller's own is left as it was


def test_fourier_features_by_hand():
    """At x = 1/2 the first octave has sin(π/2) and cos(π/2), the second sin π and cos π."""
    features = fourier_features(np.full((1, 1), 0.5, np.float32), octaves=2, scale=0.4)
    np.testing.assert_allclose(np.concatenate(features, axis=1), [[0.4, 0, 0, -0.2]], atol=1e-7)


def test_discriminator_sees_fourier_features_of_x_alone():
    network = Discriminator((3,), 2, width=4, hidden_layers=1, fourier_octaves=5)
    assert network.stack.layers[0].kernel.shape == (3 * 11 + 2, 4)
    assert network(numbers(6, 3), numbers(6, 2)).shape == (6, 1)
    twin = Discriminator.from_config(network.get_config())
    assert (twin.fourier_octaves, twin.fourier_scale) == (5, 0.1)
    of_x = Discriminator((3,), 0, width=4, hidden_layers=1, fourier_octaves=1)
    assert of_x.stack.layers[0].kernel.shape == (9, 4)
    plain = Discriminator((3,), 0, width=4, hidden_layers=1)
    np.testing.assert_array_equal(plain(numbers(6, 3)), plain.stack(numbers(6, 3)))


@pytest.mark.parametrize("settings", [dict(fourier_octaves=-1), dict(fourier_scale=0.0)])
def test_bad_fourier_settings_are_refused(settings):
    with pytest.raises(ValueError, match="fourier_octaves >= 0 and fourier_scale > 0"):
        Discriminator(**settings)
