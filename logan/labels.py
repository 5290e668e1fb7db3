"""The classes that a conditional model is asked for: their names, how often each occurs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from logan.errors import UserError
from logan.registry import offer

_LISTED = 12  # names in a message


@dataclasses.dataclass(frozen=True)
class Classes:
    """Classes by number, from 0.

    Attributes:
        names: what they are called.
        shares: how often each occurs in the data, summing to one.

    Raises:
        ValueError: if there are fewer than two, or not as many shares, or these are no shares.
    """

    names: tuple[str, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.names) < 2 or len(self.names) != len(self.shares):
            raise ValueError(
                "Expected two classes or more, and a share of each. Received: "
                f"{len(self.names)} names and {len(self.shares)} shares"
            )
        if not (min(self.shares) >= 0 and abs(sum(self.shares) - 1) < 1e-6):
            raise ValueError(f"Expected shares that sum to one. Received: {self.shares}")

    @classmethod
    def of(cls, names: Sequence[str], weights: Any) -> "Classes":
        """Classes of weights in any scale, floating [classes]."""
        shares = np.asarray(weights, np.float64)
        return cls(tuple(names), tuple((shares / shares.sum()).tolist()))

    def __len__(self) -> int:
        return len(self.names)

    def number(self, text: str) -> int:
        """The class of a name; where none is called so, of a number from 0.

        Raises:
            UserError: naming --label, if there is none.
        """
        if text in self.names:
            return self.names.index(text)
        if text.isascii() and text.isdigit() and int(text) < len(self):
            return int(text)
        shown = ", ".join(self.names[:_LISTED])
        more = f" and {len(self) - _LISTED} others" if len(self) > _LISTED else ""
        near = offer(text, self.names)
        raise UserError(
            f"--label: expected one of {shown}{more}, or a number from 0 to {len(self) - 1}. "
            f"Received: {text!r}{'.' if near else ''}{near}"
        )

    def of_draws(self, draws: np.ndarray) -> np.ndarray:
        """Classes by their shares: int64 [draws] for uniform numbers in [0, 1)."""
        # The last edge is left out, so rounding cannot pass the end. No class of share 0 is drawn.
        edges = np.cumsum(self.shares)[: int(np.flatnonzero(self.shares)[-1])]
        return np.searchsorted(edges, draws, side="right").astype(np.int64)

    def config(self) -> dict[str, Any]:
        """What `from_config` makes the same of, for JSON."""
        return {"names": list(self.names), "shares": list(self.shares)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Classes":
        """The classes of a `config`.

        Raises:
            TypeError, KeyError, ValueError: if it is none.
        """
        return cls(tuple(map(str, config["names"])), tuple(map(float, config["shares"])))
