"""WGAN-GP's penalty, on critics whose gradient is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.penalties import (
    gradient_norm,
    gradient_penalty,
    one_sided_gradient_penalty,
    perturbed,
    squared_slope,
    zero_centered_gradient_penalty,
)


def half_square(x):
    """D(x) = ½ ‖x‖²: its gradient at any point is that point."""
    return tf.reduce_sum(tf.square(x), axis=1) / 2


def test_linear_critic():
    # Over both inputs the gradient is (2, 2, 1): its norm is 3, and (3 - 1)² = 4.
    def critic(x, z):
        return tf.reduce_sum(2 * x, axis=1) + z[:, 0]

    real = tf.constant([[5.0, 1.0], [0.0, 0.0]]), tf.zeros([2, 1])
    fake = tf.zeros([2, 2]), tf.ones([2, 1])
    np.testing.assert_allclose(gradient_penalty(critic, real, fake), [4.0, 4.0], rtol=1e-6)


def test_norm_runs_over_all_axes_of_images():
    # 1 in each of 2·2·4 places: the norm is 4, over the last axis alone it would be 2.
    images = tf.ones([3, 2, 2, 4])
    penalty = gradient_penalty(
        lambda x: tf.reduce_sum(x, axis=[1, 2, 3]), [images], [tf.zeros_like(images)]
    )
    np.testing.assert_allclose(penalty, [9.0] * 3, rtol=1e-6)


def test_gradient_is_taken_between_fake_and_real():
    # The slope of ½‖x‖² at a point is its length: 3 at the real end, 1 at the fake, 2 half way.
    real, fake = [tf.constant([[3.0, 0.0]])], [tf.constant([[1.0, 0.0]])]
    for epsilon, expected in [(0.0, 0.0), (0.5, 1.0), (1.0, 4.0)]:
        penalty = gradient_penalty(half_square, real, fake, epsilon=tf.constant([epsilon]))
        np.testing.assert_allclose(penalty, [expected], atol=1e-6)


def test_an_input_that_the_critic_does_not_use_adds_nothing_to_the_norm():
    # The gradient in x is (3, 4): its norm is 5, and (5 - 1)² = 16. That in z is 0.
    def critic(x, _):
        return tf.reduce_sum(tf.constant([3.0, 4.0]) * x, axis=1)

    ends = tf.ones([2, 2]), tf.ones([2, 1])
    np.testing.assert_allclose(gradient_penalty(critic, ends, ends), [16.0, 16.0], rtol=1e-6)


def test_norm_by_hand():
    # (3, 4) in x and 12 in z: 5 and 12 are the legs of 13.
    def critic(x, z):
        return tf.reduce_sum(tf.constant([3.0, 4.0]) * x, axis=1) + 12 * z[:, 0]

    ends = tf.ones([2, 2]), tf.ones([2, 1])
    np.testing.assert_allclose(gradient_norm(critic, ends, ends), [13.0, 13.0], rtol=1e-6)


def test_float64_tensors_are_computed_in_float64():
    # Half way between lies x = 2, where ½ x⁴ has the slope 16; that in z is 1.
    def critic(x, z):
        return tf.square(tf.square(x)) * tf.constant(0.5, tf.float64) + z

    z = tf.zeros([1, 1], tf.float64)
    real, fake = (tf.constant([[end]], tf.float64) for end in (3.0, 1.0))
    penalty = gradient_penalty(critic, [real, z], [fake, z], epsilon=[0.5])
    np.testing.assert_allclose(penalty, [(257**0.5 - 1) ** 2], rtol=1e-12)


def test_functional_model_takes_both_inputs():
    inputs = keras.Input((2,)), keras.Input((1,))
    dense = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(inputs, dense(keras.layers.Concatenate()(list(inputs))))
    dense.set_weights([np.array([[2.0], [1.0], [5.0]])])
    ends = np.ones((1, 2)), np.ones((1, 1))
    # (2, 1, 5) is √30 long.
    np.testing.assert_allclose(gradient_penalty(model, ends, ends), [(30**0.5 - 1) ** 2], rtol=1e-5)


@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (6,), (3, 1)])
def test_epsilon_that_is_not_one_number_for_each_example_is_refused(shape):
    x = tf.ones([3, 2])
    with pytest.raises(ValueError, match="epsilon"):
        gradient_penalty(half_square, [x], [2 * x], epsilon=tf.zeros(shape))


def joint(x, z):
    """D(x, z) = ½‖x‖² + 12 z: its gradient is (x, 12)."""
    return tf.reduce_sum(tf.square(x), axis=1) / 2 + 12 * z[:, 0]


@pytest.mark.parametrize(("over", "expected"), [(None, 169.0), ((0,), 25.0), ((1,), 144.0)])
def test_squared_slope_over_both_inputs_or_one(over, expected):
    points = tf.constant([[3.0, 4.0]]), tf.zeros([1, 1])
    np.testing.assert_allclose(squared_slope(joint, points, over=over), [expected], rtol=1e-6)


def test_one_sided_penalty_asks_for_nothing_below_slope_1():
    # The slope of ½‖x‖² is 3 at one end, ½ at the other, and 1.75 half way.
    real, fake = [tf.constant([[3.0, 0.0]])], [tf.constant([[0.5, 0.0]])]
    for epsilon, expected in [(1.0, 4.0), (0.0, 0.0), (0.5, 0.5625)]:
        penalty = one_sided_gradient_penalty(
            half_square, real, fake, epsilon=tf.constant([epsilon])
        )
        np.testing.assert_allclose(penalty, [expected], rtol=1e-6)


def test_zero_centered_penalty_is_the_square_of_the_slope():
    real, fake = [tf.constant([[3.0, 0.0]])], [tf.constant([[1.0, 0.0]])]
    penalty = zero_centered_gradient_penalty(half_square, real, fake, epsilon=tf.constant([0.5]))
    np.testing.assert_allclose(penalty, [4.0], rtol=1e-6)
    penalty = zero_centered_gradient_penalty(
        joint, [*real, tf.zeros([1, 1])], [*fake, tf.ones([1, 1])], epsilon=[1.0], over=[1]
    )
    np.testing.assert_allclose(penalty, [144.0], rtol=1e-6)


def test_perturbed_by_one_deviation_over_the_whole_batch():
    # The numbers 0, 2, 4, 6 have the variance 5.
    real = [tf.constant([[0.0, 2.0], [4.0, 6.0]])]
    noise = [tf.constant([[1.0, 0.0], [0.5, 0.25]])]
    (moved,) = perturbed(real, noise, 2.0)
    root = 5**0.5
    np.testing.assert_allclose(moved, [[2 * root, 2], [4 + root, 6 + root / 2]], rtol=1e-6)


def test_penalties_give_the_weights_a_gradient_and_the_points_none():
    weight = tf.Variable([[2.0], [1.0]])
    x = tf.constant([[1.0, 1.0]])
    for penalty, expected in [
        # ‖w‖² = 5: 2w, and (√5 - 1)²: 2(√5 - 1) w / √5.
        (zero_centered_gradient_penalty, np.array([[4.0], [2.0]])),
        (one_sided_gradient_penalty, 2 * (1 - 5**-0.5) * np.array([[2.0], [1.0]])),
    ]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = penalty(lambda x: x @ weight, [x], [2 * x])
        of_weight, of_x = tape.gradient(loss, [weight, x])
        np.testing.assert_allclose(of_weight, expected, rtol=1e-5)
        assert of_x is None
