"""Terms of the losses on discriminators whose values and slopes are known."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan import terms
from logan.packing import packed, unpacked
from logan.randomness import Draw, Purpose
from logan.terms import Compared, Update

REAL = tf.constant([[3.0, 4.0], [0.0, 0.0]]), tf.zeros([2, 1])
FAKE = tf.constant([[0.0, 1.0], [0.0, 2.0]]), tf.ones([2, 1])


def joint(x, z):
    """D(x, z) = ½‖x‖² + 12 z: its gradient is (x, 12)."""
    return tf.reduce_sum(tf.square(x), axis=1, keepdims=True) / 2 + 12 * z


def update(real=REAL, fake=FAKE, discriminator=joint, **knows):
    return Update(
        discriminator=discriminator,
        networks={},
        compared=Compared(real, fake),
        labels=None,
        draw=Draw(3, 0),
        **knows,
    )


def value(term, of):
    return float(terms.get(term)(of)[0])


def states(term, networks=None):
    """The term's variables, made as a model makes them."""

    def variable(name, shape):
        return keras.Variable(np.zeros(shape, np.float32), trainable=False, name=name)

    return terms.get(term).make_state(networks or {}, variable)


# ‖∇D‖² at the real examples is 25 + 144 and 144, at the fake ones 1 + 144 and 4 + 144.
@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("r1:weight=4", 4 / 2 * (169 + 144) / 2),
        ("r1:weight=4:inputs=x", 4 / 2 * 25 / 2),
        ("r1:weight=4:inputs=z", 4 / 2 * 144),
        ("r2:weight=2", 2 / 2 * (145 + 148) / 2),
        ("r2:weight=2:inputs=x", 2 / 2 * 5 / 2),
        ("gradient:weight=3:inputs=z", 3 * 11**2),
        ("wgan_lp:weight=3:inputs=z", 3 * 11**2),
        ("zero_centered:weight=3:inputs=z", 3 * 144),
        ("dragan:weight=3:inputs=z", 3 * 11**2),
        ("dragan:weight=1:inputs=z:slope=10", 4),
    ],
)
def test_penalties_on_the_slope_by_hand(term, expected):
    assert value(term, update()) == pytest.approx(expected, rel=1e-5)


def test_penalties_on_d_of_x_alone():
    of = update((REAL[0],), (FAKE[0],), lambda x: joint(x, 0.0))
    assert value("r1:weight=4", of) == pytest.approx(25)
    assert value("r1:weight=4:inputs=x", of) == pytest.approx(25)


def test_between_real_and_fake_the_slope_is_that_of_the_updates_own_draw():
    epsilon = update().draw.epsilon(2).numpy()[:, None]
    slopes = np.linalg.norm(epsilon * REAL[0] + (1 - epsilon) * FAKE[0], axis=1)
    expected = {
        "gradient": (slopes - 1) ** 2,
        "wgan_lp": np.maximum(slopes - 1, 0) ** 2,
        "zero_centered": slopes**2,
    }
    for name, penalty in expected.items():
        assert value(f"{name}:inputs=x", update()) == pytest.approx(penalty.mean(), rel=1e-5)


def test_dragan_looks_around_real_examples_by_noise_of_one_deviation():
    of = update()
    noise = of.draw.uniform(tf.zeros([2, 2]), Purpose.PENALTY_NOISE).numpy()
    deviation = REAL[0].numpy().std()
    slopes = np.linalg.norm(REAL[0] + 0.5 * deviation * noise, axis=1)
    assert value("dragan:inputs=x", of) == pytest.approx(((slopes - 1) ** 2).mean(), rel=1e-4)
    # Each of both inputs by its own noise and deviation; here z has the deviation 0.
    both = np.sqrt(
        np.sum((REAL[0] + 0.5 * deviation * of.draw.uniform(tf.zeros([2, 3]),
               Purpose.PENALTY_NOISE).numpy()[:, :2]) ** 2, axis=1) + 144
    )  # fmt: skip
    assert value("dragan", of) == pytest.approx(((both - 1) ** 2).mean(), rel=1e-4)


def test_lecam_by_hand():
    """At first no averages; then r and f against the other one's, which then move by a tenth."""
    state = states("lecam")
    logits = tf.constant([[2.0], [4.0]]), tf.constant([[-1.0], [1.0]])
    of = update(logits=logits, state=state)
    term = "lecam:weight=2:decay=0.9:start=1"
    assert value(term, of) == 0
    np.testing.assert_allclose(state["averages"], [3, 0])
    # r - α_F: 2 and 4, squares 4 and 16; α_R - f: 4 and 2.
    assert value(term, of) == pytest.approx(2 * (10 + 10))
    moved = update(logits=(logits[0] + 10, logits[1]), state=state)
    assert value(term, moved) == pytest.approx(2 * ((12**2 + 14**2) / 2 + 10))
    np.testing.assert_allclose(state["averages"], [0.9 * 3 + 0.1 * 13, 0], rtol=1e-6)


