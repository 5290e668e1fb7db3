import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.networks import mlp
from logan.penalties import (
    PENALTY_FORMS,
    PairwiseGradient,
    distance_weight,
    pairwise_gradient,
    pairwise_gradient_penalty,
    penalty_of,
)
from logan.settings import Experiment
from logan.terms import PairwisePenalty

each_form = pytest.mark.parametrize("form", sorted(PENALTY_FORMS))


def linear(slope):
    """D(x, z) = Σ slope·x + Σ z: its gradient to x is `slope` everywhere."""
    slope = tf.constant(slope, tf.float32)

    def discriminator(x, z):
        axes = list(range(1, x.shape.rank))
        return tf.reduce_sum(slope * x, axis=axes) + tf.reduce_sum(z, axis=1)

    return discriminator


def half_square(x, z):
    """D(x, z) = ½ ‖x‖²: its gradient at any point is that point."""
    return tf.reduce_sum(tf.square(x), axis=list(range(1, x.shape.rank))) / 2


def latents_like(x):
    return tf.zeros([len(x), 3])


# Exact values.

# x - x̂ = (3, 4), so u = (0.6, 0.8), and g - u = (1.4, 0.2), whose square is 2.
VECTOR = dict(x=[[4.0, 4.0]], x_hat=[[1.0, 0.0]], slope=[2.0, 1.0], distance=5.0)
VECTOR_PENALTIES = {"norm": 2**0.5, "squared_norm": 2.0, "feature_mean": 1.0}
# x - x̂ is 1 in each of 2·2·2 places, so u = 1/√8 and g - u = 2/√8 there. With norms over the last
# axis alone u would be 1/√2.
IMAGE = dict(
    x=np.ones((1, 2, 2, 2)),
    x_hat=np.zeros((1, 2, 2, 2)),
    slope=np.full((2, 2, 2), 3 / 8**0.5),
    distance=8**0.5,
)
IMAGE_PENALTIES = {"norm": 2.0, "squared_norm": 4.0, "feature_mean": 0.5}
CASES = [
    pytest.param(case, form, penalties[form], id=f"{name}-{form}")
    for name, case, penalties in [
        ("vector", VECTOR, VECTOR_PENALTIES),
        ("image", IMAGE, IMAGE_PENALTIES),
    ]
    for form in PENALTY_FORMS
]


@pytest.mark.parametrize(("case", "form", "expected"), CASES)
@pytest.mark.parametrize("share_of_distance", [0.0, 1.0, 2.0])
def test_linear_discriminator(case, form, expected, share_of_distance):
    scale = share_of_distance * case["distance"]
    penalty = pairwise_gradient_penalty(
        linear(case["slope"]),
        tf.constant(case["x"], tf.float32),
        tf.zeros([1, 3]),
        tf.constant(case["x_hat"], tf.float32),
        form=form,
        distance_scale=scale,
    )
    assert penalty.shape == (1,)
    # n² / (n² + τ²) with τ = 0, n and 2n.
    weight = {0.0: 1.0, 1.0: 1 / 2, 2.0: 1 / 5}[share_of_distance]
    np.testing.assert_allclose(penalty, [weight * expected], rtol=1e-5)


@each_form
@pytest.mark.parametrize("case", [VECTOR, IMAGE], ids=["vector", "image"])
def test_obeying_discriminator_pays_nothing(case, form):
    x, x_hat = (tf.constant(case[name], tf.float32) for name in ("x", "x_hat"))
    towards = (x - x_hat)[0] / case["distance"]
    penalty = pairwise_gradient_penalty(linear(towards), x, tf.zeros([1, 3]), x_hat, form=form)
    np.testing.assert_allclose(penalty, [0], atol=2e-6)


def test_distance_weight_by_hand():
    weights = distance_weight(tf.constant([0.0, 3.0, 4.0, 1000.0]), 4.0)
    np.testing.assert_allclose(weights, [0, 9 / 25, 1 / 2, 1], rtol=2e-5)
    np.testing.assert_array_equal(distance_weight(tf.constant([0.0, 3.0]), 0.0), [1, 1])


