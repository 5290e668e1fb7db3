"""What the first batch shows to be wrong, told in a line before the first step.

A loss goes down on data that a generator cannot make, and on gradients that belong to other
examples, as well as on the right ones.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from logan.models.mixing import mixes_examples, mixing_layer, state_put_back
from logan.models.output_range import Range, range_of
from logan.penalties.common import PAIRS_NEEDED, arguments_for
from logan.randomness import Draw
from logan.settings.names import PRIORS

if TYPE_CHECKING:
    from logan.models.adversarial import AdversarialModel

_EXAMPLES = 8  # of the batch, that networks are tried with
# Of the width of a generator's range, how far beyond it data may lie by rounding, and of the
# narrower one, the data's or the generator's, by the overshoot of a resizing filter.
_ROUNDING, _OVERSHOOT = 1e-3, 0.1
_TRACEBACK_LEVEL = 6  # of warnings: the caller of `fit`


class FirstBatchCheck:
    """Checks the first batch that a training function gets, and then lets it through.

    Args:
        model: whose training function it is.
        function: Keras's, of an iterator over batches.
    """

    def __init__(self, model: "AdversarialModel", function: Callable[[Any], Any]):
        self.model = model
        self.function = function

    def __call__(self, iterator: Any) -> Any:
        """Trains by the next batches, as the function does."""
        if self.model.is_checked or not self.model.checks_first_batch:
            return self.function(iterator)
        batches, rest = _taken(iterator, self.model.steps_per_execution)
        if batches:
            self.model.is_checked = True
            check_first_batch(self.model, _of_this_replica(self.model, batches[0]))
        return self.function(rest)


def _taken(iterator: Any, count: int) -> tuple[list[Any], Any]:
    """The next batches, up to so many, and an iterator of the same kind that gives them."""
    batches = []
    with contextlib.suppress(StopIteration, tf.errors.OutOfRangeError):
        for _ in range(count):
            batches.append(next(iterator))
    if count > 1 and isinstance(iterator, tf.data.Iterator):
        # Of the same types, so that the training function is not traced anew.
        return batches, iter(
            tf.data.Dataset.from_generator(
                lambda: iter(batches), output_signature=iterator.element_spec
            )
        )
    return batches, iter(batches)


def _of_this_replica(model: "AdversarialModel", batch: Any) -> Any:
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return batch
    return strategy.experimental_local_results(batch)[0]


def check_first_batch(model: "AdversarialModel", data: Any) -> None:
    """Refuses a batch and networks that do not fit together.

    Args:
        model: compiled.
        data: x, floating [batch, ...], or (x, labels).

    Raises:
        ValueError: on values that are not finite or that the generator cannot make, on shapes that
            do not fit, and on a discriminator that mixes examples under a penalty that takes its
            gradient example by example.

    Warns:
        UserWarning: on data that seem to be in another range than the generator's, and on an
            encoder that cannot give all of the prior.
    """
    x, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
    x = tf.convert_to_tensor(x)
    if not x.dtype.is_floating or not len(x):
        return  # refused by the training step, or without an example
    check_finite(x)
    x = tf.cast(x, tf.float32)
    check_labels(labels, model.networks.values())
    if not model.built:
        model.build_networks(x, labels)
    labels = model.labels_of(x, labels)
    packing = model.packing
    count = max(packing, min(len(x), _EXAMPLES * packing) // packing * packing)
    some = x[:count]
    some_labels = None if labels is None else tf.convert_to_tensor(labels)[:count]
    networks = list(model.networks.values())
    with state_put_back(*networks):
        check_shapes(model, some, some_labels)
        check_ranges(model, x, some_labels)
        if model.distribute_strategy.num_replicas_in_sync == 1:
            check_mixing(model, some, some_labels)


def check_finite(x: Any) -> None:
    """Refuses data with NaN or infinity among them.

    Raises:
        ValueError: saying how many examples have one.
    """
    values = np.asarray(x)
    is_finite = np.isfinite(values.astype(np.float32, copy=False)).reshape(len(values), -1)
    bad = np.flatnonzero(~is_finite.all(axis=1))
    if len(bad):
        raise ValueError(
            f"Expected finite data x. Received: NaN or infinity in {len(bad):,} of {len(values):,} "
            f"examples, the first of them number {bad[0]}"
        )


# Shapes.


def check_shapes(model: "AdversarialModel", x: tf.Tensor, labels: tf.Tensor | None) -> None:
    """Refuses networks that do not fit the data or each other.

    Raises:
        ValueError: naming the network, with both shapes.
    """
    shape, z = tuple(x.shape[1:]), None
    if "generator" in model.roles:
        length = model.latent_length
        latents = Draw(model.seed, tf.zeros([], tf.int64)).latents(len(x), length, model.prior)
        made = _output(model, "generator", {"z": latents}, labels)
        if tuple(made.shape[1:]) != shape:
            raise ValueError(
                f"Expected {_named(model, 'generator')} to give samples of the data's shape "
                f"{shape}. Received: {tuple(made.shape[1:])}"
            )
        z = latents
    if "encoder" in model.roles:
        encoded = _output(model, "encoder", {"x": x}, labels)
        if z is None:
            z = encoded
        if encoded.shape.rank != 2 or encoded.shape[1] != z.shape[1]:
            raise ValueError(
                f"Expected {_named(model, 'encoder')} to give z of shape ({z.shape[1]},), as "
                f"{_named(model, 'generator')} takes it. Received: {tuple(encoded.shape[1:])}"
            )
    compared = _compared(model, x, labels)
    names = {1: ("z",) if model.roles == ("encoder",) else ("x",), 2: ("x", "z")}
    inputs = dict(zip(names[len(compared.real)], compared.real, strict=True))
    _check_logits(model, "discriminator", inputs, labels)
    second = model.batch_of(x, labels, _first_draw(model)).second
    if second is not None:
        _check_logits(model, "second_discriminator", {"real inputs": second.real[0]}, labels)


def _check_logits(
    model: "AdversarialModel", role: str, inputs: dict[str, tf.Tensor], labels: tf.Tensor | None
) -> None:
    logits = _output(model, role, inputs, labels)
    count = len(next(iter(inputs.values())))
    if tuple(logits.shape) not in ((count,), (count, 1)):
        raise ValueError(
            f"Expected {_named(model, role)} to give one logit per example, "
            f"[batch, 1]. Received: {[*logits.shape]} for {count} examples"
        )


def _named(model: "AdversarialModel", role: str) -> str:
    return f"the {role} {getattr(model, role).name!r}"


def _compared(model: "AdversarialModel", x: tf.Tensor, labels: tf.Tensor | None) -> Any:
    """What D is given of these examples."""
    return model.packs(x, labels, _first_draw(model))


def _first_draw(model: "AdversarialModel") -> Draw:
    return Draw(model.seed, tf.zeros([], tf.int64))


def _output(
    model: "AdversarialModel", role: str, inputs: dict[str, tf.Tensor], labels: tf.Tensor | None
) -> tf.Tensor:
    """The network's output in inference mode.

    Raises:
        ValueError: if it does not take inputs of these shapes.
    """
    network = getattr(model, role)
    _check_inputs(model, role, inputs)
    arguments = arguments_for(network, list(inputs.values()))
    try:
        output = network(*arguments, training=False, **model.labels_for(network, labels))
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        received = ", ".join(f"{name} of shape {(*value.shape,)}" for name, value in inputs.items())
        raise ValueError(
            f"Expected {_named(model, role)} to take {received}. Received: {_first_line(error)}"
        ) from error
    if not tf.is_tensor(output):
        raise ValueError(
            f"Expected {_named(model, role)} to give one tensor. Received: {type(output).__name__}"
        )
    return output


def _check_inputs(model: "AdversarialModel", role: str, inputs: dict[str, tf.Tensor]) -> None:
    """Compares with what a functional model or a Sequential says that it takes."""
    own = getattr(getattr(model, role), "inputs", None)
    if not own or isinstance(getattr(getattr(model, role), "input", None), dict):
        return
    if len(own) != len(inputs):
        remedy = f". {PAIRS_NEEDED}" if len(inputs) == 2 else ""
        raise ValueError(
            f"Expected {_named(model, role)} to have the inputs {' and '.join(inputs)}. "
            f"Received: one of {_count(len(own))}, {[tuple(each.shape) for each in own]}{remedy}"
        )
    for (name, value), expected in zip(inputs.items(), own, strict=True):
        if not _fits(value.shape[1:], expected.shape[1:]):
            raise ValueError(
                f"Expected {_named(model, role)} to take {name} of shape {(*value.shape[1:],)}. "
                f"Received: one for {(*expected.shape[1:],)}"
            )


def _fits(shape: Any, expected: Any) -> bool:
    """As Keras compares, which adds or drops a last axis of length 1."""
    shape, expected = list(shape), list(expected)
    if abs(len(shape) - len(expected)) == 1:
        longer, shorter = (shape, expected) if len(shape) > len(expected) else (expected, shape)
        if longer[-1] == 1:
            longer, shorter = longer[:-1], shorter
        shape, expected = longer, shorter
    return tf.TensorShape(shape).is_compatible_with(tf.TensorShape(expected))


def _count(inputs: int) -> str:
    return "1 input" if inputs == 1 else f"{inputs} inputs"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Keras begins with "Exception encountered when calling …"; the cause follows.
    told = [line for line in lines if not line.startswith("Exception encountered")]
    first = (told or lines or [type(error).__name__])[0]
    return first.replace("\x1b[1m", "").replace("\x1b[0m", "")


# Ranges.


def check_ranges(model: "AdversarialModel", x: tf.Tensor, labels: tf.Tensor | None) -> None:
    """Refuses data that the generator cannot make, and tells of what looks like it.

    Raises:
        ValueError: on data far outside of the generator's range.

    Warns:
        UserWarning: on data a bit outside of it, or in a small part of it only; on an encoder that
            cannot give all of the prior.
    """
    count = _EXAMPLES if labels is None else len(labels)
    if "generator" in model.roles:
        z = Draw(model.seed, tf.zeros([], tf.int64)).latents(
            count, model.latent_length, model.prior
        )
        generator = model.generator
        settings = model.labels_for(generator, labels)
        found = range_of(generator, z.numpy(), **settings)
        values = (float(tf.reduce_min(x)), float(tf.reduce_max(x)))
        if found is not None:
            _check_data_range(values, found, _named(model, "generator"))
        is_unbounded = found is None or not np.isfinite(found).all()
        if is_unbounded and x.shape.rank == 4 and values[0] >= 0 and values[1] > 32:
            _warn(
                f"Expected images x near the values that {_named(model, 'generator')} starts with, "
                f"such as in [-1, 1]. Received: {values[0]:g} to {values[1]:g}, as of pixels in "
                "[0, 255]. Give x / 127.5 - 1"
            )
    has_modes = getattr(model, "prior_centers", None) is not None
    if "encoder" in model.roles and not has_modes:
        found = range_of(model.encoder)
        reach = PRIORS[model.prior]
        if found is not None and (found[0] > -reach + 1e-6 or found[1] < reach - 1e-6):
            prior = "N(0, 1)" if model.prior == "normal" else "U[-1, 1]"
            _warn(
                f"Expected {_named(model, 'encoder')} to reach all of the prior {prior}. Received: "
                f"outputs in {_written(found)} only, by which D can tell it from the prior. A "
                "linear last layer reaches it"
            )


def _check_data_range(values: Range, possible: Range, name: str) -> None:
    least, most = possible
    width = most - least if np.isfinite([least, most]).all() else 1.0
    beyond = max(least - values[0], values[1] - most)
    # Of data in [-1, 1] half lies outside of [0, 255], though by little of its width.
    narrower = min(width, (values[1] - values[0]) or width)
    told = (
        f"Expected data x in the range of {name}, {_written(possible)}. Received: {values[0]:g} to "
        f"{values[1]:g}"
    )
    if beyond > _OVERSHOOT * narrower:
        raise ValueError(f"{told}, which it cannot make{_remedy(values, possible)}")
    if beyond > _ROUNDING * width:
        _warn(f"{told}, some of which it cannot make")
    elif np.isfinite(width) and least < 0 <= values[0] and np.isfinite(most):
        _warn(f"{told}, as of data in [0, {most:g}]{_remedy(values, possible)}")
    elif np.isfinite([least, most]).all() and values[1] < least + 0.02 * width:
        _warn(f"{told}, a small part of it{_remedy(values, possible)}")


def _remedy(values: Range, possible: Range) -> str:
    """How to map data of a usual range to the generator's."""
    for source, name in (((0.0, 1.0), "x"), ((-1.0, 1.0), "x"), ((0.0, 255.0), "x")):
        if values[0] >= source[0] and values[1] <= source[1] and np.isfinite(possible).all():
            scale = (possible[1] - possible[0]) / (source[1] - source[0])
            offset = possible[0] - scale * source[0]
            scaled = f"{scale:g} {name}" if scale >= 1 else f"{name} / {1 / scale:g}"
            scaled = scaled if scale != 1 else name
            sign = f" {'-' if offset < 0 else '+'} {abs(offset):g}" if offset else ""
            return f". Data in {_written(source)} are to be given as {scaled}{sign}"
    return ""


