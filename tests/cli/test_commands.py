"""The installed commands, end to end on tiny runs, as a user would call them."""

import csv
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import av
import keras
import numpy as np
import pytest
import tensorflow as tf
from installed import COMMANDS, call
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from logan.cli import image_run as image_run_module
from logan.cli import interpolate, reconstruct
from logan.errors import UserError
from logan.runs import Run
from logan.settings import (
    DATASETS,
    EXTRACTORS,
    LOSSES,
    METHODS,
    NETWORKS,
    PRESETS,
    SAMPLERS,
    TERMS,
    Experiment,
    preset,
)
from logan.snapshots import read_snapshots
from logan.visualization.comparison import generations_figure, panel_columns, title_of

TINY = [
    "--width=8",
    "--hidden_layers=1",
    "--batch_size=32",
    "--log_every=10",
    "--threads=1",
    "--nojit",
]
TINY_IMAGES = [
    "--image_size=16",
    "--width=4",
    "--latent_length=4",
    "--batch_size=8",
    "--steps=4",
    "--log_every=2",
    "--snapshots=1",
    "--threads=1",
]


def tensorboard_tags(folder: Path) -> dict[str, Any]:
    """What TensorBoard finds in a folder of events."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return events.Tags()


def write_video(path: Path, frames: int) -> Path:
    """A grey street with a bright square that moves, 32 x 32 pixels, 10 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            pixels = np.full((32, 32, 3), 90, np.uint8)
            left = index % 24
            pixels[12:20, left : left + 8] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("commands")


@pytest.fixture(scope="module")
def toy_runs(folder: Path) -> list[str]:
    """ring8 without and with the penalty, in the default folders below `folder`."""
    for penalty in ("none", "pairwise"):
        call(
            "logan-train", "--experiment=ring8", f"--penalty={penalty}", "--steps=25", *TINY,
            cwd=folder,
        )  # fmt: skip
    return ["runs/ring8-none-seed0", "runs/ring8-pairwise-seed0"]


@pytest.fixture(scope="module")
def image_run(folder: Path) -> Path:
    video = write_video(folder / "a street.mp4", 60)
    call(
        "logan-train", "--experiment=traffic", f"--video={video}", *TINY_IMAGES,
        "--workdir=images", cwd=folder,
    )  # fmt: skip
    return folder / "images"


@pytest.fixture(scope="module")
def junction_runs(folder: Path) -> list[Path]:
    """The rendered junction, learned by the BiGAN with the penalty and by a WGAN-GP."""
    settings = [*TINY_IMAGES, "--image_size=32", "--frames=300"]
    baseline = [
        "--model=gan", "--penalty=gradient", "--penalty_weight=10", "--autoencoder_weight=0",
    ]  # fmt: skip
    for name, extra in [("junction", []), ("wgan-gp", baseline)]:
        call(
            "logan-train", "--experiment=traffic", *settings, *extra,
            f"--workdir={name}", cwd=folder,
        )  # fmt: skip
    return [folder / "junction", folder / "wgan-gp"]


def test_list_names_every_experiment_method_and_part_with_a_line() -> None:
    *blocks, _ = call("logan-train", "--list").split("\n\n")
    tables = (PRESETS, METHODS, LOSSES, TERMS, NETWORKS, DATASETS, SAMPLERS, EXTRACTORS)
    for block, table in zip(blocks, tables, strict=True):
        rows = [line.split() for line in block.splitlines()[1:]]
        assert [row[0] for row in rows] == list(table)
        assert all(len(row) > 1 for row in rows)


def test_help_shows_our_flags_and_examples() -> None:
    done = subprocess.run(
        [COMMANDS / "logan-train", "--help"], capture_output=True, text=True, timeout=60
    )
    assert "logan-train --experiment=ring8" in done.stdout
    for flag in ("--penalty_weight:", "--workdir:", "--[no]deterministic:", "--video:"):
        assert flag in done.stdout
    assert "--log_every: Steps between two lines of the log.\n    (default: 100)" in done.stdout
    assert "(default: 0.002, unless the experiment or method sets another)" in done.stdout


def test_run_folder_is_complete(folder: Path, toy_runs: list[str]) -> None:
    run = folder / toy_runs[1]
    names = {path.name for path in run.iterdir()}
    assert names >= {"flags.txt", "environment.json", "log.jsonl", "checkpoints", "snapshots"}
    assert {path.name for path in (run / "export").iterdir()} == {
        "generator.keras",
        "encoder.keras",
        "discriminator.keras",
        "step.json",
    }
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [10, 20, 25]
    session = json.loads((run / "environment.json").read_text())[0]
    assert session["seed"] == 0
    assert session["tensorflow"]
    assert "--penalty=pairwise" in (run / "flags.txt").read_text()
    assert list((run / "tensorboard").iterdir())


