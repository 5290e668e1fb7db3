"""Generator, encoder and joint discriminator, for vectors (`mlp`) and images (`convolutional`).

`import logan.networks` makes their classes known to `keras.saving.load_model`.
"""

from logan.networks import convolutional, mlp

__all__ = ["convolutional", "mlp"]