def _written(values: Iterable[float]) -> str:
    return "[" + ", ".join(f"{value:g}" for value in values).replace("inf", "∞") + "]"


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=_TRACEBACK_LEVEL)


# Examples that see each other.


def check_mixing(model: "AdversarialModel", x: tf.Tensor, labels: tf.Tensor | None) -> None:
    """Refuses a discriminator whose logits depend on other examples, where a term needs that not.

    Raises:
        ValueError: naming the discriminator, and the layer if it is known.

    Warns:
        UserWarning: if a term of D's does not say whether it needs it.
    """
    told = [term for term in model.terms if term.side != "generator"]
    told = [term for term in told if term.needs_separate_examples is not False]
    if not told:
        return
    says_so = getattr(model.discriminator, "looks_across_batch", False)
    needing = [term for term in told if term.needs_separate_examples]
    if says_so and not needing:
        return
    compared = _compared(model, x, labels)
    inputs = [tf.stop_gradient(value) for value in compared.real]
    others = [tf.stop_gradient(value) for value in compared.fake]
    of_labels = model.labels_for(model.discriminator, labels)

    def judge(*values: tf.Tensor) -> tf.Tensor:
        return model.discriminator_in_float32(*values, **of_labels)

    def call(*values: tf.Tensor) -> Any:
        arguments = arguments_for(model.discriminator, values)
        return model.discriminator(*arguments, training=True, **of_labels)

    if not says_so and not mixes_examples(judge, model.discriminator, inputs, others):
        return
    layer = mixing_layer(call, model.discriminator, inputs, others)
    where = f", whose layer {layer.name!r} ({type(layer).__name__}) lets" if layer else ", in which"
    what = (
        "the examples of a batch act on each other's logits"
        if layer is None
        else ("the examples of a batch act on each other")
    )
    name = type((needing or told)[0]).__name__
    text = (
        f"Expected a discriminator whose logit of an example depends on that example alone, for "
        f"{name}, which takes its gradient example by example. Received: "
        f"{model.discriminator.name!r}{where} {what}. LayerNormalization or none would do"
    )
    if needing:
        raise ValueError(text)
    _warn(f"{text}. If {name} does not, say needs_separate_examples = False in it")


