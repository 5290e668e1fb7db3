"""Networks by role in one Keras model: an optimizer for each, averages, saving."""

import inspect
import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from logan.keras_settings import check_floatx
from logan.models.averages import AveragedNetwork
from logan.models.optimizers import Optimizers, build_for, check_settings, default_optimizer
from logan.models.own_networks import check_can_be_saved, described
from logan.models.precision import needs_loss_scale, with_loss_scale

NO_VALIDATION = (
    "Expected training by fit, without validation data: adversarial losses do not tell how "
    "good samples are. Measure those of the averaged networks by logan.metrics"
)


class _StopOnBadLoss(keras.callbacks.Callback):
    """What `TerminateOnNaN` does for a model whose losses are not called `loss`."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        for name, value in (logs or {}).items():
            if name.endswith("loss") and not np.isfinite(value):
                print(f"Batch {batch}: {name} is {float(value)}, terminating training")
                self.model.stop_training = True


class NetworkGroup(keras.Model):
    """A discriminator and the networks that are trained against it.

    Networks that are not built yet are built by the first batch that `fit`, `train_on_batch` or a
    call of the model gets, and the averages and optimizers with them. Until then the model has no
    weights of theirs.

    Attributes:
        discriminator: D.
        second_discriminator: another one, of models that have two; else None.
        generator, encoder: the others, those of them that there are.
        averaged_generator, averaged_encoder: the same networks computed with averages of their
            weights, `AveragedNetwork`.
    """

    second_discriminator: keras.Model | None = None

    def __init__(
        self,
        networks: dict[str, keras.Model],
        discriminator: keras.Model,
        name: str,
        second_discriminator: keras.Model | None = None,
    ):
        """Takes the networks by role.

        Raises:
            ValueError: if one of them is no Keras model, or the same as another, or Keras's floatx
                is not float32.
        """
        check_floatx()
        # In float32 whatever Keras's global policy: each network has a precision of its own.
        super().__init__(name=name, dtype="float32", autocast=False)
        against = {"discriminator": discriminator}
        if second_discriminator is not None:
            against = {"second_discriminator": second_discriminator, **against}
        _check_networks({**networks, **against})
        for role, network in against.items():
            setattr(self, role, network)
        self._roles = tuple(networks)
        self._discriminator_roles = tuple(against)
        self._scales_loss = True
        self._example_shape: tuple[int | None, ...] | None = None
        for role, network in networks.items():
            setattr(self, role, network)
            setattr(self, f"averaged_{role}", AveragedNetwork(network, role))

    @property
    def roles(self) -> tuple[str, ...]:
        """What the networks against D are called: generator, encoder."""
        return self._roles

    @property
    def discriminator_roles(self) -> tuple[str, ...]:
        """What the discriminators are called, `discriminator` last."""
        return self._discriminator_roles

    @property
    def networks(self) -> dict[str, keras.Model]:
        """All networks by role, the discriminator's last."""
        return {role: getattr(self, role) for role in (*self._roles, *self._discriminator_roles)}

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """By role, the discriminator's last. Empty before `compile`."""
        names = {role: f"{role}_optimizer" for role in self.networks}
        return {role: getattr(self, name) for role, name in names.items() if hasattr(self, name)}

    @property
    def example_shape(self) -> tuple[int | None, ...]:
        """Shape of one x.

        Raises:
            ValueError: if the model was neither called nor fit.
        """
        if self._example_shape is None:
            raise ValueError(
                f"Expected {self.name} to have been called, or fit, which tells the shape of x. "
                "Received: neither"
            )
        return self._example_shape

    # Building.

    def build_networks(self, x: Any, labels: Any = None) -> None:
        """Calls all networks on an example, in inference mode, which builds those that are not.

        Args:
            x: floating [batch, ...].
            labels: integers [batch], for networks that take them.
        """
        raise NotImplementedError

    def _finish_building(self) -> None:
        """Makes what needs the networks' weights: averages and the optimizers' variables."""
        for role in self._roles:
            averaged = getattr(self, f"averaged_{role}")
            if not averaged.built:
                averaged.build()
        self.built = True
        if self.optimizers:
            self._build_optimizers()

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Builds by the first batch what is not built yet.

        Keras would average the parts of a batch for it, which on several machines fails with the
        tuples that `logan.distribution.split` hands out.
        """
        if self.built:
            return
        if iterator is not None:
            for _, _, batches in iterator:
                data_batch = next(batches)
                break
        strategy = self.distribute_strategy
        local = keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], data_batch
        )
        x, labels, _ = keras.utils.unpack_x_y_sample_weight(local)
        with strategy.scope():
            self.build_networks(x, labels)

    # Training.

    def compile(self, optimizer: Any = None, **settings: Any) -> None:
        """As `keras.Model.compile` with one optimizer for each network.

        Args:
            optimizer: refused, there is one for each network.
            **settings: `generator_optimizer`, `encoder_optimizer`, `discriminator_optimizer`, each
                an optimizer or its name, by default Adam with learning rate 1e-4 and β 0.5 and
                0.9; `run_eagerly`, `steps_per_execution`, `jit_compile` and `auto_scale_loss` as
                in Keras. With `auto_scale_loss`, the default, gradients that pass through float16
                are those of a scaled loss, and a step in which they overflow is left out.

        Raises:
            ValueError: on one optimizer for all or for two, on a loss, or on metrics.
        """
        check_settings(self.networks, {"optimizer": optimizer, **settings})
        given = {role: settings.pop(f"{role}_optimizer", None) for role in self.networks}
        made = {
            role: keras.optimizers.get(one or default_optimizer()) for role, one in given.items()
        }
        seen_as_one = Optimizers(made)
        self._scales_loss = settings.get("auto_scale_loss", True)
        super().compile(optimizer=None, **settings)
        self.optimizer = seen_as_one
        for role, one in made.items():
            setattr(self, f"{role}_optimizer", one)
        if self.built:
            self._build_optimizers()

    def _build_optimizers(self) -> None:
        for role, network in self.networks.items():
            optimizer = self.optimizers[role]
            # Gradients of generator and encoder come through the discriminators and each other.
            passed = [network] if role in self._discriminator_roles else self.networks.values()
            if self._scales_loss and needs_loss_scale(passed):
                optimizer = with_loss_scale(optimizer)
                setattr(self, f"{role}_optimizer", optimizer)
            build_for(role, network, optimizer)
        self.optimizer = Optimizers(self.optimizers)

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {
            "run_eagerly": self.run_eagerly,
            "jit_compile": self.jit_compile,
            "steps_per_execution": self.steps_per_execution,
            "auto_scale_loss": self._scales_loss,
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
        if self.run_eagerly or self.steps_per_execution > 1:
            raise ValueError(
                "Expected run_eagerly=False and steps_per_execution=1 on several machines. "
                f"Received: {self.run_eagerly} and {self.steps_per_execution}"
            )

        @tf.function
        def step(iterator: Any) -> dict[str, tf.Tensor]:
            logs = strategy.run(self.train_step, args=(next(iterator),))
            return {
                name: strategy.reduce(tf.distribute.ReduceOp.MEAN, value, axis=None)
                for name, value in logs.items()
            }

        self.train_function: Any = step

    def fit(self, *data: Any, **settings: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`, on x or on (x, labels), without validation data.

        `TerminateOnNaN` watches all losses that are logged.

        Raises:
            NotImplementedError: on validation data.
            ValueError: on weights of samples or classes.
        """
        given = inspect.signature(super().fit).bind(*data, **settings).arguments
        if given.get("validation_data") is not None or given.get("validation_split"):
            raise NotImplementedError(NO_VALIDATION)
        for name in ("sample_weight", "class_weight"):
            if given.get(name) is not None:
                raise ValueError(f"Expected all samples to weigh the same. Received: {name}")
        callbacks = given.get("callbacks")
        if isinstance(callbacks, keras.callbacks.Callback):
            callbacks = [callbacks]
        if isinstance(callbacks, list | tuple) and any(
            isinstance(one, keras.callbacks.TerminateOnNaN) for one in callbacks
        ):
            given["callbacks"] = [_StopOnBadLoss(), *callbacks]
        return super().fit(**given)

    # Saving.

    def network_configs(self) -> dict[str, Any]:
        """The networks' configurations, by role.

        Raises:
            ValueError: if one of them could not be loaded again.
        """
        for role, network in self.networks.items():
            check_can_be_saved(role, network)
        return {
            role: keras.saving.serialize_keras_object(network)
            for role, network in self.networks.items()
        }

    def get_build_config(self) -> dict[str, Any] | None:
        if not self.built or self._example_shape is None:
            return None
        return {"example_shape": list(self._example_shape)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        if not self.built and config:
            self.build_networks(tf.zeros([2, *config["example_shape"]]))

    def export(
        self,
        filepath: str | os.PathLike[str],
        *args: Any,
        input_signature: Any = None,
        **settings: Any,
    ) -> None:
        """As `keras.Model.export`: what a call of the model computes.

        Raises:
            ValueError: if the shape of its input is not known, since it was neither called nor fit.
        """
        super().export(
            filepath, *args, input_signature=input_signature or self._input_specs(), **settings
        )

    def _input_specs(self) -> list[keras.InputSpec]:
        """What `call` takes, a batch of any size."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "NetworkGroup":
        def revived(value: Any) -> Any:
            if isinstance(value, list):
                return [revived(item) for item in value]
            if isinstance(value, dict):
                return keras.saving.deserialize_keras_object(value, custom_objects)
            return value

        return cls(**{name: revived(value) for name, value in config.items()})


def _check_networks(networks: Mapping[str, Any]) -> None:
    """Refuses what is no Keras model, and one model in two roles."""
    for role, network in networks.items():
        if not isinstance(network, keras.Model):
            raise ValueError(f"Expected a keras.Model as {role}. Received: {network!r:.80}")
    for role, network in networks.items():
        for other in networks:
            if other != role and networks[other] is network:
                raise ValueError(
                    f"Expected a network of its own as {role} and as {other}. Received: "
                    f"{described(network)} for both"
                )
