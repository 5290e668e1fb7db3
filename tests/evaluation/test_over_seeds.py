"""Cells over seeds, worked out by hand."""

import pytest

from logan.evaluation.measures import Column
from logan.evaluation.over_seeds import cell, markdown, seeds, without_absent

HQ = Column("HQ", ("high_quality",), "{:.3f}")
FAIR = Column("fair", ("captured_fair",), "{}")
SHARE = Column("real", ("foreground", "real_share"), "{:.2f}")


def test_mean_and_range_are_rounded_once() -> None:
    # The mean is 0.934695; that of the rounded numbers would be 0.9345.
    assert cell([{"high_quality": 0.93449}, {"high_quality": 0.9349}], HQ) == (
        "0.935 (0.934 to 0.935)"
    )


def test_whole_numbers_get_a_digit_for_their_mean() -> None:
    runs = [{"captured_fair": 2}, {"captured_fair": 3}, {"captured_fair": 3}]
    assert cell(runs, FAIR) == "2.7 (2 to 3)"
    assert cell(runs, FAIR, mean_only=True) == "2.7"
    assert cell(runs[1:], FAIR) == "3"


def test_a_number_within_another_is_found_and_its_lack_in_one_run_is_told() -> None:
    assert cell([{"foreground": {"real_share": 0.5}}], SHARE) == "0.50"
    assert cell([{"foreground": {"real_share": 0.5}}, {"foreground": 1}], SHARE) == "-"


def test_a_null_counts_as_infinite() -> None:
    column = Column("reverse KL", ("reverse_kl",), "{:.4f}")
    assert cell([{"reverse_kl": 0.5}, {"reverse_kl": None}], column) == "inf (0.5000 to inf)"


@pytest.mark.parametrize("order", [(10, 2), (2, 10)])
def test_seeds_ascend(order: tuple[int, int]) -> None:
    assert seeds([{"seed": seed} for seed in order]) == "2, 10"


def test_many_seeds_in_a_row_are_a_range() -> None:
    assert seeds([{"seed": seed} for seed in (5, 4, 3, 2, 1, 0)]) == "0 to 5"
    assert seeds([{"seed": seed} for seed in (0, 1, 2, 3, 4, 6)]) == "0, 1, 2, 3, 4, 6"


def test_columns_without_a_value_are_left_out() -> None:
    table = [["run", "HQ", "SSIM"], ["a", "-", "-"], ["b", "0.9", "-"]]
    assert markdown(without_absent(table)) == (
        "| run | HQ |\n| --- | --- |\n| a | - |\n| b | 0.9 |"
    )
