"""What loading a roster would change: who is new, changed and gone, and which teams would have no plan on any day."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from features.errors import InputError
from features.roster.records import Roster, Team

MOST_GONE = 0.05
"""Share of the stored students who may be missing from a roster; more are taken for a broken export."""

NAMED = 3
"""Teams that one sentence names."""


@dataclass(frozen=True)
class Change:
    """What becomes of one kind of thing; ids are sorted.

    Attributes:
        kind: Such as `students`.
        before: How many are stored.
        new: Ids of those that are not stored yet.
        changed: Ids of those that are, but in other teams or with other facts.
        gone: Ids of those that are stored and not in the roster.
    """

    kind: str
    before: int
    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]


def compare(stored: Mapping[str, Team], roster: Roster) -> tuple[Change, ...]:
    """What becomes of teams, students, adults, rooms and blocks."""
    team_facts = {team.team_id: (team.school, team.name) for team in stored.values()}
    before: Mapping[str, Iterable[tuple[str, Any]]] = {
        "teams": team_facts.items(),
        "students": ((student, team.team_id) for team in stored.values() for student in team.members),
        "adults": ((adult.staff_id, asdict(adult)) for team in stored.values() for adult in team.staff),
        "rooms": ((room.room_id, asdict(room)) for team in stored.values() for room in team.rooms),
        "blocks": ((block.block_id, asdict(block)) for team in stored.values() for block in team.blocks),
    }
    after: Mapping[str, Iterable[tuple[str, Any]]] = {
        "teams": ((team.team_id, (team.school, team.name)) for team in roster.teams),
        "students": ((member.student_id, member.team_id) for member in roster.members),
        "adults": ((adult.staff_id, asdict(adult)) for adult in roster.staff),
        "rooms": ((room.room_id, asdict(room)) for room in roster.rooms),
        "blocks": ((block.block_id, asdict(block)) for block in roster.blocks),
    }
    return tuple(_compare(kind, _facts(before[kind]), _facts(after[kind])) for kind in before)


def require_few_gone(changes: Iterable[Change]) -> None:
    """Refuses a roster that lacks many of the stored students.

    Raises:
        InputError: More than a twentieth of them are gone.
    """
    students = next(change for change in changes if change.kind == "students")
    gone = len(students.gone)
    if gone > MOST_GONE * students.before:
        raise InputError(
            f"{gone} of the {students.before} students who are stored are not in this roster, more than "
            f"{MOST_GONE:.0%}, so nothing was loaded; look at it with --preview, and load it with --yes if it is right"
        )


def find_refused(roster: Roster) -> list[str]:
    """Sentences on teams for which no day can be planned, and what would be right."""
    refused = "so every day would be refused"
    parts: tuple[tuple[str, Iterable[Any], str], ...] = (
        ("students", roster.members, f"{refused}; name classes that have some"),
        ("adults", roster.staff, f"{refused}; name classes that have some, or adults below staff"),
        ("blocks", roster.blocks, f"{refused}; write the bell schedule"),
        ("rooms", roster.rooms, "so days would be planned without rooms; write them"),
    )
    found = []
    for what, records, fix in parts:
        having = {record.team_id for record in records}
        lacking = [team.team_id for team in roster.teams if team.team_id not in having]
        if lacking:
            some = ", ".join(map(repr, lacking[:NAMED])) + (", …" if len(lacking) > NAMED else "")
            found.append(f"{len(lacking)} of {len(roster.teams)} teams have no {what} ({some}), {fix}")
    return found


def _facts(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Everything that is said of each id; somebody may be in several teams."""
    found: dict[str, list[str]] = {}
    for name, fact in pairs:
        found.setdefault(name, []).append(repr(fact))
    return {name: sorted(facts) for name, facts in found.items()}


def _compare(kind: str, before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> Change:
    return Change(
        kind,
        len(before),
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name])),
        tuple(sorted(before.keys() - after.keys())),
    )
