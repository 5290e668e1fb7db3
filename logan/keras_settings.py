"""What this package needs of Keras. Importing it refuses another backend than TensorFlow.

To be imported before Keras, so that a user reads what is expected and not that some other package
is missing.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from logan.environment import given_backend, keras_folder
from logan.errors import UserError

__all__ = ["check_backend", "check_floatx", "package_settings"]


def check_backend() -> None:
    """Refuses another backend than TensorFlow.

    Raises:
        UserError: naming what chose it.
    """
    backend, source = given_backend()
    if backend != "tensorflow":
        raise UserError(
            "logan needs Keras with the TensorFlow backend: set the environment variable "
            f"KERAS_BACKEND=tensorflow before Keras is imported. Received: {backend}, {source}"
        )


def check_floatx() -> None:
    """Refuses another default than float32, in which optimizers and losses would compute.

    Raises:
        UserError: naming it.
    """
    import keras

    if keras.config.floatx() != "float32":
        raise UserError(
            'logan needs Keras\'s floatx to be float32: keras.config.set_floatx("float32") before '
            f"the networks are made, or in {keras_folder() / 'keras.json'}. "
            f"Received: {keras.config.floatx()}"
        )


@contextlib.contextmanager
def package_settings(policy: Any = "float32") -> Iterator[None]:
    """Keras's settings as this package needs them, and afterwards as they were.

    Args:
        policy: the dtype policy of layers that are made inside.
    """
    import keras

    config = keras.config
    setters = {
        config.floatx: (config.set_floatx, "float32"),
        config.image_data_format: (config.set_image_data_format, "channels_last"),
        config.epsilon: (config.set_epsilon, 1e-7),
        config.dtype_policy: (config.set_dtype_policy, policy),
        config.max_epochs: (config.set_max_epochs, None),
        config.max_steps_per_epoch: (config.set_max_steps_per_epoch, None),
    }
    kept = [getter() for getter in setters]
    for setter, wanted in setters.values():
        setter(wanted)
    try:
        yield
    finally:
        for (setter, _), value in zip(setters.values(), kept, strict=True):
            setter(value)


check_backend()
