"""From the names of what is learned and how to an experiment."""

from collections.abc import Mapping
from typing import Any

from logan.registry import load_plugins, parse_part
from logan.settings.experiment import Experiment
from logan.settings.methods import METHODS
from logan.settings.names import DATASETS, LOSSES
from logan.settings.presets import PAPER_NAMES, PRESETS, check_preset_name


def preset(
    name: str, settings: Mapping[str, Any] | None = None, method: str | None = None
) -> Experiment:
    """The named experiment, learned by a method, with some settings replaced.

    The preset's own method may have a loss that needs a bound on D. Where the given settings remove
    that bound, loss and steps are those of the plain BiGAN or GAN. A method's sampler goes with its
    model, penalty and autoencoder loss: where one of them is replaced or left out, it is plain.

    Args:
        name: what is learned, a name from `PRESETS` or `PAPER_NAMES`.
        settings: fields of `Experiment` in place of the preset's and the method's.
        method: how, a name from `METHODS`; None for the preset's own.

    Raises:
        UserError: on an unknown name (the nearest ones are offered) or a bad setting.
    """
    given = dict(settings or {})
    load_plugins(given.get("plugins", ()))
    check_preset_name(name)
    if method:
        METHODS.check(method)
    base = PRESETS[PAPER_NAMES.get(name, name)]
    own = "paper" if name in PAPER_NAMES else base.method
    dataset = given.get("dataset", base.settings.get("dataset", Experiment.dataset))
    DATASETS.check(dataset)
    of_method = METHODS[method or own].settings_for(PAPER_NAMES.get(name, name), dataset)
    if not method and _needs_bound(of_method) and _leaves_unbounded(given):
        plain = METHODS["bigan"].settings
        of_method |= {
            field: plain[field] for field in ("loss", "discriminator_steps", "autoencoder_weight")
        }
    if not _keeps_sampler(of_method, given):
        of_method.pop("sampler", None)
    of_videos = base.of_videos if given.get("video") else {}
    return Experiment(
        name=name, method=method or "", **{**base.settings, **of_videos, **of_method, **given}
    )


def _keeps_sampler(of_method: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether the model is still one whose reconstructions the method's sampler may rely on."""
    fields = ("model", "penalty", "condition")
    own = {field: of_method.get(field, getattr(Experiment, field)) for field in fields}
    is_own = all(given.get(field, value) == value for field, value in own.items())
    return is_own and given.get("autoencoder_weight", 1) > 0


def _needs_bound(settings: Mapping[str, Any]) -> bool:
    loss = parse_part(settings.get("loss", Experiment.loss), "loss").name
    return LOSSES[loss].needs_bound


def _leaves_unbounded(given: Mapping[str, Any]) -> bool:
    return given.get("penalty") == "none" and not given.get("weight_clip")
