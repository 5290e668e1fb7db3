"""Everything that reads files, and the good files that `fuzz_readers.py` changes at random."""

import dataclasses
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from PIL import Image

from logan.files import write_json


@dataclasses.dataclass(frozen=True)
class Reader:
    """Something that reads files.

    Attributes:
        make: writes the good files to a folder and returns those to mutate, by their names.
        prepare: returns the reading itself, a function of the folder; imports what it needs.
    """

    make: Callable[[Path], list[str]]
    prepare: Callable[[], Callable[[Path], Any]]


# ------------------------------------------------------------------------------------- pictures


def _gradient(width: int, height: int, mode: str) -> Image.Image:
    ramp = np.add.outer(np.arange(height), 3 * np.arange(width))
    if mode == "I;16":
        return Image.fromarray((ramp * 97 % 65536).astype(np.uint16))
    return Image.fromarray(ramp.astype(np.uint8)).convert(mode)


def _make_pictures(folder: Path) -> list[str]:
    kinds = [
        ("rgb.jpg", "RGB"), ("grey.jpg", "L"), ("cmyk.jpg", "CMYK"), ("rgba.png", "RGBA"),
        ("palette.png", "P"), ("deep.png", "I;16"), ("colour.bmp", "RGB"), ("palette.gif", "P"),
        ("rgba.webp", "RGBA"), ("grey.pgm", "L"), ("colour.ppm", "RGB"), ("colour.tif", "RGB"),
        ("deep.tif", "I;16"), ("colour.avif", "RGB"), ("colour.jp2", "RGB"), ("colour.dds", "RGB"),
        ("colour.pcx", "RGB"), ("colour.sgi", "RGB"), ("colour.qoi", "RGB"),
    ]  # fmt: skip
    for name, mode in kinds:
        _gradient(40, 30, mode).save(folder / name)
    return [name for name, _ in kinds]


def _picture_reader() -> Callable[[Path], Any]:
    from logan.datasets.pictures import central_square, fit, read_picture

    def read(folder: Path) -> None:
        for path in folder.iterdir():
            image = read_picture(path)
            pixels = fit(image, central_square(image.size), 16, 3)
            assert pixels.shape == (16, 16, 3) and pixels.dtype == np.uint8

    return read


def _make_picture_archive(folder: Path) -> list[str]:
    with zipfile.ZipFile(folder / "pictures.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            buffer = io.BytesIO()
            _gradient(40, 30, "RGB").save(buffer, "png")
            archive.writestr(f"a/{number}{'.png' if number else ''}", buffer.getvalue())
    return ["pictures.zip"]


def _picture_archive_reader() -> Callable[[Path], Any]:
    from logan.datasets.image_folder import load_pictures

    return lambda folder: load_pictures(folder / "pictures.zip", size=16)


# --------------------------------------------------------------------------------------- videos


def _make_videos(folder: Path) -> list[str]:
    import av

    names = ["clip.mp4", "clip.avi", "clip.mkv", "clip.mov"]
    for name in names:
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(12):
                pixels = np.full((48, 64, 3), 20 * number, np.uint8)
                pixels[10:20, 4 * number : 4 * number + 8] = (255, 0, 0)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            container.mux(stream.encode())
    return names


def _video_reader() -> Callable[[Path], Any]:
    from logan.datasets.video import load_frames

    def read(folder: Path) -> None:
        for path in folder.iterdir():
            frames = load_frames(path, size=16, interval_seconds=0.2)
            assert frames.shape[1:] == (16, 16, 3) and frames.dtype == np.uint8

    return read


# --------------------------------------------------------------------------- CelebA and CIFAR-10


def _make_celeb_a(folder: Path) -> dict[str, bytes]:
    pictures = {}
    for number in range(1, 7):
        buffer = io.BytesIO()
        _gradient(178, 218, "RGB").save(buffer, "jpeg")
        pictures[f"{number:06}.jpg"] = buffer.getvalue()
    lines = "".join(f"{name} {number % 3}\n" for number, name in enumerate(pictures))
    (folder / "list_eval_partition.txt").write_text(lines)
    return pictures


def _make_partition(folder: Path) -> list[str]:
    (folder / "img_align_celeba").mkdir()
    for name, content in _make_celeb_a(folder).items():
        (folder / "img_align_celeba" / name).write_bytes(content)
    return ["list_eval_partition.txt"]


def _make_zip(folder: Path) -> list[str]:
    pictures = _make_celeb_a(folder)
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in pictures.items():
            archive.writestr(f"img_align_celeba/{name}", content)
    return ["img_align_celeba.zip"]


def _celeb_a_reader() -> Callable[[Path], Any]:
    from logan.datasets.celeb_a import load_celeb_a

    return lambda folder: load_celeb_a(folder, size=16)


def _cifar10_batches() -> dict[str, bytes]:
    from logan.datasets.cifar10 import BATCHES

    rows = np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8)
    batch = b"".join(bytes([kind]) + row.tobytes() for kind, row in zip((3, 5), rows, strict=True))
    return dict.fromkeys(BATCHES, batch)


def _make_batches(folder: Path) -> list[str]:
    batches = _cifar10_batches()
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return list(batches)


def _make_tar(folder: Path) -> list[str]:
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, content in _cifar10_batches().items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return ["cifar-10-binary.tar.gz"]


