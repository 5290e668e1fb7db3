"""Networks that know a class: layers by hand, and what goes with all kinds of networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.labels import Classes
from logan.models.kernel_adamw import KernelAdamW
from logan.networks import convolutional, mlp, multi_scale, residual
from logan.networks.conditional import (
    LABEL_FEATURES,
    ClassEmbedding,
    ClassProjection,
    ConditionalNormalization,
    SpectralClassProjection,
)
from logan.networks.spectral import begin_update

LABELS = np.array([2, 0, 1, 2])
KINDS = {mlp: (3,), convolutional: (8, 8, 1), residual: (8, 8, 1)}
IMAGES = [convolutional, residual]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__.split(".")[-1])
of_images = pytest.mark.parametrize("kind", IMAGES, ids=lambda kind: kind.__name__.split(".")[-1])


def layer_of(normalization, gain, bias, shape=(None, 1)):
    layer = ConditionalNormalization(3, normalization)
    layer.build(shape, (None,))
    layer.class_gain.assign(np.reshape(gain, (3, -1)))
    layer.class_bias.assign(np.reshape(bias, (3, -1)))
    return layer


# Layers by hand.


def test_normalization_by_class_by_hand():
    """μ = 3 and σ² = 5 of 0, 2, 4, 6 over all classes; then γ_y · (h - 3) / √5 + β_y."""
    layer = layer_of("batch", [1, 10, 100], [0, 1, 2])
    h = tf.constant([[0.0], [2.0], [4.0], [6.0]])
    expected = [100 * -3 / 5**0.5 + 2, -1 / 5**0.5, 10 / 5**0.5 + 1, 100 * 3 / 5**0.5 + 2]
    made = layer(h, tf.constant(LABELS), training=True)
    np.testing.assert_allclose(made[:, 0], expected, rtol=1e-3)


def test_running_moments_are_shared_by_the_classes_and_taken_outside_of_training():
    """After one batch of mean 3 and variance 5: 0.9 · 0 + 0.1 · 3 and 0.9 · 1 + 0.1 · 5."""
    layer = layer_of("batch", [1, 1, 1], [0, 0, 7])
    layer(tf.constant([[0.0], [2.0], [4.0], [6.0]]), tf.constant([0, 0, 0, 0]), training=True)
    made = layer(tf.constant([[0.3], [0.3]]), tf.constant([1, 2]), training=False)
    np.testing.assert_allclose(made[:, 0], [0, 7], atol=1e-6)
    one = layer(tf.constant([[1.3]]), tf.constant([0]), training=False)
    np.testing.assert_allclose(one[:, 0], [1 / 1.4**0.5], rtol=1e-3)


def test_without_a_normalization_gain_and_bias_stand_alone_on_every_place():
    layer = layer_of("none", [[1, 2], [3, 4], [5, 6]], [[0, 1], [0, 1], [0, 1]], (None, 2, 2, 2))
    made = layer(tf.ones([2, 2, 2, 2]), tf.constant([2, 0]))
    np.testing.assert_array_equal(made[0], np.broadcast_to([5, 7], (2, 2, 2)))
    np.testing.assert_array_equal(made[1], np.broadcast_to([1, 3], (2, 2, 2)))


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_at_first_it_is_the_normalization_without_classes(normalization):
    h = tf.random.stateless_normal([4, 2, 2, 5], [1, 2])
    layer = ConditionalNormalization(3, normalization)
    plain = dict(batch=keras.layers.BatchNormalization, layer=keras.layers.LayerNormalization)
    expected = plain[normalization]()(
        h, **(dict(training=True) if normalization == "batch" else {})
    )
    np.testing.assert_allclose(layer(h, LABELS, training=True), expected, rtol=1e-4, atol=1e-5)


def test_projection_by_hand():
    layer = ClassProjection(3)
    layer.build((None, 2))
    layer.kernel.assign([[1, 2, 3], [10, 20, 30]])  # V_0 = (1, 10), V_1 = (2, 20), V_2 = (3, 30)
    h = tf.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.5]])
    np.testing.assert_allclose(layer(h, LABELS)[:, 0], [3, 10, 22, 12])


def test_spectral_normalization_covers_the_projection():
    layer = SpectralClassProjection(3)
    layer.build((None, 2))
    layer.kernel.assign([[3, 0, 0], [0, 5, 0]])
    for _ in range(60):
        begin_update(layer)
    h = tf.constant([[2.0, 4.0], [2.0, 4.0]])
    for training in (True, False):
        made = layer(h, np.array([0, 1]), training=training)
        np.testing.assert_allclose(made[:, 0], [6 / 5, 20 / 5], rtol=1e-5)
    assert layer.u.shape == (3,)


def test_embedding_gives_the_row_of_the_class():
    layer = ClassEmbedding(3, 2)
    layer.build((None,))
    assert np.abs(layer.class_features).max() <= 1
    layer.class_features.assign([[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(layer(LABELS), [[5, 6], [1, 2], [3, 4], [5, 6]])


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_out_of_range_gives_nan_in_its_example_alone(label):
    labels = np.array([0, label])
    projection, embedding = ClassProjection(3), ClassEmbedding(3, 2)
    normalization = layer_of("none", [1, 1, 1], [0, 0, 0])
    h = tf.ones([2, 1])
    for made in (projection(h, labels), embedding(labels), normalization(h, labels)):
        assert np.isfinite(made[0]).all()
        assert np.isnan(made[1]).all()


def test_second_derivatives_of_normalization_by_class():
    """Of (Σ h̃³)' along h, as a penalty takes them; the same in eager and compiled code."""
    layer = layer_of("batch", [1.0, 2.0, 3.0], [0.5, 0.0, -0.5])
    h = tf.constant([[0.3], [2.0], [4.5], [6.0]])

    def second(h):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(h)
                total = tf.reduce_sum(layer(h, tf.constant(LABELS), training=True) ** 3)
            slope = tf.reduce_sum(tf.square(inner.gradient(total, h)))
        return outer.gradient(slope, [layer.class_gain.value, layer.class_bias.value])

    eager, compiled = second(h), tf.function(second, jit_compile=True)(h)
    for one, other in zip(eager, compiled, strict=True):
        assert np.abs(one).min() > 1e-3
        np.testing.assert_allclose(one, other, rtol=1e-3)


