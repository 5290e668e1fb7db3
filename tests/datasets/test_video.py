"""Every video here is written by the test; each frame has one known grey level."""

import concurrent.futures
import json
import os
import subprocess
import sys
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from logan.datasets import video
from logan.datasets.frame_cache import cached_frames
from logan.datasets.load import load_images
from logan.datasets.splits import split_by_time_block
from logan.datasets.video import VideoError, load_frames
from logan.settings import Experiment

# Grey levels of frames 0, 1, 2, …, far enough apart to tell frames from each other.
LEVELS = [10 * number for number in range(25)]
RATE = 10
TOLERANCE = 3


def picture(level, width=48, height=32):
    return np.full((height, width, 3), level, np.uint8)


def write_video(
    path, pictures=None, codec="mpeg4", rate=RATE, times=None, rotation=0, options=None
):
    """Writes pictures [height, width, 3] as a video; `times` are time stamps in 1/1000 s."""
    pictures = [picture(level) for level in LEVELS] if pictures is None else pictures
    try:
        av.codec.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this build of PyAV has no {codec} encoder")
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 10_000_000
        if rotation:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_audio(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbers(frames):
    """Which of the frames with LEVELS these are; fails if a level is none of them."""
    levels = frames.astype(float).mean(axis=(1, 2, 3))
    found = np.rint(levels / 10).astype(int)
    np.testing.assert_allclose(levels, 10 * found, atol=TOLERANCE)
    return found.tolist()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4")


# ------------------------------------------------------------------------------- what is loaded


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "mpeg4"),
        ("a.mp4", "libx264"),
        ("a.mkv", "mpeg4"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.avi", "mjpeg"),
        ("a.mov", "mpeg4"),
        ("a.ts", "mpeg2video"),
    ],
)
def test_every_frame_of_every_container(tmp_path, name, codec):
    rate = 25 if codec == "mpeg2video" else RATE
    frames = load_frames(write_video(tmp_path / name, codec=codec, rate=rate), size=16)
    assert frames.shape == (25, 16, 16, 3)
    assert frames.dtype == np.uint8
    assert numbers(frames) == list(range(25))


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (0, range(25)),
        (0.01, range(25)),
        (0.1, range(25)),
        (0.2, range(0, 25, 2)),
        (0.3, range(0, 25, 3)),
        (1, [0, 10, 20]),
        (0.25, [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]),
        (60, [0]),
    ],
)
def test_frames_at_an_interval(clip, interval, expected):
    frames = load_frames(clip, size=8, interval_seconds=interval, minimum_frames=1)
    assert numbers(frames) == list(expected)


def test_an_interval_that_time_stamps_cannot_express(tmp_path):
    # Matroska rounds 1/30 s to milliseconds: 0, 33, 67, 100, ….
    path = write_video(tmp_path / "a.mkv", rate=30)
    assert numbers(load_frames(path, size=8, interval_seconds=1 / 30)) == list(range(25))
    assert numbers(load_frames(path, size=8, interval_seconds=0.1)) == list(range(0, 25, 3))


def test_an_interval_counts_time_and_not_frames(tmp_path):
    # A camera that records when something moves: frames 0 to 4, then a hole of two seconds.
    times = [0, 100, 200, 300, 400, 2400, 2500, 2600, 2700, 2800, 2900]
    path = write_video(
        tmp_path / "a.mkv", [picture(level) for level in LEVELS[:11]], "libx264", times=times
    )
    frames = load_frames(path, size=8, interval_seconds=0.2)
    assert numbers(frames) == [0, 2, 4, 5, 7, 9]


def test_start_and_stop(clip):
    frames = load_frames(clip, size=8, start_seconds=0.5, stop_seconds=1.0)
    assert numbers(frames) == [5, 6, 7, 8, 9]
    # 1.1 is a little more as a float than the time stamp 11/10.
    assert numbers(load_frames(clip, size=8, stop_seconds=1.1)) == list(range(11))
    frames = load_frames(clip, size=8, start_seconds=0.5, interval_seconds=0.7)
    assert numbers(frames) == [5, 12, 19]


def test_several_sources_follow_each_other(clip, tmp_path):
    other = write_video(tmp_path / "b.avi", [picture(240), picture(250)])
    assert numbers(load_frames([other, str(clip)], size=8)) == [24, 25, *range(25)]


def test_names_with_spaces_and_of_any_script(tmp_path):
    path = write_video(tmp_path / "кре́сты 交差点, junction ü.mp4")
    assert len(load_frames(str(path), size=8)) == 25


