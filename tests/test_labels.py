"""Classes by name and number, and draws of them by their shares."""

import numpy as np
import pytest

from logan.errors import UserError
from logan.labels import Classes

PETS = Classes.of(("cat", "dog", "2"), [1, 1, 2])


def test_shares_are_weights_divided_by_their_sum():
    assert PETS.shares == (0.25, 0.25, 0.5)
    assert len(PETS) == 3


@pytest.mark.parametrize(("text", "number"), [("cat", 0), ("dog", 1), ("2", 2), ("0", 0), ("1", 1)])
def test_a_name_counts_before_a_number(text, number):
    assert PETS.number(text) == number


def test_a_name_that_is_a_number_of_another_class_is_the_name():
    assert Classes.of(("1", "0"), [1, 1]).number("0") == 1


@pytest.mark.parametrize("text", ["3", "-1", "cow", "", "1.0", "²"])
def test_what_is_neither_name_nor_number_is_refused(text):
    with pytest.raises(UserError, match=r"^--label: expected one of cat, dog, 2, or a number"):
        PETS.number(text)


def test_near_names_are_offered():
    with pytest.raises(UserError, match=r"Did you mean cat\?"):
        PETS.number("cats")


def test_draws_fall_into_shares():
    draws = np.array([0.0, 0.2499, 0.25, 0.4999, 0.5, 0.99999994])
    assert PETS.of_draws(draws).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_class_that_does_not_occur_is_never_drawn():
    classes = Classes((*"abcd",), (0.0, 0.5, 0.5, 0.0))
    assert classes.of_draws(np.array([0.0, 0.5, 0.99999994])).tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("names", "shares"), [(("a",), (1.0,)), (("a", "b"), (1.0,)), (("a", "b"), (0.7, 0.7))]
)
def test_what_are_no_classes_is_refused(names, shares):
    with pytest.raises(ValueError, match="Expected"):
        Classes(names, shares)


def test_a_config_brings_them_back():
    classes = Classes.of([str(index) for index in range(7)], np.arange(7) + 0.1)
    assert Classes.from_config(classes.config()) == classes
