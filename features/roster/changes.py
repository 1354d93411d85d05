"""Loads a roster, or tells what loading it would change: who is new, changed and gone, and which days have no plan."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Connection

from features.database import Database
from features.errors import InputError, MissingError
from features.home import Home
from features.roster.exports.questions import write_questions
from features.roster.files.archive import Files
from features.roster.loading import ReadRoster, read_roster
from features.roster.people.columns import ADULT, STUDENT
from features.roster.people.vault import Put, find_vault
from features.roster.records import Roster
from features.roster.skills import PARTS
from features.roster.tables import WHOLE, Version, read_version
from features.tombstones import read_tombstones

BUSY = "a student is being erased, or another roster loaded; load this one when that has ended"

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


class ManyGoneError(InputError):
    """The roster lacks more of the stored students than are taken for gone without asking."""


class UnansweredError(InputError):
    """Nobody has said which classes of a roster of another system make a team."""


@dataclass(frozen=True)
class Load:
    """A roster that was loaded, or read to see what loading it would change.

    Attributes:
        found: The roster.
        changes: What becomes of each kind of thing that it says something of.
        erased: How many of its members were erased before; 0 where nothing was loaded.
        refused: Sentences on teams for which no day can be planned.
        questions: The `policy.toml` to fill in; null for a folder of roster files, and where the roster was loaded.
    """

    found: ReadRoster
    changes: tuple[Change, ...]
    erased: int = 0
    refused: tuple[str, ...] = ()
    questions: str | None = None


def load_roster(
    files: Files,
    name: str,
    home: Home,
    database: Database,
    day: date,
    policy: bytes | None = None,
    *,
    yes: bool = False,
    skill_id: str | None = None,
    note: Callable[[Connection], None] | None = None,
) -> Load:
    """Puts a roster in place of the one that is stored, or skills alone in place of those, all or nothing.

    Args:
        files: The files.
        name: What to call them in errors.
        home: The home, in which no student is erased meanwhile.
        database: Where the roster is stored.
        day: From which day on enrollments count.
        policy: What people say now of the teams, a file as `policy.toml`.
        yes: Whether the roster may lack more than a twentieth of the stored students.
        skill_id: The field of a CASE standard whose value events carry; without it, as people said before.
        note: Called in the transaction before it ends.

    Raises:
        ManyGoneError: Many students are gone; nothing was changed.
        UnansweredError: It is not known which classes make a team; nothing was changed.
        InputError: The files have problems; nothing was changed.
        BusyError: A student is being erased, or another process holds the database; nothing was changed.
        DatabaseAwayError: The database cannot be used; nothing was changed.
    """
    vault = find_vault()
    read = partial(read_roster, files, name, day=day, policy=policy, with_names=vault is not None, skill_id=skill_id)
    with ExitStack() as stack:
        # what an erasure has done in one store while it is at work in another must not come back
        stack.enter_context(home.work("roster", busy=BUSY))
        found, version = _read_now(read, database)  # others go on changing the database meanwhile
        put_names = None if vault is None else stack.enter_context(vault.replacing())  # kept once the roster is
        connection = stack.enter_context(database.changing(alone=True))
        if read_version(connection, WHOLE) != version:  # from another home, while the files were read
            found = read(connection)
        if found.classes is not None and not found.roster.teams:
            raise UnansweredError(
                f"{name} is {found.shape}, and nobody has said which of its classes make a team, so nothing was loaded"
            )
        changes = compare(found)
        if not yes:
            require_few_gone(changes)
        erased = found.save(connection)
        if put_names is not None and "members" in found.parts:
            _put_names(put_names, found, connection)
        if note is not None:
            note(connection)
    return Load(found, changes, erased, tuple(find_refused(found.roster)) if found.classes is not None else ())


def _put_names(put: Put, found: ReadRoster, connection: Connection) -> None:
    """Keeps the names of the people of teams, but of nobody who was erased."""
    members = {member.student_id for member in found.roster.members}
    gone = read_tombstones(connection).among(members)
    adults = {(ADULT, adult.staff_id) for adult in found.roster.staff}
    put({(STUDENT, student) for student in members - gone} | adults, found.names)


def preview_roster(
    files: Files, name: str, database: Database, day: date, policy: bytes | None = None, *, skill_id: str | None = None
) -> Load:
    """What loading a roster would change, and the questions that it leaves open; nothing is changed.

    Args:
        files: The files.
        name: What to call them in errors.
        database: Where the roster is stored.
        day: From which day on enrollments count.
        policy: What people say now of the teams, a file as `policy.toml`.
        skill_id: The field of a CASE standard whose value events carry; without it, as people said before.

    Raises:
        InputError: The files have problems.
        BusyError: The database stayed locked.
        DatabaseAwayError: The database cannot be used.
    """
    read = partial(read_roster, files, name, day=day, policy=policy, propose=True, skill_id=skill_id)
    found, _ = _read_now(read, database)
    return Load(
        found,
        compare(found),
        refused=tuple(find_refused(found.roster)),
        questions=None if found.classes is None else write_questions(found.classes, found.said),
    )


def _read_now(read: Callable[[Connection | None], ReadRoster], database: Database) -> tuple[ReadRoster, Version]:
    """What is read beside the roster that is stored now, and that one's version."""
    with suppress(MissingError), database.reading() as connection:
        return read(connection), read_version(connection, WHOLE)
    return read(None), (0, 0)  # nothing was ever stored


