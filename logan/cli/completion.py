"""Prints what makes a shell complete the commands' flags, and the names that some of them take.

python -m logan.cli.completion >>~/.bashrc
(echo 'autoload -U bashcompinit && bashcompinit'; python -m logan.cli.completion) >>~/.zshrc
"""

import importlib
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

from logan.settings import DATASETS, EXTRACTORS, LOSSES, METHODS, NETWORKS, PRESETS, SAMPLERS

COMMANDS = (
    "classifier",
    "compare",
    "evaluate",
    "generate",
    "interpolate",
    "measure",
    "reconstruct",
    "sweep",
    "train",
    "visualize",
)
_NAMES: dict[str, Mapping[str, Any]] = {
    "dataset": DATASETS,
    "experiment": PRESETS,
    "extractor": EXTRACTORS,
    "loss": LOSSES,
    "method": METHODS,
    "network": NETWORKS,
    "sampler": SAMPLERS,
}
# A "=" ends a word in bash, so that what follows it is completed by itself.
_FUNCTION = """_logan() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words="$1"
  case $word in =) word= before="$before=" ;; esac
  if [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}=; fi
  case $before in
    --*=) words=$(printf '%s\\n' $words | sed -n "s/^$before//p") ;;
    *) words=$(printf '%s\\n' $words | sed 's/=.*/=/' | sort -u) ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  case ${COMPREPLY[0]} in *=) compopt -o nospace 2>/dev/null ;; esac
}"""


def words_of(define: Callable[[], None]) -> list[str]:
    """The flags that a command defines: `--flag` of a switch, else `--flag=`, or `--flag=name`s."""
    before = set(flags.FLAGS)
    define()
    words = ["--help", "--version"]
    added = sorted(set(flags.FLAGS) - before)
    for name in added:
        flag = flags.FLAGS[name]
        if flag.boolean:
            words += [f"--{name}", f"--no{name}"]
            continue
        known = getattr(flag.parser, "enum_values", None) or list(_NAMES.get(name, {}))
        words += [f"--{name}={value}" for value in known] or [f"--{name}="]
    for name in added:
        delattr(flags.FLAGS, name)
    return words


def script() -> str:
    """The text for a shell's file of settings."""
    lines = [_FUNCTION]
    for command in COMMANDS:
        module = importlib.import_module(f"logan.cli.{command}")
        words = shlex.quote(" ".join(words_of(module.define)))
        lines.append(f"_logan_{command}() {{ _logan {words}; }}")
        lines.append(f"complete -o default -F _logan_{command} logan-{command}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(script())
