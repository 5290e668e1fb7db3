"""Models with an encoder beside BiGAN: ALICE, Reg-GAN, MDGAN, regression, two margins."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import logan
from logan import losses
from logan.models.adversarial import AdversarialModel
from logan.models.alice import ALICE
from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.models.gan_with_encoder import MDGAN, GANWithEncoder, SeparateDiscriminators
from logan.networks import convolutional, mlp
from logan.penalties import pairwise_gradient_penalty
from logan.randomness import Purpose, key, latents, uniform

SIZE = dict(width=4, hidden_layers=1)
RATE = 0.1
REG_GAN = dict(terms=["autoencoder:weight=0.5", "mode_regularizer:weight=0.25"])
REGRESSION = dict(terms=["latent_regression:weight=0.5"])
# What each is made with: its class, features of the second D's input or 0, settings.
KINDS = {
    "alice": (ALICE, 6, dict(second_discriminator_weight=0.5)),
    "reg-gan": (GANWithEncoder, 0, REG_GAN),
    "gan-encoder": (GANWithEncoder, 0, REGRESSION),
    "mdgan": (MDGAN, 3, dict(second_discriminator_weight=0.5, terms=["autoencoder:weight=2"])),
    "separate": (SeparateDiscriminators, 2, dict(second_discriminator_weight=0.5)),
}
SECOND = [name for name, (_, features, _) in KINDS.items() if features]
# reg-gan and gan-encoder are of one class.
each_kind = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name == "reg-gan" else name for name in KINDS],
)
each_with_second = pytest.mark.parametrize("name", SECOND)


def make(name, optimizer=keras.optimizers.SGD, dtype=None, rate=RATE, **more):
    kind, features, settings = KINDS[name]
    keras.utils.set_random_seed(1)
    networks = dict(
        generator=mlp.Generator((3,), 2, **SIZE, dtype=dtype),
        discriminator=mlp.Discriminator((3,), 2 if kind is ALICE else 0, **SIZE, dtype=dtype),
        encoder=mlp.Encoder((3,), 2, **SIZE, dtype=dtype),
    )
    if features:
        networks["second_discriminator"] = mlp.Discriminator((features,), 0, **SIZE, dtype=dtype)
    model = kind(**networks, seed=5, **{**settings, **more})
    model.compile(**{f"{role}_optimizer": optimizer(rate) for role in model.networks})
    return model


def sp(logits):
    return tf.reduce_mean(tf.math.softplus(logits))


def descend(networks, tape, loss):
    weights = [network.trainable_variables for network in networks]
    found = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    for own, gradients in zip(weights, found, strict=True):
        for weight, gradient in zip(own, gradients, strict=True):
            weight.assign(weight - RATE * gradient)


def assert_close(model, expected):
    for role, network in model.networks.items():
        pairs = zip(network.get_weights(), getattr(expected, role).get_weights(), strict=True)
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6, err_msg=role)


def moved(before, model):
    """The roles whose weights are not what they were."""
    return {
        role
        for role, network in model.networks.items()
        if any((a != b).any() for a, b in zip(before[role], network.get_weights(), strict=True))
    }


def weights_of(model):
    return {role: network.get_weights() for role, network in model.networks.items()}


def z_of(x, step=0):
    return latents(key(5, step, Purpose.LATENT), len(x), 2)


# Steps by hand, in the formulas of the docstrings.


def test_alice_step(x):
    model, same = make("alice"), make("alice")
    logs = model.train_step(tf.constant(x))
    z = z_of(x)

    def pairs(x_hat):
        return tf.concat([x, x], axis=1), tf.concat([x, x_hat], axis=1)

    encoded, generated = same.encoder(x), same.generator(z)
    x_hat = same.generator(encoded)
    with tf.GradientTape(persistent=True) as tape:
        r, f = same.discriminator(x, encoded), same.discriminator(generated, z)
        loss = sp(-r) + sp(f)
        real, fake = map(same.second_discriminator, pairs(x_hat))
        second = sp(-real) + sp(fake)
    assert float(logs["discriminator_loss"]) == pytest.approx(float(loss), rel=1e-5)
    assert float(logs["second_discriminator_loss"]) == pytest.approx(float(second), rel=1e-5)
    assert float(logs["second_real_logits"]) == pytest.approx(np.mean(real), rel=1e-4, abs=1e-6)
    descend([same.discriminator], tape, loss)
    descend([same.second_discriminator], tape, second)
    with tf.GradientTape() as tape:
        encoded, generated = same.encoder(x), same.generator(z)
        real, fake = map(same.second_discriminator, pairs(same.generator(encoded)))
        loss = sp(same.discriminator(x, encoded)) + sp(-same.discriminator(generated, z))
        loss += 0.5 * (sp(real) + sp(-fake))
    assert float(logs["generator_loss"]) == pytest.approx(float(loss), rel=1e-5)
    descend([same.generator, same.encoder], tape, loss)
    assert_close(model, same)


def test_reg_gan_step(x):
    """E sees the two terms alone, D the generations alone."""
    model, same = make("reg-gan"), make("reg-gan")
    logs = model.train_step(tf.constant(x))
    z = z_of(x)
    with tf.GradientTape() as tape:
        loss = sp(-same.discriminator(x)) + sp(same.discriminator(same.generator(z)))
    descend([same.discriminator], tape, loss)
    with tf.GradientTape() as tape:
        x_hat = same.generator(same.encoder(x))
        regular = sp(-same.discriminator(x_hat))
        error = tf.reduce_mean(tf.square(x - x_hat))
        loss = sp(-same.discriminator(same.generator(z))) + 0.5 * error + 0.25 * regular
    descend([same.generator, same.encoder], tape, loss)
    assert float(logs["mode_regularizer"]) == pytest.approx(float(regular), rel=1e-5)
    assert float(logs["autoencoder_loss"]) == pytest.approx(float(error), rel=1e-5)
    assert_close(model, same)


def test_mdgan_step(x):
    """Reconstructions are fake to D1 and real to D2; to fool D2, G moves G(z) alone."""
    model, same = make("mdgan"), make("mdgan")
    logs = model.train_step(tf.constant(x))
    z = z_of(x)
    x_hat = same.generator(same.encoder(x))
    with tf.GradientTape(persistent=True) as tape:
        manifold = sp(-same.second_discriminator(x)) + sp(same.second_discriminator(x_hat))
        diffusion = sp(-same.discriminator(x_hat)) + sp(same.discriminator(same.generator(z)))
    descend([same.second_discriminator], tape, manifold)
    descend([same.discriminator], tape, diffusion)
    assert float(logs["discriminator_loss"]) == pytest.approx(float(diffusion), rel=1e-5)
    assert float(logs["second_discriminator_loss"]) == pytest.approx(float(manifold), rel=1e-5)
    with tf.GradientTape() as tape:
        x_hat = same.generator(same.encoder(x))
        loss = 0.5 * sp(-same.second_discriminator(x_hat))
        loss += 2 * tf.reduce_mean(tf.square(x - x_hat))
        loss += sp(-same.discriminator(same.generator(z)))
    descend([same.generator, same.encoder], tape, loss)
    assert_close(model, same)


def test_gan_encoder_step(x):
    model, same = make("gan-encoder"), make("gan-encoder")
    model.averaged_generator.set_weights([0.5 * w for w in model.generator.get_weights()])
    same.averaged_generator.set_weights([0.5 * w for w in model.generator.get_weights()])
    logs = model.train_step(tf.constant(x))
    z = z_of(x)
    with tf.GradientTape(persistent=True) as tape:
        errors = z - same.encoder(same.averaged_generator(z))
        regression = tf.reduce_mean(tf.reduce_sum(tf.square(errors), axis=1))
        loss = 0.5 * regression
        generated = same.generator(z)
        of_d = sp(-same.discriminator(x)) + sp(same.discriminator(generated))
    assert float(logs["latent_regression"]) == pytest.approx(float(regression), rel=1e-5)
    descend([same.encoder], tape, loss)
    descend([same.discriminator], tape, of_d)
    with tf.GradientTape() as tape:
        loss = sp(-same.discriminator(same.generator(z)))
    descend([same.generator], tape, loss)
    assert_close(model, same)


def test_separate_step(x):
    model, same = make("separate"), make("separate")
    logs = model.train_step(tf.constant(x))
    z = z_of(x)
    with tf.GradientTape(persistent=True) as tape:
        of_x = sp(-same.discriminator(x)) + sp(same.discriminator(same.generator(z)))
        of_z = sp(-same.second_discriminator(z)) + sp(same.second_discriminator(same.encoder(x)))
    descend([same.discriminator], tape, of_x)
    descend([same.second_discriminator], tape, of_z)
    assert float(logs["second_discriminator_loss"]) == pytest.approx(float(of_z), rel=1e-5)
    with tf.GradientTape(persistent=True) as tape:
        of_g = sp(-same.discriminator(same.generator(z)))
        of_e = 0.5 * sp(-same.second_discriminator(same.encoder(x)))
    descend([same.generator], tape, of_g)
    descend([same.encoder], tape, of_e)
    assert_close(model, same)


def test_gan_with_encoder_leaves_the_gan_as_it_is(x):
    """Four steps: G, D and G's averages are number for number those of a GAN."""
    keras.utils.set_random_seed(1)
    plain = GAN(mlp.Generator((3,), 2, **SIZE), mlp.Discriminator((3,), 0, **SIZE), seed=5)
    plain.compile(**{f"{role}_optimizer": keras.optimizers.SGD(RATE) for role in plain.networks})
    models = [make("gan-encoder"), make("separate")]
    for _ in range(4):
        for model in (plain, *models):
            model.train_step(tf.constant(x))
    for model in models:
        for role in ("generator", "discriminator", "averaged_generator"):
            ours, theirs = getattr(model, role).get_weights(), getattr(plain, role).get_weights()
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=role)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        # Without the adversarial loss, what the rest moves of generator and encoder.
        ("gan-encoder", {}, {"encoder"}),
        ("separate", {}, {"encoder"}),
        ("alice", {}, {"generator", "encoder"}),
        ("mdgan", dict(terms=[]), {"generator", "encoder"}),
        ("reg-gan", dict(terms=["mode_regularizer"]), {"generator", "encoder"}),
    ],
)
def test_which_networks_move_without_the_adversarial_loss(x, name, settings, expected):
    model = make(name, adversarial_weight=0.0, **settings)
    before = weights_of(model)
    model.train_step(tf.constant(x))
    assert moved(before, model) == expected | set(model.discriminator_roles)


