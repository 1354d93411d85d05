"""Reads `policy.toml` beside the roster's CSV files and checks what it names against them."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from features.roster.checks import Sheets
from features.roster.files.cells import nearest, shown
from features.roster.files.sheets import Findings
from features.roster.policy.keys import OF_ALL_TEAMS, OF_LISTS, OF_ONE_TEAM, Report, read_settings
from features.roster.records import PolicyLayer, Settings

NAME = "policy.toml"

DEFAULT = ""
"""Stands for the team in the layer of all teams; no team has this id."""

ANY_ROOM = "*"

TABLES = ("default", "teams")

Said = Mapping[str, Settings]
"""The settings of each team by its id; of all teams under `DEFAULT`."""


def parse_policies(data: bytes, findings: Findings) -> Said:
    """The settings of each team, that of all teams under the empty id; what is wrong goes to the findings.

    Args:
        data: The file.
        findings: Gets a problem for every wrong key, which names it and says what would be right.
    """
    report = _report_to(findings)
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        report("", f"is not UTF-8 at byte {error.start + 1}; save it as UTF-8")
        return {}
    except tomllib.TOMLDecodeError as error:
        report("", f"is not TOML ({error}); write lines such as key = 5 below [default] or [teams.ID]")
        return {}
    for name in document.keys() - set(TABLES):
        meant = nearest(name, TABLES)
        report(name, f"is not known; {f'did you mean {meant}?' if meant else 'write it below [default] or [teams.ID]'}")
    said: dict[str, Settings] = {}
    if "default" in document:
        below = _below("default", report)
        said[DEFAULT] = read_settings(document["default"], below)
        _check_default(said[DEFAULT], below)
    teams = document.get("teams", {})
    if not isinstance(teams, dict):
        report("teams", "is not a table; write one for each team, such as [teams.t01]")
        return said
    for team_id, table in teams.items():
        below = _below(f"teams.{team_id}", report)
        said[team_id] = read_settings(table, below)
        for key in OF_ALL_TEAMS:
            if key in said[team_id]:
                below(key, "is for all teams; write it below [default]")
    return said


def check_policies(
    said: Said, sheets: Sheets, findings: Findings, *, of_folder: bool = True
) -> tuple[PolicyLayer, ...]:
    """The layers, that of all teams first, checked against the other files.

    Args:
        said: The settings of each team.
        sheets: The rows of the other files, without orphans.
        findings: Gets what is wrong.
        of_folder: Whether the other files are those of a folder, which say what teams are made of.
    """
    report = _report_to(findings)
    known = [row.record.team_id for row in sheets["teams"]]
    layers = []
    for team_id, settings in said.items():
        below = _below(f"teams.{team_id}" if team_id else "default", report)
        if team_id and team_id not in known:
            meant = nearest(team_id, known)
            below("", f"is not in teams.csv; {f'did you mean {meant}?' if meant else 'add it there'}")
            continue
        if of_folder:
            _refuse_of_lists(settings, below)
        if team_id:
            _check_team(team_id, settings, sheets, findings, below)
        layers.append(_split(team_id, settings))
    return tuple(sorted(layers, key=lambda layer: layer.team_id))


def join_layer(layer: PolicyLayer) -> Settings:
    """The settings of a layer as `policy.toml` has them; the opposite of what loading does.

    Example:
        >>> join_layer(PolicyLayer("t01", {"regroup": "weekly"}, (), (("s1", "bo"), ("s2", "bo"))))
        {'regroup': 'weekly', 'adult_exclusions': [{'staff_id': 'bo', 'students': ['s1', 's2']}]}
    """
    excluded: dict[str, list[str]] = {}
    for student, adult in layer.adult_exclusions:
        excluded.setdefault(adult, []).append(student)
    rooms = {room: dict(keys) for room, keys in layer.settings.get("rooms", {}).items()}
    for room, capacity in layer.roster.get("rooms", {}).items():
        rooms.setdefault(room, {})["capacity"] = capacity
    lists = {
        "rooms": rooms,
        "needs_certified": list(layer.needs_certified),
        "adult_exclusions": [{"staff_id": adult, "students": students} for adult, students in excluded.items()],
    }
    return {**layer.settings, **layer.roster, **{key: value for key, value in lists.items() if value}}


def _report_to(findings: Findings) -> Report:
    def report(where: str, what: str) -> None:
        findings.problems.append(f"{NAME}{f' {where}' if where else ''}: {what}")

    return report


def _refuse_of_lists(settings: Settings, report: Report) -> None:
    for key in OF_LISTS:
        if key in settings:
            report(key, "is for rosters of other systems; a folder of roster files says it in one of them")
    for room, keys in settings.get("rooms", {}).items():
        if "capacity" in keys:
            report(f"rooms.{room}.capacity", "is for rosters of other systems; write it in rooms.csv")


def _below(table: str, report: Report) -> Report:
    return lambda key, what: report(f"[{table}]{f' {key}' if key else ''}", what)


def _split(team_id: str, settings: Settings) -> PolicyLayer:
    """The layer, with what names students apart."""
    apart_of = ("no_school", "leader_signs", "sources", "skill_id", *OF_LISTS)
    of_roster = {key: settings[key] for key in apart_of if key in settings}
    rooms: dict[str, Settings] = {}
    capacities: dict[str, int] = {}
    for room, keys in settings.get("rooms", {}).items():
        if "capacity" in keys:
            capacities[room] = keys["capacity"]
        if others := {key: value for key, value in keys.items() if key != "capacity"}:
            rooms[room] = others
    apart = {"needs_certified", "adult_exclusions", "rooms", *of_roster}
    plain = {key: value for key, value in settings.items() if key not in apart} | ({"rooms": rooms} if rooms else {})
    exclusions = [
        (student, part["staff_id"])
        for part in settings.get("adult_exclusions", ())
        if part.get("staff_id")
        for student in part.get("students") or ()
    ]
    certified = tuple(settings.get("needs_certified") or ())
    if capacities:
        of_roster["rooms"] = capacities
    return PolicyLayer(team_id, plain, certified, tuple(dict.fromkeys(exclusions)), of_roster)


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