def compare(found: ReadRoster) -> tuple[Change, ...]:
    """What becomes of teams, students, adults, rooms, blocks, skills and prerequisites; of parts that stay, nothing."""
    stored, roster = found.stored, found.roster
    team_facts = {team.team_id: (team.school, team.name) for team in stored.values()}
    before: Mapping[str, Iterable[tuple[str, Any]]] = {
        "teams": team_facts.items(),
        "students": ((student, team.team_id) for team in stored.values() for student in team.members),
        "adults": ((adult.staff_id, asdict(adult)) for team in stored.values() for adult in team.staff),
        "rooms": ((room.room_id, asdict(room)) for team in stored.values() for room in team.rooms),
        "blocks": ((block.block_id, asdict(block)) for team in stored.values() for block in team.blocks),
        "skills": ((skill.skill_id, asdict(skill)) for skill in found.skills.skills.values()),
        "prerequisites": (
            (f"{skill} requires {required}", True) for skill, each in found.skills.requires.items() for required in each
        ),
    }
    after: Mapping[str, Iterable[tuple[str, Any]]] = {
        "teams": ((team.team_id, (team.school, team.name)) for team in roster.teams),
        "students": ((member.student_id, member.team_id) for member in roster.members),
        "adults": ((adult.staff_id, asdict(adult)) for adult in roster.staff),
        "rooms": ((room.room_id, asdict(room)) for room in roster.rooms),
        "blocks": ((block.block_id, asdict(block)) for block in roster.blocks),
        "skills": ((skill.skill_id, asdict(skill)) for skill in roster.skills),
        "prerequisites": (
            (f"{link.skill_id} requires {link.requires_skill_id}", True) for link in roster.prerequisites
        ),
    }
    kinds = PARTS if found.parts == PARTS else before
    return tuple(_compare(kind, _facts(before[kind]), _facts(after[kind])) for kind in kinds)


def require_few_gone(changes: Iterable[Change]) -> None:
    """Refuses a roster that lacks many of the stored students.

    Raises:
        ManyGoneError: More than a twentieth of them are gone.
    """
    students = next((change for change in changes if change.kind == "students"), None)
    if students is None:  # skills alone
        return
    gone = len(students.gone)
    if gone > MOST_GONE * students.before:
        raise ManyGoneError(
            f"{gone} of the {students.before} students who are stored are not in this roster, more than "
            f"{MOST_GONE:.0%}, so nothing was loaded"
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
