from math import log

import numpy as np
import pytest
import tensorflow as tf

from logan import losses
from logan.errors import UserError
from logan.settings import LOSSES, preset
from logan.training import train

# At r = ln 3 and f = -ln 4:
#   s(r) = 3/4, s(f) = 1/5, sp(r) = ln 4, sp(-r) = ln 4/3, sp(f) = ln 5/4, sp(-f) = ln 5.
REAL, FAKE = log(3), -log(4)
BY_HAND = {
    "vanilla": (log(5 / 3), log(20)),
    "saturating": (log(5 / 3), -log(5 / 3)),
    "relativistic": (log(13 / 12), log(13)),  # at f - r = -ln 12
    "wasserstein": (-log(12), log(12)),
    "least_squares": (log(4) ** 2 + (1 - log(3)) ** 2, log(3) ** 2 + (1 + log(4)) ** 2),
    "logan1": (log(5 / 3), log(12)),
    "logan2": (0.2**2 + 0.25**2, log(12)),
    "logan3": (0.2**2 + 0.25**2, log(3) ** 2 + log(4) ** 2),
}
AT_ZERO = {
    "vanilla": (2 * log(2), 2 * log(2)),
    "saturating": (log(4), -log(4)),
    "relativistic": (log(2), log(2)),
    "wasserstein": (0, 0),
    "least_squares": (1, 1),
    "logan1": (2 * log(2), 0),
    "logan2": (0.5, 0),
    "logan3": (0.5, 0),
}
# A discriminator that is wrong (r = -1e4, f = 1e4) and one that is right, both very sure.
SURE_AND_WRONG = {
    "vanilla": (2e4, 0),
    "saturating": (2e4, -2e4),
    "relativistic": (2e4, 0),
    "wasserstein": (2e4, -2e4),
    "least_squares": (1e8 + 10001.0**2, 1e8 + 9999.0**2),
    "logan1": (2e4, -2e4),
    "logan2": (2, -2e4),
    "logan3": (2, -2e8),
}
SURE_AND_RIGHT = {
    "vanilla": (0, 2e4),
    "saturating": (0, 0),
    "relativistic": (0, 2e4),
    "wasserstein": (-2e4, 2e4),
    "least_squares": (1e8 + 9999.0**2, 1e8 + 10001.0**2),
    "logan1": (0, 2e4),
    "logan2": (0, 2e4),
    "logan3": (0, 2e8),
}

each_loss = pytest.mark.parametrize("name", sorted(LOSSES))


def column(*values):
    return tf.constant(values, tf.float32)[:, None]


def losses_and_gradients(name, real, fake):
    """Both losses, and of each its gradients to the real and the fake logits."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        both = losses.get(name)(real, fake)
    return both, [tape.gradient(loss, [real, fake]) for loss in both]


@each_loss
def test_one_example_by_hand(name):
    both = losses.get(name)(column(REAL), column(FAKE))
    np.testing.assert_allclose(both, BY_HAND[name], rtol=1e-5)
    assert both.discriminator.shape == both.generator.shape == ()


@each_loss
def test_undecided_logits_by_hand(name):
    both = losses.get(name)(column(0), column(0))
    np.testing.assert_allclose(both, AT_ZERO[name], rtol=1e-6, atol=1e-7)


@each_loss
def test_losses_are_means_over_the_batch(name):
    both = losses.get(name)(column(REAL, 0, 0, 0), column(FAKE, 0, 0, 0))
    expected = np.average([BY_HAND[name], AT_ZERO[name]], axis=0, weights=[1, 3])
    np.testing.assert_allclose(both, expected, rtol=1e-5)


@each_loss
@pytest.mark.parametrize(
    ("logit", "expected"), [(-1e4, SURE_AND_WRONG), (1e4, SURE_AND_RIGHT)], ids=["wrong", "right"]
)
def test_very_sure_logits_do_not_overflow(name, logit, expected):
    both, gradients = losses_and_gradients(name, column(logit), column(-logit))
    np.testing.assert_allclose(both, expected[name], rtol=1e-6, atol=1e-6)
    assert np.isfinite(gradients).all()


@each_loss
def test_discriminator_and_generator_pull_the_logits_apart_and_together(name):
    _, (discriminator, generator) = losses_and_gradients(name, column(0.3), column(0.2))
    assert discriminator[0] < 0 < discriminator[1], "D raises r and lowers f"
    assert generator[1] < 0 < generator[0], "G and E lower r and raise f"


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"relativistic"}))
def test_the_fake_terms_do_not_depend_on_the_real_logits(name):
    """So the same functions serve a plain GAN, whose r holds nothing of the generator's."""
    _, (_, first) = losses_and_gradients(name, column(0.3), column(0.2))
    _, (_, second) = losses_and_gradients(name, column(-2.0), column(0.2))
    np.testing.assert_allclose(first[1], second[1], rtol=1e-6)


