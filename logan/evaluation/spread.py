"""How much images differ from each other."""

from logan.evaluation.measures import Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.images import spread


def _measure(record: Record) -> Measured:
    return Measured(
        {"spread": {"real": spread(record.train), "generated": spread(record.generated)}},
        "spread: mean standard deviation of a pixel over images",
    )


SPREAD = Measure(lambda record: record.is_image and record.has("train", "generated"), _measure)
