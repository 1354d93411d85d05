"""Writes the `policy.toml` that says what an export cannot: asked once, with what was said before filled in."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from features.roster.exports.cells import STUDENT
from features.roster.exports.enrollments import Classes, Place, excludes_end
from features.roster.policy.file import DEFAULT, Said
from features.roster.policy.keys import SKILL_IDS
from features.roster.records import Settings

HEAD = """\
# What the roster itself does not say. Change it, save it as policy.toml, and load: --policy policy.toml
# It is stored with the roster: the next load needs it no more. Other keys of a policy may stand here too."""

NO_BELLS = """\
# The week's blocks, for all teams; a team may have its own below [teams.ID.bells].
# first = { days = ["mon", "tue", "wed", "thu", "fri"], start = "08:30", end = "09:15" }"""

NO_SOURCES = """\
# Logs whose students have other ids: the source that a log is ingested as, and which id of a person it carries.
# sources = { practice-app = "username" }"""

DEFAULTS: Settings = {"student_id": "sourcedId", "no_school": []}

COMMENTS = {
    "student_id": "the id that events carry: sourcedId, identifier, username, email or userMasterIdentifier",
    "end_date": "an end is the first day after it (exclusive, as OneRoster has it) or the last day (inclusive)",
    "skill_id": f"the id of a standard that events carry: {', '.join(SKILL_IDS)}",
    "no_school": 'such as ["2026-11-26", "2026-12-21 to 2027-01-01"]',
}


def write_questions(classes: Classes, said: Said) -> str:
    """The file's text.

    Args:
        classes: The classes and who is in them.
        said: What people said of each team, or what is proposed.
    """
    ends = {"end_date": "exclusive"} if excludes_end(classes.shape) else {}
    default = {**DEFAULTS, **ends, **said.get(DEFAULT, {})}
    lines = [HEAD, "", *_write_table(("default",), {key: value for key, value in default.items() if key != "bells"})]
    lines += [] if default.get("sources") else [NO_SOURCES]
    lines += ["", "[default.bells]"]
    lines += [_write_line(bell, keys) for bell, keys in default.get("bells", {}).items()] or [NO_BELLS]
    teams = {team_id: settings for team_id, settings in said.items() if team_id != DEFAULT}
    in_class: dict[str, list[Place]] = defaultdict(list)
    for place in classes.places:
        in_class[place.class_id].append(place)
    for team_id, settings in teams.items():
        lines += ["", *_write_team(team_id, settings, classes, in_class)]
    of_team = {class_id for settings in teams.values() for class_id in settings.get("classes", ())}
    others = [class_id for class_id in classes.classes if class_id not in of_team]
    if others:
        lines += ["", "# Classes of no team:", *(f"# {_describe(name, classes, in_class)}" for name in sorted(others))]
    return "\n".join(lines) + "\n"


def propose_teams(classes: Classes) -> dict[str, list[str]]:
    """Classes by school and grade: that of the class, else that of most of its students.

    Classes of nobody are left out.

    Returns:
        Ids of classes by the id of a team.
    """
    students: dict[str, list[str]] = defaultdict(list)
    for place in classes.places:
        if place.role == STUDENT:
            students[place.class_id].append(place.person)
    found: dict[str, list[str]] = defaultdict(list)
    for class_id, known in sorted(classes.classes.items()):
        if not students[class_id]:
            continue
        grades = Counter(classes.grades[student] for student in students[class_id] if student in classes.grades)
        grade = known.grades[0] if len(known.grades) == 1 else max(sorted(grades), key=grades.__getitem__, default="")
        school = classes.schools.get(known.school or "", known.school or "")
        found[re.sub(r"\W+", "-", f"{school} {grade}".lower()).strip("-_") or "team"].append(class_id)
    return dict(found)


def _write_team(
    team_id: str, settings: Settings, classes: Classes, in_class: Mapping[str, list[Place]]
) -> Iterable[str]:
    named = [class_id for class_id in settings.get("classes", ()) if class_id in classes.classes]
    places = [place for class_id in named for place in in_class[class_id]]
    count = len({place.person for place in places if place.role == STUDENT})
    path = ("teams", team_id)
    yield f"{_write_head(path)}  # {_count(count)}"
    yield "classes = ["
    for class_id in settings.get("classes", ()):
        yield f"  {_text(class_id)},  # {_describe(class_id, classes, in_class)}"
    yield "]"
    others = {key: value for key, value in settings.items() if key not in {"classes", "staff", "rooms"}}
    yield from list(_write_table(path, others))[1:]
    yield ""
    yield _write_head((*path, "rooms"))
    rooms = settings.get("rooms", {})
    yield from (_write_line(room, keys) for room, keys in rooms.items())
    for room in sorted({classes.classes[class_id].location or "" for class_id in named} - rooms.keys() - {""}):
        yield f"# {_write_line(room, {'capacity': 30})}"
    if not rooms:
        yield "# room-1 = { capacity = 30 }"
    yield ""
    yield _write_head((*path, "staff"))
    said = settings.get("staff", {})
    roles = {place.person: place.role for place in sorted(places, key=lambda place: place.role, reverse=True)}
    for adult in sorted(said.keys() | {person for person, role in roles.items() if role != STUDENT}):
        taught = [classes.classes[place.class_id].title or place.class_id for place in places if place.person == adult]
        mark, keys = ("", said[adult]) if adult in said else ("# ", {"role": roles[adult]})
        yield f"{mark}{_write_line(adult, keys)}  # {_one_line(', '.join(dict.fromkeys(taught)) or 'in no class')}"


def _describe(class_id: str, classes: Classes, in_class: Mapping[str, list[Place]]) -> str:
    known = classes.classes.get(class_id)
    if known is None:
        return "not in the roster any more"
    students = {place.person for place in in_class.get(class_id, ()) if place.role == STUDENT}
    return _one_line(f"{known.title or class_id} ({class_id}), {_count(len(students))}")


def _count(students: int) -> str:
    return "1 student" if students == 1 else f"{students} students"


def _write_table(path: tuple[str, ...], settings: Settings) -> Iterable[str]:
    """The lines of a table: its own keys first, then the tables below it."""
    yield _write_head(path)
    for key, value in settings.items():
        if not isinstance(value, Mapping):
            yield _write_line(key, value) + (f"  # {COMMENTS[key]}" if key in COMMENTS else "")
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield ""
            yield _write_head((*path, key))
            yield from (_write_line(name, part) for name, part in value.items())


def _write_head(path: Iterable[str]) -> str:
    return f"[{'.'.join(map(_key, path))}]"


def _write_line(key: str, value: object) -> str:
    return f"{_key(key)} = {_write_value(value)}"


def _write_value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_write_line(key, part) for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_write_value, value)) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
