"""Files of weights, checked before TensorFlow is loaded."""

import hashlib
import zipfile
from pathlib import Path

from logan.errors import UserError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_STARTS = {".h5": _HDF5, ".hdf5": _HDF5}


def check_weights_file(path: Path, suffixes: tuple[str, ...], network: str) -> None:
    """Refuses a file that cannot hold weights, without reading it.

    Args:
        path: the file.
        suffixes: those that it may have.
        network: whose weights they shall be, in words.

    Raises:
        UserError: if the file is missing, has another suffix, or another beginning than its suffix
            says.
    """
    if path.suffix not in suffixes:
        raise UserError(
            f"--extractor_weights: expected a file of weights of {network} "
            f"({', '.join(suffixes)}). Received: {path}"
        )
    if not path.is_file():
        raise UserError(
            f"--extractor_weights: expected a file of weights of {network}. Received: {path}: no "
            "file"
        )
    start = _STARTS.get(path.suffix)
    with path.open("rb") as file:
        is_right = start is None or file.read(len(start)) == start
    if path.suffix == ".keras":
        is_right = zipfile.is_zipfile(path)
    if not is_right:
        raise UserError(
            f"--extractor_weights: expected weights of {network}. Received: {path}, which is not a "
            f"{path.suffix} file, or only the beginning of one"
        )


def name_and_digest(path: Path) -> str:
    """A file's name, and the first 12 of the 64 digits of its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return f"{path.name} (SHA-256 {digest.hexdigest()[:12]}…)"