def test_pairwise_penalty_with_alice_takes_the_reconstructions_that_are_made(x):
    model, same = make("alice", penalty_weight=0.7), make("alice")
    logs = model.train_step(tf.constant(x))
    encoded = same.encoder(x)
    penalty = pairwise_gradient_penalty(
        same.discriminator, tf.constant(x), encoded, same.generator(encoded),
        epsilon=uniform(key(5, 0, Purpose.INTERPOLATION), [len(x)]),
    )  # fmt: skip
    assert float(logs["penalty"]) == pytest.approx(np.mean(penalty), rel=1e-4)


@pytest.mark.parametrize("packing", [2, 3])
def test_packs_of_a_gan_with_encoder(x, packing):
    """D sees packs, also of reconstructions; the regression is of single samples."""
    keras.utils.set_random_seed(1)
    networks = [
        mlp.Generator((3,), 2, **SIZE),
        mlp.Encoder((3,), 2, **SIZE),
        mlp.Discriminator((3 * packing,), 0, **SIZE),
    ]
    terms = ["autoencoder", "mode_regularizer", "latent_regression"]
    model = GANWithEncoder(*networks, packing=packing, terms=terms, seed=5)
    z, x_hat = z_of(x), networks[0](networks[1](x))
    errors = z - networks[1](networks[0](z))
    before = [np.mean(np.square(x - x_hat)), np.mean(np.sum(np.square(errors), axis=1))]
    model.compile()
    logs = model.train_step(tf.constant(x))
    assert float(logs["autoencoder_loss"]) == pytest.approx(before[0], rel=1e-5)
    assert float(logs["latent_regression"]) == pytest.approx(before[1], rel=1e-5)
    packs = x_hat.numpy().reshape(len(x) // packing, 3 * packing)
    # D has moved by then, if by little: Adam's first step is its learning rate, 1e-4.
    expected = float(sp(-networks[2](packs)))
    assert float(logs["mode_regularizer"]) == pytest.approx(expected, rel=1e-2)


# Both discriminators.


@each_with_second
def test_clipping_and_weight_terms_are_of_both_discriminators(x, name):
    model = make(name, weight_clip=0.05)
    model.train_step(tf.constant(x))
    for role in model.discriminator_roles:
        largest = max(np.abs(w).max() for w in getattr(model, role).get_weights())
        assert largest == np.float32(0.05)
    model = make(name, terms=["l2:weight=1", "historical_averaging"])
    kernels = [
        w for role in model.discriminator_roles for w in getattr(model, role).get_weights()
        if w.ndim > 1
    ]  # fmt: skip
    expected = sum(np.square(w).sum() for w in kernels)
    logs = model.train_step(tf.constant(x))
    assert float(logs["squared_weights"]) == pytest.approx(expected, rel=1e-5)


def test_explosion_of_the_second_discriminator_is_noticed(x):
    model = make("separate", rate=0.0)
    model.second_discriminator.set_weights(
        [np.full_like(w, 1e12) for w in model.second_discriminator.get_weights()]
    )
    model.train_step(tf.constant(x))
    assert int(model.first_bad_step.numpy()) == 1


@each_with_second
def test_second_discriminator_updates_with_each_of_the_first(x, name):
    model = make(name, discriminator_steps=2)
    model.train_step(tf.constant(x))
    iterations = {role: int(one.iterations) for role, one in model.optimizers.items()}
    assert iterations == dict(generator=1, encoder=1, second_discriminator=2, discriminator=2)


# Running, saving, precision.


@pytest.mark.parametrize(
    "name",
    [
        # XLA takes its time.
        pytest.param(name, marks=() if name == "mdgan" else pytest.mark.slow)
        for name in KINDS
    ],
)
def test_compiled_steps_agree_with_eager_ones(x, name):
    compiled, eager = (make(name, discriminator_steps=2) for _ in range(2))
    step = tf.function(compiled.train_step, jit_compile=True)
    for _ in range(3):
        step(tf.constant(x))
        eager.train_step(tf.constant(x))
    for one, other in zip(compiled.weights, eager.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4, err_msg=one.path)


def everything(model):
    variables = [*model.weights, *(v for one in model.optimizers.values() for v in one.variables)]
    return [variable.numpy() for variable in variables]


@each_kind
def test_saved_model_and_checkpoint_go_on_as_if_nothing_had_happened(x, name, tmp_path):
    more = dict(optimizer=keras.optimizers.Adam, rate=0.01)
    model, other = make(name, **more), make(name, **more)
    for _ in range(2):
        model.train_step(tf.constant(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "step"))
    tf.train.Checkpoint(model=other).restore(path).assert_existing_objects_matched()
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    assert loaded.second_discriminator_weight == model.second_discriminator_weight
    for each in (model, loaded, other):
        each.train_step(tf.constant(x))
        for one, two in zip(everything(each), everything(model), strict=True):
            np.testing.assert_array_equal(one, two)


@each_kind
def test_call_and_export_reconstruct(x, name, tmp_path):
    model = make(name)
    model.fit(x, batch_size=6, verbose=0)
    expected = model.generator(model.encoder(x))
    np.testing.assert_array_equal(model(x), expected)
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(loaded.serve(tf.constant(x)), expected, rtol=1e-5, atol=1e-6)
    assert model.sample(3).shape == (3, 3)


@each_kind
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_16_bits_stay_finite_and_near(x, name, dtype):
    model, full = make(name, dtype=dtype), make(name)
    scaled = [hasattr(one, "dynamic_scale") for one in model.optimizers.values()]
    assert scaled == [dtype == "mixed_float16"] * len(scaled)
    logs, expected = model.train_step(tf.constant(x)), full.train_step(tf.constant(x))
    assert logs.keys() == expected.keys()
    for key_of, value in logs.items():
        assert float(value) == pytest.approx(float(expected[key_of]), rel=0.05, abs=0.02), key_of
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


@each_kind
def test_networks_that_are_not_built_are_built_by_the_first_batch(x, name):
    kind, features, settings = KINDS[name]
    dense, sequential = keras.layers.Dense, keras.Sequential
    networks = dict(
        generator=sequential([dense(4, "relu"), dense(3)]),
        encoder=sequential([dense(4, "relu"), dense(2)]),
        discriminator=JointD() if kind is ALICE else sequential([dense(4, "relu"), dense(1)]),
    )
    if features:
        networks["second_discriminator"] = sequential([dense(4, "relu"), dense(1)])
    model = kind(**networks, **settings)
    assert not model.built
    model.compile()
    model.fit(x, batch_size=6, verbose=0)
    if features:
        assert model.second_discriminator.weights[0].shape == (features, 4)


class JointD(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])

    def call(self, x, z):
        return self.stack(tf.concat([x, z], axis=1))


