"""What `logan-evaluate` measures: a record of arrays, measures of it by name, tables of them."""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.evaluation.coverage import toy_coverage
from logan.evaluation.report import evaluate, metrics_of, stored_metrics
from logan.evaluation.tables import columns, table

__all__ = ["columns", "evaluate", "metrics_of", "stored_metrics", "table", "toy_coverage"]
