"""AdamW that decays kernels only."""

from collections.abc import Sequence

import keras


@keras.saving.register_keras_serializable(package="logan")
class KernelAdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW` that decays kernels only: no biases, no normalizations.

    The gains, biases and embeddings of classes are no kernels either, though they are tables.

    Each step takes learning rate · weight_decay · W off a kernel W, besides Adam's step.

    Source: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    def build(self, variables: Sequence[keras.Variable]) -> None:
        self.exclude_from_weight_decay(var_list=[one for one in variables if not _is_kernel(one)])
        super().build(variables)


def _is_kernel(variable: keras.Variable) -> bool:
    return len(variable.shape) >= 2 and not variable.name.startswith("class_")
