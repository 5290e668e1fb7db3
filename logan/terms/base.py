"""A summand of a loss, and what it is called with."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import keras
import tensorflow as tf

from logan.packing import packed, unpacked
from logan.randomness import Draw

AddVariable = Callable[[str, Sequence[int]], keras.Variable]  # of a name and a shape, zeros


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
        side: whose update it is, "discriminator" or "generator".
        logits: D's logits of the real and of the fake inputs, float32 [batch, 1] each; known in the
            discriminator's update only.
        with_hidden: maps D's inputs to its last hidden layer, float32 [batch, features], and its
            logits; see `logan.networks.hidden`.
        class_logits: maps D's inputs to a logit of each class, float32 [batch, classes], of a D
            with a classifier; see `logan.networks.hidden`.
        variables: the trained variables of each network, the discriminator too, by role.
        step: finished training steps, an integer scalar.
        packing: samples in each of the inputs compared, see `logan.packing`.
        latents: gives the z of this update's generations, float32 [samples, latent_length]; None
            without a generator.
        averaged: the generator and the encoder with averages of their weights, in inference mode,
            by role.
        data: x, in packs; None if it is the first of the real inputs.
        made: gives x̂ = G(E(x)), in packs, where the model has made it; None if not.
        state: the variables of the term that is called, by name, see `Term.make_state`.
    """

    discriminator: Callable[..., tf.Tensor]
    networks: Mapping[str, Callable[..., tf.Tensor]]
    compared: Compared
    labels: tf.Tensor | None
    draw: Draw
    side: str = "discriminator"
    logits: tuple[tf.Tensor, tf.Tensor] | None = None
    with_hidden: Callable[..., tuple[tf.Tensor, tf.Tensor]] | None = None
    class_logits: Callable[..., tf.Tensor] | None = None
    variables: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    step: Any = 0
    packing: int = 1
    latents: Callable[[], tf.Tensor] | None = None
    averaged: Mapping[str, Callable[..., tf.Tensor]] = dataclasses.field(default_factory=dict)
    data: tf.Tensor | None = None
    made: Callable[[], tf.Tensor] | None = None
    state: Mapping[str, keras.Variable] = dataclasses.field(default_factory=dict)

    @property
    def x(self) -> tf.Tensor:
        """The data, in packs."""
        return self.compared.real[0] if self.data is None else self.data

    def generated(self) -> tuple[tf.Tensor, tf.Tensor]:
        """(G(z), z) of this update, out of their packs."""
        samples, *z = (unpacked(each, self.packing) for each in self.compared.fake)
        if z:
            return samples, z[0]
        assert self.latents is not None
        return samples, self.latents()

    def reconstruct(self) -> tf.Tensor:
        """x̂ = G(E(x)), or G(E(x), y) with the class y of x, of x's shape."""
        if self.made is not None:
            return self.made()
        z = unpacked(self.compared.real[1], self.packing)
        return packed(self.networks["generator"](z), self.packing)


@dataclasses.dataclass(frozen=True)
class Term:
    """A summand of one side's loss; subclasses are registered with `keras.saving`.

    Attributes:
        weight: >= 0; a term of weight 0 is left out.
        side: whose loss it is added to: the discriminator's, that of generator and encoder, or
            both.
        needs_encoder: whether it works with an encoder only.
        needs_joint_discriminator: whether it works with a D(x, z) only.
        needs_separate_examples: of one on the discriminator's side, whether D's logit of an example
            must depend on that example alone, as a penalty on its gradient example by example
            needs it; None if that is not said. See `logan.models.checks`.
        log_names: what it logs, in order.

    Raises:
        ValueError: on a setting out of range.
    """

    weight: float = 1.0

    side: ClassVar[Literal["discriminator", "generator", "both"]] = "discriminator"
    needs_encoder: ClassVar[bool] = False
    needs_joint_discriminator: ClassVar[bool] = False
    needs_separate_examples: ClassVar[bool | None] = None
    log_names: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"Expected weight >= 0. Received: {self.weight}")

    def __call__(self, update: Update) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """The summand, a float32 scalar with its weight, and what to log of it by name."""
        raise NotImplementedError

    @property
    def ties_reconstructions(self) -> bool:
        """Whether it asks G(E(x)) to be x, so that reconstructions tell how far a training is."""
        return self.needs_encoder

    def check(self, roles: Collection[str], discriminator: keras.Model | None = None) -> None:
        """Refuses a model that the term does not go with.

        Args:
            roles: the networks against the discriminator: generator, encoder.
            discriminator: D, or None if it is not made yet.

        Raises:
            ValueError: if it needs an encoder beside a generator and they are not both there, or D
                for a function of single examples and it is not.
        """
        if self.needs_separate_examples and getattr(discriminator, "looks_across_batch", False):
            raise ValueError(
                f"Expected a discriminator of single examples for {self}, or packing, whose packs "
                "are examples. Received: one that looks across the batch"
            )
        if self.needs_encoder and not {"generator", "encoder"} <= set(roles):
            raise ValueError(
                f"Expected a generator and an encoder for {self}. Received: {', '.join(roles)}. "
                "BiGAN(generator, encoder, discriminator) has both, with a discriminator D(x, z); "
                'docs/own_model.md, "From D(x) to D(x, z)", has the lines that make one of D(x)'
            )

    def check_inputs(self, inputs: Sequence[str]) -> None:
        """Refuses a discriminator of inputs that the term does not go with.

        Args:
            inputs: what D is given, of `x` and `z`.

        Raises:
            ValueError: if it needs both and D is not given both.
        """
        if self.needs_joint_discriminator and len(inputs) < 2:
            raise ValueError(
                f"Expected a discriminator of pairs, D(x, z), for {self}. Received: "
                f"D({inputs[0]}), beside an encoder or not. BiGAN(generator, encoder, "
                "discriminator) has one"
            )

    def make_state(
        self, networks: Mapping[str, keras.Model], variable: AddVariable
    ) -> dict[str, keras.Variable]:
        """The variables that the term keeps from update to update, by name. They are saved.

        Args:
            networks: of the model, by role, the discriminator too.
            variable: makes a float32 variable of zeros of a name and a shape.
        """
        del networks, variable
        return {}

    def get_config(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Term":
        return cls(**config)
