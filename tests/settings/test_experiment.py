import dataclasses

import pytest

from logan.errors import UserError
from logan.settings import (
    METHODS,
    NETWORKS,
    PAPER_NAMES,
    PRESETS,
    Experiment,
    data_differences,
    differences,
    from_flags,
    from_text,
    identity,
    preset,
    to_flags,
    to_text,
    with_whole_paths,
)
from logan.settings.names import NetworkEntry

VIDEO = dict(video=("street.mp4",))
IMAGES = dict(dataset="traffic", network="convolutional", latent_length=16, image_size=32)
FOLDER = dict(data="photos")
PLAIN = dict(penalty="none")
REG_GAN = dict(model="gan_encoder", penalty="none", terms=("mode_regularizer", "autoencoder"))


def make(name, **settings):
    needed = FOLDER if name == "images" else {}
    return preset(name, {**needed, **settings})


each_preset = pytest.mark.parametrize("name", [*PRESETS, *PAPER_NAMES])


@pytest.mark.parametrize("name", PRESETS)
def test_preset_holds_its_settings_those_of_its_method_and_defaults_elsewhere(name):
    experiment, own = make(name), PRESETS[name]
    assert (experiment.name, experiment.method) == (name, "")
    expected = {
        **own.settings,
        **METHODS[own.method].settings_for(name, own.settings.get("dataset", "ring8")),
    }
    for field in dataclasses.fields(Experiment):
        value = getattr(experiment, field.name)
        if field.name in expected:
            assert value == expected[field.name]
        elif field.name not in ("name", "data"):
            assert value == field.default
    assert own.text


@pytest.mark.parametrize("field", dataclasses.fields(Experiment), ids=lambda field: field.name)
def test_help_text_is_sentences_that_say_what_nothing_means(field):
    text = field.metadata["help"]
    assert text[0].isupper()
    assert text.endswith(".")
    if field.default in ((), ""):
        assert " Empty: " in text


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["ring8", "line", "traffic", "celeb_a"])
def test_every_method_goes_with_every_kind_of_data(name, method):
    if method == "encoder" and name in ("traffic", "celeb_a"):
        with pytest.raises(UserError, match="--model: expected bigan or gan with images"):
            preset(name, method=method)
    elif METHODS[method].settings.get("condition") == "classes" and name in ("traffic", "celeb_a"):
        with pytest.raises(UserError, match="--condition: expected none or clusters"):
            preset(name, method=method)
    elif method == "custom" and name in ("traffic", "celeb_a"):
        assert preset(name, method=method).loss == "vanilla"
    else:
        experiment = preset(name, method=method)
        expected = METHODS[method].settings_for(name, name)
        assert {field: getattr(experiment, field) for field in expected} == expected
        assert experiment.method == method


def test_a_method_says_how_the_preset_what_and_flags_override_both():
    one = preset("grid25", {"learning_rate": 5e-4}, method="wgan-gp")
    assert (one.model, one.penalty, one.penalty_weight) == ("gan", "gradient", 10)
    assert (one.dataset, one.steps, one.learning_rate) == ("grid25", 30_000, 5e-4)
    assert one.term_parts == [("gradient", {"weight": 10.0})]
    with pytest.raises(UserError, match=r"^--method: .*Received: 'wgangp'\. Did you mean wgan-gp"):
        preset("grid25", method="wgangp")


@pytest.mark.parametrize("name", PAPER_NAMES)
def test_the_papers_names_are_its_method(name):
    old, new = make(name), preset(PAPER_NAMES[name], method="paper")
    assert dataclasses.replace(old, name=new.name, method=new.method) == new


def test_terms_are_the_penalty_the_autoencoder_loss_and_those_by_name():
    one = make("grid25", penalty_weight=0.5, autoencoder_weight=2.0, terms=("gradient:weight=3",))
    assert one.term_parts == [
        ("pairwise", dict(weight=0.5, form="norm", distance_scale=0.0, softness=0.0)),
        ("autoencoder", {"weight": 2.0}),
        ("gradient", {"weight": 3}),
    ]
    assert make("ring8", penalty="none").term_parts == []
    assert make("ring8", loss="wasserstein", penalty="none", terms=("gradient",)).loss


