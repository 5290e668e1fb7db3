"""The optimizers of a model's networks: one for each, seen as one by Keras's callbacks."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras

from logan.models.own_networks import described


def default_optimizer() -> keras.optimizers.Optimizer:
    """The paper's: Adam with learning rate 1e-4, β 0.5 and 0.9."""
    return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9)


class Optimizers:
    """The optimizers of all networks, with one learning rate as callbacks expect it.

    The learning rate is the last network's, the discriminator's. Setting it sets all of them, each
    in the ratio to it that they had: `LearningRateScheduler` and `ReduceLROnPlateau` work so.
    """

    def __init__(self, by_role: Mapping[str, keras.optimizers.Optimizer]):
        """Takes the optimizers, the discriminator's last.

        Raises:
            ValueError: if one of them is there twice.
        """
        _check_different(by_role)
        self._by_role = dict(by_role)
        self._last_set: dict[str, float] = {}
        self._ratios: dict[str, float] = {}

    @property
    def learning_rate(self) -> float:
        """The discriminator's, a number."""
        return list(self._rates().values())[-1]

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        """Sets all of them.

        Raises:
            ValueError: if one of them follows a schedule of its own.
        """
        fixed = [role for role, one in self._by_role.items() if _follows_schedule(one)]
        if fixed:
            raise ValueError(
                "Expected optimizers whose learning rate is a number, to set it. Received: a "
                f"LearningRateSchedule in {', '.join(f'{role}_optimizer' for role in fixed)}"
            )
        rates = self._rates()
        # Of 0 no ratio can be told: then they are those from before.
        if rates != self._last_set and self.learning_rate > 0:
            self._ratios = {role: own / self.learning_rate for role, own in rates.items()}
        for role, optimizer in self._by_role.items():
            optimizer.learning_rate = float(rate) * self._ratios.get(role, 1.0)
        self._last_set = self._rates()

    def _rates(self) -> dict[str, float]:
        return {role: float(one.learning_rate) for role, one in self._by_role.items()}

    @property
    def iterations(self) -> keras.Variable:
        """Updates of the first network."""
        return next(iter(self._by_role.values())).iterations

    @property
    def variables(self) -> list[keras.Variable]:
        return [variable for one in self._by_role.values() for variable in one.variables]

    @property
    def built(self) -> bool:
        return all(one.built for one in self._by_role.values())


def build_for(role: str, network: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Makes the optimizer's variables.

    Raises:
        ValueError: if it was made for other weights.
    """
    weights = network.trainable_variables
    optimizer.build(weights)
    own = getattr(optimizer, "_trainable_variables", weights)
    if [id(variable) for variable in own] != [id(variable) for variable in weights]:
        raise ValueError(
            f"Expected a new {role}_optimizer. Received: one that has trained other weights than "
            f"those of {described(network)}"
        )


def _check_different(by_role: Mapping[str, keras.optimizers.Optimizer]) -> None:
    owners: dict[int, str] = {}
    for role, optimizer in by_role.items():
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        other = owners.setdefault(id(inner), role)
        if other != role:
            raise ValueError(
                "Expected an optimizer of its own for each network: it keeps moments of that "
                f"network's weights. Received: one for {other}_optimizer and {role}_optimizer"
            )


def _follows_schedule(optimizer: keras.optimizers.Optimizer) -> bool:
    return not isinstance(optimizer.learning_rate, keras.Variable)


def check_settings(roles: Iterable[str], settings: Mapping[str, Any]) -> None:
    """Refuses those of `keras.Model.compile` that an adversarial model has no use for.

    Raises:
        ValueError: naming it and what is expected.
    """
    refused = {
        "optimizer": "one optimizer for each network, "
        + ", ".join(f"{role}_optimizer" for role in roles),
        "loss": "the loss where the model is made, as in BiGAN(..., loss='vanilla')",
        "loss_weights": "weights of the loss's terms where the model is made, as in "
        "BiGAN(..., terms=['autoencoder:weight=10'])",
        "metrics": "no metrics: training without targets has nothing to compare with. What the "
        "losses and their terms log comes by itself; measure samples by logan.metrics",
    }
    refused["weighted_metrics"] = refused["metrics"]
    for name, expected in refused.items():
        if settings.get(name) is not None:
            raise ValueError(f"Expected {expected}. Received: {name}={settings[name]!r:.80}")
