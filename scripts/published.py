"""The tables of results/ and README.md: which runs make a row, which columns are shown."""

import dataclasses
from collections.abc import Iterable

from logan.evaluation.measures import Column

# What only pages of trials tell; every other title is one of the commands' tables.
EXTRA_COLUMNS = [
    Column("alignment", ("pull", "alignment"), "{:.2f}"),
    Column("alignment of others", ("pull", "alignment_of_others"), "{:.2f}"),
    Column("CPU seconds", ("cpu_seconds",), "{:.0f}"),
]


@dataclasses.dataclass(frozen=True)
class Runs:
    """Cells of a row: the numbers of runs that differ in their seed.

    Attributes:
        files: a pattern of metrics files below results/metrics, without `.json`.
        titles: of the columns; `seeds` lists the runs' seeds.
        of: stands before each title in the table's head.
        mean_only: leaves out the spread over seeds.
    """

    files: str
    titles: tuple[str, ...]
    of: str = ""
    mean_only: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """Titles of the leading columns, and rows: their cells in words, then numbers of runs."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str | Runs, ...], ...]


def _table(
    labels: tuple[str, ...], titles: tuple[str, ...], rows: dict[str, tuple[str, ...]]
) -> Table:
    """A table of the given titles; `rows` has the words of each by the pattern of its files."""
    return Table(labels, tuple((*words, Runs(files, titles)) for files, words in rows.items()))


_SIX_TOYS = ("ring8", "ring16", "grid25", "grid25_wide", "swiss", "line")
_TOYS = (*_SIX_TOYS, "line_far")
_TOY_TITLES = (
    "seeds",
    "captured",
    "fair",
    "modes",
    "HQ",
    "spread/σ",
    "reverse KL",
    "rmse G(E(x))",
    "seconds",
)
_ONE_RUN = (
    "step",
    "captured",
    "fair",
    "modes",
    "HQ",
    "spread/σ",
    "reverse KL",
    "KL, all",
    "rmse G(E(x))",
    "seconds",
)
_GENERATIONS = (
    "seeds",
    "foreground",
    "real",
    "distance",
    "occupied",
    "cells",
    "fair cells",
    "fair colours",
    "recall",
    "coverage",
    "Fréchet",
    "seconds",
)
_METHODS = {
    "gan": "plain GAN",
    "wgan": "WGAN",
    "wgan-gp": "WGAN-GP",
    "bigan": "plain BiGAN",
    "autoencoder": "BiGAN + autoencoder loss",
    "gradient-autoencoder": "BiGAN + WGAN-GP's penalty + autoencoder loss",
    "pairwise": "BiGAN + pairwise penalty",
    "pairwise-autoencoder": "BiGAN + pairwise penalty + autoencoder loss",
}
_RECONSTRUCTING = list(_METHODS)[3:]
_TRIAL_TITLES = (
    "step",
    "foreground",
    "distance",
    "occupied",
    "fair cells",
    "cars kept",
    "SSIM",
    "occupied SSIM",
    "coverage",
    "Fréchet",
    "alignment",
    "alignment of others",
)


def _readme_row(toy: str) -> tuple[str | Runs, ...]:
    plain, penalised = f"toy/{toy}-none-seed*", f"toy/{toy}-pairwise-seed*"
    row: list[str | Runs] = [toy, Runs(plain, ("modes",))]
    for files, of in ((plain, "plain: "), (penalised, "penalty: ")):
        row += [
            Runs(files, ("fair",), of),
            Runs(files, ("HQ", "reverse KL"), of, mean_only=True),
        ]
    return (*row, Runs(penalised, ("seconds",), "penalty: ", mean_only=True))


def _endings(divergence: str, toys: Iterable[str]) -> Table:
    """Fresh seeds of today's presets: how many met each bar, and the numbers behind."""
    return _table(
        ("data", "weights"),
        (
            "seeds",
            "fair ≥ modes",
            "HQ ≥ 0.9",
            f"reverse KL ≤ {divergence}",
            "HQ",
            "reverse KL",
            "spread/σ",
            "rmse G(E(x))",
            "CPU seconds",
        ),
        {
            f"endings/{toy}-pairwise{weights}-seed*": (toy, words)
            for toy in toys
            for weights, words in (("", "best"), ("-last", "last"))
        },
    )


