"""Folders of clips, patterns and names, and where each frame comes from."""

import av
import numpy as np
import pytest
from PIL import Image

from logan.datasets.video import FrameOrigin, VideoError, load_frames, load_frames_and_origins

TOLERANCE = 4


def write_clip(path, levels, rate=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(f"file:{path}", "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for level in levels:
            pixels = np.full((32, 48, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode())
    return path


def write_picture(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((32, 48, 3), level, np.uint8)).save(path)


def levels(frames):
    """The grey levels to the nearest ten."""
    found = frames.astype(float).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found, 10 * np.rint(found / 10), atol=TOLERANCE)
    return (10 * np.rint(found / 10)).astype(int).tolist()


@pytest.fixture
def clips(tmp_path):
    """clip9.mp4, Clip10.AVI and clip11.mkv of two frames each, and what is none of them."""
    folder = tmp_path / "clips"
    for number, name in ((9, "clip9.mp4"), (10, "Clip10.AVI"), (11, "clip11.mkv")):
        write_clip(folder / name, (10 * number, 10 * number + 100))
    (folder / "notes.txt").write_text("no clip")
    (folder / "._clip9.mp4").write_text("left behind by a Mac")
    return folder


def test_a_folder_of_clips_is_read_in_natural_order(clips):
    assert levels(load_frames(clips, size=8)) == [90, 190, 100, 200, 110, 210]
    # Each clip has a beginning of its own.
    frames = load_frames(clips, size=8, start_seconds=0.1)
    assert levels(frames) == [190, 200, 210]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("clips/*.mp4", [90, 190]),
        ("clips/[cC]lip1?.*", [100, 200, 110, 210]),
        ("*/clip*", [90, 190, 110, 210]),
        ("**/clip9*", [90, 190]),
        ("c*", [90, 190, 100, 200, 110, 210]),
    ],
)
def test_patterns(clips, monkeypatch, pattern, expected):
    monkeypatch.chdir(clips.parent)
    for path in (pattern, clips.parent / pattern):
        assert levels(load_frames(path, size=8)) == expected


def test_a_pattern_of_pictures(tmp_path):
    for number in (9, 10, 11):
        write_picture(tmp_path / f"frame{number}.png", 10 * number)
    write_clip(tmp_path / "all.mp4", (10, 20))
    frames, origins = load_frames_and_origins(tmp_path / "*.png", size=8)
    assert levels(frames) == [90, 100, 110]
    assert origins[1] == FrameOrigin(str(tmp_path / "frame10.png"), None)
    with pytest.raises(VideoError, match="whose pictures have no time"):
        load_frames(tmp_path / "*.png", size=8, start_seconds=1)


@pytest.mark.parametrize("path", ["", "*"])
def test_clips_beside_pictures_are_refused(tmp_path, path):
    # Cameras put a preview beside each clip.
    write_clip(tmp_path / "a.mp4", (10, 20))
    write_picture(tmp_path / "a.jpg", 10)
    with pytest.raises(VideoError, match=r"Received: both, .*a\.(mp4|jpg) and .*a\.(mp4|jpg)"):
        load_frames(tmp_path / path, size=8)


@pytest.mark.parametrize("pattern", ["*.mp4", "absent/*", "b**d.mp4", "[x].mp4"])
def test_a_pattern_that_matches_nothing(tmp_path, pattern):
    with pytest.raises(VideoError, match="Received: nothing matches"):
        load_frames(tmp_path / pattern, size=8)


@pytest.mark.parametrize("folder", [True, False])
def test_an_empty_clip_is_named(clips, folder):
    (clips / "clip12.mp4").touch()
    with pytest.raises(VideoError, match=r"clip12\.mp4. Received: an empty file"):
        load_frames(clips if folder else clips / "*.mp4", size=8)


@pytest.mark.parametrize(
    "name", ["12:30:00.mp4", "lane [1], north.mp4", "a*b?.mp4", "%03d.mp4", "pipe:0.mp4", "-i.mp4"]
)
def test_names_that_mean_something_to_others(tmp_path, monkeypatch, name):
    write_clip(tmp_path / name, (50, 60))
    monkeypatch.chdir(tmp_path)
    assert levels(load_frames(name, size=8)) == [50, 60]
    assert levels(load_frames(tmp_path / name, size=8)) == [50, 60]


def test_the_origin_of_each_frame(clips, tmp_path):
    write_picture(tmp_path / "pictures" / "1.png", 10)
    paths = [clips / "clip9.mp4", tmp_path / "pictures", clips]
    settings = {"size": 8, "interval_seconds": 0.1, "cache_dir": tmp_path / "cache"}
    expected = [
        (clips / "clip9.mp4", 0.0),
        (clips / "clip9.mp4", 0.1),
        (tmp_path / "pictures" / "1.png", None),
        (clips / "clip9.mp4", 0.0),
        (clips / "clip9.mp4", 0.1),
        (clips / "Clip10.AVI", 0.0),
        (clips / "Clip10.AVI", 0.1),
        (clips / "clip11.mkv", 0.0),
        (clips / "clip11.mkv", 0.1),
    ]
    expected = [FrameOrigin(str(path), seconds) for path, seconds in expected]
    for _ in range(2):
        frames, origins = load_frames_and_origins(paths, **settings)
        assert origins == expected
        assert levels(frames) == [90, 190, 10, 90, 190, 100, 200, 110, 210]
    assert isinstance(frames, np.memmap)
    np.testing.assert_array_equal(frames, load_frames(paths, **settings))
    del settings["cache_dir"]
    assert load_frames_and_origins(paths, **settings)[1] == expected


@pytest.mark.parametrize("path", ["clips", "clips/*"])
def test_a_new_clip_is_seen(tmp_path, path):
    write_clip(tmp_path / "clips" / "1.mp4", (10, 20))
    settings = {"size": 8, "cache_dir": tmp_path / "cache"}
    assert levels(load_frames(tmp_path / path, **settings)) == [10, 20]
    write_clip(tmp_path / "clips" / "2.mp4", (30, 40))
    assert levels(load_frames(tmp_path / path, **settings)) == [10, 20, 30, 40]
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1
