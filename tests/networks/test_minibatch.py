"""Layers that see the other samples of a batch, against sums written out."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.networks import convolutional, mlp
from logan.networks.minibatch import MinibatchDeviation, MinibatchDiscrimination

RANDOM = np.random.default_rng(0)


def test_discrimination_by_hand():
    """Features 0, 1 and 3 on one kernel of length 1 with T = 1: distances 1, 3 and 2."""
    layer = MinibatchDiscrimination(1, 1)
    layer.build((None, 1))
    layer.kernel.assign([[1.0]])
    expected = np.exp([[-1], [-1], [-3]]) + np.exp([[-3], [-2], [-2]])
    output = layer(tf.constant([[0.0], [1.0], [3.0]]))
    np.testing.assert_allclose(output, np.hstack([[[0], [1], [3]], expected]), rtol=1e-5)


def test_discrimination_against_loops():
    layer = MinibatchDiscrimination(3, 2)
    layer.build((None, 4))
    x = RANDOM.normal(size=(5, 4)).astype(np.float32)
    projected = (x @ layer.kernel.numpy()).reshape(5, 3, 2)
    expected = [
        [
            sum(
                np.exp(-np.abs(projected[i, b] - projected[j, b]).sum()) for j in range(5) if j != i
            )
            for b in range(3)
        ]
        for i in range(5)
    ]
    np.testing.assert_allclose(layer(x)[:, 4:], expected, rtol=1e-4)
    np.testing.assert_array_equal(layer(x)[:, :4], x)
    # A sample alone has no neighbours.
    np.testing.assert_allclose(layer(x[:1])[:, 4:], np.zeros((1, 3)), atol=1e-6)


def test_deviation_by_hand():
    """Groups are (0, 2), (1, 3): of 0 and 4 the deviation is 2, of 1 and 1 it is 0."""
    output = MinibatchDeviation(2)(tf.constant([[0.0], [1.0], [4.0], [1.0]]))
    np.testing.assert_allclose(output, [[0, 2], [1, 0], [4, 2], [1, 0]], atol=1e-3)


@pytest.mark.parametrize("shape", [(8, 3), (8, 4, 4, 2), (6, 4, 4, 2)])
def test_deviation_is_one_number_for_a_group(shape):
    x = RANDOM.normal(size=shape).astype(np.float32)
    group = 4 if shape[0] % 4 == 0 else shape[0]
    output = MinibatchDeviation()(x).numpy()
    assert output.shape == (*shape[:-1], shape[-1] + 1)
    np.testing.assert_array_equal(output[..., :-1], x)
    count = shape[0] // group
    for first in range(count):
        members = x[first::count]
        expected = members.std(axis=0).mean()
        np.testing.assert_allclose(output[first::count, ..., -1], expected, rtol=1e-4)


@pytest.mark.parametrize("minibatch", ["discrimination", "deviation"])
@pytest.mark.parametrize(
    "make",
    [
        lambda **parts: mlp.Discriminator((2,), 3, width=8, **parts),
        lambda **parts: convolutional.Discriminator((8, 8, 1), 3, width=4, dense_width=8, **parts),
    ],
)
def test_discriminators_with_such_a_layer_look_across_the_batch(make, minibatch, tmp_path):
    network = make(minibatch=minibatch)
    assert network.looks_across_batch
    assert not getattr(make(), "looks_across_batch", False)
    x, z = RANDOM.normal(size=(4, *network.data_shape)), RANDOM.normal(size=(4, 3))
    x, z = x.astype(np.float32), z.astype(np.float32)
    logits, alike = network(x, z), network(np.repeat(x[:1], 4, axis=0), np.repeat(z[:1], 4, axis=0))
    assert abs(float(logits[0, 0] - alike[0, 0])) > 1e-6
    network.save(tmp_path / "d.keras")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "d.keras")(x, z), logits, 1e-5)


def test_settings_out_of_range_are_refused():
    for make, message in [
        (lambda: MinibatchDiscrimination(0), "kernels"),
        (lambda: MinibatchDeviation(1), "group"),
        (lambda: mlp.Discriminator(minibatch="mean"), "minibatch"),
        (lambda: mlp.Discriminator(dropout=1.0), "dropout"),
        (lambda: convolutional.Discriminator(dropout=-0.1), "dropout"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
