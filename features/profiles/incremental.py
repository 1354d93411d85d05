"""Incremental update of a saved state with later events: only students who have new events are folded.

Where a student's new events all come after those folded before, each takes constant time. A late event has to go in its
place: then the student's events since the state are read and folded again or, where it is older than the state itself,
all events of the student, read from the event log. The result always equals a fold of all events at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.logs.rows import unite_skills
from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.kernel import NO_TIME, Student
from features.profiles.state import State
from features.profiles.timeline import sort_events
from features.profiles.vocabulary import count_skills, usual_skills
from features.schema import Events

ReadHistory = Callable[[Sequence[str]], pd.DataFrame | None]
"""Reads the events of some students that the saved state holds, as rows of `Events`; null where they are gone."""

ReadSince = Callable[[Sequence[str] | None], pd.DataFrame]
"""Reads every event since the state of some students, or of all for None, as rows of `Events`; one may come twice, with
other skills."""

Place = tuple[State, int]
"""Where the state of one student is: the `State` that holds it, and the position in it."""

EVENT_COLUMNS = list(Events.to_schema().columns)

NAMED = ["event_id", "item_id", "skills"]

NO_CATALOG = pd.DataFrame({"item_id": [], "skill_id": []}, dtype="str")
"""Live events name their skills themselves."""


@dataclass(slots=True)
class _Since:
    """What is remembered of one student's events since the state.

    Attributes:
        latest: When the latest occurred, in microseconds since 1970 UTC; `NO_TIME` where none has a time.
        events: How many there are; one sent again with further skills counts once.
    """

    latest: int = NO_TIME
    events: int = 0


class IncrementalState:
    """A saved state and the events since; not for several threads at once.

    Args:
        base: The saved state.
        statistics: The statistics that it was folded with.
        history: Called only for students with an event older than the state.
        since: Called only for students with an event older than another; null keeps all events in memory instead.
    """

    def __init__(
        self, base: State, statistics: Statistics, history: ReadHistory, since: ReadSince | None = None
    ) -> None:
        self.statistics = statistics
        self._base = base
        self._base_statistics = statistics
        self._history = history
        self._read_since = since or self._kept_since
        self._batches: list[pd.DataFrame] | None = [] if since is None else None
        self._position = {str(student): at for at, student in enumerate(base.students)}
        self._since: dict[str, _Since] = {}
        self._folded: dict[str, Place] = {}
        self._of_new_items = pd.DataFrame({name: [] for name in NAMED}, dtype="str")

    @property
    def touched(self) -> set[str]:
        """The students with an event since the state."""
        return set(self._since)

    @property
    def published_items(self) -> int:
        """How many items the saved statistics know; later ones have codes after these."""
        return len(self._base_statistics.vocabulary.items)

    def count_events(self, students: Iterable[str]) -> int:
        """Counts the distinct events since the state of some students."""
        return sum(self._since[student].events for student in students if student in self._since)

    def latest_of(self, students: Iterable[str]) -> pd.Timestamp | None:
        """When the latest event since the state of some students occurred, UTC; null without one that has a time."""
        latest = max((self._since[student].latest for student in students if student in self._since), default=NO_TIME)
        return None if latest == NO_TIME else pd.Timestamp(latest, unit="us", tz="UTC")

    def add(self, events: pd.DataFrame) -> None:
        """Folds further events.

        Where this raises because events could not be read, the same events may be added again.

        Args:
            events: Rows of `Events` that neither the state nor an earlier call holds, but for further skills of theirs.
        """
        if events.empty:
            return
        if self._batches is not None:
            self._batches.append(events)
        begin = self._note_times(events)
        students = sorted(begin)
        if self._add_skills(events):
            self._folded.clear()
            self._fold_again(sorted(self._since))
            return
        later = [student for student in students if _is_later(self._place_of(student), begin[student])]
        self._fold(later, self.state_of(later), events)
        count = Counter(events["student_id"].tolist())
        for student in later:  # an event sent again is no later than itself
            self._since[student].events += count[student]
        self._fold_again(sorted(set(students) - set(later)))

    def state_of(self, students: Sequence[str]) -> State:
        """The state of those of the students that have one, in the order given."""
        return _gather([place for student in students if (place := self._place_of(student))])

    def _note_times(self, events: pd.DataFrame) -> dict[str, int]:
        """Notes each student's latest event; returns when the first of these events of each student occurred."""
        begin: dict[str, int] = {}
        for student, moment in zip(events["student_id"].tolist(), _microseconds(events).tolist(), strict=True):
            noted = self._since.setdefault(student, _Since())
            noted.latest = max(noted.latest, moment)
            begin[student] = min(begin.get(student, moment), moment)
        return begin

    def _kept_since(self, students: Sequence[str] | None) -> pd.DataFrame:
        assert self._batches, "called after a batch was added"
        rows = pd.concat(self._batches, ignore_index=True)
        return rows if students is None else rows[rows["student_id"].isin(students)]

    def _add_skills(self, events: pd.DataFrame) -> bool:
        """Adds new items and skills to the statistics; whether a new item now turns out to be about other skills."""
        saved = self._base_statistics.vocabulary.items
        new = np.array([isinstance(item, str) and item not in saved for item in events["item_id"].tolist()], dtype=bool)
        if not new.any() and self._knows(events):
            return False  # true of most batches
        before = self._of_new_items
        self._of_new_items = unite_skills(pd.concat([before, events.loc[new, NAMED]], ignore_index=True))
        was, now = (usual_skills(count_skills(rows)) for rows in (before, self._of_new_items))
        changed = any(was.get(item) != now.get(item) for item in before["item_id"].unique())
        if changed:
            self._extend(self._base_statistics, unite_skills(self._read_since(None)))
        elif not self._knows(events):
            self._extend(self.statistics, events)
        return changed

    def _knows(self, events: pd.DataFrame) -> bool:
        """Whether the statistics have every item and all skills that the events name."""
        vocabulary = self.statistics.vocabulary
        named = ((vocabulary.items, events["item_id"]), (vocabulary.nodes, events["skills"]))
        # an index keeps its hash table, so this does not go through the vocabulary
        return all(name in index for index, names in named for name in names.tolist() if isinstance(name, str))

    def _extend(self, statistics: Statistics, events: pd.DataFrame) -> None:
        self.statistics = statistics.extend(NO_CATALOG, events["item_id"], events["skills"])

    def _fold_again(self, students: Sequence[str]) -> None:
        """Folds all events since the state, and with them all earlier events of students with an older event."""
        if not students:
            return
        rows = unite_skills(self._read_since(students))
        if not self._knows(rows):  # some may have come in after those that are added now
            self._extend(self.statistics, rows)
        since = {str(student): part for student, part in rows.groupby("student_id")}
        for student in students:
            self._since[student].events = len(since.get(student, ()))
        students = [student for student in students if student in since]  # the others were erased meanwhile
        saved = {student: self._saved(student) for student in students}
        on_top = [student for student in students if _is_later(saved[student], _microseconds(since[student]).min())]
        self._fold(on_top, _gather([place for student in on_top if (place := saved[student])]), rows)
        whole = [student for student in students if student not in set(on_top)]
        if not whole:
            return
        before = self._history(whole)
        if before is None:
            # without the log a late event waits for the night; the others are folded
            for student in whole:
                self._folded.pop(student, None)
                place, events = saved[student], since[student]
                last = None if place is None else _last_time(place)
                timely = events if last is None else events[_microseconds(events) > last]
                self._fold([student], _gather([] if place is None else [place]), timely)
            return
        if not self._knows(before):  # another version of the log may have other items
            self._extend(self.statistics, before)
        everything = [before[EVENT_COLUMNS], *(since[student][EVENT_COLUMNS] for student in whole)]
        self._fold(whole, State.empty(), unite_skills(pd.concat(everything, ignore_index=True)))

    def _fold(self, students: Sequence[str], state: State, events: pd.DataFrame) -> None:
        if not students:
            return
        mine = events[events["student_id"].isin(students)].reset_index(drop=True)
        _, after = fold(sort_events(mine, self.statistics, state.students), self.statistics, state, rows=False)
        for at, student in enumerate(after.students):
            # each by itself, so that one student's state does not keep those of all others of a batch in memory
            self._folded[str(student)] = after.take(np.array([at])), 0

    def _place_of(self, student: str) -> Place | None:
        return self._folded.get(student) or self._saved(student)

    def _saved(self, student: str) -> Place | None:
        at = self._position.get(student)
        return None if at is None else (self._base, at)


def _gather(places: Sequence[Place]) -> State:
    """The states at some places, in the order given."""
    states = {id(state): state for state, _ in places}
    rows_of: dict[int, list[int]] = {number: [] for number in states}
    for row, (state, _) in enumerate(places):
        rows_of[id(state)].append(row)
    parts = [states[number].take(np.array([places[row][1] for row in rows])) for number, rows in rows_of.items()]
    if len(parts) == 1:
        return parts[0]
    order = np.array([row for rows in rows_of.values() for row in rows], np.int64)
    return State.join(parts).take(np.argsort(order))


def _is_later(place: Place | None, begin: int) -> bool:
    """Whether events from a moment on come after all events that a student's state was folded from.

    Events of one moment were submitted together and see nothing of each other, so the same moment is not later. Without
    a clock no event is later.
    """
    if place is None:
        return True
    last = _last_time(place)
    return last is not None and begin > last


def _last_time(place: Place) -> float | None:
    state, at = place
    last = float(state.student[at, Student.LAST_TIME])
    return None if np.isnan(last) else last


def _microseconds(events: pd.DataFrame) -> "pd.Series[int]":
    """When events occurred, in microseconds; the smallest number where that is not known."""
    return events["occurred_at"].astype("int64")
