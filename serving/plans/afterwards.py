"""What a student answered on the skill of a session after it: told as what came after, never as its effect."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from features.database import Database
from features.errors import MissingError, UnavailableError
from features.events.live.answers import read_students_events
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from features.logs.rows import SKILL_MARK
from features.roster import PastSession
from features.schema import list_events


class Answer(NamedTuple):
    """One first attempt of a student.

    Attributes:
        day: Its date, UTC.
        skills: Ids of the skills that it practices; empty where they are not known.
        right: Whether it was right.
    """

    day: date
    skills: Collection[str]
    right: bool


@dataclass(frozen=True)
class After:
    """What followed a session on its skill, from the next day on, up to the next session on it.

    Attributes:
        answered: First attempts on the skill.
        right: How many of them were right.
        until: The day of that next session; null where there was none yet.
    """

    answered: int
    right: int
    until: date | None


def read_answers(home: Home, database: Database, student_id: str) -> list[Answer] | None:
    """The first attempts of a student that have a date, in no order; null where the event log is not at hand.

    Args:
        home: With the event log.
        database: With the live events, which the log may not hold yet.
        student_id: The student.
    """
    try:
        events = {event.event_id: event for event in list_events(read_events(home, students=[student_id]))}
        pairs = read_item_skills(home)
        events |= {event.event_id: event for event in read_students_events(database, [student_id])}
    except (MissingError, UnavailableError):
        return None
    of_item: dict[str, list[str]] = defaultdict(list)
    for item, skill in zip(pairs["item_id"], pairs["skill_id"], strict=True):
        of_item[item].append(skill)
    return [
        Answer(
            datetime.fromtimestamp(event.occurred_at / 1_000_000, UTC).date(),
            event.skills.split(SKILL_MARK) if event.skills else of_item.get(event.item_id or "", ()),
            event.correct,
        )
        for event in events.values()
        if event.occurred_at is not None and event.correct is not None and (event.attempt or 1) == 1
    ]


def count_after(sessions: Sequence[PastSession], answers: Sequence[Answer]) -> list[After | None]:
    """What came after each session of one student; null for a session whose skill is not known.

    The day of the session itself does not count: an answer of that day may have come before it.

    Example:
        >>> monday, tuesday = date(2026, 3, 16), date(2026, 3, 17)
        >>> session = PastSession(monday, "t", "mon-1", "lead", "ratios", ("s",))
        >>> count_after([session], [Answer(monday, ["ratios"], False), Answer(tuesday, ["ratios"], True)])
        [After(answered=1, right=1, until=None)]
    """
    days: dict[str, list[date]] = defaultdict(list)
    for session in sessions:
        if session.skill_id is not None:
            days[session.skill_id].append(session.date)
    found: list[After | None] = []
    for session in sessions:
        if session.skill_id is None:
            found.append(None)
            continue
        until = min((day for day in days[session.skill_id] if day > session.date), default=None)
        rights = [
            answer.right
            for answer in answers
            if session.skill_id in answer.skills
            and session.date < answer.day
            and (until is None or answer.day <= until)
        ]
        found.append(After(len(rights), sum(rights), until))
    return found