def test_softened_direction_by_hand():
    """With x - x̂ = (3, 4) and τ = 12: u = (3, 4) / 13; a flat D pays its length 5 / 13."""
    case = {name: tf.constant(VECTOR[name], tf.float32) for name in ("x", "x_hat")}
    z = latents_like(VECTOR["x"])
    pair = pairwise_gradient(linear([2.0, 1.0]), case["x"], z, case["x_hat"], softness=12.0)
    np.testing.assert_allclose(pair.direction, [[3 / 13, 4 / 13]], rtol=1e-6)
    np.testing.assert_allclose(pair.distance, [5], rtol=1e-6)
    _, alignment = pair.slope_and_alignment()
    np.testing.assert_allclose(alignment, [10 / 13 / 5**0.5], rtol=1e-6)
    penalty = pairwise_gradient_penalty(
        linear([0.0, 0.0]), case["x"], z, case["x_hat"], softness=12.0
    )
    np.testing.assert_allclose(penalty, [5 / 13], rtol=1e-6)


def test_softened_direction_of_a_solved_pair_is_zero():
    x = tf.constant([[1.0, 2.0]])
    pair = pairwise_gradient(half_square, x, latents_like(x), tf.identity(x), softness=0.1)
    np.testing.assert_allclose(pair.direction, [[0, 0]], atol=1e-6)
    np.testing.assert_allclose(penalty_of(pair, "squared_norm"), [5], rtol=1e-6)


def test_negative_softness_is_refused():
    x = tf.ones([1, 2])
    with pytest.raises(ValueError, match=r"softness >= 0.*-1"):
        pairwise_gradient(half_square, x, latents_like(x), x, softness=-1.0)
    with pytest.raises(ValueError, match=r"softness >= 0.*-1"):
        PairwisePenalty(softness=-1.0)


