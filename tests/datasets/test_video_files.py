"""Files that players show without complaint, and what is wrong with others; all written here."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from logan.datasets.frame_times import IntervalSampler, RunningClock
from logan.datasets.video import VideoError, load_frames, load_frames_and_origins

RATE = 10
TOLERANCE = 4
MATRIX_ONE = 1 << 16


def grey(number, width=48, height=32):
    return np.full((height, width, 3), 10 * number, np.uint8)


def noisy(count):
    """Pictures that hardly compress, so that a cut of the file is a cut of the frames."""
    return list(np.random.default_rng(0).integers(0, 256, (count, 32, 48, 3), dtype=np.uint8))


def encoded(stream, pictures, rate, seconds=0.0):
    packets = []
    for number, pixels in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
        frame.pts, frame.time_base = number, Fraction(1, rate)
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        packet.pts += round(seconds / packet.time_base)
        packet.dts += round(seconds / packet.time_base)
    return packets


def silence(stream, seconds):
    packets = []
    for number in range(int(seconds * stream.rate / 1024)):
        samples = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = stream.rate, 1024 * number, Fraction(1, 44100)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def write(
    path, pictures=None, codec="mpeg4", *, first=0, seconds=0.0, sound=0.0, last=0.0, group=12,
    pixel_shape=None, matrix=None, options=None,
):  # fmt: skip
    """Writes a video.

    Args:
        path: where to; the suffix decides the container.
        pictures: uint8 [height, width, 3]; by default 20 of known grey levels.
        codec: the encoder.
        first: so many packets are left out at the beginning.
        seconds: what the clock shows at the beginning.
        sound: seconds of sound.
        last: seconds that the last frame is shown; 0 means as long as the others.
        group: frames from a key frame to the next.
        pixel_shape: width of a pixel over its height.
        matrix: the display matrix (a, b, c, d), which takes (x, y) to (ax + cy, bx + dy).
        options: of the container.
    """
    pictures = [grey(number) for number in range(20)] if pictures is None else pictures
    with av.open(str(path), "w", options=options or {}) as container:
        # MPEG-2 has few rates.
        rate = 25 if codec == "mpeg2video" else RATE
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", 10_000_000, group
        # Scene changes would begin groups of their own.
        stream.options = {"sc_threshold": "0" if codec == "libx264" else "1000000000"}
        if pixel_shape is not None:
            stream.codec_context.sample_aspect_ratio = pixel_shape
        if matrix is not None:
            a, b, c, d = (MATRIX_ONE * value for value in matrix)
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        audio = container.add_stream("aac", rate=44100) if sound else None
        packets = encoded(stream, pictures, rate, seconds)[first:]
        if last:
            packets[-1].duration = round(last / packets[-1].time_base)
        packets += [] if audio is None else silence(audio, sound)
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)
    return path


def numbers(frames):
    """Which of the grey levels these are; fails if one is none of them."""
    levels = frames.astype(float).mean(axis=(1, 2, 3))
    found = np.rint(levels / 10).astype(int)
    np.testing.assert_allclose(levels, 10 * found, atol=TOLERANCE)
    return found.tolist()


def refusal(path, **settings):
    with pytest.raises(VideoError) as caught:
        load_frames(path, size=8, **settings)
    return str(caught.value)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def joined(path, *parts):
    """As `cat` joins files."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


# ---------------------------------------------------------------- judged by the picture's own end


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "flv", "ts", "mov"])
def test_sound_may_outlast_the_picture(tmp_path, suffix):
    codec = "flv" if suffix == "flv" else "libx264"
    path = write(tmp_path / f"a.{suffix}", codec=codec, sound=3.5)
    assert numbers(load_frames(path, size=8)) == list(range(20))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts", "mov"])
