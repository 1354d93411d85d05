"""Another export of answers that are in the event log already, under other ids and maybe in another time zone.

The same answers may leave a product twice: as transactions and as steps, with ids and without, in local time and in
UTC. Each row would be new, and every answer counted twice. Such a file gives itself away: most of its rows have an
event of the same student, item and score at one and the same distance in time, which is none or the distance of a time
zone from UTC. Who answers the same questions a day later, even to the minute, is not that far from anywhere.
"""

from collections import Counter

import numpy as np
import pandas as pd

from features.errors import InputError

QUARTER_MIN = 15
"""Minutes; time zones differ by multiples of them."""

FARTHEST_MIN = 14 * 60
"""Minutes between UTC and the clock that is farthest from it."""

LOOKED_AT = 2_000
"""New answers of each student bucket that are looked at; enough to tell a file by."""

FEWEST, ENOUGH, SHARE = 2, 10, 0.8
"""Answers that have to be found again: this share of those looked at, and each of them where they are not enough."""

SUMMER_MIN = 60
"""Minutes by which a second distance may differ from the first: one is that of winter, the other that of summer."""

ANSWER = ["student_id", "item_id", "score"]


class ExportCheck:
    """Looks for the answers of a file among those that are stored."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._found: Counter[int] = Counter()  # answers by their distance in minutes

    def add(self, new: pd.DataFrame, known: pd.DataFrame) -> None:
        """Looks at the new events of a bucket.

        Args:
            new: Events that are about to be stored, with `features.events.checks.COLUMNS`.
            known: Events of at least their students in the log, up to `FARTHEST_MIN` before and after them, with
                `features.events.log.store.KNOWN`.
        """
        first = new["attempt"].fillna(1).eq(1)  # an export of steps has no retries
        answers = new[first & new["score"].notna() & new["occurred_at"].notna()].head(LOOKED_AT)
        if answers.empty:
            return
        self._looked_at += len(answers)
        mine = pd.Index(answers["student_id"].unique()).get_indexer(known["student_id"]) >= 0
        stored = known[mine & known["occurred_at"].notna()]
        if stored.empty:
            return
        here, there = (_by_quarter(rows) for rows in (answers, stored))
        pairs = here.merge(there, on=[*ANSWER, "minute"], suffixes=("", "_stored"))
        distance = QUARTER_MIN * (pairs["quarter"] - pairs["quarter_stored"])
        pairs = pairs.assign(distance=distance)[distance.abs() <= FARTHEST_MIN]
        self._found.update(pairs.drop_duplicates(["event_id", "distance"])["distance"].tolist())

    def refuse(self, name: str) -> None:
        """Refuses the file where its answers are in the log.

        Raises:
            InputError: They are.
        """
        if not self._found:
            return
        distance, most = self._found.most_common(1)[0]
        other = max((self._found[distance + hour] for hour in (-SUMMER_MIN, SUMMER_MIN)), default=0)
        is_small = self._looked_at < ENOUGH
        found = most if is_small else min(most + other, self._looked_at)
        if found < max(FEWEST, (1 if is_small else SHARE) * self._looked_at):
            return
        hours = f"exactly {abs(distance) / 60:g} hours {'later' if distance > 0 else 'earlier'} to the minute"
        when = "at the same moments" if distance == 0 else f"{hours}, as if one of the two named no time zone"
        raise InputError(
            f"{name} looks like another export of answers that are stored: {found:,} of {self._looked_at:,} new ones "
            f"have the student, item and score of a stored one, {when}; nothing was stored. Load one export of a "
            "product, always the same; where this one is right, erase the other first, or begin with a new "
            "REGROUP_HOME"
        )


def _by_quarter(rows: pd.DataFrame) -> pd.DataFrame:
    """Each answer with the quarters of an hour since 1970, and the minute in its quarter."""
    minutes = rows["occurred_at"].dt.tz_convert(None).to_numpy("datetime64[m]").astype(np.int64)
    return rows[["event_id", *ANSWER]].assign(quarter=minutes // QUARTER_MIN, minute=minutes % QUARTER_MIN)