def _samplers() -> Table:
    """Fresh seeds by the plain sampler and by others, which have the same seeds."""
    rows = {}
    for toy in _SIX_TOYS:
        rows[f"endings/{toy}-pairwise-seed100[567]"] = (toy, "plain")
        rows[f"endings/{toy}-rejection-seed100[567]"] = (toy, "rejection")
        rows[f"endings/{toy}-between-encodings-seed100[567]"] = (toy, "between encodings")
    for toy, seed in (("grid25", 1001), ("ring8", 1005)):
        for name, words in (
            ("pairwise", "plain"),
            ("rejection", "rejection"),
            ("metropolis-hastings", "Metropolis-Hastings"),
        ):
            rows[f"endings/{toy}-{name}-seed{seed}"] = (toy, words)
    return _table(("data", "sampler"), ("seeds", "fair", "HQ", "reverse KL", "spread/σ"), rows)


# Trials of the junction by settings, with both samplers.
_ENCODED = {
    "z16-w300": "width 16, z of 16, weight 300",
    "z32-w600": "width 16, z of 32, weight 600",
    "gp-z32-w600": "the same, WGAN-GP's penalty (10) in place of the pairwise",
    "ae-z32": "the same, the autoencoder alone (weight 10⁶)",
    "z32-w1000": "width 32, z of 32, weight 1000, step 5,000 of 20,000 (taken)",
}

# Today's preset of the junction, by both samplers.
_PRESET = {
    "junction/preset-between-seed*": ("between encodings",),
    "junction/preset-plain-seed*": ("plain",),
}