def test_slope_and_alignment_by_hand():
    gradient = tf.constant([[3.0, 4.0], [3.0, 4.0], [0.0, -0.5], [1.0, 1.0]])
    direction = tf.constant([[0.6, 0.8], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    pair = PairwiseGradient(gradient, direction, tf.ones(4))
    slope, alignment = pair.slope_and_alignment()
    np.testing.assert_allclose(slope, [5, 5, 0.5, 2**0.5], rtol=1e-6)
    np.testing.assert_allclose(alignment, [1, 0.6, -1, 0], rtol=1e-6)


def test_slope_and_alignment_of_images_run_over_all_axes():
    gradient = tf.ones([2, 2, 2, 2])
    pair = PairwiseGradient(gradient, gradient / 8**0.5, tf.ones(2))
    slope, alignment = pair.slope_and_alignment()
    np.testing.assert_allclose(slope, [8**0.5] * 2, rtol=1e-6)
    np.testing.assert_allclose(alignment, [1, 1], rtol=1e-6)


# Against float64.


class TanhDiscriminator:
    """D(x, z) = tanh([x, z] W + b) · v, in NumPy for any dtype and in TensorFlow."""

    def __init__(self):
        random = np.random.default_rng(0)
        shapes = [(5, 4), (4,), (4,)]
        self.weights = [random.normal(size=shape) for shape in shapes]
        self.variables = [tf.Variable(value, dtype=tf.float32) for value in self.weights]

    def __call__(self, x, z):
        kernel, bias, out = self.variables
        hidden = tf.tanh(tf.matmul(tf.concat([x, z], axis=1), kernel) + bias)
        return tf.linalg.matvec(hidden, out)

    def in_float64(self, x, z, weights=None):
        kernel, bias, out = weights or self.weights
        return np.tanh(np.concatenate([x, z], axis=1) @ kernel + bias) @ out


@pytest.fixture
def tanh():
    return TanhDiscriminator()


@pytest.fixture
def batch():
    random = np.random.default_rng(1)
    return dict(
        x=random.normal(size=(6, 3)),
        z=random.uniform(-1, 1, (6, 2)),
        x_hat=random.normal(size=(6, 3)),
        epsilon=random.uniform(size=6),
    )


def as_tensors(batch):
    return {name: tf.constant(value, tf.float32) for name, value in batch.items()}


def between(batch):
    share = batch["epsilon"][:, None]
    return share * batch["x"] + (1 - share) * batch["x_hat"]


def penalty_in_float64(discriminator, batch, form, scale, weights=None):
    """The formula once more, with the inner gradient by complex steps: exact to the last digits."""
    columns = []
    for axis in range(3):
        step = np.zeros(3, complex)
        step[axis] = 1e-30j
        value = discriminator.in_float64(between(batch) + step, batch["z"], weights)
        columns.append(value.imag / 1e-30)
    difference = batch["x"] - batch["x_hat"]
    distance = np.sqrt((difference**2).sum(axis=1))
    error = np.stack(columns, axis=1) - difference / distance[:, None]
    square = (error**2).sum(axis=1)
    values = {"norm": np.sqrt(square), "squared_norm": square, "feature_mean": square / 3}[form]
    return values * distance**2 / (distance**2 + scale**2)


def test_inner_gradient_agrees_with_finite_differences(tanh, batch):
    gradient = pairwise_gradient(tanh, **as_tensors(batch)).gradient
    points, step = between(batch), 1e-5
    expected = np.stack(
        [
            tanh.in_float64(points + offset, batch["z"])
            - tanh.in_float64(points - offset, batch["z"])
            for offset in step * np.eye(3)
        ],
        axis=1,
    ) / (2 * step)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@each_form
@pytest.mark.parametrize("scale", [0.0, 0.7])
def test_penalty_and_its_gradient_agree_with_finite_differences(tanh, batch, form, scale):
    with tf.GradientTape() as tape:
        penalty = pairwise_gradient_penalty(
            tanh, **as_tensors(batch), form=form, distance_scale=scale
        )
        loss = tf.reduce_mean(penalty)
    np.testing.assert_allclose(
        penalty, penalty_in_float64(tanh, batch, form, scale), rtol=1e-4, atol=1e-5
    )
    gradients = tape.gradient(loss, tanh.variables)
    for number, gradient in enumerate(gradients):
        expected = np.zeros(gradient.shape)
        for index in np.ndindex(*gradient.shape):
            ends = []
            for step in (1e-5, -1e-5):
                weights = [value.copy() for value in tanh.weights]
                weights[number][index] += step
                ends.append(penalty_in_float64(tanh, batch, form, scale, weights).mean())
            expected[index] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)


def in_64_bits(x, z):
    """½ ‖x‖⁴ + Σ z with weights of float64: fails on anything else. Its gradient is 2 ‖x‖² x."""
    square = tf.reduce_sum(tf.square(x), axis=1)
    return tf.square(square) * tf.constant(0.5, tf.float64) + tf.reduce_sum(z, axis=1)


@each_form
def test_float64_tensors_are_computed_in_float64(form):
    # Between, at ε = 1/2, is x̃ = (2, 0) + 1e-9·(0, 1): float32 would lose it.
    x, x_hat = (tf.constant([[end, 1e-9]], tf.float64) for end in (3.0, 1.0))
    z = tf.zeros([1, 1], tf.float64)
    penalty = pairwise_gradient_penalty(in_64_bits, x, z, x_hat, form=form, epsilon=[0.5])
    gradient = pairwise_gradient(in_64_bits, x, z, x_hat, epsilon=[0.5]).gradient
    # g = 2·4·(2, 1e-9) and u = (1, 0), so g - u is 15 long.
    assert penalty.dtype == gradient.dtype == tf.float64
    np.testing.assert_allclose(gradient, [[16.0, 8e-9]], rtol=1e-12)
    expected = {"norm": 15.0, "squared_norm": 225.0, "feature_mean": 112.5}[form]
    np.testing.assert_allclose(penalty, [expected], rtol=1e-12)


def test_numpy_arrays_are_computed_in_float32(tanh, batch):
    # The networks have float32 weights, but NumPy draws in float64.
    expected = pairwise_gradient_penalty(tanh, **as_tensors(batch))
    penalty = pairwise_gradient_penalty(tanh, **batch)
    assert penalty.dtype == tf.float32
    np.testing.assert_array_equal(penalty, expected)


def test_integers_in_place_of_z_stay_integers():
    # The case VECTOR with one slope for each label.
    slopes = tf.constant([[0.0, 0.0], [2.0, 1.0]])
    penalty = pairwise_gradient_penalty(
        lambda x, label: tf.reduce_sum(tf.gather(slopes, label) * x, axis=1),
        tf.constant(VECTOR["x"]),
        tf.constant([1]),
        tf.constant(VECTOR["x_hat"]),
    )
    np.testing.assert_allclose(penalty, [2**0.5], rtol=1e-5)


def test_functional_model_takes_both_inputs():
    inputs = keras.Input((2,)), keras.Input((1,))
    # 2·x₁ + x₂ + 5·z, without z in its slope: the case VECTOR.
    dense = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, dense(keras.layers.Concatenate()(list(inputs))))
    dense.set_weights([np.array([[2.0], [1.0], [5.0]])])
    x, x_hat, z = (np.array(values) for values in (VECTOR["x"], VECTOR["x_hat"], [[0.5]]))
    penalty = pairwise_gradient_penalty(model, x, z, x_hat)
    np.testing.assert_allclose(penalty, [2**0.5], rtol=1e-5)


