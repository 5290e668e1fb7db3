"""The numbers of parameters in docs/networks.md."""

import re
from pathlib import Path

import pytest

from logan.models.assemble import assemble
from logan.settings import Experiment

PAGE = Path(__file__).parents[2] / "docs" / "networks.md"
SIZE = dict(
    dataset="images", data="none", image_size=32, latent_length=64, width=32, normalization="batch"
)  # fmt: skip


def rows():
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("## Numbers of parameters")[1]
    for line in re.findall(r"^\| `(--network=\S+.*?)` \| (.+) \|$", table, re.MULTILINE):
        flags, numbers = line
        yield flags, [int(number.replace(",", "")) for number in numbers.split(" | ")]


def settings_of(flags):
    """The settings of "--network=residual --hierarchical_latents"."""
    pairs = [flag.removeprefix("--").partition("=") for flag in flags.split()]
    return {
        name: True if not equals else int(value) if value.isdigit() else value
        for name, equals, value in pairs
    }


@pytest.mark.parametrize(("flags", "expected"), rows())
def test_numbers_of_parameters(flags, expected):
    model = assemble(Experiment(**SIZE, **settings_of(flags)))
    roles = (model.generator, model.encoder, model.discriminator)
    assert [role.count_params() for role in roles] == expected


def test_the_page_has_such_rows():
    assert len(list(rows())) == 8