def _cifar10_reader() -> Callable[[Path], Any]:
    from logan.datasets.cifar10 import load_cifar10

    return lambda folder: load_cifar10(folder, size=32)


# ----------------------------------------------------------------------------------------- MNIST


def _make_idx(folder: Path) -> list[str]:
    names = []
    for part, count in (("train", 4), ("t10k", 2)):
        pictures = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8]) + bytes(64 * count)
        labels = bytes([0, 0, 8, 1, 0, 0, 0, count]) + bytes(n % 2 for n in range(count))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(pictures)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
        names += [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte.gz"]
    return names


def _idx_reader() -> Callable[[Path], Any]:
    from logan.datasets.labelled import load_labelled_images

    return lambda folder: load_labelled_images(folder, size=8, channels=1)


# ---------------------------------------------------------------------------- the cache of frames

_CACHED = np.arange(4 * 8 * 8 * 3).reshape(4, 8, 8, 3).astype(np.uint8)


def _cached(folder: Path) -> np.ndarray:
    from logan.datasets.frame_cache import cached_frames

    return cached_frames(folder, {}, [], (8, 8, 3), lambda: iter(_CACHED), lambda _: None)


def _make_cache(folder: Path) -> list[str]:
    _cached(folder)
    return [path.name for path in folder.iterdir()]


def _cache_reader() -> Callable[[Path], Any]:
    # Whatever is in the cache, the right frames come out.
    return lambda folder: np.testing.assert_array_equal(_cached(folder), _CACHED)


# ------------------------------------------------------------------------------- flags and a run


def _make_flags(folder: Path) -> list[str]:
    from logan.settings import preset, to_flags

    (folder / "flags.txt").write_text("\n".join(to_flags(preset("ring8"))) + "\n")
    return ["flags.txt"]


def _run_flags_reader() -> Callable[[Path], Any]:
    from logan.runs import Run

    return Run.open


def _flagfile_reader() -> Callable[[Path], Any]:
    """What logan-train does of --flagfile before any work starts."""
    from logan.cli.command import parse_flags
    from logan.cli.settings import define_experiment, define_settings, experiment_from_flags

    define_experiment()
    define_settings()

    def read(folder: Path) -> None:
        flags.FLAGS.unparse_flags()
        parse_flags(["logan-train", f"--flagfile={folder / 'flags.txt'}"])
        experiment_from_flags()

    return read


def _make_run(folder: Path) -> list[str]:
    _make_flags(folder)
    records = [{"step": step, "penalty": 0.5, "seconds": step / 10} for step in range(10, 60, 10)]
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    write_json(folder / "rollbacks.json", [{"from_step": 30, "to_step": 20}])
    write_json(folder / "environment.json", [{"first_step": 0, "seed": 1, "gpus": []}])
    (folder / "export").mkdir()
    write_json(folder / "export" / "step.json", 50)
    return ["log.jsonl", "rollbacks.json", "environment.json", "export/step.json"]


def _run_reader() -> Callable[[Path], Any]:
    from logan.runs import Run

    def read(folder: Path) -> None:
        run = Run.open(folder)
        run.keep_records_until(30)
        run.rollbacks()
        run.exported_steps()
        run.write_environment(20)

    return read


def _make_snapshots(folder: Path) -> list[str]:
    from logan.snapshots import write_snapshot

    write_snapshot(folder, {"step": 10, "real": np.ones((20, 2), np.float32)})
    return ["step-00000010.npz"]


def _snapshot_reader() -> Callable[[Path], Any]:
    from logan.snapshots import read_snapshots

    return read_snapshots


def _tiny_model() -> Any:
    from logan.models.assemble import assemble
    from logan.settings import Experiment

    return assemble(Experiment(width=2, hidden_layers=1))


def _make_checkpoint(folder: Path) -> list[str]:
    from logan.checkpoints import Checkpoints

    Checkpoints(folder, kept=1).save(_tiny_model(), 7)
    return [str(path.relative_to(folder)) for path in folder.glob("step-*/*")]


def _checkpoint_reader() -> Callable[[Path], Any]:
    from logan.checkpoints import Checkpoints

    model = _tiny_model()
    return lambda folder: Checkpoints(folder, kept=1).restore(model)


READERS = {
    "pictures": Reader(_make_pictures, _picture_reader),
    "an archive of pictures": Reader(_make_picture_archive, _picture_archive_reader),
    "video": Reader(_make_videos, _video_reader),
    "CelebA's partition file": Reader(_make_partition, _celeb_a_reader),
    "CelebA's archive": Reader(_make_zip, _celeb_a_reader),
    "CIFAR-10's batches": Reader(_make_batches, _cifar10_reader),
    "CIFAR-10's archive": Reader(_make_tar, _cifar10_reader),
    "MNIST's files": Reader(_make_idx, _idx_reader),
    "frame cache": Reader(_make_cache, _cache_reader),
    "flags of a run": Reader(_make_flags, _run_flags_reader),
    "flagfile": Reader(_make_flags, _flagfile_reader),
    "JSON of a run": Reader(_make_run, _run_reader),
    "snapshots": Reader(_make_snapshots, _snapshot_reader),
    "checkpoints": Reader(_make_checkpoint, _checkpoint_reader),
}
