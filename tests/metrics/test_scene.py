"""How often something stands before a scene, on clips of which it is known."""

import numpy as np
import pytest
from clips import HOUSE, SIDE, clip, passing

from logan.datasets.junction import Junction
from logan.metrics.scene import Scene

TIME = np.arange(200)
WAVE = (0.3 * np.sin(TIME / 30)).astype(np.float32)[:, None, None, None]


def found(x):
    return Scene.fit(x).foreground(x)


def share(x):
    return found(x).is_occupied.mean()


@pytest.mark.parametrize(("channels", "contrast"), [(1, 0.5), (1, 0.12), (3, 0.25)])
def test_small_things_are_found(channels, contrast):
    x, random = clip(channels=channels)
    expected = passing(x, random, 0.37, contrast=contrast)
    foreground = found(x)
    assert foreground.is_occupied.mean() == pytest.approx(0.37, abs=0.03)
    assert np.mean(foreground.is_occupied != expected) < 0.01
    assert foreground.is_faint.mean() < 0.01
    assert foreground.areas[expected].mean() == pytest.approx(15 / SIDE**2, rel=0.05)


@pytest.mark.parametrize("often", [0.3, 0.6])
def test_large_things_are_found(often):
    x, random = clip()
    passing(x, random, often, height=15, width=20, rows=(0, SIDE))
    foreground = found(x)
    assert foreground.is_occupied.mean() == pytest.approx(often, abs=0.01)
    covered = foreground.areas[foreground.is_occupied].mean()
    assert covered == pytest.approx(300 / SIDE**2, rel=0.05)


def test_small_things_beside_large_ones_are_found():
    x, random = clip()
    expected = passing(x, random, 0.25) | passing(x, random, 0.2, 15, 20, rows=(0, SIDE))
    assert share(x) == pytest.approx(expected.mean(), abs=0.01)


def test_what_moves_slowly_is_found():
    x, _ = clip()
    for index in range(50, 125):
        left = (index - 50) * 27 // 75
        x[index, 14:18, left : left + 5] += 0.4
    assert share(x) == pytest.approx(75 / 200, abs=0.01)


@pytest.mark.parametrize("frames", [30, 90])
def test_what_is_parked_for_a_while_is_found(frames):
    x, random = clip()
    expected = passing(x, random, 0.2, 4, 5)
    x[25 : 25 + frames, 16:20, 10:15] += 0.4
    expected[25 : 25 + frames] = True
    assert share(x) == pytest.approx(expected.mean(), abs=0.01)


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.03, 0.1])
def test_noise_is_no_foreground_and_hides_none(noise):
    x, random = clip(noise=noise)
    empty = found(x)
    assert empty.is_occupied.mean() <= 0.01 and empty.is_faint.mean() <= 0.02
    passing(x, random, 0.37, contrast=max(0.5, 7 * noise))
    assert share(x) == pytest.approx(0.37, abs=0.03)


def test_leaves_in_the_wind_are_no_foreground():
    x, random = clip()
    x[:, :10] += 0.05 * random.standard_normal((200, 10, SIDE, 1)).astype(np.float32)
    passing(x, random, 0.37)
    assert share(x) == pytest.approx(0.37, abs=0.01)


def brighter(x, random):
    return x + WAVE


def exposed(x, random):
    return (x + 1) * (1 + WAVE) - 1


def house_in_slow_light(x, random):
    x[HOUSE] += WAVE
    return x


def house_in_late_sun(x, random):
    x[HOUSE] += 0.4 * np.clip((TIME[:, None, None, None] - 120) / 50, 0, 1).astype(np.float32)
    return x


def lamp(x, random):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    glow = np.exp(-((rows - 6) ** 2 + (columns - 8) ** 2) / 8)[..., None]
    is_on = random.random((len(x), 1, 1, 1)) < 0.3
    return (x + 0.6 * is_on * glow).astype(np.float32)


def lamp_on_a_house_in_slow_light(x, random):
    return lamp(house_in_slow_light(x, random), random) + WAVE[::-1] / 2


@pytest.mark.parametrize(
    ("light", "channels"),
    [
        (brighter, 1),
        (exposed, 3),
        (house_in_slow_light, 3),
        (house_in_late_sun, 1),
        (lamp, 1),
        (lamp_on_a_house_in_slow_light, 1),
    ],
)
def test_light_is_no_foreground(light, channels):
    x, random = clip(channels=channels)
    assert share(light(x.copy(), random)) <= 0.01
    passing(x, random, 0.37)
    assert share(light(x, random)) == pytest.approx(0.37, abs=0.01)


def test_light_that_was_never_seen_is_foreground():
    x, random = clip()
    scene = Scene.fit(house_in_slow_light(x.copy(), random))
    x[HOUSE] += 0.8
    assert scene.sources == 1
    assert scene.foreground(x).is_occupied.all()


@pytest.fixture
def split():
    """Frames with things as large as 4 by 6 pixels, and as many of the same empty scene."""
    x, random = clip(400)
    passing(x[:200], random, 0.37, height=4, width=6)
    return x[:200], x[200:]


def test_grain_of_a_generator_is_not_taken_for_noise_of_the_camera(split):
    real, empty = split
    grain = np.random.default_rng(1).standard_normal(empty.shape, np.float32)
    scene = Scene.fit(real)
    assert not scene.foreground(empty).mask.any()
    assert scene.foreground(empty + 0.06 * grain).is_faint.mean() > 0.9
    assert scene.foreground(empty + 0.3 * grain).is_occupied.mean() > 0.9


def test_halos_are_faint(split):
    real, empty = split
    empty[:80, 14:16, 10:14] += 0.3
    foreground = Scene.fit(real).foreground(empty)
    assert foreground.is_faint.mean() == 0.4
    assert not foreground.is_occupied.any()


def test_frames_are_judged_by_themselves():
    x, random = clip(channels=3)
    passing(x, random, 0.37)
    scene = Scene.fit(x)
    alone = [scene.foreground(frame[None]).mask[0] for frame in x[:20]]
    np.testing.assert_array_equal(scene.foreground(x).mask[:20], alone)


@pytest.mark.parametrize("channels", [1, 3])
def test_cars_of_the_junction_are_found(channels):
    junction = Junction(32, channels, seed=3)
    x = np.stack(list(junction.frames(0, 400))).astype(np.float32) / 127.5 - 1
    truth = np.array([len(cars) > 0 for cars in junction.truths(0, 400)])
    foreground = Scene.fit(x[:300]).foreground(x)
    assert np.mean(foreground.is_occupied != truth) <= 0.005


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_few_frames_are_enough_for_a_scene(frames):
    x, _ = clip(frames)
    assert not found(x).is_occupied.any()


def test_a_long_clip_is_fitted_on_frames_from_all_of_it():
    x, random = clip(1_500)
    passing(x[1_000:], random, 0.9)
    scene = Scene.fit(x)
    assert scene.smallest_area == pytest.approx(7.5 / SIDE**2, rel=0.1)
    assert scene.foreground(x).is_occupied.mean() == pytest.approx(0.3, abs=0.01)


def test_frames_of_another_shape_are_refused():
    x, _ = clip(5)
    with pytest.raises(ValueError, match=r"Expected frames of shape \(32, 32, 1\)"):
        Scene.fit(x).foreground(x[:, :16])
    with pytest.raises(ValueError, match="Expected floating frames"):
        Scene.fit(np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="Expected frames of shape"):
        Scene.fit(x[:0])
