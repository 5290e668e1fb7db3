"""Which runs a sweep has, with which flags, in which folders."""

from pathlib import Path
from typing import Any

import pytest

from logan.errors import RunError, UserError
from logan.files import write_json
from logan.runs import Run
from logan.settings import METHODS, preset, to_flags
from logan.sweeps.plan import (
    PlannedRun,
    check_folders,
    method_settings,
    open_commands,
    plan,
    seeds_from,
    shell_line,
)


def planned(folder: Path = Path("sweep"), **changes: Any) -> list[PlannedRun]:
    settings: dict[str, Any] = dict(
        experiments=["ring8"], methods=[], penalties=[], seeds=[0], given={}, of_methods={}
    )
    return plan(folder, **{**settings, **changes})


def labels(runs: list[PlannedRun]) -> list[str]:
    return [each.run.label for each in runs]


def begin(run: Run) -> None:
    """Leaves what a training leaves of its settings."""
    run.path.mkdir(parents=True)
    (run.path / "flags.txt").write_text("\n".join(to_flags(run.experiment)))


def finish(run: Run, step: int) -> None:
    """Leaves what a finished training leaves, without any weights."""
    begin(run)
    run.checkpoints.path(step).mkdir(parents=True)
    write_json(run.export / "step.json", [step, step])


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0", [0]), ("0-2,5", [0, 1, 2, 5]), ("7, 3-4,3", [3, 4, 7]), ("2-2", [2])],
)
def test_seeds(text: str, seeds: list[int]) -> None:
    assert seeds_from(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "-1", "2-1", "1,,2", "0-", "1.5", "0-2-4"])
def test_other_texts_are_no_seeds(text: str) -> None:
    with pytest.raises(UserError, match="--seeds: expected whole numbers such as 0-2,5"):
        seeds_from(text)


def test_every_experiment_by_every_method_seed_by_seed() -> None:
    runs = planned(experiments=["ring8", "line"], methods=["pairwise", "gan"], seeds=[0, 4])
    assert labels(runs) == [
        "ring8-pairwise-seed0", "ring8-gan-seed0", "line-pairwise-seed0", "line-gan-seed0",
        "ring8-pairwise-seed4", "ring8-gan-seed4", "line-pairwise-seed4", "line-gan-seed4",
    ]  # fmt: skip
    assert runs[7].run.path == Path("sweep/line-gan-seed4")
    assert runs[7].run.experiment == preset("line", {"seed": 4}, method="gan")


def test_penalties_are_varied_by_the_preset_s_own_method() -> None:
    runs = planned(penalties=["pairwise", "none"], given={"weights": "last"})
    assert labels(runs) == ["ring8-pairwise-seed0", "ring8-none-seed0"]
    settings = {"penalty": "none", "weights": "last"}
    assert runs[1].run.experiment == preset("ring8", settings)


def test_without_either_it_is_the_preset_s_own_method() -> None:
    assert planned()[0].run.experiment == preset("ring8")
    assert labels(planned(experiments=["traffic"])) == ["traffic-pairwise-seed0"]


def test_one_penalty_beside_methods_is_a_setting_of_all() -> None:
    runs = planned(methods=["pairwise-autoencoder"], penalties=["none"])
    assert labels(runs) == ["ring8-pairwise-autoencoder-seed0"]
    assert runs[0].run.experiment.penalty == "none"
    with pytest.raises(UserError, match="--penalties: expected one at most beside --methods"):
        planned(methods=["pairwise"], penalties=["none", "pairwise"])


def test_settings_of_single_methods_come_last() -> None:
    runs = planned(
        methods=["pairwise", "gan"], given={"steps": 5}, of_methods={"gan": {"steps": 7}}
    )
    assert [each.run.experiment.steps for each in runs] == [5, 7]


def test_flags_give_the_planned_experiment() -> None:
    (run,) = planned(methods=["wgan"], seeds=[3], given={"width": 8, "snapshots": 0})
    assert run.flags == [
        "--experiment=ring8", "--method=wgan", "--seed=3", "--width=8", "--snapshots=0",
    ]  # fmt: skip


def test_more_steps_are_in_the_flags_too() -> None:
    run = planned(given={"steps": 5})[0].with_steps(9)
    assert run.run.experiment.steps == 9
    assert run.flags == ["--experiment=ring8", "--seed=0", "--steps=9"]


def test_names_of_runs_can_be_others() -> None:
    runs = planned(methods=["gan"], seeds=[2], run_names="{method}-seed{seed}")
    assert labels(runs) == ["gan-seed2"]


