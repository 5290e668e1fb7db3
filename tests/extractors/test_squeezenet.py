import hashlib

import h5py
import keras
import numpy as np
import pytest

from logan.errors import UserError
from logan.extractors import make_extractor, squeezenet
from logan.extractors.squeezenet import SqueezeNet, network

SIDE = 39  # conv1 gives 19 x 19, the three poolings 9, 4 and 1


@pytest.fixture(scope="module")
def arrays():
    """Random kernels and biases of the 25 convolutions, in the order of the network."""
    draws = np.random.default_rng(0)
    shapes = [(3, 3, 3, 64)]
    depth = 64
    for squeezed, expanded in zip(squeezenet.SQUEEZED, squeezenet.EXPANDED, strict=True):
        shapes += [(1, 1, depth, squeezed), (1, 1, squeezed, expanded), (3, 3, squeezed, expanded)]
        depth = 2 * expanded
    return [
        (
            draws.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype(np.float32),
            draws.normal(0, 0.1, shape[-1:]).astype(np.float32),
        )
        for shape in shapes
    ]


@pytest.fixture(scope="module")
def weights(arrays, tmp_path_factory):
    """A file as old versions of Keras wrote it: layers, and of each the names of its weights."""
    path = tmp_path_factory.mktemp("squeezenet") / "squeezenet.h5"
    with h5py.File(path, "w") as file:
        names = [f"conv{index}" for index in range(len(arrays))]
        file.attrs["layer_names"] = [b"input_1", *(name.encode() for name in names)]
        file.create_group("input_1").attrs["weight_names"] = []
        for name, pair in zip(names, arrays, strict=True):
            group = file.create_group(name)
            group.attrs["weight_names"] = [b"kernel", b"bias"]
            for kind, array in zip(("kernel", "bias"), pair, strict=True):
                group[kind] = array
    return path


def convolution(image, kernel, bias, stride=1, padding=0):
    """A convolution and a ReLU, by a loop over the places of the result."""
    image = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    side = len(kernel)
    count = (len(image) - side) // stride + 1
    result = np.empty((count, count, kernel.shape[-1]))
    for row, column in np.ndindex(count, count):
        top, left = row * stride, column * stride
        patch = image[top : top + side, left : left + side]
        result[row, column] = np.tensordot(patch, kernel, 3) + bias
    return np.maximum(result, 0)


def pooled(image):
    """The greatest value of squares of 3 x 3, every 2 pixels, without a rest at the edge."""
    count = (len(image) - 3) // 2 + 1
    result = np.empty((count, count, image.shape[-1]))
    for row, column in np.ndindex(count, count):
        result[row, column] = image[2 * row : 2 * row + 3, 2 * column : 2 * column + 3].max((0, 1))
    return result


def features(image, arrays):
    """fire9 averaged, of an image [side, side, 3] in [-1, 1], as the paper's table 1 has it."""
    image = ((image + 1) * 127.5)[..., ::-1] - [103.939, 116.779, 123.68]
    rest = iter(arrays)
    x = pooled(convolution(image, *next(rest), stride=2))
    for module in range(2, 10):
        x = convolution(x, *next(rest))
        x = np.concatenate([convolution(x, *next(rest)), convolution(x, *next(rest), padding=1)], 2)
        if module in (3, 5):
            x = pooled(x)
    return x.mean(axis=(0, 1))


def test_features_against_loops(arrays, weights):
    images = np.random.default_rng(1).uniform(-1, 1, (2, SIDE, SIDE, 3))
    expected = np.array([features(image, arrays) for image in images])
    assert expected.shape == (2, 512) and (expected > 0).mean() > 0.2
    found = SqueezeNet(weights, SIDE)(images)
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected.max())


def test_other_sizes_and_grey_images_are_scaled_and_coloured(weights):
    grey = np.random.default_rng(2).uniform(-1, 1, (2, 2 * SIDE, 2 * SIDE, 1))
    # Twice as large: the antialiased filter weighs four pixels with 1, 3, 3, 1 in each direction.
    kernel = np.array([1, 3, 3, 1]) / 8
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1), (0, 0)))
    weights_in = np.pad(np.ones((2 * SIDE, 2 * SIDE)), 1)

    def filtered(array):
        rows = sum(kernel[k] * array[:, k : k + 2 * SIDE : 2] for k in range(4))
        return sum(kernel[k] * rows[:, :, k : k + 2 * SIDE : 2] for k in range(4))

    scaled = filtered(padded) / filtered(weights_in[None, ..., None])
    network = SqueezeNet(weights, SIDE)
    expected = network(np.repeat(scaled, 3, axis=-1))
    np.testing.assert_allclose(network(grey), expected, atol=1e-4 * expected.max())


def test_name_tells_network_size_and_file(weights):
    network = make_extractor("squeezenet:size=64", weights)
    assert network.name == "SqueezeNet 1.1 at 64 pixels (not FID)"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert "scaled to 64 x 64" in network.text
    assert f"weights squeezenet.h5 (SHA-256 {digest[:12]}…)" in network.text
    assert not network.is_fid


def test_features_are_float32_after_a_run_in_mixed_precision(weights):
    images = np.random.default_rng(3).uniform(-1, 1, (2, SIDE, SIDE, 3))
    expected = SqueezeNet(weights, SIDE)(images)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = SqueezeNet(weights, SIDE)(images)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_network_has_the_published_number_of_weights():
    assert network().count_params() == 722_496  # 1,235,496 less the classifier's 512 * 1000 + 1000


def test_other_files_and_sizes_are_refused(weights, tmp_path):
    other = tmp_path / "dense.h5"
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.save_weights(tmp_path / "dense.weights.h5")
    (tmp_path / "dense.weights.h5").rename(other)
    with pytest.raises(UserError, match=r"--extractor_weights: expected squeezenet_.*dense\.h5"):
        SqueezeNet(other)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(weights.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"--extractor_weights: expected squeezenet_.*cut\.h5"):
        SqueezeNet(cut)
    for size in (16, 64.5, "large"):
        with pytest.raises(UserError, match=f"--extractor: expected a size of 32.*: {size}"):
            SqueezeNet(weights, size)