def test_a_tilde_is_the_home_folder(clip, monkeypatch):
    monkeypatch.setenv("HOME", str(clip.parent))
    assert len(load_frames("~/clip.mp4", size=8)) == 25


def test_colour_and_grey(tmp_path):
    red = picture(0)
    red[:] = 200, 40, 40
    path = write_video(tmp_path / "red.mp4", [red, red])
    colour = load_frames(path, size=8)
    np.testing.assert_allclose(colour, np.broadcast_to(red[0, 0], (2, 8, 8, 3)), atol=TOLERANCE)
    grey = load_frames(path, size=8, channels=1)
    # The luma of ITU-R BT.601: 0.299 * 200 + 0.587 * 40 + 0.114 * 40.
    np.testing.assert_allclose(grey, np.full((2, 8, 8, 1), 88), atol=TOLERANCE)


def quarters():
    """48 x 32 pixels: four upright stripes of 8, 16, 16 and 8 pixels."""
    pixels = picture(0)
    pixels[:, 8:24], pixels[:, 24:40], pixels[:, 40:] = 80, 160, 240
    return pixels


def test_the_middle_square_is_taken(tmp_path):
    frames = load_frames(write_video(tmp_path / "a.mp4", [quarters()] * 2), size=2)
    np.testing.assert_allclose(frames[0, 0, :, 0], [80, 160], atol=20)


def test_a_crop_is_left_top_width_height(tmp_path):
    path = write_video(tmp_path / "a.mp4", [quarters()] * 2)
    frames = load_frames(path, size=4, crop=(42, 4, 4, 10))
    np.testing.assert_allclose(frames, 240, atol=8)


def test_shrinking_is_antialiased(tmp_path):
    pixels = picture(0)
    pixels[:, ::2] = 200
    Image.fromarray(pixels).save(tmp_path / "stripes.png")
    frames = load_frames(tmp_path, size=4, minimum_frames=1)
    np.testing.assert_allclose(frames, 100, atol=5)


def test_a_phone_s_turn_is_undone(tmp_path):
    pixels = picture(0)
    pixels[:, :24] = 240
    path = write_video(tmp_path / "a.mp4", [pixels] * 2, rotation=90)
    frames = load_frames(path, size=8)
    # Turned by 90 degrees counterclockwise, the bright left half lies at the bottom.
    np.testing.assert_allclose(frames[0, 0], 0, atol=TOLERANCE)
    np.testing.assert_allclose(frames[0, -1], 240, atol=TOLERANCE)


# ------------------------------------------------------------------------------ what is refused


def refusal(path, **settings):
    with pytest.raises(VideoError) as caught:
        load_frames(path, size=8, **settings)
    assert str(path) in str(caught.value)
    assert "Received" in str(caught.value)
    return str(caught.value)


def test_a_missing_file(tmp_path):
    assert "nothing is there" in refusal(tmp_path / "absent.mp4")


def test_an_empty_file(tmp_path):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert "0 bytes" in refusal(path)


@pytest.mark.parametrize("name", ["text.mp4", "text.txt", "text.mkv"])
def test_a_file_that_is_no_video(tmp_path, name):
    path = tmp_path / name
    path.write_text("This is not a video.\n" * 200)
    assert "Expected a video" in refusal(path)


def test_a_file_without_pictures(tmp_path):
    assert "Received: audio only" in refusal(write_audio(tmp_path / "sound.mkv"))


def test_a_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    assert "a folder without pictures" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "a device or a pipe" in refusal(tmp_path / "pipe")


def noisy_pictures(count=40):
    """Pictures that hardly compress, so that a cut of the file is a cut of the frames."""
    return list(np.random.default_rng(0).integers(0, 256, (count, 32, 48, 3), dtype=np.uint8))


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def test_an_mp4_cut_before_its_index(tmp_path):
    path = cut(write_video(tmp_path / "cut.mp4", noisy_pictures()), 0.6)
    assert "cut off before its index" in refusal(path)


def test_links_that_lead_in_a_circle(tmp_path):
    (tmp_path / "one.mp4").symlink_to(tmp_path / "two.mp4")
    (tmp_path / "two.mp4").symlink_to(tmp_path / "one.mp4")
    assert "nothing is there" in refusal(tmp_path / "one.mp4")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_video_that_may_not_be_read(open_folder, without_privileges):
    path = write_video(open_folder / "clip.mp4")
    path.chmod(0)
    with without_privileges():
        assert "clip.mp4. Received: a file that FFmpeg cannot open (Permission" in refusal(path)


