"""What Keras users do with any model: callbacks, compile's settings, export, loading."""

import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.bigan import BiGAN
from logan.models.gan import GAN
from logan.networks import mlp

ROLES = ("generator", "encoder", "discriminator")


def bigan(**settings):
    size = dict(width=4, hidden_layers=1)
    model = BiGAN(
        mlp.Generator((3,), 2, **size),
        mlp.Encoder((3,), 2, **size),
        mlp.Discriminator((3,), 2, **size),
        penalty_weight=0.0,
    )
    model.compile(**{"run_eagerly": True, **settings})
    return model


def with_rates(*rates, kind=keras.optimizers.SGD):
    return bigan(
        **{f"{role}_optimizer": kind(rate) for role, rate in zip(ROLES, rates, strict=True)}
    )


def rates_of(model):
    return [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (lambda epoch, rate: rate * 0.5, [0.025, 0.05, 0.1]),
        (lambda epoch: 0.04 / (1 + epoch), [0.005, 0.01, 0.02]),
        # A warm-up from 0, of which no ratio can be told.
        (lambda epoch: 0.08 * epoch, [0.02, 0.04, 0.08]),
    ],
)
def test_learning_rate_scheduler_sets_all_rates_and_keeps_their_ratios(x, schedule, expected):
    model = with_rates(0.1, 0.2, 0.4)
    callback = keras.callbacks.LearningRateScheduler(schedule)
    history = model.fit(x, epochs=2, verbose=0, callbacks=[callback]).history
    assert rates_of(model) == pytest.approx(expected, rel=1e-5)
    assert history["learning_rate"][-1] == pytest.approx(expected[-1], rel=1e-5)


def test_reduced_rate_on_a_plateau_keeps_the_ratios(x):
    model = with_rates(0.1, 0.2, 0.4)
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="generator_loss", factor=0.1, patience=1, min_delta=100.0, mode="min"
    )
    model.fit(x, epochs=2, verbose=0, callbacks=callback)
    assert rates_of(model) == pytest.approx([0.01, 0.02, 0.04], rel=1e-5)


def test_rate_that_follows_a_schedule_of_its_own_is_not_set(x):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model = bigan(encoder_optimizer=keras.optimizers.SGD(schedule))
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)
    with pytest.raises(ValueError, match="LearningRateSchedule in encoder_optimizer"):
        model.fit(x, verbose=0, callbacks=[callback])


@pytest.mark.parametrize("pair", [("generator", "encoder"), ("encoder", "discriminator")])
@pytest.mark.parametrize("wrap", [lambda one: one, keras.optimizers.LossScaleOptimizer])
def test_one_optimizer_for_two_networks_is_refused(pair, wrap):
    shared = keras.optimizers.Adam()
    first, second = (f"{role}_optimizer" for role in pair)
    with pytest.raises(ValueError, match=f"Received: one for {first} and {second}"):
        bigan(**{first: shared, second: wrap(shared)})


def test_optimizer_of_another_model_is_refused():
    used = bigan().optimizers["encoder"]
    with pytest.raises(ValueError, match=r"new encoder_optimizer.*trained other weights"):
        bigan(encoder_optimizer=used)


def test_model_may_be_compiled_again_with_its_own_optimizers(x):
    model = bigan()
    model.train_on_batch(x)
    own = {f"{role}_optimizer": one for role, one in model.optimizers.items()}
    model.compile(**own, run_eagerly=True)
    model.train_on_batch(x)
    assert int(model.optimizers["generator"].iterations) == 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (dict(metrics=["mae"]), "no metrics"),
        (dict(weighted_metrics=["mse"]), "no metrics"),
        (dict(loss="mse"), r"loss where the model is made.*Received: loss='mse'"),
        (dict(loss_weights=[1.0]), "weights of the loss's terms"),
        (dict(optimizer="adam"), "one optimizer for each network, generator_optimizer"),
    ],
)
def test_settings_of_compile_without_a_use_are_refused(settings, expected):
    with pytest.raises(ValueError, match=expected):
        bigan(**settings)


def test_optimizer_given_by_position_is_refused():
    with pytest.raises(ValueError, match=r"one optimizer for each network.*Received: optimizer"):
        bigan().compile("adam")


