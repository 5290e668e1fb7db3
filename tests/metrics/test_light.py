import numpy as np
import pytest

from logan.metrics.light import frame_patterns, is_light, light_sources, without_light

RANDOM = np.random.default_rng(0)
SCENE = RANDOM.uniform(-0.5, 0.5, (12, 12, 3)).astype(np.float32)
NOISE = np.full_like(SCENE, 0.01)


def test_brightness_and_contrast_of_each_channel_are_taken_out():
    gain, shift = np.float32([1.2, 0.9, 1.0]), np.float32([0.3, -0.2, 0.0])
    differences = (gain * SCENE + shift - SCENE)[None]
    rest, amounts = without_light(differences, frame_patterns(SCENE), NOISE)
    np.testing.assert_allclose(rest, 0, atol=1e-3)
    np.testing.assert_allclose(amounts[0, 3:], gain - 1, atol=2e-3)
    np.testing.assert_allclose(amounts[0, :3], shift + (gain - 1) * SCENE.mean((0, 1)), atol=1e-3)


def test_what_covers_a_third_of_a_frame_is_left_as_it_is():
    differences = np.full((1, 12, 12, 3), 0.3, np.float32)
    differences[:, :4] += 0.5
    rest, _ = without_light(differences, frame_patterns(SCENE), NOISE)
    np.testing.assert_allclose(rest[:, 4:], 0, atol=5e-3)
    np.testing.assert_allclose(rest[:, :4], 0.5, atol=5e-3)


def test_amounts_beyond_their_limits_are_left_in_the_frame():
    pattern = np.zeros((1, 12, 12, 3), np.float32)
    pattern[:, 3:6] = 1
    limits = np.array([[-0.1, 0.2]], np.float32)
    rest, amounts = without_light(0.5 * pattern, pattern, NOISE, limits)
    np.testing.assert_allclose(amounts, 0.2)
    np.testing.assert_allclose(rest, 0.3 * pattern, atol=1e-6)


def test_frames_are_judged_by_themselves(monkeypatch):
    differences = RANDOM.uniform(-1, 1, (5, 12, 12, 3)).astype(np.float32)
    together, _ = without_light(differences, frame_patterns(SCENE), NOISE)
    monkeypatch.setattr("logan.metrics.light._CHUNK", 1)
    alone, _ = without_light(differences, frame_patterns(SCENE), NOISE)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_wall_in_slow_light_is_a_source():
    wall = np.zeros((12, 12, 1), np.float32)
    wall[2:6, 3:8] = RANDOM.uniform(0.5, 1, (4, 5, 1))
    light = np.sin(np.linspace(0, 6, 100)).astype(np.float32)
    rest = 0.3 * light[:, None, None, None] * wall
    rest += 0.01 * RANDOM.standard_normal(rest.shape).astype(np.float32)
    (source,) = light_sources(rest, 0.01)
    np.testing.assert_allclose(np.abs(source), wall / wall.max(), atol=0.02)


def test_what_moves_over_the_scene_is_no_source():
    rest = 0.01 * RANDOM.standard_normal((200, 12, 12, 1)).astype(np.float32)
    for frame in rest[::2]:
        top, left = RANDOM.integers(0, 8, 2)
        frame[top : top + 5, left : left + 5] += 0.5
    assert len(light_sources(rest, 0.01)) == 0


TIME = np.arange(200)


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (np.sin(TIME / 30), True),
        (np.random.default_rng(1).integers(0, 2, 200), True),
        (TIME % 4 == 0, True),
        (TIME // 60 == 1, False),
        (TIME < 30, False),
        (TIME == 7, False),
    ],
    ids=["daylight", "lamp", "lamp in every fourth frame", "parked", "left", "passes once"],
)
def test_light_is_gradual_or_flickers(course, expected):
    assert is_light(np.asarray(course, np.float64)) is expected