@pytest.mark.parametrize("name", ["traffic", "images", "celeb_a", "cifar10"])
def test_without_a_penalty_the_presets_of_images_are_plain_models(name):
    plain, other = make(name, penalty="none"), make(name)
    assert (plain.loss, plain.discriminator_steps, plain.autoencoder_weight) == ("vanilla", 1, 0)
    weight = 1000 if name == "traffic" else 300
    assert (other.loss, other.discriminator_steps, other.autoencoder_weight) == (
        "wasserstein", 2, weight,
    )  # fmt: skip
    assert len(differences(other, plain)) == 4
    assert make(name, penalty="none", model="gan").loss == "vanilla"
    # What is given counts, and what clipping bounds may stay as it is.
    assert make(name, penalty="none", loss="logan2", autoencoder_weight=2.0).loss == "logan2"
    assert make(name, penalty="none", weight_clip=0.01).loss == "wasserstein"
    assert make(name, penalty="gradient").loss == "wasserstein"
    with pytest.raises(UserError, match=r"^--loss: expected another one"):
        make(name, penalty="none", loss="wasserstein")


@pytest.mark.parametrize(
    ("name", "images"), [("celeb_a", 162_770), ("cifar10", 50_000), ("traffic", 8_000)]
)
def test_papers_settings_of_images_are_160_epochs(name, images):
    experiment = make(f"{name}-paper")
    assert experiment.steps == 160 * (images // experiment.batch_size)


@each_preset
def test_flags_bring_back_the_experiment(name):
    experiment = make(name)
    again = from_flags(to_flags(experiment))
    assert again == experiment
    assert to_flags(again) == to_flags(experiment)


def test_flags_bring_back_values_of_every_kind():
    experiment = make(
        "traffic",
        video=("a b.mp4", "dir/é.mkv"),
        crop=(1, 2, 30, 40),
        learning_rate=1.1e-7,
        penalty_weight=0.1 + 0.2,
        jit=True,
        deterministic=True,
        seed=2**32 - 1,
    )
    assert from_flags(to_flags(experiment)) == experiment
    weights = make("line", mode_weights=(1.0, 2.5, 1e-3, 4.0, 5.0))
    assert from_flags(to_flags(weights)).mode_weights == (1.0, 2.5, 1e-3, 4.0, 5.0)


def test_flags_name_the_preset_first_and_every_field_once():
    lines = to_flags(make("ring8", seed=3))
    assert lines[0] == "--experiment=ring8"
    assert "--seed=3" in lines
    assert len(lines) == len(dataclasses.fields(Experiment))


def test_blank_lines_of_flags_are_skipped():
    lines = to_flags(make("ring8"))
    assert from_flags(["", *lines, "  ", lines[3] + "  "]) == make("ring8")


@pytest.mark.parametrize("line", ["seed=1", "--seed", "--seeds=1", "# seed", "--experiments=ring8"])
def test_line_that_is_no_flag_is_refused(line):
    with pytest.raises(UserError, match=r"--flag=value\. Received:"):
        from_flags([line])


WRONG = [
    ("penalty_weight", -0.1),
    ("penalty_distance_scale", -1.0),
    ("steps", 0),
    ("steps", -5),
    ("steps", 10.0),
    ("steps", True),
    ("steps", "10"),
    ("learning_rate", float("nan")),
    ("learning_rate", float("inf")),
    ("learning_rate", 0.0),
    ("learning_rate", -1e-3),
    ("learning_rate", False),
    ("learning_rate", None),
    ("dataset", "ring9"),
    ("dataset", ""),
    ("loss", "hinge"),
    ("penalty", "spectral"),
    ("precision", "float64"),
    ("hold_out", "people"),
    ("empty_share", 1.0),
    ("frames", 99),
    ("weight_clip", -0.01),
    ("autoencoder_weight", -1.0),
    ("penalty_form", "cube"),
    ("schedule", "linear"),
    ("model", "vae"),
    ("network", "transformer"),
    ("normalization", "group"),
    ("prior", "gaussian"),
    ("beta_1", 1.0),
    ("beta_2", -0.1),
    ("average_decay", 1.0),
    ("batch_size", 0),
    ("latent_length", 0),
    ("width", 0),
    ("hidden_layers", 0),
    ("discriminator_steps", 0),
    ("seed", -1),
    ("log_every", 0),
    ("checkpoint_every", 0),
    ("checkpoints_kept", 0),
    ("snapshots", -1),
    ("test_fraction", 0.0),
    ("test_fraction", 1.0),
    ("frame_interval", -1.0),
    ("jit", 1),
    ("jit", "true"),
    ("mode_weights", [1.0, 2.0]),
    ("mode_weights", (1.0, 0.0)),
    ("mode_weights", (1.0, float("nan"))),
    ("mode_weights", (1.0, True)),
    ("mode_weights", 1.0),
    ("video", "street.mp4"),
    ("crop", (1.0, 2.0, 3.0, 4.0)),
    ("crop", (1, 2, 3)),
    ("image_size", 4),
    ("channels", 0),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda value: repr(value))
def test_wrong_value_is_refused_and_its_flag_named(name, value):
    with pytest.raises(UserError, match=rf"^--{name}: expected .*Received: "):
        Experiment(**{name: value})


@pytest.mark.parametrize(
    ("settings", "flag"),
    [
        (dict(model="gan"), "penalty"),
        (dict(model="encoder"), "penalty"),
        (dict(loss="wasserstein", penalty="none"), "loss"),
        (dict(loss="wasserstein", penalty_weight=0.0), "loss"),
        (dict(network="convolutional"), "network"),
        (dict(dataset="traffic", **VIDEO), "network"),
        (dict(model="gan", penalty="none", autoencoder_weight=1.0), "autoencoder_weight"),
        (dict(model="gan", penalty="none", terms=("autoencoder:weight=1",)), "terms"),
        (dict(terms=("autoencoder:weight",)), "terms"),
        (dict(terms=("autoencode",)), "terms"),
        (dict(loss="vanilla:smoothing"), "loss"),
        (dict(dataset="traffic", network="convolutional", fourier_octaves=1), "fourier_octaves"),
        (dict(method="wgangp"), "method"),
        (dict(plugins=("missing.py",)), "plugins"),
        (dict(dataset="images", network="convolutional"), "data"),
        (dict(dataset="traffic", network="convolutional", data="photos"), "data"),
        (dict(dataset="celeb_a", network="convolutional", **VIDEO), "video"),
        (dict(dataset="traffic", network="convolutional", crop=(0, 0, 9, 9)), "crop"),
        (
            dict(
                dataset="traffic", network="convolutional", model="encoder", penalty="none", **VIDEO
            ),
            "model",
        ),
        (dict(dataset="traffic", network="convolutional", channels=2, **VIDEO), "channels"),
        (dict(dataset="traffic", network="convolutional", image_size=48, **VIDEO), "image_size"),
        (dict(batch_size=256, discriminator_steps=5), "batch_size"),
        (dict(prior="line"), "prior"),
        (dict(prior="ring8", model="gan", penalty="none"), "prior"),
        (dict(prior="ring8", model="encoder", penalty="none", latent_length=1), "latent_length"),
        (dict(attention_size=8), "attention_size"),
        (dict(IMAGES, attention_size=32), "attention_size"),
        (dict(IMAGES, attention_size=6), "attention_size"),
        (
            IMAGES | VIDEO | dict(network="residual", image_size=16, attention_size=16),
            "attention_size",
        ),
        (dict(hierarchical_latents=True), "hierarchical_latents"),
        (dict(IMAGES, hierarchical_latents=True, latent_length=3), "latent_length"),
        (dict(IMAGES, discriminator_scales=4), "discriminator_scales"),
        (
            IMAGES | VIDEO | dict(network="residual", image_size=8, discriminator_scales=2),
            "discriminator_scales",
        ),
        (dict(discriminator_scales=2), "discriminator_scales"),
        (dict(IMAGES, scale_logits="each"), "scale_logits"),
        (dict(IMAGES, scale_logits="max", discriminator_scales=2), "scale_logits"),
        (dict(dataset="line", mode_weights=(1.0,) * 8), "mode_weights"),
        (dict(dataset="traffic", network="convolutional", mode_weights=(1.0,)), "mode_weights"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, flag):
    with pytest.raises(UserError, match=f"^--{flag}: expected "):
        Experiment(**settings)


@pytest.mark.parametrize("network", ["convolutional", "residual"])
@pytest.mark.parametrize(
    "settings",
    [
        dict(attention_size=16),
        dict(attention_size=4, image_size=8, latent_length=2, hierarchical_latents=True),
        dict(discriminator_scales=3, scale_logits="each"),
        dict(discriminator_scales=4, image_size=64, attention_size=32),
    ],
)
def test_architectures_of_images_are_taken_and_come_back_from_their_flags(network, settings):
    given = {**IMAGES, **VIDEO, "network": network, **settings}
    experiment = Experiment(**given)
    assert from_flags(to_flags(experiment)) == experiment


def test_whole_numbers_serve_as_decimals():
    experiment = Experiment(learning_rate=1, penalty_weight=0)
    assert from_flags(to_flags(experiment)) == experiment


def test_unknown_dataset_in_place_of_the_presets_is_named():
    with pytest.raises(UserError, match=r"^--dataset: .*Received: 'ring9'\. Did you mean .*ring8"):
        preset("ring8", {"dataset": "ring9"})


def test_unknown_preset_is_offered_its_neighbours():
    with pytest.raises(UserError, match=r"Received: 'grid52'\. Did you mean .*grid25"):
        preset("grid52")
    with pytest.raises(UserError, match=r"Received: 'xyz'\.$"):
        preset("xyz")


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("grid25", "ring8"),
        ("ring8-paper", "line"),
        ("traffic", "ring8"),
        ("encoder-modes", "ring8"),
    ],
)
def test_a_presets_name_on_other_data_is_refused(name, dataset):
    """It would be taken for the preset, which has to be asked for."""
    own = preset(name).dataset
    message = rf'^--dataset: expected {own} .*Received: {dataset}\..*logan\.preset\("{name}"\)'
    for make_it in (lambda: Experiment(name, dataset=dataset), lambda: make(name, dataset=dataset)):
        with pytest.raises(UserError, match=message):
            make_it()


def test_a_name_without_data_of_its_own_goes_with_any():
    assert Experiment("custom", dataset="line", latent_length=1).dataset == "line"
    assert Experiment("grid25", dataset="grid25").dataset == "grid25"


@pytest.mark.parametrize("name", ["ring8", "traffic", "line"])
@pytest.mark.parametrize("method", ["pairwise", "gan"])
def test_every_generator_may_have_a_normal_prior(name, method):
    experiment = preset(name, {"prior": "normal"}, method)
    assert from_flags(to_flags(experiment)).prior == "normal"
    assert differences(experiment, preset(name, method=method)) == ["--prior: normal, not uniform"]


def test_settings_made_by_hand_come_back_by_the_command_line():
    experiment = Experiment(steps=7)
    assert preset(experiment.name, {"steps": 7}) == experiment
    with pytest.raises(UserError, match=r"^--experiment: .*Received: 'xyz'\.$"):
        Experiment(name="xyz")


def test_settings_replace_those_of_the_preset():
    assert make("ring8", steps=7).steps == 7
    with pytest.raises(UserError, match=r"^--steps: "):
        make("ring8", steps=0)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("steps", 12, "12"),
        ("learning_rate", 1e-4, "0.0001"),
        ("jit", True, "true"),
        ("deterministic", False, "false"),
        ("loss", "logan1", "logan1"),
        ("mode_weights", (0.5, 2.0), "0.5,2.0"),
        ("crop", (), ""),
        ("video", ("a.mp4", "b.mp4"), "a.mp4,b.mp4"),
    ],
)
def test_texts_by_hand(name, value, text):
    assert to_text(value) == text
    assert from_text(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("steps", "many"), ("steps", "1.5"), ("learning_rate", "fast"), ("jit", "1"), ("crop", "1,x")],
)
def test_text_of_another_kind_is_refused(name, text):
    with pytest.raises(UserError, match=f"^--{name}: expected .*Received: "):
        from_text(name, text)