def test_frames_by_rate_and_within_a_stretch_of_time(clip):
    settings = dict(dataset="traffic", network="convolutional", image_size=8, video=(str(clip),))
    every = load_images(Experiment(**settings)).frames
    some = load_images(Experiment(**settings, frame_rate=5.0, video_start=0.4)).frames
    np.testing.assert_array_equal(some, every[4::2])
    some = load_images(Experiment(**settings, video_stop=1.5)).frames
    np.testing.assert_array_equal(some, every[:15])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.avi"])
def test_a_file_cut_in_the_middle_says_how_much_was_read(tmp_path, name, share):
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = cut(write_video(tmp_path / name, noisy_pictures(), options=options), share)
    message = refusal(path)
    assert "Expected 40 frames (4.0 s)" in message
    read = int(message.split("Received: ")[1].split()[0])
    assert 0.7 * share * 40 <= read <= share * 40
    # What the message advises works: all but the last frame that was read.
    stop = float(message.split("--video_stop=")[1].split()[0])
    assert len(load_frames(path, size=8, stop_seconds=stop)) == read - 1


def test_a_damaged_file(tmp_path):
    path = write_video(tmp_path / "damaged.mp4", noisy_pictures())
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = b"\xff" * 4000
    path.write_bytes(content)
    assert "Expected 40 frames" in refusal(path)


def test_too_few_frames_at_an_interval_that_is_too_long(clip):
    message = refusal(clip, interval_seconds=1.0, minimum_frames=5)
    assert "Expected at least 5 frames" in message
    assert "Received: 3 with one every 1 s (interval_seconds, --frame_interval or 1 /" in message
    assert "Lower it to 0.5 or less" in message
    assert len(load_frames(clip, size=8, interval_seconds=0.5, minimum_frames=5)) == 5


def test_too_few_frames_in_all(clip):
    assert "Received: 25. Give a longer video" in refusal(clip, minimum_frames=26)
    assert "Received: 0. Give" in refusal(clip, start_seconds=100.0)


@pytest.mark.parametrize("crop", [(0, 0, 49, 32), (20, 0, 32, 32), (0, 1, 32, 32)])
def test_a_crop_beyond_the_frame(clip, crop):
    assert "within the 48x32 frames" in refusal(clip, crop=crop)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "size"),
        ({"channels": 2}, "channels"),
        ({"interval_seconds": -1.0}, "interval_seconds"),
        ({"interval_seconds": float("nan")}, "interval_seconds"),
        ({"start_seconds": -1.0}, "start_seconds"),
        ({"start_seconds": 2.0, "stop_seconds": 2.0}, "stop_seconds"),
        ({"crop": (0, 0, 0, 5)}, "crop"),
        ({"crop": (0, 0, 5)}, "crop"),
        ({"crop": (-1, 0, 5, 5)}, "crop"),
    ],
)
def test_settings_out_of_range(clip, settings, message):
    with pytest.raises(ValueError, match=f"Expected {message}.*Received"):
        load_frames(clip, **({"size": 8} | settings))


def test_no_path_at_all():
    with pytest.raises(ValueError, match="at least one video"):
        load_frames([], size=8)


# ---------------------------------------------------------------------------- folders of frames


def test_a_folder_of_pictures_whatever_their_suffix(tmp_path, capsys):
    for number, name in enumerate(["1.jfif", "2", "3.avif", "4.shot"]):
        kind = "AVIF" if name.endswith("avif") else "JPEG"
        Image.new("RGB", (32, 32), (10 * number,) * 3).save(tmp_path / name, format=kind)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "sub").mkdir()
    frames = load_frames(tmp_path, size=8)
    np.testing.assert_allclose(frames[:, 4, 4, 0], [0, 10, 20, 30], atol=1)
    assert capsys.readouterr().err == f"Left out of {tmp_path}: 1 .txt, 1 sub-folder(s)\n"