def test_weight_decay_leaves_tables_of_classes_alone():
    network = mlp.Generator((3,), 2, width=4, hidden_layers=1, classes=3)
    normalization = layer_of("none", [1, 1, 1], [2, 2, 2])
    weights = [*network.trainable_variables, *normalization.trainable_variables]
    optimizer = KernelAdamW(0.1, weight_decay=0.5)
    optimizer.build(weights)
    before = [one.numpy() for one in weights]
    optimizer.apply_gradients([(tf.zeros(one.shape), one) for one in weights])
    for one, value in zip(weights, before, strict=True):
        kept = 0.95 if one.name == "kernel" else 1
        np.testing.assert_allclose(one, kept * value, rtol=1e-6, err_msg=one.path)
    assert {one.name for one in weights} > {"class_features", "class_gain", "class_bias"}


# Networks.


def pair(kind, **settings):
    shape = KINDS[kind]
    keras.utils.set_random_seed(3)
    return (
        kind.Generator(shape, 5, width=4, classes=3, **settings),
        kind.Discriminator(shape, 5, width=4, classes=3),
    )


@each_kind
def test_class_decides_what_is_made_and_its_logit(kind):
    generator, discriminator = pair(kind)
    for layer in generator._flatten_layers():
        if isinstance(layer, ConditionalNormalization):
            layer.class_gain.assign(layer.class_gain.value * [[1.0], [2.0], [3.0]])
    z = np.tile(np.linspace(-1, 1, 5, dtype=np.float32), (3, 1))
    made = generator(z, labels=np.arange(3)).numpy()
    assert all(np.abs(made[i] - made[j]).max() > 1e-3 for i, j in ((0, 1), (0, 2), (1, 2)))
    logits = discriminator(made[:1].repeat(3, axis=0), z, labels=np.arange(3)).numpy()
    assert len(np.unique(logits.round(6))) == 3
    with pytest.raises(ValueError, match="Expected labels"):
        generator(z)
    with pytest.raises(ValueError, match="Expected labels"):
        discriminator(made, z)
    with pytest.raises(ValueError, match="labels to be integers"):
        generator(z, labels=np.zeros(3, np.float32))


@each_kind
def test_logits_are_those_of_psi_and_of_the_projection(kind):
    _, discriminator = pair(kind)
    x, z = np.random.default_rng(0).normal(size=(4, *KINDS[kind])), np.zeros((4, 5))
    x = x.astype(np.float32)
    hidden, logits = discriminator.hidden_and_logits(x, z, labels=LABELS)
    last = discriminator.last_stack.layers[-1]
    vectors = discriminator.projection.kernel.numpy().T[LABELS]
    h = hidden.numpy()
    expected = h @ last.kernel.numpy() + last.bias.numpy()
    expected += (vectors * h).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(discriminator(x, z, labels=LABELS), logits, rtol=1e-5)


