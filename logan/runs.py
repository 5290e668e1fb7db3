"""The run folder: where things lie in it, and how to open it again."""

import contextlib
import datetime
import fcntl
import json
import math
import operator
import os
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logan
from logan.checkpoints import Checkpoints
from logan.errors import DivergedError, RunError, UserError
from logan.files import atomic_path, clear_leftovers, read_json, write_json, write_text
from logan.labels import Classes
from logan.settings import Experiment, check_continues, from_flags, last_common_step, to_flags

if TYPE_CHECKING:
    from logan.models.adversarial import AdversarialModel


_LOCK = ".lock"


def default_workdir(experiment: Experiment) -> Path:
    """runs/<experiment>-<method>-seed<seed>, with the penalty where no method is named."""
    return Path("runs", f"{experiment.name}-{experiment.way}-seed{experiment.seed}")


def cache_of(workdir: str | os.PathLike[str]) -> Path:
    """Where runs in that folder's parent keep decoded frames."""
    return Path(workdir).resolve().parent / ".cache"


def check_name(folder: Path) -> None:
    """Refuses a run's folder that TensorFlow cannot write into, by names in UTF-8 alone.

    Raises:
        RunError: if its name is not text.
    """
    if re.search("[\ud800-\udfff]", str(folder)):
        raise RunError(f"--workdir: expected a name in UTF-8. Received: {str(folder)!r}")


