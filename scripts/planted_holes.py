"""How surely what is left out is found: holes of known shares, planted in the generated images.

    python scripts/planted_holes.py --mnist=FOLDER --classifier=mnist.keras --squeezenet=FILE.h5

Real images hold a share of one digit, or of frames with a car in one cell of the rendered junction;
the generated images are others of the same set without any. A plant is shown when one of the first
three cases is headed by what was left out; an alarm is any case that is sure. As in the report, the
surest of the extractor's features, of thumbnails and, of the junction, of where things stand before
the scene counts. A share of 0 is a complete copy: other
images of the same distribution.
"""

import gzip
import json
from pathlib import Path

import numpy as np
from absl import app, flags

from logan.datasets.junction import Junction
from logan.datasets.pixels import unit_range
from logan.evaluation.missed import SAME_PLACE, places
from logan.extractors import make_extractor
from logan.metrics.images import thumbnails
from logan.metrics.missed import SURE, cases, missed_by_any, missed_images
from logan.metrics.scene import Foreground, Scene

FLAGS = flags.FLAGS
SHARES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)
FIRST = 3

flags.DEFINE_string("mnist", None, "Folder of MNIST's four files.")
flags.DEFINE_string("classifier", None, "Keras model trained by logan-classifier on MNIST.")
flags.DEFINE_string("squeezenet", None, "Weights of SqueezeNet.")
flags.DEFINE_integer("images", 5_000, "Images on each side.")
flags.DEFINE_integer("trials", 10, "Plants of each share; twice as many copies.")
flags.DEFINE_string("output", None, "JSON file for the numbers.")


def mnist() -> tuple[np.ndarray, np.ndarray]:
    """uint8 [60,000, 28, 28, 1] and the digits, int64 [60,000]."""
    folder = Path(FLAGS.mnist)

    def read(name: str, skipped: int) -> np.ndarray:
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
        return np.frombuffer(content, np.uint8, offset=skipped)

    images = read("train-images-idx3-ubyte", 16).reshape(-1, 28, 28, 1)
    return images, read("train-labels-idx1-ubyte", 8).astype(np.int64)


def junction(count: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [count, 32, 32, 3] and whether each cell holds a car, bool [count, 24]."""
    scene = Junction(32, 3, 7, 0.5)
    frames = np.stack(list(scene.frames(0, count)))
    holds = np.zeros((count, 24), bool)
    for index in range(count):
        holds[index, scene.truth(index).cell] = True
    return frames, holds


def foreground(frames: np.ndarray) -> Foreground:
    """What stands before the scene, which is known from a thousand of the frames."""
    scene = Scene.fit(unit_range(frames[:1_000]))
    parts = [scene.foreground(unit_range(frames[i : i + 2_000]))
             for i in range(0, len(frames), 2_000)]  # fmt: skip
    mask, largest = (np.concatenate([getattr(p, n) for p in parts]) for n in ("mask", "largest"))
    return Foreground(mask, largest, parts[0].smallest_area)


def plant(
    kinds: list[tuple[np.ndarray, float | None]],
    has: np.ndarray,
    share: float,
    images: int,
    seed: int,
) -> tuple[bool, bool]:
    """Whether a hole is shown and whether an alarm is given, of one draw."""
    order = np.random.default_rng(seed).permutation(len(has))
    if share == 0:
        left_out, others = order[:0], order
    else:
        left_out, others = order[has[order]], order[~has[order]]
    count = round(share * images)
    real = np.concatenate([left_out[:count], others[: images - count]])
    generated = others[images : 2 * images]
    found, kind = missed_by_any(
        [missed_images(features[real], features[generated], alike) for features, alike in kinds]
    )
    case = cases(found, kinds[kind][0][real], FIRST)
    worst = found.worst_first()
    heads = [int(worst[np.argmax(case[worst] == number)]) for number in range(case.max() + 1)]
    return any(head < count for head in heads), bool(found.chance.min() < SURE)


def main(arguments: list[str]) -> None:
    del arguments
    sets = {}
    if FLAGS.mnist:
        images, digits = mnist()
        images, digits = images[:24_000], digits[:24_000]
        things = [digits == digit for digit in range(10)]
        chosen = ["random"] + ([FLAGS.classifier] if FLAGS.classifier else [])
        sets["MNIST, a digit"] = (images, things, chosen)
    frames, holds = junction(24_000)
    chosen = ["random"] + (["squeezenet:size=64"] if FLAGS.squeezenet else [])
    sets["junction, a cell"] = (frames, [holds[:, cell] for cell in range(24)], chosen)
    rows = []
    for name, (images, things, extractors) in sets.items():
        for text in extractors:
            weights = FLAGS.squeezenet if text.startswith("squeezenet") else None
            kinds = [(make_extractor(text, weights)(images), None), (thumbnails(images), None)]
            if name.startswith("junction"):
                kinds.append((places(foreground(images)), SAME_PLACE))
            for share in SHARES:
                trials = FLAGS.trials if share else 2 * FLAGS.trials
                results = [
                    plant(kinds, things[trial % len(things)], share, FLAGS.images, trial)
                    for trial in range(trials)
                ]
                shown, alarms = np.mean(results, axis=0)
                extractor = Path(text).name
                rows.append([name, extractor, share, trials, float(shown), float(alarms)])
                print(f"| {name} | {extractor} | {share:.1%} | {trials} | {shown:.0%} | "
                      f"{alarms:.0%} |", flush=True)  # fmt: skip
    if FLAGS.output:
        Path(FLAGS.output).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
