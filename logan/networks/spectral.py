"""Spectral normalization of dense and convolutional layers, as its paper has it.

    W̄ = W / σ(W),   σ(W) = uᵀWv,   v = Wᵀu / ‖Wᵀu‖

W is the kernel as a matrix (out, everything else). u follows W's first left singular vector: each
update of the discriminator moves it once by v ← Wᵀu / ‖Wᵀu‖, u ← Wv / ‖Wv‖, and nothing else does.
u and v are held constant, σ is not: the gradient goes through W / σ(W), which makes it

    ∂L/∂W = (∂L/∂W̄ - ⟨∂L/∂W̄, W̄⟩ u vᵀ) / σ(W)

Outside of training σ is W's largest singular value itself, so what is evaluated and exported has
norm 1. `keras.layers.SpectralNormalization` does something else: at each call in training mode it
divides the kernel itself, without a gradient through σ.

σ is that of the kernel as a matrix; the norm of the convolution as a map of images can be larger
or smaller, by up to √(height · width) of the kernel.

Source: T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, "Spectral normalization for generative
adversarial networks", ICLR 2018.
"""

from typing import Any

import keras
import tensorflow as tf

_WARM_UP = 15  # power iterations when a layer is made
_FLOOR = 1e-12  # of norms, for a kernel of zeros


def as_matrix(kernel: tf.Tensor) -> tf.Tensor:
    """The kernel [..., in, out] of a layer as a matrix [out, everything else]."""
    return tf.transpose(tf.reshape(kernel, [-1, kernel.shape[-1]]))


def power_iteration(matrix: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """One power iteration: u moved towards the first left singular vector of the matrix.

    Args:
        matrix: W, float32 [out, in].
        u: float32 [out], of length 1.
    """
    v = _unit(tf.linalg.matvec(matrix, u, transpose_a=True))
    return _unit(tf.linalg.matvec(matrix, v))


def estimated_norm(matrix: tf.Tensor, u: tf.Tensor) -> tf.Tensor:
    """σ = uᵀWv with v = Wᵀu / ‖Wᵀu‖, a scalar; its gradient to W is u vᵀ.

    Args:
        matrix: W, float32 [out, in].
        u: float32 [out], of length 1.
    """
    u = tf.stop_gradient(u)
    along = tf.linalg.matvec(matrix, u, transpose_a=True)
    return tf.reduce_sum(along * tf.stop_gradient(_unit(along)))


def exact_norm(matrix: tf.Tensor) -> tf.Tensor:
    """The largest singular value, a scalar."""
    return tf.linalg.svd(matrix, compute_uv=False)[0]


def _unit(vector: tf.Tensor) -> tf.Tensor:
    return vector / tf.maximum(tf.norm(vector), _FLOOR)


class _Spectral(keras.layers.Layer):
    """What both layers share: the variable u and the normalized kernel."""

    def add_weight(self, *args: Any, name: str | None = None, **settings: Any) -> keras.Variable:
        if name == "kernel":  # σ is taken in float32 whatever the layer computes in
            settings["autocast"] = False
        return super().add_weight(*args, name=name, **settings)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.u = self.add_weight(
            shape=(self.kernel.shape[-1],),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            autocast=False,
            dtype="float32",
            aggregation="only_first_replica",
            name="u",
        )
        if not tf.inside_function():
            matrix, u = as_matrix(tf.convert_to_tensor(self.kernel)), _unit(self.u.value)
            for _ in range(_WARM_UP):
                u = power_iteration(matrix, u)
            self.u.assign(u)

    def save_own_variables(self, store: Any) -> None:
        keras.layers.Layer.save_own_variables(self, store)  # those of Dense leave u out

    def load_own_variables(self, store: Any) -> None:
        keras.layers.Layer.load_own_variables(self, store)

    def begin_update(self) -> None:
        """Moves u once: to be called at the beginning of each update of the layer's network."""
        matrix = as_matrix(tf.convert_to_tensor(self.kernel))
        self.u.assign(tf.stop_gradient(power_iteration(matrix, self.u.value)))

    def normalized_kernel(self, training: bool | None) -> tf.Tensor:
        """W / σ(W), of the kernel's shape, in the precision that the layer computes in."""
        kernel = tf.convert_to_tensor(self.kernel)
        matrix = as_matrix(kernel)
        if training:
            norm = estimated_norm(matrix, tf.convert_to_tensor(self.u))
        else:
            norm = exact_norm(matrix)
        return tf.cast(kernel / tf.maximum(norm, _FLOOR), self.compute_dtype)


@keras.saving.register_keras_serializable(package="logan")
class SpectralDense(_Spectral, keras.layers.Dense):
    """`keras.layers.Dense` with the kernel W / σ(W). Takes what that takes.

    Its weights are those of a Dense layer and u, float32 [units], which is not trained.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        outputs = keras.ops.matmul(inputs, self.normalized_kernel(training))
        if self.bias is not None:
            outputs = keras.ops.add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


@keras.saving.register_keras_serializable(package="logan")
class SpectralConv2D(_Spectral, keras.layers.Conv2D):
    """`keras.layers.Conv2D` with the kernel W / σ(W). Takes what that takes.

    Its weights are those of a Conv2D layer and u, float32 [filters], which is not trained.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        outputs = self.convolution_op(inputs, self.normalized_kernel(training))
        if self.use_bias:
            places = (1,) * self.rank
            last = self.data_format == "channels_last"
            shape = (1, *places, self.filters) if last else (1, self.filters, *places)
            outputs = keras.ops.add(outputs, keras.ops.reshape(self.bias, shape))
        return outputs if self.activation is None else self.activation(outputs)


def begin_update(network: keras.layers.Layer) -> None:
    """Tells a network that an update of it begins: it, or the layers in it, may move their state.

    Calls its method begin_update, or else those of the layers within.
    """
    if hasattr(network, "begin_update"):
        network.begin_update()
        return
    for layer in getattr(network, "layers", []):
        begin_update(layer)