def test_flags_file_reproduces_the_run(folder: Path, toy_runs: list[str]) -> None:
    flags = folder / toy_runs[1] / "flags.txt"
    call("logan-train", f"--flagfile={flags}", "--workdir=again", "--threads=1", cwd=folder)
    assert (folder / "again/flags.txt").read_text() == flags.read_text()

    def losses(run: str) -> list[float]:
        lines = (folder / run / "log.jsonl").read_text().splitlines()
        return [json.loads(line)["generator_loss"] for line in lines]

    np.testing.assert_allclose(losses("again"), losses(toy_runs[1]), rtol=1e-3)


def test_evaluate_writes_the_promised_keys(folder: Path, toy_runs: list[str]) -> None:
    printed = call("logan-evaluate", f"--workdir={toy_runs[1]}", "--samples=500", cwd=folder)
    metrics = json.loads((folder / toy_runs[1] / "metrics.json").read_text())
    assert set(metrics) >= {
        "modes", "captured", "captured_fair", "high_quality", "reverse_kl", "reverse_kl_all",
        "reconstruction_rmse", "samples", "seed", "step", "protocol",
    }  # fmt: skip
    assert metrics["samples"] == 500
    assert metrics["step"] == 25
    assert metrics["modes"] == 8
    assert "3σ" in metrics["protocol"]
    assert "ring8-pairwise-seed0" in printed


def test_visualize_draws_a_toy_run(folder: Path, toy_runs: list[str]) -> None:
    paths = call("logan-visualize", f"--workdir={toy_runs[1]}", cwd=folder).splitlines()
    names = [Path(path).name for path in paths]
    assert names == ["curves.png", "samples.png", "coverage.png", "latent_map.png", "training.gif"]
    with Image.open(folder / paths[-1]) as animation:
        assert animation.n_frames == 4  # steps 0, 10, 20 and 25


@pytest.mark.slow
def test_visualize_draws_the_joint_space_of_one_dimension(folder: Path) -> None:
    call("logan-train", "--experiment=line", "--steps=20", "--workdir=line", *TINY, cwd=folder)
    paths = call("logan-visualize", "--workdir=line", cwd=folder).splitlines()
    assert {"joint_space.png", "densities.png"} <= {Path(path).name for path in paths}


def test_compare_puts_picture_and_table_side_by_side(folder: Path, toy_runs: list[str]) -> None:
    printed = call("logan-compare", f"--workdirs={','.join(toy_runs)}", cwd=folder)
    assert printed.count("| ring8-") == 2
    assert (folder / "runs/compare.md").read_text().strip() in printed
    with Image.open(folder / "runs/compare.png") as picture:
        assert picture.width > picture.height


def test_generations_of_methods_stand_under_each_other(junction_runs: list[Path]) -> None:
    bigan, gan = map(Run.open, junction_runs)
    figure = generations_figure({"pairwise": [bigan, bigan], "wgan-gp": [gan]})
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    row = "pairwise, seed 0, by the sampler between-encodings"
    assert labels == ["held-out images", row, row, "wgan-gp"]
    figure.draw_without_rendering()
    assert figure.get_tightbbox().x0 >= 0  # no label is cut off


def test_generations_of_different_kinds_are_refused(
    folder: Path, toy_runs: list[str], junction_runs: list[Path]
) -> None:
    runs = [Run.open(path) for path in (junction_runs[0], folder / toy_runs[0])]
    with pytest.raises(UserError, match="expected runs of one kind"):
        generations_figure({"pairwise": runs})


@pytest.mark.parametrize(
    ("seeds", "columns"),
    [([1], 1), ([1, 1, 1], 3), ([1] * 6, 3), ([3, 2], 3), ([5, 5], 5), ([7], 4), ([11, 1], 4)],
)
def test_long_rows_of_panels_wrap(seeds: list[int], columns: int) -> None:
    assert panel_columns(seeds) == columns


@pytest.mark.slow
def test_encoder_experiment_is_compared_over_its_priors(folder: Path) -> None:
    runs = ["encoder-unimodal", "encoder-modes"]
    for name in runs:
        call(
            "logan-train", f"--experiment={name}", "--steps=20", f"--workdir={name}", *TINY,
            cwd=folder,
        )  # fmt: skip
    call("logan-compare", f"--workdirs={','.join(runs)}", "--output=encoders.png", cwd=folder)
    assert (folder / "encoders.png").stat().st_size > 0
    metrics = json.loads((folder / "encoder-unimodal/metrics.json").read_text())
    assert metrics["modes"] == 64


