"""Flags of architectures make the networks that they name."""

import pytest

from logan.models.assemble import assemble
from logan.networks import convolutional, residual
from logan.networks.attention import SelfAttention
from logan.networks.multi_scale import MultiScaleDiscriminator
from logan.settings import Experiment

TINY = dict(
    dataset="images", data="none", image_size=16, channels=1, width=2, latent_length=5, batch_size=4
)  # fmt: skip
KINDS = {"convolutional": convolutional, "residual": residual}


def attentions(network):
    """How many layers of self-attention there are."""
    return sum(isinstance(layer, SelfAttention) for layer in network._flatten_layers())


@pytest.mark.parametrize("network", KINDS)
def test_kind_and_options(network):
    model = assemble(
        Experiment(**TINY, network=network, attention_size=8, hierarchical_latents=True)
    )
    kind = KINDS[network]
    assert type(model.generator) is kind.Generator
    assert type(model.encoder) is kind.Encoder
    assert type(model.discriminator) is kind.Discriminator
    assert model.generator.hierarchical_latents
    roles = (model.generator, model.encoder, model.discriminator)
    assert [attentions(each) for each in roles] == [1, 1, 1]
    plain = assemble(Experiment(**TINY, network=network))
    assert not plain.generator.hierarchical_latents
    assert attentions(plain.generator) == attentions(plain.discriminator) == 0


@pytest.mark.parametrize("model", ["bigan", "gan"])
def test_scales(model):
    experiment = Experiment(
        **TINY,
        network="residual",
        model=model,
        penalty="gradient",
        discriminator_scales=2,
        scale_logits="sum",
    )
    discriminator = assemble(experiment).discriminator
    assert isinstance(discriminator, MultiScaleDiscriminator)
    assert [type(part) for part in discriminator.parts] == [residual.Discriminator] * 2
    assert [part.data_shape for part in discriminator.parts] == [(16, 16, 1), (8, 8, 1)]
    assert discriminator.scale_logits == "sum"
    assert discriminator.latent_length == (5 if model == "bigan" else 0)


def test_networks_of_vectors_are_not_given_what_they_do_not_take():
    model = assemble(Experiment(width=4, hidden_layers=1))
    assert "attention_size" not in model.discriminator.get_config()
