"""Kills trainings at random moments and shows that they end as if nothing had happened.

One run is left alone. Others get the same command, are killed by SIGKILL again and again at random
moments (while starting, training, writing a checkpoint or exporting), started again, and at last
left to finish. Then all of the two is compared bit for bit: every weight, averaged weight,
optimizer slot and counter of the last checkpoint, the exported networks, the log but for its
seconds, TensorBoard's steps, the stored samples or sheets, and the metrics.

    tests/campaigns/kill_runs.py --kind=toy --kills=100 --folder=runs/kills-toy
    tests/campaigns/kill_runs.py --kind=image --kills=20 --folder=runs/kills-image

A killed process is not a power cut: what the kernel holds of a file is not lost with it.
"""

import collections
import dataclasses
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags
from stored import variables as stored_variables

from logan.files import read_json, write_json
from logan.runs import Run

FLAGS = flags.FLAGS
flags.DEFINE_enum("kind", "toy", ["toy", "image"], "What to train.")
flags.DEFINE_integer("kills", 100, "How many in all.", lower_bound=1)
flags.DEFINE_integer("kills_a_run", 10, "After so many a run may finish.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the moments.")
flags.DEFINE_string("folder", None, "Where the runs go; must not exist.", required=True)

# Checkpoints follow each other so closely that many kills meet one being written.
SETTINGS = {
    "toy": ["--experiment=ring8", "--width=64", "--batch_size=64", "--steps=4000",
            "--log_every=20", "--checkpoint_every=20", "--snapshots=20"],
    "image": ["--experiment=traffic", "--frames=300", "--width=4", "--latent_length=4",
              "--batch_size=16", "--steps=600", "--log_every=10", "--checkpoint_every=10",
              "--snapshots=6"],
}  # fmt: skip
COMMANDS = Path(sys.executable).parent
AT_START = 0.2  # share of kills that may come from the start on, which takes most of a life here


@dataclasses.dataclass
class Life:
    """One start of the command and its end.

    Attributes:
        waits: whether the delay began with the life's first checkpoint, not with its start.
        delay: seconds after which it was to be killed.
        first_step, last_step: of the newest checkpoint, before and after.
        met: what the kill found: starting, training, writing a checkpoint, exporting; or
            finished, if the run ended sooner.
    """

    waits: bool
    delay: float
    first_step: int
    last_step: int
    met: str


def command(workdir: Path) -> list[str]:
    return [
        str(COMMANDS / "logan-train"), *SETTINGS[FLAGS.kind], "--deterministic", "--threads=1",
        "--noprogress", f"--workdir={workdir}",
    ]  # fmt: skip


def newest_step(workdir: Path) -> int:
    steps = [int(path.name[5:]) for path in workdir.glob("checkpoints/step-*")]
    return max(steps, default=0)


def live(workdir: Path, waits: bool, delay: float) -> Life:
    """Starts the command and kills it after the delay, unless it has finished by then."""
    first_step = newest_step(workdir)
    process = subprocess.Popen(command(workdir), stdout=subprocess.DEVNULL)
    while waits and process.poll() is None and newest_step(workdir) == first_step:
        time.sleep(0.01)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"{workdir}: expected a run. Received: exit code {process.returncode}")
    last_step = newest_step(workdir)
    kind = met(workdir, process.returncode, last_step > first_step)
    return Life(waits, delay, first_step, last_step, kind)


def met(workdir: Path, code: int, has_trained: bool) -> str:
    if code == 0:
        return "finished"
    if any(workdir.glob("checkpoints/.unfinished-*")):
        return "writing a checkpoint"
    if newest_step(workdir) == steps_in_all():
        return "exporting"
    return "training" if has_trained else "starting"


def steps_in_all() -> int:
    setting = next(flag for flag in SETTINGS[FLAGS.kind] if flag.startswith("--steps="))
    return int(setting.partition("=")[2])


def variables(run: Run) -> dict[str, bytes]:
    """The bytes of every variable in the last checkpoint."""
    stored = stored_variables(run.checkpoints, run.checkpoints.steps()[-1])
    return {name: value.tobytes() for name, value in stored.items()}


def networks(run: Run) -> dict[str, bytes]:
    import keras

    import logan.networks  # noqa: F401  # makes the classes known

    return {
        f"{path.name} {number}": weights.tobytes()
        for path in sorted(run.export.glob("[!.]*.keras"))
        for number, weights in enumerate(keras.saving.load_model(path).get_weights())
    }