def test_a_folder_is_read_in_natural_order(tmp_path):
    for number in range(12):
        Image.fromarray(picture(10 * number)).save(tmp_path / f"Frame{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "._Frame3.png").write_text("left behind by a Mac")
    frames = load_frames(tmp_path, size=8, interval_seconds=5)
    assert numbers(frames) == list(range(12))


def test_pictures_of_any_mode(tmp_path):
    Image.fromarray(picture(100)).save(tmp_path / "1.jpg")
    Image.fromarray(picture(100)[..., 0]).save(tmp_path / "2.pgm")
    Image.fromarray(picture(100)).convert("RGBA").save(tmp_path / "3.png")
    Image.fromarray(picture(100)).convert("P").save(tmp_path / "4.gif")
    Image.fromarray(np.full((32, 48), 100 * 257, np.uint16)).save(tmp_path / "5.PNG")
    assert numbers(load_frames(tmp_path, size=8)) == [10] * 5


def test_a_damaged_picture_is_named(tmp_path):
    Image.fromarray(noisy_pictures(1)[0]).save(tmp_path / "1.png")
    cut(tmp_path / "1.png", 0.5)
    with pytest.raises(VideoError, match=r"Expected a picture in .*1\.png"):
        load_frames(tmp_path, size=8)


def test_pictures_have_no_time(tmp_path):
    Image.fromarray(picture(100)).save(tmp_path / "1.png")
    with pytest.raises(VideoError, match="whose pictures have no time"):
        load_frames(tmp_path, size=8, stop_seconds=5)


# ---------------------------------------------------------------------------------------- cache


@pytest.fixture
def cached(tmp_path):
    """A function that loads with a cache, and the list of sources that it had to decode."""
    write_video(tmp_path / "clip.mp4")
    decoded = []

    def load(**settings):
        with pytest.MonkeyPatch.context() as patch:
            original = video._read_video
            patch.setattr(
                video, "_read_video", lambda *args: decoded.append(args[0].name) or original(*args)
            )
            settings = {"size": 8, "cache_dir": tmp_path / "cache"} | settings
            return load_frames(tmp_path / "clip.mp4", **settings)

    return load, decoded


def test_a_second_load_decodes_nothing(cached, clip):
    load, decoded = cached
    first, second = load(), load()
    assert decoded == ["clip.mp4"]
    assert isinstance(second, np.memmap)
    np.testing.assert_array_equal(first, load_frames(clip, size=8))
    np.testing.assert_array_equal(first, second)


def test_a_cache_is_one_array_and_one_note(cached, tmp_path):
    load, _ = cached
    load()
    note, array = sorted((tmp_path / "cache").glob("frames-*"))
    assert np.load(array).shape == (25, 8, 8, 3)
    note = json.loads(note.read_text())
    assert note["frames"] == 25
    assert note["sources"][0]["path"] == str((tmp_path / "clip.mp4").resolve())


@pytest.mark.parametrize(
    "setting",
    [
        {"size": 16},
        {"channels": 1},
        {"interval_seconds": 0.2},
        {"start_seconds": 0.5},
        {"stop_seconds": 1.5},
        {"crop": (0, 0, 8, 8)},
    ],
)
def test_another_setting_has_a_cache_of_its_own(cached, setting):
    load, decoded = cached
    plain = load()
    np.testing.assert_array_equal(
        load(**setting), load(**setting, cache_dir=None), err_msg=str(setting)
    )
    np.testing.assert_array_equal(load(), plain)
    assert len(decoded) == 3


def test_a_changed_source_replaces_its_cache(cached, tmp_path):
    load, decoded = cached
    load()
    write_video(tmp_path / "clip.mp4", [picture(200)] * 3)
    assert numbers(load()) == [20, 20, 20]
    assert len(decoded) == 2
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 1


def test_a_touched_source_is_read_again(cached, tmp_path):
    load, decoded = cached
    load()
    os.utime(tmp_path / "clip.mp4", ns=(1, 1))
    load()
    assert len(decoded) == 2


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "absent", "text"])
def test_a_damaged_cache_is_built_again(cached, tmp_path, suffix, damage):
    load, decoded = cached
    good = np.array(load())
    path = next((tmp_path / "cache").glob(f"*{suffix}"))
    content = path.read_bytes()
    middle = len(content) // 2
    path.unlink()
    if damage != "absent":
        damaged = {
            "empty": b"",
            "cut": content[:-40],
            "changed": content[:middle] + b"#" + content[middle + 1 :],
            "text": b"no cache at all" * 10,
        }
        path.write_bytes(damaged[damage])
    np.testing.assert_array_equal(load(), good)
    np.testing.assert_array_equal(load(), good)
    assert len(decoded) == 2


