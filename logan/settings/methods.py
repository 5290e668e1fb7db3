"""How it is learned: the methods by name, each with the best settings that were found for it.

Where the settings come from: results/trials/.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from logan.registry import Entry, Registry
from logan.settings.names import DATASETS

Settings = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Method(Entry):
    """A way to train.

    Attributes:
        settings: what makes it this method.
        toys: with toy mixtures, besides.
        images: with images, besides.
        by_experiment: with single experiments, besides.
        image_step: time of a training step on images, as a multiple of the pairwise penalty's
            (junction, 32 pixels, one thread).
    """

    settings: Settings = dataclasses.field(default_factory=dict)
    toys: Settings = dataclasses.field(default_factory=dict)
    images: Settings = dataclasses.field(default_factory=dict)
    by_experiment: Mapping[str, Settings] = dataclasses.field(default_factory=dict)
    image_step: float = 1.0

    def settings_for(self, experiment: str, dataset: str) -> dict[str, Any]:
        """All its settings for an experiment on a data set."""
        tuned = self.images if DATASETS[dataset].is_image else self.toys
        return {**self.settings, **tuned, **self.by_experiment.get(experiment, {})}


# Once solved, a line falls into bursts of unrest: a gentle loss, and an end before they come.
_LINE = dict(loss="least_squares", learning_rate=1e-3, learning_rate_floor=0.0, penalty_weight=0.3)
_PAIRWISE_TOYS: dict[str, Settings] = {
    "line": _LINE,
    "line_far": _LINE,
    "swiss": dict(penalty_weight=0.3),
}

# The features' slopes stay far below 1, which the penalty asks for. See results/trials/endings.md.
_FOURIER_TOYS = dict(
    penalty_weight=0.3,
    penalty_form="squared_norm",
    penalty_softness=0.1,
    fourier_octaves=5,
    batch_size=128,
    learning_rate_floor=0.05,
)

# Depth, more than width, makes the ways between modes steep.
_DEEP = dict(width=64, hidden_layers=8)

_PAIRWISE_IMAGES = dict(
    loss="wasserstein",
    # One step for one of G's leaves D behind reconstructions that move on.
    discriminator_steps=2,
    penalty_weight=5.0,
    penalty_form="squared_norm",
    learning_rate=1e-3,
)
_SMALL_LATENT: dict[str, Settings] = {"traffic": dict(latent_length=8)}

# What differs between frames of a fixed camera is little, and has to weigh enough to be kept. The
# encodings then leave the prior, so z is drawn where they are.
_KEPT: dict[str, Settings] = {
    "traffic": dict(latent_length=32, autoencoder_weight=1000.0, sampler="between-encodings")
}

_PLAIN = dict(penalty="none", loss="vanilla", discriminator_steps=1, autoencoder_weight=0.0)
_SLOW = dict(learning_rate=2e-4, beta_1=0.5)
_CRITIC = dict(loss="wasserstein", autoencoder_weight=0.0, discriminator_steps=5)
_IMAGE_CRITIC = dict(batch_size=320, learning_rate=3e-4)
# D's updates see as many samples as those of the other methods.
_TOY_CRITIC = dict(batch_size=1280)

_PAPER = dict(
    penalty="pairwise",
    penalty_form="norm",
    penalty_distance_scale=0.0,
    autoencoder_weight=0.0,
    discriminator_steps=1,
    learning_rate=1e-4,
    learning_rate_floor=0.1,
    schedule="constant",
    beta_1=0.5,
)

# The field's other remedies, by their authors' weights and the plain GAN's learning rates: they
# have not been tuned as the others have.
_GAN = dict(_PLAIN, model="gan")
_GAN_SETTINGS: dict[str, Any] = dict(
    toys=dict(learning_rate=1e-3), images=_SLOW, by_experiment=_SMALL_LATENT
)
_R1_WEIGHT: dict[str, Any] = dict(
    _GAN_SETTINGS,
    toys=dict(learning_rate=1e-3, penalty_weight=1.0),
    images=dict(_SLOW, penalty_weight=10.0),
)
_OTHERS = {
    "wgan-lp": Method(
        text="WGAN-LP: a GAN with a penalty on slopes of D above 1",
        settings=dict(_CRITIC, model="gan", penalty="wgan_lp", penalty_weight=10.0),
        toys=_TOY_CRITIC,
        images=_IMAGE_CRITIC,
        by_experiment=_SMALL_LATENT,
    ),
    "ct-gan": Method(
        text="CT-GAN: WGAN-GP, and D alike under two dropouts",
        settings=dict(
            _CRITIC,
            model="gan",
            penalty="gradient",
            penalty_weight=10.0,
            terms=("consistency:weight=2.0",),
            dropout=0.5,
        ),
        toys=_TOY_CRITIC,
        images=_IMAGE_CRITIC,
        by_experiment=_SMALL_LATENT,
    ),
    "dragan": Method(
        text="DRAGAN: a GAN whose D has slope 1 around real samples",
        settings=dict(_GAN, penalty="dragan", penalty_weight=10.0),
        **_GAN_SETTINGS,
    ),
    "r1": Method(
        text="a GAN with a penalty on D's slope at real samples",
        settings=dict(_GAN, penalty="r1"),
        **_R1_WEIGHT,
    ),
    "zero-centered": Method(
        text="a GAN with a penalty on D's slope between real and generated samples",
        settings=dict(_GAN, penalty="zero_centered", penalty_weight=100.0),
        **_GAN_SETTINGS,
    ),
    "r3gan": Method(
        text="R3GAN's loss: relativistic pairs with R1 and R2",
        settings=dict(_GAN, loss="relativistic", penalty="r1"),
        toys=dict(learning_rate=1e-3, penalty_weight=1.0, terms=("r2:weight=1.0",)),
        images=dict(_SLOW, penalty_weight=10.0, terms=("r2:weight=10.0",)),
        by_experiment=_SMALL_LATENT,
    ),
    "sngan": Method(
        text="SN-GAN: a GAN with spectral normalization of D",
        settings=dict(_GAN, spectral_normalization=True),
        **_GAN_SETTINGS,
    ),
    "cr-gan": Method(
        text="CR-GAN: SN-GAN, and D alike for a sample and a changed copy of it",
        settings=dict(
            _GAN,
            spectral_normalization=True,
            penalty="augmentation_consistency",
            penalty_weight=10.0,
        ),
        **_GAN_SETTINGS,
    ),
    "lecam": Method(
        text="a GAN with LeCam's term on D's logits",
        settings=dict(_GAN, penalty="lecam", penalty_weight=0.3),
        **_GAN_SETTINGS,
    ),
    "pacgan": Method(
        text="PacGAN: a GAN whose D sees two samples at once; --packing=3 or 4 for more",
        settings=dict(_GAN, packing=2),
        **_GAN_SETTINGS,
    ),
    "minibatch-discrimination": Method(
        text="a GAN whose D sees how close the samples of a batch lie",
        settings=dict(_GAN, minibatch="discrimination"),
        **_GAN_SETTINGS,
    ),
    "minibatch-deviation": Method(
        text="a GAN whose D sees how much the samples of a batch differ",
        settings=dict(_GAN, minibatch="deviation"),
        **_GAN_SETTINGS,
    ),
    "unrolled": Method(
        text="an unrolled GAN: G looks five steps of D ahead, and through them",
        settings=dict(_GAN, unroll=5),
        **_GAN_SETTINGS,
    ),
    "feature-matching": Method(
        text="a GAN whose G matches means of D's last hidden layer alone",
        settings=dict(_GAN, terms=("feature_matching:weight=1.0",), adversarial_weight=0.0),
        **_GAN_SETTINGS,
    ),
    "veegan": Method(
        text="VEEGAN: a BiGAN whose E finds the z of every G(z)",
        settings=dict(_PLAIN, model="bigan", terms=("latent_reconstruction:weight=1.0",)),
        **_GAN_SETTINGS,
    ),
    "alice-absolute": Method(
        text="ALICE with the absolute error: a BiGAN with an autoencoder loss",
        settings=dict(_PLAIN, model="bigan", terms=("autoencoder:weight=1.0:error=absolute",)),
        **_GAN_SETTINGS,
    ),
    "alice-adversarial": Method(
        text="ALICE with a second discriminator of x beside G(E(x)), in place of an error",
        # Of the authors' toy code: D_xx tells x̂ from x long before it is near.
        settings=dict(_PLAIN, model="alice", second_discriminator_weight=0.1),
        **_GAN_SETTINGS,
    ),
    "reg-gan": Method(
        text="Reg-GAN: a GAN with an encoder, whose G(E(x)) are near x and look real to D",
        # On ring8 λ₁ 0.2 and λ₂ 0.4 left E without any inverse: D's slope near narrow modes is far
        # steeper than the error's.
        settings=dict(
            _PLAIN,
            model="gan_encoder",
            terms=("autoencoder:weight=10.0", "mode_regularizer:weight=0.2"),
        ),
        **_GAN_SETTINGS,
    ),
    "mdgan": Method(
        text="MDGAN: one discriminator makes G(E(x)) like x, another one G(z) like G(E(x))",
        settings=dict(
            _PLAIN, model="mdgan", autoencoder_weight=10.0, second_discriminator_weight=0.1
        ),
        **_GAN_SETTINGS,
    ),
    "gan-encoder": Method(
        text="a GAN and beside it an encoder that learns z from G(z); G and D are those of gan",
        settings=dict(_PLAIN, model="gan_encoder", terms=("latent_regression:weight=1.0",)),
        **_GAN_SETTINGS,
    ),
    "separate-discriminators": Method(
        text="G against D(x), E against a D(z) of its own: they need not invert each other",
        settings=dict(_PLAIN, model="separate"),
        toys=_GAN_SETTINGS["toys"],
        images=_SLOW,
        # A plain GAN loses two of line's modes: its margin would not match.
        by_experiment={
            **_SMALL_LATENT,
            "line": dict(
                loss="least_squares",
                penalty="gradient",
                penalty_weight=0.3,
                learning_rate_floor=0.0,
                steps=5_000,
            ),
        },
    ),
    "msgan": Method(
        text="MSGAN: a GAN whose G is paid for samples as far apart as their z",
        settings=dict(_GAN, terms=("mode_seeking:weight=1.0",)),
        **_GAN_SETTINGS,
    ),
}

# Those that know the classes of the data, or find some, with the settings of their kin without.
_CONDITIONAL = {
    "projection": Method(
        text="a conditional GAN with a projection discriminator; needs data with classes",
        settings=dict(_GAN, condition="classes"),
        **_GAN_SETTINGS,
    ),
    "ac-gan": Method(
        text="AC-GAN: a conditional GAN whose D tells the classes; needs data with classes",
        settings=dict(
            _GAN,
            condition="classes",
            projection=False,
            terms=("auxiliary_classifier:weight=1.0:generator_weight=0.1",),
        ),
        **_GAN_SETTINGS,
    ),
    "self-conditioned": Method(
        text="self-conditioned GAN: clusters of D's features are the classes",
        settings=dict(_GAN, condition="clusters"),
        **_GAN_SETTINGS,
    ),
    "conditional-bigan": Method(
        text="plain BiGAN with G(z, y) and D(x, z, y); needs data with classes",
        settings=dict(_PLAIN, model="bigan", condition="classes"),
        **_GAN_SETTINGS,
    ),
    "conditional-pairwise": Method(
        text="the same with the pairwise gradient penalty; needs data with classes",
        settings=dict(penalty="pairwise", condition="classes"),
        images=_PAIRWISE_IMAGES,
        by_experiment={**_PAIRWISE_TOYS, **_SMALL_LATENT},
    ),
}

METHODS = Registry(
    "method",
    {
        "pairwise": Method(
            text="BiGAN with the pairwise gradient penalty, this package's",
            settings=dict(penalty="pairwise"),
            images=_PAIRWISE_IMAGES,
            by_experiment={**_PAIRWISE_TOYS, **_SMALL_LATENT},
        ),
        "pairwise-autoencoder": Method(
            text="the same with an autoencoder loss",
            settings=dict(penalty="pairwise"),
            toys=dict(autoencoder_weight=1.0),
            # The penalty brings the rare things, this keeps each in its own reconstruction.
            images=dict(_PAIRWISE_IMAGES, autoencoder_weight=300.0),
            by_experiment={**_PAIRWISE_TOYS, **_KEPT},
            image_step=1 / 0.92,
        ),
        "pairwise-fourier": Method(
            text="the pairwise penalty, softened, with Fourier features of x in D; for toys",
            settings=dict(penalty="pairwise"),
            toys=_FOURIER_TOYS,
            images=_PAIRWISE_IMAGES,
            by_experiment={
                **_SMALL_LATENT,
                "ring8": dict(_DEEP, steps=10_000),
                "ring16": dict(_DEEP, steps=18_000),
                "line": dict(_DEEP, loss="least_squares", learning_rate=1e-3),
                "grid25": dict(steps=16_000),
                "grid25_wide": dict(steps=16_000),
            },
        ),
        "bigan": Method(
            text="plain BiGAN",
            settings=dict(_PLAIN, model="bigan"),
            toys=dict(learning_rate=1e-3),
            images=_SLOW,
            by_experiment={
                **_SMALL_LATENT,
                "line": dict(
                    loss="least_squares",
                    learning_rate=2e-3,
                    learning_rate_floor=0.0,
                    steps=12_000,
                ),
            },
            image_step=1 / 1.20,
        ),
        "autoencoder": Method(
            text="BiGAN with an autoencoder loss (ALICE with the squared error)",
            settings=dict(_PLAIN, model="bigan", autoencoder_weight=1.0),
            images=dict(autoencoder_weight=100.0, learning_rate=1e-3),
            by_experiment=_SMALL_LATENT,
            image_step=1 / 1.05,
        ),
        "gradient-autoencoder": Method(
            text="BiGAN with WGAN-GP's penalty and an autoencoder loss",
            settings=dict(penalty="gradient", penalty_weight=10.0, loss="wasserstein"),
            toys=dict(autoencoder_weight=1.0),
            images=dict(discriminator_steps=2, autoencoder_weight=300.0, learning_rate=1e-3),
            by_experiment=_KEPT,
        ),
        "gan": Method(
            text="plain GAN",
            settings=dict(_PLAIN, model="gan"),
            toys=dict(learning_rate=1e-3),
            images=_SLOW,
            by_experiment=_SMALL_LATENT,
            image_step=1 / 1.25,
        ),
        "wgan": Method(
            text="WGAN: a GAN with clipped weights of D",
            settings=dict(_CRITIC, model="gan", penalty="none", weight_clip=0.01),
            toys=_TOY_CRITIC,
            images=_IMAGE_CRITIC,
            by_experiment=_SMALL_LATENT,
            image_step=1 / 0.50,
        ),
        "wgan-gp": Method(
            text="WGAN-GP: a GAN with a penalty on the length of D's gradient",
            settings=dict(_CRITIC, model="gan", penalty="gradient", penalty_weight=10.0),
            toys=_TOY_CRITIC,
            images=_IMAGE_CRITIC,
            by_experiment=_SMALL_LATENT,
            image_step=1 / 0.32,
        ),
        **_OTHERS,
        **_CONDITIONAL,
        "paper": Method(
            text="the pairwise penalty with the paper's networks and settings",
            settings=_PAPER,
            toys=dict(
                latent_length=1,
                width=512,
                hidden_layers=3,
                loss="logan1",
                penalty_weight=0.1,
                steps=40_000,
            ),
            images=dict(
                image_size=128, width=64, latent_length=128, loss="logan2", penalty_weight=1.0
            ),
            # 160 epochs of 162,770 and of 50,000 pictures, and of the junction.
            by_experiment={
                "celeb_a": dict(steps=406_880),
                "cifar10": dict(image_size=32, loss="logan1", steps=124_960),
                "traffic": dict(steps=20_000),
            },
        ),
        "encoder": Method(
            text="an encoder alone against a prior",
            settings=dict(model="encoder", penalty="none", learning_rate=1e-3),
        ),
        "custom": Method(text="the flags and their defaults"),
    },
)