def test_pairs_of_images_lie_beside_each_other_in_their_channels():
    keras.utils.set_random_seed(1)
    image = dict(data_shape=(8, 8, 1), latent_length=2, width=4)
    model = ALICE(
        convolutional.Generator(**image),
        convolutional.Encoder(**image),
        convolutional.Discriminator(**image, dense_width=8),
        convolutional.Discriminator((8, 8, 2), 0, width=4, dense_width=8),
    )
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
    model.compile()
    history = model.fit(images, batch_size=4, verbose=0).history
    assert np.isfinite(history["second_discriminator_loss"]).all()
    second = model.batch_of(images, None, draw_of(model)).second
    np.testing.assert_array_equal(second.real[0], np.concatenate([images, images], axis=-1))
    np.testing.assert_array_equal(second.fake[0][..., :1], images)
    # Batch normalization is none here: what is made twice is the same.
    x_hat = model.reconstructed(images, None)
    np.testing.assert_allclose(second.fake[0][..., 1:], x_hat, atol=1e-6)


def draw_of(model):
    from logan.randomness import Draw

    return Draw(model.seed, tf.zeros([], tf.int64))


# What is refused.


def test_an_encoder_that_nothing_trains_is_refused():
    for terms in ([], ["r1", "mode_seeking"], ["latent_regression:weight=0"]):
        with pytest.raises(ValueError, match=r"term that trains the encoder, .*latent_regression"):
            make("reg-gan", terms=terms)


