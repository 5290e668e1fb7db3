"""Conditional runs through the command line, from training to pictures by class."""

import json

import keras
import numpy as np
import pytest
import quadrants
from installed import call
from PIL import Image

from logan.errors import RunError, UserError
from logan.evaluation import evaluate
from logan.quick import quickly
from logan.runs import Run
from logan.settings import preset
from logan.training import train

SMALL = dict(
    image_size=16, width=4, latent_length=4, batch_size=8, steps=4, log_every=2, snapshots=1
)
TINY = dict(width=8, hidden_layers=1, batch_size=16, steps=8, log_every=2, checkpoint_every=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Digits in MNIST's files, a classifier of them, and pictures in a folder for each class."""
    folder = tmp_path_factory.mktemp("conditional")
    quadrants.write_digits(folder / "digits")
    quadrants.write_classifier(folder / "digits.keras")
    for label, name in enumerate(("left", "right", "7", "0")):
        (folder / f"pictures/{name}").mkdir(parents=True)
        for place in range(10):
            path = folder / f"pictures/{name}/{place}.png"
            Image.fromarray(quadrants.digit(label, place)).save(path)
    return folder


def trained(folder, experiment, name, method, **settings):
    sizes = TINY if experiment in ("ring8", "line") else SMALL
    experiment = preset(experiment, {**sizes, **settings}, method=method)
    return train(experiment, folder / name, show_progress=False).run


@pytest.fixture(scope="module")
def digits_run(folder):
    settings = dict(data=str(folder / "digits"))
    return trained(folder, "mnist", "mnist", "conditional-pairwise", **settings)


@pytest.fixture(scope="module")
def pictures_run(folder):
    settings = dict(data=str(folder / "pictures"), labels="folders", channels=1)
    return trained(folder, "images", "images", "projection", **settings)


def size_of(path):
    with Image.open(path) as image:
        return image.size


@pytest.mark.slow
def test_a_conditional_bigan_is_measured_by_the_classes_asked_for(folder, digits_run):
    shown = call(
        "logan-evaluate", f"--workdir={digits_run.path}", "--samples=60", "--threads=1",
        f"--classifier={folder / 'digits.keras'}",
    )  # fmt: skip
    metrics = json.loads(digits_run.metrics.read_text())
    assert 0 <= metrics["classes"]["asked_accuracy"] <= 1
    assert "| class accuracy " in shown
    assert "asked for each class as often as it occurs" in metrics["protocol"]
    assert metrics["probe"]["pixels"] == 1 and "reconstruction" in metrics


def test_asked_accuracy_is_the_share_that_is_read_as_asked(folder, digits_run, monkeypatch):
    """A generator of the right digits reaches 1, one of the next class's none."""
    digits = np.stack([quadrants.digit(label, side=16) for label in range(4)])[..., None]
    for shift, expected in ((0, 1.0), (1, 0.0)):

        def decode(model, z, labels, size=0, shift=shift):
            return digits[(labels + shift) % 4].astype(np.float32) / 127.5 - 1

        monkeypatch.setattr("logan.sampling.decode", decode)
        metrics, _ = evaluate(digits_run, 60, "none", classifier=str(folder / "digits.keras"))
        assert metrics["classes"]["asked_accuracy"] == expected
        assert metrics["classes"]["captured_fair"] == 4


def test_pictures_of_each_class_and_of_one(digits_run, pictures_run):
    wide, tall = size_of(
        call("logan-generate", f"--workdir={pictures_run.path}", "--count=6").strip()
    )
    assert wide > tall > 4 * 16  # four rows of six
    for label in ("left", "2"):
        path = pictures_run.path / "one.png"
        call("logan-generate", f"--workdir={pictures_run.path}", f"--label={label}", "--count=4",
             f"--output={path}", "--scale=1")  # fmt: skip
        assert size_of(path) == (34, 34)
    for run in (digits_run, pictures_run):
        assert (run.figures / "generations-00000004.png").is_file()


def test_a_name_of_a_class_counts_before_a_number(pictures_run):
    """Folders in natural order; "0" is the first one's name, "7" the second's, 3 the last."""
    classes = pictures_run.classes()
    assert classes.names == ("0", "7", "left", "right")
    assert [classes.number(text) for text in ("0", "7", "left", "3")] == [0, 1, 2, 3]


@pytest.mark.slow
def test_reconstructions_and_ways_are_decoded_by_class(digits_run, pictures_run, folder):
    for command in (
        ["logan-reconstruct", "--count=2"],
        ["logan-interpolate", "--count=2", "--points=3", "--seed=1"],
        ["logan-interpolate", "--count=2", "--points=3", "--label=2"],
        ["logan-interpolate", "--kind=traversal", "--count=2", "--points=3"],
    ):
        name, *settings = command
        path = digits_run.path / "way.png"
        call(name, f"--workdir={digits_run.path}", f"--output={path}", *settings)
        path.unlink()
    one = folder / "pictures/left/0.png"
    own = f"--images={one},{folder / 'pictures/7/3.png'}"
    told = call("logan-interpolate", f"--workdir={digits_run.path}", own, code=2)
    assert "--label: expected the class to decode pictures of your own by" in told
    call("logan-interpolate", f"--workdir={digits_run.path}", own, "--label=1", "--points=3")


def test_labels_that_do_not_fit_are_refused_on_one_line(folder, digits_run, pictures_run):
    for label in ("4", "cat", "-1"):
        told = call("logan-generate", f"--workdir={digits_run.path}", f"--label={label}", code=2)
        assert told.startswith("logan-generate: --label: expected one of 0, 1, 2, 3, or a number")
    told = call("logan-generate", f"--workdir={pictures_run.path}", "--columns=3", code=2)
    assert "--columns: expected nothing with a row for each class" in told
    told = call("logan-generate", f"--workdir={pictures_run.path}", "--label=left",
                "--sampler=rejection", code=2)  # fmt: skip
    assert "--label: expected nothing beside a --sampler" in told
    plain = trained(folder, "mnist", "plain", "gan", data=str(folder / "digits"))
    told = call("logan-generate", f"--workdir={plain.path}", "--label=1", code=2)
    assert "--label: expected a conditional run" in told and "knows no classes" in told
    told = call("logan-train", "--experiment=traffic", "--method=projection", code=2)
    assert "--condition: expected none or clusters with --dataset=traffic" in told


def test_a_class_without_a_picture_to_train_on_is_refused(folder, tmp_path):
    names = [f"{name}/{place}.png" for name in ("left", "right", "7", "0") for place in range(10)]
    settings = dict(data=str(folder / "pictures"), channels=1)
    held_out = held_out_names(folder, settings)
    rows = [f"{name},{'rare' if name == held_out[0] else 'often'}" for name in names]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *rows]))
    settings["labels"] = str(tmp_path / "labels.csv")
    with pytest.raises(UserError, match=r"^--labels: .*every class to train on.*none of rare"):
        trained(tmp_path, "images", "run", "projection", **settings)
    assert not (tmp_path / "run").exists()


