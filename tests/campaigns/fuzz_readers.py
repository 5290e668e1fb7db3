"""Feeds random and mutated bytes to everything that reads files, and counts what comes out.

Each input is a good file that was flipped, cut, stretched, spliced or overwritten at random, or
random bytes alone; (seed, reader, number) decide it. A reader may read it or refuse it with the
package's own error. Anything else is a fault: another exception, a process that dies, one input
that takes longer than --timeout, or memory beyond --memory. Faulty inputs are kept.

    tests/campaigns/fuzz_readers.py --inputs=2000 --folder=runs/fuzz
    tests/campaigns/fuzz_readers.py --readers=video,flagfile --inputs=100 --folder=runs/fuzz-again
"""

import collections
import dataclasses
import io
import json
import multiprocessing
import multiprocessing.connection
import os
import pickle
import random
import resource
import shutil
import sys
import tarfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tqdm
from absl import app, flags
from PIL import Image

from logan.errors import UserError
from logan.files import write_json

FLAGS = flags.FLAGS
READ, REFUSED, CRASHED, HUNG, DIED = "read", "refused", "crashed", "hung", "died"
BEGUN, DONE = "begun", "done"  # of one input, of all of them
START_SECONDS = 300.0  # what is imported takes longer than an input


def define_flags() -> None:
    # Not at the top: the processes that read must not have them, or a flagfile could set them.
    flags.DEFINE_integer("inputs", 1000, "For each reader.", lower_bound=1)
    flags.DEFINE_list("readers", [], "Some of them only.")
    flags.DEFINE_integer("seed", 0, "Of the inputs.")
    flags.DEFINE_string("folder", None, "For the faulty inputs and fuzz.json; must not exist.")
    flags.DEFINE_float("timeout", 20.0, "Seconds for one input.", lower_bound=0.1)
    flags.DEFINE_float("memory", 4.0, "GiB that a reader may take besides.", lower_bound=0.1)


@dataclasses.dataclass(frozen=True)
class Task:
    """What a process reads.

    Attributes:
        reader: its name.
        names: the good files to mutate.
        root: holds them in `good`; each input is made in `input`.
        seed: of the inputs.
        inputs: how many there are.
        memory: bytes that may be taken beyond those at the start.
    """

    reader: str
    names: list[str]
    root: Path
    seed: int
    inputs: int
    memory: int


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
    batch = {b"batch_label": b"a batch", b"labels": [3, 5], b"data": rows}
    return {name: pickle.dumps(batch, 2) for name in BATCHES}


def _make_batches(folder: Path) -> list[str]:
    batches = _cifar10_batches()
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return list(batches)


def _make_tar(folder: Path) -> list[str]:
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, content in _cifar10_batches().items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return ["cifar-10-python.tar.gz"]


def _cifar10_reader() -> Callable[[Path], Any]:
    from logan.datasets.cifar10 import load_cifar10

    return lambda folder: load_cifar10(folder, size=32)


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
    from logan.cli.settings import define_settings, experiment_from_flags

    define_settings()

    def read(folder: Path) -> None:
        FLAGS.unparse_flags()
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
        run.exported_step()
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
    "video": Reader(_make_videos, _video_reader),
    "CelebA's partition file": Reader(_make_partition, _celeb_a_reader),
    "CelebA's archive": Reader(_make_zip, _celeb_a_reader),
    "CIFAR-10's batches": Reader(_make_batches, _cifar10_reader),
    "CIFAR-10's archive": Reader(_make_tar, _cifar10_reader),
    "frame cache": Reader(_make_cache, _cache_reader),
    "flags of a run": Reader(_make_flags, _run_flags_reader),
    "flagfile": Reader(_make_flags, _flagfile_reader),
    "JSON of a run": Reader(_make_run, _run_reader),
    "snapshots": Reader(_make_snapshots, _snapshot_reader),
    "checkpoints": Reader(_make_checkpoint, _checkpoint_reader),
}


# ------------------------------------------------------------------------------------- mutations


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content after one to four random changes, or random bytes alone."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.choice([0, 1, 16, 300, 5000]))
    for _ in range(chance.randint(1, 4)):
        content = chance.choice(MUTATIONS)(bytearray(content), chance)
    return content


def _flip(content: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.choice([1, 1, 2, 8, 64]) if content else 0):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def _overwrite(content: bytearray, chance: random.Random) -> bytes:
    start, length = _stretch(content, chance)
    filler = chance.choice([b"\0" * length, b"\xff" * length, chance.randbytes(length)])
    content[start : start + length] = filler
    return bytes(content)


def _cut(content: bytearray, chance: random.Random) -> bytes:
    return bytes(content[: chance.randrange(len(content) + 1)])


def _remove(content: bytearray, chance: random.Random) -> bytes:
    start, length = _stretch(content, chance)
    del content[start : start + length]
    return bytes(content)


def _insert(content: bytearray, chance: random.Random) -> bytes:
    start, length = _stretch(content, chance)
    content[start:start] = chance.choice([content[start : start + length], chance.randbytes(9)])
    return bytes(content)


def _nest(content: bytearray, chance: random.Random) -> bytes:
    start, _ = _stretch(content, chance)
    content[start:start] = chance.choice([b"[", b"{", b"(", b"9", b"\n", b"-"]) * 100_000
    return bytes(content)


def _number(content: bytearray, chance: random.Random) -> bytes:
    """Another number in the place of four bytes: a length or a count, in either byte order."""
    start, _ = _stretch(content, chance)
    value = chance.choice([0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1])
    content[start : start + 4] = value.to_bytes(4, chance.choice(["big", "little"]))
    return bytes(content)


