"""Ids that a spreadsheet or another program rewrote on their way, found in the rows of one file.

Nothing is changed: whether 1001 and 1001.0 are one student is for whoever loads the file to say. Notes name a column
and a count, never an id.
"""

import re
from collections.abc import Mapping

import pandas as pd

IDS = {"student_id": "students", "item_id": "items", "skills": "skills"}
"""Columns of ids, and what to call them."""

DECIMAL = re.compile(r"[+-]?[0-9]+\.0+")
ROUNDED = re.compile(r"[+-]?[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}")
"""What a spreadsheet makes of a whole number, and of a long one: its last digits are lost."""

MOST = 200_000
"""Distinct ids of a column that are kept for comparison; more are not compared."""


class IdWatch:
    """Looks at the ids of a file's rows."""

    def __init__(self) -> None:
        self._ids: Mapping[str, set[str]] = {name: set() for name in IDS}

    def add(self, raw: pd.DataFrame) -> None:
        """Looks at some rows in the shape of `features.logs.rows.RAW_TYPES`."""
        for name, ids in self._ids.items():
            if len(ids) < MOST:
                ids.update(raw[name].dropna().unique().tolist())

    def notes(self) -> list[str]:
        """What may be wrong with the ids, in sentences."""
        found = []
        for name, ids in self._ids.items():
            what = IDS[name]
            if rounded := sum(1 for one in ids if ROUNDED.fullmatch(one)):
                found.append(
                    f"{rounded:,} ids of {what} are written like 9.91E+08: a spreadsheet rounded them, and "
                    f"different {what} may have one id now; export them as text"
                )
            if near := count_near(ids):
                found.append(
                    f"{near:,} ids of {what} differ from another only as 1001 and 1001.0, 7 and 007, or in capitals "
                    f"and blanks, and count as {what} of their own; write each in one way"
                )
            elif decimal := sum(1 for one in ids if DECIMAL.fullmatch(one)):
                found.append(
                    f"{decimal:,} ids of {what} end in .0, as a spreadsheet or pandas writes whole numbers; ids of "
                    "other files and of the roster may lack it"
                )
        return found


def count_near(ids: set[str]) -> int:
    """How many ids another one differs from only in what programs change: decimals, zeros before, capitals and blanks.

    Example:
        >>> count_near({"1001", "1001.0", "007", "ada"})
        2
    """
    of_plain: dict[str, int] = {}
    for one in ids:
        plain = " ".join(one.casefold().split())
        if plain.removeprefix("-")[:1].isdigit():
            whole = DECIMAL.fullmatch(plain)
            plain = (plain.partition(".")[0] if whole else plain).lstrip("0") or "0"
        of_plain[plain] = of_plain.get(plain, 0) + 1
    return sum(count for count in of_plain.values() if count > 1)
