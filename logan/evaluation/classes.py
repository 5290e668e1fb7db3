"""Which classes generations are of, as a classifier reads them, and what E(x) tells of classes."""

import numpy as np

from logan.evaluation.measures import Column, Measure, Measured
from logan.evaluation.record import Record
from logan.metrics.classes import CONFIDENT, class_spread, share_counts
from logan.metrics.coverage import reverse_kl
from logan.metrics.fidelity import inception_score
from logan.metrics.probe import linear_probe


def _classes(record: Record) -> Measured:
    names, labeller, weights = record.label_names, record.classifier, record.class_shares
    generated, real = (
        labeller.probabilities(images, names) for images in (record.generated, record.held_out)
    )
    read, read_real = generated.argmax(axis=1), real.argmax(axis=1)
    accuracy = float((read_real == record.labels).mean())
    numbers = {
        "classifier": labeller.path.name,
        "classifier_accuracy": accuracy,
        "classes": len(names),
        "score": inception_score(generated, 1)[0],
        "score_real": inception_score(real, 1)[0],
        **class_spread(read, weights),
        "kl_real": reverse_kl(share_counts(read_real, len(names)), weights),
        "confident": float((generated.max(axis=1) > CONFIDENT).mean()),
        "confident_real": float((real.max(axis=1) > CONFIDENT).mean()),
        "shares": {
            name: float(count) / len(read)
            for name, count in zip(names, share_counts(read, len(names)).tolist(), strict=True)
        },
    }
    told = ""
    if record.generated_labels is not None:
        numbers["asked_accuracy"] = float((read == record.generated_labels).mean())
        told = (
            "; asked_accuracy, the share of generations read as the class that they were asked for,"
            " beside which the classifier's own accuracy stands"
        )
    return Measured(
        {"classes": numbers},
        f"classes: read by the {labeller.text}, right of {accuracy:.2%} of {len(real):,} held-out "
        f"images; of {len(generated):,} generations: score, exp of the mean KL(p(y|x)‖p(y)), the "
        "formula of the Inception score with another classifier, so not to be compared with it; "
        "captured, classes that occur; captured_fair, those with a fifth of their share; kl, "
        "KL(q‖p) in nats of their shares to those of the data; floor, the mean of as many draws of "
        "the data; confident, those read with a probability above "
        f"{CONFIDENT:g}; real, the same of the held-out images{told}",
    )


def _probe(record: Record) -> Measured:
    probed = record.probed
    labels = (probed.train_labels, probed.test_labels)
    accuracies = {
        name: linear_probe(train, labels[0], test, labels[1]).accuracy
        for name, (train, test) in probed.features.items()
    }
    most = int(np.bincount(labels[0]).argmax())
    numbers = {**accuracies, "most_frequent_class": float((labels[1] == most).mean())}
    return Measured(
        {"probe": numbers},
        f"probe: multinomial logistic regression on standardised features of {len(labels[0]):,} "
        f"training images, its penalty chosen on a fifth of them; accuracy on {len(labels[1]):,} "
        "held-out images with E(x), with pixels, and with E(x) of the same encoder with its first, "
        "random weights; most_frequent_class, of always naming the class that training has most of",
    )


CLASSES = Measure(
    lambda record: record.has("labels", "label_names", "class_shares", "classifier", "generated"),
    _classes,
    (
        Column("class score", ("classes", "score"), "{:.2f}", "higher"),
        Column("of real images", ("classes", "score_real"), "{:.2f}"),
        Column("fair classes", ("classes", "captured_fair"), "{}", "higher"),
        Column("class KL", ("classes", "kl"), "{:.4f}", "lower", "nats"),
        Column("class accuracy", ("classes", "asked_accuracy"), "{:.3f}", "higher"),
    ),
)
PROBE = Measure(
    lambda record: record.has("probed"),
    _probe,
    (
        Column("probe", ("probe", "encoder"), "{:.3f}", "higher"),
        Column("of pixels", ("probe", "pixels"), "{:.3f}"),
        Column("of a random encoder", ("probe", "random_encoder"), "{:.3f}"),
    ),
)