@pytest.mark.slow
def test_normal_prior_of_toys_end_to_end(folder: Path) -> None:
    call(
        "logan-train", "--experiment=line", "--prior=normal", "--steps=20", "--workdir=normal",
        *TINY, cwd=folder,
    )  # fmt: skip
    call("logan-evaluate", "--workdir=normal", "--samples=100", cwd=folder)
    metrics = json.loads((folder / "normal/metrics.json").read_text())
    assert "generator of z from N(0, 1)" in metrics["protocol"]
    paths = call("logan-visualize", "--workdir=normal", cwd=folder).splitlines()
    assert {"latent_map.png", "joint_space.png"} <= {Path(path).name for path in paths}
    run = Run.open(folder / "normal")
    last = read_snapshots(run.snapshots)[-1]
    assert np.abs(last["latents"]).max() > 2
    assert np.abs(last["contour_y"]).max() == 3.75
    assert run.trained_model().prior == "normal"
    generator = keras.saving.load_model(run.export / "generator.keras")
    assert (generator.prior, generator.latent_length) == ("normal", 1)


@pytest.mark.slow
def test_an_encoder_is_measured_against_the_normal_prior(folder: Path) -> None:
    call(
        "logan-train", "--experiment=encoder-unimodal", "--prior=normal", "--steps=20",
        "--workdir=encoder-normal", *TINY, cwd=folder,
    )  # fmt: skip
    call("logan-compare", "--workdirs=encoder-normal", "--output=encoder-normal.png", cwd=folder)
    metrics = json.loads((folder / "encoder-normal/metrics.json").read_text())
    assert "the normal prior cut into 64 cells of equal probability" in metrics["protocol"]
    assert metrics["modes"] == 64


@pytest.mark.slow
def test_normal_prior_of_images_end_to_end(folder: Path, image_run: Path) -> None:
    """Its encoder is not held back by a tanh, and interpolation goes along the sphere."""
    video = folder / "a street.mp4"
    call(
        "logan-train", "--experiment=traffic", f"--video={video}", *TINY_IMAGES, "--prior=normal",
        "--workdir=normal-images", cwd=folder,
    )  # fmt: skip
    model = Run.open(folder / "normal-images").trained_model()
    assert model.encoder.output_activation == "linear"
    assert Run.open(image_run).trained_model().encoder.output_activation == "tanh"
    pictures = {}
    for kind in ([], ["--kind=spherical"], ["--kind=linear"], ["--kind=traversal"]):
        output = folder / "way.png"
        call(
            "logan-interpolate", "--workdir=normal-images", "--points=3", "--count=2",
            f"--output={output}", *kind, cwd=folder,
        )  # fmt: skip
        pictures["".join(kind)] = opened(output)
    np.testing.assert_array_equal(pictures[""], pictures["--kind=spherical"])
    assert pictures[""].shape != pictures["--kind=linear"].shape or np.any(
        pictures[""] != pictures["--kind=linear"]
    )


@pytest.mark.slow
def test_plain_gan_trains_and_is_measured(folder: Path) -> None:
    call(
        "logan-train", "--experiment=ring8", "--model=gan", "--penalty=none", "--steps=20",
        "--workdir=gan", *TINY, cwd=folder,
    )  # fmt: skip
    call("logan-evaluate", "--workdir=gan", "--samples=100", cwd=folder)
    metrics = json.loads((folder / "gan/metrics.json").read_text())
    assert "reconstruction_rmse" not in metrics
    call("logan-visualize", "--workdir=gan", cwd=folder)


def test_image_run_is_measured(image_run: Path) -> None:
    call("logan-evaluate", f"--workdir={image_run}", "--samples=20")
    metrics = json.loads((image_run / "metrics.json").read_text())
    assert metrics["foreground"]["real_share"] > 0.9  # the square covers 6 % of every frame
    assert 0 <= metrics["foreground"]["distance"] <= 1
    assert -1 <= metrics["reconstruction"]["ssim"] <= 1


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("logan-generate", "generations.png"),
        ("logan-reconstruct", "reconstructions.png"),
        ("logan-interpolate", "interpolations.png"),
    ],
)
def test_image_commands_draw(image_run: Path, command: str, name: str) -> None:
    call(command, f"--workdir={image_run}", "--count=2")
    with Image.open(image_run / "figures" / name) as picture:
        assert len(np.unique(np.asarray(picture))) > 1


