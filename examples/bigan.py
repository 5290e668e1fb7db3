"""The method on one page: eight modes on a circle, learned with TensorFlow and Keras alone.

A GAN's generator learns only where it already samples, so small modes are lost. "No Modes Left
Behind" (Sharma and Namboodiri, AAAI 2018) adds a penalty to the discriminator of a BiGAN, and the
generator then feels a pull towards every training sample. Takes two to three minutes on one core:

    python examples/bigan.py
"""

import keras
import numpy as np
import tensorflow as tf

MODES, SIGMA = 8, 0.01
BATCH, STEPS, RATE = 256, 12_000, 2e-3
LATENT, PENALTY_WEIGHT = 2, 0.1  # features of z, and λ


def data(count):
    """x: float32 [count, 2] from the mixture."""
    modes = tf.random.uniform([count], 0, MODES, tf.int32)
    angles = 2 * np.pi / MODES * tf.cast(modes, tf.float32)
    centers = tf.stack([tf.cos(angles), tf.sin(angles)], axis=1)
    return centers + SIGMA * tf.random.normal([count, 2])


def perceptron(inputs, outputs):
    """Four hidden layers of 128 units with leaky ReLU 0.2."""
    layers = [keras.Input([inputs])]
    for _ in range(4):
        layers.append(keras.layers.Dense(128, kernel_initializer="he_normal"))
        layers.append(keras.layers.LeakyReLU(0.2))
    return keras.Sequential([*layers, keras.layers.Dense(outputs)])


# Three networks: G(z) -> x, E(x) -> z, and D(x, z) -> a logit that is high for true pairs.
generator, encoder = perceptron(LATENT, 2), perceptron(2, LATENT)
joint = perceptron(2 + LATENT, 1)


def discriminator(x, z):
    return joint(tf.concat([x, z], axis=1))


# D is to call (x, E(x)) true and (G(z), z) false; G and E want it the other way round.
def discriminator_loss(real, fake):
    return tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(fake))


def generator_loss(real, fake):
    return tf.reduce_mean(tf.nn.softplus(real) + tf.nn.softplus(-fake))


# The penalty: on the line from the reconstruction x̂ = G(E(x)) to x, at a random place x̃, the
# gradient of D is asked to be the unit vector towards x. So D rises from every reconstruction to
# the sample that it should have been, and G, which climbs D, is drawn to every sample.
def pairwise_penalty(x, z, epsilon):
    x_hat = generator(z)
    between = tf.stop_gradient(epsilon[:, None] * x + (1 - epsilon[:, None]) * x_hat)
    with tf.GradientTape() as tape:
        tape.watch(between)
        logits = discriminator(between, z)
    gradient = tape.gradient(logits, between)
    direction = tf.stop_gradient(x - x_hat)
    direction /= tf.sqrt(tf.reduce_sum(direction**2, axis=1, keepdims=True) + 1e-12)
    return tf.reduce_mean(tf.sqrt(tf.reduce_sum((gradient - direction) ** 2, axis=1) + 1e-12))


def adam(network):
    rate = keras.optimizers.schedules.CosineDecay(RATE, STEPS, alpha=0.1)
    # Samples are drawn from averages of the weights over training.
    optimizer = keras.optimizers.Adam(
        rate, beta_1=0.0, beta_2=0.9, use_ema=True, ema_momentum=0.999
    )
    optimizer.build(network.trainable_variables)
    return optimizer


optimizers = {network: adam(network) for network in (generator, encoder, joint)}


def update(networks, tape, loss):
    weights = [network.trainable_variables for network in networks]
    for network, gradients in zip(networks, tape.gradient(loss, weights), strict=True):
        optimizers[network].apply(gradients, network.trainable_variables)


@tf.function(jit_compile=True)
def step(x, z, epsilon):
    """First D, then G and E against the new D; z is uniform in [-1, 1], epsilon in [0, 1]."""
    encoded, generated = encoder(x), generator(z)
    with tf.GradientTape() as tape:
        loss = discriminator_loss(discriminator(x, encoded), discriminator(generated, z))
        loss += PENALTY_WEIGHT * pairwise_penalty(x, encoded, epsilon)
    update([joint], tape, loss)
    with tf.GradientTape() as tape:
        loss = generator_loss(discriminator(x, encoder(x)), discriminator(generator(z), z))
    update([generator, encoder], tape, loss)


@tf.function
def train(steps):
    for _ in tf.range(steps):
        step(data(BATCH), tf.random.uniform([BATCH, LATENT], -1, 1), tf.random.uniform([BATCH]))


def main():
    for done in range(0, STEPS, 1000):
        train(1000)
        print(f"step {done + 1000:,} of {STEPS:,}", flush=True)
    for network in (generator, encoder):
        optimizers[network].finalize_variable_values(network.trainable_variables)
    samples = generator(tf.random.uniform([10_000, LATENT], -1, 1)).numpy()
    angles = 2 * np.pi * np.arange(MODES) / MODES
    centers = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = np.linalg.norm(samples[:, None] - centers, axis=2)
    is_good = distances.min(axis=1) < 3 * SIGMA
    counts = np.bincount(distances.argmin(axis=1)[is_good], minlength=MODES)
    print(f"{is_good.mean():.0%} of the samples within 3σ of a mode; in each: {counts.tolist()}")


if __name__ == "__main__":
    main()
