"""Title: The pairwise gradient penalty in your own training loop
Description: A GAN with an encoder on small drawn pictures, of which few have anything on them.

The loop is plain Keras and TensorFlow; `logan` gives it one function, and D, which has to see the
code z beside the picture:

    python examples/own_loop.py
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from logan import pairwise_gradient_penalty

SIDE, LATENT, BATCH = 12, 8, 64
PENALTY_WEIGHT = 0.3

"""
## The pictures

A road between two verges, empty in four of five pictures; a car on it in the fifth.
"""


def pictures(count, seed=0):
    """float32 [count, 12 · 12] in [-1, 1], and which of them have a car, bool [count]."""
    draw = np.random.default_rng(seed)
    images = np.full((count, SIDE, SIDE), -0.6)
    images[:, :, [0, -1]] = 0.2
    has_car = draw.random(count) < 0.2
    for index in np.flatnonzero(has_car):
        top, left = draw.integers(0, SIDE - 4), draw.choice([2, 7])
        images[index, top : top + 4, left : left + 3] = 0.8
    images += 0.03 * draw.normal(size=images.shape)
    return images.reshape(count, -1).astype("float32"), has_car


def show_a_car(images):
    """Which pictures have a car of half the brightness at least, bool [count]."""
    inside = np.asarray(images).reshape(-1, SIDE, SIDE)[:, :, 1:-1]
    return (inside > 0.3).sum(axis=(1, 2)) >= 6


"""
## The networks

E maps a picture to its code and G a code to its picture. D gets both, as a model of two inputs. It
has no batch normalization: the penalty needs each logit to depend on its own example alone.
"""


def perceptron(inputs, outputs, activation=None):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input([inputs]),
            layers.Dense(128, kernel_initializer="he_normal"),
            layers.LeakyReLU(0.2),
            layers.Dense(128, kernel_initializer="he_normal"),
            layers.LeakyReLU(0.2),
            layers.Dense(outputs, activation),
        ]
    )


def joint_discriminator():
    x, z = keras.Input([SIDE**2]), keras.Input([LATENT])
    both = keras.layers.Concatenate()([x, z])
    return keras.Model([x, z], perceptron(SIDE**2 + LATENT, 1)(both))


"""
## The training loop

D is to call (x, E(x)) true and (G(z), z) false; G and E want it the other way round. The penalty
is one more summand of D's loss.
"""


def train(data, steps, penalty_weight, seed=0):
    """The generator and the encoder after so many steps."""
    keras.utils.set_random_seed(seed)
    generator = perceptron(LATENT, SIDE**2, "tanh")
    encoder = perceptron(SIDE**2, LATENT, "tanh")
    discriminator = joint_discriminator()
    others = generator.trainable_variables + encoder.trainable_variables
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9) for _ in range(2)]
    optimizers[0].build(discriminator.trainable_variables)
    optimizers[1].build(others)

    @tf.function(jit_compile=True)
    def step(x, z):
        with tf.GradientTape(persistent=True) as tape:
            code, generated = encoder(x), generator(z)
            real, fake = discriminator([x, code]), discriminator([generated, z])
            penalty = pairwise_gradient_penalty(discriminator, x, code, generator(code))
            loss = tf.reduce_mean(tf.nn.softplus(-real) + tf.nn.softplus(fake))
            loss += penalty_weight * tf.reduce_mean(penalty)
            others_loss = tf.reduce_mean(tf.nn.softplus(real) + tf.nn.softplus(-fake))
        gradients = tape.gradient(loss, discriminator.trainable_variables)
        others_gradients = tape.gradient(others_loss, others)
        optimizers[0].apply(gradients, discriminator.trainable_variables)
        optimizers[1].apply(others_gradients, others)
        return loss

    batches = tf.data.Dataset.from_tensor_slices(data).shuffle(len(data), seed).repeat()
    for x in batches.batch(BATCH).take(steps):
        loss = step(x, tf.random.uniform([BATCH, LATENT], -1, 1))
    print(f"penalty weight {penalty_weight}: {steps} steps, D's loss {float(loss):.3f}")
    return generator, encoder


"""
## With and without

The share of pictures with a car among those that G makes; and of the cars in the data those that
are still there in G(E(x)).
"""


def main(steps=3000):
    data, has_car = pictures(4000)
    print(f"cars in the data: {has_car.mean():.1%}")
    for penalty_weight in (0.0, PENALTY_WEIGHT):
        generator, encoder = train(data, steps, penalty_weight)
        generated = generator(tf.random.uniform([2000, LATENT], -1, 1))
        kept = show_a_car(generator(encoder(data)))[has_car].mean()
        print(f"cars generated: {show_a_car(generated).mean():.1%}, reconstructed: {kept:.1%}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
