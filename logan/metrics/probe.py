"""What can be read from features by a linear classifier: a probe of a representation."""

from typing import NamedTuple

import keras
import numpy as np

from logan.keras_settings import package_settings

__all__ = ["Probe", "linear_probe"]

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)  # of the squared weights, the strongest first
_EPOCHS, _FEWEST_UPDATES, _BATCH, _RATE = 30, 600, 256, 3e-3
_VALIDATION = 5  # one in so many of the training examples chooses the penalty


class Probe(NamedTuple):
    """How well a linear classifier does.

    Attributes:
        accuracy: share of the test examples whose class is the most probable one.
        penalty: that was chosen.
    """

    accuracy: float
    penalty: float


@package_settings()
def linear_probe(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    seed: int = 0,
) -> Probe:
    """Multinomial logistic regression on standardised features.

    Features are standardised by the mean and deviation of the training examples. Adam with a cosine
    schedule minimises the cross-entropy plus the penalty times the sum of squared weights. The
    penalty is that of `PENALTIES` whose classifier does best on a fifth of the training examples,
    of equal ones the strongest; the classifier is then fitted to all of them.

    Args:
        train: floating [examples, features]; each may have any shape, which is flattened.
        train_labels: int [examples], from 0.
        test: floating [test examples, features].
        test_labels: int [test examples].
        seed: of the choice of the fifth and of the order of examples.

    Raises:
        ValueError: if examples and labels are not equally many, there are fewer than two training
            examples, or values are not finite.
    """
    train, test = (np.asarray(part, np.float32).reshape(len(part), -1) for part in (train, test))
    for part, labels in ((train, train_labels), (test, test_labels)):
        if len(part) != len(labels) or not np.isfinite(part).all():
            raise ValueError(
                "Expected finite features and a label of each example. Received: "
                f"{part.shape} and {len(labels)} labels"
            )
    if len(train) < 2 or not len(test):
        raise ValueError(
            f"Expected 2 training examples and a test example or more. Received: {len(train)} and "
            f"{len(test)}"
        )
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation < 1e-6] = 1  # features that never change tell nothing
    train, test = (train - mean) / deviation, (test - mean) / deviation
    train_labels, test_labels = np.asarray(train_labels), np.asarray(test_labels)
    classes = int(max(train_labels.max(), test_labels.max())) + 1
    order = np.random.default_rng(seed).permutation(len(train))
    parts = np.split(order, [max(1, len(order) // _VALIDATION)])
    validation, rest = (np.sort(part) for part in parts)

    def accuracy(penalty: float, fitted: np.ndarray, x: np.ndarray, labels: np.ndarray) -> float:
        model = _fitted(train[fitted], train_labels[fitted], classes, penalty, seed)
        found = model.predict(x, batch_size=1_000, verbose=0).argmax(axis=1)
        return float((found == labels).mean())

    scores = [
        accuracy(penalty, rest, train[validation], train_labels[validation])
        for penalty in PENALTIES
    ]
    best = PENALTIES[int(np.argmax(scores))]
    return Probe(accuracy(best, np.arange(len(train)), test, test_labels), best)


def _fitted(
    x: np.ndarray, labels: np.ndarray, classes: int, penalty: float, seed: int
) -> keras.Model:
    keras.utils.set_random_seed(seed)  # of the order of examples
    dense = keras.layers.Dense(
        classes, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(penalty)
    )
    model = keras.Sequential([keras.Input((x.shape[1],)), dense])
    updates = -(-len(x) // _BATCH)
    epochs = max(_EPOCHS, -(-_FEWEST_UPDATES // updates))
    rate = keras.optimizers.schedules.CosineDecay(_RATE, epochs * updates)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(x, labels, batch_size=_BATCH, epochs=epochs, verbose=0)
    return model