def opened(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_generations_have_the_asked_size_columns_and_seed(image_run: Path) -> None:
    pictures = []
    for seed in (1, 2):
        output = image_run.parent / "generations.png"
        call(
            "logan-generate", f"--workdir={image_run}", "--count=6", "--columns=3", "--size=301",
            f"--seed={seed}", f"--output={output}",
        )  # fmt: skip
        pictures.append(opened(output))
    # Three images of 16 pixels and two gaps of 2 in a row, two rows with one gap.
    assert pictures[0].shape[:2] == (round(301 * 34 / 52), 301)
    assert np.any(pictures[0] != pictures[1])


def test_reconstructions_are_ranked_or_spread_over_time(image_run: Path) -> None:
    for flags in (["--count=2"], ["--order=time", "--count=3", "--seed=1"]):
        output = image_run.parent / "reconstructions.png"
        call(
            "logan-reconstruct", f"--workdir={image_run}", "--size=500", f"--output={output}",
            *flags,
        )  # fmt: skip
        assert max(opened(output).shape[:2]) == 500


def test_images_too_small_for_ssim_are_ranked_by_squared_error() -> None:
    x = np.zeros((3, 8, 8, 1), np.float32)
    x_hat = x + np.float32([0.5, 0.0, 1.0])[:, None, None, None]
    texts = [text.get_text() for text in reconstruct.ranked_figure(x, x_hat, 1).axes[0].texts]
    assert {"best by squared error", "0.0", "0.25", "1.0"} <= set(texts)
    assert "SSIM needs images of 11 pixels or more" in " ".join(texts)


class HeldOut:
    """Images that are their own index, one pixel large."""

    def evaluation_sample(self, seed: int, count: int) -> np.ndarray:
        return np.linspace(0, 99, min(count, 100)).round().reshape(-1, 1, 1, 1)


def test_the_seed_decides_which_held_out_images_are_taken(tmp_path: Path) -> None:
    run = Run(tmp_path, Experiment(dataset="traffic", network="convolutional"))

    def chosen(seed: int) -> list[float]:
        return image_run_module.held_out(HeldOut(), run, 4, seed).ravel().tolist()

    assert chosen(0) == [0, 33, 66, 99]
    assert chosen(1) == chosen(1) != chosen(2)
    assert chosen(1) == sorted(set(chosen(1)))
    assert len(chosen(1)) == 4


def test_the_features_that_change_an_image_most_are_found() -> None:
    """Of three pixels, one each is z₀ and 3 z₂; z₁ has no part in the image."""

    class Model:
        def averaged_generator(self, z: np.ndarray, training: bool) -> Any:
            return tf.reshape(z * [1.0, 0.0, 3.0], [-1, 1, 3, 1])

    z = np.array([[0.1, 0.2, 0.3], [-0.5, 0.0, 0.5]], np.float32)
    changes = interpolate.feature_changes(Model(), z)
    np.testing.assert_allclose(changes, [2 / 3, 0, 2], rtol=1e-6)


def write_picture(path: Path, size: tuple[int, int], mode: str = "RGB") -> Path:
    Image.effect_noise(size, 90).convert(mode).save(path)
    return path


@pytest.mark.parametrize(
    "flags",
    [
        ["--kind=spherical", "--count=1", "--seed=3"],
        pytest.param(["--kind=traversal", "--count=2"], marks=pytest.mark.slow),
        ["--kind=traversal", "--features=3,0"],
    ],
)
def test_ways_through_the_latent_space_are_drawn(image_run: Path, flags: list[str]) -> None:
    output = image_run.parent / "way.png"
    call(
        "logan-interpolate", f"--workdir={image_run}", "--points=3", "--size=400",
        f"--output={output}", *flags,
    )  # fmt: skip
    assert max(opened(output).shape[:2]) == 400


def test_own_pictures_are_interpolated(image_run: Path, tmp_path: Path) -> None:
    paths = [
        write_picture(tmp_path / "a wide one.png", (40, 20)),
        write_picture(tmp_path / "grey.jpg", (16, 30), "L"),
        write_picture(tmp_path / "cut out.png", (8, 8), "RGBA"),
    ]
    call(
        "logan-interpolate", f"--workdir={image_run}", f"--images={','.join(map(str, paths))}",
        f"--output={tmp_path / 'own.png'}",
    )  # fmt: skip
    assert np.ptp(opened(tmp_path / "own.png")) > 100
    call(
        "logan-interpolate", f"--workdir={image_run}", f"--images={paths[0]}", "--kind=traversal",
        f"--output={tmp_path / 'traversal.png'}",
    )  # fmt: skip
    assert (tmp_path / "traversal.png").is_file()


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("logan-generate", ["--size=100", "--scale=2"], "--scale: expected none together with"),
        ("logan-generate", ["--output=a.jpg"], "--output: expected a path that ends in .png"),
        ("logan-interpolate", ["--images=a.png"], "--images: expected two pictures or more"),
        ("logan-interpolate", ["--images=a.png,b.png"], "expected a picture in a.png. Received"),
        ("logan-interpolate", ["--images=ok.png,bad.png"], "expected a picture in bad.png. Rec"),
        (
            "logan-interpolate",
            ["--kind=traversal", "--images=ok.png,ok.png"],
            "--images: expected one picture to traverse from. Received: 2",
        ),
        ("logan-interpolate", ["--features=1"], "--features: expected --kind=traversal"),
        (
            "logan-interpolate",
            ["--kind=traversal", "--features=0,4"],
            "--features: expected whole numbers from 0 to 3, the run's latent features. Received: "
            "'4'",
        ),
        ("logan-interpolate", ["--kind=traversal", "--features=-1"], "Received: '-1'"),
        ("logan-interpolate", ["--kind=traversal", "--features=one"], "Received: 'one'"),
    ],
)
def test_image_commands_refuse_by_name(
    image_run: Path, tmp_path: Path, command: str, flags: list[str], message: str
) -> None:
    write_picture(tmp_path / "ok.png", (16, 16))
    (tmp_path / "bad.png").write_text("no picture")
    printed = call(command, f"--workdir={image_run}", *flags, code=2, cwd=tmp_path)
    assert message in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("logan-generate", "--size=10"),
        ("logan-reconstruct", "--order=random"),
        ("logan-interpolate", "--kind=cubic"),
        ("logan-interpolate", "--points=1"),
    ],
)
def test_flags_of_image_commands_have_limits(command: str, flag: str) -> None:
    assert flag.split("=")[0].strip("-") in call(command, "--workdir=none", flag, code=2)