def test_lecam_waits_and_takes_only_what_lies_beyond():
    state = states("lecam")
    logits = tf.constant([[-2.0]]), tf.constant([[2.0]])
    of = update(logits=logits, state=state)
    for number in range(6):
        # r - α_F = -4 and α_R - f = -4: nothing, however long it waits.
        assert value("lecam:start=3", of) == 0, number
    far = update(logits=(tf.constant([[5.0]]), logits[1]), state=states("lecam"))
    assert [value("lecam:start=3", far) > 0 for _ in range(5)] == [False] * 3 + [True] * 2


def passes(*outputs):
    """A with_hidden that gives one of these pairs after the other."""
    left = iter(outputs)
    return lambda *inputs: next(left)


@pytest.mark.parametrize(("margin", "expected"), [(0, 10 + 0.1 * 2.5 / 2), (1, 9.5)])
def test_consistency_by_hand(margin, expected):
    """Gaps of logits 4 and 2, of hidden layers (1, 2) and none: 16 + 0.1 · 2.5 and 4."""
    first = tf.constant([[1.0, 1.0], [0.0, 0.0]]), tf.constant([[1.0], [1.0]])
    second = tf.constant([[2.0, 3.0], [0.0, 0.0]]), tf.constant([[5.0], [3.0]])
    of = update(with_hidden=passes(first, second))
    expected = (max(16.25 - margin, 0) + max(4 - margin, 0)) / 2
    assert value(f"consistency:margin={margin}", of) == pytest.approx(expected)


def test_augmentation_of_vectors_is_noise_of_a_share_of_the_deviation():
    of = update(discriminator=lambda x, z: tf.reduce_sum(x, axis=1, keepdims=True))
    noise = of.draw.normal(REAL[0], Purpose.AUGMENTATION).numpy()
    expected = np.mean((0.2 * REAL[0].numpy().std() * noise).sum(axis=1) ** 2)
    assert value("augmentation_consistency:noise=0.2", of) == pytest.approx(expected, rel=1e-4)


def test_augmentation_of_images_mirrors_and_shifts_by_reflection():
    images = np.random.default_rng(0).normal(size=(40, 6, 6, 2)).astype(np.float32)
    term = terms.get("augmentation_consistency:shift=2")
    changed = term.change(tf.constant(images), update()).numpy()
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)], mode="reflect")
    found = set()
    for before, after in zip(padded, changed, strict=True):
        candidates = {
            (turned, down, right): one[down : down + 6, right : right + 6]
            for turned, one in ((False, before), (True, before[:, ::-1]))
            for down in range(5)
            for right in range(5)
        }
        matches = [name for name, each in candidates.items() if np.array_equal(each, after)]
        assert len(matches) == 1
        found |= set(matches)
    assert len(found) > 15
    assert {turned for turned, _, _ in found} == {False, True}
    still = terms.get("augmentation_consistency:shift=0").change(tf.constant(images), update())
    assert all(
        np.array_equal(one, other) or np.array_equal(one[:, ::-1], other)
        for one, other in zip(images, still.numpy(), strict=True)
    )


def test_feature_matching_by_hand():
    """Means (2, 1) and (0, 1.5): 4 + 0.25."""
    real = tf.constant([[1.0, 1.0], [3.0, 1.0]]), None
    fake = tf.constant([[0.0, 1.0], [0.0, 2.0]]), None
    assert value("feature_matching:weight=2", update(with_hidden=passes(real, fake))) == 8.5


def test_mode_seeking_by_hand():
    """Samples 0, 2, 4 and latents 0, 1, 2, each beside the next: means 8/3 and 4/3, ratio 2."""
    samples = tf.constant([[0.0], [2.0], [4.0]])
    of = update((samples,), (samples,), latents=lambda: samples / 2)
    assert value("mode_seeking:weight=3", of) == pytest.approx(3 / 2, rel=1e-4)
    # In packs of 3 it is the same.
    pack = update((), (tf.reshape(samples, [1, 3]),), latents=lambda: samples / 2, packing=3)
    assert value("mode_seeking:weight=3", pack) == pytest.approx(3 / 2, rel=1e-4)


def test_l2_is_of_the_discriminators_kernels_alone():
    kernel, bias = keras.Variable([[1.0, 2.0]]), keras.Variable([10.0, 10.0])
    of = update(variables={"generator": [kernel], "discriminator": [kernel, bias]})
    assert value("l2:weight=0.5", of) == 2.5