def event_steps(run: Run) -> list[tuple[str, int]]:
    """Tag and step of each of TensorBoard's numbers."""
    import tensorflow as tf

    found = []
    for path in sorted(run.tensorboard.glob("events*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found += [(value.tag, event.step) for value in event.summary.value]
    return found


def stored(run: Run) -> dict[str, bytes]:
    """Samples (.npz) of toy runs, sheets (.png) of image runs."""
    files = {}
    for path in sorted([*run.snapshots.glob("*.npz"), *run.figures.glob("**/*.png")]):
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                content = b"".join(arrays[name].tobytes() for name in sorted(arrays))
        else:
            content = path.read_bytes()
        files[path.name] = content
    return files


def metrics(run: Run) -> dict[str, Any]:
    done = [str(COMMANDS / "logan-evaluate"), f"--workdir={run.path}", "--threads=1"]
    subprocess.run(done, check=True, stdout=subprocess.DEVNULL)
    return {k: v for k, v in read_json(run.metrics).items() if k != "training_seconds"}


def log(run: Run) -> list[dict[str, Any]]:
    return [{**record, "seconds": None} for record in run.records()]


PARTS = {
    "checkpoint": variables,
    "exported networks": networks,
    "log": log,
    "TensorBoard steps": event_steps,
    "samples": stored,
    "metrics": metrics,
}


def differing(run: Run, whole: dict[str, Any]) -> list[str]:
    """The parts of a run in which it is not the undisturbed one, bit for bit."""
    parts = {name: part(run) for name, part in PARTS.items()}
    return [name for name, content in parts.items() if not content or content != whole[name]]


def main(arguments: list[str]) -> int:
    folder = Path(FLAGS.folder)
    if folder.exists():
        raise app.UsageError(f"--folder: expected a new one. {folder} exists")
    folder.mkdir(parents=True)
    start = time.monotonic()
    undisturbed = folder / "undisturbed"
    subprocess.run(command(undisturbed), check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - start
    run = Run.open(undisturbed)
    whole = {name: part(run) for name, part in PARTS.items()}
    records = run.records()
    training = records[-1]["seconds"] - records[0]["seconds"]
    print(f"undisturbed: {wall:.0f} s, {training:.0f} s of them training", flush=True)

    # So short that a run seldom finishes before it was killed often enough.
    stretch = 2 * training / FLAGS.kills_a_run
    moments = random.Random(FLAGS.seed)
    runs: list[dict[str, Any]] = []
    kills = 0
    while kills < FLAGS.kills:
        workdir = folder / f"killed-{len(runs)}"
        lives: list[Life] = []
        while kills < FLAGS.kills and sum(life.met != "finished" for life in lives) < (
            FLAGS.kills_a_run
        ):
            waits = moments.random() >= AT_START
            longest = stretch if waits else wall - training
            lives.append(live(workdir, waits, moments.uniform(0, longest)))
            if lives[-1].met == "finished":
                break
            kills += 1
        subprocess.run(command(workdir), check=True, stdout=subprocess.DEVNULL)
        found = differing(Run.open(workdir), whole)
        runs.append({"lives": [dataclasses.asdict(life) for life in lives], "differs_in": found})
        print(f"{workdir.name}: {len(lives)} lives, {kills} kills so far, differs in {found}")
        # After each run: what was seen so far is of use when the script itself is stopped.
        report(folder, runs, wall)
        if not found:
            shutil.rmtree(workdir)
    return 1 if any(run["differs_in"] for run in runs) else 0


def report(folder: Path, runs: list[dict[str, Any]], wall: float) -> None:
    """Writes kills.json and prints it as a table."""
    count = collections.Counter(life["met"] for run in runs for life in run["lives"])
    del count["finished"]
    lost = sum(bool(run["differs_in"]) for run in runs)
    write_json(folder / "kills.json", {"undisturbed_seconds": wall, "met": count, "runs": runs})
    print("| kind | runs | kills |", " | ".join(count), "| runs that differ |")
    print("|---" * (4 + len(count)) + "|")
    numbers = " | ".join(map(str, count.values()))
    print(
        f"| {FLAGS.kind} | {len(runs)} | {sum(count.values())} | {numbers} | {lost} |", flush=True
    )


if __name__ == "__main__":
    app.run(main)
