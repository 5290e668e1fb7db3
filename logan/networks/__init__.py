"""Generator, encoder and joint discriminator, for vectors (`mlp`) and images (`convolutional`).

`import logan.networks` makes their classes known to `keras.saving.load_model`.
"""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.networks import convolutional, mlp
from logan.networks.base import Network, Networks

__all__ = ["Network", "Networks", "convolutional", "mlp"]
