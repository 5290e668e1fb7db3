import numpy as np
import pytest

from logan.datasets.images import image_batches
from logan.datasets.load import Images


def numbered(count):
    """Images of 2 x 2 pixels in one grey each: image i is i."""
    return np.tile(np.arange(count, dtype=np.uint8)[:, None, None, None], (1, 2, 2, 3))


def take(dataset, count):
    return np.stack([batch.numpy() for batch in dataset.take(count)])


def order(batches):
    """Which images the batches hold."""
    grey = (batches[..., 0, 0, 0].ravel() + 1) * 127.5
    return grey.round().astype(int)


@pytest.mark.parametrize("batch_size", [4, 5])
def test_each_epoch_shows_every_image_once_in_an_order_of_its_own(batch_size):
    """With 5 to a batch the 12 images of an epoch end inside of a batch."""
    shown = order(take(image_batches(numbered(12), 0, batch_size), 60 // batch_size))
    epochs = shown.reshape(5, 12)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(12))
    assert len({tuple(epoch) for epoch in epochs}) == 5
    assert (epochs != np.arange(12)).any(axis=1).all()


def test_order_follows_from_the_seed():
    images = numbered(50)
    first, again, other = (order(take(image_batches(images, s, 10), 5)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_order_does_not_depend_on_the_size_of_the_batches():
    images = numbered(12)
    small, large = (order(take(image_batches(images, 0, size), 24 // size)) for size in (3, 8))
    np.testing.assert_array_equal(small, large)


@pytest.mark.parametrize("first_step", [1, 3, 7])
def test_batches_from_a_later_step_are_those_of_the_whole_run(first_step):
    images = numbered(12)
    whole = take(image_batches(images, 0, 5), 10)
    later = take(image_batches(images, 0, 5, first_step), 10 - first_step)
    np.testing.assert_array_equal(later, whole[first_step:])


def test_bytes_fill_the_range_from_minus_one_to_one():
    images = np.zeros((3, 1, 1, 1), np.uint8)
    images[:, 0, 0, 0] = [0, 51, 255]
    values = np.unique(take(image_batches(images, 0, 3), 1))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [-1, -0.6, 1], atol=1e-6)


def test_one_image_is_enough():
    assert take(image_batches(numbered(1), 0, 2), 2).shape == (2, 2, 2, 2, 3)


def test_places_in_the_order_are_evenly_used():
    """Over many epochs every image comes first about equally often."""
    shown = order(take(image_batches(numbered(5), 0, 5), 500)).reshape(500, 5)
    for place in range(5):
        counts = np.bincount(shown[:, place], minlength=5)
        assert np.abs(counts - 100).max() < 6 * (500 * 0.2 * 0.8) ** 0.5


def test_evaluation_takes_held_out_images_spread_over_time():
    images = Images(numbered(4), numbered(11) + 100)
    sample = images.evaluation_sample(0, 6)
    np.testing.assert_array_equal(order(sample), [100, 102, 104, 106, 108, 110])
    assert sample.dtype == np.float32
    assert len(images.evaluation_sample(0, 50)) == 11


def test_training_takes_training_images_only():
    images = Images(numbered(4), numbered(11) + 100)
    assert set(order(take(images.batches(0, 4), 3))) == {0, 1, 2, 3}


def test_orders_of_many_epochs_are_all_different():
    shown = order(take(image_batches(numbered(20), 0, 20), 300)).reshape(300, 20)
    assert len({tuple(epoch) for epoch in shown}) == 300
