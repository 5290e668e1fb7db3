"""The training step that every adversarial model here shares.

Each batch: the discriminator's step, then one step of the generator and the encoder against the
discriminator as it is after its step, as in the paper's code. What generator and encoder make is
computed once and serves both.
"""

import collections
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from logan import losses, terms
from logan.models.averages import move_averages
from logan.models.checks import FirstBatchCheck, check_data
from logan.models.network_group import NO_VALIDATION, NetworkGroup
from logan.models.own_networks import (
    described,
    inlined,
    is_built,
    length_of_input,
    naming_network,
)
from logan.models.precision import as_float32, common_scale, in_float32, rescaled
from logan.penalties.common import arguments_for
from logan.randomness import Draw, replica_of
from logan.terms import Compared, Term, Update

NEVER = -1  # value of `first_bad_step` as long as every loss was good
EXPLODED = 1e8  # a loss of that size is no better than one that is not finite
_ALWAYS_LOGGED = ("discriminator_loss", "generator_loss", "real_logits", "fake_logits")


class AdversarialModel(NetworkGroup):
    """A discriminator and the networks against it, trained in turn by `fit`.

    Subclasses say what the discriminator compares (`compared`).

    A discriminator may say of itself, by attributes:
        looks_across_batch: true if an example's logit depends on the other examples; real and fake
            then go through it apart.
        begin_update: a method, called once before each of its updates, for state that must not
            change with every call.
    A network with an attribute takes_labels that is true is called with `labels`, int64 [batch].

    Attributes:
        prior: what latents are drawn from: `uniform`, U[-1, 1] in each feature, or `normal`,
            N(0, 1) in each feature.
        terms: summands of the losses besides the adversarial one.
        discriminator_in_float32: its logits, computed in float32 whatever its precision.
        step: finished training steps, int64 scalar variable.
        averages_step: the step that the averages are of, if it is not the last one.
        checks_first_batch: whether `fit` looks for mistakes in the first batch, see
            `logan.models.checks`. True unless set otherwise.
        is_checked: whether it has done so.
        first_bad_step: the first step, counted from 1, with a loss that was not finite or beyond
            `EXPLODED`, or `NEVER`.
    """

    prior: str
    checks_first_batch = True
    is_checked = False

    def __init__(
        self,
        networks: dict[str, keras.Model],
        discriminator: keras.Model,
        *,
        loss: str | losses.AdversarialLoss,
        name: str,
        terms: Sequence[Term | str] = (),
        weight_clip: float = 0.0,
        discriminator_steps: int = 1,
        average_decay: float = 0.999,
        seed: int = 0,
        latent_length: int | None = None,
    ):
        """Makes the model, and builds it if its networks are built.

        Args:
            networks: what is trained against the discriminator, by role.
            discriminator: D.
            loss: see `logan.losses.get`. A model with a loss of another kind cannot be saved.
            name: the model's name.
            terms: further summands of the losses; see `logan.terms.get`.
            weight_clip: c > 0 keeps the discriminator's weights in [-c, c], as WGAN does; 0 leaves
                them alone.
            discriminator_steps: updates of D for each one of the others. A batch is split into as
                many parts, one for each update.
            average_decay: weight of the past in the exponential moving average of the weights of
                generator and encoder, in [0, 1).
            seed: of every random draw in training.
            latent_length: features of z. Needed only where it cannot be told from the generator's
                attribute latent_length, its input, or what the encoder makes of the first batch.

        Raises:
            ValueError: on a setting out of range.
        """
        super().__init__(networks, discriminator, name)
        _check_latent_length(latent_length, self.networks)
        if discriminator_steps < 1:
            raise ValueError(f"Expected discriminator_steps >= 1. Received: {discriminator_steps}")
        if not 0 <= average_decay < 1:
            raise ValueError(f"Expected average_decay in [0, 1). Received: {average_decay}")
        if not weight_clip >= 0:
            raise ValueError(f"Expected weight_clip >= 0. Received: {weight_clip}")
        self.loss_name = loss
        self._adversarial_loss = losses.get(loss)
        self.terms = _usable(terms, networks)
        self.weight_clip = weight_clip
        self.discriminator_steps = discriminator_steps
        self.average_decay = average_decay
        self.seed = seed
        self.averages_step: int | None = None
        self.step = self._counter("step", 0)
        self.first_bad_step = self._counter("first_bad_step", NEVER)
        self._names_of_terms = _distinct_names(self.terms)
        names = [*_ALWAYS_LOGGED, *(n for own in self._names_of_terms for n in own.values())]
        self._trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.discriminator_in_float32 = in_float32(discriminator)
        self._given_latent_length = latent_length
        self._encoded_length: int | None = None
        if all(map(is_built, self.networks.values())) and self._found_latent_length():
            self._finish_building()

    def _counter(self, name: str, start: int) -> keras.Variable:
        return self.add_weight(
            shape=(),
            dtype="int64",
            initializer=keras.initializers.Constant(start),
            trainable=False,
            name=name,
        )

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers.values())

    @property
    def latent_length(self) -> int:
        """Features of z.

        Raises:
            ValueError: if it is not known yet.
        """
        length = self._found_latent_length()
        if length is None:
            raise ValueError(
                f"Expected latent_length=…, the features of z. The {self.roles[0]} does not tell "
                f"them before it is built. Received: {described(self.networks[self.roles[0]])}"
            )
        return length

    def _found_latent_length(self) -> int | None:
        """As given, as the generator says, or as the encoder makes them; None if not known."""
        if self._given_latent_length is not None:
            return self._given_latent_length
        length = length_of_input(self.generator) if "generator" in self.roles else None
        return self._encoded_length if length is None else length

    def build_networks(self, x: Any, labels: Any = None) -> None:
        # What is built stays, also if the first batch comes inside of a compiled function.
        with tf.init_scope():
            x = tf.cast(_example(x), tf.float32)
            self._example_shape = tuple(x.shape[1:])
            x = x[: len(x) // self.discriminator_steps or 1]
            if any(map(_takes_labels, self.networks.values())):
                given = tf.zeros([len(x)], tf.int64) if labels is None else _example(labels)
                labels = given[: len(x)]
            if "encoder" in self.roles:
                encoded = self.made_by("encoder", x, labels, training=False)
                self._encoded_length = encoded.shape[-1]
            draw = Draw(self.seed, tf.zeros([], tf.int64))
            self.logits(self.compared(x, labels, draw, training=False), labels, training=False)
            self._finish_building()

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds all networks for what `call` gets: x, of that shape."""
        count, *shape = input_shape
        self.build_networks(tf.zeros([count or 2, *shape]))

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        """What generator and encoder make of one batch of data, for the discriminator."""
        raise NotImplementedError

    def made_by(
        self, role: str, inputs: tf.Tensor, labels: tf.Tensor | None, training: bool = True
    ) -> tf.Tensor:
        """The output of the network of that role, float32."""
        network = getattr(self, role)
        with naming_network(role, network), inlined(network):
            return as_float32(network(inputs, training=training, **_labels_for(network, labels)))

    def logits(
        self, compared: Compared, labels: tf.Tensor | None, training: bool = True
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """D's logits of the real and of the fake inputs, float32 [batch, 1] each.

        Both go through the discriminator as one batch, which keeps the matrix units busier, unless
        it looks across the batch.
        """
        discriminator = self.discriminator

        def of(inputs: Sequence[tf.Tensor], labels: tf.Tensor | None) -> tf.Tensor:
            arguments = arguments_for(discriminator, inputs)
            of_labels = _labels_for(discriminator, labels)
            with naming_network("discriminator", discriminator), inlined(discriminator):
                return as_float32(discriminator(*arguments, training=training, **of_labels))

        if getattr(discriminator, "looks_across_batch", False):
            return of(compared.real, labels), of(compared.fake, labels)
        joined = [tf.concat(pair, axis=0) for pair in zip(*compared, strict=True)]
        both = of(joined, None if labels is None else tf.concat([labels, labels], axis=0))
        return tf.split(both, [tf.shape(compared.real[0])[0], tf.shape(compared.fake[0])[0]])

    def labels_for(self, network: Any, labels: tf.Tensor | None) -> dict[str, tf.Tensor]:
        """The keyword argument of a network that takes labels; nothing for others."""
        return _labels_for(network, labels)

    def fit(self, x: Any = None, *data: Any, **settings: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`; the first batch is checked, see `logan.models.checks`.

        Raises:
            ValueError: on data or networks that do not fit together.
        """
        if self.checks_first_batch:
            check_data(x)
        self.is_checked = False
        return super().fit(x, *data, **settings)

    def make_train_function(self, force: bool = False) -> None:
        """As in Keras, with a check of the first batch where one process has all of it."""
        super().make_train_function(force)
        function, strategy = self.train_function, self.distribute_strategy
        is_one_process = not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        if is_one_process and not isinstance(function, FirstBatchCheck):
            self.train_function = FirstBatchCheck(self, function)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One update of generator and encoder after `discriminator_steps` of the discriminator.

        Args:
            data: real samples x, floating [batch, ...], or (x, labels) with integers [batch]; batch
                a multiple of discriminator_steps.

        Returns:
            The means so far of what is logged, by name.
        """
        if not self.built:
            x, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
            self.build_networks(x, labels)
        parts = list(self._parts(data))
        first_update = self.step.value * self.discriminator_steps
        for index, (x, labels) in enumerate(parts[:-1]):
            draw = Draw(self.seed, first_update + index)
            self._update_discriminator(self.compared(x, labels, draw), labels, draw)
        x, labels = parts[-1]
        draw = Draw(self.seed, first_update + self.discriminator_steps - 1)
        with tf.GradientTape() as tape:
            compared = self.compared(x, labels, draw)
            logs = self._update_discriminator(compared, labels, draw)
            summand, term_logs = self._sum_of_terms("generator", compared, labels, draw)
            logits = self.logits(compared, labels)
            loss = self._adversarial_loss(*logits).generator + summand
            share, scale = self._share(loss, self.roles)
        self._apply(self.roles, tape, share, scale)
        self._finish_step({**logs, **term_logs, "generator_loss": loss})
        return self.get_metrics_result()

    def test_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """Refused: adversarial losses do not tell how good samples are.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(NO_VALIDATION)

    def _parts(self, data: Any) -> Any:
        """The batch, or its part for each update of the discriminator, as pairs (x, labels)."""
        x, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None:
            raise ValueError("Expected batches of x or (x, labels). Received: weights of samples")
        x = tf.convert_to_tensor(x)
        self._example_shape = tuple(x.shape[1:])
        if not x.dtype.is_floating:
            raise ValueError(f"Expected floating samples x. Received: {x.dtype.name}")
        x = tf.cast(x, tf.float32)
        count = self.discriminator_steps
        if count > 1:
            size = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
            tf.debugging.assert_equal(
                size % count,
                0,
                f"Expected batches of a multiple of discriminator_steps={count}",
            )
        of_labels = [None] * count if labels is None else tf.split(labels, count)
        return zip(tf.split(x, count), of_labels, strict=True)

    def _update_discriminator(
        self, compared: Compared, labels: tf.Tensor | None, draw: Draw
    ) -> dict[str, tf.Tensor]:
        compared = Compared(*(tuple(map(tf.stop_gradient, inputs)) for inputs in compared))
        if hasattr(self.discriminator, "begin_update"):
            self.discriminator.begin_update()
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.logits(compared, labels)
            summand, logs = self._sum_of_terms("discriminator", compared, labels, draw)
            loss = self._adversarial_loss(real_logits, fake_logits).discriminator + summand
            share, scale = self._share(loss, ("discriminator",))
        self._apply(("discriminator",), tape, share, scale)
        if self.weight_clip:
            for weights in self.discriminator.trainable_variables:
                weights.assign(tf.clip_by_value(weights, -self.weight_clip, self.weight_clip))
        return {
            **logs,
            "discriminator_loss": loss,
            "real_logits": tf.reduce_mean(real_logits),
            "fake_logits": tf.reduce_mean(fake_logits),
        }

    def _sum_of_terms(
        self, side: str, compared: Compared, labels: tf.Tensor | None, draw: Draw
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        """The sum of one side's terms, and what they log."""
        of_labels = _labels_for(self.discriminator, labels)
        update = Update(
            discriminator=lambda *inputs: self.discriminator_in_float32(*inputs, **of_labels),
            networks={
                role: lambda inputs, role=role: self.made_by(role, inputs, labels)
                for role in self.roles
            },
            compared=compared,
            labels=labels,
            draw=draw,
        )
        total: tf.Tensor | float = 0.0
        logs: dict[str, tf.Tensor] = {}
        for term, names in zip(self.terms, self._names_of_terms, strict=True):
            if term.side == side:
                summand, own = term(update)
                total += summand
                logs |= {names[name]: value for name, value in own.items()}
        return total, logs

    def _share(self, loss: tf.Tensor, roles: Sequence[str]) -> tuple[tf.Tensor, tf.Tensor | None]:
        """This replica's share of the loss, scaled for the optimizers of these roles; the scale.

        Gradients of all replicas are summed.
        """
        share = loss / replica_of()[1]
        scale = common_scale([self.optimizers[role] for role in roles])
        return (share if scale is None else share * scale), scale

    def _apply(
        self,
        roles: Sequence[str],
        tape: tf.GradientTape,
        loss: tf.Tensor,
        scale: tf.Tensor | None,
    ) -> None:
        """One update of these roles by the gradients of a loss that was multiplied by `scale`."""
        variables = [getattr(self, role).trainable_variables for role in roles]
        gradients = tape.gradient(loss, variables)
        for role, weights, own in zip(roles, variables, gradients, strict=True):
            if weights:  # or else all are frozen
                optimizer = self.optimizers[role]
                own = rescaled(own, optimizer, scale)
                optimizer.apply_gradients(zip(own, weights, strict=True))

    def _finish_step(self, logs: dict[str, tf.Tensor]) -> None:
        for name, value in logs.items():
            self._trackers[name].update_state(value)
        self.step.assign_add(1)
        losses = _mean_over_replicas([logs["discriminator_loss"], logs["generator_loss"]])
        # A comparison with NaN is false as well.
        is_good = tf.reduce_all(tf.abs(losses) < EXPLODED)
        is_first_bad = (self.first_bad_step.value == NEVER) & ~is_good
        self.first_bad_step.assign(
            tf.where(is_first_bad, self.step.value, self.first_bad_step.value)
        )
        pairs = [(getattr(self, role), getattr(self, f"averaged_{role}")) for role in self.roles]
        move_averages(pairs, self.step.value, self.average_decay)

    def get_config(self) -> dict[str, Any]:
        if not isinstance(self.loss_name, str):
            raise ValueError(f"Expected a loss by its name to save. Received: {self.loss_name!r}")
        return {
            **self.network_configs(),
            "loss": self.loss_name,
            "terms": [keras.saving.serialize_keras_object(term) for term in self.terms],
            "weight_clip": self.weight_clip,
            "discriminator_steps": self.discriminator_steps,
            "average_decay": self.average_decay,
            "seed": self.seed,
            "name": self.name,
            **({} if self._given_latent_length is None else dict(latent_length=self.latent_length)),
        }


def _check_latent_length(given: int | None, networks: Mapping[str, keras.Model]) -> None:
    """Raises ValueError if it is none, or not that of the generator."""
    if given is None:
        return
    if given < 1:
        raise ValueError(f"Expected latent_length >= 1. Received: {given}")
    own = length_of_input(networks["generator"]) if "generator" in networks else None
    if own not in (None, given):
        raise ValueError(f"Expected latent_length={own}, the generator's. Received: {given}")


def _example(values: Any) -> tf.Tensor:
    """Values that can be computed with at once: zeros of that shape for those of a graph."""
    values = tf.convert_to_tensor(values)
    if hasattr(values, "numpy"):
        return values
    shape = [2 if size is None and not axis else size for axis, size in enumerate(values.shape)]
    if None in shape:
        raise ValueError(f"Expected batches of a known shape. Received: {values.shape}")
    return tf.zeros(shape, values.dtype)


def _usable(given: Sequence[Term | str], roles: Collection[str]) -> tuple[Term, ...]:
    """The terms of a weight above 0.

    Raises:
        ValueError: if one needs an encoder beside a generator and they are not both there.
    """
    has_both = {"generator", "encoder"} <= set(roles)
    made = tuple(term for term in map(terms.get, given) if term.weight)
    for term in made:
        if term.needs_encoder and not has_both:
            raise ValueError(
                f"Expected a generator and an encoder for {term}. Received: {', '.join(roles)}. "
                "BiGAN(generator, encoder, discriminator) has both, with a discriminator D(x, z); "
                'docs/own_model.md, "From D(x) to D(x, z)", has the lines that make one of D(x)'
            )
    return made


def _distinct_names(terms: Sequence[Term]) -> tuple[dict[str, str], ...]:
    """For each term, under which name each thing that it logs is logged: a second one has a 2."""
    count: collections.Counter[str] = collections.Counter()
    result = []
    for term in terms:
        count.update(term.log_names)
        result.append({n: n if count[n] == 1 else f"{n}_{count[n]}" for n in term.log_names})
    return tuple(result)


def _takes_labels(network: Any) -> bool:
    return bool(getattr(network, "takes_labels", False))


def _labels_for(network: Any, labels: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """The keyword argument of a network that takes labels.

    Raises:
        ValueError: if it does and there are none.
    """
    if not _takes_labels(network):
        return {}
    if labels is None:
        raise ValueError(f"Expected batches (x, labels) for {network.name}. Received: x alone")
    return {"labels": labels}


def _mean_over_replicas(values: Sequence[tf.Tensor]) -> tf.Tensor:
    """The scalars' means, stacked."""
    stacked = tf.stack(values)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return stacked
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, stacked)
