"""The training step that every adversarial model here shares.

Each batch: the discriminator's step, then one step of the players (generator and encoder) against
the discriminator as it is after its step, as in the paper's code. The players' outputs are computed
once and serve both.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from logan.losses import ADVERSARIAL_LOSSES
from logan.penalties import gradient_norm
from logan.penalties.common import arguments_for
from logan.randomness import Purpose, key, latents, replica_of, uniform

NEVER = -1  # value of `first_bad_step` as long as every loss was good
EXPLODED = 1e8  # a loss of that size is no better than one that is not finite


class Play(NamedTuple):
    """What the discriminator compares, each a tuple of its positional inputs.

    Attributes:
        real: inputs that it shall call true.
        fake: inputs that it shall call false.
    """

    real: tuple[tf.Tensor, ...]
    fake: tuple[tf.Tensor, ...]


class Draw:
    """The random draws of one discriminator update: a pure function of seed and update.

    Under a distribution strategy every replica draws for the whole batch and keeps its own rows, so
    that the draws of a step do not depend on how many share it.
    """

    def __init__(self, seed: int, update: tf.Tensor):
        self._seed = seed
        self._update = update
        self._replica, self._replicas = replica_of()

    def rows(
        self, draw: Callable[..., tf.Tensor], count: tf.Tensor, *purposes: Purpose
    ) -> tf.Tensor:
        """This replica's rows of what is drawn for all.

        Args:
            draw: maps a key for each purpose and a count to a tensor [count, ...].
            count: rows of this replica.
            purposes: what the draws are for.
        """
        keys = [key(self._seed, self._update, purpose) for purpose in purposes]
        if self._replicas == 1:
            return draw(*keys, count)
        drawn = draw(*keys, count * self._replicas)
        first = count * self._replica
        return drawn[first : first + count]

    def latents(self, count: tf.Tensor, latent_length: int) -> tf.Tensor:
        """Draws of the prior, float32 [count, latent_length]."""
        return self.rows(lambda k, n: latents(k, n, latent_length), count, Purpose.LATENT)

    def epsilon(self, count: tf.Tensor) -> tf.Tensor:
        """Places between the ends of pairs, float32 [count] in [0, 1)."""
        return self.rows(lambda k, n: uniform(k, [n]), count, Purpose.INTERPOLATION)


def default_optimizer() -> keras.optimizers.Optimizer:
    """The paper's: Adam with learning rate 1e-4, β 0.5 and 0.9."""
    return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9)