TABLES = {
    "readme/toy": Table(("data",), tuple(_readme_row(toy) for toy in _TOYS)),
    "toy/comparison": _table(
        ("data", "penalty"),
        _TOY_TITLES,
        {
            f"toy/{toy}-{penalty}-seed*": (toy, penalty)
            for toy in _TOYS
            for penalty in ("pairwise", "none")
        },
    ),
    "toy/picture": _table(
        ("data", "penalty"),
        _ONE_RUN,
        {
            f"toy/{toy}-{penalty}-seed0": (toy, penalty)
            for toy in ("ring8", "ring16", "grid25")
            for penalty in ("none", "pairwise")
        },
    ),
    "toy/tuned": _table(
        ("data",),
        _TOY_TITLES,
        {f"toy/{toy}-none-tuned-seed*": (toy,) for toy in _SIX_TOYS},
    ),
    "toy/fair": Table(
        ("data",),
        tuple(
            (
                toy,
                Runs(f"toy/{toy}-none-seed*", ("modes",)),
                Runs(f"toy/{toy}-none-seed*", ("fair",), "plain: "),
                Runs(f"toy/{toy}-none-tuned-seed*", ("fair",), "plain, tuned: "),
                Runs(f"toy/{toy}-pairwise-seed*", ("fair",), "penalty: "),
            )
            for toy in _SIX_TOYS
        ),
    ),
    "toy/endings": _endings("0.01", ("ring8", "ring16", "grid25", "grid25_wide", "line")),
    "toy/endings-swiss": _endings("0.02", ("swiss",)),
    "toy/endings-bigan": _table(
        ("data",),
        ("seeds", "fair ≥ modes", "HQ ≥ 0.9", "reverse KL ≤ 0.01", "fair", "HQ", "reverse KL"),
        {"endings/ring8-bigan-seed*": ("ring8",)},
    ),
    "toy/samplers": _samplers(),
    "encoder/priors": _table(
        ("prior",),
        (
            "seeds",
            "step",
            "samples",
            "captured",
            "fair",
            "modes",
            "HQ",
            "reverse KL",
            "KL, all",
            "seconds",
        ),
        {
            f"encoder/encoder-{name}-none-seed{seed}": (prior,)
            for name, prior in (("unimodal", "unimodal"), ("modes", "5 modes"))
            for seed in (0, 1)
        },
    ),
    "junction/preset": _table(
        ("sampler",),
        (
            "seeds",
            "foreground",
            "real",
            "distance",
            "faint",
            "occupied",
            "fair cells",
            "fair colours",
            "precision",
            "recall",
            "coverage",
            "Fréchet",
        ),
        _PRESET,
    ),
    "junction/preset-bars": _table(
        ("sampler",),
        (
            "occupied ≥ 0.18",
            "occupied ≤ 0.22",
            "fair cells ≥ 1",
            "fair colours ≥ 1",
            "cars kept ≥ 0.85",
            "occupied SSIM ≥ 0.92",
            "coverage ≥ 0.6",
            "distance ≤ 0.1",
            "faint ≤ 0.03",
        ),
        _PRESET,
    ),
    "junction/preset-kept": _table(
        ("encoder",),
        ("seeds", "cars kept", "SSIM", "occupied SSIM", "CPU seconds"),
        {"junction/preset-between-seed*": ("of today's preset",)},
    ),
    "junction/generations": _table(
        ("method",),
        _GENERATIONS,
        {f"junction/{name}-seed*": (method,) for name, method in _METHODS.items()},
    ),
    "junction/reconstructions": _table(
        ("method",),
        ("seeds", "cars kept", "SSIM", "occupied SSIM"),
        {f"junction/{name}-seed*": (_METHODS[name],) for name in _RECONSTRUCTING},
    ),
    "video/methods": _table(
        ("method",),
        (
            "seeds",
            "foreground",
            "real",
            "distance",
            "SSIM",
            "occupied SSIM",
            "recall",
            "coverage",
            "Fréchet",
            "seconds",
        ),
        {
            f"video/{name}-seed*": (method,)
            for name, method in _METHODS.items()
            if name != "gradient-autoencoder"
        },
    ),
    "faces/methods": _table(
        ("method",),
        ("step", "SSIM", "MSE", "recall", "coverage", "Fréchet", "seconds"),
        {f"faces/{name}-seed0": (_METHODS[name],) for name in ("bigan", "pairwise-autoencoder")},
    ),
    "paper/settings": _table(
        ("data", "penalty"),
        ("seeds", *_ONE_RUN),
        {
            f"paper/{toy}-paper-{penalty}-seed{seed}": (f"{toy}-paper", penalty)
            for toy in _SIX_TOYS
            for seed in ((0, 1) if toy in ("swiss", "line") else (0,))
            for penalty in ("pairwise", "none")
        },
    ),
    "trials/classes": _table(
        ("method", "the class enters G by"),
        (
            "step",
            "class accuracy",
            "fair classes",
            "class KL",
            "class score",
            "of real images",
            "SSIM",
            "seconds",
        ),
        {
            "trials/classes/projection-gains": ("projection", "gains and biases"),
            "trials/classes/projection": ("projection", "these and numbers beside z"),
            "trials/classes/conditional-pairwise": ("conditional-pairwise", "the same"),
        },
    ),
    "trials/toy": _table(
        ("data", "weight of the autoencoder loss"),
        ("captured", "fair", "modes", "HQ", "spread/σ", "reverse KL", "rmse G(E(x))"),
        {
            "trials/toy/swiss-preset": ("swiss", "0"),
            "trials/toy/swiss-autoencoder1": ("swiss", "1"),
            "trials/toy/swiss-autoencoder10": ("swiss", "10"),
            "trials/toy/grid25_wide-autoencoder10": ("grid25_wide", "10"),
            "trials/toy/grid25_wide-autoencoder100": ("grid25_wide", "100"),
        },
    ),
    "trials/junction-methods": _table(
        ("method", "flags"),
        ("step", "distance", "occupied SSIM", "Fréchet"),
        {
            "trials/junction/gan-1e-3": ("GAN, vanilla", "rate 1e-3, β₁ 0"),
            "trials/junction/gan-2e-4": ("", "rate 2e-4, β₁ 0.5 (taken)"),
            "trials/junction/wgan-1e-3": ("WGAN, c 0.01, 5 steps of D", "rate 1e-3, β₁ 0"),
            "trials/junction/wgan-3e-4": ("", "rate 3e-4, β₁ 0 (taken)"),
            "trials/junction/gp-1e-3": ("WGAN-GP, λ 10, 5 steps of D", "rate 1e-3, β₁ 0"),
            "trials/junction/gp-3e-4": ("", "rate 3e-4, β₁ 0 (taken)"),
            "trials/junction/bigan-1e-3": ("BiGAN, vanilla", "rate 1e-3, β₁ 0"),
            "trials/junction/bigan-2e-4": ("", "rate 2e-4, β₁ 0.5 (taken)"),
            "trials/junction/ae-10": ("BiGAN + autoencoder loss", "weight 10"),
            "trials/junction/ae-100": ("", "weight 100 (taken)"),
        },
    ),
    "trials/junction-discriminator": _table(
        ("settings",),
        ("step", "foreground", "distance", "occupied", "fair cells", "SSIM", "occupied SSIM"),
        {
            "trials/junction/pw-d3": ("λ 10, 3 of D, batch 192, z of 16",),
            "trials/junction/pw-d3b32": ("λ 10, 3 of D, batch 96, z of 16",),
            "trials/junction/pw-d3b32-l5": ("λ 5, 3 of D, batch 96, z of 16",),
            "trials/junction/pw-d3b32-z6": ("λ 10, 3 of D, batch 96, z of 6",),
            "trials/junction/pw-d2b32-z8-l5": ("λ 5, 2 of D, batch 64, z of 8 (taken)",),
        },
    ),
    "trials/junction-autoencoder": _table(
        ("settings",),
        _TRIAL_TITLES,
        {
            "trials/junction/pw-d2b32-z8-l5": ("pairwise penalty alone, z of 8",),
            "trials/junction/pw-ae100-z8": ("weight 100, z of 8",),
            "trials/junction/pw-ae300-z8": ("weight 300, z of 8",),
            "trials/junction/pw-ae100-z16": ("weight 100, z of 16",),
            "trials/junction/pw-ae300-z16": ("weight 300, z of 16 (taken)",),
            "trials/junction/pw-ae300-floor": (
                "weight 300, z of 16, rate ends at a twentieth (`--learning_rate_floor=0.05`)",
            ),
            "trials/junction/pw-ae-l1-100": (
                "mean absolute difference in place of the square, weight 100, z of 16",
            ),
            "trials/junction/gradient-ae100-z8": (
                "WGAN-GP's penalty (10) in place of the pairwise, weight 100, z of 8",
            ),
            "trials/junction/ae-300-z16": ("no penalty, vanilla, weight 300, z of 16",),
        },
    ),
    "trials/junction-encodings": _table(
        ("settings", "sampler"),
        (
            "step",
            "foreground",
            "distance",
            "faint",
            "occupied",
            "fair cells",
            "fair colours",
            "cars kept",
            "occupied SSIM",
            "precision",
            "recall",
            "coverage",
            "Fréchet",
        ),
        {
            f"trials/junction/{name}{file}": (settings, sampler)
            for name, settings in _ENCODED.items()
            for file, sampler in (("", "plain"), ("-between", "between encodings"))
        },
    ),
    "trials/junction-switches": _table(
        ("settings",),
        ("step", "foreground", "distance", "faint", "occupied", "fair cells", "cars kept"),
        {
            "trials/junction/z16-w300": ("z uniform",),
            "trials/junction/switches": ("8 of the 16 features of z are -1 or 1",),
        },
    ),
    "trials/junction-hinge": _table(
        ("settings",),
        ("step", "distance", "cars kept", "alignment", "alignment of others"),
        {"trials/junction/pw-mismatch": ("pairwise penalty and the hinge",)},
    ),
    "trials/junction-wgan": _table(
        ("run",),
        ("seeds", "step", "foreground", "distance", "occupied", "cells", "fair cells"),
        {
            "junction/wgan-seed0": ("WGAN, as compared",),
            "trials/junction/wgan-longer": ("WGAN, longer",),
        },
    ),
}
