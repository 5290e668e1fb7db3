import json
import os
import stat

import numpy as np
import pytest

from logan.errors import UserError
from logan.files import atomic_path, read_json, write_json, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_only_when_the_block_succeeds(tmp_path):
    path = tmp_path / "new folder" / "weights.weights.h5"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.parent == path.parent
        assert temporary.name.endswith(".weights.h5")
    assert path.read_text() == "whole"
    assert names(path.parent) == ["weights.weights.h5"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "log.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["log.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "nothing"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_others_may_read_what_was_written_as_far_as_the_mask_allows(tmp_path):
    write_text(tmp_path / "ours", "")
    (tmp_path / "plain").write_text("")
    ours, plain = (stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain"))
    assert ours == plain


def test_text_is_utf_8_with_its_line_ends(tmp_path):
    write_text(tmp_path / "text", "σ = 0.01\n\r\n")
    assert (tmp_path / "text").read_bytes() == "σ = 0.01\n\r\n".encode()


def test_json_comes_back_in_its_order(tmp_path):
    value = {"z": 1, "a": [0.5, None, True], "protocol": "within 3σ", "empty": {}}
    write_json(tmp_path / "metrics.json", value)
    assert list(read_json(tmp_path / "metrics.json").items()) == list(value.items())
    assert "3σ" in (tmp_path / "metrics.json").read_text(encoding="utf-8")


def test_numpy_numbers_and_arrays_are_written_as_numbers_and_lists(tmp_path):
    value = {
        "share": np.float32(0.5),
        "count": np.int64(3),
        "areas": np.array([0.25, 1.0]),
        "t": (1,),
    }
    write_json(tmp_path / "metrics.json", value)
    expected = {"share": 0.5, "count": 3, "areas": [0.25, 1.0], "t": [1]}
    assert json.loads((tmp_path / "metrics.json").read_text()) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [1.0, float("nan")]}}, r"nan at a\.b\[1\]"),
        ({"psnr": np.float32(np.inf)}, "inf at psnr"),
        (float("-inf"), "-inf at the top"),
    ],
)
def test_numbers_that_are_none_are_refused_by_place(tmp_path, value, message):
    with pytest.raises(ValueError, match=message):
        write_json(tmp_path / "metrics.json", value)
    assert names(tmp_path) == []


def test_what_json_cannot_express_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        write_json(tmp_path / "metrics.json", {"a": object()})
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1,}', b"\xff\xfe\x00", b"[" * 10**5])
def test_a_damaged_json_file_is_named(tmp_path, content):
    path = tmp_path / "damaged.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"Expected JSON in .*damaged\.json\. Received"):
        read_json(path)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_is_never_written_is_not_read(tmp_path, number):
    path = tmp_path / "damaged.json"
    path.write_text(f'{{"a": [1, {{"b": {number}}}]}}')
    with pytest.raises(UserError, match=r"Expected finite numbers in .*json\. .* at a\[1\]\.b\."):
        read_json(path)


def test_a_missing_json_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.json"):
        read_json(tmp_path / "absent.json")