def held_out_names(folder, settings):
    from logan.datasets.load import load_images

    images = load_images(preset("images", {**SMALL, **settings}))
    return [images.names.label(index) for index in images.test.tolist()]


def test_other_classes_in_the_same_place_are_refused(folder, tmp_path):
    data = tmp_path / "pictures"
    for name in ("a", "b"):
        (data / name).mkdir(parents=True)
        for place in range(10):
            Image.fromarray(quadrants.digit(0, place)).save(data / f"{name}/{place}.png")
    settings = dict(data=str(data), labels="folders", channels=1, schedule="constant")
    run = trained(tmp_path, "images", "run", "projection", **settings)
    assert run.classes().names == ("a", "b")
    (data / "b").rename(data / "c")
    told = r"expected data of the same classes .* a \(.*, b \(.*Received: a \(.*, c \("
    with pytest.raises(RunError, match=told):
        trained(tmp_path, "images", "run", "projection", **settings, steps=6)


def test_networks_know_their_classes_in_files(digits_run):
    generator = keras.saving.load_model(digits_run.export / "generator.keras")
    assert generator.known_classes.names == ("0", "1", "2", "3")
    made = generator(np.zeros((4, 4), np.float32), labels=np.arange(4))
    assert made.shape == (4, 16, 16, 1)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["conditional-pairwise", "ac-gan", "self-conditioned"])
def test_a_run_stopped_half_way_ends_as_one_that_was_not(tmp_path, method):
    """Bit by bit: clusters are found at the steps 0, 4 and 8, on either way."""
    settings = dict(deterministic=True, schedule="constant", snapshots=0)
    if method == "self-conditioned":
        settings |= dict(clusters=5, cluster_every=4)
    whole = trained(tmp_path, "ring8", "whole", method, **settings)
    for steps in (4, 8):
        halves = trained(tmp_path, "ring8", "halves", method, **{**settings, "steps": steps})
    one, other = (run.trained_model("last").get_weights() for run in (whole, halves))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    assert halves.classes() == whole.classes()


@pytest.mark.slow
def test_toys_are_asked_for_their_modes(tmp_path):
    """The share of samples that lie nearest to the mode asked for."""
    run = trained(tmp_path, "ring8", "run", "conditional-bigan", mode_weights=(1.0, *[2.0] * 7))
    metrics, _ = evaluate(run, 300)
    assert 0 <= metrics["class_accuracy"] <= 1
    assert run.classes().shares[:2] == pytest.approx((1 / 15, 2 / 15))
    call("logan-visualize", f"--workdir={run.path}")
    assert (run.figures / "samples.png").is_file()
    assert not (run.figures / "latent_map.png").exists()  # of G(z) alone
    assert isinstance(Run.open(run.path).trained_model().classes.names, tuple)


def test_clusters_are_asked_for_as_often_as_they_occur(tmp_path):
    run = trained(tmp_path, "line", "run", "self-conditioned", clusters=3, cluster_every=4)
    model = run.trained_model()
    sizes = np.asarray(model.cluster_sizes)
    np.testing.assert_allclose(model.classes.shares, sizes / sizes.sum())
    metrics, _ = evaluate(run, 300)
    assert "class_accuracy" not in metrics
    assert "asked for each cluster of D's features" in metrics["protocol"]
    generator = keras.saving.load_model(run.export / "generator.keras")
    assert generator.known_classes == model.classes


@pytest.mark.slow
def test_a_quick_look_finds_clusters_too(tmp_path):
    settings = dict(TINY, clusters=3, cluster_every=4, jit=False)
    experiment = preset("line", settings, method="self-conditioned")
    assert quickly(experiment, tmp_path / "run", show_progress=False).steps == 8


def test_more_clusters_than_images_are_refused(folder, tmp_path):
    settings = dict(data=str(folder / "digits"), clusters=41, cluster_every=2)
    with pytest.raises(UserError, match=r"^--clusters: expected at most 40, .*Received: 41"):
        trained(tmp_path, "mnist", "run", "self-conditioned", **settings)