def test_settings_of_compile_are_kept_in_a_file(tmp_path):
    model = bigan(run_eagerly=True, steps_per_execution=3, auto_scale_loss=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.run_eagerly
    assert loaded.steps_per_execution == 3
    assert loaded.get_compile_config() == model.get_compile_config()


@pytest.mark.parametrize("settings", [dict(validation_data=(1,)), dict(validation_split=0.5)])
def test_validation_data_are_refused_before_training(x, settings):
    model = bigan()
    with pytest.raises(NotImplementedError, match=r"Measure.*logan\.metrics"):
        model.fit(x, verbose=0, **settings)
    assert int(model.step.numpy()) == 0


@pytest.mark.parametrize("weights", [dict(sample_weight=np.ones(6)), dict(class_weight={0: 1.0})])
def test_weights_of_samples_are_refused(x, weights):
    with pytest.raises(ValueError, match="all samples to weigh the same"):
        bigan().fit(x, np.zeros(6), verbose=0, **weights)
    with pytest.raises(ValueError, match="weights of samples"):
        bigan().train_step((tf.constant(x), None, tf.ones([6])))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_terminate_on_nan_watches_all_losses(x, bad, capsys):
    model = bigan()
    values = np.concatenate([x, np.full_like(x, bad), x])  # of arrays `fit` looks at all
    data = tf.data.Dataset.from_tensor_slices(values).batch(6)
    model.fit(data, verbose=0, shuffle=False, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert int(model.step.numpy()) == 2
    assert "discriminator_loss" in capsys.readouterr().out


def test_best_weights_and_files_are_kept_by_a_monitor(x, tmp_path):
    model = bigan()
    path = tmp_path / "best.keras"
    stop = keras.callbacks.EarlyStopping(
        monitor="generator_loss",
        mode="min",
        patience=1,
        min_delta=100.0,
        restore_best_weights=True,
    )
    kept = keras.callbacks.ModelCheckpoint(
        path, monitor="generator_loss", save_best_only=True, mode="max", initial_value_threshold=-1
    )
    model.fit(x, epochs=5, verbose=0, callbacks=[stop, kept])
    assert stop.stopped_epoch == 1
    loaded = keras.saving.load_model(path)
    assert type(loaded) is BiGAN
    assert len(loaded.get_weights()) == len(model.get_weights())


@pytest.mark.parametrize("use", ["call", "fit"])
@pytest.mark.parametrize("kind", ["own", "functional"])
def test_model_is_exported_once_its_input_is_known(x, use, kind, tmp_path):
    model = bigan()
    if kind == "functional":
        inputs = [keras.Input((3,)), keras.Input((2,))]
        model = BiGAN(
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]),
            keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
            keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(inputs))),
        )
        model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match="called, or fit"):
        model.export(tmp_path / "too early", verbose=False)
    if use == "call":
        model(x)
    else:
        model.fit(x, verbose=0)
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(loaded.serve(x[:2]), model(x[:2]), rtol=1e-5, atol=1e-6)


def test_networks_of_this_package_are_exported_without_a_call(x, tmp_path):
    model = bigan()
    z = np.ones((2, 2), np.float32)
    inputs = {"averaged_generator": [z], "averaged_encoder": [x], "discriminator": [x[:2], z]}
    for name, given in inputs.items():
        network = getattr(model, name)
        network.export(tmp_path / name, verbose=False)
        loaded = tf.saved_model.load(str(tmp_path / name))
        np.testing.assert_allclose(loaded.serve(*given), network(*given), rtol=1e-5, atol=1e-6)


def test_gan_is_exported_without_a_call(tmp_path):
    model = GAN(mlp.Generator(width=4), mlp.Discriminator(latent_length=0, width=4))
    model.export(tmp_path / "gan", verbose=False)
    z = np.ones((3, 2), np.float32)
    loaded = tf.saved_model.load(str(tmp_path / "gan"))
    np.testing.assert_allclose(loaded.serve(z), model(z), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "first",
    [
        "import logan; import keras",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("import keras, logan", "import logan, logan.metrics")
        ),
    ],
)
def test_saved_models_are_found_after_the_import_of_the_package(first, tmp_path):
    path = tmp_path / "model.keras"
    bigan().save(path)
    code = f"{first}; import keras; print(type(keras.saving.load_model({str(path)!r})).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "BiGAN\n", done.stderr


def test_import_of_the_package_loads_neither_tensorflow_nor_keras():
    code = "import logan, sys; print('keras' in sys.modules, 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.findall(r"\w+", done.stdout) == ["False", "False"]
