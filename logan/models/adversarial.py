"""The training step that every adversarial model here shares.

Each batch: the discriminator's step, then one step of the generator and the encoder against the
discriminator as it is after its step, as in the paper's code. What generator and encoder make is
computed once and serves both.
"""

import collections
import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

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
from logan.networks.dropout import drops_units
from logan.networks.hidden import class_logits, with_hidden
from logan.networks.spectral import begin_update
from logan.packing import packed
from logan.penalties.common import arguments_for
from logan.randomness import Draw, Purpose, drawing_from, mean_over_replicas, replica_of
from logan.terms import Compared, Term, Update

NEVER = -1  # value of `first_bad_step` as long as every loss was good
EXPLODED = 1e8  # a loss of that size is no better than one that is not finite
_ALWAYS_LOGGED = ("discriminator_loss", "generator_loss", "real_logits", "fake_logits")
_LOGGED_OF_SECOND = ("second_discriminator_loss", "second_real_logits", "second_fake_logits")


@dataclasses.dataclass(frozen=True)
class Batch:
    """A batch of data and what generator and encoder make of it, each made once.

    Attributes:
        compared: what D compares.
        second: what the second discriminator compares, if there is one.
        x: the data, in packs; None if they are the first of the real inputs of D.
        reconstruct: gives G(E(x)), in packs; None if terms are to make it of the real inputs of D.
    """

    compared: Compared
    second: Compared | None = None
    x: tf.Tensor | None = None
    reconstruct: Callable[[], tf.Tensor] | None = None

    def constant(self) -> "Batch":
        """The same without a gradient to what made it."""
        made = self.reconstruct
        return Batch(
            _constants(self.compared),
            None if self.second is None else _constants(self.second),
            self.x,
            None if made is None else lambda: tf.stop_gradient(made()),
        )