class Run:
    """One run's folder.

    Attributes:
        path: the folder.
        experiment: its settings.
    """

    def __init__(self, path: Path, experiment: Experiment):
        self.path = path
        self.experiment = experiment

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Run":
        """An existing run.

        Raises:
            RunError: if there is no run there, or its flags.txt cannot be read.
        """
        folder = Path(path)
        flags = folder / "flags.txt"
        if not flags.is_file():
            raise RunError(
                f"--workdir: expected the folder of a run, with a flags.txt. Received: {folder}"
            )
        try:
            lines = flags.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
            return cls(folder, from_flags(lines))
        except ValueError as error:
            raise RunError(f"{flags}: {error}") from error

    @classmethod
    def create_or_continue(cls, path: str | os.PathLike[str], experiment: Experiment) -> "Run":
        """The run of that experiment in that folder, whether it has begun or not.

        Raises:
            RunError: if the folder holds another experiment, or something that is no run, or its
                name is not text.
        """
        folder = Path(path)
        check_name(folder)
        run = cls(folder, experiment)
        run.check_folder()
        if (folder / "flags.txt").exists():
            return run
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with run.held():
                return run
        except OSError as error:
            raise RunError(f"--workdir: cannot write to {folder}: {error.strerror}") from error

    def check_folder(self) -> None:
        """Makes sure that the run can begin in its folder, or go on there. Writes nothing.

        Raises:
            RunError: if the folder holds another experiment, or something that is no run.
        """
        self.check_settings()
        if not (self.path / "flags.txt").exists():
            self.check_is_free()

    def check_is_free(self) -> None:
        """Refuses a folder that holds something else than a run.

        Raises:
            RunError: if there are other files in it, or it is a file.
        """
        if self.path.is_dir() and any(path.name != _LOCK for path in self.path.iterdir()):
            raise RunError(
                f"--workdir: expected a new or empty folder, or that of a run. {self.path} holds "
                "other files"
            )
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"--workdir: expected a folder. Received the file {self.path}")

    def check_settings(self) -> None:
        """Compares the run's settings with those that its folder was begun with, if it was.

        Raises:
            RunError: if they are not those of one run.
        """
        begun = self._begun_with()
        if begun:
            check_continues(self.path, begun, self.experiment)

    def _begun_with(self) -> Experiment | None:
        is_there = (self.path / "flags.txt").exists()
        return Run.open(self.path).experiment if is_there else None

    @property
    def label(self) -> str:
        """What tables and figures call the run."""
        return self.path.resolve().name

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def snapshots(self) -> Path:
        return self.path / "snapshots"

    @property
    def export(self) -> Path:
        return self.path / "export"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.json"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def cache(self) -> Path:
        """Decoded frames, which the runs beside each other share."""
        return cache_of(self.path)

    @property
    def is_trained(self) -> bool:
        """Whether it has come to its end, with the export of those averages that --weights names.

        Raises:
            RunError: if the settings in its folder cannot be read.
        """
        steps, exported = self.checkpoints.steps(), self.exported_steps()
        if not steps or exported is None or not steps[-1] == exported[0] == self.experiment.steps:
            return False
        return Run.open(self.path).experiment.weights == self.experiment.weights

    # Classes of a conditional run.

    @property
    def _classes(self) -> Path:
        return self.path / "classes.json"

    def classes(self) -> Classes | None:
        """What the run's generator can be asked for; None if it takes no labels.

        Raises:
            RunError: if the file of them is missing or damaged.
        """
        if not (self.experiment.takes_labels or self.experiment.is_conditional):
            return None
        try:
            return Classes.from_config(read_json(self._classes))
        except FileNotFoundError as error:
            raise RunError(f"{self._classes}: expected the classes of the run. Received: no file; "
                           "was it trained?") from error  # fmt: skip
        except (UserError, TypeError, KeyError, ValueError) as error:
            raise RunError(
                f"{self._classes}: expected names and shares of classes. Received: {error}"
            ) from error

    def note_classes(self, classes: Classes | None) -> None:
        """Writes what the classes are, once. Only for who holds the run.

        Raises:
            RunError: if the run was begun with others.
        """
        if classes is None:
            return
        if not self._classes.is_file():
            write_json(self._classes, classes.config())
        begun = self.classes()
        if begun != classes:
            assert begun is not None
            raise RunError(
                f"{self.path}: expected data of the same classes as the run was begun with, "
                f"{_listed(begun)}. Received: {_listed(classes)}"
            )

    # The log.

    def records(self) -> list[dict[str, Any]]:
        """The log's records in order; a last line that a crash cut short is left out.

        Raises:
            RunError: if another line is no record; the message names it.
        """
        if not self.log.is_file():
            return []
        records = []
        lines = self.log.read_bytes().splitlines()
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                _ = operator.index(record["step"]), math.isfinite(record["seconds"])
                records.append(record)
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
                if number < len(lines):
                    raise RunError(
                        f"{self.log}, line {number}: expected a record of a step. Received: "
                        f"{line[:80]!r}. Without this line the run goes on"
                    ) from error
        return records

    def keep_records_until(self, step: int) -> list[dict[str, Any]]:
        """Drops what the log holds of later steps, which a continued run will write again."""
        records = [record for record in self.records() if record["step"] <= step]
        write_text(self.log, "".join(f"{json.dumps(record)}\n" for record in records))
        return records

    def append_record(self, record: dict[str, Any]) -> None:
        """Adds one line to the log.

        Raises:
            RunError: if the folder was deleted. What else writes into it would make a new one.
        """
        self._check_is_there()
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")

    def _check_is_there(self) -> None:
        if not (self.path / "flags.txt").is_file():
            raise RunError(f"{self.path} was deleted during training")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from training in this folder, and notes the settings there.

        The operating system lets go of it when the process ends, however it ends.

        Raises:
            RunError: if another process holds it; the message names that process. Also in place
                of any error from within once the folder was deleted.
        """
        with (self.path / _LOCK).open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise RunError(
                    f"--workdir: expected a folder that no other run is using. {self.path} is in "
                    f"use by {file.read().strip() or 'another process'}"
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
            # Not before: a command that is refused must leave another's settings alone.
            self.check_settings()
            self._leave_early_end()
            lines = "\n".join(to_flags(self.experiment)) + "\n"
            write_text(self.path / "flags.txt", lines, errors="surrogateescape")
            try:
                yield
            except Exception:
                self._check_is_there()
                raise

    def clear_leftovers(self) -> None:
        """Removes what killed trainings left half-written. Only for who holds the run."""
        self.checkpoints.clear_leftovers()
        # Not all of the folder: an evaluation may be writing beside us.
        for name in (
            "flags.txt",
            "environment.json",
            "rollbacks.json",
            "classes.json",
            self.log.name,
        ):
            clear_leftovers(self.path, name)
        for folder in (self.export, self.snapshots):
            clear_leftovers(folder)
        for name in ("generations-*", "reconstructions-*"):
            clear_leftovers(self.figures, name)

    # Checkpoints.

    def _leave_early_end(self) -> None:
        """Removes the checkpoint of an end that the longer run to come does not pass like this."""
        begun = self._begun_with()
        if not begun or begun.steps == self.experiment.steps:
            return
        if begun.steps in self.checkpoints.steps() and last_common_step(begun) < begun.steps:
            self.checkpoints.discard(begun.steps)
            print(
                f"{self.path}: goes on from step {max([0, *self.checkpoints.steps()]):,}. Step "
                f"{begun.steps:,} was an end between two lines of the log.",
                file=sys.stderr,
            )

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.path / "checkpoints", self.experiment.checkpoints_kept)

    def trained_model(self, weights: str | None = None) -> "AdversarialModel":
        """The model at its newest checkpoint.

        Args:
            weights: its averages, `best` or `last`; None for what the run's --weights says.

        Raises:
            RunError: if nothing was trained yet.
        """
        from logan.keras_settings import package_settings
        from logan.models.assemble import assemble
        from logan.models.best import best_averages

        with package_settings():
            model = assemble(self.experiment, classes=self.classes())
            best = best_averages(model)
        if self.checkpoints.restore(model, best) == 0:
            raise RunError(f"{self.path}: expected a trained run. Received: no checkpoint in it")
        if best and (weights or self.experiment.weights) == "best":
            best.restore(model)
        return model

    # Rollbacks.

    @property
    def _rollbacks(self) -> Path:
        return self.path / "rollbacks.json"

    def rollbacks(self) -> list[dict[str, int]]:
        """Each time that training went back: from a bad step to a checkpoint's (0: the start).

        Raises:
            UserError: if the file of them is damaged.
        """
        done = read_json(self._rollbacks) if self._rollbacks.is_file() else []
        try:
            return [{name: int(entry[name]) for name in ("from_step", "to_step")} for entry in done]
        except (TypeError, KeyError, ValueError) as error:
            raise RunError(
                f"{self._rollbacks}: expected a list of steps from and to which training went "
                f"back. Received: {done!r:.80}"
            ) from error

    def roll_back(self, error: DivergedError) -> None:
        """Notes that training goes back to the newest checkpoint, or to the one before it.

        The one before it if an earlier attempt from the newest has failed as well; the newest is
        removed then.

        Raises:
            DivergedError: the given one, unless the run's settings allow another rollback.
        """
        done = self.rollbacks()
        if self.experiment.on_nan != "rollback":
            raise error
        if len(done) >= self.experiment.most_rollbacks:
            raise DivergedError(f"{error} It was rolled back {len(done)} times.", error.step)
        steps = [0, *self.checkpoints.steps()]
        has_failed_before = bool(done) and done[-1]["to_step"] == steps[-1] > 0
        target = steps[-2] if has_failed_before else steps[-1]
        write_json(self._rollbacks, [*done, {"from_step": error.step, "to_step": target}])
        if has_failed_before:
            self.checkpoints.discard(steps[-1])
        print(f"{error} Rolled back to step {target:,}.", file=sys.stderr)

    # What the run was made with.

    def write_environment(self, first_step: int) -> None:
        """Adds this session to environment.json: versions, device, revision, seed, command."""
        path = self.path / "environment.json"
        sessions = read_json(path) if path.is_file() else []
        if not isinstance(sessions, list):
            raise RunError(f"{path}: expected a list of sessions. Received: {sessions!r:.80}")
        write_json(path, [*sessions, {"first_step": first_step, **environment(self.experiment)}])

    def export_networks(self, model: "AdversarialModel") -> None:
        """Writes the averaged networks and all discriminators as .keras files, and their step."""
        networks = {role: getattr(model, f"averaged_{role}") for role in model.roles}
        if getattr(model, "classes", None) is not None:  # of clusters, those of now
            model.generator.known_classes = model.classes
        against = {role: getattr(model, role) for role in model.discriminator_roles}
        for name, network in {**networks, **against}.items():
            with atomic_path(self.export / f"{name}.keras") as temporary:
                network.save(temporary)
        step = int(model.step.numpy())
        write_json(self.export / "step.json", [step, model.averages_step or step])

    def exported_steps(self) -> tuple[int, int] | None:
        """At which step all networks were exported, and of which the averages are.

        None if that is not known.
        """
        try:
            step, averages_step = read_json(self.export / "step.json")
        except (FileNotFoundError, UserError, TypeError, ValueError):
            return None
        return (step, averages_step) if isinstance(step, int) else None


def _listed(classes: Classes) -> str:
    shares = [
        f"{name} ({share:.4%})" for name, share in zip(classes.names, classes.shares, strict=True)
    ]
    return ", ".join(shares[:10]) + (f" and {len(shares) - 10} others" if shares[10:] else "")


def environment(experiment: Experiment) -> dict[str, Any]:
    """Versions, devices and the revision of this package."""
    import keras
    import numpy as np
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name") for gpu in gpus]
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "seed": experiment.seed,
        "command": sys.argv,
        "logan": logan.__version__,
        "git_revision": _git_revision(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "threads": tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count(),
        "gpus": names,
    }


def _git_revision() -> str | None:
    """The checkout's revision, with -dirty if it has changes; None outside of a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command,
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
