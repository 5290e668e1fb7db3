"""What networks do with a class y: normalization by class, an embedding, the projection.

Labels are integers [batch] from 0. A label that is out of range gives NaN in its example, so that
it can never pass for another class.

Sources: V. Dumoulin, J. Shlens and M. Kudlur, "A learned representation for artistic style", ICLR
2017, and H. de Vries et al., "Modulating early visual processing by language", NeurIPS 2017
(normalization by class); T. Miyato and M. Koyama, "cGANs with projection discriminator", ICLR 2018.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from logan.networks.hidden import through
from logan.networks.hierarchy import LatentModulation, latent_parts
from logan.networks.normalization import normalization_layers
from logan.networks.spectral import _Spectral

LABEL_FEATURES = 8  # of the embedding of y that stands beside z


def check_classes(classes: int) -> None:
    """Raises ValueError unless it is 0, for none, or two or more."""
    if not isinstance(classes, int) or classes < 0 or classes == 1:
        raise ValueError(f"Expected classes to be 0, for none, or >= 2. Received: {classes!r}")


def given_labels(labels: Any) -> Any:
    """The labels as a tensor.

    Raises:
        ValueError: if there are none, or they are no integers.
    """
    if labels is None:
        raise ValueError("Expected labels, integers [batch], beside the input. Received: none")
    if not hasattr(labels, "dtype"):
        labels = keras.ops.convert_to_tensor(labels)
    if "int" not in keras.backend.standardize_dtype(labels.dtype):
        raise ValueError(f"Expected labels to be integers. Received: {labels.dtype}")
    return labels


def class_rows(labels: Any, classes: int, dtype: str) -> Any:
    """Each label as a row with a 1 at its class, [batch, classes]; NaN where it is out of range.

    A product with a table picks the label's row. Unlike a gather it has dense derivatives of every
    order, as gradient scaling, clipping and XLA want them.
    """
    rows = keras.ops.one_hot(labels, classes, dtype=dtype)
    is_class = keras.ops.logical_and(labels >= 0, labels < classes)
    return rows * keras.ops.cast(keras.ops.where(is_class, 1.0, float("nan"))[:, None], dtype)


@keras.saving.register_keras_serializable(package="logan")
class ConditionalNormalization(keras.layers.Layer):
    """γ_y · (h - μ) / √(σ² + ε) + β_y, with a gain γ and a bias β of each class and channel.

    At first every γ is 1 and every β is 0. μ, σ² and their running means are those of the batch
    normalization, shared by the classes. With layer normalization they are the example's own, and
    with none the gain and the bias stand alone.

    Args:
        classes: how many, two or more.
        normalization: `batch`, `synchronized_batch`, `layer` or `none`, see `Network`.

    Raises:
        ValueError: on a setting out of range.
    """

    def __init__(self, classes: int, normalization: str = "batch", **kwargs: Any):
        super().__init__(**kwargs)
        check_classes(classes)
        self.classes = classes
        self.normalization = normalization
        # No list: checkpoints would not hold the layers in it.
        self.own = next(iter(normalization_layers(normalization, affine=False)), None)

    def build(self, h_shape: Sequence[int | None], labels_shape: Sequence[int | None]) -> None:
        if self.own is not None:
            self.own.dtype_policy = self.dtype_policy
            self.own.build(h_shape)
        shape = (self.classes, h_shape[-1])
        self.class_gain = self.add_weight(shape=shape, initializer="ones", name="class_gain")
        self.class_bias = self.add_weight(shape=shape, initializer="zeros", name="class_bias")

    def call(self, h: Any, labels: Any, training: bool | None = None) -> Any:
        """The normalized features.

        Args:
            h: floating [batch, ..., channels].
            labels: integers [batch].
            training: whether the batch's own moments are taken, in place of the running ones.

        Returns:
            h's shape and dtype.
        """
        if isinstance(self.own, keras.layers.BatchNormalization):
            h = self.own(h, training=training)
        elif self.own is not None:
            h = self.own(h)
        rows = class_rows(labels, self.classes, h.dtype)
        places = (1,) * (len(h.shape) - 2)
        gain, bias = (
            keras.ops.reshape(keras.ops.matmul(rows, table), (-1, *places, h.shape[-1]))
            for table in (self.class_gain, self.class_bias)
        )
        return gain * h + bias

    def compute_output_shape(
        self, h_shape: Sequence[int | None], labels_shape: Sequence[int | None]
    ) -> Sequence[int | None]:
        del labels_shape
        return h_shape

    def get_config(self) -> dict[str, Any]:
        own = {"classes": self.classes, "normalization": self.normalization}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="logan")
class ClassEmbedding(keras.layers.Layer):
    """Numbers of a class, learned: integers [batch] -> [batch, features].

    At first they are uniform in [-1, 1], as the features of z are.

    Args:
        classes: how many, two or more.
        features: numbers of each.

    Raises:
        ValueError: on a number of classes out of range.
    """

    def __init__(self, classes: int, features: int = LABEL_FEATURES, **kwargs: Any):
        super().__init__(**kwargs)
        check_classes(classes)
        self.classes = classes
        self.features = features

    def build(self, labels_shape: Sequence[int | None]) -> None:
        del labels_shape
        self.class_features = self.add_weight(
            shape=(self.classes, self.features),
            initializer=keras.initializers.RandomUniform(-1.0, 1.0),
            name="class_features",
        )

    def call(self, labels: Any) -> Any:
        table = keras.ops.convert_to_tensor(self.class_features)
        return keras.ops.matmul(class_rows(labels, self.classes, table.dtype), table)

    def compute_output_shape(self, labels_shape: Sequence[int | None]) -> tuple[Any, ...]:
        return (labels_shape[0], self.features)

    def get_config(self) -> dict[str, Any]:
        own = {"classes": self.classes, "features": self.features}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="logan")
class ClassProjection(keras.layers.Layer):
    """⟨V_y, h⟩, the summand by which D's logit knows the class: [batch, features] -> [batch, 1].

    Args:
        classes: how many vectors V_y there are, two or more.

    Raises:
        ValueError: on a number of classes out of range.
    """

    def __init__(self, classes: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_classes(classes)
        self.classes = classes

    def build(self, h_shape: Sequence[int | None]) -> None:
        # As the kernel of a dense layer with an output for each class, of which one is taken.
        self.kernel = self.add_weight(
            shape=(h_shape[-1], self.classes), initializer="glorot_uniform", name="kernel"
        )

    def call(self, h: Any, labels: Any, training: bool | None = None) -> Any:
        """The summand.

        Args:
            h: floating [batch, features].
            labels: integers [batch].
            training: whether σ is estimated, of a normalized kernel.

        Returns:
            [batch, 1] of the layer's precision.
        """
        kernel = self.taken_kernel(training)
        products = keras.ops.matmul(keras.ops.cast(h, kernel.dtype), kernel)
        rows = class_rows(labels, self.classes, kernel.dtype)
        return keras.ops.sum(rows * products, axis=-1, keepdims=True)

    def taken_kernel(self, training: bool | None) -> Any:
        """The V_y as columns, [features, classes]."""
        del training
        return keras.ops.convert_to_tensor(self.kernel)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "classes": self.classes}


@keras.saving.register_keras_serializable(package="logan")
class SpectralClassProjection(_Spectral, ClassProjection):
    """`ClassProjection` with V / σ(V), see `logan.networks.spectral`."""

    def taken_kernel(self, training: bool | None) -> Any:
        return self.normalized_kernel(training)


def with_class(z: Any, labels: Any, classes: int) -> Any:
    """Puts a `ClassEmbedding` of as many features beside z.

    Normalization by class alone says little of y at first: its gains are 1, and they move as slowly
    as any weight.
    """
    return keras.ops.concatenate([z, ClassEmbedding(classes, z.shape[-1])(labels)], axis=-1)


def with_labels(
    layers: Iterable[keras.layers.Layer],
    latent_length: int,
    *,
    classes: int,
    name: str,
    parts: int = 1,
    entered: type[keras.layers.Layer] = keras.layers.Layer,
) -> keras.Model:
    """Layers after each other as a model of [z, labels].

    Args:
        layers: one after the other; a `ConditionalNormalization` gets the labels too.
        latent_length: features of z.
        classes: how many y there are; the first layer gets `with_class`.
        name: of the model.
        parts: into how many z is cut. The first goes into the first layer, and each further one
            enters in front of a layer of the kind `entered`, by `LatentModulation`.
        entered: see parts.
    """
    z, labels = keras.Input((latent_length,)), keras.Input((), dtype="int64")
    h, *rest = latent_parts(z, parts) if parts > 1 else [z]
    h = with_class(h, labels, classes)
    for layer in layers:
        if rest and isinstance(layer, entered):
            h = LatentModulation()(h, rest.pop(0))
        h = layer(h, labels) if isinstance(layer, ConditionalNormalization) else layer(h)
    return keras.Model([z, labels], h, name=name)


class ConditionalDiscriminator:
    """What a discriminator has that may know the class, beside a `Network`.

        D(x, y) = ψ(h(x)) + ⟨V_y, h(x)⟩     of pairs D(x, z, y) = ψ(h(x, z)) + ⟨V_y, h(x, z)⟩

    h is the last hidden layer and ψ, linear, the layer that makes the logit.

    Attributes:
        classes: how many there are; 0 without.
        takes_labels: whether it is called with them, for the projection.
        projection: ⟨V_y, h⟩, or None.
        classifier: a layer that makes a logit of each class of h, or None; see
            `logan.terms.AuxiliaryClassifier`.
    """

    classes = 0
    takes_labels = False
    projection: Any = None
    classifier: Any = None

    def set_classes(self, classes: int, projection: bool, classifier: bool) -> None:
        """Notes what `make_heads` shall make; to be called in front of the constructor of Keras.

        Raises:
            ValueError: on a number of classes out of range.
        """
        check_classes(classes)
        self.classes = classes
        self._heads = (bool(classes) and projection, bool(classes) and classifier)
        if self._heads[0]:
            self.takes_labels = True

    def make_heads(self, parts: Any) -> None:
        """Makes what a known class needs behind the last hidden layer.

        Args:
            parts: the discriminator's `DiscriminatorParts`.
        """
        features = self.last_stack.layers[-1].input.shape[-1]
        if self._heads[0]:
            self.projection = parts.projection(self.classes, dtype="float32")
            self.projection.build((None, features))
        if self._heads[1]:
            self.classifier = parts.dense(self.classes, dtype="float32", name="classifier")
            self.classifier.build((None, features))

    @property
    def last_stack(self) -> keras.Sequential:
        """The layers whose last one makes the logit."""
        raise NotImplementedError

    def seen(self, x: Any, z: Any, training: bool | None) -> Any:
        """What goes into `last_stack`."""
        raise NotImplementedError

    def call(self, x: Any, z: Any = None, labels: Any = None, training: bool | None = None) -> Any:
        if self.projection is None:
            return self.last_stack(self.seen(x, z, training), training=training)
        return self.hidden_and_logits(x, z, labels=labels, training=training)[1]

    def hidden_and_logits(
        self, x: Any, z: Any = None, labels: Any = None, training: bool | None = None
    ) -> tuple[Any, Any]:
        """The last hidden layer and the logits, of one pass."""
        hidden, logits = through(self.last_stack, self.seen(x, z, training), training)
        if self.projection is not None:
            logits = logits + self.projection(hidden, given_labels(labels), training=training)
        return hidden, logits

    def class_logits(self, x: Any, z: Any = None, training: bool | None = None) -> Any:
        """A logit of each class, float32 [batch, classes], of a D with a classifier."""
        hidden, _ = through(self.last_stack, self.seen(x, z, training), training)
        return self.classifier(hidden)

    def class_config(self) -> dict[str, Any]:
        """What its config holds of classes; nothing without them."""
        if not self.classes:
            return {}
        projection, classifier = self._heads
        return dict(classes=self.classes, projection=projection, classifier=classifier)
