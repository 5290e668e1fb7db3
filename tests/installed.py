"""The installed commands, called as a user would."""

import subprocess
import sys
from pathlib import Path

COMMANDS = Path(sys.executable).parent


def call(command: str, *arguments: object, code: int = 0, cwd: Path | None = None) -> str:
    """Runs a command and expects its exit code.

    Returns:
        What it printed; on standard error if it was expected to fail.
    """
    done = subprocess.run(
        [COMMANDS / command, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr
