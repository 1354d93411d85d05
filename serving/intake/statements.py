"""What is known of the statements of a batch beside their events: are they known, voided, or do they contradict?"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from features.events.identity.ids import statement_hash
from features.events.identity.voided import Held, find_statements, find_voided
from features.events.live.answers import Origin
from features.schema import Event
from serving.intake.read_batch import ReadBatch


@dataclass(frozen=True)
class SortedOut:
    """The events of a batch after their statements were compared with those that are known.

    Attributes:
        left: Places in the batch of the events that are to be compared further.
        broken: The rule that an event breaks, by its place.
        origins: Of which statement each event is, by the event's id.
        voiding: Ids of the statements that are taken back.
        voided: Statements that take another back, and events of statements that were taken back.
    """

    left: list[int]
    broken: dict[int, str] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    voiding: frozenset[str] = frozenset()
    voided: int = 0


@dataclass(frozen=True)
class Statements:
    """The statements of a batch, or none where its events are of no standard with statements.

    Attributes:
        source: Where they come from.
        contents: Hash of the content of each statement, by its place.
        voiding: Id of the statement that each one takes back, by the place of those that do.
        strict: Whether a known id with another content is a conflict, as for a record store; else only another student,
            item, score or moment is.
    """

    source: str = ""
    contents: Mapping[int, str] = field(default_factory=dict)
    voiding: Mapping[int, str] = field(default_factory=dict)
    strict: bool = False

    def sort_out(
        self, connection: Connection, batch: ReadBatch, events: Mapping[int, Event], may_void: Collection[str]
    ) -> SortedOut:
        """Compares the statements with those that are known; what equals a known one in content is left out as known.

        Args:
            connection: A transaction that called `lock_writers`.
            batch: The events as they were read.
            events: Those of them that are valid, by their place.
            may_void: Ids of the statements that the caller may take back.
        """
        if not self.contents and not self.voiding:
            return SortedOut(list(events))
        broken = {at: "unknown_statement" for at, name in self.voiding.items() if name not in may_void}
        voiding = frozenset(self.voiding.values()) & frozenset(may_void)
        keys = batch.raw["event_key"].loc[list(events)].dropna()
        gone = voiding | find_voided(connection, self.source, keys.unique().tolist())
        hashes = {name: statement_hash(self.source, name) for name in keys}
        known = find_statements(connection, sorted(hashes.values()))
        left, origins, voided = list[int](), dict[str, Origin](), len(self.voiding) - len(broken)
        for at, event in events.items():
            name = keys.get(at)
            if name is None:
                left.append(at)
            elif name in gone:
                voided += 1
            else:
                mine = Held(event.event_id, self.contents[at], event.student_id)
                held = known.setdefault(hashes[name], mine)
                origins[event.event_id] = (hashes[name], mine.content)
                if held is not mine and held.content == mine.content:
                    continue  # known
                if held is mine or (held.event_id == event.event_id and not (self.strict and held.content)):
                    left.append(at)
                else:
                    broken[at] = "conflicting_statement"
        return SortedOut(left, broken, origins, voiding, voided)


NO_STATEMENTS = Statements()
