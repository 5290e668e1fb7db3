"""Terms that hold the weights of networks back."""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from logan.terms.base import AddVariable, Term, Update


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class WeightPenalty(Term):
    """weight · Σ ‖W‖² over the kernels of D, of both if there are two; biases are left alone.

    An L2 penalty. With Adam it is not weight decay, which `--weight_decay` gives (I.
    Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019).
    """

    log_names: ClassVar[tuple[str, ...]] = ("squared_weights",)

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        kernels = [
            one
            for role, weights in update.variables.items()
            if role in _DISCRIMINATORS
            for one in weights
            if len(one.shape) > 1
        ]
        total = tf.add_n([tf.reduce_sum(tf.square(tf.convert_to_tensor(one))) for one in kernels])
        return self.weight * total, {"squared_weights": total}


@keras.saving.register_keras_serializable(package="logan")
@dataclasses.dataclass(frozen=True)
class HistoricalAveraging(Term):
    """weight · ‖θ - (1/t) Σ θ_i‖², in the loss of every network of its own weights θ.

    θ_1 … θ_t are the weights at its updates so far, this one's included; no gradient goes through
    their mean, which is kept as θ̄ ← θ̄ + (θ - θ̄) / t. It is a penalty, and no average to draw
    samples from.

    Source: T. Salimans et al., "Improved techniques for training GANs", NeurIPS 2016.
    """

    side: ClassVar[Literal["both"]] = "both"
    log_names: ClassVar[tuple[str, ...]] = ("discriminator_history", "generator_history")

    def make_state(
        self, networks: Mapping[str, keras.Model], variable: AddVariable
    ) -> dict[str, keras.Variable]:
        state = {f"{side}_updates": variable(f"{side}_updates", ()) for side in _SIDES}
        for role, network in networks.items():
            for index, weights in enumerate(network.trainable_variables):
                name = f"{role}_{index}"
                state[name] = variable(f"history_{name}", tuple(weights.shape))
        return state

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        updates = update.state[f"{update.side}_updates"]
        updates.assign_add(1.0)
        total = tf.constant(0.0)
        for role, weights in update.variables.items():
            if (role in _DISCRIMINATORS) != (update.side == "discriminator"):
                continue
            for index, one in enumerate(weights):
                mean = update.state[f"{role}_{index}"]
                now = tf.convert_to_tensor(one)
                mean.assign(mean.value + tf.stop_gradient(now - mean.value) / updates.value)
                total += tf.reduce_sum(tf.square(now - tf.stop_gradient(mean.value)))
        return self.weight * total, {f"{update.side}_history": total}


_SIDES = ("discriminator", "generator")
_DISCRIMINATORS = ("discriminator", "second_discriminator")
