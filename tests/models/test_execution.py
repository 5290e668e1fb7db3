"""Eager, graph and XLA execution under `fit`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from logan.models.adversarial_encoder import AdversarialEncoder
from logan.models.gan import GAN


def fitted(model, x, steps, **settings):
    optimizers = {f"{role}_optimizer": keras.optimizers.Adam(0.01) for role in model.optimizers}
    model.compile(**optimizers, **settings)
    data = tf.data.Dataset.from_tensors(x).repeat()
    model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("settings", [dict(jit_compile=False), dict(jit_compile=True)], ids=str)
def test_compiled_steps_agree_with_eager_ones(make, x, settings):
    compiled = fitted(make(penalty_weight=0.5), x, 4, steps_per_execution=2, **settings)
    eager = fitted(make(penalty_weight=0.5), x, 4, run_eagerly=True)
    assert int(compiled.step.numpy()) == int(eager.step.numpy()) == 4
    for one, other in zip(compiled.weights, eager.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4, err_msg=one.path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [GAN, AdversarialEncoder], ids=lambda kind: kind.__name__)
def test_other_kinds_compile_with_xla(make, x, kind):
    compiled = fitted(make(kind), x, 3, jit_compile=True)
    eager = fitted(make(kind), x, 3, run_eagerly=True)
    for one, other in zip(compiled.weights, eager.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4, err_msg=one.path)
