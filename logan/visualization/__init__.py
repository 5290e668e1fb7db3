"""From run folders to pictures: what `logan-visualize` and `logan-compare` draw."""

from logan.visualization.comparison import compare
from logan.visualization.drawings import visualize

__all__ = ["compare", "visualize"]