def test_relativistic_pairs_real_and_fake_as_they_come():
    """Differences f - r of -ln 12, 0 and 0; of means alone it would be another number."""
    both = losses.relativistic(column(REAL, 5, -7), column(FAKE, 5, -7))
    np.testing.assert_allclose(
        both, [(log(13 / 12) + 2 * log(2)) / 3, (log(13) + 2 * log(2)) / 3], rtol=1e-5
    )
    _, (_, generator) = losses_and_gradients("relativistic", column(REAL), column(FAKE))
    # The slope of sp(r - f) in f is -s(ln 12).
    np.testing.assert_allclose(generator[1], [[-12 / 13]], rtol=1e-5)


def test_the_slope_of_the_saturating_loss_vanishes_where_d_is_sure():
    slopes = []
    for logit in (-6.0, 0.0):
        _, (_, generator) = losses_and_gradients("saturating", column(0.0), column(logit))
        slopes.append(-float(generator[1][0, 0]))
    np.testing.assert_allclose(slopes, [1 / (1 + np.exp(6)), 0.5], rtol=1e-5)


def test_smoothing_by_hand():
    """D: sp(f) + 0.9·sp(-r) + 0.1·sp(r); G and E know nothing of it."""
    both = losses.get("vanilla:smoothing=0.1")(column(REAL), column(FAKE))
    expected = log(5 / 4) + 0.9 * log(4 / 3) + 0.1 * log(4)
    np.testing.assert_allclose(both, (expected, log(20)), rtol=1e-5)


def test_smoothing_of_the_saturating_loss_is_of_ds_side_alone():
    both = losses.get("saturating:smoothing=0.1")(column(REAL), column(FAKE))
    expected = log(5 / 4) + 0.9 * log(4 / 3) + 0.1 * log(4)
    np.testing.assert_allclose(both, (expected, -log(5 / 3)), rtol=1e-5)


@pytest.mark.parametrize("name", ["wasserstein", "least_squares", "relativistic", "logan2"])
def test_smoothing_without_labels_is_refused_with_the_reason(name):
    with pytest.raises(UserError, match=rf"--loss: expected no smoothing with {name}, whose D "):
        preset("ring8", dict(loss=f"{name}:smoothing=0.1"))


def test_smoothed_loss_is_least_where_real_samples_are_called_true_with_0_9():
    """Its slope in r, -0.9·s(-r) + 0.1·s(r) = s(r) - 0.9, vanishes at r = ln 9."""
    real = column(log(9))
    with tf.GradientTape() as tape:
        tape.watch(real)
        loss = losses.vanilla(real, column(0.0), smoothing=0.1).discriminator
    np.testing.assert_allclose(tape.gradient(loss, real), [[0]], atol=1e-6)


@pytest.mark.parametrize("smoothing", ["-0.1", "1.0", "nan"])
def test_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"smoothing in \[0, 1\)"):
        losses.vanilla(column(0.0), column(0.0), smoothing=float(smoothing))


@pytest.mark.parametrize("smoothing", ["2", "much", "true"])
def test_bad_smoothing_is_refused_before_any_work(smoothing, tmp_path):
    experiment = preset("ring8", dict(loss=f"vanilla:smoothing={smoothing}"))
    with pytest.raises(UserError, match=f"--loss=vanilla:smoothing={smoothing}: "):
        train(experiment, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_setting_that_a_loss_does_not_have_is_refused():
    with pytest.raises(UserError, match=r"--loss: expected one of smoothing with vanilla.*sharp"):
        losses.get("vanilla:sharpness=1")
    with pytest.raises(UserError, match=r"--loss: expected no settings with logan1"):
        losses.get("logan1:smoothing=0.1")


def test_loss_may_be_a_function():
    assert losses.get(losses.wasserstein) is losses.wasserstein


def test_every_loss_is_tested():
    assert set(BY_HAND) == set(AT_ZERO) == set(LOSSES)
