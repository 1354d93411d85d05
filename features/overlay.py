"""Later events on top of a saved state: only the students that have any are touched.

A student whose new events are all later than what is known of the student is folded on from there, in constant time
per event. One event that comes late has to be put in its place: then the student's events since the state are folded
again or, where it is older than the state itself, all events of the student, which are read from the log for that.
Either way the result is what a fold of all events at once gives.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from features.events import split_skills
from features.history import Student
from features.profiles import fold
from features.readers.rows import SKILL_MARK
from features.schema import Events
from features.state import State
from features.statistics import Statistics
from features.timeline import sort_events

ReadHistory = Callable[[Sequence[str]], pd.DataFrame | None]
"""Of some students, the events that the saved state was folded from, as rows of `Events`; null where they are gone."""

EVENT_COLUMNS = list(Events.to_schema().columns)


class Overlay:
    """A saved state and the events since; not for several threads at once.

    Args:
        base: The saved state.
        statistics: What it was folded with.
        history: Asked only for students with an event older than the state.
    """

    def __init__(self, base: State, statistics: Statistics, history: ReadHistory) -> None:
        self.statistics = statistics
        self.latest: pd.Timestamp | None = None
        """When the last of the events occurred, UTC; null before the first with a time."""
        self._base = base
        self._base_statistics = statistics
        self._history = history
        self._position = {str(student): at for at, student in enumerate(base.students)}
        self._since: dict[str, list[pd.DataFrame]] = {}
        self._folded: dict[str, State] = {}
        self._skills: dict[str, set[str]] = {}

    @property
    def touched(self) -> "set[str]":
        """The students with an event since the state."""
        return set(self._since)

    def add(self, events: pd.DataFrame) -> None:
        """Folds further events.

        Args:
            events: Rows with `features.events.COLUMNS`, none of which the state or an earlier call has.
        """
        if events.empty:
            return
        for student, rows in events.groupby("student_id", sort=False):
            self._since.setdefault(str(student), []).append(rows)
        times = events["occurred_at"].dropna()
        if not times.empty:
            self.latest = times.max() if self.latest is None else max(self.latest, times.max())
        if self._learn_items(events):
            self._folded.clear()
            self._fold_again(sorted(self._since))
            return
        begins = events.groupby("student_id")["occurred_at"].agg(lambda each: each.min(skipna=False))
        later = [str(student) for student, begin in begins.items() if self._is_later(self._now(str(student)), begin)]
        self._fold(later, State.join([now for each in later if (now := self._now(each))]), events)
        self._fold_again(sorted({str(each) for each in begins.index} - set(later)))

    def state_of(self, students: Sequence[str]) -> State:
        """The state of those of the students that have one, in the order given."""
        return State.join([now for each in students if (now := self._now(each))])

    def _learn_items(self, events: pd.DataFrame) -> bool:
        """Puts new items into the statistics; whether one that was put there before turns out to need other skills."""
        told = zip(events["item_id"].tolist(), events["skills"].tolist(), strict=True)
        if all(self._is_known(item, skills) for item, skills in told):
            return False  # as of most batches
        names = events["item_id"].dropna().unique()
        # the index keeps its hash table, so this does not go through the catalog
        new = names[self._base_statistics.catalog.items.get_indexer(pd.Index(names)) < 0]
        if len(new) == 0:
            return False
        items = events.loc[events["item_id"].isin(new), ["item_id", "skills"]]
        before = {item: set(skills) for item, skills in self._skills.items()}
        for item in items["item_id"].unique():
            self._skills.setdefault(str(item), set())
        for item, skill in split_skills(items).itertuples(index=False):
            self._skills[item].add(skill)
        if self._skills == before:
            return False
        changed = any(self._skills[item] != skills for item, skills in before.items())
        self._extend(self._base_statistics if changed else self.statistics, self._skills)
        return changed

    def _is_known(self, item: object, skills: object) -> bool:
        """Whether the statistics have an item, with all of these skills if it was put there; not observed are none."""
        if not isinstance(item, str) or item in self._base_statistics.catalog.items:
            return True
        named = skills.split(SKILL_MARK) if isinstance(skills, str) else ()
        return item in self._skills and self._skills[item].issuperset(filter(None, named))

    def _extend(self, statistics: Statistics, skills: dict[str, set[str]]) -> None:
        pairs = [(item, skill) for item, of_item in skills.items() for skill in of_item]
        tags = pd.DataFrame(pairs, columns=["item_id", "skill_id"], dtype="str")
        self.statistics = statistics.extend(tags, pd.Series(list(skills), dtype="str"))

    def _fold_again(self, students: Sequence[str]) -> None:
        """Folds all that came since the state, where need be with all before."""
        if not students:
            return
        since = {each: pd.concat(self._since[each]) for each in students}
        begin = {each: rows["occurred_at"].min(skipna=False) for each, rows in since.items()}
        on_top = [each for each in students if self._is_later(self._saved(each), begin[each])]
        if on_top:
            saved = State.join([then for each in on_top if (then := self._saved(each))])
            self._fold(on_top, saved, pd.concat([since[each] for each in on_top]))
        whole = [each for each in students if each not in set(on_top)]
        if not whole:
            return
        before = self._history(whole)
        if before is None:
            # without the log a late event waits for the night; the others are folded
            for each in whole:
                self._folded.pop(each, None)
                last = self._last_time(self._saved(each))
                timely = since[each][_microseconds(since[each]) > last] if last is not None else since[each]
                self._fold([each], self._saved(each) or State.empty(), timely)
            return
        strange = before.loc[~before["item_id"].isin(self.statistics.catalog.items), "item_id"].dropna().unique()
        if len(strange):
            self._skills |= {str(item): set() for item in strange if str(item) not in self._skills}
            self._extend(self.statistics, self._skills)
        everything = pd.concat([before[EVENT_COLUMNS], *(since[each][EVENT_COLUMNS] for each in whole)])
        self._fold(whole, State.empty(), everything.drop_duplicates("event_id"))

    def _fold(self, students: Sequence[str], state: State, events: pd.DataFrame) -> None:
        if not students:
            return
        mine = events[events["student_id"].isin(students)].reset_index(drop=True)
        _, after = fold(sort_events(mine, self.statistics, state.students), self.statistics, state, rows=False)
        for at, student in enumerate(after.students):
            self._folded[str(student)] = after.take(np.array([at]))

    def _now(self, student: str) -> State | None:
        return self._folded.get(student) or self._saved(student)

    def _saved(self, student: str) -> State | None:
        at = self._position.get(student)
        return None if at is None else self._base.take(np.array([at]))

    def _is_later(self, state: State | None, begin: pd.Timestamp) -> bool:
        """Whether events from a moment on come after everything that a state was folded from.

        Those of one moment were submitted together and see nothing of each other, so the same moment is not later. In
        a log without a clock nobody can tell.
        """
        if state is None:
            return True
        last = self._last_time(state)
        return last is not None and not pd.isna(begin) and begin.value // 1000 > last

    def _last_time(self, state: State | None) -> float | None:
        last = None if state is None else float(state.student[0, Student.LAST_TIME])
        return None if last is None or np.isnan(last) else last


def _microseconds(events: pd.DataFrame) -> "pd.Series[int]":
    return events["occurred_at"].astype("int64")
