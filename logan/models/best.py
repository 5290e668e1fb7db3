"""The averaged networks of the step up to which a training was not falling."""

import numpy as np
import tensorflow as tf

from logan.models.adversarial import AdversarialModel
from logan.models.averages import AveragedNetwork
from logan.models.bigan import BiGAN


def best_averages(model: AdversarialModel) -> "BestAverages | None":
    """What keeps the model's best averages; None if its reconstructions do not tell them.

    They do where a term of its losses is about them. In a plain BiGAN nothing else than the joint
    equilibrium ties G(E(x)) to x, and its best reconstructions come long before its best samples.
    """
    if isinstance(model, BiGAN) and any(term.ties_reconstructions for term in model.terms):
        return BestAverages(model)
    return None


class BestAverages(tf.Module):
    """The averages that reconstructed held-out samples best, kept while training goes on.

    A training that loses a mode at its end shows it by reconstructions of what it can no longer
    make, without any knowledge of modes. Of errors that are nearly alike the later one counts: its
    samples are sharper.

    Attributes:
        networks: the generator and the encoder with the best averages, by role.
        least_error: the smallest error so far.
        step: the step that they are of; 0 if there was none yet.
    """

    TOLERANCE = 1.5  # a later error counts as well up to this multiple of the least one

    def __init__(self, model: BiGAN):
        super().__init__()
        self.networks = {role: AveragedNetwork(getattr(model, role), role) for role in model.roles}
        for role, network in self.networks.items():
            network.build()
            network.set_weights(getattr(model, f"averaged_{role}").get_weights())
        # Not infinity, which a checkpoint of a sound training does not hold anywhere.
        self.least_error = tf.Variable(tf.float32.max, dtype=tf.float32, trainable=False)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

    def offer(self, model: BiGAN, error: float) -> None:
        """Takes the model's averages of now if their error is good enough; NaN never is."""
        self.least_error.assign(np.fmin(self.least_error.numpy(), error))
        if error <= self.TOLERANCE * float(self.least_error.numpy()):
            for role, network in self.networks.items():
                network.set_weights(getattr(model, f"averaged_{role}").get_weights())
            self.step.assign(model.step.value)

    def restore(self, model: BiGAN) -> None:
        """Makes them the model's averages, if there are any."""
        if self.step.numpy() > 0:
            for role, network in self.networks.items():
                getattr(model, f"averaged_{role}").set_weights(network.get_weights())
            model.averages_step = int(self.step.numpy())
