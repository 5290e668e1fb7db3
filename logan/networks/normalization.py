"""Normalizations by name."""

import keras

NORMALIZATIONS = ("none", "batch", "synchronized_batch", "layer")


def normalization_layers(kind: str, *, affine: bool = True) -> list[keras.Layer]:
    """No layer or one, to be put in front of an activation.

    Batch normalization has the paper's momentum 0.9. A synchronized one takes its mean and
    variance over the batch of all replicas.

    Args:
        kind: one of `NORMALIZATIONS`.
        affine: whether it has a gain and a bias of its own.

    Raises:
        ValueError: on an unknown kind.
    """
    own = {} if affine else dict(center=False, scale=False)
    if kind == "none":
        return []
    if kind in ("batch", "synchronized_batch"):
        return [
            keras.layers.BatchNormalization(
                momentum=0.9, synchronized=kind == "synchronized_batch", **own
            )
        ]
    if kind == "layer":
        return [keras.layers.LayerNormalization(**own)]
    raise ValueError(f"Expected normalization to be one of {NORMALIZATIONS}. Received: {kind!r}")
