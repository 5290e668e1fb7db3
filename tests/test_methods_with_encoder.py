"""Whole tiny runs of the methods with an encoder beside: continued, measured, drawn, exported."""

import dataclasses
import json
import signal

import keras
import numpy as np
import pytest
from installed import call

from logan.callbacks import SaveCheckpoints
from logan.evaluation import evaluate
from logan.models.best import best_averages
from logan.runs import Run
from logan.settings import METHODS, Experiment, preset
from logan.snapshots import read_snapshots
from logan.training import train
from logan.visualization import visualize

WITH_SECOND = ("alice-adversarial", "mdgan", "separate-discriminators")
ALL = (*WITH_SECOND, "reg-gan", "gan-encoder")
TINY = dict(
    width=4, hidden_layers=1, batch_size=8, steps=25, log_every=10, checkpoint_every=1000,
    snapshots=3,
)  # fmt: skip
TINY_IMAGES = [
    "--image_size=16", "--frames=200", "--width=4", "--latent_length=4", "--batch_size=8",
    "--steps=4", "--log_every=2", "--snapshots=1", "--threads=1",
]  # fmt: skip


def experiment_of(method: str, **settings: object) -> Experiment:
    return preset("line", {**TINY, **settings}, method)


def everything(run):
    model = run.trained_model()
    variables = [*model.weights, *(v for one in model.optimizers.values() for v in one.variables)]
    return [variable.numpy() for variable in variables]


@pytest.mark.slow  # XLA takes its time
@pytest.mark.parametrize("method", ALL)
def test_interrupted_run_is_continued_to_the_same_end(method, tmp_path, monkeypatch):
    experiment = experiment_of(method, deterministic=True)
    whole = train(experiment, tmp_path / "whole", show_progress=False)
    begin = SaveCheckpoints.on_train_begin

    def interrupt(self, logs=None):
        begin(self, logs)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(SaveCheckpoints, "on_train_begin", interrupt)
        first = train(experiment, tmp_path / "run", show_progress=False)
    assert first.step == 10
    second = train(experiment, tmp_path / "run", show_progress=False)
    assert second.step == whole.step == 25
    for one, other in zip(everything(second.run), everything(whole.run), strict=True):
        np.testing.assert_array_equal(one, other)
    logs = [
        [{**record, "seconds": None} for record in outcome.run.records()]
        for outcome in (second, whole)
    ]
    assert logs[0] == logs[1]


# Each of the others is close to one of these.
QUICK = ("mdgan", "separate-discriminators", "gan-encoder")


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in ALL],
)
def method(request):
    return request.param


@pytest.fixture(scope="module")
def run(method, tmp_path_factory) -> Run:
    """25 steps on line, not compiled."""
    experiment = experiment_of(method, jit=False)
    return train(experiment, tmp_path_factory.mktemp(method) / "run", show_progress=False).run


def test_all_networks_are_exported(run, method):
    names = {"generator", "encoder", "discriminator"}
    names |= {"second_discriminator"} if method in WITH_SECOND else set()
    assert {path.stem for path in run.export.glob("*.keras")} == names
    model, x = run.trained_model(), np.float32([[0.2], [0.1]])
    loaded = {name: keras.models.load_model(run.export / f"{name}.keras") for name in names}
    np.testing.assert_array_equal(loaded["encoder"](x), model.averaged_encoder(x))
    np.testing.assert_array_equal(loaded["generator"](x), model.averaged_generator(x))
    if method in WITH_SECOND:
        inputs = np.repeat(x, 2, axis=1) if method == "alice-adversarial" else x
        np.testing.assert_array_equal(
            loaded["second_discriminator"](inputs), model.second_discriminator(inputs)
        )


def test_reconstructions_are_measured(run):
    metrics, _ = evaluate(run, samples=200)
    assert metrics["modes"] == 5
    assert np.isfinite(metrics["reconstruction_rmse"])