def check_labels(labels: Any, networks: Iterable[keras.Model]) -> None:
    """Refuses labels that are no integers, or of classes that a network does not have.

    Args:
        labels: [examples], or None.
        networks: of which those count that have `classes`.

    Raises:
        ValueError: naming the network.
    """
    for network in networks:
        classes = getattr(network, "classes", 0)
        if not classes or labels is None:
            continue
        values = np.asarray(labels)
        if not np.issubdtype(values.dtype, np.integer) or values.ndim != 1:
            raise ValueError(
                f"Expected labels to be integers [batch] for {network.name!r}. Received: "
                f"{values.dtype.name} of shape {values.shape}"
            )
        if len(values) and not 0 <= values.min() <= values.max() < classes:
            raise ValueError(
                f"Expected labels from 0 to {classes - 1} for {network.name!r}, which was made for "
                f"{classes} classes. Received: {values.min()} to {values.max()}"
            )


def check_data(x: Any, labels: Any = None, networks: Iterable[keras.Model] = ()) -> None:
    """Refuses what is wrong with whole arrays; other data are seen a batch at a time.

    Args:
        x: what `fit` is given.
        labels: what it is given as y.
        networks: of the model.

    Raises:
        ValueError: saying how many examples have NaN or infinity, or which labels are out of range.
    """
    if isinstance(labels, np.ndarray | Sequence):
        check_labels(labels, networks)
    if isinstance(x, Sequence) and len(x) == 1:
        x = x[0]
    if isinstance(x, np.ndarray) and x.ndim and np.issubdtype(x.dtype, np.floating):
        check_finite(x)
