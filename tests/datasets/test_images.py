import numpy as np
import pytest

from logan.datasets.images import Images, image_batches


def numbered(count):
    """Images of 2 x 2 pixels in one grey each: image i is i."""
    return np.tile(np.arange(count, dtype=np.uint8)[:, None, None, None], (1, 2, 2, 3))


def batches(images, seed, batch_size, first_step=0, **settings):
    every = np.arange(len(images))
    return image_batches(images, every, seed, batch_size, first_step=first_step, **settings)


def take(dataset, count):
    return np.stack([batch.numpy() for batch in dataset.take(count)])


def order(batches):
    """Which images the batches hold."""
    grey = (batches[..., 0, 0, 0].ravel() + 1) * 127.5
    return grey.round().astype(int)


@pytest.mark.parametrize("batch_size", [4, 5])
def test_each_epoch_shows_every_image_once_in_an_order_of_its_own(batch_size):
    """With 5 to a batch the 12 images of an epoch end inside of a batch."""
    shown = order(take(batches(numbered(12), 0, batch_size), 60 // batch_size))
    epochs = shown.reshape(5, 12)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(12))
    assert len({tuple(epoch) for epoch in epochs}) == 5
    assert (epochs != np.arange(12)).any(axis=1).all()


def test_order_follows_from_the_seed():
    images = numbered(50)
    first, again, other = (order(take(batches(images, s, 10), 5)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_order_does_not_depend_on_the_size_of_the_batches():
    images = numbered(12)
    small, large = (order(take(batches(images, 0, size), 24 // size)) for size in (3, 8))
    np.testing.assert_array_equal(small, large)


@pytest.mark.parametrize("first_step", [1, 3, 7])
def test_batches_from_a_later_step_are_those_of_the_whole_run(first_step):
    images = numbered(12)
    whole = take(batches(images, 0, 5), 10)
    later = take(batches(images, 0, 5, first_step), 10 - first_step)
    np.testing.assert_array_equal(later, whole[first_step:])


def test_bytes_fill_the_range_from_minus_one_to_one():
    images = np.zeros((3, 1, 1, 1), np.uint8)
    images[:, 0, 0, 0] = [0, 51, 255]
    values = np.unique(take(batches(images, 0, 3), 1))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, [-1, -0.6, 1], atol=1e-6)


def test_one_image_is_enough():
    assert take(batches(numbered(1), 0, 2), 2).shape == (2, 2, 2, 2, 3)


def test_places_in_the_order_are_evenly_used():
    """Over many epochs every image comes first about equally often."""
    shown = order(take(batches(numbered(5), 0, 5), 500)).reshape(500, 5)
    for place in range(5):
        counts = np.bincount(shown[:, place], minlength=5)
        assert np.abs(counts - 100).max() < 6 * (500 * 0.2 * 0.8) ** 0.5


def test_parts_are_taken_evenly_over_time():
    frames = np.concatenate([numbered(4), numbered(11) + 100])
    images = Images(frames, np.arange(4), np.arange(4, 15))
    sample = images.evaluation_sample(0, 6)
    np.testing.assert_array_equal(order(sample), [100, 102, 104, 106, 108, 110])
    np.testing.assert_array_equal(images.held_out(6), [4, 6, 8, 10, 12, 14])
    assert sample.dtype == np.float32
    assert len(images.evaluation_sample(0, 50)) == 11
    np.testing.assert_array_equal(order(images.training_sample(2)), [0, 3])


def test_training_sees_the_training_part_alone():
    images = Images(numbered(10), np.array([1, 4, 8]), np.array([0, 2]))
    shown = order(take(images.batches(0, 3), 4))
    np.testing.assert_array_equal(np.sort(shown.reshape(4, 3)), [[1, 4, 8]] * 4)


def test_half_of_the_images_are_mirrored_by_chance():
    # Left half black, right half white.
    images = np.zeros((4, 2, 2, 1), np.uint8)
    images[:, :, 1] = 255
    shown = take(batches(images, 0, 4, flip=True), 100).reshape(400, 2, 2, 1)
    mirrored = shown[:, 0, 0, 0] > 0
    np.testing.assert_array_equal(shown[mirrored][..., 0, 0], 1)
    np.testing.assert_array_equal(shown[mirrored][..., 1, 0], -1)
    assert abs(mirrored.sum() - 200) < 5 * 10
    again = take(batches(images, 0, 4, 30, flip=True), 70).reshape(280, 2, 2, 1)
    np.testing.assert_array_equal(again, shown[120:])
    unflipped = take(batches(images, 0, 4), 20)
    assert (unflipped[..., 0, 0] == -1).all()


def test_images_mapped_from_a_file_are_read_batch_by_batch(tmp_path):
    np.save(tmp_path / "frames.npy", numbered(12))
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    np.testing.assert_array_equal(
        take(batches(mapped, 0, 5), 6), take(batches(numbered(12), 0, 5), 6)
    )


@pytest.mark.parametrize("flip", [False, True])
def test_each_image_comes_with_its_label_and_in_the_same_order_as_without(flip):
    frames, train = numbered(10), np.array([1, 4, 8, 9, 0])
    plain = Images(frames, train, np.array([2]), flip=flip)
    images = Images(frames, train, np.array([2]), flip=flip, labels=100 + np.arange(10))
    pairs = list(images.batches(0, 3, first_step=2).take(5))
    shown = np.stack([x.numpy() for x, _ in pairs])
    labels = np.stack([y.numpy() for _, y in pairs])
    np.testing.assert_array_equal(shown, take(plain.batches(0, 3, first_step=2), 5))
    np.testing.assert_array_equal(labels.ravel(), 100 + order(shown))
    assert labels.dtype == np.int64
    assert set(labels.ravel()) == set(100 + train)
