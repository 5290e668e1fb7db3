"""Steps of conditional models, and what of classes is refused before them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan import losses
from logan.labels import Classes
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.models.self_conditioned import SelfConditionedGAN
from logan.networks import convolutional, mlp
from logan.penalties import pairwise_gradient_penalty
from logan.randomness import Purpose, key, latents, uniform
from logan.terms import AuxiliaryClassifier

DATA, LATENT, RATE = 3, 2, 0.1
SIZE = dict(width=4, hidden_layers=1)
LABELS = np.array([2, 0, 1, 1, 2, 0])


def model_of(kind, of_d=None, **settings):
    keras.utils.set_random_seed(1)
    networks = [mlp.Generator((DATA,), LATENT, classes=3, **SIZE)]
    networks += [mlp.Encoder((DATA,), LATENT, **SIZE)] if kind is BiGAN else []
    length = LATENT if kind is BiGAN else 0
    networks += [mlp.Discriminator((DATA,), length, classes=3, **SIZE, **(of_d or {}))]
    model = kind(*networks, seed=5, **settings)
    roles = (*model.roles, "discriminator")
    model.compile(**{f"{role}_optimizer": keras.optimizers.SGD(RATE) for role in roles})
    return model


def descend(loss, tape, *networks):
    weights = [network.trainable_variables for network in networks]
    for own, gradients in zip(weights, tape.gradient(loss, weights), strict=True):
        for weight, gradient in zip(own, gradients, strict=True):
            weight.assign(weight - RATE * gradient)


def assert_close(model, expected):
    for role in (*model.roles, "discriminator"):
        ours, theirs = (getattr(each, role).get_weights() for each in (model, expected))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=role)


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_conditional_bigan_step_with_and_without_the_penalty(x, weight):
    """x̂ = G(E(x), y), and y stays along the line to x."""
    model, same = (model_of(BiGAN, penalty_weight=weight) for _ in range(2))
    model.train_step((tf.constant(x), tf.constant(LABELS)))
    G, E, D = same.generator, same.encoder, same.discriminator  # noqa: N806
    z = latents(key(5, 0, Purpose.LATENT), len(x), LATENT)
    epsilon = uniform(key(5, 0, Purpose.INTERPOLATION), [len(x)])
    code = E(x)
    with tf.GradientTape() as tape:
        real, fake = D(x, code, labels=LABELS), D(G(z, labels=LABELS), z, labels=LABELS)
        loss = losses.logan1(real, fake).discriminator
        if weight:
            loss += weight * tf.reduce_mean(
                pairwise_gradient_penalty(
                    lambda x, z: D(x, z, labels=LABELS), x, code, G(code, labels=LABELS),
                    epsilon=epsilon,
                )
            )  # fmt: skip
    descend(loss, tape, D)
    with tf.GradientTape() as tape:
        real, fake = D(x, E(x), labels=LABELS), D(G(z, labels=LABELS), z, labels=LABELS)
        loss = losses.logan1(real, fake).generator
    descend(loss, tape, G, E)
    assert_close(model, same)


@pytest.mark.parametrize("learns", [True, False])
def test_auxiliary_classifier_step(x, learns):
    term = AuxiliaryClassifier(2.0, generator_weight=0.5, learns_from_generated=learns)
    settings = dict(of_d=dict(projection=False, classifier=True), terms=[term])
    model, same = (model_of(GAN, **settings) for _ in range(2))
    logs = model.train_step((tf.constant(x), tf.constant(LABELS)))
    G, D = same.generator, same.discriminator  # noqa: N806
    z = latents(key(5, 0, Purpose.LATENT), len(x), LATENT)

    def entropy(inputs):
        shares = tf.nn.log_softmax(D.class_logits(inputs))
        return -tf.reduce_mean(tf.gather(shares, LABELS, axis=1, batch_dims=1))

    with tf.GradientTape() as tape:
        fake = tf.stop_gradient(G(z, labels=LABELS))
        of_real = entropy(x)
        loss = losses.vanilla(D(x), D(fake)).discriminator
        loss += 2.0 * (of_real + (entropy(fake) if learns else 0.0))
        right = np.mean(np.argmax(D.class_logits(x), axis=1) == LABELS)
    assert float(logs["class_loss"]) == pytest.approx(float(of_real), rel=1e-5)
    assert float(logs["class_accuracy"]) == pytest.approx(right)
    descend(loss, tape, D)
    with tf.GradientTape() as tape:
        fake = G(z, labels=LABELS)
        of_fake = entropy(fake)
        loss = losses.vanilla(D(x), D(fake)).generator + 0.5 * of_fake
    assert float(logs["generated_class_loss"]) == pytest.approx(float(of_fake), rel=1e-4)
    descend(loss, tape, G)
    assert_close(model, same)


def images_of(dtype=None, **settings):
    keras.utils.set_random_seed(1)
    shape, sizes = (8, 8, 1), dict(width=4, dtype=dtype)
    return BiGAN(
        convolutional.Generator(shape, 2, classes=3, **sizes),
        convolutional.Encoder(shape, 2, **sizes),
        convolutional.Discriminator(
            shape,
            2,
            classes=3,
            classifier=True,
            spectral_normalization=True,
            dense_width=8,
            **sizes,
        ),
        terms=["r1:weight=1", "auxiliary_classifier", "autoencoder", "latent_reconstruction"],
        **settings,
    )


@pytest.mark.parametrize(
    "dtype",
    [
        "float32",
        *(pytest.param(f"mixed_{one}", marks=pytest.mark.slow) for one in ("float16", "bfloat16")),
    ],
)
def test_all_parts_in_one_step_that_is_saved_and_goes_on(dtype, tmp_path):
    model = images_of(dtype)
    model.compile()
    x = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)
    model.fit(x, LABELS, batch_size=6, epochs=2, shuffle=False, verbose=0)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    if dtype == "float32":
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(again(x, LABELS), model(x, LABELS), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["images", "clusters"])
def test_checkpoints_hold_every_variable(kind, tmp_path, x):
    """Those of running moments and of clusters too, which no gradient moves."""

    def fresh(number):
        model = images_of() if kind == "images" else model_of(SelfConditionedGAN)
        if kind == "images":
            model.compile()
        for index, weights in enumerate(model.variables if number else []):
            weights.assign(tf.cast(tf.fill(weights.shape, index + number), weights.dtype))
        return model

    one, other = fresh(3), fresh(0)
    tf.train.Checkpoint(model=one).write(str(tmp_path / "model"))
    tf.train.Checkpoint(model=other).read(str(tmp_path / "model")).assert_existing_objects_matched()
    for ours, theirs in zip(one.variables, other.variables, strict=True):
        if ours.path.split("/")[-1] not in ("total", "count"):  # of what is logged
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


@pytest.mark.slow  # XLA takes its time over so many second derivatives
def test_all_parts_compile():
    x = np.random.default_rng(0).uniform(-1, 1, (6, 8, 8, 1)).astype(np.float32)
    compiled, eager = images_of(), images_of()
    step = None
    for model in (compiled, eager):
        model.compile()
        step = tf.function(model.train_step, jit_compile=True) if model is compiled else None
        (step or model.train_step)((tf.constant(x), tf.constant(LABELS)))
    for one, other in zip(compiled.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


def test_unrolling_leaves_the_classifier_where_it_is(x):
    settings = dict(of_d=dict(classifier=True), terms=["auxiliary_classifier"], unroll=2)
    logs = model_of(GAN, **settings).train_step((tf.constant(x), tf.constant(LABELS)))
    assert np.isfinite(float(logs["generator_loss"]))


# Calls, samples and files.


def test_models_are_called_with_labels_and_exported_so(x, tmp_path):
    bigan = model_of(BiGAN)
    expected = bigan.generator(bigan.encoder(x), labels=LABELS)
    np.testing.assert_allclose(bigan(x, LABELS), expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"batches \(x, labels\)"):
        bigan(x)
    bigan.export(tmp_path / "bigan", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "bigan")
    served = loaded.serve(tf.constant(x), tf.constant(LABELS))
    np.testing.assert_allclose(served, expected, rtol=1e-5, atol=1e-6)


def test_samples_have_the_labels_asked_for_or_the_shares_of_the_data():
    model = model_of(GAN)
    z = model.prior_draws(6, 3)
    expected = model.averaged_generator(z, labels=LABELS)
    np.testing.assert_allclose(model.sample(6, 3, labels=LABELS), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="Expected 6 labels"):
        model.sample(6)
    with pytest.raises(ValueError, match="shares are not known"):
        model.label_draws(6)
    model.generator.known_classes = Classes.of(("a", "b", "c"), [1, 0, 3])
    labels = model.label_draws(4000, seed=3)
    assert set(labels.tolist()) == {0, 2} and abs(labels.mean() / 2 - 0.75) < 0.03
    np.testing.assert_array_equal(model.label_draws(7, seed=3), labels[:7])
    assert (model.label_draws(4000, seed=3, round=1) != labels).any()
    np.testing.assert_array_equal(model.sample(6, 3), model.sample(6, 3, labels=labels[:6]))


# What is refused.


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.array([0, 1, 2, 3, 0, 1]), r"labels from 0 to 2 for .*Received: 0 to 3"),
        (np.array([0, 1, 2, -1, 0, 1]), r"Received: -1 to 2"),
        (np.zeros(6, np.float32), r"labels to be integers"),
        (np.zeros((6, 1), np.int64), r"labels to be integers \[batch\]"),
        (None, r"batches \(x, labels\)"),
    ],
)
@pytest.mark.parametrize("as_dataset", [True, False])
def test_labels_that_do_not_fit_are_refused_before_the_first_step(x, labels, told, as_dataset):
    model = model_of(GAN)
    data = (x,) if labels is None else (x, labels)
    if as_dataset:
        data = (tf.data.Dataset.from_tensors(data if labels is not None else x),)
    with pytest.raises(ValueError, match=told):
        model.fit(*data, shuffle=not as_dataset, verbose=0)
    assert int(model.step.numpy()) == 0


def test_labels_of_a_later_batch_are_seen_in_whole_arrays(x):
    labels = np.array([0, 0, 0, 0, 0, 9])
    with pytest.raises(ValueError, match="Received: 0 to 9"):
        model_of(GAN).fit(x, labels, batch_size=2, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match="Received: 0 to 9"):
        model_of(GAN).sample(6, labels=labels)


def test_a_term_that_needs_a_classifier_says_so(x):
    with pytest.raises(ValueError, match=r"classifier=True"):
        model_of(GAN, terms=["auxiliary_classifier"])
    model = model_of(GAN, of_d=dict(classifier=True), terms=["auxiliary_classifier"])
    model.checks_first_batch = False
    with pytest.raises(ValueError, match=r"batches \(x, labels\)"):
        model.train_step(tf.constant(x))
    with pytest.raises(ValueError, match="generator_weight >= 0"):
        AuxiliaryClassifier(generator_weight=-1.0)


# Self-conditioned.


def blobs(count=60):
    """Three groups far apart, in turn."""
    centers = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4]], np.float32)
    noise = np.random.default_rng(1).normal(size=(count, 3)).astype(np.float32)
    return centers[np.arange(count) % 3] + 0.1 * noise


def test_clusters_are_those_of_the_last_hidden_layer():
    model, x = model_of(SelfConditionedGAN), blobs()
    model.find_clusters(x)
    hidden, _ = model.discriminator.hidden_and_logits(x, labels=np.zeros(60, int))
    labels = model.assigned(tf.constant(x)).numpy()
    centers = np.stack([hidden.numpy()[labels == k].mean(0) for k in range(3)])
    np.testing.assert_allclose(model.centers, centers, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.cluster_sizes, np.bincount(labels, minlength=3))
    assert model.classes.shares == model.generator.known_classes.shares
    assert [len(set(labels[group::3].tolist())) for group in range(3)] == [1, 1, 1]


def test_classes_stay_until_clusters_are_found_anew_and_keep_their_numbers(x):
    model, data = model_of(SelfConditionedGAN), blobs()
    model.find_clusters(data)
    before = model.assigned(tf.constant(data)).numpy()
    for weights in model.discriminator.trainable_variables:
        weights.assign(1.5 * weights)
    np.testing.assert_array_equal(model.assigned(tf.constant(data)), before)
    model.find_clusters(data)
    np.testing.assert_array_equal(model.assigned(tf.constant(data)), before)


def test_a_step_is_that_of_a_conditional_gan_with_the_clusters_as_labels(x):
    model, same = model_of(SelfConditionedGAN), model_of(GAN)
    model.find_clusters(x)
    labels = model.assigned(tf.constant(x))
    model.train_step(tf.constant(x))
    same.train_step((tf.constant(x), labels))
    assert_close(model, same)


def test_clusters_are_saved(x, tmp_path):
    model = model_of(SelfConditionedGAN)
    model.find_clusters(x)
    model.train_step(tf.constant(x))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.classes == model.classes
    np.testing.assert_array_equal(again.assigned(x), model.assigned(x))
    np.testing.assert_array_equal(again.sample(5, 1), model.sample(5, 1))


def test_what_has_no_clusters_is_refused(x):
    model = model_of(SelfConditionedGAN)
    with pytest.raises(ValueError, match=r"find_clusters\(x\) before training"):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match="3 real samples or more"):
        model.find_clusters(x[:2])
    model.find_clusters(x)
    with pytest.raises(ValueError, match="batches of x alone"):
        model.fit(x, LABELS, verbose=0)
    for of_d in (dict(dropout=0.5), dict(minibatch="deviation")):
        with pytest.raises(ValueError, match="without dropout"):
            model_of(SelfConditionedGAN, of_d=of_d)
    with pytest.raises(ValueError, match="same number of classes"):
        SelfConditionedGAN(
            mlp.Generator((DATA,), LATENT, classes=3, **SIZE),
            mlp.Discriminator((DATA,), 0, classes=4, **SIZE),
        )
