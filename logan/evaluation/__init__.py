"""What `logan-evaluate` measures: a record of arrays, measures of it by name, tables of them."""

from logan.evaluation.coverage import toy_coverage
from logan.evaluation.report import evaluate, metrics_of
from logan.evaluation.tables import columns, table

__all__ = ["columns", "evaluate", "metrics_of", "table", "toy_coverage"]
