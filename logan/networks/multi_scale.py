"""A discriminator on several scales of an image.

Source: T.-C. Wang et al., "High-resolution image synthesis and semantic manipulation with
conditional GANs", CVPR 2018 (pix2pixHD), which has three.
"""

from collections.abc import Sequence
from typing import Any

import keras

from logan.networks.base import Network, check_positive
from logan.networks.convolutional import size_and_channels
from logan.settings.names import NETWORKS, SCALE_LOGITS, feature_map_sizes, most_scales


@keras.saving.register_keras_serializable(package="logan")
class MultiScaleDiscriminator(Network):
    """D_0(x, z), D_1(x/2, z), D_2(x/4, z), …: a discriminator on x and on average-pooled x.

    x/2 has the mean of each square of four pixels in place of it. The D_k are of one kind and one
    width, with weights of their own, and all see the whole of z.

    Args:
        data_shape: (size, size, channels) of an image.
        latent_length: features of z; 0 for a discriminator of x alone.
        kind: of its parts, a name from `logan.settings.NETWORKS`.
        scales: how many there are; the smallest image must have 8 pixels a side.
        scale_logits: what becomes of their logits. `mean` or `sum`: one logit for each example,
            which has the penalty's slope. `each`: all are returned, so that each scale has an
            adversarial loss of its own and the mean of these counts. pix2pixHD adds the losses
            up. Penalties then see the slope of the sum of logits. With the Wasserstein loss `mean`
            and `each` give the same adversarial loss.
        attention_size: side of a feature map; the scales that have none of this side go without.
        **settings: further ones of the parts, such as width and dense_width, or classes: each part
            then has a projection of its own.

    Returns of a call:
        float32 [batch, 1]; with `each` [batch, scales].

    Raises:
        ValueError: on a setting out of range.
    """

    role = "discriminator"

    def __init__(
        self,
        data_shape: Sequence[int] = (32, 32, 3),
        latent_length: int = 128,
        *,
        kind: str = "convolutional",
        scales: int = 2,
        scale_logits: str = "mean",
        attention_size: int = 0,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        **settings: Any,
    ):
        settings |= dict(
            kind=kind, scales=scales, scale_logits=scale_logits, attention_size=attention_size
        )
        super().__init__(
            data_shape, latent_length, settings, name, dtype=dtype, trainable=trainable
        )

    def make_layers(self, settings: dict[str, Any]) -> None:
        settings = dict(settings)
        kind, scales = settings.pop("kind"), settings.pop("scales")
        attention_size = settings.pop("attention_size")
        self.scale_logits = settings.pop("scale_logits")
        if self.scale_logits not in SCALE_LOGITS:
            raise ValueError(
                f"Expected scale_logits to be one of {SCALE_LOGITS}. Received: "
                f"{self.scale_logits!r}"
            )
        if settings.get("classifier"):
            raise ValueError(
                "Expected classifier=False with several scales, of which each would tell its own "
                "class. Received: True"
            )
        size, channels = size_and_channels(self.data_shape)
        check_positive(scales=scales)
        if scales > most_scales(size):
            raise ValueError(
                f"Expected scales <= {most_scales(size)} with images of {size} pixels a side. "
                f"Received: {scales}"
            )
        self.pooling = keras.layers.AveragePooling2D(2)
        self.parts = []
        for scale in range(scales):
            side = size >> scale
            if NETWORKS[kind].heeds("attention_size"):
                has_map = attention_size in feature_map_sizes(side)
                settings["attention_size"] = attention_size if has_map or not scale else 0
            self.parts.append(
                NETWORKS.load(kind).discriminator(
                    (side, side, channels),
                    self.latent_length,
                    name=f"discriminator_{side}",
                    dtype=self.dtype_policy,
                    **settings,
                )
            )
        if any(getattr(part, "looks_across_batch", False) for part in self.parts):
            self.looks_across_batch = True
        self.classes = settings.get("classes", 0)
        if any(part.takes_labels for part in self.parts):
            self.takes_labels = True

    def call(self, x: Any, z: Any = None, labels: Any = None, training: bool | None = None) -> Any:
        of_labels = dict(labels=labels) if self.takes_labels else {}
        logits = []
        for scale, part in enumerate(self.parts):
            x = self.pooling(x) if scale else x
            inputs = (x, z) if self.latent_length else (x,)
            logits.append(part(*inputs, training=training, **of_labels))
        each = keras.ops.concatenate(logits, axis=-1)
        if self.scale_logits == "each":
            return each
        combine = keras.ops.mean if self.scale_logits == "mean" else keras.ops.sum
        return combine(each, axis=-1, keepdims=True)