class AdversarialModel(NetworkGroup):
    """A discriminator and the networks against it, trained in turn by `fit`.

    Subclasses say what the discriminator compares (`compared`). Of one with a second discriminator
    `batch_of` says what that compares. Both have the same adversarial loss and are updated
    together; terms see the first alone, but for those of weights.

    A discriminator may say of itself, by attributes:
        looks_across_batch: true if an example's logit depends on the other examples; real and fake
            then go through it apart.
        begin_update: a method, called once before each of its updates, for state that must not
            change with every call. Without it that of each of its layers is called.
    A network with an attribute takes_labels that is true is called with `labels`, int64 [batch].

    Attributes:
        prior: what latents are drawn from: `uniform`, U[-1, 1] in each feature, or `normal`,
            N(0, 1) in each feature.
        terms: summands of the losses besides the adversarial one.
        discriminator_inputs: what D is given, of x and z.
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
    discriminator_inputs: ClassVar[tuple[str, ...]] = ("x", "z")
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
        packing: int = 1,
        generator_steps: int = 1,
        adversarial_weight: float = 1.0,
        instance_noise: float = 0.0,
        instance_noise_steps: int = 0,
        unroll: int = 0,
        unroll_rate: float = 0.01,
        unroll_gradient: bool = True,
        seed: int = 0,
        latent_length: int | None = None,
        second_discriminator: keras.Model | None = None,
        second_discriminator_weight: float = 1.0,
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
            packing: m samples that D sees as one input, all real or all fake, beside each other in
                their last axis (PacGAN, see `logan.packing`); x and z alike. D must have been made
                for that. A batch of n has n / m packs.
            generator_steps: updates of generator and encoder after those of D, with other z.
            adversarial_weight: of the adversarial loss in that of generator and encoder. 0 leaves
                them to their terms alone.
            instance_noise: σ >= 0. D sees real and fake x with normal noise of standard deviation
                σ·max(0, 1 - t/T) after t steps; penalties on D see x without it (C. Sønderby et
                al., "Amortised MAP inference for image super-resolution", ICLR 2017).
            instance_noise_steps: T, after which there is none.
            unroll: K steps of gradient descent that a copy of D makes on its adversarial loss, on
                the batch at hand, before generator and encoder meet it; D itself stays where it is
                (L. Metz, B. Poole, D. Pfau and J. Sohl-Dickstein, "Unrolled generative adversarial
                networks", ICLR 2017). Terms stay out of these steps, and terms of generator and
                encoder meet D as it is. D must have no state of its own.
            unroll_rate: η, their learning rate.
            unroll_gradient: whether generator and encoder see how they change these steps, which is
                the point; without it they meet a better trained D.
            seed: of every random draw in training.
            latent_length: features of z. Needed only where it cannot be told from the generator's
                attribute latent_length, its input, or what the encoder makes of the first batch.
            second_discriminator: another discriminator, of subclasses that have one. It excludes
                packing, instance noise and unrolling, which are of one discriminator.
            second_discriminator_weight: > 0, of its adversarial loss in that of generator and
                encoder.

        Raises:
            ValueError: on a setting out of range.
        """
        super().__init__(networks, discriminator, name, second_discriminator)
        _check_latent_length(latent_length, self.networks)
        if discriminator_steps < 1:
            raise ValueError(f"Expected discriminator_steps >= 1. Received: {discriminator_steps}")
        if not 0 <= average_decay < 1:
            raise ValueError(f"Expected average_decay in [0, 1). Received: {average_decay}")
        if not weight_clip >= 0:
            raise ValueError(f"Expected weight_clip >= 0. Received: {weight_clip}")
        _check_settings(
            packing, generator_steps, adversarial_weight, instance_noise, instance_noise_steps
        )
        if unroll < 0 or not unroll_rate > 0:
            raise ValueError(
                f"Expected unroll >= 0 and unroll_rate > 0. Received: {unroll} and {unroll_rate}"
            )
        if not second_discriminator_weight > 0:
            raise ValueError(
                f"Expected second_discriminator_weight > 0. Received: {second_discriminator_weight}"
            )
        if second_discriminator is not None:
            _check_goes_with_second(packing, instance_noise, unroll)
        if packing > 1 and _takes_labels(discriminator):
            raise ValueError(
                "Expected packing=1 with a discriminator that takes labels: a pack has several. "
                f"Received: packing={packing}"
            )
        self.loss_name = loss
        self._adversarial_loss = losses.get(loss)
        self.terms = _usable(terms, networks, discriminator, self.discriminator_inputs)
        self.weight_clip = weight_clip
        self.discriminator_steps = discriminator_steps
        self.average_decay = average_decay
        self.packing = packing
        self.generator_steps = generator_steps
        self.adversarial_weight = adversarial_weight
        self.instance_noise = instance_noise
        self.instance_noise_steps = instance_noise_steps
        self.unroll = unroll
        self.unroll_rate = unroll_rate
        self.unroll_gradient = unroll_gradient
        self.second_discriminator_weight = second_discriminator_weight
        self.seed = seed
        self.averages_step: int | None = None
        self.step = self._counter("step", 0)
        self.first_bad_step = self._counter("first_bad_step", NEVER)
        self._names_of_terms = _distinct_names(self.terms)
        of_second = () if second_discriminator is None else _LOGGED_OF_SECOND
        of_terms = [name for own in self._names_of_terms for name in own.values()]
        names = [*_ALWAYS_LOGGED, *of_second, *of_terms]
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

    def _make_states(self) -> list[dict[str, keras.Variable]]:
        """What each term keeps from update to update."""
        networks = self.networks

        def variable(name: str, shape: Sequence[int]) -> keras.Variable:
            return self.add_weight(
                shape=shape, dtype="float32", initializer="zeros", trainable=False, name=name
            )

        return [term.make_state(networks, variable) for term in self.terms]

    @property
    def sees_single_samples(self) -> bool:
        """Whether D's logit is a function of one sample."""
        return self.packing == 1 and not getattr(self.discriminator, "looks_across_batch", False)

    @property
    def discriminator_takes_labels(self) -> bool:
        """Whether D's logit is one of x and its class."""
        return _takes_labels(self.discriminator)

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
            if self.packing > 1:
                x = tf.repeat(x[:1], self.packing, axis=0)
            if any(map(_takes_labels, self.networks.values())):
                given = tf.zeros([len(x)], tf.int64) if labels is None else _example(labels)
                labels = given[: len(x)]
            if "encoder" in self.roles:
                encoded = self.made_by("encoder", x, labels, training=False)
                self._encoded_length = encoded.shape[-1]
            draw = Draw(self.seed, tf.zeros([], tf.int64))
            batch = self.batch_of(x, labels, draw, training=False)
            self.logits(batch.compared, labels, training=False)
            if batch.second is not None:
                self.logits(batch.second, labels, training=False, role="second_discriminator")
            self._finish_building()

    def _finish_building(self) -> None:
        _check_unrolled(self.discriminator if self.unroll else None)
        self._states = self._make_states()
        super()._finish_building()

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Builds all networks for what `call` gets: x, of that shape."""
        count, *shape = input_shape
        self.build_networks(tf.zeros([count or 2, *shape]))

    def compared(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        """What generator and encoder make of one batch of data, for the discriminator."""
        raise NotImplementedError

    def latents(self, count: tf.Tensor, draw: Draw) -> tf.Tensor:
        """The z of an update's generations, float32 [count, latent_length]."""
        return draw.latents(count, self.latent_length, self.prior)

    def made_by(
        self, role: str, inputs: tf.Tensor, labels: tf.Tensor | None, training: bool = True
    ) -> tf.Tensor:
        """The output of the network of that role, float32."""
        network = getattr(self, role)
        with naming_network(role, network), inlined(network):
            return as_float32(
                network(inputs, training=training, **self.labels_for(network, labels))
            )

    def _made_by_average(self, role: str, inputs: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """The output of the network of that role with its averaged weights, float32."""
        network = getattr(self, f"averaged_{role}")
        of_labels = self.labels_for(getattr(self, role), labels)
        return as_float32(network(inputs, training=False, **of_labels))

    def logits(
        self,
        compared: Compared,
        labels: tf.Tensor | None,
        weights: Sequence[tf.Tensor] | None = None,
        training: bool = True,
        role: str = "discriminator",
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """D's logits of the real and of the fake inputs, float32 [batch, 1] each.

        Both go through the discriminator as one batch, which keeps the matrix units busier, unless
        it looks across the batch. `weights` take the place of its trained ones. With the role
        `second_discriminator` they are that one's.
        """
        discriminator = getattr(self, role)

        def of(inputs: Sequence[tf.Tensor], labels: tf.Tensor | None) -> tf.Tensor:
            arguments = arguments_for(discriminator, inputs)
            of_labels = self.labels_for(discriminator, labels)
            with naming_network(role, discriminator), inlined(discriminator):
                if weights is None:
                    return as_float32(discriminator(*arguments, training=training, **of_labels))
                others = [one.value for one in discriminator.non_trainable_variables]
                logits, _ = discriminator.stateless_call(
                    weights, others, *arguments, training=training, **of_labels
                )
                return as_float32(logits)

        if getattr(discriminator, "looks_across_batch", False):
            return of(compared.real, labels), of(compared.fake, labels)
        joined = [tf.concat(pair, axis=0) for pair in zip(*compared, strict=True)]
        both = of(joined, None if labels is None else tf.concat([labels, labels], axis=0))
        return tf.split(both, [tf.shape(compared.real[0])[0], tf.shape(compared.fake[0])[0]])

    @staticmethod
    def labels_for(network: Any, labels: tf.Tensor | None) -> dict[str, tf.Tensor]:
        """The keyword argument of a network that takes labels.

        Raises:
            ValueError: if it does and there are none.
        """
        if not _takes_labels(network):
            return {}
        if labels is None:
            raise ValueError(f"Expected batches (x, labels) for {network.name}. Received: x alone")
        return {"labels": labels}

    def fit(self, x: Any = None, *data: Any, **settings: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`; the first batch is checked, see `logan.models.checks`.

        Raises:
            ValueError: on data or networks that do not fit together.
        """
        if self.checks_first_batch:
            check_data(x, data[0] if data else settings.get("y"), self.networks.values())
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
            with drawing_from(draw):
                self._update_discriminators(self.batch_of(x, labels, draw), labels, draw)
        x, labels = parts[-1]
        last_update = first_update + self.discriminator_steps - 1
        draw = Draw(self.seed, last_update)
        with drawing_from(draw), tf.GradientTape() as tape:
            batch = self.batch_of(x, labels, draw)
            logs = self._update_discriminators(batch, labels, draw)
            loss, term_logs = self._loss_of_others(batch, labels, draw)
            share, scale = self._share(loss, self.roles)
        self._apply(self.roles, tape, share, scale)
        for repeat in range(1, self.generator_steps):
            draw = Draw(self.seed, last_update, repeat)
            with drawing_from(draw), tf.GradientTape() as tape:
                batch = self.batch_of(x, labels, draw)
                loss, term_logs = self._loss_of_others(batch, labels, draw)
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
            _check_multiple(
                x, count, f"Expected batches of a multiple of discriminator_steps={count}"
            )
        labels = self.labels_of(x, labels)
        of_labels = [None] * count if labels is None else tf.split(labels, count)
        return zip(tf.split(x, count), of_labels, strict=True)

    def batch_of(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Batch:
        """What an update makes of one batch of data."""
        return Batch(self.packs(x, labels, draw, training))

    def labels_of(self, x: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor | None:
        """The labels of a batch that networks are called with: those that came with it.

        Args:
            x: float32 [batch, ...].
            labels: integers [batch], or None.
        """
        del x
        return labels

    def packs(
        self, x: tf.Tensor, labels: tf.Tensor | None, draw: Draw, training: bool = True
    ) -> Compared:
        """What D compares of one batch, in packs."""
        compared = self.compared(x, labels, draw, training)
        if self.packing == 1:
            return compared
        _check_multiple(
            x,
            self.packing,
            "Expected batches, or their part for each update of D, of a multiple of "
            f"packing={self.packing}",
        )
        return Compared(
            *(tuple(packed(each, self.packing) for each in inputs) for inputs in compared)
        )

    def _noisy(self, compared: Compared, draw: Draw) -> Compared:
        """The same with instance noise on x."""
        if not self.instance_noise:
            return compared
        (real, *of_real), (fake, *of_fake) = compared
        share = tf.cast(self.step.value, tf.float32) / self.instance_noise_steps
        sigma = self.instance_noise * tf.maximum(0.0, 1.0 - share)
        noise = draw.normal(tf.concat([real, fake], axis=-1), Purpose.INSTANCE_NOISE)
        on_real, on_fake = tf.split(sigma * noise, 2, axis=-1)
        return Compared((real + on_real, *of_real), (fake + on_fake, *of_fake))

    def _loss_of_others(
        self, batch: Batch, labels: tf.Tensor | None, draw: Draw
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """What generator and encoder minimise, and what their terms log."""
        summand, logs = self._sum_of_terms("generator", batch, labels, draw)
        noisy = self._noisy(batch.compared, draw)
        weights = self._unrolled(noisy, labels) if self.unroll else None
        loss = self._adversarial_loss(*self.logits(noisy, labels, weights)).generator
        if self.adversarial_weight != 1.0:
            loss *= self.adversarial_weight
        if batch.second is not None:
            logits = self.logits(batch.second, labels, role="second_discriminator")
            of_second = self._adversarial_loss(*logits).generator
            loss += self.second_discriminator_weight * of_second
        return loss + summand, logs

    def _unrolled(self, compared: Compared, labels: tf.Tensor | None) -> list[tf.Tensor]:
        """D's weights after `unroll` steps θ ← θ - η ∂L_D/∂θ on its adversarial loss."""
        if not self.unroll_gradient:
            compared = _constants(compared)
        weights = [tf.convert_to_tensor(one) for one in self.discriminator.trainable_variables]
        for _ in range(self.unroll):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                logits = self.logits(compared, labels, weights)
                loss = self._adversarial_loss(*logits).discriminator
            # Terms, which may have weights of their own, stay out of this loss.
            gradients = tape.gradient(
                loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            weights = [
                weight - self.unroll_rate * gradient
                for weight, gradient in zip(weights, gradients, strict=True)
            ]
        return weights

    def _update_discriminators(
        self, batch: Batch, labels: tf.Tensor | None, draw: Draw
    ) -> dict[str, tf.Tensor]:
        """One update of D, and of the second discriminator if there is one; what they log."""
        batch, roles = batch.constant(), self.discriminator_roles
        for role in roles:
            begin_update(getattr(self, role))
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.logits(self._noisy(batch.compared, draw), labels)
            summand, logs = self._sum_of_terms(
                "discriminator", batch, labels, draw, (real_logits, fake_logits)
            )
            loss = self._adversarial_loss(real_logits, fake_logits).discriminator + summand
            total = loss
            if batch.second is not None:
                of_second, logs_of_second = self._loss_of_second(batch.second, labels)
                total, logs = loss + of_second, logs | logs_of_second
            share, scale = self._share(total, roles)
        self._apply(roles, tape, share, scale)
        if self.weight_clip:
            for weights in (w for role in roles for w in getattr(self, role).trainable_variables):
                weights.assign(tf.clip_by_value(weights, -self.weight_clip, self.weight_clip))
        return {
            **logs,
            "discriminator_loss": loss,
            "real_logits": tf.reduce_mean(real_logits),
            "fake_logits": tf.reduce_mean(fake_logits),
        }

    def _loss_of_second(
        self, compared: Compared, labels: tf.Tensor | None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """What the second discriminator minimises, and what it logs."""
        real, fake = self.logits(compared, labels, role="second_discriminator")
        loss = self._adversarial_loss(real, fake).discriminator
        values = (loss, tf.reduce_mean(real), tf.reduce_mean(fake))
        return loss, dict(zip(_LOGGED_OF_SECOND, values, strict=True))

    def _sum_of_terms(
        self,
        side: str,
        batch: Batch,
        labels: tf.Tensor | None,
        draw: Draw,
        logits: tuple[tf.Tensor, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        """The sum of one side's terms, and what they log."""
        of_labels = self.labels_for(self.discriminator, labels)
        compared = batch.compared
        update = Update(
            discriminator=lambda *inputs: self.discriminator_in_float32(*inputs, **of_labels),
            networks={
                role: lambda inputs, role=role: self.made_by(role, inputs, labels)
                for role in self.roles
            },
            compared=compared,
            labels=labels,
            draw=draw,
            side=side,
            logits=logits,
            with_hidden=lambda *inputs: with_hidden(self.discriminator, inputs, **of_labels),
            class_logits=lambda *inputs: class_logits(self.discriminator, inputs),
            variables={
                role: network.trainable_variables for role, network in self.networks.items()
            },
            step=self.step.value,
            packing=self.packing,
            latents=lambda: self.latents(tf.shape(compared.fake[0])[0] * self.packing, draw),
            averaged={
                role: lambda inputs, role=role: self._made_by_average(role, inputs, labels)
                for role in self.roles
            },
            data=batch.x,
            made=batch.reconstruct,
        )
        total: tf.Tensor | float = 0.0
        logs: dict[str, tf.Tensor] = {}
        parts = zip(self.terms, self._names_of_terms, self._states, strict=True)
        for term, names, state in parts:
            if term.side in (side, "both"):
                summand, own = term(dataclasses.replace(update, state=state) if state else update)
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
        watched = ("discriminator_loss", "generator_loss", "second_discriminator_loss")
        losses = mean_over_replicas(tf.stack([logs[name] for name in watched if name in logs]))
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
            "packing": self.packing,
            "generator_steps": self.generator_steps,
            "adversarial_weight": self.adversarial_weight,
            "instance_noise": self.instance_noise,
            "instance_noise_steps": self.instance_noise_steps,
            "unroll": self.unroll,
            "unroll_rate": self.unroll_rate,
            "unroll_gradient": self.unroll_gradient,
            **self._config_of_second(),
            "seed": self.seed,
            "name": self.name,
            **({} if self._given_latent_length is None else dict(latent_length=self.latent_length)),
        }

    def _config_of_second(self) -> dict[str, Any]:
        if self.second_discriminator is None:
            return {}
        return {"second_discriminator_weight": self.second_discriminator_weight}


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


def _check_multiple(x: tf.Tensor, count: int, text: str) -> None:
    """Refuses a batch that cannot be divided by the count; in a graph once its size is known."""
    size = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
    tf.debugging.assert_equal(size % count, 0, text)


def _constants(compared: Compared) -> Compared:
    """The same without a gradient to what made it."""
    return Compared(*(tuple(map(tf.stop_gradient, inputs)) for inputs in compared))


def _check_unrolled(discriminator: keras.Model | None) -> None:
    """Raises ValueError on a discriminator to unroll that has a state."""
    if discriminator and (discriminator.non_trainable_variables or drops_units(discriminator)):
        raise ValueError(
            "Expected a discriminator without dropout and without a state, such as that of "
            "spectral normalization, to unroll: each of its inner steps would be another function. "
            f"Received: {discriminator.name}"
        )


def _check_settings(
    packing: int,
    generator_steps: int,
    adversarial_weight: float,
    instance_noise: float,
    instance_noise_steps: int,
) -> None:
    """Raises ValueError naming the first setting that is out of range."""
    for is_wrong, expected, value in (
        (packing < 1, "packing >= 1", packing),
        (generator_steps < 1, "generator_steps >= 1", generator_steps),
        (not adversarial_weight >= 0, "adversarial_weight >= 0", adversarial_weight),
        (not instance_noise >= 0, "instance_noise >= 0", instance_noise),
        (instance_noise > 0 and instance_noise_steps < 1, "instance_noise_steps >= 1 with noise",
         instance_noise_steps),
    ):  # fmt: skip
        if is_wrong:
            raise ValueError(f"Expected {expected}. Received: {value}")


def _check_goes_with_second(packing: int, instance_noise: float, unroll: int) -> None:
    """Raises ValueError naming the first setting that is of one discriminator alone."""
    for is_wrong, expected, value in (
        (packing > 1, "packing=1", packing),
        (instance_noise > 0, "instance_noise=0", instance_noise),
        (unroll > 0, "unroll=0", unroll),
    ):
        if is_wrong:
            raise ValueError(
                f"Expected {expected} with a second discriminator, which sees other inputs. "
                f"Received: {value}"
            )


def _usable(
    given: Sequence[Term | str],
    roles: Collection[str],
    discriminator: keras.Model,
    inputs: Sequence[str],
) -> tuple[Term, ...]:
    """The terms of a weight above 0.

    Raises:
        ValueError: if one does not go with these networks.
    """
    made = tuple(term for term in map(terms.get, given) if term.weight)
    for term in made:
        term.check(roles, discriminator)
        term.check_inputs(inputs)
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
