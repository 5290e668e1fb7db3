import numpy as np
import pytest

from logan.metrics.images import mean_squared_error, psnr, spread, ssim, thumbnails


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 0.8, (3, 32, 32, 3)).astype(np.float32)


def test_equal_images(images):
    np.testing.assert_array_equal(mean_squared_error(images, images), [0, 0, 0])
    np.testing.assert_array_equal(psnr(images, images), [np.inf] * 3)
    np.testing.assert_allclose(ssim(images, images), [1, 1, 1], atol=1e-6)


@pytest.mark.parametrize(
    "measure", [spread, lambda x: psnr(x, x), lambda x: mean_squared_error(x, x)]
)
def test_pixels_in_place_of_their_unit_range_are_refused(images, measure):
    pixels = np.clip(127.5 * (images + 1), 0, 255)
    with pytest.raises(ValueError, match=r"images in \[-1, 1\]\. Received: .*x / 127\.5 - 1"):
        measure(pixels)
    measure(1.5 * images)  # a generator may go beyond the range, to both sides


def test_a_constant_difference(images):
    other = images + np.array([0.0, 0.1, 0.2], np.float32)[:, None, None, None]
    np.testing.assert_allclose(mean_squared_error(images, other), [0, 0.01, 0.04], atol=1e-7)
    # 10 log10(4 / 0.01) and 10 log10(4 / 0.04).
    np.testing.assert_allclose(psnr(images, other)[1:], [26.0206, 20], atol=1e-4)


def test_black_against_white():
    black, white = -np.ones((1, 16, 16, 1)), np.ones((1, 16, 16, 1))
    assert mean_squared_error(black, white) == 4
    assert psnr(black, white) == 0
    # Without structure SSIM is (2 m n + C1) / (m² + n² + C1) of the means on [0, 1], C1 = 0.0001.
    np.testing.assert_allclose(ssim(black, white), [0.0001 / 1.0001], atol=1e-6)


def test_ssim_of_constant_images_compares_means_on_zero_to_one():
    dark, bright = np.full((1, 16, 16, 3), -0.5), np.full((1, 16, 16, 3), 0.5)
    expected = (2 * 0.25 * 0.75 + 0.0001) / (0.25**2 + 0.75**2 + 0.0001)
    np.testing.assert_allclose(ssim(dark, bright), [expected], atol=1e-3)


def test_ssim_falls_with_noise(images):
    noise = np.random.default_rng(1).normal(size=images.shape).astype(np.float32)
    some, much = ssim(images, images + 0.05 * noise), ssim(images, images + 0.5 * noise)
    assert np.all((much < some) & (some < 1))


def test_ssim_takes_more_images_than_one_batch():
    images = np.random.default_rng(2).uniform(-1, 1, (300, 11, 11, 1)).astype(np.float32)
    others = images[::-1].copy()
    values = ssim(images, others)
    assert values.shape == (300,)
    np.testing.assert_allclose(values[290:], ssim(images[290:], others[290:]), atol=1e-6)


def test_spread_of_one_image_is_zero_and_of_two_is_half_their_distance(images):
    assert spread(np.repeat(images[:1], 5, axis=0)) == 0
    pair = np.stack([np.full((8, 8, 3), -0.5), np.full((8, 8, 3), 0.1)])
    assert spread(pair) == pytest.approx(0.3)


def test_shapes_must_agree(images):
    with pytest.raises(ValueError, match="Expected two equal shapes"):
        mean_squared_error(images, images[:2])


def test_integer_images_are_refused(images):
    with pytest.raises(ValueError, match="Expected floating images"):
        psnr(images, np.zeros(images.shape, np.uint8))


def test_ssim_refuses_images_smaller_than_its_window():
    small = np.zeros((1, 10, 16, 3))
    with pytest.raises(ValueError, match="at least 11x11 pixels"):
        ssim(small, small)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="Expected images of shape"):
        spread(np.zeros((0, 8, 8, 3)))


def test_thumbnails_are_means_over_squares():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1) / 16
    np.testing.assert_allclose(thumbnails(image, 2) * 16, [[2.5, 4.5, 10.5, 12.5]])
    # Sides that do not divide have squares of two sizes; 8 are more than there are pixels.
    np.testing.assert_allclose(thumbnails(image[:, :3, :1], 2) * 16, [[0, 6]])
    np.testing.assert_allclose(thumbnails(image)[0], image.ravel())
    levels = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1) * np.ones((1, 9, 9, 3), np.uint8)
    np.testing.assert_array_equal(thumbnails(levels), np.repeat([[-1.0], [1.0]], 192, axis=1))