def test_joint_space_is_drawn_over_what_d_knows_of_it(run, method):
    assert "joint_space.png" in {path.name for path in visualize(run)}
    last, model = read_snapshots(run.snapshots)[-1], run.trained_model("last")
    x, z, logits = (last[f"contour_{name}"] for name in ("x", "y", "logits"))
    assert logits.shape == (len(z), len(x))
    points = np.float32([[x[3]], [x[50]]]), np.float32([[z[7]], [z[60]]])
    if method == "alice-adversarial":
        expected = model.discriminator(*points)
    else:
        # Of D(x) alone the picture has vertical bands.
        expected = model.discriminator(points[0])
        if method == "separate-discriminators":
            expected = expected + model.second_discriminator(points[1])
        else:
            np.testing.assert_allclose(logits[0], logits[-1], rtol=1e-5, atol=1e-6)
    found = [logits[7, 3], logits[60, 50]]
    np.testing.assert_allclose(found, np.ravel(expected), rtol=1e-4, atol=1e-5)


def test_best_averages_are_not_told_by_reconstructions_that_do_not_bind_the_samples(run):
    assert best_averages(run.trained_model("last")) is None


def test_gan_encoder_has_the_generator_of_the_method_gan(tmp_path):
    settings = dict(jit=False, steps=5, log_every=5, snapshots=0)
    runs = [
        train(experiment_of(method, **settings), tmp_path / method, show_progress=False).run
        for method in ("gan", "gan-encoder")
    ]
    plain, other = (run.trained_model() for run in runs)
    for role in ("generator", "discriminator", "averaged_generator"):
        pairs = zip(
            getattr(plain, role).get_weights(), getattr(other, role).get_weights(), strict=True
        )
        for one, two in pairs:
            np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


# By the command line.


@pytest.mark.slow
@pytest.mark.parametrize("method", ALL)
def test_images_by_the_commands(method, tmp_path):
    workdir = f"--workdir={tmp_path / 'run'}"
    given = ["--experiment=traffic", f"--method={method}", *TINY_IMAGES, "--image_size=32"]
    assert "4 steps" in call("logan-train", *given, workdir)
    call("logan-train", *given, workdir)  # nothing is left to do
    call("logan-evaluate", workdir, "--samples=20", "--extractor=none")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert np.isfinite(metrics["reconstruction"]["ssim"])
    # Of a D that sees pairs there is a pull towards the data, and of no other one.
    assert ("pull" in metrics) == (method == "alice-adversarial")
    for command in ("logan-reconstruct", "logan-interpolate"):
        assert call(command, workdir, "--count=3").strip().endswith(".png")


@pytest.mark.slow
def test_toys_by_the_commands(tmp_path):
    workdir = f"--workdir={tmp_path / 'run'}"
    given = [
        "--experiment=ring8", "--method=mdgan", "--width=8", "--hidden_layers=1", "--jit=false",
        "--log_every=10", "--threads=1",
    ]  # fmt: skip
    call("logan-train", *given, "--steps=20", "--schedule=constant", workdir)
    call("logan-train", *given, "--steps=30", "--schedule=constant", workdir)
    assert [r["step"] for r in Run.open(tmp_path / "run").records()] == [10, 20, 30]
    assert "rmse G(E(x))" in call("logan-evaluate", workdir, "--samples=100")


def test_methods_are_listed():
    listed = call("logan-train", "--list")
    for method in ALL:
        assert f" {method} " in listed
        assert METHODS[method].text in " ".join(listed.split())


def test_title_of_a_run_names_its_model():
    from logan.visualization.comparison import title_of

    assert title_of(experiment_of("mdgan")) == "line, MDGAN with autoencoder loss"
    assert title_of(experiment_of("gan-encoder")) == "line, plain GAN with encoder"


def test_every_precision_and_strategy_is_taken():
    for method in ALL:
        one = experiment_of(method, precision="bfloat16", strategy="mirrored")
        assert dataclasses.replace(one, jit=False).precision == "bfloat16"
