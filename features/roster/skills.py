"""Loads skills and prerequisites by themselves: the rest of the stored roster stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from features.database import Database
from features.errors import InputError, MissingError
from features.home import Home
from features.roster.checks import Sheets, check_skills
from features.roster.exports.case import ID_FIELDS, is_case_csv, read_case
from features.roster.files.archive import Files
from features.roster.files.layout import FILES
from features.roster.files.sheets import Findings, Row, raise_problems, read_sheet
from features.roster.queries import list_teams, read_stored_skills, read_team
from features.roster.records import Focus, Prerequisite, Skill, SkillMap
from features.roster.store import save_skills

BUSY = "a student is being erased, or a roster loaded; load these skills when that has ended"

PARTS = ("skills", "prerequisites")


@dataclass(frozen=True)
class SkillLoad:
    """Skills that were loaded, or read to see what loading them would change.

    Attributes:
        before: The skills that were stored, and what each required.
        skills: Those that are now.
        prerequisites: Likewise.
        warnings: What was left out.
    """

    before: SkillMap
    skills: tuple[Skill, ...]
    prerequisites: tuple[Prerequisite, ...]
    warnings: tuple[str, ...]


def find_standards(files: Files) -> Mapping[str, bytes]:
    """Those of the files that are CASE packages, or standards as CSV."""
    alone = all(name.lower().endswith(".json") for name in files)
    return {
        name: data
        for name, data in files.items()
        if (name.lower().endswith(".json") and (alone or b"CFItems" in data))
        or (name.lower().endswith(".csv") and is_case_csv(data))
    }


def are_skills(files: Files) -> bool:
    """Whether files hold skills and prerequisites and nothing else of a roster."""
    own = {f"{part}.csv" for part in PARTS}
    return bool(files) and files.keys() <= own | find_standards(files).keys()


def read_skill_sheets(files: Files, findings: Findings, id_field: str = ID_FIELDS[0]) -> Sheets:
    """The rows of skills and prerequisites that are in files, of CASE or of a folder of roster files."""
    standards = find_standards(files)
    skills, prerequisites = read_case(standards, findings, id_field) if standards else ([], [])
    sheets: Sheets = {"skills": skills, "prerequisites": prerequisites}
    for layout in FILES:
        data = files.get(f"{layout.name}.csv") if layout.name in PARTS else None
        if data is not None and f"{layout.name}.csv" not in standards:
            if standards and layout.name == "skills":
                findings.add("skills", f"is there beside {', '.join(sorted(standards))}; keep one of them")
            sheets[layout.name] += read_sheet(data, layout, findings)
    return sheets


def load_skills(
    files: Files, name: str, home: Home, database: Database, id_field: str = ID_FIELDS[0], *, preview: bool = False
) -> SkillLoad:
    """Puts skills and prerequisites in place of those that are stored; those of which the files say nothing stay.

    Args:
        files: The files.
        name: What to call them in errors.
        home: The home, in which no roster is loaded meanwhile.
        database: Where the roster is stored.
        id_field: The field of a standard whose value events carry.
        preview: Whether only to tell what would change.

    Raises:
        InputError: The files have problems, or lack skills that the stored roster names; nothing was changed.
        BusyError: A roster is being loaded, or another process holds the database; nothing was changed.
        DatabaseAwayError: The database cannot be used; nothing was changed.
    """
    findings = Findings()
    sheets = read_skill_sheets(files, findings, id_field)
    raise_problems(findings, name)
    if not any(sheets.values()):
        raise InputError(f"{name} has neither skills nor prerequisites; nothing was changed")
    with home.work("roster", busy=BUSY), database.changing(alone=True) as connection:
        before = read_stored_skills(connection)
        loaded = _check(sheets, before, connection, findings, name)
        if not preview:
            save_skills(connection, loaded.skills, loaded.prerequisites)
    return loaded


def _check(sheets: Sheets, before: SkillMap, connection: Connection, findings: Findings, name: str) -> SkillLoad:
    if not sheets["skills"]:
        sheets["skills"] = [Row(None, skill) for skill in before.skills.values()]
    if not sheets["prerequisites"]:
        known = {row.record.skill_id for row in sheets["skills"]}
        pairs = ((skill, required) for skill, each in before.requires.items() for required in each)
        sheets["prerequisites"] = [Row(None, Prerequisite(*pair)) for pair in pairs if known.issuperset(pair)]
    check_skills(sheets | _read_named(connection), findings)
    raise_problems(findings, name)
    skills, prerequisites = (tuple(row.record for row in sheets[part]) for part in PARTS)
    return SkillLoad(before, skills, prerequisites, tuple(findings.warnings))


def _read_named(connection: Connection) -> Sheets:
    """The rows of the stored roster that name skills."""
    sheets: Sheets = {part: [] for part in ("focus", "rules", "staff", "series")}
    try:
        teams = [read_team(connection, team.team_id) for team in list_teams(connection)]
    except MissingError:
        return sheets
    for team in teams:
        sheets["staff"] += [Row(None, person) for person in team.staff]
        sheets["rules"] += [Row(None, rule) for rule in team.rules]
        sheets["series"] += [Row(None, series) for series in team.series]
        sheets["focus"] += [Row(None, Focus(team.team_id, skill, weight)) for skill, weight in team.focus.items()]
    return sheets
