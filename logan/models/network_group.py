"""Networks by role in one Keras model: an optimizer for each, averages, saving."""

from typing import Any

import keras
import tensorflow as tf

from logan.keras_settings import check_floatx
from logan.models.averages import twin
from logan.models.precision import optimizer_for


def default_optimizer() -> keras.optimizers.Optimizer:
    """The paper's: Adam with learning rate 1e-4, β 0.5 and 0.9."""
    return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9)


class NetworkGroup(keras.Model):
    """A discriminator and the networks that are trained against it.

    Attributes:
        discriminator: D.
        generator, encoder: the others, those of them that there are.
        averaged_generator, averaged_encoder: copies for averages of their weights.
    """

    def __init__(self, networks: dict[str, keras.Model], discriminator: keras.Model, name: str):
        """Takes the networks by role.

        Raises:
            ValueError: if Keras cannot copy one of them, or its floatx is not float32.
        """
        check_floatx()
        super().__init__(name=name)
        self.discriminator = discriminator
        self._roles = tuple(networks)
        for role, network in networks.items():
            setattr(self, role, network)
            setattr(self, f"averaged_{role}", twin(network))

    @property
    def roles(self) -> tuple[str, ...]:
        """What the networks against D are called: generator, encoder."""
        return self._roles

    @property
    def optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """By role, the discriminator's last. Empty before `compile`."""
        roles = (*self._roles, "discriminator")
        names = {role: f"{role}_optimizer" for role in roles}
        return {role: getattr(self, name) for role, name in names.items() if hasattr(self, name)}

    def compile(self, **settings: Any) -> None:
        """As `keras.Model.compile` with one optimizer for each network.

        Args:
            **settings: `generator_optimizer`, `encoder_optimizer`, `discriminator_optimizer`, each
                an optimizer or its name, by default Adam with learning rate 1e-4 and β 0.5 and
                0.9; the rest goes to Keras.

        Raises:
            ValueError: on one optimizer for all.
        """
        roles = (*self._roles, "discriminator")
        if "optimizer" in settings:
            expected = ", ".join(f"{role}_optimizer" for role in roles)
            raise ValueError(
                f"Expected one optimizer for each network, {expected}. Received: optimizer"
            )
        given = {role: settings.pop(f"{role}_optimizer", None) for role in roles}
        super().compile(optimizer=None, **settings)
        for role, one in given.items():
            network = getattr(self, role)
            optimizer = optimizer_for(network, keras.optimizers.get(one or default_optimizer()))
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

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Nothing: the networks are built when they are made.

        Keras would take a batch for it, and average its parts, which on several machines fails
        with the tuples that `logan.distribution.split` hands out.
        """
        del iterator, data_batch

    def network_configs(self) -> dict[str, Any]:
        """The networks' configurations, by role."""
        return {
            role: keras.saving.serialize_keras_object(getattr(self, role))
            for role in (*self._roles, "discriminator")
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "NetworkGroup":
        def revived(value: Any) -> Any:
            if isinstance(value, list):
                return [revived(item) for item in value]
            if isinstance(value, dict):
                return keras.saving.deserialize_keras_object(value, custom_objects)
            return value

        return cls(**{name: revived(value) for name, value in config.items()})
