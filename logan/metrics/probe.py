"""What can be read from features by a linear classifier: a probe of a representation."""

from typing import NamedTuple

import numpy as np

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


class _Fitted(NamedTuple):
    """Weights [features, penalties · classes] and bias, and (penalties, classes)."""

    weights: np.ndarray
    bias: np.ndarray
    shape: tuple[int, int]


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
    train, test = (
        np.asarray(part, np.float32).reshape(len(part), int(np.prod(np.shape(part)[1:])))
        for part in (train, test)
    )
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
    validation, rest = np.split(order, [max(1, len(order) // _VALIDATION)])
    fitted = _fitted(train[rest], train_labels[rest], classes, seed)
    best = int(np.argmax(_accuracies(fitted, train[validation], train_labels[validation])))
    fitted = _fitted(train, train_labels, classes, seed)
    return Probe(float(_accuracies(fitted, test, test_labels)[best]), PENALTIES[best])


def _fitted(x: np.ndarray, labels: np.ndarray, classes: int, seed: int) -> _Fitted:
    """Classifiers with each of the penalties, by Adam (D. Kingma and J. Ba, ICLR 2015)."""
    draws = np.random.default_rng(seed)
    batch = min(_BATCH, len(x))
    updates = -(-len(x) // batch)
    epochs = max(_EPOCHS, -(-_FEWEST_UPDATES // updates))
    shape = (len(PENALTIES), classes)
    shrink = 2 * np.repeat(np.array(PENALTIES, np.float32), classes)
    wanted = np.eye(classes, dtype=np.float32)[labels]
    parameters = [np.zeros((rows, np.prod(shape)), np.float32) for rows in (x.shape[1], 1)]
    means, squares = ([np.zeros_like(each) for each in parameters] for _ in range(2))
    for update in range(epochs * updates):
        if update % updates == 0:
            order = draws.permutation(len(x))
        rows = order[update % updates * batch :][:batch]
        weights, bias = parameters
        logits = (x[rows] @ weights + bias).reshape(-1, *shape)
        logits -= logits.max(axis=2, keepdims=True)
        chances = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        error = ((chances - wanted[rows, None]) / len(rows)).reshape(len(rows), -1)
        gradients = (x[rows].T @ error + shrink * weights, error.sum(axis=0, keepdims=True))
        share = update / (epochs * updates)
        rate = _RATE * (1 + np.cos(np.pi * share)) / 2
        rate *= np.sqrt(1 - 0.999 ** (update + 1)) / (1 - 0.9 ** (update + 1))
        for own, mean, square, gradient in zip(parameters, means, squares, gradients, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            own -= rate * mean / (np.sqrt(square) + 1e-7)
    return _Fitted(parameters[0], parameters[1], shape)


def _accuracies(fitted: _Fitted, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The share of examples that each penalty's classifier gets right, float64 [penalties]."""
    logits = (x @ fitted.weights + fitted.bias).reshape(-1, *fitted.shape)
    return (logits.argmax(axis=2) == labels[:, None]).mean(axis=0)
