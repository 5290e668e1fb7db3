"""Lists of paths in a flag."""

import pytest

from logan.cli.settings import joined_paths
from logan.errors import UserError
from logan.settings import Experiment, from_flags, split_list, to_flags, to_text

VIDEO = dict(dataset="traffic", network="convolutional", image_size=32)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.mp4", ("a.mp4",)),
        ("a.mp4,b.mp4", ("a.mp4", "b.mp4")),
        ("lane 1, north.mp4", ("lane 1, north.mp4",)),
        ("a.mp4,lane 1, north.mp4,b.mp4", ("a.mp4", "lane 1, north.mp4", "b.mp4")),
        ("1,2,,3", ("1,2,,3",)),
        (r"lane 1\, north.mp4,a.mp4", ("lane 1, north.mp4", "a.mp4")),
        ("lane 1, *.mp4,a.mp4", ("lane 1, *.mp4", "a.mp4")),
        ("absent,also absent", ("absent", "also absent")),
        ("absent,a.mp4", ("absent", "a.mp4")),
        (",a.mp4,", ("a.mp4",)),
        (",".join(["absent"] * 100), ("absent",) * 100),
    ],
)
def test_names_with_commas(tmp_path, monkeypatch, text, expected):
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mp4", "lane 1, north.mp4", "1,2,,3"):
        (tmp_path / name).touch()
    assert joined_paths(split_list(text)) == expected


def test_the_text_of_names_with_commas():
    names = ("/x/lane 1, north.mp4", "b.mp4", "/,/c.mp4")
    assert to_text(names) == r"/x/lane 1\, north.mp4,b.mp4,/\,/c.mp4"
    assert tuple(split_list(to_text(names))) == names
    experiment = Experiment(**VIDEO, video=names)
    assert from_flags(to_flags(experiment)) == experiment


@pytest.mark.parametrize("name", ["a\\", "a\\,b.mp4"])
def test_names_that_a_list_cannot_hold(name):
    with pytest.raises(UserError, match="--video: expected paths without a backslash"):
        Experiment(**VIDEO, video=(name,))
