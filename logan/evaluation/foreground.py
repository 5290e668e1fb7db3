"""What stands before the scene of a fixed camera, in training frames and in generations."""

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.figures.foreground_maps import foreground_maps_figure
from logan.metrics.foreground import area_edges, foreground_distance
from logan.metrics.scene import CERTAIN, Scene


def _measure(record: Record) -> Measured:
    scene = record.scene
    real = record.held_out_foreground if record.train is None else record.train_foreground
    generated = record.generated_foreground
    shares = [float(each.is_occupied.mean()) for each in (real, generated)]
    numbers = {
        "real_share": shares[0],
        "generated_share": shares[1],
        "real_faint_share": float(real.is_faint.mean()),
        "generated_faint_share": float(generated.is_faint.mean()),
        "distance": foreground_distance(
            real.areas, generated.areas, area_edges(scene.smallest_area)
        ),
        "threshold": scene.contrast,
        "smallest_area": scene.smallest_area,
        "noise": float(scene.noise.mean()),
        "light_sources": scene.sources,
    }
    if record.train is not None and record.is_occupied is not None:
        numbers |= {
            "training_frames": len(real.largest),
            "training_occupied": int(real.is_occupied.sum()),
            "held_out_frames": len(record.is_occupied),
            "held_out_occupied": int(record.is_occupied.sum()),
        }
    maps = real.mask.mean(0), generated.mask.mean(0)
    return Measured(
        {"foreground": numbers},
        _protocol(scene),
        draw=lambda: foreground_maps_figure(*maps, *shares),
    )


def _protocol(scene: Scene) -> str:
    return (
        "foreground, against a scene fitted on real frames alone, those for training if there are "
        "any: share of frames with a connected area of at least "
        f"{scene.smallest_area:.2%} of the pixels that differ from the median of those frames by "
        f"more than {scene.contrast:.3f} of [-1, 1] and {CERTAIN:g} standard deviations of their "
        "noise, after the light of each frame is taken out; contrast and area follow from what "
        "passes in those frames; faint: share of frames in which some pixels differ, but no such "
        "area; distance: Jensen-Shannon distance of the histograms of the share of pixels that "
        "differ"
    )


FOREGROUND = Measure(
    lambda record: record.has_fixed_camera and record.has("generated"),
    _measure,
    (
        Column("foreground", ("foreground", "generated_share"), "{:.3f}"),
        Column("real", ("foreground", "real_share"), "{:.3f}"),
        Column("faint", ("foreground", "generated_faint_share"), "{:.3f}"),
        Column("real faint", ("foreground", "real_faint_share"), "{:.3f}"),
        Column("distance", ("foreground", "distance"), "{:.3f}", "lower"),
    ),
    picture="foreground_maps.png",
)
