"""Requests of students for help from the adult on call at independent work, as they are stored."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, insert, select, update

from features.roster import find_gone
from serving.store.practice.of_students import read_rows
from serving.store.practice.relationships import Mark
from serving.store.tables import HELP_REQUESTS


@dataclass(frozen=True)
class HelpRequest:
    """A student who works independently and asks for an adult; once somebody came, an `on_demand` session of one.

    Attributes:
        request_id: 32 hexadecimal digits.
        recommendation_id: The plan.
        student_id: Who asks.
        block_id: The block.
        skill_id: What it is about; null where nobody said.
        asked_at: The moment at which the student asked, UTC.
        key_id: Id of the key that sent it.
        ended_at: The moment at which an adult came, or it was taken back, UTC; null while the student waits.
        staff_id: The adult who came; null where none did.
    """

    request_id: str
    recommendation_id: str
    student_id: str
    block_id: str
    skill_id: str | None
    asked_at: datetime
    key_id: str
    ended_at: datetime | None = None
    staff_id: str | None = None

    def waited_seconds(self, now: datetime) -> int:
        """Seconds from the request to its end, or to now while the student waits."""
        return max(0, round(((self.ended_at or now) - self.asked_at).total_seconds()))


def keep_request(connection: Connection, request: HelpRequest) -> None:
    """Stores a new request."""
    connection.execute(insert(HELP_REQUESTS).values(**asdict(request)))


def end_request(connection: Connection, plan_id: str, request_id: str, staff_id: str | None, now: datetime) -> bool:
    """Ends a request of a plan, unless it was ended before, and returns whether it waited."""
    table = HELP_REQUESTS.c
    mine = and_(table.request_id == request_id, table.recommendation_id == plan_id, table.ended_at.is_(None))
    changed = connection.execute(update(HELP_REQUESTS).where(mine).values(ended_at=now, staff_id=staff_id))
    return bool(changed.rowcount)


def list_requests(connection: Connection, plan_id: str) -> tuple[HelpRequest, ...]:
    """The requests of a plan's day, those that wait first, then by their moment; none of erased students."""
    query = select(HELP_REQUESTS).where(HELP_REQUESTS.c.recommendation_id == plan_id)
    rows = [HelpRequest(**row) for row in connection.execute(query).mappings()]
    gone = find_gone(connection, {row.student_id for row in rows})
    kept = (row for row in rows if row.student_id not in gone)
    return tuple(sorted(kept, key=lambda each: (each.ended_at is not None, each.asked_at, each.request_id)))


def read_helped(connection: Connection, student_ids: Collection[str], since: datetime) -> frozenset[Mark]:
    """Students and the adults who came when they asked, from a moment on, without students who were erased."""
    table = HELP_REQUESTS.c
    rows = read_rows(connection, HELP_REQUESTS, student_ids, table.staff_id.is_not(None), table.asked_at >= since)
    return frozenset((row["student_id"], row["staff_id"]) for row in rows)