def _word(content: bytearray, chance: random.Random) -> bytes:
    """Another word in the place of one: text files mean something then."""
    words = bytes(content).split()
    if words:
        new = chance.choice([*words, b"null", b"-1", b"1e999", b"NaN", b"true", b"../../etc", b"="])
        content = content.replace(chance.choice(words), new, chance.choice([1, -1]))
    return bytes(content)


MUTATIONS = [_flip, _flip, _overwrite, _cut, _remove, _insert, _nest, _number, _word]


def _stretch(content: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, chance.choice([1, 2, 4, 16, 256, 4096])


def place_input(task: Task, number: int, folder: Path) -> None:
    """Writes the input of that number: the good files, one of them mutated."""
    chance = random.Random(f"{task.seed} {task.reader} {number}")
    name = chance.choice(task.names)
    shutil.rmtree(folder, ignore_errors=True)
    if task.reader in ("pictures", "video"):  # each file is an input by itself
        folder.mkdir()
    else:
        shutil.copytree(task.root / "good", folder)
    (folder / name).write_bytes(mutated((task.root / "good" / name).read_bytes(), chance))


# --------------------------------------------------------------------------------- the processes


def _work(connection: multiprocessing.connection.Connection, task: Task, first: int) -> None:
    """Reads one input after the other in a process of its own and tells each outcome."""
    # Native libraries write to the numbers, not to Python's files.
    said = os.open(task.root / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    read = READERS[task.reader].prepare()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + task.memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for number in range(first, task.inputs):
        place_input(task, number, task.root / "input")
        connection.send((number, BEGUN, ""))
        try:
            read(task.root / "input")
            outcome, text = READ, ""
        except UserError as error:
            outcome, text = REFUSED, str(error)
        except BaseException:
            outcome, text = CRASHED, traceback.format_exc()
        connection.send((number, outcome, text))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    connection.send((task.inputs, DONE, f"{peak:.0f}"))


def fuzz(reader: str, root: Path) -> dict[str, Any]:
    """All inputs of one reader; a process that dies or hangs is replaced by the next."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "good").mkdir(parents=True)
    names = _made(reader, root / "good")
    task = Task(reader, names, root, FLAGS.seed, FLAGS.inputs, int(FLAGS.memory * 2**30))
    counts: collections.Counter[str] = collections.Counter()
    faults: list[dict[str, Any]] = []
    first, peak, start = 0, 0.0, time.monotonic()
    bar = tqdm.tqdm(total=task.inputs, desc=reader, file=sys.stderr)
    while first < task.inputs:
        for number, outcome, text in _outcomes(task, first):
            if outcome == DONE:
                peak = float(text)
                break
            counts[outcome] += 1
            bar.update()
            if outcome not in (READ, REFUSED):
                kept = Path(FLAGS.folder) / f"{outcome}-{reader.replace(' ', '-')}-{number}"
                place_input(task, number, kept)
                faults.append({"input": kept.name, "outcome": outcome, "text": text})
        first = number + 1
    bar.close()
    seconds = round(time.monotonic() - start)
    return {"counts": counts, "faults": faults, "peak_mebibytes": peak, "seconds": seconds}


def _outcomes(task: Task, first: int) -> Iterator[tuple[int, str, str]]:
    """Number, outcome and text of each input from the first on, as long as one process lives."""
    process, connection = _started(_work, task, first)
    number, patience = None, START_SECONDS
    try:
        while True:
            if not connection.poll(patience):
                fault = HUNG, f"more than {patience:g} s"
                break
            try:
                number, outcome, text = connection.recv()
            except EOFError:
                process.join()
                fault = DIED, f"exit code {process.exitcode}"
                break
            patience = FLAGS.timeout
            if outcome != BEGUN:
                yield number, outcome, text
            if outcome == DONE:
                return
    finally:
        process.kill()
        process.join()
    if number is None:
        raise SystemExit(f"{task.reader}: {fault[1]}\n{(task.root / 'said.txt').read_text()}")
    yield number, *fault


def _started(work: Callable, *arguments: Any) -> tuple[Any, Any]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    return process, here


def _make(connection: multiprocessing.connection.Connection, reader: str, folder: Path) -> None:
    connection.send(READERS[reader].make(folder))


def _made(reader: str, folder: Path) -> list[str]:
    """The good files, made in a process of its own: TensorFlow does not outlive a fork."""
    process, connection = _started(_make, reader, folder)
    names = connection.recv()
    process.join()
    return names


def main(arguments: list[str]) -> int:
    chosen = FLAGS.readers or list(READERS)
    unknown = [name for name in chosen if name not in READERS]
    if unknown:
        raise app.UsageError(
            f"--readers: expected some of {', '.join(READERS)}. Received: {unknown}"
        )
    if not FLAGS.folder or Path(FLAGS.folder).exists():
        raise app.UsageError(f"--folder: expected a new one. Received: {FLAGS.folder}")
    folder = Path(FLAGS.folder)
    folder.mkdir(parents=True)
    results = {}
    for reader in chosen:
        results[reader] = fuzz(reader, folder / "work")
        write_json(folder / "fuzz.json", results)
    shutil.rmtree(folder / "work")
    print("| reader | inputs | read | refused | crashed, hung or died | peak memory, MiB |")
    print("|---|---|---|---|---|---|")
    for reader, result in results.items():
        counts = result["counts"]
        faulty = len(result["faults"])
        print(
            f"| {reader} | {FLAGS.inputs} | {counts[READ]} | {counts[REFUSED]} | {faulty} | "
            f"{result['peak_mebibytes']:.0f} |"
        )
    for reader, result in results.items():
        for fault in result["faults"][:5]:
            last = fault["text"].strip().splitlines()[-1:]
            print(f"{reader}: {fault['input']}: {last}")
    return 1 if any(result["faults"] for result in results.values()) else 0


if __name__ == "__main__":
    define_flags()
    app.run(main)
