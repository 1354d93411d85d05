"""Reads `policy.toml` beside the roster's CSV files and checks what it names against them."""

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from features.roster.cells import nearest, shown
from features.roster.checks import Sheets
from features.roster.policy_keys import OF_ONE_TEAM, Report, read_settings
from features.roster.records import PolicyLayer, Settings
from features.roster.sheets import Findings

NAME = "policy.toml"

DEFAULT = ""
"""Stands for the team in the layer of all teams; no team has this id."""

ANY_ROOM = "*"

TABLES = ("default", "teams")


def read_policies(path: Path, sheets: Sheets, findings: Findings) -> tuple[PolicyLayer, ...]:
    """The layers of the file, that of all teams first; what is wrong goes to the findings.

    Args:
        path: The file.
        sheets: The rows of the other files, without orphans.
        findings: Gets a problem for every wrong key, which names it and says what would be right.
    """

    def report(where: str, what: str) -> None:
        findings.problems.append(f"{NAME}{f' {where}' if where else ''}: {what}")

    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        report("", f"is not UTF-8 at byte {error.start + 1}; save it as UTF-8")
        return ()
    except tomllib.TOMLDecodeError as error:
        report("", f"is not TOML ({error}); write lines such as key = 5 below [default] or [teams.ID]")
        return ()
    for name in document.keys() - set(TABLES):
        meant = nearest(name, TABLES)
        report(name, f"is not known; {f'did you mean {meant}?' if meant else 'write it below [default] or [teams.ID]'}")
    layers = []
    if "default" in document:
        settings = read_settings(document["default"], _below("default", report))
        _check_default(settings, _below("default", report))
        layers.append(PolicyLayer(DEFAULT, settings))
    teams = document.get("teams", {})
    if not isinstance(teams, dict):
        report("teams", "is not a table; write one for each team, such as [teams.t01]")
        return tuple(layers)
    known = [row.record.team_id for row in sheets["teams"]]
    for team_id, table in teams.items():
        below = _below(f"teams.{team_id}", report)
        if team_id not in known:
            meant = nearest(team_id, known)
            below("", f"is not in teams.csv; {f'did you mean {meant}?' if meant else 'add it there'}")
            continue
        settings = read_settings(table, below)
        _check_team(team_id, settings, sheets, findings, below)
        layers.append(_split(team_id, settings))
    return tuple(layers)


def _below(table: str, report: Report) -> Report:
    return lambda key, what: report(f"[{table}]{f' {key}' if key else ''}", what)


def _split(team_id: str, settings: Settings) -> PolicyLayer:
    """The layer, with what names students apart."""
    plain = {key: value for key, value in settings.items() if key not in {"needs_certified", "adult_exclusions"}}
    exclusions = [
        (student, part["staff_id"])
        for part in settings.get("adult_exclusions", ())
        if part.get("staff_id")
        for student in part.get("students") or ()
    ]
    certified = tuple(settings.get("needs_certified") or ())
    return PolicyLayer(team_id, plain, certified, tuple(dict.fromkeys(exclusions)))


def _check_default(settings: Settings, report: Report) -> None:
    for key in OF_ONE_TEAM:
        if key in settings:
            report(key, "belongs to one team; write it below [teams.ID]")
    for room in settings.get("rooms", {}):
        if room != ANY_ROOM:
            report(f"rooms.{room}", f"belongs to one team; write it below [teams.ID], or {ANY_ROOM!r} for any room")


def _check_team(team_id: str, settings: Settings, sheets: Sheets, findings: Findings, report: Report) -> None:
    """Reports everything that the team's settings name and its files lack; broken files are not looked at."""
    own = {
        file: [row.record for row in sheets[file] if row.record.team_id == team_id]
        for file in ("members", "staff", "rooms", "blocks")
    }
    for path, named, file, known in _list_references(settings, sheets, own):
        where = f"{file}.csv" if file == "skills" else f"the team's rows of {file}.csv"
        for name in () if file in findings.broken else named:
            if name not in known:
                meant = nearest(name, known)
                report(path, f"{shown(name)} is not in {where}; {_hint(meant)}")
    for room in settings.get("rooms", {}):
        parts = [other.room_id for other in own["rooms"] if other.room_id.startswith(f"{room}#place-")]
        if parts:
            report(f"rooms.{room}", f"its sessions would be named like room {shown(parts[0])}; rename one of them")
    if "members" not in findings.broken:
        _check_members(settings, {member.student_id for member in own["members"]}, report)
    certified = len(settings.get("needs_certified") or ())
    if certified and not any(person.certified for person in own["staff"]):
        count = "1 student needs" if certified == 1 else f"{certified} students need"
        findings.warnings.append(
            f"{NAME} [teams.{team_id}] needs_certified: {count} a certified adult, and nobody of the team is certified "
            "in staff.csv; they will only work independently"
        )


def _hint(meant: str | None) -> str:
    return f"did you mean {shown(meant)}?" if meant else "add it there"


def _check_members(settings: Settings, members: Collection[str], report: Report) -> None:
    lists = [("needs_certified", settings.get("needs_certified") or ())]
    for at, part in enumerate(settings.get("adult_exclusions", ())):
        for key in sorted({"staff_id", "students"} - part.keys()):
            what = "is missing; write an adult and the students whom the adult never leads"
            report(f"adult_exclusions[{at}].{key}", what)
        lists.append((f"adult_exclusions[{at}].students", part.get("students") or ()))
    for path, students in lists:
        strangers = sum(student not in members for student in students)
        if strangers:
            report(path, f"{strangers} of {len(students)} are not members of the team; name only members")


def _list_references(
    settings: Settings, sheets: Sheets, own: dict[str, list[Any]]
) -> Iterator[tuple[str, Collection[str], str, Collection[str]]]:
    """Yields keys with the ids they name, and the file and ids that these have to be of."""
    rooms = [room for room in settings.get("rooms", {}) if room != ANY_ROOM]
    yield "rooms", rooms, "rooms", {room.room_id for room in own["rooms"]}
    yield "blocks", settings.get("blocks", {}), "blocks", {block.block_id for block in own["blocks"]}
    yield "most_by_role", settings.get("most_by_role", {}), "staff", {person.role for person in own["staff"]}
    skills = {row.record.skill_id for row in sheets["skills"]}
    subjects = {row.record.subject for row in sheets["skills"] if row.record.subject}
    for block, taught in settings.get("blocks", {}).items():
        if skills:  # without skills.csv any skill of the log may be named
            yield f"blocks.{block}.skills", taught.get("skills") or (), "skills", skills
        yield f"blocks.{block}.subjects", taught.get("subjects") or (), "skills", subjects
    staff = {person.staff_id for person in own["staff"]}
    for at, part in enumerate(settings.get("adult_exclusions", ())):
        yield f"adult_exclusions[{at}].staff_id", [part["staff_id"]] if part.get("staff_id") else (), "staff", staff
