"""What goes with --condition, and what is refused with the reason before any work."""

import pytest

from logan.errors import UserError
from logan.settings import Experiment, from_flags, preset, to_flags

DIGITS = dict(dataset="mnist", network="convolutional", latent_length=8, channels=1)
PICTURES = dict(DIGITS, dataset="images", data="photos")
GAN = dict(model="gan", penalty="none")
CLASSIFIER = ("auxiliary_classifier",)

METHODS = {
    "projection": ("gan", "classes", True),
    "ac-gan": ("gan", "classes", False),
    "self-conditioned": ("gan", "clusters", True),
    "conditional-bigan": ("bigan", "classes", True),
    "conditional-pairwise": ("bigan", "classes", True),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["ring8", "swiss", "line", "mnist", "cifar10"])
def test_methods_go_with_all_data_that_have_classes(name, method):
    one = preset(name, method=method)
    assert (one.model, one.condition, one.projection) == METHODS[method]
    assert one.tells_classes == (method == "ac-gan")
    assert one.takes_labels == (method != "self-conditioned")
    assert one.has_penalty == (method == "conditional-pairwise")
    assert from_flags(to_flags(one)) == one


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "given"), [("traffic", {}), ("celeb_a", {}), ("images", dict(data="photos"))]
)
def test_methods_that_need_classes_say_so_where_there_are_none(name, given, method):
    if method == "self-conditioned":
        assert preset(name, given, method=method).condition == "clusters"
        return
    told = r"^--condition: expected none or clusters .*no classes; cifar10, mnist, .*--labels"
    with pytest.raises(UserError, match=told):
        preset(name, given, method=method)


def test_pictures_with_labels_have_classes():
    assert preset("images", dict(data="photos", labels="folders"), method="projection").has_labels


CLASSES, CLUSTERS = dict(condition="classes"), dict(GAN, condition="clusters")
SCALES = dict(DIGITS, discriminator_scales=2)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            dict(CLASSES, model="alice", penalty="none"),
            "condition: expected none with --model=alice",
        ),
        (
            dict(CLASSES, model="mdgan", penalty="none"),
            "condition: expected none with --model=mdgan",
        ),
        (dict(CLASSES, packing=2), "packing: expected 1 with a --condition: a pack has"),
        (dict(CLASSES, projection=False), "projection: expected true without --terms=aux"),
        (dict(projection=False), "projection: expected true with --condition=none"),
        (dict(terms=CLASSIFIER), "condition: expected classes or clusters with --terms=aux"),
        (dict(SCALES | CLASSES, terms=CLASSIFIER), "discriminator_scales: expected 1 with --terms"),
        (dict(PICTURES | CLASSES), "condition: expected none or clusters with --dataset=images"),
        (dict(condition="clusters"), r"condition: expected none or classes with --model=bigan"),
        (dict(CLUSTERS, dropout=0.5), "dropout: expected 0 with --condition=clusters"),
        (dict(CLUSTERS, minibatch="deviation"), "minibatch: expected none with --condition=clus"),
        (dict(CLUSTERS, cluster_every=150), "cluster_every: expected a multiple of --log_every"),
        (dict(CLUSTERS, strategy="multi_worker"), "strategy: expected none or mirrored with"),
        (dict(SCALES | CLUSTERS), "discriminator_scales: expected 1 with --condition=clusters"),
        (dict(CLUSTERS, clusters=1), r"clusters: expected a number >= 2"),
        (dict(condition="labels"), r"condition: expected one of none, classes, clusters"),
        (dict(CLASSES, model="encoder", penalty="none"), "condition: expected none with --model"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, told):
    with pytest.raises(UserError, match=f"^--{told}"):
        Experiment(**settings)
