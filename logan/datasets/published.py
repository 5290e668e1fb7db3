"""Sets that were published with a training and a test part: from a source to frames and parts.

Loads no TensorFlow unless a set is read through TensorFlow Datasets.
"""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from logan.datasets.frame_cache import FrameShape, fingerprint
from logan.datasets.pictures import gather_frames, quoted_list
from logan.errors import UserError

__all__ = ["Source", "catalog_labels", "catalog_source", "load_parts"]


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the pictures come from: first those to train on, then those to test on.

    Attributes:
        place: names the source in errors.
        train_count: pictures to train on.
        test_count: pictures to test on.
        contents: makes the pictures, in whatever form the set decodes.
        name: the name of a picture by its index.
        fingerprints: what tells a changed source from an unchanged one.
    """

    place: str
    train_count: int
    test_count: int
    contents: Callable[[], Iterator[Any]]
    name: Callable[[int], str]
    fingerprints: Callable[[], list[dict[str, Any]]]


def catalog_source(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    *,
    show_progress: bool,
    error: type[UserError],
    remedy: str,
) -> Source:
    """A set of TensorFlow Datasets, whose pictures come encoded; see `_tfds_builder`."""
    builder = _tfds_builder(
        name, data_dir, show_progress=show_progress, error_class=error, remedy=remedy
    )
    folder = Path(builder.data_dir)
    train_count, test_count = (builder.info.splits[part].num_examples for part in ("train", "test"))
    return Source(
        place=str(folder),
        train_count=train_count,
        test_count=test_count,
        contents=lambda: itertools.chain.from_iterable(
            _tfds_pictures(builder, part) for part in ("train", "test")
        ),
        name=lambda index: f"example {index}",
        fingerprints=lambda: [fingerprint(folder, sorted(folder.iterdir()))],
    )


def catalog_labels(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    *,
    error: type[UserError],
    remedy: str,
) -> list[np.ndarray]:
    """The classes of a set of TensorFlow Datasets, of each part in the order of its pictures.

    Returns:
        int64 [pictures] of the training part and of the test part.

    Raises:
        UserError: of the class `error`, if the set cannot be prepared; see `_tfds_builder`.
    """
    builder = _tfds_builder(name, data_dir, show_progress=False, error_class=error, remedy=remedy)
    return [_tfds_labels(builder, part) for part in ("train", "test")]


def load_parts(
    source: Source,
    decode: Callable[[Any], np.ndarray],
    shape: FrameShape,
    *,
    settings: dict[str, Any],
    error: type[UserError],
    cache_dir: str | os.PathLike[str] | None,
    show_progress: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decodes all pictures of a source, or takes them from the cache.

    Args:
        source: where they come from.
        decode: makes uint8 of `shape` from a picture.
        shape: height, width and channels of a frame.
        settings: what decides the pixels beside the source, for JSON.
        error: what to raise if a picture cannot be used.
        cache_dir: folder of the cache, or None for none.
        show_progress: whether to draw a bar on stderr.

    Returns:
        (frames, train, test): uint8 [pictures, *shape]; and int64 indices into it.

    Raises:
        UserError: of that class; the message lists the pictures that cannot be used.
    """

    def check(_: int, left_out: Mapping[int, str]) -> None:
        if left_out:
            names = [f"{source.name(index)}: {reason}" for index, reason in left_out.items()]
            raise error(
                f"Expected readable pictures in {source.place}. Received {len(names)} that cannot "
                f"be used:{quoted_list(names)}\nFetch the pictures again."
            )

    frames, _ = gather_frames(
        source.contents,
        decode,
        shape=shape,
        total=source.train_count + source.test_count,
        check=check,
        settings=settings,
        sources=source.fingerprints,
        cache_dir=cache_dir,
        show_progress=show_progress,
    )
    indices = np.arange(len(frames), dtype=np.int64)
    return frames, indices[: source.train_count], indices[source.train_count :]


# ------------------------------------------------------------------ TensorFlow Datasets' pictures


def _tfds_builder(
    name: str,
    data_dir: str | os.PathLike[str] | None,
    *,
    show_progress: bool,
    error_class: type[UserError],
    remedy: str,
) -> Any:
    """A set of TensorFlow Datasets, downloaded and prepared.

    Args:
        name: the set's name.
        data_dir: where TFDS keeps its sets; None means its default, ~/tensorflow_datasets.
        show_progress: whether TFDS shall draw its bars on stderr.
        error_class: what to raise if that fails.
        remedy: what to do then; ends the message.

    Raises:
        UserError: of that class, on any failure of the download or the preparation.
    """
    try:
        import tensorflow_datasets as tfds

        (tfds.enable_progress_bar if show_progress else tfds.disable_progress_bar)()
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
    # A refused download, no network, no TFDS, a full disk: the way out is the same.
    except Exception as error:
        cause = " ".join(str(error).split())
        raise error_class(
            f"Expected TensorFlow Datasets to download and prepare {name}. Received: "
            f"{type(error).__name__}: {cause[:300]}\n{remedy}"
        ) from error
    return builder


def _tfds_examples(builder: Any, split: str) -> Any:
    """The examples of a prepared set in the order in which they are stored, pictures encoded."""
    import tensorflow_datasets as tfds

    return builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders={"image": tfds.decode.SkipDecoding()},
        read_config=tfds.ReadConfig(try_autocache=False),
    )


def _tfds_pictures(builder: Any, split: str) -> Iterator[bytes]:
    for example in _tfds_examples(builder, split):
        yield example["image"].numpy()


def _tfds_labels(builder: Any, split: str) -> np.ndarray:
    labels = _tfds_examples(builder, split).map(lambda example: example["label"]).batch(10_000)
    return np.concatenate([part.numpy() for part in labels]).astype(np.int64)