def test_a_failed_load_leaves_no_cache(cached, tmp_path):
    load, _ = cached
    with pytest.raises(VideoError):
        load(minimum_frames=26)
    assert [path for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"] == []


def frames_of(start, count=30):
    return [np.full((2, 2, 1), start + index, np.uint8) for index in range(count)]


def build(folder, frames):
    return cached_frames(folder, {}, [], (2, 2, 1), lambda: iter(frames), lambda count: None)


def test_a_cache_whose_building_was_killed_is_built_again_and_nothing_is_left(tmp_path):
    code = (
        "import sys, time, numpy as np; from pathlib import Path\n"
        "from logan.datasets.frame_cache import cached_frames\n"
        "def read():\n"
        "    yield np.zeros((2, 2, 1), np.uint8)\n"
        "    print('reading', flush=True); time.sleep(60)\n"
        "cached_frames(Path(sys.argv[1]), {}, [], (2, 2, 1), read, lambda count: None)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout.readline() == "reading\n"
        killed.kill()
    [half] = tmp_path.glob(".*.npy")
    np.testing.assert_array_equal(build(tmp_path, frames_of(3)), frames_of(3))
    assert half.exists()  # for all that is known, somebody is still writing it
    os.utime(half, (time.time() - 700,) * 2)
    np.testing.assert_array_equal(build(tmp_path, []), frames_of(3))
    assert list(tmp_path.glob(".*.npy")) == []


def test_a_cache_that_another_is_building_is_waited_for(tmp_path):
    """Two at once: one reads, and both get what it read."""
    begun = []

    def read(start):
        begun.append(start)
        time.sleep(0.3)
        yield from frames_of(start)

    def work(start):
        return cached_frames(
            tmp_path, {}, [], (2, 2, 1), lambda: read(start), lambda count: None
        ).copy()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, (0, 100)))
    assert len(begun) == 1
    for result in results:
        np.testing.assert_array_equal(result, frames_of(begun[0]))


def test_a_cache_is_asked_for_enough_frames_too(cached):
    load, _ = cached
    load()
    with pytest.raises(VideoError, match="Expected at least 26 frames"):
        load(minimum_frames=26)


def test_a_new_picture_in_a_folder_is_seen(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.fromarray(picture(100)).save(folder / "1.png")
    settings = {"size": 8, "minimum_frames": 1, "cache_dir": tmp_path / "cache"}
    assert numbers(load_frames(folder, **settings)) == [10]
    Image.fromarray(picture(200)).save(folder / "2.png")
    assert numbers(load_frames(folder, **settings)) == [10, 20]


# ------------------------------------------------------------------------------- split


@pytest.mark.parametrize("count", [2, 10, 61, 377, 1000])
@pytest.mark.parametrize("test_fraction", [0.1, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("block", [None, 1, 7])
@pytest.mark.parametrize("gap", [None, 0, 3])
def test_split_properties(count, test_fraction, block, gap):
    try:
        train, test = split_by_time_block(count, test_fraction=test_fraction, block=block, gap=gap)
    except ValueError as error:
        # Only what cannot be split may be refused: a test share below one block, or a training
        # part that the gap swallows.
        assert "both sides" in str(error)
        assert gap == 3 or count <= 10 or test_fraction * count <= block
        return
    assert len(train) and len(test)
    assert not set(train) & set(test)
    assert np.all(np.diff(train) > 0) and np.all(np.diff(test) > 0)
    assert min(train[0], test[0]) >= 0 and max(train[-1], test[-1]) < count
    length = max(1, round(count * test_fraction / 2)) if block is None else block
    dropped_gap = length // 4 if gap is None else gap
    assert np.abs(train[:, None] - test[None]).min() == dropped_gap + 1
    assert abs(len(test) - test_fraction * count) <= length
    # What is in neither part is near a test frame.
    dropped = np.setdiff1d(np.arange(count), np.concatenate([train, test]))
    if len(dropped):
        assert np.abs(dropped[:, None] - test[None]).min(axis=1).max() <= dropped_gap


def test_split_of_a_hand_worked_case():
    train, test = split_by_time_block(12, test_fraction=0.5, block=3, gap=1)
    # Blocks 0-2, 3-5 (test), 6-8, 9-11 (test).
    assert test.tolist() == [3, 4, 5, 9, 10, 11]
    assert train.tolist() == [0, 1, 7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 1}, "at least 2 frames"),
        ({"count": 10, "test_fraction": 0.0}, "test_fraction"),
        ({"count": 10, "test_fraction": 1.0}, "test_fraction"),
        ({"count": 10, "block": 0}, "block"),
        ({"count": 10, "gap": -1}, "gap"),
        ({"count": 10, "block": 10}, "no test frames"),
        ({"count": 10, "gap": 10}, "no training frames"),
    ],
)
def test_a_split_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        split_by_time_block(**arguments)


def test_no_tensorflow_is_loaded():
    code = "import sys, logan.datasets.video; print('tensorflow' in sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