def inverting(errors):
    """Networks that make x = (z, 10 z) and find z + errors again."""
    return {
        "generator": lambda z: tf.concat([z, 10 * z], axis=1),
        "encoder": lambda x: x[:, :1] + errors,
    }


def test_autoencoder_loss_squared_and_absolute():
    z = tf.constant([[1.0], [2.0]])
    x = tf.constant([[1.0, 12.0], [2.0, 20.0]])
    of = dataclasses.replace(update((x, z), (x, z)), networks=inverting(0.0))
    # The only gap is 2, of four numbers.
    assert value("autoencoder:weight=3", of) == 3 * 4 / 4
    assert value("autoencoder:weight=3:error=absolute", of) == 3 * 2 / 4
    with pytest.raises(ValueError, match="error"):
        terms.get("autoencoder:error=cubic")


@pytest.mark.parametrize("packing", [1, 2])
def test_latent_reconstruction_by_hand(packing):
    z = tf.constant([[1.0], [2.0]])
    networks = inverting(tf.constant([[3.0], [-1.0]]))
    fake = packed(networks["generator"](z), packing), packed(z, packing)
    of = dataclasses.replace(update((), fake), networks=networks, packing=packing)
    assert value("latent_reconstruction:weight=2", of) == 2 * (9 + 1) / 2


@pytest.mark.parametrize("packing", [1, 2])
def test_latent_reconstruction_without_z_in_the_packs_takes_that_of_the_update(packing):
    z = tf.constant([[1.0], [2.0]])
    networks = inverting(tf.constant([[3.0], [-1.0]]))
    of = update((), (packed(networks["generator"](z), packing),), latents=lambda: z)
    of = dataclasses.replace(of, networks=networks, packing=packing)
    assert value("latent_reconstruction:weight=2", of) == 2 * (9 + 1) / 2


def test_latent_regression_by_hand():
    """E errs by 3 and -1 on what the averaged G makes, 100 z; nothing goes to any G."""
    z, scale = tf.constant([[1.0], [2.0]]), tf.constant(100.0)
    shift = tf.constant(1.0)
    of = dataclasses.replace(
        update((), ()),
        networks={"encoder": lambda x: x / 100 + shift * tf.constant([[3.0], [-1.0]])},
        averaged={"generator": lambda z: scale * z},
        latents=lambda: z,
    )
    with tf.GradientTape() as tape:
        tape.watch([scale, shift])
        loss, logs = terms.get("latent_regression:weight=2")(of)
    assert float(logs["latent_regression"]) == pytest.approx((9 + 1) / 2)
    gradients = tape.gradient(loss, [scale, shift])
    assert gradients[0] is None
    # d/ds of 2 · (9 + 1) / 2 · s² at s = 1.
    assert float(gradients[1]) == pytest.approx(20)
    with pytest.raises(ValueError, match="generator and an encoder"):
        terms.get("latent_regression").check(["generator"])


def test_mode_regularizer_by_hand():
    """D(x̂) = 0 and log 3: -log s = log 2 and log (4 / 3); of a joint D with z beside it."""
    logits = {(1.0,): 0.0, (2.0,): float(np.log(3.0))}
    seen = []

    def discriminator(x_hat, *z):
        seen.append(z)
        return tf.constant([[logits[tuple(row)]] for row in x_hat.numpy()])

    z = tf.constant([[1.0], [2.0]])
    of = dataclasses.replace(
        update((z, z), (z, z), discriminator), networks=dict(generator=lambda z: z)
    )
    expected = 3 * (np.log(2) + np.log(4 / 3)) / 2
    assert value("mode_regularizer:weight=3", of) == pytest.approx(expected, rel=1e-6)
    alone = dataclasses.replace(update((None,), (z,), discriminator), made=lambda: z)
    assert value("mode_regularizer:weight=3", alone) == pytest.approx(expected, rel=1e-6)
    assert [len(each) for each in seen] == [1, 0]


def test_data_and_reconstructions_that_the_model_hands_on_come_first():
    z, x = tf.constant([[1.0], [2.0]]), tf.constant([[2.0], [4.0]])
    of = dataclasses.replace(update((z,), (z,)), data=x, made=lambda: z)
    assert value("autoencoder:weight=3", of) == 3 * (1 + 4) / 2


def test_weight_terms_are_of_both_discriminators():
    first, second = keras.Variable([[1.0, 2.0]]), keras.Variable([[3.0]])
    variables = dict(generator=[first], second_discriminator=[second], discriminator=[first])
    assert value("l2:weight=0.5", update(variables=variables)) == 0.5 * (5 + 9)
    networks = {role: Player(*own) for role, own in variables.items()}
    state = states("historical_averaging", networks)
    for weight, expected in [(1.0, 0), (3.0, 1)]:
        second.assign([[weight]])
        for side, squares in (("discriminator", expected), ("generator", 0)):
            of = update(variables=variables, side=side, state=state)
            assert value("historical_averaging", of) == squares


