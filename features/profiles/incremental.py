"""Incremental update of a saved state with later events: only students who have new events are folded.

Where a student's new events all come after those folded before, each takes constant time. A late event has to go in its
place: then the student's events since the state are read and folded again or, where it is older than the state itself,
all events of the student, read from the event log. The result always equals a fold of all events at once.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from features.logs.rows import join_skills
from features.profiles.difficulty import Statistics
from features.profiles.fold import fold
from features.profiles.kernel import NO_TIME, Student
from features.profiles.state import State
from features.profiles.timeline import sort_few
from features.schema import Event

ReadHistory = Callable[[Sequence[str]], Sequence[Event] | None]
"""Reads the events of some students that the saved state holds; null where they are gone."""

ReadSince = Callable[[Sequence[str] | None], Sequence[Event]]
"""Reads every event since the state of some students, or of all for None; one may come twice, with other skills."""

Place = tuple[State, int]
"""Where the state of one student is: the `State` that holds it, and the position in it."""

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


class _NewItems:
    """The items that the saved statistics lack, and what responses to them name.

    A new item is about what most of its responses name, so each of them is remembered.
    """

    def __init__(self) -> None:
        self._skills_of: dict[str, str | None] = {}  # by the id of the response
        self._counts: dict[str, Counter[str]] = {}  # by item

    def add(self, events: Iterable[Event]) -> bool:
        """Counts responses to new items; whether an item that was counted before now is about other skills."""
        before: dict[str, str | None] = {}
        for event in events:
            item = event.item_id
            assert item is not None, "only responses have an item"
            if item in self._counts:
                before.setdefault(item, self._usual(item))
            counts = self._counts.setdefault(item, Counter())
            skills = event.skills
            if event.event_id in self._skills_of:
                was = self._skills_of[event.event_id]
                counts[was or ""] -= 1
                skills = join_skills([was, skills])
            self._skills_of[event.event_id] = skills
            counts[skills or ""] += 1
        return any(self._usual(item) != usual for item, usual in before.items())

    def _usual(self, item: str) -> str | None:
        """The skills that most responses name, of equally many the first in the alphabet; None where none names any."""
        counts = {skills: count for skills, count in self._counts[item].items() if skills and count}
        return min(counts, key=lambda skills: (-counts[skills], skills), default=None)


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
        self._kept: list[Event] | None = [] if since is None else None
        self._position = {str(student): at for at, student in enumerate(base.students)}
        self._since: dict[str, _Since] = {}
        self._folded: dict[str, Place] = {}
        self._new_items = _NewItems()
        self._outdated = False

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

    def add(self, events: Sequence[Event]) -> None:
        """Folds further events.

        Where this raises because events could not be read, the same events may be added again.

        Args:
            events: None that the state or an earlier call holds, but for further skills of theirs.
        """
        if not events:
            return
        if self._kept is not None:
            self._kept += events
        begin = self._note_times(events)
        students = sorted(begin)
        self._outdated |= self._new_items.add(event for event in events if self._is_new(event))
        if self._outdated:  # also where the last call could not read what it needed
            self._extend(self._base_statistics, _unite(self._read_since(None)))
            self._folded.clear()
            self._fold_again(sorted(self._since))
            self._outdated = False
            return
        if not self._knows(events):
            self._extend(self.statistics, events)
        later = [student for student in students if _is_later(self._place_of(student), begin[student])]
        self._fold(later, self.state_of(later), events)
        count = Counter(event.student_id for event in events)
        for student in later:  # an event sent again is no later than itself
            self._since[student].events += count[student]
        self._fold_again(sorted(set(students) - set(later)))

    def state_of(self, students: Sequence[str]) -> State:
        """The state of those of the students that have one, in the order given."""
        return _gather([place for student in students if (place := self._place_of(student))])

    def _note_times(self, events: Iterable[Event]) -> dict[str, int]:
        """Notes each student's latest event; returns when the first of these events of each student occurred."""
        begin: dict[str, int] = {}
        for event in events:
            student, moment = event.student_id, _time_of(event)
            noted = self._since.setdefault(student, _Since())
            noted.latest = max(noted.latest, moment)
            begin[student] = min(begin.get(student, moment), moment)
        return begin

    def _kept_since(self, students: Sequence[str] | None) -> Sequence[Event]:
        assert self._kept, "called after a batch was added"
        return self._kept if students is None else _of_students(self._kept, students)

    def _is_new(self, event: Event) -> bool:
        """Whether the saved statistics lack the item of an event."""
        return event.item_id is not None and event.item_id not in self._base_statistics.vocabulary.items

    def _knows(self, events: Iterable[Event]) -> bool:
        """Whether the statistics have every item and all skills that the events name."""
        items, nodes = self.statistics.vocabulary.items, self.statistics.vocabulary.nodes
        # an index keeps its hash table, so this does not go through the vocabulary
        return all(
            (event.item_id is None or event.item_id in items) and (event.skills is None or event.skills in nodes)
            for event in events
        )

    def _extend(self, statistics: Statistics, events: Iterable[Event]) -> None:
        named = pd.DataFrame(
            [(event.item_id, event.skills) for event in events], columns=["item", "skills"], dtype="str"
        )
        self.statistics = statistics.extend(NO_CATALOG, named["item"], named["skills"])

    def _fold_again(self, students: Sequence[str]) -> None:
        """Folds all events since the state, and with them all earlier events of students with an older event."""
        if not students:
            return
        events = _unite(self._read_since(students))
        if not self._knows(events):  # some may have come in after those that are added now
            self._extend(self.statistics, events)
        since: defaultdict[str, list[Event]] = defaultdict(list)
        for event in events:
            since[event.student_id].append(event)
        for student in students:
            self._since[student].events = len(since.get(student, ()))
        students = [student for student in students if student in since]  # the others were erased meanwhile
        saved = {student: self._saved(student) for student in students}
        on_top = {student for student in students if _is_later(saved[student], min(map(_time_of, since[student])))}
        self._fold(
            on_top, _gather([place for student in students if student in on_top and (place := saved[student])]), events
        )
        whole = [student for student in students if student not in on_top]
        if not whole:
            return
        before = self._history(whole)
        if before is None:
            # without the log a late event waits for the night; the others are folded
            for student in whole:
                self._folded.pop(student, None)
                place = saved[student]
                last = None if place is None else _last_time(place)
                timely = [event for event in since[student] if last is None or _time_of(event) > last]
                self._fold([student], _gather([] if place is None else [place]), timely)
            return
        if not self._knows(before):  # another version of the log may have other items
            self._extend(self.statistics, before)
        everything = [*before, *(event for student in whole for event in since[student])]
        self._fold(whole, State.empty(), _unite(everything))

    def _fold(self, students: Collection[str], state: State, events: Iterable[Event]) -> None:
        if not students:
            return
        timeline = sort_few(_of_students(events, students), self.statistics, state.students)
        _, after = fold(timeline, self.statistics, state, rows=False)
        # each by itself, so that one student's state does not keep those of all others of a batch in memory
        for student, alone in zip(after.students, after.split(), strict=True):
            self._folded[student] = alone, 0

    def _place_of(self, student: str) -> Place | None:
        return self._folded.get(student) or self._saved(student)

    def _saved(self, student: str) -> Place | None:
        at = self._position.get(student)
        return None if at is None else (self._base, at)


def _gather(places: Sequence[Place]) -> State:
    """The states at some places, in the order given."""
    parts = []
    for _, run in groupby(places, key=lambda place: id(place[0])):
        states, rows = zip(*run, strict=True)
        # a state is that of all students who were saved, or of one alone
        parts.append(states[0] if len(states[0].students) == 1 else states[0].take(np.array(rows)))
    return State.join(parts)


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


def _time_of(event: Event) -> int:
    """When an event occurred, in microseconds; the smallest number where that is not known."""
    return NO_TIME if event.occurred_at is None else event.occurred_at


def _of_students(events: Iterable[Event], students: Collection[str]) -> list[Event]:
    chosen = frozenset(students)
    return [event for event in events if event.student_id in chosen]


def _unite(events: Iterable[Event]) -> list[Event]:
    """Each event once, the first of it, with the skills that any of its copies names."""
    once: dict[str, Event] = {}
    for event in events:
        first = once.setdefault(event.event_id, event)
        if first is not event:
            once[event.event_id] = first._replace(skills=join_skills([first.skills, event.skills]))
    return list(once.values())
