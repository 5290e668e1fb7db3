"""A GAN whose classes are clusters of its discriminator's features."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from logan.clustering import best_k_means, k_means, means_of
from logan.labels import Classes
from logan.models.adversarial import NEVER
from logan.models.averages import AveragedNetwork
from logan.models.gan import GAN
from logan.models.own_networks import inlined
from logan.networks.conditional import ConditionalDiscriminator
from logan.networks.dropout import drops_units
from logan.networks.hidden import with_hidden

CLUSTERED = 10_000  # real samples that clusters are found of
_AT_ONCE = 500


class FrozenFeatures(AveragedNetwork):
    """x -> the last hidden layer of a discriminator as it was when its weights were taken.

    Calling it computes the discriminator with weights that are variables of this model.
    """

    def freeze(self) -> None:
        """Takes the discriminator's weights of now."""
        self.set_weights(self._get_network().get_weights())

    def call(self, inputs: Any, labels: Any = None, training: bool | None = None) -> Any:
        del training
        network = self._get_network()
        labels = tf.zeros([tf.shape(inputs)[0]], tf.int64) if labels is None else labels
        of_labels = dict(labels=labels) if network.takes_labels else {}
        frozen = zip(network.weights, [one.value for one in self.weights], strict=True)
        with keras.StatelessScope(state_mapping=list(frozen)), inlined(network):
            return with_hidden(network, (inputs,), **of_labels)[0]


@keras.saving.register_keras_serializable(package="logan")
class SelfConditionedGAN(GAN):
    """G(z, y) against D(x, y), with clusters y that k-means finds in D's features.

        y(x) = argmin_k ‖h(x) - c_k‖²

    h is D's last hidden layer when clusters were last found, and c_k are the centres that k-means
    then found for real samples; so the class of an x stays until the next search. The first search
    is the best of ten that begin with k-means++, each further one begins with the means of the new
    features over each cluster's samples, so that a cluster keeps its number. (The authors' code
    matches old and new numbers besides.) G is asked for the clusters of the batch's real samples,
    so that they have the data's shares.

    Source: S. Liu, T. Wang, D. Bau, J.-Y. Zhu and A. Torralba, "Diverse image generation via
    self-conditioned GANs", CVPR 2020, and its authors' code: 50 clusters, found anew every 5,000
    steps, of toys; 100 and 25,000 of stacked MNIST.

    Example:
        model.compile(jit_compile=True)
        model.find_clusters(x)
        model.fit(dataset, callbacks=[FindClusters(lambda count: x[:count], every=5000)])

    Attributes:
        centers: c_k, float32 [k, features], a variable.
        cluster_sizes: how many samples each cluster had when it was found, float32 [k], a variable.
        found_at: the step at which clusters were last found, a variable; -1 before.

    Args:
        generator: keras.Model (z, labels) -> x, of this package, made with classes=k.
        discriminator: (x, labels) -> logits, likewise.
        **settings: as `GAN` has them.

    Raises:
        ValueError: on networks of other numbers of classes, or a discriminator whose features
            change from call to call or with other samples.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, **settings: Any):
        counts = [getattr(network, "classes", 0) for network in (generator, discriminator)]
        if not counts[0] or counts[0] != counts[1]:
            raise ValueError(
                "Expected a generator and a discriminator of the same number of classes, one for "
                f"each cluster. Received: {counts[0]} and {counts[1]}"
            )
        name = discriminator.name
        if not isinstance(discriminator, ConditionalDiscriminator):
            raise ValueError(
                "Expected a discriminator with one last hidden layer, of logan.networks. Received: "
                f"{name}"
            )
        across = getattr(discriminator, "looks_across_batch", False)
        if across or drops_units(discriminator) or settings.get("packing", 1) > 1:
            raise ValueError(
                "Expected a discriminator of single samples without dropout, whose features do not "
                f"change from call to call. Received: {name}"
            )
        super().__init__(generator, discriminator, **{"name": "self_conditioned_gan", **settings})

    def _finish_building(self) -> None:
        if not hasattr(self, "features"):
            self.features = FrozenFeatures(self.discriminator, "discriminator")
            self.features.build()
            self.features.freeze()
            length = self.discriminator.last_stack.layers[-1].input.shape[-1]
            self.centers = self._state("centers", (self.discriminator.classes, length))
            self.cluster_sizes = self._state("cluster_sizes", (self.discriminator.classes,))
            self.found_at = self._counter("found_at", NEVER)
        super()._finish_building()

    def _state(self, name: str, shape: Sequence[int]) -> keras.Variable:
        return self.add_weight(
            shape=shape, dtype="float32", initializer="zeros", trainable=False, name=name
        )

    @property
    def classes(self) -> Classes | None:
        """The clusters with their shares among the samples that they were found of."""
        if not self.has_clusters:
            return None
        sizes = tf.convert_to_tensor(self.cluster_sizes).numpy()
        return Classes.of([str(index) for index in range(len(sizes))], sizes)

    @property
    def has_clusters(self) -> bool:
        """Whether they were found once."""
        return int(self.found_at.numpy()) != NEVER

    def find_clusters(self, x: np.ndarray) -> None:
        """Finds the clusters of real samples by D as it is now.

        Args:
            x: float32 [samples, ...], at least one for each cluster.

        Raises:
            ValueError: if there are fewer.
        """
        count = self.discriminator.classes
        if len(x) < count:
            raise ValueError(
                f"Expected {count} real samples or more to find {count} clusters. Received: "
                f"{len(x)}"
            )
        before = self._in_batches(self.assigned, x) if self.has_clusters else None
        self.features.freeze()
        h = self._in_batches(self.features, x)
        if before is None:
            centers, labels = best_k_means(h, count, self.seed)
        else:
            from_mean = np.square(h - h.mean(axis=0)).sum(axis=1)
            centers, labels = k_means(h, means_of(h, before, from_mean, count))
        self.centers.assign(centers)
        self.cluster_sizes.assign(np.bincount(labels, minlength=count).astype(np.float32))
        self.found_at.assign(self.step.value)
        self.generator.known_classes = self.classes

    @staticmethod
    def _in_batches(function: Any, x: np.ndarray) -> np.ndarray:
        parts = range(0, len(x), _AT_ONCE)
        return np.concatenate(
            [function(tf.constant(x[at : at + _AT_ONCE])).numpy() for at in parts]
        )

    def assigned(self, x: tf.Tensor) -> tf.Tensor:
        """The cluster of each x, int64 [batch]."""
        h = self.features(x)
        centers = tf.convert_to_tensor(self.centers)
        products = tf.matmul(h, centers, transpose_b=True)
        return tf.argmin(tf.reduce_sum(tf.square(centers), axis=1) - 2.0 * products, axis=1)

    def labels_of(self, x: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """The clusters of a batch.

        Raises:
            ValueError: if labels came with it; where it can be seen, if none were found yet.
        """
        if labels is not None:
            raise ValueError("Expected batches of x alone for clusters. Received: (x, labels)")
        if tf.executing_eagerly() and not self.has_clusters:
            raise ValueError("Expected find_clusters(x) before training. Received: no clusters yet")
        return self.assigned(x)
