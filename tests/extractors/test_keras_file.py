import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.errors import UserError
from logan.extractors import make_extractor
from logan.extractors.keras_file import KerasFile
from logan.metrics.fidelity import inception_score


@keras.saving.register_keras_serializable(package="test_keras_file")
class Squared(keras.layers.Layer):
    def call(self, x):
        return x * x


@keras.saving.register_keras_serializable(package="test_keras_file")
class Whole(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(2)

    def call(self, x):
        return self.dense(x)


@pytest.fixture
def save(tmp_path):
    def save(*layers, shape=(6, 6, 3), name="model.keras"):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input(shape), *layers])
        model.save(tmp_path / name)
        return str(tmp_path / name), model

    return save


def noise(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def classifier():
    return [
        keras.layers.Conv2D(4, 3, name="maps"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(5, name="features"),
        keras.layers.Dense(7, activation="softmax", name="classes"),
    ]


def test_layer_called_features_is_taken_and_the_last_one_gives_probabilities(save):
    path, model = save(*classifier())
    network, images = make_extractor(path), noise(40, 6, 6, 3)
    expected = keras.Model(model.inputs[0], model.get_layer("features").output)(images)
    np.testing.assert_allclose(network(images), expected, atol=1e-6)
    np.testing.assert_allclose(network.probabilities(images), model(images), atol=1e-6)
    assert inception_score(network.probabilities(images))[0] > 1
    assert network.name == "features of model.keras (not FID)"
    assert not network.is_fid


def test_chosen_maps_are_averaged_over_places(save):
    path, model = save(*classifier())
    network, images = make_extractor(f"{path}:layer=maps"), noise(2, 6, 6, 3)
    maps = model.get_layer("maps")(images).numpy()
    np.testing.assert_allclose(network(images), maps.mean(axis=(1, 2)), atol=1e-6)
    assert network.name == "maps of model.keras (not FID)"


def test_output_is_taken_where_no_layer_is_called_features(save):
    path, model = save(keras.layers.Flatten(), keras.layers.Dense(3))
    network, images = make_extractor(path), noise(2, 6, 6, 3)
    np.testing.assert_allclose(network(images), model(images), atol=1e-6)
    assert network.name == "model.keras (not FID)"
    with pytest.raises(UserError, match="Expected an extractor with a classifier"):
        network.probabilities(images)


def test_images_of_another_size_are_scaled_and_grey_ones_coloured(save):
    path, model = save(keras.layers.Flatten(), keras.layers.Dense(3))
    grey = noise(2, 15, 11, 1)
    scaled = tf.image.resize(np.repeat(grey, 3, axis=-1), (6, 6), antialias=True)
    np.testing.assert_allclose(make_extractor(path)(grey), model(scaled), atol=1e-6)


def test_models_without_a_size_see_images_as_they_are(save):
    path, _ = save(keras.layers.GlobalAveragePooling2D(), shape=(None, None, 1))
    network = make_extractor(path)
    for images in (noise(2, 5, 9, 1), noise(3, 12, 4, 1)):
        np.testing.assert_allclose(network(images), images.mean(axis=(1, 2)), atol=1e-6)
    with pytest.raises(UserError, match=r"--extractor: expected images of 1 channel.*Received: 3"):
        network.check_shape(5, 5, 3)


@pytest.mark.parametrize(
    ("layer", "setting", "expected"),
    [
        (keras.layers.Identity(), "", [-1, -0.2, 1]),
        (keras.layers.Identity(), ":range=-1..1", [-1, -0.2, 1]),
        (keras.layers.Identity(), ":range=0..1", [0, 0.4, 1]),
        (keras.layers.Identity(), ":range=0..255", [0, 102, 255]),
        (keras.layers.Rescaling(1 / 255), "", [0, 0.4, 1]),
        (keras.layers.Rescaling(1 / 127.5, -1), "", [-1, -0.2, 1]),
        (keras.layers.Rescaling([1 / 128], -1), "", [-1, 102 / 128 - 1, 255 / 128 - 1]),
        (keras.layers.Rescaling(2, -1), "", [-1, -0.2, 1]),
        (keras.layers.Rescaling(0.5, 0.5), "", [0, 0.4, 1]),
        (keras.layers.Rescaling(2, -1), ":range=0..255", [-1, 203, 509]),
    ],
)
def test_range_of_the_model_is_stated_or_that_of_its_rescaling(save, layer, setting, expected):
    path, _ = save(layer, keras.layers.Flatten(), shape=(1, 3, 1))
    images = np.array([-1, -0.2, 1]).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(make_extractor(path + setting)(images)[0], expected, atol=1e-4)


def test_float16_models_give_float32(save):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        path, _ = save(keras.layers.Flatten(), keras.layers.Dense(3))
    finally:
        keras.config.set_dtype_policy("float32")
    assert make_extractor(path)(noise(2, 6, 6, 3)).dtype == np.float32


def test_registered_layers_are_found(save):
    path, _ = save(Squared(), keras.layers.GlobalAveragePooling2D())
    images = noise(2, 6, 6, 3)
    np.testing.assert_allclose(
        make_extractor(path)(images), (images**2).mean(axis=(1, 2)), atol=1e-6
    )


@pytest.mark.parametrize(
    ("layers", "shape", "setting", "message"),
    [
        (classifier(), (6, 6, 3), ":layer=maps2", "a layer of maps, flat, features, classes"),
        (classifier(), (6, 6, 3), ":size=3", "expected one of layer, range with .*: size"),
        (classifier(), (6, 6, 3), ":range=1..2", "range=-1..1 or 0..1 or 0..255. Received: 1..2"),
        ([keras.layers.Dense(3)], (4,), "", "one input .*Received: .None, 4."),
        ([keras.layers.Flatten()], (6, 6, 2), "", r"one input .*6, 2\)"),
        ([keras.layers.Reshape((4, 27))], (6, 6, 3), "", r"batch, features.*None, 4, 27"),
        (
            [keras.layers.Rescaling(3.0)],
            (6, 6, 3),
            "",
            "or else :range=… behind the path.*scale 3.0",
        ),
        ([keras.layers.Rescaling(3e38, 3e38)], (6, 6, 3), ":range=0..255", "finite features"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_models_and_settings_that_do_not_fit_are_refused(save, layers, shape, setting, message):
    path, _ = save(*layers, shape=shape)
    with pytest.raises(UserError, match=f"--extractor: .*{message}"):
        make_extractor(path + setting)


def test_models_of_several_inputs_or_outputs_are_refused(tmp_path):
    image, other = keras.Input((6, 6, 3)), keras.Input((6, 6, 3))
    path = tmp_path / "two.keras"
    keras.Model([image, other], keras.layers.Add()([image, other])).save(path)
    with pytest.raises(UserError, match=r"one input .*two\.keras"):
        KerasFile(path)
    flat = keras.layers.Flatten(name="flat")(image)
    keras.Model(image, [flat, image]).save(path)
    with pytest.raises(UserError, match=r"one output, or :layer=NAME.*two\.keras.*2 outputs"):
        KerasFile(path)
    assert KerasFile(path, "flat")(noise(2, 6, 6, 3)).shape == (2, 108)


def test_subclassed_models_are_taken_as_a_whole(tmp_path):
    model, images = Whole(), noise(3, 6, 6, 3)
    expected = model(images).numpy()
    model.save(tmp_path / "whole.keras")
    network = KerasFile(tmp_path / "whole.keras")
    np.testing.assert_allclose(network(images), expected.mean(axis=(1, 2)), atol=1e-6)
    with pytest.raises(UserError, match=r"a layer of .*whole\.keras.*Received: dense"):
        KerasFile(tmp_path / "whole.keras", "dense")


def test_subclassed_models_that_hide_the_shape_of_their_input_are_refused(tmp_path):
    model = Whole()
    model.dense.build((None, 3))
    model.built = True
    model.save(tmp_path / "whole.keras")
    with pytest.raises(UserError, match=r"shape of its one input in .*whole\.keras.*a Whole with"):
        KerasFile(tmp_path / "whole.keras")


def test_what_could_run_any_program_or_is_not_known_is_refused_with_the_way_out(save):
    path, _ = save(keras.layers.Lambda(lambda x: x))
    with pytest.raises(UserError, match=r"--extractor: .*model\.keras.*Lambda layers can run any"):
        make_extractor(path)
    path, _ = save(Squared())
    registered = keras.saving.get_custom_objects()
    own = registered.pop("test_keras_file>Squared")
    try:
        with pytest.raises(
            UserError, match=r"--extractor: .*model\.keras.*--plugins names.*Squared"
        ):
            make_extractor(path)
    finally:
        registered["test_keras_file>Squared"] = own


def test_a_file_that_was_cut_off_is_refused(save, tmp_path):
    path, _ = save(*classifier())
    whole = (tmp_path / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"model\.keras, which is not a \.keras file"):
        make_extractor(path)
