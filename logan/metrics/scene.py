"""What stands before the scene of a fixed camera, by rules that the scene itself sets.

A `Scene` is fitted on real frames alone and judges every frame by itself, real or generated. The
noise of the empty scene and the contrast of what passes decide which differences count, the sizes
of what passes decide which areas do. So grain of a generator is not taken for noise of the camera.

Images are floating in [-1, 1]; differences and noise are in the same unit.
"""

import dataclasses

import numpy as np

from logan.metrics.areas import connected_areas, solid_sizes
from logan.metrics.checks import check_images
from logan.metrics.foreground import DEFAULT_THRESHOLD, background
from logan.metrics.light import frame_patterns, light_sources, without_light

__all__ = ["Foreground", "Scene"]

# Where a pixel exceeds the first, all that is connected to it and exceeds the second belongs to
# it: chance alone brings the first in one of 1.7 million values.
CERTAIN, POSSIBLE = 5.0, 3.0  # in standard deviations of noise
LEAST_CONTRAST = 0.04  # 5 of 256 grey levels
# A third of the contrast that all but a quarter of what passes has: edges are blurred.
CONTRAST_SHARE, CONTRAST_QUANTILE = 1 / 3, 0.25
LARGEST_AREA = 0.02  # 20 of the pixels of a 32 by 32 frame
# Half of the size that all but a tenth of what passes has: some of it is cut by the frame's edge.
AREA_SHARE, AREA_QUANTILE = 0.5, 0.1
LEAST_PIXELS = 4  # a square
LEAST_SHARE = 0.01  # what is found in fewer frames says nothing of what passes

_LEAST_NOISE = 1 / 255  # half a grey level, to which pictures are rounded
_FITTED_FRAMES, _FITTED_VALUES = 1_000, 2**24
_MOST_HIDDEN = 0.75  # of a pixel's frames: without so many the rest is no sample of the scene


@dataclasses.dataclass(frozen=True)
class Foreground:
    """What stands before a scene.

    Attributes:
        mask: bool [frames, height, width], the pixels that differ from the scene. Its mean over
            axis 0 is a map of where things appear.
        largest: float64 [frames] in [0, 1], the share of the frame that the largest connected
            area has which is more than a line, see `solid_sizes`.
        smallest_area: the share from which on such an area counts as a thing.
    """

    mask: np.ndarray
    largest: np.ndarray
    smallest_area: float

    @property
    def areas(self) -> np.ndarray:
        """The share of pixels that differ, float64 [frames] in [0, 1]."""
        return self.mask.mean((1, 2))

    @property
    def is_occupied(self) -> np.ndarray:
        """Whether a thing stands there, bool [frames]."""
        return self.largest >= self.smallest_area

    @property
    def is_faint(self) -> np.ndarray:
        """Whether some pixels differ, but make no thing, bool [frames]."""
        return self.mask.any((1, 2)) & ~self.is_occupied


