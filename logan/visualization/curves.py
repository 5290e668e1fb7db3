"""How training went: the log, and of toy data what each snapshot covered."""

import numpy as np
from matplotlib.figure import Figure

from logan.evaluation import toy_coverage
from logan.figures.curves import curves_figure
from logan.visualization.drawings import Drawing, saved
from logan.visualization.history import History


def _curves(history: History) -> Figure:
    return curves_figure({history.run.label: history.records})


def _coverage(history: History) -> Figure:
    covered = [
        {"step": int(each["step"]), **toy_coverage(history.toy, each["generated"])}
        for each in history.snapshots
        if np.isfinite(each["generated"]).all()
    ]
    return curves_figure({history.run.label: covered})


CURVES = Drawing(lambda history: True, saved(_curves))
COVERAGE = Drawing(lambda history: history.is_toy, saved(_coverage))