class AdversarialModel(keras.Model):
    """A discriminator and its players, trained in turn by `fit`.

    Subclasses say what the discriminator compares (`play`) and may add to its loss
    (`discriminator_penalty`) and to the players' (`players_penalty`).

    Attributes:
        judge_in_float32: the discriminator's logits, computed in float32 whatever its precision.
        step: finished training steps, int64 scalar variable.
        first_bad_step: the first step, counted from 1, with a loss that was not finite or beyond
            `EXPLODED`, or `NEVER`.
    """

    def __init__(
        self,
        players: dict[str, keras.Model],
        discriminator: keras.Model,
        *,
        loss: str,
        discriminator_steps: int,
        average_decay: float,
        seed: int,
        name: str,
        gradient_penalty_weight: float = 0.0,
        weight_clip: float = 0.0,
    ):
        """Builds the model.

        Args:
            players: what is trained against the discriminator, by role.
            discriminator: D.
            loss: a name from `logan.losses.ADVERSARIAL_LOSSES`.
            discriminator_steps: updates of D for each one of the players. A batch is split into
                as many parts, one for each update.
            average_decay: weight of the past in the exponential moving average of the players'
                weights, in [0, 1).
            seed: of every random draw in training.
            name: the model's name.
            gradient_penalty_weight: >= 0, of `logan.penalties.gradient_penalty`, WGAN-GP's.
            weight_clip: c > 0 keeps the discriminator's weights in [-c, c], as WGAN does; 0 leaves
                them alone.

        Raises:
            ValueError: on a setting out of range.
        """
        super().__init__(name=name)
        if loss not in ADVERSARIAL_LOSSES:
            raise ValueError(
                f"Expected loss to be one of {sorted(ADVERSARIAL_LOSSES)}. Received: {loss!r}"
            )
        if discriminator_steps < 1:
            raise ValueError(f"Expected discriminator_steps >= 1. Received: {discriminator_steps}")
        if not 0 <= average_decay < 1:
            raise ValueError(f"Expected average_decay in [0, 1). Received: {average_decay}")
        check_not_negative(gradient_penalty_weight=gradient_penalty_weight, weight_clip=weight_clip)
        self.discriminator = discriminator
        self.gradient_penalty_weight = gradient_penalty_weight
        self.weight_clip = weight_clip
        self.loss_name = loss
        self.discriminator_steps = discriminator_steps
        self.average_decay = average_decay
        self.seed = seed
        self._roles = tuple(players)
        for role, network in players.items():
            setattr(self, role, network)
            setattr(self, f"averaged_{role}", _twin(network))
        self.step = self._counter("step", 0)
        self.first_bad_step = self._counter("first_bad_step", NEVER)
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self.log_names()}
        self.judge_in_float32 = _in_float32(discriminator)
        self.built = True

    def _counter(self, name: str, start: int) -> keras.Variable:
        return self.add_weight(
            shape=(),
            dtype="int64",
            initializer=keras.initializers.Constant(start),
            trainable=False,
            name=name,
        )

    # What a subclass provides.

    def play(self, x: tf.Tensor, draw: Draw) -> Play:
        """The players' move on one batch of data."""
        raise NotImplementedError

    def discriminator_penalty(
        self, play: Play, draw: Draw
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        """A scalar to add to the discriminator's loss, and what to log of it."""
        if not self.gradient_penalty_weight:
            return 0.0, {}
        slope = gradient_norm(
            self.judge_in_float32,
            play.real,
            play.fake,
            epsilon=draw.epsilon(tf.shape(play.real[0])[0]),
        )
        penalty = tf.reduce_mean(tf.square(slope - 1.0))
        return self.gradient_penalty_weight * penalty, {
            "penalty": penalty,
            "gradient_slope": tf.reduce_mean(slope),
        }

    def players_penalty(self, play: Play) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        """A scalar to add to the players' loss, and what to log of it."""
        return 0.0, {}

    def log_names(self) -> list[str]:
        """Names of the logged means over the batches of an interval."""
        names = ["discriminator_loss", "generator_loss", "real_logits", "fake_logits"]
        return [*names, "penalty", "gradient_slope"] if self.gradient_penalty_weight else names

    # Training.

    @property
    def roles(self) -> tuple[str, ...]:
        """What the players are called, such as generator and encoder."""
        return self._roles

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers.values())

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """By role, the discriminator's last. Empty before `compile`."""
        roles = (*self._roles, "discriminator")
        names = {role: f"{role}_optimizer" for role in roles}
        return {role: getattr(self, name) for role, name in names.items() if hasattr(self, name)}

    def compile_with(
        self, optimizers: dict[str, keras.optimizers.Optimizer | None], **settings: Any
    ) -> None:
        """Takes one optimizer for each role and builds it; the rest as `keras.Model.compile`."""
        if "optimizer" in settings:
            expected = ", ".join(f"{role}_optimizer" for role in optimizers)
            raise ValueError(
                f"Expected one optimizer for each network, {expected}. Received: optimizer"
            )
        super().compile(optimizer=None, **settings)
        for role in (*self._roles, "discriminator"):
            optimizer = keras.optimizers.get(optimizers.get(role) or default_optimizer())
            network = getattr(self, role)
            if network.compute_dtype == "float16" and not _scales_loss(optimizer):
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            optimizer.build(network.trainable_variables)
            setattr(self, f"{role}_optimizer", optimizer)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
            **{
                f"{role}_optimizer": keras.saving.serialize_keras_object(optimizer)
                for role, optimizer in self.optimizers.items()
            },
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(
            **{
                name: keras.saving.deserialize_keras_object(value)
                if name.endswith("_optimizer")
                else value
                for name, value in config.items()
            }
        )

    def make_train_function(self, force: bool = False) -> None:
        """As in Keras, but for several machines, where its own function fails.

        It would gather what each worker logs over an axis that scalars have not
        (tensorflow#72388); each number is the same on all of them anyway.
        """
        strategy = self.distribute_strategy
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            super().make_train_function(force)
            return
        if getattr(self, "train_function", None) is not None and not force:
            return

        @tf.function
        def step(iterator: Any) -> dict[str, tf.Tensor]:
            logs = strategy.run(self.train_step, args=(next(iterator),))
            return {
                name: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
                for name, value in logs.items()
            }

        self.train_function: Any = step

    def judge(self, play: Play) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits of the real and of the fake inputs, float32 [batch, 1] each.

        Both go through the discriminator as one batch, which keeps the matrix units busier. So a
        batch normalization in it would see them mixed.
        """
        joined = [tf.concat(pair, axis=0) for pair in zip(play.real, play.fake, strict=True)]
        arguments = arguments_for(self.discriminator, joined)
        logits = tf.cast(self.discriminator(*arguments, training=True), tf.float32)
        return tf.split(logits, [tf.shape(play.real[0])[0], tf.shape(play.fake[0])[0]])

    def train_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of the players after `discriminator_steps` of the discriminator.

        Args:
            data: real samples x, floating [batch, ...], or a tuple that begins with them; batch a
                multiple of discriminator_steps.

        Returns:
            The means so far of what is logged, by name.
        """
        adversarial_loss = ADVERSARIAL_LOSSES[self.loss_name]
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        x = tf.convert_to_tensor(x)
        if not x.dtype.is_floating:
            raise ValueError(f"Expected floating samples x. Received: {x.dtype.name}")
        x = tf.cast(x, tf.float32)
        if self.discriminator_steps > 1:
            count = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
            tf.debugging.assert_equal(
                count % self.discriminator_steps,
                0,
                f"Expected batches of a multiple of discriminator_steps={self.discriminator_steps}",
            )
        parts = tf.split(x, self.discriminator_steps)
        first_update = self.step.value * self.discriminator_steps
        for index, part in enumerate(parts[:-1]):
            draw = Draw(self.seed, first_update + index)
            self._update_discriminator(self.play(part, draw), draw)
        draw = Draw(self.seed, first_update + self.discriminator_steps - 1)
        with tf.GradientTape() as tape:
            play = self.play(parts[-1], draw)
            logs = self._update_discriminator(play, draw)
            penalty, players_logs = self.players_penalty(play)
            loss = adversarial_loss(*self.judge(play)).generator + penalty
            scaled = self._scaled(loss, self._roles[0])
        self._apply(self._roles, tape, scaled)
        self._finish_step({**logs, **players_logs, "generator_loss": loss})
        return self.get_metrics_result()

    def test_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """Refused: adversarial losses do not tell how good samples are.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "Expected training by fit, without validation data: adversarial losses do not tell how "
            "good samples are. Measure those of the averaged networks by logan.metrics"
        )

    def _update_discriminator(self, play: Play, draw: Draw) -> dict[str, tf.Tensor]:
        play = Play(*(tuple(map(tf.stop_gradient, inputs)) for inputs in play))
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.judge(play)
            penalty, logs = self.discriminator_penalty(play, draw)
            loss = ADVERSARIAL_LOSSES[self.loss_name](real_logits, fake_logits).discriminator
            loss += penalty
            scaled = self._scaled(loss, "discriminator")
        self._apply(("discriminator",), tape, scaled)
        self._clip_discriminator()
        return {
            **logs,
            "discriminator_loss": loss,
            "real_logits": tf.reduce_mean(real_logits),
            "fake_logits": tf.reduce_mean(fake_logits),
        }

    def _scaled(self, loss: tf.Tensor, role: str) -> tf.Tensor:
        """This replica's share of the loss, times the loss scale of float16's optimizers.

        Gradients of all replicas are summed.
        """
        optimizer = self.optimizers[role]
        share = loss / replica_of()[1]
        return optimizer.scale_loss(share) if _scales_loss(optimizer) else share

    def _apply(self, roles: Sequence[str], tape: tf.GradientTape, loss: tf.Tensor) -> None:
        """One update of these roles by the gradients of a loss scaled for the first of them."""
        variables = [getattr(self, role).trainable_variables for role in roles]
        first = self.optimizers[roles[0]]
        for role, weights, gradients in zip(
            roles, variables, tape.gradient(loss, variables), strict=True
        ):
            if not weights:  # all frozen
                continue
            optimizer = self.optimizers[role]
            if role != roles[0] and _scales_loss(optimizer):
                # Each optimizer has a scale of its own and will divide by that.
                ratio = optimizer.dynamic_scale / first.dynamic_scale
                gradients = [gradient * ratio for gradient in gradients]
            optimizer.apply_gradients(zip(gradients, weights, strict=True))

    def _clip_discriminator(self) -> None:
        if self.weight_clip:
            for weights in self.discriminator.trainable_variables:
                weights.assign(tf.clip_by_value(weights, -self.weight_clip, self.weight_clip))

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
        self._update_averages()

    def _update_averages(self) -> None:
        """The averages follow quickly at first: decay min(d, (1 + t) / (10 + t)) after t steps."""
        steps = tf.cast(self.step.value, tf.float32)
        decay = tf.minimum(self.average_decay, (1.0 + steps) / (10.0 + steps))
        for role in self._roles:
            current, averaged = getattr(self, role), getattr(self, f"averaged_{role}")
            for value, average in zip(current.weights, averaged.weights, strict=True):
                if tf.as_dtype(value.dtype).is_floating:
                    value = average + (1.0 - decay) * (value - average)
                average.assign(value)

    # Saving.

    def network_configs(self) -> dict[str, Any]:
        return {
            role: keras.saving.serialize_keras_object(getattr(self, role))
            for role in (*self._roles, "discriminator")
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **self.network_configs(),
            "loss": self.loss_name,
            "discriminator_steps": self.discriminator_steps,
            "average_decay": self.average_decay,
            "gradient_penalty_weight": self.gradient_penalty_weight,
            "weight_clip": self.weight_clip,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "AdversarialModel":
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value, custom_objects)
                if isinstance(value, dict)
                else value
                for name, value in config.items()
            }
        )


def latent_length_of(generator: keras.Model) -> int:
    """How many features its z has: its attribute latent_length, or else its input's length."""
    length = getattr(generator, "latent_length", None)
    return int(generator.input_shape[-1] if length is None else length)


