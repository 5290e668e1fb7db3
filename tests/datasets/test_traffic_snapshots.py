"""TFDS's own test of a builder, on a video of twenty frames at two a second, and what it leaves."""

import numpy as np
import pytest

pytest.importorskip("dill")
tfds = pytest.importorskip("tensorflow_datasets")

from logan.datasets import traffic_snapshots  # noqa: E402
from logan.datasets.splits import split_by_time_block  # noqa: E402
from logan.datasets.video import load_frames  # noqa: E402
from logan.errors import UserError  # noqa: E402

TRAIN, TEST = split_by_time_block(20, test_fraction=0.2)
VIDEO = traffic_snapshots.Builder.code_path.parent / "dummy_data" / "junction.avi"


class TrafficSnapshotsTest(tfds.testing.DatasetBuilderTestCase):
    """Registers, prepares and reads every configuration; no example may be in both splits."""

    DATASET_CLASS = traffic_snapshots.Builder
    SPLITS = {"train": len(TRAIN), "test": len(TEST)}  # noqa: RUF012


def prepared(tmp_path, manual_dir, config="32px"):
    builder = tfds.builder(f"traffic_snapshots/{config}", data_dir=tmp_path / "tfds")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
    )
    return builder


def test_images_and_times(tmp_path):
    builder = prepared(tmp_path, VIDEO.parent)
    frames = load_frames(VIDEO, size=32, interval_seconds=0.5)
    for split, indices in (("train", TRAIN), ("test", TEST)):
        examples = {
            float(e["time"]): e["image"]
            for e in builder.as_dataset(split=split).as_numpy_iterator()
        }
        assert sorted(examples) == [index / 2 for index in indices]
        for index in indices:
            np.testing.assert_array_equal(examples[index / 2], frames[index])


@pytest.mark.parametrize("names", [["a.txt"], ["a.avi", "b.MP4"]])
def test_one_video_is_expected(tmp_path, names):
    manual = tmp_path / "manual"
    manual.mkdir()
    for name in names:
        (manual / name).touch()
    received = ", ".join(names) if len(names) == 2 else "none"
    with pytest.raises(UserError, match=rf"Expected one video.*Received: {received}\."):
        prepared(tmp_path, manual)


def test_where_to_fetch_the_video_is_said_when_the_folder_is_missing(tmp_path):
    with pytest.raises(AssertionError, match=r"(?s)does not exist or is empty.*www\.idiap\.ch"):
        prepared(tmp_path, tmp_path / "manual")
