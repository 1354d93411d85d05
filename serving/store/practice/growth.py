"""Stages of growth of adults: what each may lead by now, as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, delete, insert, select

from serving.schemas.people.growth import StageName
from serving.store.tables import GROWTH_STAGES


@dataclass(frozen=True)
class Stage:
    """One stage of an adult's timeline.

    Attributes:
        stage: `observe`, `co_lead`, `lead` or `own_groups`.
        most: Most students of a group, of the stage `lead`; null otherwise.
        from_date: The planned first day.
        signed_on: The day on which it was signed; null where nobody did. The first stage needs no signature.
        signed_by: Id of the adult who signed; null where the key was of no certain one.
        key_id: Id of the key that wrote or signed it last.
    """

    stage: StageName
    most: int | None
    from_date: date
    signed_on: date | None
    signed_by: str | None
    key_id: str

    @property
    def largest(self) -> int | None:
        """Most students whom the adult may lead at once, 0 for none at all; null: as many as anybody."""
        return self.most if self.stage in {"lead", "own_groups"} else 0

    @property
    def name(self) -> tuple[StageName, int | None]:
        """What makes it the same stage in another timeline."""
        return self.stage, self.most

    @property
    def held_from(self) -> date | None:
        """The first day on which it holds; null while nobody signed it."""
        return None if self.signed_on is None else max(self.from_date, self.signed_on)


Timeline = tuple[Stage, ...]
"""The stages of one adult in order, at least one."""


def find_stage(timeline: Timeline, day: date) -> Stage:
    """The stage that holds on a day: the last one up to which all are signed and begun, and else the first.

    So an adult with a timeline never leads more than was signed.
    """
    held = timeline[0]
    for stage in timeline[1:]:
        if stage.held_from is None or stage.held_from > day:
            break
        held = stage
    return held


def keep_timeline(connection: Connection, team_id: str, staff_id: str, stages: Sequence[Stage]) -> None:
    """Stores an adult's timeline in place of an earlier one; without stages the adult has none any more."""
    table = GROWTH_STAGES.c
    connection.execute(delete(GROWTH_STAGES).where(table.team_id == team_id, table.staff_id == staff_id))
    key = {"team_id": team_id, "staff_id": staff_id}
    if stages:
        rows = [key | {"place": place} | asdict(stage) for place, stage in enumerate(stages)]
        connection.execute(insert(GROWTH_STAGES), rows)


def read_timelines(connection: Connection, team_id: str) -> Mapping[str, Timeline]:
    """The timelines of a team's adults who have one, by the adult's id."""
    table = GROWTH_STAGES.c
    columns = (table.staff_id, table.stage, table.most, table.from_date, table.signed_on, table.signed_by, table.key_id)
    query = select(*columns).where(table.team_id == team_id).order_by(table.staff_id, table.place)
    found: dict[str, Timeline] = {}
    for staff_id, *values in connection.execute(query):
        found[staff_id] = (*found.get(staff_id, ()), Stage(*values))
    return found
