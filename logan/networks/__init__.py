"""Generator, encoder and joint discriminator, for vectors (`mlp`) and images.

For images there are `convolutional` and `residual` ones, and `multi_scale` makes a discriminator of
several from either.

`import logan.networks` makes their classes known to `keras.saving.load_model`.
"""

import logan.keras_settings  # noqa: F401  before Keras is imported
from logan.networks import convolutional, mlp, multi_scale, residual
from logan.networks.base import Network, Networks

__all__ = ["Network", "Networks", "convolutional", "mlp", "multi_scale", "residual"]
