"""The id table: which student of the roster an id of another system stands for.

A roster says which kinds of ids its people have, such as `username`, and `sources` of its policy which kind the events
of a source carry. Ids of such a source that stand for nobody are counted and kept apart, so that a person can look at
them; events are never stored under them. An erasure leaves a tombstone of each of a student's ids, since late events
carry those.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, literal, or_, select

from features.database import Database, reading
from features.database.dialects import in_parts, upsert
from features.errors import MissingError
from features.roster.people.records import OtherId
from features.roster.tables import MEMBERS, OTHER_IDS, POLICIES, TEAMS, UNMATCHED_IDS
from features.tombstones import find_erased

MOST_LISTED = 10_000
"""Ids of a source that are kept as standing for nobody; further ones are counted alone."""

LISTED = timedelta(days=30)
"""How long such an id is kept after it was seen last."""

MARK = "\x1f"
"""Between the kind and the id in a tombstone; no id of the roster has it."""


@dataclass
class SourceIds:
    """Translates the ids of one source.

    Attributes:
        source: The source of events.
        kind: What its ids are, such as `username`; null where they are those of the roster.
        where: The id table.
        unmatched: How often each id came that stands for nobody; filled while ids are translated.
        strangers: Ids of the roster's own kind that are of no member of a team, likewise.
        members: How many of those that came are of one.
    """

    source: str
    kind: str | None
    where: Database | Connection
    unmatched: Counter[str] = field(default_factory=Counter)
    strangers: set[str] = field(default_factory=set)
    members: int = 0

    def translate(self, counts: Mapping[str, int]) -> dict[str, str]:
        """The students by the ids that stand for one; those of erased ones become texts of which there are tombstones.

        Args:
            counts: How often each id came.
        """
        with reading(self.where) as connection:
            if self.kind is None:
                known = _find_members(connection, counts)
                self.members += len(known)
                self.strangers.update(counts.keys() - known)
                return {student: student for student in counts}
            found = match_ids(connection, self.kind, counts)
            erased = _find_erased(connection, self.kind, counts.keys() - found.keys())
        found |= erased
        self.unmatched.update({other: count for other, count in counts.items() if other not in found})
        return found

    def notes(self) -> list[str]:
        """What whoever loads a file should know of its ids, in sentences without ids."""
        if self.unmatched:
            what = (
                f"{self.unmatched.total():,} rows are of {len(self.unmatched):,} students whose ids are no "
                f"{self.kind} of the roster and were left out; `python -m features ids {self.source}` lists them; once "
                "a roster has them, ingest the file again"
            )
            return [what]
        if self.strangers and not self.members:
            what = (
                f"none of the {len(self.strangers):,} students of this file is in a team of the roster; if the roster "
                f"has other ids of them, say which below [default] of policy.toml (sources.{self.source} = "
                '"username"), load the roster, and ingest the file again'
            )
            return [what]
        return []


def read_sources(connection: Connection) -> dict[str, str]:
    """The kind of id by the source of events, as the policy of the stored roster says."""
    said = connection.execute(select(POLICIES.c.roster).where(POLICIES.c.team_id == "")).scalar() or {}
    return dict(said.get("sources") or {})


def open_source(where: Database | Connection, source: str) -> SourceIds | None:
    """What translates the ids of a source; null where no roster is loaded."""
    try:
        with reading(where) as connection:
            if connection.execute(select(TEAMS.c.team_id).limit(1)).first() is None:
                return None
            return SourceIds(source, read_sources(connection).get(source), where)
    except MissingError:
        return None


@contextmanager
def translating(database: Database, source: str) -> Iterator[SourceIds | None]:
    """What translates the ids of a source; what it leaves over is kept afterwards, whatever comes of the events."""
    ids = open_source(database, source)
    try:
        yield ids
    finally:
        if ids is not None and ids.unmatched:
            with database.changing() as connection:
                note_unmatched(connection, source, ids.unmatched)


def match_ids(connection: Connection, kind: str, other_ids: Collection[str]) -> dict[str, str]:
    """The students whom some ids of a kind stand for; ids of nobody are left out.

    An id in other capitals counts where only one student has one like it.
    """
    table = OTHER_IDS.c
    exact = {
        row.other_id: row.student_id
        for some in in_parts(other_ids)
        for row in connection.execute(select(OTHER_IDS).where(table.kind == kind, table.other_id.in_(some)))
    }
    left = defaultdict(list)
    for other in other_ids:
        if other not in exact:
            left[other.lower()].append(other)
    alike: dict[str, set[str]] = defaultdict(set)
    for some in in_parts(left):
        found = select(OTHER_IDS).where(table.kind == kind, func.lower(table.other_id).in_(some))
        for row in connection.execute(found):
            alike[row.other_id.lower()].add(row.student_id)
    near = {other: min(alike[low]) for low, others in left.items() if len(alike[low]) == 1 for other in others}
    return exact | near


def list_ids(connection: Connection) -> Counter[str]:
    """How many ids of each kind stand for a student."""
    counts = select(OTHER_IDS.c.kind, func.count().label("ids")).group_by(OTHER_IDS.c.kind)
    return Counter({row.kind: row.ids for row in connection.execute(counts)})


def read_ids(connection: Connection) -> list[OtherId]:
    """The whole table."""
    return [OtherId(**row) for row in connection.execute(select(OTHER_IDS)).mappings()]


def note_unmatched(connection: Connection, source: str, counts: Mapping[str, int], now: datetime | None = None) -> None:
    """Keeps the ids of a source that stand for nobody, with how often they came; old ones of any source are removed."""
    now, table = now or datetime.now(UTC), UNMATCHED_IDS
    forget_old(connection, now)
    known = set(connection.execute(select(table.c.other_id).where(table.c.source == source)).scalars())
    new = sorted(counts.keys() - known)[: max(MOST_LISTED - len(known), 0)]
    for other in [*new, *(counts.keys() & known)]:
        row = {"source": source, "other_id": other, "events": counts[other], "seen_at": now}
        change = {"events": table.c.events + counts[other], "seen_at": literal(now, table.c.seen_at.type)}
        connection.execute(upsert(connection, table, change).values(**row))


def forget_old(connection: Connection, now: datetime) -> int:
    """Removes ids of nobody that were not seen for a month, and returns how many there were."""
    return connection.execute(delete(UNMATCHED_IDS).where(UNMATCHED_IDS.c.seen_at < now - LISTED)).rowcount


def list_unmatched(connection: Connection, source: str | None = None) -> list[tuple[str, str, int]]:
    """Source, id and number of events of the ids that stand for nobody, by source and the most frequent first."""
    table = UNMATCHED_IDS.c
    rows = select(table.source, table.other_id, table.events)
    if source is not None:
        rows = rows.where(table.source == source)
    found = [(row.source, row.other_id, row.events) for row in connection.execute(rows)]
    return sorted(found, key=lambda row: (row[0], -row[2], row[1]))


def forget_matched(connection: Connection) -> None:
    """Removes ids from those of nobody that stand for somebody now, and those of sources that are not translated."""
    sources, table = read_sources(connection), UNMATCHED_IDS
    connection.execute(delete(table).where(table.c.source.not_in(sources)))
    for source, kind in sources.items():
        others = connection.execute(select(table.c.other_id).where(table.c.source == source)).scalars().all()
        for some in in_parts(match_ids(connection, kind, others)):
            connection.execute(delete(table).where(table.c.source == source, table.c.other_id.in_(some)))


def ids_of(connection: Connection, student_id: str) -> list[OtherId]:
    """All ids of one student in other systems."""
    rows = connection.execute(select(OTHER_IDS).where(OTHER_IDS.c.student_id == student_id))
    return [OtherId(**row) for row in rows.mappings()]


def aliases_of(connection: Connection, student_id: str) -> list[str]:
    """The texts of which an erasure leaves tombstones, one for each of a student's ids."""
    return sorted({_alias(each.kind, each.other_id) for each in ids_of(connection, student_id)})


def forget_ids(connection: Connection, student_id: str) -> int:
    """Removes a student's ids from both tables and returns how many rows there were."""
    others = [each.other_id for each in ids_of(connection, student_id)]
    named = or_(UNMATCHED_IDS.c.other_id.in_(others), UNMATCHED_IDS.c.other_id == student_id)
    unmatched = connection.execute(delete(UNMATCHED_IDS).where(named)).rowcount
    return unmatched + connection.execute(delete(OTHER_IDS).where(OTHER_IDS.c.student_id == student_id)).rowcount


def _find_members(connection: Connection, student_ids: Iterable[str]) -> set[str]:
    members = MEMBERS.c.student_id
    asked = (select(members).where(members.in_(some)) for some in in_parts(student_ids))
    return {student for query in asked for student in connection.execute(query).scalars()}


def _find_erased(connection: Connection, kind: str, other_ids: Iterable[str]) -> dict[str, str]:
    aliases = {other: _alias(kind, other) for other in other_ids}
    erased = find_erased(connection, set(aliases.values()))
    return {other: alias for other, alias in aliases.items() if alias in erased}


def _alias(kind: str, other_id: str) -> str:
    return f"{kind.casefold()}{MARK}{other_id.casefold()}"
