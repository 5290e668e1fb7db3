"""The `traffic_snapshots` set; importing this package makes it known to TensorFlow Datasets."""

from logan.datasets.traffic_snapshots.traffic_snapshots_dataset_builder import Builder

__all__ = ["Builder"]