def test_image_runs_are_compared(image_run: Path) -> None:
    output = image_run.parent / "sheet.png"
    call("logan-compare", f"--workdirs={image_run}", f"--output={output}")
    assert output.stat().st_size > 0


def test_interrupted_training_stops_with_its_own_code_and_continues(tmp_path: Path) -> None:
    command = [
        "logan-train", "--experiment=ring8", "--steps=2000", "--workdir=run", "--snapshots=0",
        *TINY, "--noprogress",
    ]  # fmt: skip
    process = subprocess.Popen(
        [COMMANDS / command[0], *command[1:]], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    log = tmp_path / "run/log.jsonl"
    deadline = time.monotonic() + 120
    while not (log.is_file() and log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps[-1] < 2000
    assert said.startswith(f"Stopping after step {steps[-1]:,}. Ctrl-C again: leave now, back to ")
    assert (tmp_path / f"run/checkpoints/step-{steps[-1]:08d}").is_dir()
    call(*command, cwd=tmp_path)
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == list(range(10, 2001, 10))


def test_second_ctrl_c_leaves_at_once_and_says_what_the_run_goes_back_to(tmp_path: Path) -> None:
    """Neither the first line of the log nor the end would ever come."""
    steps = 10**8
    command = [
        COMMANDS / "logan-train", "--experiment=line", f"--steps={steps}", "--snapshots=0",
        "--workdir=run", *TINY, f"--log_every={steps}",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        watch = threading.Timer(120, process.kill)  # reading must not last for ever either
        watch.start()
        lines: list[str] = []
        for end in ("Pictures", "Stopping after step 100,000,000"):
            for line in process.stderr or ():
                lines.append(line)
                if end in line:
                    process.send_signal(signal.SIGINT)
                    break
        lines += process.stderr or ()
        assert process.wait() == 130
        watch.cancel()
    assert [line.split()[0] for line in lines[:4]] == ["Data", "Networks", "Training", "Pictures"]
    assert "Left at once. The same command goes on from the start" in lines[-1]


def test_evaluation_of_the_junction(junction_runs: list[Path]) -> None:
    printed = call("logan-evaluate", f"--workdir={junction_runs[0]}", "--samples=40")
    assert "fair cells" in printed and "not FID" in printed
    metrics = json.loads((junction_runs[0] / "metrics.json").read_text())
    assert metrics["samples"] == 40
    assert 0.1 < metrics["foreground"]["real_share"] < 0.3
    assert 0 <= metrics["junction"]["cells_captured_fair"] <= 1
    assert metrics["junction"]["detector_accuracy"]["cell_recall"] > 0.9
    assert 0 <= metrics["junction"]["reconstructed"]["occupied"] <= 1
    assert metrics["fidelity"]["extractor"].startswith("random")
    assert set(metrics["reconstruction"]) >= {"ssim", "psnr", "mse", "latent_error", "occupied"}
    median = metrics["baselines"]["median training image"]
    assert median["ssim"] > 0.9 > metrics["reconstruction"]["ssim"]
    assert "| median training image" in printed
    assert 0 <= metrics["foreground"]["real_faint_share"] < 0.05
    assert set(metrics["pull"]) == {"slope", "alignment", "alignment_of_others"}
    quantiles = metrics["reconstruction"]["ssim_quantiles"]
    assert list(quantiles.values()) == sorted(quantiles.values())
    assert "held out (the last 20% of the frames" in metrics["protocol"]
    with (junction_runs[0] / "missed.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["features"] for row in rows} == {"random convolutional features (not FID)"}
    assert sorted(int(row["image"]) for row in rows) == list(range(300))
    parts = {
        row["part"]: {int(r["image"]) for r in rows if r["part"] == row["part"]} for row in rows
    }
    assert parts == {"training": set(range(240)), "held out": set(range(240, 300))}
    chances = [float(row["chance"]) for row in rows]
    assert chances == sorted(chances) and 0 <= chances[0] <= chances[-1] <= 1
    assert rows[0]["case"] == "1" and rows[0]["file"] == f"frame {rows[0]['image']}"
    assert all(float(row["reconstruction_mse"]) > 0 for row in rows)
    assert 0 <= metrics["missed"]["missed_share"] <= 1
    assert 0 <= metrics["copies"]["share"] <= 1
    page = (junction_runs[0] / "report.html").read_text()
    for heading in ("Where things appear", "Reconstructions", "Training"):
        assert f"<h2>{heading}</h2>" in page
    assert "Covers " in page and "Something stands before the scene in" in page
    tags = tensorboard_tags(junction_runs[0] / "tensorboard" / "evaluation")
    assert {"fidelity/coverage", "foreground/generated_share"} <= set(tags["tensors"])
    assert {"missed", "foreground_maps", "_hparams_/session_start_info"} <= set(tags["tensors"])
    for name in ("missed.png", "copies.png", "foreground_maps.png"):
        with Image.open(junction_runs[0] / "figures" / name) as picture:
            assert picture.size[0] > 200


def test_another_sampler_is_measured_beside(junction_runs: list[Path]) -> None:
    run, name = junction_runs[0], "sampler=between-encodings-neighbours=2"
    own = run / "tensorboard" / "evaluation" / "of the prior"
    own.parent.mkdir(exist_ok=True)  # a test before this one may have measured it
    own.touch()
    call(
        "logan-evaluate", f"--workdir={run}", "--samples=20", "--extractor=none",
        "--sampler=between-encodings:neighbours=2",
    )  # fmt: skip
    metrics = json.loads((run / "variants" / name / "metrics.json").read_text())
    assert metrics["sampler"] == "between-encodings:neighbours=2"
    assert "between the encodings of 240 training samples" in metrics["protocol"]
    page = (run / "variants" / name / "report.html").read_text()
    assert "at step 4, sampler=between-encodings:neighbours=2</h1>" in page
    assert own.exists()
    tags = tensorboard_tags(run / "tensorboard" / f"evaluation-{name}")
    assert "foreground/generated_share" in tags["tensors"]


@pytest.mark.slow
def test_classifier_of_own_images_measures_a_run(folder: Path, junction_runs: list[Path]) -> None:
    for value, name in ((40, "dark"), (200, "bright")):
        (folder / "kinds" / name).mkdir(parents=True)
        for number in range(6):
            grey = np.full((20, 20), value + number, np.uint8)
            Image.fromarray(grey).save(folder / "kinds" / name / f"{number}.png")
    printed = call(
        "logan-classifier", "--images=kinds", "--image_size=16", "--epochs=2", "--width=2",
        "--output=kinds.keras", "--noprogress", "--threads=1", cwd=folder,
    )  # fmt: skip
    assert "held-out images (about 20% of each class" in printed
    assert json.loads((folder / "kinds.json").read_text())["classes"] == ["bright", "dark"]
    call(
        "logan-evaluate", f"--workdir={junction_runs[1]}", "--samples=20",
        "--extractor=kinds.keras", cwd=folder,
    )  # fmt: skip
    metrics = json.loads((junction_runs[1] / "metrics.json").read_text())
    assert metrics["fidelity"]["extractor"] == "features of kinds.keras (not FID)"
    assert 1 <= metrics["fidelity"]["classifier_score"] <= 2
    assert "frechet_distance" in metrics["fidelity"] and "fid" not in metrics["fidelity"]
    assert "images scaled to 16 x 16 by an antialiased bilinear filter" in metrics["protocol"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--extractor=fid"], "--extractor_weights: expected classify_image_graph_def.pb"),
        (["--extractor=vgg"], "--extractor: expected one of random, inception, squeezenet, fid"),
        (["--extractor=missing.keras"], "--extractor: expected a Keras model. Received: missing"),
        (["--extractor_weights=a.h5"], "--extractor_weights: expected none for the extractor rand"),
    ],
)
def test_extractors_that_cannot_be_used_are_refused(
    junction_runs: list[Path], arguments: list[str], message: str
) -> None:
    printed = call("logan-evaluate", f"--workdir={junction_runs[0]}", *arguments, code=2)
    assert message in printed and "Traceback" not in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--images: expected a folder of classes. Received: nothing"),
        (["--images=missing"], "Expected a folder of pictures at missing. Received: nothing"),
        (["--images=.", "--output=a.h5"], "--output: expected the path of a file, .keras"),
        (["--images=.", "--image_size=4"], "--image_size=4"),
    ],
)
def test_classifiers_that_cannot_be_trained_are_refused(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    printed = call("logan-classifier", *arguments, code=2, cwd=tmp_path)
    assert message in printed and "Traceback" not in printed


@pytest.mark.slow
def test_images_without_an_encoder_are_evaluated_and_compared(
    junction_runs: list[Path], tmp_path: Path
) -> None:
    call("logan-evaluate", f"--workdir={junction_runs[1]}", "--samples=20", "--extractor=none")
    metrics = json.loads((junction_runs[1] / "metrics.json").read_text())
    assert "reconstruction" not in metrics and "fidelity" not in metrics
    picture = tmp_path / "sheet.png"
    both = ",".join(map(str, junction_runs))
    table = call("logan-compare", f"--workdirs={both}", f"--output={picture}")
    assert "junction" in table and "wgan-gp" in table and picture.is_file()


@pytest.mark.slow
def test_images_whose_weights_explode_are_rolled_back_and_stopped(tmp_path: Path) -> None:
    """Also where a sheet would have been drawn of what is not finite."""
    printed = call(
        "logan-train", "--experiment=traffic", *TINY_IMAGES, "--image_size=32", "--frames=100",
        "--penalty=none", "--weight_clip=0.01", "--learning_rate=1e10", "--log_every=1",
        "--snapshots=4", "--on_nan=rollback", "--most_rollbacks=1", "--workdir=run",
        cwd=tmp_path, code=2,
    )  # fmt: skip
    assert "It was rolled back 1 times" in printed
    assert "Traceback" not in printed


def test_folder_of_pictures_end_to_end(folder: Path) -> None:
    pictures = folder / "photos"
    for person in range(5):
        (pictures / f"p{person}").mkdir(parents=True)
        for number in range(4):
            grey = np.full((20, 30), 40 * person + 10 * number, np.uint8)
            Image.fromarray(grey).save(pictures / f"p{person}" / f"{number}.png")
    (pictures / "broken.png").write_text("no picture")
    settings = [
        "--experiment=images", f"--data={pictures}", *TINY_IMAGES, "--channels=1",
        "--hold_out=folders", "--flip", "--precision=bfloat16", "--workdir=photo-run",
    ]  # fmt: skip
    error = call("logan-train", *settings, code=2, cwd=folder)
    assert "broken.png" in error and "--skip_unreadable" in error
    assert not (folder / "photo-run").exists()
    call("logan-train", *settings, "--skip_unreadable", cwd=folder)
    call("logan-evaluate", "--workdir=photo-run", "--samples=30", "--extractor=none", cwd=folder)
    metrics = json.loads((folder / "photo-run" / "metrics.json").read_text())
    assert "4 held out" in metrics["protocol"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--experiment: expected one of ring8"),
        (["--experiment=ring9"], "Did you mean ring8"),
        (["--experiment=ring8", "--penalty_weight=-1"], "--penalty_weight: expected a number >= 0"),
        (["--experiment=ring8", "--steps=0"], "--steps: expected a number >= 1"),
        (["--experiment=ring8", "--learning_rate=nan"], "--learning_rate: expected a finite"),
        (["--experiment=ring8", "--mode_weights=1,2"], "--mode_weights: expected 8 numbers"),
        (["--experiment=ring8", "--model=gan"], "--penalty: expected none or gradient"),
        (["--experiment=images"], "--data: expected the path"),
        (["--experiment=traffic", "--image_size=16"], "--image_size: expected 32, 64 or 128"),
        (["--experiment=ring8", "extra"], "expected flags only"),
    ],
)
def test_bad_flags_are_refused_by_name(tmp_path: Path, arguments: list[str], message: str) -> None:
    printed = call("logan-train", *arguments, code=2, cwd=tmp_path)
    assert message in printed
    assert "Traceback" not in printed
    assert not list(tmp_path.iterdir())


def test_a_number_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    printed = call("logan-train", "--experiment=ring8", "--steps=many", code=2, cwd=tmp_path)
    assert "flag --steps=many: expected a whole number" in printed


def bad_video(kind: str, folder: Path) -> Path:
    path = folder / "street.mp4"
    if kind == "empty":
        path.touch()
    if kind == "truncated":
        whole = write_video(folder / "whole.avi", 60).read_bytes()
        path = folder / "street.avi"
        path.write_bytes(whole[: len(whole) // 2])
    return path


@pytest.mark.parametrize(
    "kind", ["missing", pytest.param("empty", marks=pytest.mark.slow), "truncated"]
)
def test_bad_videos_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    video = bad_video(kind, tmp_path)
    printed = call(
        "logan-train", "--experiment=traffic", f"--video={video}", *TINY_IMAGES, "--workdir=run",
        code=2, cwd=tmp_path,
    )  # fmt: skip
    assert str(video) in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "run").exists()


def test_a_workdir_of_another_experiment_is_refused(folder: Path, toy_runs: list[str]) -> None:
    before = (folder / toy_runs[0] / "flags.txt").read_bytes()
    printed = call(
        "logan-train", "--experiment=ring8", "--steps=30", f"--workdir={toy_runs[0]}", *TINY,
        code=2, cwd=folder,
    )  # fmt: skip
    assert "--steps: 25, not 30" in printed
    assert (folder / toy_runs[0] / "flags.txt").read_bytes() == before


@pytest.mark.parametrize(
    "command", ["logan-evaluate", "logan-visualize", "logan-generate", "logan-reconstruct"]
)
def test_a_folder_without_a_run_is_refused(tmp_path: Path, command: str) -> None:
    printed = call(command, f"--workdir={tmp_path}", code=2)
    assert "--workdir: expected the folder of a run" in printed


def test_image_commands_refuse_a_toy_run(folder: Path, toy_runs: list[str]) -> None:
    printed = call("logan-interpolate", f"--workdir={toy_runs[0]}", code=2, cwd=folder)
    assert "expected a run on images" in printed


def test_a_diverging_loss_stops_with_its_step(tmp_path: Path) -> None:
    printed = call(
        "logan-train", "--experiment=ring8", "--learning_rate=1e30", "--steps=50", *TINY,
        "--workdir=run", "--noprogress", code=2, cwd=tmp_path,
    )  # fmt: skip
    assert "the loss at step" in printed
    assert "is not finite" in printed


def test_commands_do_not_need_a_writable_home(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": "/nonexistent", "MPLCONFIGDIR": str(tmp_path)}
    done = subprocess.run(
        [COMMANDS / "logan-train", "--list"], env=environment, capture_output=True, timeout=60
    )
    assert done.returncode == 0


def test_own_picture_is_framed_as_the_faces_of_celeb_a(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (218, 178, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "face.png")
    run = Run(tmp_path, preset("celeb_a", {"image_size": 32}))
    framed = interpolate._own_image(tmp_path / "face.png", run)
    expected = Image.fromarray(pixels[55:163, 35:143]).resize((32, 32), Image.Resampling.HAMMING)
    np.testing.assert_array_equal(framed, np.asarray(expected))


def test_image_runs_on_other_images_are_not_compared(
    junction_runs: list[Path], image_run: Path
) -> None:
    printed = call("logan-compare", f"--workdirs={junction_runs[0]},{image_run}", code=2)
    assert "expected runs on the same images" in printed
    assert "--image_size: " in printed and "--video: " in printed


def test_titles_of_compared_runs_say_in_what_they_differ() -> None:
    settings = {
        "ring8, pairwise penalty": {},
        "ring8, plain BiGAN": dict(penalty="none"),
        "ring8, gradient penalty + autoencoder loss": dict(
            penalty="gradient", autoencoder_weight=1.0
        ),
        "ring8, GAN with gradient penalty": dict(model="gan", penalty="gradient"),
        "ring8, GAN with clipped weights": dict(model="gan", penalty="none", weight_clip=0.1),
    }
    assert [title_of(preset("ring8", each)) for each in settings.values()] == list(settings)


def test_few_generations_are_measured_without_features(junction_runs: list[Path]) -> None:
    call("logan-evaluate", f"--workdir={junction_runs[1]}", "--samples=5")
    metrics = json.loads((junction_runs[1] / "metrics.json").read_text())
    assert "fidelity" not in metrics and "fidelity: left out" in metrics["protocol"]
    assert not (junction_runs[1] / "missed.csv").exists()
    assert not (junction_runs[1] / "figures/missed.png").exists()


def test_own_picture_gets_the_crop_of_the_run(tmp_path: Path) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 20:] = 255
    Image.fromarray(pixels).save(tmp_path / "halves.png")
    settings = preset("images", {"data": "pictures", "crop": (20, 0, 20, 20)})
    assert (interpolate._own_image(tmp_path / "halves.png", Run(tmp_path, settings)) == 255).all()
    Image.fromarray(pixels[:, :30]).save(tmp_path / "narrow.png")
    with pytest.raises(UserError, match=r"narrow\.png\. Received: crop 20x20 at \(20, 0\)"):
        interpolate._own_image(tmp_path / "narrow.png", Run(tmp_path, settings))
