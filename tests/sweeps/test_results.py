"""Table and CSV of metrics made by hand."""

from pathlib import Path
from typing import Any

from logan.files import write_json
from logan.settings import to_flags
from logan.sweeps.plan import PlannedRun, plan
from logan.sweeps.results import csv_of_runs, measured, table_over_seeds


def planned(folder: Path = Path("sweep")) -> list[PlannedRun]:
    return plan(folder, ["ring8"], ["pairwise", "gan"], [], [0, 1], {"steps": 7}, {})


def metrics(seed: int, **numbers: Any) -> dict[str, Any]:
    return {"seed": seed, "step": 7, **numbers}


def found() -> list[tuple[PlannedRun, dict[str, Any]]]:
    numbers = [
        metrics(0, captured_fair=8, high_quality=0.5, foreground={"distance": 0.25}),
        metrics(0, captured_fair=1, high_quality=0.25, reverse_kl=None),
        metrics(1, captured_fair=8, high_quality=0.75, foreground={"distance": 0.75}),
    ]
    return list(zip(planned(), numbers, strict=False))


def test_table_has_a_row_for_each_method_and_the_columns_that_one_has() -> None:
    assert table_over_seeds(found()).splitlines() == [
        "| experiment | method | seeds | step | fair | HQ | reverse KL | distance |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| ring8 | pairwise | 0, 1 | 7 | 8 | 0.625 (0.500 to 0.750) | - | 0.500 (0.250 to 0.750) |",
        "| ring8 | gan | 0 | 7 | 1 | 0.250 | inf | - |",
    ]


def test_csv_has_a_row_for_each_run() -> None:
    assert csv_of_runs(found()).splitlines() == [
        "experiment,method,seed,step,captured_fair,high_quality,reverse_kl,foreground.distance",
        "ring8,pairwise,0,7,8,0.5,,0.25",
        "ring8,gan,0,7,1,0.25,inf,",
        "ring8,pairwise,1,7,8,0.75,,0.75",
    ]


def leave(each: PlannedRun, averages_step: int) -> None:
    """What a finished training leaves, its best weights those of some step."""
    run = each.run
    run.checkpoints.path(7).mkdir(parents=True)
    (run.path / "flags.txt").write_text("\n".join(to_flags(run.experiment)))
    run.log.write_text('{"step": 7, "seconds": 1}\n')
    write_json(run.export / "step.json", [7, averages_step])


def test_only_metrics_of_the_weights_of_now_count(tmp_path: Path) -> None:
    new, old, other, unfinished = planned(tmp_path)
    for each in (new, old, other):
        leave(each, averages_step=5)
    write_json(new.run.metrics, metrics(0, averages_step=5))
    write_json(old.run.metrics, {"step": 6, "averages_step": 5})
    write_json(other.run.metrics, metrics(1, averages_step=7))
    unfinished.run.path.mkdir()
    write_json(unfinished.run.metrics, metrics(1))
    assert [each.run.label for each, _ in measured([new, old, other, unfinished])] == [
        "ring8-pairwise-seed0"
    ]