def test_differences_name_what_makes_another_run():
    first = make("ring8")
    assert differences(first, make("ring8")) == []
    second = make("ring8", seed=3, loss="logan1")
    assert differences(first, second) == ["--loss: vanilla, not logan1", "--seed: 0, not 3"]


def test_differences_are_told_by_flag_and_show_what_is_empty():
    first, second = make("ring8", mode_weights=(1.0,) * 8), make("ring8-paper")
    rows = differences(first, second)
    assert rows[0] == "--experiment: ring8, not ring8-paper"
    assert f"--mode_weights: {','.join(['1.0'] * 8)}, not nothing" in rows


@pytest.mark.parametrize("name", ["checkpoint_every", "checkpoints_kept", "snapshots"])
def test_what_is_stored_on_the_way_does_not_make_another_run(name):
    assert differences(make("ring8"), make("ring8", **{name: 1})) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (dict(), True),
        (dict(penalty="none"), False),
        (dict(penalty_weight=0.0), False),
    ],
)
def test_has_penalty(settings, expected):
    assert make("ring8", **settings).has_penalty is expected


def test_experiments_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make("ring8").seed = 1


def test_paths_are_compared_as_whole_ones(monkeypatch, tmp_path):
    """A run can be continued, measured and compared from another folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    near = make("traffic", video=("a.mp4", "../b.mp4", "~/c.mp4"))
    whole = [tmp_path / "a.mp4", tmp_path / "../b.mp4", tmp_path / "home" / "c.mp4"]
    assert with_whole_paths("video", near.video) == tuple(map(str, whole))
    assert with_whole_paths("data", "") == ""
    assert with_whole_paths("name", "a") == "a"
    far = dataclasses.replace(near, video=tuple(map(str, whole)))
    assert differences(near, far) == []
    assert identity(near) == identity(far)
    monkeypatch.chdir(tmp_path.parent)
    assert len(differences(near, far)) == 1


def test_encoder_alone_has_a_latent_that_can_be_drawn():
    assert make("encoder-unimodal", latent_length=2).latent_length == 2
    with pytest.raises(UserError, match=r"--latent_length: expected 1 or 2.* Received: 3"):
        make("encoder-unimodal", latent_length=3)


@pytest.mark.parametrize("name", ["frame_rate", "video_start", "video_stop"])
def test_settings_of_a_video_need_one(name):
    assert getattr(make("traffic", **VIDEO, **{name: 2.0}), name) == 2
    with pytest.raises(UserError, match=f"--{name}: expected nothing without --video"):
        make("traffic", **{name: 2.0})


def test_images_are_the_same_whatever_learns_them():
    one = make("traffic")
    assert data_differences(one, make("traffic", seed=3, loss="vanilla", flip=True)) == []
    rows = data_differences(one, make("traffic", scene=1, image_size=64))
    assert rows == ["--scene: 0, not 1", "--image_size: 32, not 64"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        # What looks across the batch, and what takes single samples.
        (dict(minibatch="deviation"), r"--minibatch: expected none with pairwise, .*--packing"),
        (
            dict(minibatch="discrimination", penalty="none", terms=("r1", "autoencoder")),
            r"--minibatch: expected none with r1, .*--packing",
        ),
        (
            dict(minibatch="deviation", penalty="gradient", terms=("augmentation_consistency",)),
            r"--minibatch: expected none with gradient and augmentation_consistency, ",
        ),
        # Labels that a loss does not have.
        (dict(loss="wasserstein:smoothing=0.1"), r"--loss: expected no smoothing .*vanilla:smooth"),
        (
            dict(loss="relativistic:smoothing=0.2"),
            r"--loss: expected no smoothing .*vanilla:smooth",
        ),
        # Packs that do not fit.
        (dict(packing=3, batch_size=128), r"--batch_size: .*--packing=3, such as 126\. .*128"),
        (
            dict(packing=2, discriminator_steps=3, batch_size=64),
            r"--batch_size: .*discriminator_steps=3 times --packing=2, such as 60\.",
        ),
        (dict(packing=0), r"--packing: expected a number >= 1"),
        # What has nothing to work on.
        (dict(terms=("consistency:weight=2",)), r"--dropout: expected a number above 0 with cons"),
        (dict(instance_noise=0.1), r"--instance_noise_steps: expected the number of steps"),
        (dict(instance_noise_steps=5), r"--instance_noise_steps: expected 0 without"),
        (dict(adversarial_weight=0.0), r"--adversarial_weight: .*feature_matching"),
        (dict(clip_norm=1.0, strategy="mirrored"), r"--clip_norm: expected 0 with --strategy=mirr"),
        (dict(dropout=1.0), r"--dropout: expected a number < 1"),
        (dict(minibatch="mean"), r"--minibatch: expected one of none, discrimination, deviation"),
        (dict(loss="wasserstein", penalty="r1"), r"--loss: expected another one"),
        (dict(penalty="r3"), r"--penalty: expected one of none, pairwise, gradient, wgan_lp"),
        # Encoders that nothing trains, and terms that their discriminator does not go with.
        (PLAIN | dict(model="gan_encoder"), r"--terms: expected one that trains .*latent_regressi"),
        (
            PLAIN | dict(model="gan_encoder", terms=("r1", "mode_seeking")),
            r"--terms: expected one that trains the encoder .*--autoencoder_weight",
        ),
        (dict(model="mdgan"), r"--penalty: expected none or gradient .*sees x alone. Rec.*pairw"),
        (
            PLAIN | dict(model="separate", terms=("pairwise",)),
            r"--terms: expected no pairwise with --model=separate, whose discriminator sees x alo",
        ),
        (
            PLAIN | dict(model="gan", terms=("mode_regularizer", "latent_regression")),
            r"--terms: expected no mode_regularizer and no latent_regression with --model=gan, whi",
        ),
        (
            REG_GAN | dict(loss="wasserstein", weight_clip=0.01),
            r"--loss: expected one by which D learns a probability, such as vanilla, with mode_re",
        ),
        (REG_GAN | dict(loss="least_squares"), r"--loss: expected one by which D learns a prob"),
        (REG_GAN | dict(loss="relativistic"), r"--loss: .*--autoencoder_weight in its place"),
        # What is of one discriminator, with two, and the other way round.
        (
            PLAIN | dict(model="alice", packing=2),
            r"--packing: expected 1 with --model=alice, whose",
        ),
        (
            PLAIN | dict(model="separate", instance_noise=0.1, instance_noise_steps=9),
            r"--instance_noise: expected 0.0 with --model=separate, .*--model=bigan or gan has it",
        ),
        (PLAIN | dict(model="mdgan", unroll=5), r"--unroll: expected 0 with --model=mdgan, whose"),
        (
            dict(model="mdgan", penalty="gradient", loss="wasserstein"),
            r"--loss: expected another one, .*--spectral_normalization.*first discriminator only",
        ),
        (
            dict(model="alice", loss="wasserstein"),
            r"--loss: expected another one, .*--weight_clip and .*first discriminator only",
        ),
        (
            dict(second_discriminator_weight=2.0),
            r"--second_discriminator_weight: expected 1 .*--model=alice, mdgan, separate",
        ),
        (
            PLAIN | dict(model="alice", second_discriminator_weight=0.0),
            r"--second_discriminator_weight: expected a number > 0",
        ),
    ],
)
def test_remedies_that_make_no_sense_together_are_refused_with_another_way(settings, message):
    with pytest.raises(UserError, match=message):
        make("ring8", **settings)


def test_remedies_that_go_together_are_taken():
    make("ring8", **PLAIN, model="gan_encoder", autoencoder_weight=1.0, packing=2)
    make("ring8", **PLAIN, model="gan_encoder", terms=("latent_regression", "r1"), unroll=2)
    make("ring8", **PLAIN, terms=("mode_regularizer",), loss="logan2")
    make("ring8", model="alice", penalty="pairwise", second_discriminator_weight=0.1)
    make("ring8", model="mdgan", penalty="r1")
    make("ring8", **PLAIN, model="separate", loss="wasserstein", weight_clip=0.01)
    make("ring8", **PLAIN, model="alice", loss="wasserstein", spectral_normalization=True)
    make("ring8", minibatch="deviation", penalty="none", packing=2, terms=("lecam",))
    make("ring8", packing=4, terms=("r1:inputs=x", "r2"))
    make("ring8", loss="wasserstein", penalty="none", spectral_normalization=True)
    make("ring8", loss="wasserstein", penalty="wgan_lp")
    make("ring8", loss="saturating:smoothing=0.1", dropout=0.5, terms=("consistency",))
    make("ring8", adversarial_weight=0.0, terms=("feature_matching",))
    assert make("ring8", penalty="r1", penalty_weight=2.0).term_parts == [("r1", {"weight": 2.0})]


def test_networks_without_a_part_refuse_its_flag():
    NETWORKS.register("bare", NetworkEntry(takes=("hidden_layers",)))(None)
    try:
        for settings in (dict(spectral_normalization=True), dict(dropout=0.5)):
            name = next(iter(settings))
            with pytest.raises(UserError, match=rf"^--{name}: expected .* with --network=bare"):
                make("ring8", network="bare", fourier_octaves=0, **settings)
    finally:
        NETWORKS.remove("bare")


@pytest.mark.parametrize(
    ("method", "given", "expected"),
    [
        (None, {}, "between-encodings"),
        (None, dict(autoencoder_weight=50.0, width=16), "between-encodings"),
        (None, dict(sampler="plain"), "plain"),
        (None, dict(autoencoder_weight=0.0), "plain"),
        (None, dict(penalty="none"), "plain"),
        (None, dict(penalty="gradient"), "plain"),
        (None, dict(model="gan", penalty="none"), "plain"),
        ("gradient-autoencoder", {}, "between-encodings"),
        ("bigan", {}, "plain"),
        ("bigan", dict(sampler="between-encodings"), "between-encodings"),
    ],
)
def test_the_sampler_of_the_junction_goes_with_what_reconstructs(method, given, expected):
    assert preset("traffic", given, method=method).sampler == expected


@pytest.mark.parametrize(
    ("name", "method", "given"),
    [
        ("traffic", "gan", {}),
        ("traffic", "wgan-gp", {}),
        ("images", "conditional-pairwise", dict(data="folder", labels="folders")),
        ("encoder-modes", None, {}),
    ],
)
def test_a_sampler_that_needs_an_encoder_is_refused_without(name, method, given):
    with pytest.raises(UserError, match=r"^--sampler: expected one that needs no encoder"):
        preset(name, {**given, "sampler": "between-encodings"}, method=method)