def test_a_clock_may_begin_anywhere(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", codec="libx264", seconds=100.0)
    frames, origins = load_frames_and_origins(path, size=8, interval_seconds=0.5)
    assert numbers(frames) == [0, 5, 10, 15]
    assert [origin.seconds for origin in origins] == [0.0, 0.5, 1.0, 1.5]


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_a_stream_may_begin_within_a_group_of_pictures(tmp_path, codec):
    # Frames 3 to 9 need frame 0; the first that can be shown is 10.
    path = write(tmp_path / "a.ts", codec=codec, first=3, group=10)
    assert numbers(load_frames(path, size=8, interval_seconds=0.2)) == [10, 12, 14, 16, 18]


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_an_edit_list_may_begin_within_a_group_of_pictures(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", seconds=-0.7, group=20)
    frames, origins = load_frames_and_origins(path, size=8)
    assert numbers(frames) == list(range(7, 20))
    assert origins[-1].seconds == 1.2


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_a_long_last_frame_is_one_frame(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", last=30.0)
    assert numbers(load_frames(path, size=8)) == list(range(20))
    # The average frame is 1.6 seconds long now, those to be taken are not.
    assert numbers(load_frames(path, size=8, interval_seconds=0.3)) == list(range(0, 20, 3))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mkv", {}),
        ("a.webm", {}),
        ("a.mp4", {"movflags": "faststart"}),
        ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.flv", {}),
    ],
)
def test_a_cut_file_is_refused_though_sound_outlasts_the_picture(tmp_path, name, options, share):
    codec = {"webm": "libvpx", "flv": "flv"}.get(name.rpartition(".")[2], "mpeg4")
    sound = 0.0 if name == "a.webm" else 4.5
    path = write(
        tmp_path / name, noisy(40), codec, seconds=6.0 * (name != "a.flv"), sound=sound,
        options=options,
    )  # fmt: skip
    assert len(load_frames(path, size=8)) == 40
    cut(path, share)
    # Of an MP4 only the picture's packets count, whatever is missing of the sound.
    assert "cut off or damaged" in refusal(path)


def test_of_joined_matroska_files_each_must_be_whole(tmp_path):
    parts = [write(tmp_path / f"{index}.mkv", seconds=2.0 * index) for index in range(2)]
    whole = joined(tmp_path / "whole.mkv", *parts)
    assert numbers(load_frames(whole, size=8)) == [*range(20), *range(20)]
    cut(parts[1], 0.95)
    assert "the end of the file" in refusal(joined(tmp_path / "cut.mkv", *parts))


def test_a_recording_of_unknown_size_is_taken_as_it_is(tmp_path):
    path = write(tmp_path / "a.mkv", options={"live": "1"})
    assert b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" in path.read_bytes()[:200]
    assert numbers(load_frames(path, size=8)) == list(range(20))


# --------------------------------------------------------------------- clocks that run backwards


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_recordings_joined_by_cat(tmp_path, suffix):
    codec = "mpeg2video"
    part = write(tmp_path / f"part.{suffix}", codec=codec)
    path = joined(tmp_path / f"joined.{suffix}", part, part)
    assert numbers(load_frames(path, size=8)) == 2 * list(range(20))
    # A frame lasts 0.04 s.
    frames, origins = load_frames_and_origins(path, size=8, interval_seconds=0.2)
    assert numbers(frames) == [0, 5, 10, 15] * 2
    np.testing.assert_allclose([each.seconds for each in origins], np.arange(8) / 5, atol=0.001)


@pytest.mark.parametrize("seconds", [10.0, 3000.0])
def test_a_later_recording_before_an_earlier_one(tmp_path, seconds):
    late = write(tmp_path / "late.ts", codec="libx264", seconds=seconds)
    early = write(tmp_path / "early.ts", codec="libx264")
    path = joined(tmp_path / "joined.ts", late, early)
    frames, origins = load_frames_and_origins(path, size=8, interval_seconds=0.5, stop_seconds=3)
    assert numbers(frames) == [0, 5, 10, 15, 0, 5]
    assert [each.seconds for each in origins] == [0, 0.5, 1, 1.5, 2, 2.5]


def test_a_clock_never_runs_backwards():
    clock = RunningClock(Fraction(1, 10))
    stamps = [Fraction(50), Fraction(51), Fraction(3), Fraction(4), None, Fraction(4)]
    seconds = [clock.seconds(stamp) for stamp in stamps]
    tenth = Fraction(1, 10)
    assert seconds == [0, 1, 1 + tenth, 2 + tenth, 2 + 2 * tenth, 2 + 3 * tenth]
    assert clock.next == 2 + 4 * tenth


def test_the_nearest_frame_is_that_of_frames_and_not_of_their_average():
    # Of a slide show: the average frame is 10 seconds long, all but the last are one.
    sampler = IntervalSampler(3.0, 0.0, None, Fraction(10))
    assert [second for second in range(10) if sampler.takes(Fraction(second))] == [0, 3, 6, 9]


# ----------------------------------------------------------------------------- what players show


def circle(width, height):
    """A circle as it is stored if the displayed frame is 288 high and 352 wide."""
    y, x = np.mgrid[:height, :width]
    across = (x + 0.5) * 352 / width - 176
    down = (y + 0.5) * 288 / height - 144
    inside = across**2 + down**2 < 72**2
    return np.repeat(np.where(inside, 230, 60).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("width", "height", "name", "codec"),
    [
        (704, 288, "a.mp4", "libx264"),
        (352, 288, "a.mp4", "libx264"),
        (176, 288, "a.mkv", "libx264"),
        (352, 576, "a.mpg", "mpeg2video"),
        (704, 288, "a.avi", "mpeg4"),
    ],
)
def test_circles_are_round(tmp_path, width, height, name, codec):
    shape = Fraction(352 * height, 288 * width)
    if codec == "mpeg2video":
        # It knows the shape of the frame, not of the pixel: 4:3, 16:9 and two more.
        shape = Fraction(4, 3) * Fraction(height, width)
    path = write(tmp_path / name, [circle(width, height)] * 3, codec, pixel_shape=shape)
    bright = load_frames(path, size=96, channels=1)[0, ..., 0] > 145
    # Half of the displayed height; a displayed width of 4:3 makes it 9 % wider.
    wide = 48 * Fraction(4, 3) / Fraction(352, 288) if codec == "mpeg2video" else 48
    assert abs(bright.any(axis=0).sum() - wide) <= 2
    assert abs(bright.any(axis=1).sum() - 48) <= 2


@pytest.mark.parametrize(("shape", "box"), [((1, 2), (24, 0, 24, 64)), ((2, 1), (48, 0, 48, 32))])
def test_a_crop_counts_displayed_pixels(tmp_path, shape, box):
    # 48 x 32 stored pixels, the right half bright; displayed as 48 x 64 or as 96 x 32.
    pixels = grey(0)
    pixels[:, 24:] = 200
    path = write(tmp_path / "a.mp4", [pixels] * 2, pixel_shape=Fraction(*shape))
    frames = load_frames(path, size=8, crop=box)
    np.testing.assert_allclose(frames[..., 2:, :], 200, atol=8)
    right, bottom = box[0] + box[2], box[1] + box[3]
    assert f"within the {right}x{bottom} frames" in refusal(path, crop=(0, 0, right + 1, 1))


QUARTERS = np.array([[0, 80], [160, 240]])


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((1, 0, 0, 1), [[0, 80], [160, 240]]),
        ((-1, 0, 0, 1), [[80, 0], [240, 160]]),  # x runs to the left
        ((1, 0, 0, -1), [[160, 240], [0, 80]]),  # y runs upwards
        ((-1, 0, 0, -1), [[240, 160], [80, 0]]),
        ((0, 1, 1, 0), [[0, 160], [80, 240]]),  # x and y change places
        ((0, -1, -1, 0), [[240, 80], [160, 0]]),
        ((0, 1, -1, 0), [[160, 0], [240, 80]]),  # x runs down, y to the left: clockwise
        ((0, -1, 1, 0), [[80, 240], [0, 160]]),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_turns_and_mirrors(tmp_path, suffix, matrix, shown):
    pixels = np.kron(QUARTERS, np.ones((16, 16), int)).astype(np.uint8)
    pixels = np.repeat(pixels[..., None], 3, axis=2)
    path = write(tmp_path / f"a.{suffix}", [pixels] * 2, matrix=matrix)
    np.testing.assert_allclose(load_frames(path, size=2)[0, ..., 0], shown, atol=20)


def test_a_turned_frame_of_oblong_pixels(tmp_path):
    # 48 x 32 stored, 96 x 32 with square pixels, 32 x 96 upright.
    path = write(tmp_path / "a.mp4", pixel_shape=Fraction(2), matrix=(0, 1, -1, 0))
    assert "within the 32x96 frames" in refusal(path, crop=(0, 0, 33, 1))


# ------------------------------------------------------------------- damage, covers, odd streams


def damaged(path, first, last):
    """Overwrites a stretch, in shares of the file."""
    content = bytearray(path.read_bytes())
    begin, end = int(first * len(content)), int(last * len(content))
    content[begin:end] = b"\xff" * (end - begin)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_damage_before_the_start_does_not_matter(tmp_path, suffix):
    options = {"movflags": "faststart"} if suffix == "mp4" else {}
    path = write(tmp_path / f"a.{suffix}", noisy(40), group=5, options=options)
    whole = load_frames(path, size=8)
    damaged(path, 0.3, 0.36)
    assert "cut off or damaged" in refusal(path)
    # An AVI has no time stamps: what is lost makes the others earlier.
    lost = 3 if suffix == "avi" else 0
    frames = load_frames(path, size=8, start_seconds=2.5)
    np.testing.assert_array_equal(frames, whole[25 + lost :])
    frames = load_frames(path, size=8, start_seconds=2.6, interval_seconds=0.4)
    np.testing.assert_array_equal(frames, whole[26 + lost :: 4])
    assert "cut off or damaged" in refusal(cut(path, 0.9), start_seconds=2.5)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_frames_that_need_a_damaged_one_are_refused(tmp_path, suffix):
    # Frames 20 to 39 need frame 20.
    path = write(tmp_path / f"a.{suffix}", noisy(40), group=20)
    damaged(path, 0.6, 0.7)
    assert "or begin later (start_seconds, --video_start)" in refusal(path, start_seconds=3.5)


def test_a_damaged_beginning_does_not_move_the_clock(tmp_path):
    path = write(tmp_path / "a.mp4", noisy(40), group=5)
    whole = load_frames(path, size=8)
    damaged(path, 0.002, 0.06)
    np.testing.assert_array_equal(load_frames(path, size=8, start_seconds=2), whole[20:])


def with_cover(path, codec):
    with av.open(str(path), "w") as container:
        audio = container.add_stream(codec, rate=44100)
        cover = container.add_stream("mjpeg")
        cover.width = cover.height = 64
        cover.pix_fmt, cover.disposition = "yuvj420p", Disposition.attached_pic
        cover.codec_context.time_base = Fraction(1, 25)
        picture = av.VideoFrame.from_ndarray(grey(9, 64, 64), "rgb24")
        for packet in cover.encode(picture) + cover.encode(None):
            container.mux(packet)
        kind = audio.codec_context.format.name
        samples = np.zeros((1, 44100), np.int16 if kind.startswith("s16") else np.int32)
        frame = av.AudioFrame.from_ndarray(samples, kind, "mono")
        frame.rate = 44100
        for packet in audio.encode(frame) + audio.encode(None):
            container.mux(packet)
    return path


@pytest.mark.parametrize(("name", "codec"), [("a.flac", "flac"), ("a.mp3", "mp3")])
def test_a_sound_file_with_a_cover_is_no_video(tmp_path, name, codec):
    assert "Received: a cover picture, audio only" in refusal(with_cover(tmp_path / name, codec))
