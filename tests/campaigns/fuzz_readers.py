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
import multiprocessing
import multiprocessing.connection
import os
import random
import re
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tqdm
from absl import app, flags
from readers import READERS

from logan.errors import UserError
from logan.files import write_json

FLAGS = flags.FLAGS
READ, REFUSED, CRASHED, HUNG, DIED = "read", "refused", "crashed", "hung", "died"


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
        timeout: seconds for one.
        memory: bytes that may be taken beyond those at the start.
    """

    reader: str
    names: list[str]
    root: Path
    seed: int
    inputs: int
    timeout: float
    memory: int


# ------------------------------------------------------------------------------------- mutations


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content after one to four random changes, or random bytes alone.

    Of text, half the time one word is changed: more changes leave little that still parses.
    """
    if chance.random() < 0.05:
        return chance.randbytes(chance.choice([0, 1, 16, 300, 5000]))
    if content.isascii() and chance.random() < 0.5:
        return _word(bytearray(content), chance)
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
    found = list(re.finditer(rb'"[^"]*"|[\w.+-]+', content))
    if found:
        start, stop = chance.choice(found).span()
        content[start:stop] = chance.choice([chance.choice(found).group(), *WORDS])
    return bytes(content)


WORDS = [
    b"null", b"-1", b"1e999", b"NaN", b"true", b'"1"', b"[]", b"{}", b"1000000000000000",
    b"../../etc", b"=",
]  # fmt: skip
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
    read, folder = READERS[task.reader].prepare(), task.root / "input"
    shutil.copytree(task.root / "good", folder, dirs_exist_ok=True)
    read(folder)  # what is good must be read; and it imports what is imported late
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + task.memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    connection.send("ready")
    for number in range(first, task.inputs):
        place_input(task, number, folder)
        # Nobody heeds this signal, so it ends the process, native code as well.
        signal.setitimer(signal.ITIMER_REAL, task.timeout)
        try:
            read(folder)
            outcome, text = READ, ""
        except UserError as error:
            outcome, text = REFUSED, str(error)
        except BaseException:
            outcome, text = CRASHED, traceback.format_exc()
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send((outcome, text, _peak_mebibytes()))


def _peak_mebibytes() -> float:
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def _outcomes(task: Task, first: int) -> Iterator[tuple[str, str, float]]:
    """Outcome, text and peak of memory of each input from the first on, until a process dies."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, task, first), daemon=True)
    process.start()
    there.close()
    try:
        here.recv()
    except EOFError:
        said = (task.root / "said.txt").read_text()
        raise SystemExit(f"{task.reader}: expected good files to be read.\n{said}") from None
    try:
        for _ in range(first, task.inputs):
            yield here.recv()
    except EOFError:
        process.join()
        is_late = process.exitcode == -signal.SIGALRM
        yield HUNG if is_late else DIED, f"exit code {process.exitcode}", 0.0


def fuzz(reader: str, root: Path) -> dict[str, Any]:
    """All inputs of one reader; a process that dies or hangs is replaced by the next."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "good").mkdir(parents=True)
    names = READERS[reader].make(root / "good")
    memory = int(FLAGS.memory * 2**30)
    task = Task(reader, names, root, FLAGS.seed, FLAGS.inputs, FLAGS.timeout, memory)
    counts: collections.Counter[str] = collections.Counter()
    faults: list[dict[str, Any]] = []
    number, highest, start = 0, 0.0, time.monotonic()
    bar = tqdm.tqdm(total=task.inputs, desc=reader, file=sys.stderr)
    while number < task.inputs:
        for outcome, text, peak in _outcomes(task, number):
            counts[outcome] += 1
            highest = max(highest, peak)
            if outcome not in (READ, REFUSED):
                kept = Path(FLAGS.folder) / f"{outcome}-{reader.replace(' ', '-')}-{number}"
                place_input(task, number, kept)
                faults.append({"input": kept.name, "outcome": outcome, "text": text})
            number += 1
            bar.update()
    bar.close()
    seconds = round(time.monotonic() - start)
    return {"counts": counts, "faults": faults, "peak_mebibytes": highest, "seconds": seconds}


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
