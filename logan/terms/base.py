"""A summand of a loss, and what it is called with."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import tensorflow as tf

from logan.randomness import Draw


class Compared(NamedTuple):
    """What the discriminator compares, each a tuple of its positional inputs.

    Attributes:
        real: inputs that it shall call true: (x, E(x)), or (x,).
        fake: inputs that it shall call false: (G(z), z), or (G(z),).
    """

    real: tuple[tf.Tensor, ...]
    fake: tuple[tf.Tensor, ...]


@dataclasses.dataclass(frozen=True)
class Update:
    """What one update of the discriminator or of the other networks knows.

    Attributes:
        discriminator: maps its inputs to logits, in float32 whatever D's precision.
        networks: the generator and the encoder, by role.
        compared: the inputs that the discriminator compares. In its own update they are constants.
        labels: int64 [batch], classes of the real samples, or None.
        draw: the random draws of the update.
    """

    discriminator: Callable[..., tf.Tensor]
    networks: Mapping[str, Callable[..., tf.Tensor]]
    compared: Compared
    labels: tf.Tensor | None
    draw: Draw

    def reconstruct(self) -> tf.Tensor:
        """x̂ = G(E(x)), of x's shape."""
        return self.networks["generator"](self.compared.real[1])


@dataclasses.dataclass(frozen=True)
class Term:
    """A summand of one side's loss; subclasses are registered with `keras.saving`.

    Attributes:
        weight: >= 0; a term of weight 0 is left out.
        side: whose loss it is added to: the discriminator's, or that of generator and encoder.
        needs_encoder: whether it works with an encoder only.
        needs_separate_examples: of one on the discriminator's side, whether D's logit of an example
            must depend on that example alone, as a penalty on its gradient example by example
            needs it; None if that is not said. See `logan.models.checks`.
        log_names: what it logs, in order.

    Raises:
        ValueError: on a setting out of range.
    """

    weight: float = 1.0

    side: ClassVar[Literal["discriminator", "generator"]] = "discriminator"
    needs_encoder: ClassVar[bool] = False
    needs_separate_examples: ClassVar[bool | None] = None
    log_names: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"Expected weight >= 0. Received: {self.weight}")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The summand, a float32 scalar with its weight, and what to log of it by name."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Term":
        return cls(**config)
