"""Files of the IDX format, in which MNIST comes."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from logan.errors import UserError

_UINT8 = 8  # the format's code
_BLOCK = 2**20


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file of bytes, packed by gzip or not.

    Two zeros, the kind of the numbers, how many axes; the axes' lengths in four bytes each, the
    highest first; the numbers (Y. LeCun, http://yann.lecun.com/exdb/mnist).

    Args:
        path: the file. Its content tells whether it is packed, not its name.

    Returns:
        uint8 of any shape.

    Raises:
        UserError: if the file is missing, of another format or kind, damaged, or shorter or longer
            than it says.
    """
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if is_packed else path.open("rb") as file:
            zeros, kind, axes = struct.unpack(">HBB", file.read(4))
            if zeros or kind != _UINT8:
                raise UserError(f"Expected an IDX file of bytes. Received: {path}: another format")
            shape = struct.unpack(f">{axes}I", file.read(4 * axes))
            count = int(np.prod(shape, dtype=object))
            content = _read(file, count + 1)  # one more, so that a longer file is noticed
    except FileNotFoundError:
        raise UserError(f"Expected an IDX file. Received: {path}: no file") from None
    except (struct.error, EOFError, OSError, zlib.error) as error:
        raise UserError(f"Expected a whole IDX file. Received: {path}: {error}") from error
    if len(content) != count:
        raise UserError(
            f"Expected {count:,} bytes of {' x '.join(map(str, shape))} in {path}. Received: "
            f"{'fewer' if len(content) < count else 'more'}"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read(file: IO[bytes] | gzip.GzipFile, count: int) -> bytearray:
    """Up to so many bytes; a number that a damaged file promises takes no memory by itself."""
    content = bytearray()
    while len(content) < count and (block := file.read(min(_BLOCK, count - len(content)))):
        content += block
    return content