@each_kind
@pytest.mark.parametrize("length", [0, 5])
def test_a_classifier_stands_on_the_last_hidden_layer(kind, length):
    discriminator = kind.Discriminator(
        KINDS[kind], length, width=4, classes=3, projection=False, classifier=True
    )
    assert not discriminator.takes_labels
    inputs = [np.ones((4, *KINDS[kind]), np.float32), np.ones((4, 5), np.float32)][
        : 1 + (length > 0)
    ]
    hidden, logits = discriminator.hidden_and_logits(*inputs)
    expected = hidden @ discriminator.classifier.kernel + discriminator.classifier.bias
    np.testing.assert_allclose(discriminator.class_logits(*inputs), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(discriminator(*inputs), logits, rtol=1e-5)


@of_images
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(
    "settings", [dict(hierarchical_latents=True), dict(normalization="layer", attention_size=4)]
)
def test_it_goes_with_other_parts_and_precisions(kind, dtype, settings):
    generator, _ = pair(kind, dtype=dtype, **settings)
    made = generator(tf.ones([4, 5]), labels=LABELS, training=True)
    assert made.shape == (4, 8, 8, 1) and made.dtype == tf.float32
    assert np.isfinite(made).all()


@each_kind
def test_a_file_brings_back_networks_and_what_the_classes_are(kind, tmp_path):
    generator, discriminator = pair(kind)
    generator.known_classes = Classes.of(("a", "b", "c"), [1, 2, 5])
    generator.save(tmp_path / "g.keras")
    discriminator.save(tmp_path / "d.keras")
    same = keras.saving.load_model(tmp_path / "g.keras")
    assert same.known_classes == generator.known_classes and same.takes_labels
    z = np.ones((4, 5), np.float32)
    made = generator(z, labels=LABELS)
    np.testing.assert_array_equal(same(z, labels=LABELS), made)
    other = keras.saving.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(
        other(made, z, labels=LABELS), discriminator(made, z, labels=LABELS)
    )


@pytest.mark.parametrize("kind", [mlp, convolutional], ids=["mlp", "convolutional"])
def test_what_is_exported_takes_labels_by_name(kind, tmp_path):
    generator, _ = pair(kind)
    generator.export(tmp_path / "g", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "g")
    z = np.ones((4, 5), np.float32)
    given = dict(z=tf.constant(z), labels=tf.constant(LABELS))
    np.testing.assert_allclose(
        loaded.serve(given), generator(z, labels=LABELS), rtol=1e-5, atol=1e-6
    )
    alone = kind.Discriminator(KINDS[kind], 0, width=4, classes=3)
    alone.export(tmp_path / "d", verbose=False)
    x = np.ones((4, *KINDS[kind]), np.float32)
    given = dict(x=tf.constant(x), labels=tf.constant(LABELS))
    loaded = tf.saved_model.load(tmp_path / "d")
    np.testing.assert_allclose(loaded.serve(given), alone(x, labels=LABELS), rtol=1e-5, atol=1e-6)


def test_each_scale_has_a_projection_of_its_own():
    discriminator = multi_scale.MultiScaleDiscriminator(
        (16, 16, 1), 0, kind="convolutional", scales=2, width=4, classes=3
    )
    x = np.ones((4, 16, 16, 1), np.float32)
    half = np.ones((4, 8, 8, 1), np.float32)
    whole, small = discriminator.parts
    expected = (whole(x, labels=LABELS) + small(half, labels=LABELS)) / 2
    np.testing.assert_allclose(discriminator(x, labels=LABELS), expected, rtol=1e-5)
    again = type(discriminator).from_config(discriminator.get_config())
    assert again.takes_labels and again.classes == 3
    with pytest.raises(ValueError, match="several scales"):
        multi_scale.MultiScaleDiscriminator((16, 16, 1), 0, classes=3, classifier=True)


@each_kind
def test_without_classes_nothing_is_another(kind):
    generator, discriminator = (
        getattr(kind, role)(KINDS[kind], 5, width=4) for role in ("Generator", "Discriminator")
    )
    assert not generator.takes_labels and not discriminator.takes_labels
    for network in (generator, discriminator):
        assert not {"classes", "projection", "classifier"} & set(network.get_config())
    assert not any("class" in one.path for one in [*generator.weights, *discriminator.weights])


@pytest.mark.parametrize("classes", [1, -1, 2.5])
def test_numbers_that_are_none_of_classes_are_refused(classes):
    for role in ("Generator", "Discriminator"):
        with pytest.raises(ValueError, match="Expected classes to be 0, for none, or >= 2"):
            getattr(mlp, role)((3,), 2, classes=classes)


def test_embedding_stands_beside_z():
    generator = mlp.Generator((3,), 2, width=4, hidden_layers=1, classes=3)
    assert generator.stack.input_shape == (None, 2 + LABEL_FEATURES)
    z = np.ones((4, 2), np.float32)
    joined = np.concatenate([z, generator.embedding(LABELS)], axis=1)
    np.testing.assert_allclose(generator(z, labels=LABELS), generator.stack(joined), rtol=1e-6)