class Player:
    def __init__(self, *weights):
        self.trainable_variables = weights


def test_historical_averaging_by_hand():
    """Weights 0, 3, 6: means 0, 1.5, 3, distances 0, 1.5, 3. Each side has a count of its own."""
    theirs, ours = keras.Variable([0.0]), keras.Variable([[0.0, 1.0]])
    networks = {"generator": Player(theirs), "discriminator": Player(ours)}
    state = states("historical_averaging", networks)
    variables = {role: player.trainable_variables for role, player in networks.items()}
    for weight, expected in [(0.0, 0), (3.0, 1.5**2), (6.0, 3**2)]:
        ours.assign([[weight, 1.0]])
        for side, squares in (("discriminator", expected), ("generator", 0.0)):
            of = update(variables=variables, side=side, state=state)
            with tf.GradientTape() as tape:
                loss, logs = terms.get("historical_averaging:weight=2")(of)
            assert float(loss) == pytest.approx(2 * squares)
            assert float(logs[f"{side}_history"]) == pytest.approx(squares)
            if side == "discriminator":
                gradient = tape.gradient(loss, ours.value)
                np.testing.assert_allclose(gradient, [[2 * 2 * expected**0.5, 0]], rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("shape", [(6, 2), (6, 4, 4, 3)])
def test_packs_are_neighbours_side_by_side(count, shape):
    values = np.random.default_rng(0).normal(size=shape)
    pack = packed(tf.constant(values), count).numpy()
    assert pack.shape == (6 // count, *shape[1:-1], count * shape[-1])
    expected = [np.concatenate(values[i : i + count], axis=-1) for i in range(0, 6, count)]
    np.testing.assert_array_equal(pack, expected)
    np.testing.assert_array_equal(unpacked(tf.constant(pack), count), values)


def test_reconstructions_of_packs_are_packs_of_reconstructions():
    z = tf.constant([[1.0], [2.0], [3.0], [4.0]])
    of = Update(
        discriminator=joint,
        networks={"generator": lambda z: tf.concat([z, 10 * z], axis=1)},
        compared=Compared((None, packed(z, 2)), ()),
        labels=None,
        draw=Draw(0, 0),
        packing=2,
    )
    np.testing.assert_array_equal(of.reconstruct(), [[1, 10, 2, 20], [3, 30, 4, 40]])


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("r1:inputs=y", r"inputs.*Received: 'y'"),
        ("gradient:inputs=all", r"inputs.*Received: 'all'"),
        ("dragan:scale=-1", "scale >= 0"),
        ("consistency:margin=-1", "margin >= 0"),
        ("augmentation_consistency:shift=-1", "shift"),
        ("augmentation_consistency:noise=-1", "noise >= 0"),
        ("lecam:decay=1", r"decay in \[0, 1\)"),
        ("lecam:start=-1", "start"),
        ("r2:weight=-1", "weight >= 0"),
    ],
)
def test_setting_out_of_range_is_refused(term, message):
    with pytest.raises(ValueError, match=message):
        terms.get(term)


@pytest.mark.parametrize("name", ["r1", "dragan", "wgan_lp", "zero_centered", "gradient"])
def test_inputs_that_a_discriminator_does_not_have_are_refused(name):
    for roles, wrong in ((["generator"], "z"), (["encoder"], "x")):
        with pytest.raises(ValueError, match=r"discriminator of [xz] alone"):
            terms.get(f"{name}:inputs={wrong}").check(roles)
    terms.get(f"{name}:inputs=x").check(["generator"])
    terms.get(f"{name}:inputs=z").check(["generator", "encoder"])


@pytest.mark.parametrize("inputs", [("x",), ("z",)])
def test_terms_of_pairs_need_a_joint_discriminator(inputs):
    other = {"x": "z", "z": "x"}[inputs[0]]
    with pytest.raises(ValueError, match=rf"pairs, D\(x, z\).*Received: D\({inputs[0]}\)"):
        terms.get("pairwise").check_inputs(inputs)
    with pytest.raises(ValueError, match=f"discriminator of {inputs[0]} alone"):
        terms.get(f"r1:inputs={other}").check_inputs(inputs)
    for term in ("r1", f"r1:inputs={inputs[0]}", "autoencoder", "lecam"):
        terms.get(term).check_inputs(inputs)
    for term in ("pairwise", f"r1:inputs={other}"):
        terms.get(term).check_inputs(("x", "z"))


def test_mode_seeking_needs_a_generator():
    with pytest.raises(ValueError, match="Expected a generator for"):
        terms.get("mode_seeking").check(["encoder"])
