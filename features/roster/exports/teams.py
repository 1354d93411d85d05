"""Makes teams of the classes of another system, by what people said of each team, and of what was stored before.

What people said once is a layer of `policy.toml`; it is stored with the roster and holds until it is said anew. Rules,
series, focus, and what staff.csv says of an adult stay too, as far as they name people who are still there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, time
from typing import Any

from features.roster.checks import PAIR, Sheets
from features.roster.exports.cells import STUDENT
from features.roster.exports.enrollments import Classes, Place
from features.roster.files.cells import nearest, shown
from features.roster.files.layout import FILES
from features.roster.files.sheets import Findings, Row
from features.roster.policy.file import ANY_ROOM, DEFAULT, NAME, Said
from features.roster.records import (
    ROLE_MAY_LEAD,
    Block,
    Focus,
    Member,
    Room,
    Rule,
    Series,
    Settings,
    Staff,
    Team,
    TeamName,
)

LABELS = {name: f"{NAME} {name}" for name in ("teams", "staff", "rooms")} | {
    "blocks": f"{NAME} bells", "members": "enrollments",
}  # fmt: skip
"""What to call the files of a folder in findings about a roster that has none of them."""


def build_sheets(
    classes: Classes, said: Said, stored: Mapping[str, Team], findings: Findings, new: Collection[str]
) -> Sheets:
    """The rows that a folder of roster files would have.

    Args:
        classes: The classes and who is in them.
        said: What people said of each team, now or earlier.
        stored: The teams that are stored, by id.
        findings: Gets what is wrong.
        new: The teams of which something was said just now; what they name has to be there.
    """
    sheets: Sheets = {layout.name: [] for layout in FILES}
    in_class: dict[str, list[Place]] = defaultdict(list)
    for place in classes.places:
        in_class[place.class_id].append(place)
    for team_id, settings in said.items():
        if team_id == DEFAULT or not settings.get("classes"):
            continue
        before = stored.get(team_id)
        named = _known_classes(team_id, settings["classes"], classes, findings, strict=team_id in new)
        places = [place for class_id in named for place in in_class[class_id]]
        school = _find_school(team_id, settings, named, classes, before, findings)
        sheets["teams"].append(Row(None, TeamName(team_id, school, settings.get("name"))))
        sheets["members"] += _join_members(team_id, places)
        chosen = _known_adults(team_id, settings.get("staff", {}), places, findings, strict=team_id in new)
        staff = _join_staff(team_id, places, chosen, before)
        sheets["staff"] += [Row(None, person) for person in staff]
        sheets["rooms"] += [Row(None, room) for room in _list_rooms(team_id, settings, before)]
        bells = settings.get("bells") or said.get(DEFAULT, {}).get("bells") or {}
        blocks = list_blocks(team_id, bells) or (before.blocks if before else ())
        sheets["blocks"] += [Row(None, block) for block in blocks]
    _keep(sheets, stored, findings)
    return sheets


def drop_missing(said: Settings, team: Iterable[str], adults: Collection[Staff]) -> Settings:
    """What was said of a team earlier, without people who are not there any more and roles that nobody has."""
    students, staff = set(team), {adult.staff_id for adult in adults}
    roles = {adult.role for adult in adults}
    kept = dict(said)
    exclusions = [
        {**part, "students": [student for student in part["students"] if student in students]}
        for part in said.get("adult_exclusions", ())
        if part["staff_id"] in staff
    ]
    lists: Mapping[str, Any] = {
        "needs_certified": [student for student in said.get("needs_certified", ()) if student in students],
        "adult_exclusions": [part for part in exclusions if part["students"]],
        "most_by_role": {role: most for role, most in said.get("most_by_role", {}).items() if role in roles},
    }
    for key, value in lists.items():
        kept.pop(key, None)
        if value:
            kept[key] = value
    return kept


def list_blocks(team_id: str, bells: Mapping[str, Settings]) -> tuple[Block, ...]:
    """The weekly blocks of a bell schedule.

    Example:
        >>> list_blocks("t1", {"first": {"days": ["mon", "tue"], "start": "08:30", "end": "09:15"}})[1].block_id
        't1-tue-first'
    """
    return tuple(
        Block(
            f"{team_id}-{day}-{bell}", team_id, day, time.fromisoformat(keys["start"]), time.fromisoformat(keys["end"])
        )
        for bell, keys in bells.items()
        if keys.get("start") and keys.get("end")
        for day in keys.get("days") or ()
    )


def _known_classes(
    team_id: str, named: Iterable[str], classes: Classes, findings: Findings, *, strict: bool
) -> list[str]:
    """The classes of a team that there are; of those said earlier, some may have ended since."""
    found = []
    for class_id in named:
        if class_id in classes.classes:
            found.append(class_id)
            continue
        where = f"{NAME} [teams.{team_id}] classes: {shown(class_id)} is not in {classes.files['classes']}.csv"
        if strict:
            meant = nearest(class_id, classes.classes)
            hint = f"did you mean {shown(meant)}?" if meant else "name one that is"
            findings.problems.append(f"{where}; {hint}")
        else:
            findings.warnings.append(f"{where} any more and was left out")
    return found


def _known_adults(
    team_id: str, said: Mapping[str, Settings], places: Iterable[Place], findings: Findings, *, strict: bool
) -> Mapping[str, Settings]:
    """What was said of adults of the classes, and of those who belong to the team without one."""
    there = {place.person for place in places if place.role != STUDENT}
    known: dict[str, Settings] = {}
    for adult, keys in said.items():
        if adult in there or keys.get("without_class"):
            known[adult] = {key: value for key, value in keys.items() if key != "without_class"}
            continue
        where = f"{NAME} [teams.{team_id}] staff: {shown(adult)} teaches in no class of the team"
        if strict:
            meant = nearest(adult, there)
            hint = f"did you mean {shown(meant)}?" if meant else "write without_class = true if that is meant"
            findings.problems.append(f"{where}; {hint}")
        else:
            findings.warnings.append(f"{where} any more and was left out; without_class = true would keep them")
    return known


def _find_school(
    team_id: str, settings: Settings, named: Iterable[str], classes: Classes, before: Team | None, findings: Findings
) -> str:
    """The school that was said, else the one of the classes."""
    if settings.get("school"):
        return str(settings["school"])
    ids = {classes.classes[class_id].school for class_id in named} - {None}
    schools = sorted({classes.schools.get(str(school), str(school)) for school in ids})
    if len(schools) == 1:
        return schools[0]
    if not schools:
        return before.school if before else "school"
    names = ", ".join(map(shown, schools))
    findings.problems.append(f'{NAME} [teams.{team_id}] school: its classes are of {names}; write one, school = "…"')
    return schools[0]


def _join_members(team_id: str, places: Iterable[Place]) -> list[Row]:
    """One row a student: from the first day in any of the classes to the last."""
    own: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        if place.role == STUDENT:
            own[place.person].append(place)
    rows = []
    for student, found in sorted(own.items()):
        starts, ends = [place.start for place in found], [place.end for place in found]
        first: date | None = None if None in starts else min(day for day in starts if day)
        last: date | None = None if None in ends else max(day for day in ends if day)
        rows.append(Row(found[0].line, Member(team_id, student, first, last)))
    return rows


def _join_staff(
    team_id: str, places: Iterable[Place], said: Mapping[str, Settings], before: Team | None
) -> list[Staff]:
    """The adults of the classes and those who were named, with what was said and stored of each."""
    roles: dict[str, str] = {}
    for place in sorted(places, key=lambda place: place.role):  # collaborating_teacher before support_staff
        if place.role != STUDENT:
            roles.setdefault(place.person, place.role)
    earlier = {adult.staff_id: adult for adult in before.staff} if before else {}
    staff = []
    for adult in sorted({*roles, *said}):
        keys = dict(said.get(adult, {}))
        known = earlier.get(adult)
        role = keys.pop("role", None) or roles.get(adult) or (known.role if known else "collaborating_teacher")
        person = replace(known, role=role) if known else Staff(adult, team_id, role, ())
        if known is None or known.role != role:
            person = replace(person, may_lead=ROLE_MAY_LEAD.get(role, person.may_lead))
        lists: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in keys.items()}
        staff.append(replace(person, **lists))
    there = {person.staff_id for person in staff}
    # a coach who has left coaches nobody; one whom people name now has to be there
    return [
        replace(person, coach=None)
        if person.coach is not None and person.coach not in there and "coach" not in said.get(person.staff_id, {})
        else person
        for person in staff
    ]


def _list_rooms(team_id: str, settings: Settings, before: Team | None) -> list[Room]:
    rooms = {room.room_id: room for room in before.rooms} if before else {}
    for room, keys in settings.get("rooms", {}).items():
        if room != ANY_ROOM and keys.get("capacity"):
            rooms[room] = Room(room, team_id, keys["capacity"])
    return list(rooms.values())


def _keep(sheets: Sheets, stored: Mapping[str, Team], findings: Findings) -> None:
    """Adds rules, series and focus of the stored teams, without people and blocks that are not there any more."""
    own = {
        file: {(row.record.team_id, getattr(row.record, column)) for row in sheets[file]}
        for file, column in (("members", "student_id"), ("staff", "staff_id"), ("blocks", "block_id"))
    }
    dropped = 0
    for row in sheets["teams"]:
        team_id = row.record.team_id
        team = stored.get(team_id)
        if team is None:
            continue
        sheets["focus"] += [Row(None, Focus(team_id, skill, weight)) for skill, weight in team.focus.items()]
        for name, records in (("rules", team.rules), ("series", team.series)):
            for record in records:
                there = {student for student in record.students if (team_id, student) in own["members"]}
                kept = replace(record, students=tuple(student for student in record.students if student in there))
                if _holds(kept, record, own):
                    sheets[name].append(Row(None, kept))
                else:
                    dropped += 1
    if dropped:
        count = "1 standing rule or series names" if dropped == 1 else f"{dropped} standing rules or series name"
        findings.warnings.append(f"{count} people or blocks who are not there any more and ended")


def _holds(kept: Rule | Series, before: Rule | Series, own: Mapping[str, set[tuple[str, str]]]) -> bool:
    """Whether a rule or series still says something."""
    if kept.staff_id is not None and (kept.team_id, kept.staff_id) not in own["staff"]:
        return False
    if before.students and not kept.students:
        return False
    if isinstance(kept, Series):
        return all((kept.team_id, block) in own["blocks"] for block in kept.block_ids or ())
    if kept.block_id is not None and (kept.team_id, kept.block_id) not in own["blocks"]:
        return False
    return not kept.kind.startswith("keep_") or len(kept.students) >= PAIR