# Each example stands alone.


@each_form
def test_order_of_the_batch_plays_no_part(tanh, batch, form):
    order = [3, 0, 5, 1, 4, 2]
    penalty = pairwise_gradient_penalty(tanh, **as_tensors(batch), form=form)
    permuted = {name: value[order] for name, value in batch.items()}
    again = pairwise_gradient_penalty(tanh, **as_tensors(permuted), form=form)
    assert len(set(penalty.numpy())) == 6
    np.testing.assert_allclose(again, penalty.numpy()[order], rtol=1e-6)


def test_each_example_is_interpolated_by_its_own_epsilon():
    x = tf.fill([3, 2, 2, 1], 8.0)
    x_hat = tf.fill([3, 2, 2, 1], 4.0)
    epsilon = tf.constant([0.0, 0.25, 1.0])
    pair = pairwise_gradient(half_square, x, latents_like(x), x_hat, epsilon=epsilon)
    expected = np.ones((3, 2, 2, 1)) * np.reshape([4, 5, 8], (3, 1, 1, 1))
    np.testing.assert_allclose(pair.gradient, expected, rtol=1e-6)


def test_drawn_epsilon_is_one_uniform_number_for_each_example():
    x = tf.ones([4000, 2, 1])
    pair = pairwise_gradient(half_square, x, latents_like(x), tf.zeros_like(x))
    drawn = pair.gradient.numpy()
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    # Six standard errors of a uniform number's mean and of its share below one quarter.
    assert abs(drawn.mean() - 0.5) < 6 * 0.289 / 4000**0.5
    assert abs((drawn[:, 0] < 0.25).mean() - 0.25) < 6 * 0.433 / 4000**0.5


@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (6,), (3, 1)])
def test_epsilon_that_is_not_one_number_for_each_example_is_refused(shape):
    x = tf.ones([3, 2])
    with pytest.raises(ValueError, match="epsilon"):
        pairwise_gradient(half_square, x, latents_like(x), 2 * x, epsilon=tf.zeros(shape))


# A reconstruction without fault.


@each_form
@pytest.mark.parametrize("scale", [0.0, 0.5])
def test_pair_without_direction_is_finite_with_finite_gradient(tanh, batch, form, scale):
    batch["x_hat"][2] = batch["x"][2]
    with tf.GradientTape() as tape:
        penalty = pairwise_gradient_penalty(
            tanh, **as_tensors(batch), form=form, distance_scale=scale
        )
    assert np.isfinite(penalty).all()
    for gradient in tape.gradient(penalty, tanh.variables):
        assert np.isfinite(gradient).all()


