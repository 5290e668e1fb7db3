"""Checkpoints that are either whole or absent, and restoring the newest one that can be read.

    checkpoints/step-00001000/model.index, model.data-00000-of-00001

A checkpoint is written into a folder with a temporary name, forced to the disk, and renamed; so a
kill or a power cut at any moment leaves the ones before it untouched and no half of a new one.
"""

import re
import secrets
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logan.errors import RunError
from logan.files import flush_to_disk

if TYPE_CHECKING:
    from logan.models.adversarial import AdversarialModel
    from logan.models.best import BestAverages

_NAME = re.compile(r"step-(\d+)")
_TEMPORARY = ".unfinished-"
_PREFIX = "model"

# What TensorFlow raises, besides its own errors, over a checkpoint cut short or of another model.
_UNREADABLE = (ValueError, AssertionError, IndexError, RuntimeError, OSError)


class Checkpoints:
    """The checkpoints in one folder.

    Attributes:
        folder: where they lie.
        kept: how many of the newest stay.
    """

    def __init__(self, folder: Path, kept: int):
        self.folder = folder
        self.kept = kept

    def steps(self) -> list[int]:
        """The steps of which there is a checkpoint, ascending."""
        if not self.folder.is_dir():
            return []
        names = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def path(self, step: int) -> Path:
        """The folder of the checkpoint of that step."""
        return self.folder / f"step-{step:08d}"

    def newest(self) -> Path | None:
        """The newest checkpoint's folder, or None."""
        steps = self.steps()
        return self.path(steps[-1]) if steps else None

    def save(
        self, model: "AdversarialModel", step: int, best: "BestAverages | None" = None
    ) -> None:
        """Adds a checkpoint, of the best averages too if given, and removes those too old."""
        import tensorflow as tf

        temporary = self.folder / f"{_TEMPORARY}{secrets.token_hex(4)}"
        try:
            temporary.mkdir(parents=True)
            tf.train.Checkpoint(**_tracked(model, best)).write(str(temporary / _PREFIX))
            for path in [*temporary.iterdir(), temporary]:
                flush_to_disk(path)
            self.discard(step)
            temporary.rename(self.path(step))
            flush_to_disk(self.folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        for old in self.steps()[: -self.kept]:
            self.discard(old)

    def restore(self, model: "AdversarialModel", best: "BestAverages | None" = None) -> int:
        """Loads the newest checkpoint that can be read; those that cannot are reported.

        Args:
            model: gets what the checkpoint holds.
            best: gets the best averages. Stays as it is if the checkpoint, of a version before 0.3,
                holds none.

        Returns:
            Its step; 0 if there is none, and then the model is as it was.

        Raises:
            RunError: if there are checkpoints and none of them can be read.
        """
        import tensorflow as tf

        faults = []
        for step in reversed(self.steps()):
            path = self.path(step)
            try:
                prefix = str(path / _PREFIX)
                has_best = any(name.startswith("best/") for name in _names(prefix))
                _read(prefix, model, best if has_best else None)
            except (*_UNREADABLE, tf.errors.OpError) as error:
                faults.append(f"{path}: expected a checkpoint of this run. {_first_line(error)}")
                continue
            for fault in faults:
                print(f"{fault} Going on from {path}.", file=sys.stderr)
            return int(model.step.numpy())
        if faults:
            raise RunError("\n".join(faults))
        return 0

    def clear_leftovers(self) -> None:
        """Removes what killed processes left half-written. Only for who holds the run."""
        if self.folder.is_dir():
            for path in self.folder.glob(f"{_TEMPORARY}*"):
                shutil.rmtree(path, ignore_errors=True)

    def discard(self, step: int) -> None:
        """Removes a checkpoint, if it is there, in one move: never seen with half of its files."""
        if self.path(step).exists():
            gone = self.folder / f"{_TEMPORARY}{secrets.token_hex(4)}"
            self.path(step).rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def _tracked(model: "AdversarialModel", best: "BestAverages | None") -> dict[str, Any]:
    """What a checkpoint holds, by name.

    TensorFlow does not look for variables in a network's lists of layers. Those that are trained it
    finds in the optimizer; running moments and the like are named here.
    """
    import tensorflow as tf

    found = {id(each) for each in tf.train.TrackableView(model).descendants()}
    variables = [v for network in model.networks.values() for v in network.variables]
    hidden = [v for v in variables if id(v) not in found]
    tracked: dict[str, Any] = dict(model=model) if best is None else dict(model=model, best=best)
    return dict(tracked, in_lists=hidden) if hidden else tracked


def _names(prefix: str) -> list[str]:
    import tensorflow as tf

    return [name for name, _ in tf.train.list_variables(prefix)]


def _read(prefix: str, model: "AdversarialModel", best: "BestAverages | None") -> None:
    """Loads what the checkpoint holds."""
    import tensorflow as tf

    if _has_copies(prefix):
        _read_with_copies(prefix, model, best)
    else:
        checkpoint = tf.train.Checkpoint(**_tracked(model, best))
        checkpoint.read(prefix).assert_existing_objects_matched()


def _has_copies(prefix: str) -> bool:
    """Whether it has copies of the networks in place of their averages, as before version 0.3."""
    averages = [name for name in _names(prefix) if name.startswith("model/averaged_")]
    return bool(averages) and not any("/average_0/" in name for name in averages)


def _read_with_copies(prefix: str, model: "AdversarialModel", best: "BestAverages | None") -> None:
    """As `_read`, of a checkpoint before version 0.3."""
    import tensorflow as tf

    def read(**children: Any) -> None:
        tf.train.Checkpoint(**children).read(prefix).assert_existing_objects_matched()

    def holder(**children: Any) -> tf.Module:
        made = tf.Module()
        for name, child in children.items():
            setattr(made, name, child)
        return made

    # A network has the layers that its copies had. It lends them, and gets its own weights last.
    networks = {role: getattr(model, role) for role in model.roles}
    read(model=holder(**{f"averaged_{role}": network for role, network in networks.items()}))
    for role, network in networks.items():
        getattr(model, f"averaged_{role}").set_weights(network.get_weights())
    if best is not None:
        read(best=holder(networks=networks, least_error=best.least_error, step=best.step))
        for role, network in networks.items():
            best.networks[role].set_weights(network.get_weights())
    optimizers = {f"{role}_optimizer": one for role, one in model.optimizers.items()}
    counters = dict(step=model.step, first_bad_step=model.first_bad_step)
    read(model=holder(**model.networks, **optimizers, **counters))


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
