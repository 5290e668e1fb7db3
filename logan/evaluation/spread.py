"""How much images differ from each other."""

from logan.datasets.pixels import unit_range
from logan.evaluation.measures import Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.images import spread


def _measure(record: Record) -> Measured:
    return Measured(
        {
            "spread": {
                "real": spread(unit_range(record.train)),
                "generated": spread(unit_range(record.generated)),
            }
        },
        "spread: mean standard deviation of a pixel over images",
    )


SPREAD = Measure(lambda record: record.is_image and record.has("train", "generated"), _measure)
