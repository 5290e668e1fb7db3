"""Extractors by name, and what is refused before a network is loaded."""

import numpy as np
import pytest

from logan.errors import UserError
from logan.extractors import check_extractor, make_extractor
from logan.extractors.base import Extractor
from logan.settings import EXTRACTORS
from logan.settings.names import ExtractorEntry

HDF5 = b"\x89HDF\r\n\x1a\n"


class Offset(Extractor):
    """Features that are the weights file's length, plus a number."""

    name = "offset"

    def __init__(self, weights, plus=0):
        self.value = plus + (0 if weights is None else weights.stat().st_size)

    def batch_features(self, images):
        return np.full((len(images), 1), self.value)


@pytest.fixture
def offset():
    """An extractor from outside of the package."""
    EXTRACTORS.register("offset", ExtractorEntry(suffixes=(".bin",)))(Offset)
    yield
    EXTRACTORS.remove("offset")


def test_random_needs_nothing_and_none_is_none():
    features = make_extractor("random:seed=2")(np.full((2, 8, 8, 1), -0.5))
    assert features.shape == (2, 448)
    assert make_extractor("none") is None


def test_extractor_from_outside_gets_settings_and_weights(offset, tmp_path):
    (tmp_path / "some.bin").write_bytes(b"12345")
    images = np.full((3, 8, 8, 1), -0.5)
    assert make_extractor("offset:plus=2")(images).tolist() == [[2]] * 3
    assert make_extractor("offset", tmp_path / "some.bin")(images).tolist() == [[5]] * 3


@pytest.mark.parametrize(
    ("text", "weights", "message"),
    [
        ("vgg", None, "--extractor: expected one of random, inception, squeezenet, fid, none"),
        ("squeezenett", None, "Did you mean squeezenet"),
        ("random:seed", None, "--extractor: expected name:setting=value"),
        ("random", "some.h5", "--extractor_weights: expected none for the extractor random"),
        ("none", "some.h5", "--extractor_weights: expected none for the extractor none"),
        ("squeezenet", None, "--extractor_weights: expected squeezenet_weights_tf_.*: nothing"),
        ("fid", None, "--extractor_weights: expected classify_image_graph_def.pb.*: nothing"),
        ("fid", "good.h5", r"weights of fid \(\.pb\)\. Received: .*good\.h5"),
        ("inception", "missing.h5", r"missing\.h5: no file"),
        ("inception", "text.h5", r"text\.h5, which is not a \.h5 file"),
        ("inception", "text.keras", r"text\.keras, which is not a \.keras file"),
        ("missing.keras", None, r"--extractor: expected a Keras model.*missing\.keras: no file"),
        ("text.keras:layer=a", None, r"--extractor: .*text\.keras, which is not a \.keras file"),
        ("zip.keras", "good.h5", r"expected none for the extractor zip\.keras"),
    ],
)
def test_what_cannot_be_used_is_refused_before_a_network_is_loaded(
    tmp_path, monkeypatch, text, weights, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(type(EXTRACTORS), "load", lambda *_: pytest.fail("loaded"))
    (tmp_path / "good.h5").write_bytes(HDF5 + b"...")
    (tmp_path / "text.h5").write_text("not found")
    (tmp_path / "text.keras").write_text("not found")
    (tmp_path / "zip.keras").write_bytes(b"PK\x05\x06" + bytes(18))  # an archive of nothing
    with pytest.raises(UserError, match=message):
        check_extractor(text, weights)
    with pytest.raises(UserError, match=message):
        make_extractor(text, weights)


def test_unknown_settings_are_refused():
    with pytest.raises(UserError, match=r"--extractor: expected one of seed with random.*: size"):
        make_extractor("random:size=3")
    with pytest.raises(UserError, match="--extractor: expected a whole number as seed of random"):
        make_extractor("random:seed=first")