@pytest.mark.parametrize("name", ["reg-gan", "mdgan", "separate"])
def test_terms_of_pairs_are_refused_with_a_d_of_x_alone(name):
    for term, message in {
        "pairwise": r"pairs, D\(x, z\), for PairwisePenalty.*BiGAN",
        "r1:inputs=z": "inputs=x or both with a discriminator of x alone",
        "gradient:inputs=z": "inputs=x or both with a discriminator of x alone",
    }.items():
        with pytest.raises(ValueError, match=message):
            make(name, terms=["autoencoder", term])
    with pytest.raises(ValueError, match="pairwise penalty, which needs"):
        make(name, penalty_weight=1.0)


@each_with_second
def test_what_is_of_one_discriminator_is_refused_with_two(name):
    for settings in (
        dict(packing=2),
        dict(instance_noise=0.1, instance_noise_steps=5),
        dict(unroll=2),
    ):
        # A joint D that was not made for packs is refused for that.
        first = next(iter(settings))
        with pytest.raises(ValueError, match=rf"{first}=\d with a second|of one latent_length"):
            make(name, **settings)
    with pytest.raises(ValueError, match="second_discriminator_weight > 0"):
        make(name, second_discriminator_weight=0.0)


def test_discriminators_of_pairs_in_the_wrong_place_are_refused():
    networks = mlp.Generator((3,), 2, **SIZE), mlp.Encoder((3,), 2, **SIZE)
    joint, of_x = mlp.Discriminator((3,), 2, **SIZE), mlp.Discriminator((3,), 0, **SIZE)
    with pytest.raises(ValueError, match="discriminator of x alone"):
        GANWithEncoder(*networks, joint, **REGRESSION)
    with pytest.raises(ValueError, match="second_discriminator of x alone"):
        MDGAN(*networks, of_x, joint)
    with pytest.raises(ValueError, match="of its own as second_discriminator and as discriminator"):
        MDGAN(*networks, of_x, of_x)


@pytest.mark.parametrize(("name", "features"), [("alice", 3), ("mdgan", 6), ("separate", 3)])
def test_second_discriminator_of_another_input_is_named(x, name, features):
    kind, _, settings = KINDS[name]
    model = kind(
        mlp.Generator((3,), 2, **SIZE),
        mlp.Encoder((3,), 2, **SIZE),
        mlp.Discriminator((3,), 2 if kind is ALICE else 0, **SIZE),
        mlp.Discriminator((features,), 0, **SIZE),
        **settings,
    )
    model.compile()
    with pytest.raises(ValueError, match="the second_discriminator 'discriminator' to take"):
        model.fit(x, batch_size=6, verbose=0)


def test_public_names():
    assert logan.ALICE is ALICE
    assert logan.MDGAN is MDGAN
    assert logan.GANWithEncoder is GANWithEncoder
    assert logan.SeparateDiscriminators is SeparateDiscriminators
    assert issubclass(ALICE, BiGAN)
    assert AdversarialModel.second_discriminator is None
    assert set(losses.vanilla(tf.zeros([1, 1]), tf.zeros([1, 1]))._fields) == {
        "discriminator", "generator",
    }  # fmt: skip
