"""What stands before the scene of a fixed camera, in training frames and in generations."""

import numpy as np

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import OCCUPIED_AREA, Record
from logan.figures.foreground_maps import foreground_maps_figure
from logan.metrics.foreground import foreground_distance, foreground_mask, foreground_share


def _measure(record: Record) -> Measured:
    real_masks, masks = (
        foreground_mask(frames, record.background) for frames in (record.train, record.generated)
    )
    real_areas, areas = real_masks.mean((1, 2)), masks.mean((1, 2))
    shares = [foreground_share(each, OCCUPIED_AREA) for each in (real_areas, areas)]
    numbers = {
        "real_share": shares[0],
        "generated_share": shares[1],
        "real_faint_share": faint_share(real_areas),
        "generated_faint_share": faint_share(areas),
        "distance": foreground_distance(real_areas, areas),
    }
    maps = real_masks.mean(0), masks.mean(0)
    return Measured(
        {"foreground": numbers},
        "foreground, against the training frames: share of frames in which over "
        f"{OCCUPIED_AREA:.0%} of the pixels differ from the median of the training frames by more "
        "than 0.2 of [-1, 1] after light correction; faint: share of frames in which some pixels "
        "do, but not so many; distance: Jensen-Shannon distance of the histograms of that area",
        draw=lambda: foreground_maps_figure(*maps, *shares),
    )


def faint_share(areas: np.ndarray) -> float:
    """The share of frames with some foreground, but not so much that they count as occupied.

    Args:
        areas: floating [frames] in [0, 1], see `logan.metrics.foreground.foreground_area`.
    """
    return float(np.mean((areas > 0) & (areas <= OCCUPIED_AREA)))


FOREGROUND = Measure(
    lambda record: record.has_fixed_camera and record.has("train", "generated"),
    _measure,
    (
        Column("foreground", ("foreground", "generated_share"), "{:.3f}"),
        Column("real", ("foreground", "real_share"), "{:.3f}"),
        Column("distance", ("foreground", "distance"), "{:.3f}", "lower"),
    ),
    picture="foreground_maps.png",
)