def test_pair_without_direction_asks_for_a_slope_of_zero():
    x = tf.constant([[5.0, 1.0]])
    penalty = pairwise_gradient_penalty(linear([3.0, 4.0]), x, latents_like(x), x)
    np.testing.assert_allclose(penalty, [5], rtol=1e-6)
    weighed = pairwise_gradient_penalty(
        linear([3.0, 4.0]), x, latents_like(x), x, distance_scale=0.1
    )
    np.testing.assert_allclose(weighed, [0], atol=1e-8)


@each_form
def test_gradient_of_zero_at_a_pair_without_direction(form):
    """With g = u = 0 a bare root would give NaN."""
    slope = tf.Variable([0.0, 0.0])
    x = tf.ones([1, 2])
    with tf.GradientTape() as tape:
        penalty = pairwise_gradient_penalty(
            lambda x, z: tf.linalg.matvec(x, slope), x, latents_like(x), x, form=form
        )
    np.testing.assert_allclose(penalty, [0], atol=2e-6)
    np.testing.assert_array_equal(tape.gradient(penalty, slope), [0, 0])


# Who receives the gradient.


def test_only_the_discriminator_receives_the_penalty():
    size = dict(data_shape=(3,), latent_length=2, width=4, hidden_layers=1)
    generator, encoder = mlp.Generator(**size), mlp.Encoder(**size)
    discriminator = mlp.Discriminator(**size)
    x = tf.random.stateless_normal([5, 3], [1, 2])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        z = encoder(x)
        penalty = pairwise_gradient_penalty(discriminator, x, z, generator(z))
    assert tape.gradient(penalty, x) is None
    for network in (generator, encoder):
        weights = network.trainable_variables
        assert tape.gradient(penalty, weights) == [None] * len(weights)
    kernels = [w for w in discriminator.trainable_variables if w.path.endswith("kernel")]
    for gradient in tape.gradient(penalty, kernels):
        assert np.abs(gradient).max() > 0


def test_half_precision_input_keeps_a_float32_gradient():
    x = tf.constant([[4.0, 4.0]], tf.float16)
    x_hat = tf.constant([[1.0, 0.0]], tf.float16)
    pair = pairwise_gradient(half_square, x, latents_like(x), x_hat)
    assert {value.dtype for value in pair} == {tf.float32}


def test_batch_size_may_be_unknown_while_tracing():
    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 2])])
    def penalty(x, x_hat):
        return pairwise_gradient_penalty(linear([2.0, 1.0]), x, tf.zeros([1, 3]), x_hat)

    values = penalty(tf.constant([[4.0, 4.0]] * 3), tf.constant([[1.0, 0.0]] * 3))
    np.testing.assert_allclose(values, [2**0.5] * 3, rtol=1e-5)


# Errors.


def test_shapes_that_differ_are_refused():
    x = tf.ones([4, 2])
    with pytest.raises(ValueError, match=r"\(4, 2\).*Received: \(4, 3\)"):
        pairwise_gradient(half_square, x, latents_like(x), tf.ones([4, 3]))


def test_discriminator_that_ignores_x_is_refused():
    x = tf.ones([4, 2])
    with pytest.raises(ValueError, match="depend on x"):
        pairwise_gradient(lambda x, z: tf.reduce_sum(z, axis=1), x, latents_like(x), 2 * x)


def test_unknown_form_is_refused():
    pair = PairwiseGradient(tf.ones([1, 2]), tf.ones([1, 2]), tf.ones(1))
    with pytest.raises(ValueError, match=r"squared_norm.*Received: 'cube'"):
        penalty_of(pair, "cube")


def test_negative_distance_scale_is_refused():
    pair = PairwiseGradient(tf.ones([1, 2]), tf.ones([1, 2]), tf.ones(1))
    with pytest.raises(ValueError, match=r"distance_scale.*-1"):
        penalty_of(pair, "norm", -1)


def test_every_form_can_be_chosen():
    fields = {field.name: field for field in dataclasses.fields(Experiment)}
    assert fields["penalty_form"].metadata["choices"] == tuple(PENALTY_FORMS)
    values = [VECTOR_PENALTIES, IMAGE_PENALTIES]
    assert all(set(table) == set(PENALTY_FORMS) for table in values)
    assert all(a != b for a, b in itertools.combinations(IMAGE_PENALTIES.values(), 2))
