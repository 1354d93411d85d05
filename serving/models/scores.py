"""Probabilities of rows that were scored before, in a table of a fixed size."""

from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Digests = npt.NDArray[np.uint64]


class ScoreTable:
    """Probabilities of rows, each in the one place that its digest names, where it stays until another comes there.

    A dictionary that loses one entry for each new one, as a cache of the least recently used has it, is rebuilt larger
    again and again, and its entries lie among what lives longer. A table takes the same memory however long it goes
    on. Not for several threads at once.

    Args:
        places: How many there are, of 24 bytes each.

    Example:
        >>> scores, rows = ScoreTable(1024), digest_rows(np.array([[1.0, 2.0], [3.0, 4.0]]))
        >>> scores.put(rows[:1], np.array([0.5]))
        >>> scores.get(rows).tolist()
        [0.5, nan]
    """

    def __init__(self, places: int) -> None:
        self._digests = np.zeros((places, 2), np.uint64)
        self._probability = np.full(places, np.nan)

    def get(self, digests: Digests) -> Floats:
        """Returns the probability of each row; NaN where it is not kept."""
        at = digests[:, 0] % len(self._digests)
        return np.where((self._digests[at] == digests).all(axis=1), self._probability[at], np.nan)

    def put(self, digests: Digests, probability: Floats) -> None:
        """Keeps the probabilities of some rows."""
        at = digests[:, 0] % len(self._digests)
        self._digests[at], self._probability[at] = digests, probability


def digest_rows(rows: npt.NDArray[Any]) -> Digests:
    """Digests of 16 bytes, as two numbers a row; two rows have the same with a chance of one in 2^128."""
    told = b"".join(blake2b(row, digest_size=16).digest() for row in np.ascontiguousarray(rows))
    return np.frombuffer(told, np.uint64).reshape(-1, 2)