def _twin(network: keras.Model) -> keras.Model:
    """A copy with the same weights that training does not touch: for averages.

    Raises:
        ValueError: if Keras cannot make one.
    """
    config = network.get_config()
    try:
        twin = type(network).from_config({**config, "name": f"averaged_{network.name}"})
        twin.set_weights(network.get_weights())
    except (TypeError, ValueError) as error:
        raise ValueError(
            "Expected networks that can be made again by from_config(get_config()), with all their "
            f"weights. Received: {network.name}, {type(network).__name__}: {error}"
        ) from error
    twin.trainable = False
    return twin


def _in_float32(discriminator: keras.Model) -> Callable[..., tf.Tensor]:
    """The discriminator's logits without 16-bit rounding: what penalties differentiate.

    Slopes of 16-bit numbers vanish (float16) or lose their digits (bfloat16).
    """
    if not _has_16_bits(discriminator):
        return lambda *inputs: discriminator(*arguments_for(discriminator, inputs), training=True)
    twin = type(discriminator).from_config(
        {**_with_float32(discriminator.get_config()), "dtype": "float32"}
    )
    if _has_16_bits(twin):
        raise ValueError(
            "Expected a discriminator whose layers compute in float32 when its configuration says "
            f"so. Received: {discriminator.name}, {type(discriminator).__name__}"
        )

    def judge(*inputs: tf.Tensor) -> tf.Tensor:
        logits, _ = twin.stateless_call(
            [variable.value for variable in discriminator.trainable_variables],
            [variable.value for variable in discriminator.non_trainable_variables],
            *arguments_for(twin, inputs),
            training=True,
        )
        return logits

    return judge


def _has_16_bits(layer: keras.layers.Layer) -> bool:
    """Whether it or any layer in it computes in 16 bits."""
    return layer.compute_dtype in ("float16", "bfloat16") or any(
        map(_has_16_bits, getattr(layer, "layers", []))
    )


def _with_float32(config: Any) -> Any:
    """A configuration in which all layers, however deep, have the policy float32."""
    if isinstance(config, list):
        return [_with_float32(item) for item in config]
    if not isinstance(config, dict):
        return config
    return {
        name: "float32" if name == "dtype" and _is_policy(value) else _with_float32(value)
        for name, value in config.items()
    }


def _is_policy(value: Any) -> bool:
    return isinstance(value, dict) or "float16" in str(value)


def _mean_over_replicas(values: Sequence[tf.Tensor]) -> tf.Tensor:
    """The scalars' means, stacked."""
    stacked = tf.stack(values)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return stacked
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, stacked)


def _scales_loss(optimizer: keras.optimizers.Optimizer) -> bool:
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


def check_not_negative(**settings: float) -> None:
    """Raises ValueError naming the first setting that is below 0 or NaN."""
    for name, value in settings.items():
        if not value >= 0:
            raise ValueError(f"Expected {name} >= 0. Received: {value}")