@dataclasses.dataclass(frozen=True)
class Scene:
    """The scene of a fixed camera, how it varies, and what passes before it.

    Attributes:
        background: float32 [height, width, channels], the empty scene.
        noise: float32 [height, width, channels], the standard deviation of each value.
        patterns: float32 [patterns, height, width, channels], of light, see `logan.metrics.light`.
        limits: float32 [patterns, 2], how much of each pattern a frame may have.
        contrast: least difference that counts, whatever the noise.
        smallest_area: the share of a frame from which on a connected area counts as a thing.
    """

    background: np.ndarray
    noise: np.ndarray
    patterns: np.ndarray
    limits: np.ndarray | None = None
    contrast: float = LEAST_CONTRAST
    smallest_area: float = 0.0

    @classmethod
    def fit(cls, frames: np.ndarray) -> "Scene":
        """Learns the scene from real frames.

        The background is the median over frames. It is right where the scene is uncovered for
        more than half of the time; what always stands somewhere belongs to the scene. Light is
        found by `light_sources`. Background and noise are then estimated twice more, each time
        without the foreground found by the last estimate.

        The contrast that counts is a third of the 25 % quantile of the largest difference of
        frames with a solid area, from 0.04 to 0.2. The area that counts is half of the 10 %
        quantile of their largest areas, from 4 pixels to 2 %. Both are the upper ends if less
        than 1 % of the frames, or less than 3, have any.

        Args:
            frames: floating [frames, height, width, channels] in [-1, 1], in order of time if it
                is known; only light depends on the order. Of many, 1,000 or as many as have 2^24
                values are taken, evenly spread.

        Raises:
            ValueError: if `frames` is empty or not of this form.
        """
        check_images(frames, "frames")
        most = min(len(frames), _FITTED_FRAMES, max(100, _FITTED_VALUES // frames[0].size))
        frames = frames[np.linspace(0, len(frames) - 1, most).astype(int)].astype(np.float32)
        scene = cls._uncovered(frames)
        for _ in range(2):
            scene = scene._refined(frames)
        rest, amounts = scene._without_light(frames)
        limits = _seen(amounts)
        # Over the whole frame any light is possible: a picture may be brighter than all others.
        limits[: 2 * frames.shape[-1]] = -np.inf, np.inf
        return dataclasses.replace(scene, limits=limits)._sized(rest)

    @property
    def sources(self) -> int:
        """How many parts of the scene change their light by themselves."""
        return len(self.patterns) - 2 * self.background.shape[-1]

    def foreground(self, frames: np.ndarray) -> Foreground:
        """What stands before the scene, frame by frame.

        A pixel differs when, after light, any channel exceeds 5 standard deviations of its noise
        and `contrast`; and when it exceeds three fifths of that and is connected with one that
        does.

        Args:
            frames: floating [frames, height, width, channels] in [-1, 1].

        Raises:
            ValueError: if the frames are empty, not floating or of another shape than the scene.
        """
        check_images(frames, "frames")
        if frames.shape[1:] != self.background.shape:
            raise ValueError(
                f"Expected frames of shape {self.background.shape}. Received: {frames.shape[1:]}."
            )
        return self._found(self._without_light(frames.astype(np.float32))[0])

    @classmethod
    def _uncovered(cls, frames: np.ndarray) -> "Scene":
        """The scene as if nothing ever stood before it."""
        middle = background(frames)
        differences = frames - middle
        noise = _deviation(differences - np.median(differences, axis=(1, 2), keepdims=True))
        patterns = frame_patterns(middle)
        rest, _ = without_light(differences, patterns, noise)
        sources = light_sources(rest, float(np.median(_deviation(rest))))
        if len(sources):
            patterns = np.concatenate([patterns, sources])
            rest, _ = without_light(differences, patterns, noise)
        return cls(middle, _deviation(rest), patterns)

    def _refined(self, frames: np.ndarray) -> "Scene":
        """The scene without what it takes for foreground in these frames."""
        rest, _ = self._without_light(frames)
        mask = self._found(rest).mask
        rest[mask & (mask.mean(0) < _MOST_HIDDEN)] = np.nan
        shift = _quantile(np.sort(rest, axis=0), 0.5)
        return dataclasses.replace(
            self, background=self.background + shift, noise=_deviation(rest - shift, 0.98, 2.326)
        )

    def _sized(self, rest: np.ndarray) -> "Scene":
        """The scene with the contrast and the area that count, by what passes in frames."""
        found = self._found(rest)
        contrast = DEFAULT_THRESHOLD
        if _is_enough(found.largest):
            strongest = np.where(found.mask, np.abs(rest).max(-1), 0).max((1, 2))
            strongest = strongest[found.largest > 0]
            contrast = CONTRAST_SHARE * float(np.quantile(strongest, CONTRAST_QUANTILE))
        contrast = float(np.clip(contrast, LEAST_CONTRAST, DEFAULT_THRESHOLD))
        scene = dataclasses.replace(self, contrast=contrast)
        largest, area = scene._found(rest).largest, LARGEST_AREA
        if _is_enough(largest):
            area = AREA_SHARE * float(np.quantile(largest[largest > 0], AREA_QUANTILE))
        least = LEAST_PIXELS / self.background[..., 0].size
        return dataclasses.replace(scene, smallest_area=max(least, min(area, LARGEST_AREA)))

    def _without_light(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return without_light(frames - self.background, self.patterns, self.noise, self.limits)

    def _found(self, rest: np.ndarray) -> Foreground:
        threshold = np.maximum(CERTAIN * self.noise, self.contrast)
        strength = np.max(np.abs(rest) / threshold, axis=-1)
        areas = connected_areas(strength > POSSIBLE / CERTAIN)
        is_certain = np.zeros(areas.max() + 1, bool)
        is_certain[areas[strength > 1]] = True
        sizes = np.where(is_certain, solid_sizes(areas), 0)
        largest = sizes[areas].max((1, 2)) / areas[0].size
        return Foreground(is_certain[areas], largest, self.smallest_area)


def _is_enough(largest: np.ndarray) -> bool:
    return bool(np.count_nonzero(largest) >= max(3, LEAST_SHARE * len(largest)))


def _seen(amounts: np.ndarray) -> np.ndarray:
    """The range of amounts, float32 [patterns, 2], without outliers and with some room."""
    low, high = np.quantile(amounts, [0.005, 0.995], axis=0)
    room = 0.1 * (high - low)
    return np.stack([low - room, high + room], axis=1).astype(np.float32)


def _deviation(rest: np.ndarray, tail: float = 0.5, normal_tail: float = 0.6745) -> np.ndarray:
    """Standard deviations over frames by the median of magnitudes, and by another quantile.

    The other one is for noise with long tails, as that of moving leaves. No value has less noise
    than half of all values.

    Args:
        rest: floating [frames, height, width, channels]; NaN is left out.
        tail: the share of the other quantile.
        normal_tail: its value for the standard normal distribution.
    """
    magnitude = np.sort(np.abs(rest), axis=0)
    deviation = np.maximum(
        _quantile(magnitude, 0.5) / 0.6745, _quantile(magnitude, tail) / normal_tail
    )
    least = max(_LEAST_NOISE, float(np.median(deviation)))
    return np.maximum(deviation, least).astype(np.float32)


def _quantile(ordered: np.ndarray, share: float) -> np.ndarray:
    """A quantile over axis 0 of what was sorted along it, NaN last; that with the next lower."""
    place = share * (np.sum(~np.isnan(ordered), axis=0) - 1)
    low, high = np.floor(place).astype(int), np.ceil(place).astype(int)
    below, above = (np.take_along_axis(ordered, each[None], axis=0)[0] for each in (low, high))
    return (below + (place - low) * (above - below)).astype(np.float32)