@pytest.mark.parametrize("name", ["{seed}{nothing}", "{seed", "a/{seed}", "", "..", "{0}"])
def test_bad_names_of_runs_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="--run_names: expected a"):
        planned(run_names=name)


def test_two_runs_of_one_name_are_refused() -> None:
    with pytest.raises(UserError, match=r"expected a name of its own for each run.*gan$"):
        planned(methods=["gan"], seeds=[0, 1], run_names="{method}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"experiments": ["ring9"]}, "Did you mean ring8"),
        ({"experiments": []}, "--experiment: expected some of ring8, .* Received: nothing"),
        ({"methods": ["pairwis"]}, "Did you mean pairwise"),
        ({"penalties": ["no"]}, "--penalty: expected one of none, pairwise"),
        ({"given": {"steps": 0}}, "--steps: expected a number >= 1"),
        ({"of_methods": {"gan": {"steps": 1}}}, "--method_flags: expected nothing without"),
        (
            {"methods": ["wgan"], "of_methods": {"gan": {"steps": 1}}},
            "--method_flags: expected wgan. Received: 'gan'",
        ),
    ],
)
def test_bad_plans_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        planned(**changes)


def test_flags_of_single_methods() -> None:
    texts = ["gan:--steps=7 --jit=false", "wgan:--steps=8", "gan:--video='a b.mp4'"]
    assert method_settings(texts) == {
        "gan": {"steps": 7, "jit": False, "video": ("a b.mp4",)},
        "wgan": {"steps": 8},
    }


@pytest.mark.parametrize(
    "text",
    [
        "gan",
        "gan:",
        ":--steps=7",
        "gan:steps=7",
        "gan:--steps",
        "gan:--nothing=1",
        "gan:--steps=x",
        "gan:--video='a",
    ],
)
def test_other_flags_of_single_methods_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--method_flags: expected method:--flag=value"):
        method_settings([text])


def test_a_run_is_one_line_for_a_shell() -> None:
    (run,) = planned(experiments=["images"], methods=["gan"], given={"data": "my faces"})
    assert shell_line(open_commands(run, 1, is_measured=False)) == (
        "logan-train --experiment=images --method=gan --seed=0 '--data=my faces' "
        "--workdir=sweep/images-gan-seed0 --threads=1 --noprogress && "
        "logan-evaluate --workdir=sweep/images-gan-seed0 --threads=1"
    )


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    (run,) = planned(tmp_path, given={"steps": 7})
    train, evaluate = run.commands()
    assert open_commands(run, 0, is_measured=True) == [train, evaluate]
    finish(run.run, 7)
    assert open_commands(run, 0, is_measured=False) == [evaluate]
    more = ["--samples=500", "--extractor=none"]
    assert open_commands(run, 0, is_measured=False, measuring=more) == [[*evaluate, *more]]
    assert open_commands(run, 0, is_measured=True) == []
    # The export is of the best weights.
    (other,) = planned(tmp_path, given={"steps": 7, "weights": "last"})
    assert len(open_commands(other, 0, is_measured=True)) == 2


def test_a_run_of_fewer_steps_is_not_complete(tmp_path: Path) -> None:
    (run,) = planned(tmp_path, given={"steps": 7})
    finish(run.run, 6)
    assert not run.run.is_trained


def test_all_folders_of_other_runs_are_told(tmp_path: Path) -> None:
    for run in planned(tmp_path, seeds=[0, 1]):
        begin(run.run)
    (tmp_path / "ring8-pairwise-seed2").mkdir()
    (tmp_path / "ring8-pairwise-seed2" / "notes.txt").touch()
    runs = planned(tmp_path, seeds=[0, 1, 2, 3], given={"width": 8})
    with pytest.raises(RunError) as caught:
        check_folders(runs)
    lines = str(caught.value).splitlines()
    assert [line.split("--width")[-1] for line in lines[:2]] == [": 64, not 8"] * 2
    assert lines[2].endswith("ring8-pairwise-seed2 holds other files")
    assert not runs[3].run.path.exists()


def test_folders_can_be_checked_before_steps_are_known(tmp_path: Path) -> None:
    (run,) = planned(tmp_path, given={"steps": 7})
    begin(run.run)
    changed = planned(tmp_path, given={"steps": 9})
    check_folders(changed, but_for_steps=True)
    with pytest.raises(RunError, match=r"--steps: expected 7, as .* Received: 9"):
        check_folders(changed)


def test_every_method_fits_into_a_plan() -> None:
    methods = [name for name in METHODS if name != "custom"]
    assert len(planned(methods=methods)) == len(methods)
