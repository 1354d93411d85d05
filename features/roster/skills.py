"""Reads skills and prerequisites, which may come alone, in a folder of roster files or beside any other roster."""

from collections.abc import Iterable, Mapping

from features.errors import InputError
from features.roster.checks import Sheets, check_skills
from features.roster.exports.case import is_case_csv, read_case
from features.roster.files.archive import Files
from features.roster.files.layout import FILES
from features.roster.files.sheets import Findings, Row, raise_problems, read_sheet
from features.roster.policy.file import DEFAULT, Said, check_policies
from features.roster.policy.file import NAME as POLICY_FILE
from features.roster.policy.keys import SKILL_IDS
from features.roster.records import Focus, Member, Prerequisite, Roster, SkillMap, Team

PARTS = ("skills", "prerequisites")

SKILL_FILES = frozenset(f"{part}.csv" for part in PARTS)


def find_standards(files: Files) -> Mapping[str, bytes]:
    """Those of the files that are CASE packages, or standards as CSV."""
    alone = all(name.lower().endswith(".json") for name in files)
    return {
        name: data
        for name, data in files.items()
        if (name.lower().endswith(".json") and (alone or b"CFItems" in data))
        or (name.lower().endswith(".csv") and is_case_csv(data))
    }


def without_skills(files: Files) -> Files:
    """The files that hold neither skills nor prerequisites."""
    standards = find_standards(files)
    return {name: data for name, data in files.items() if name not in standards and name.lower() not in SKILL_FILES}


def are_skills(files: Files) -> bool:
    """Whether files hold skills and prerequisites and nothing else of a roster."""
    return bool(files.keys() - {POLICY_FILE}) and not without_skills(files).keys() - {POLICY_FILE}


def remember_skill_id(said: Said, before: Said, asked: str | None, files: Files) -> Said:
    """What people said, with the field of standards whose value events carry: as they say now, or said before.

    Args:
        said: What they said of each team.
        before: What is stored of that.
        asked: What they say now of the field.
        files: The files; with standards among them, the field is said from then on.
    """
    default = said.get(DEFAULT, {})
    field = asked or default.get("skill_id") or before.get(DEFAULT, {}).get("skill_id")
    if field is None and not find_standards(files):
        return said
    return {**said, DEFAULT: {**default, "skill_id": field or SKILL_IDS[0]}}


def read_skill_sheets(files: Files, said: Said, findings: Findings) -> Sheets:
    """The rows of skills and prerequisites that are in files, of CASE or of files of regroup's own.

    Args:
        files: The files; those of other kinds are left aside.
        said: What people said, of all teams the field of a standard whose value events carry.
        findings: Gets what is wrong.
    """
    standards = find_standards(files)
    id_field = said.get(DEFAULT, {}).get("skill_id", SKILL_IDS[0])
    own = {name.lower(): data for name, data in files.items() if name not in standards}
    skills, prerequisites = read_case(standards, findings, id_field) if standards else ([], [])
    sheets: Sheets = {"skills": skills, "prerequisites": prerequisites}
    for layout in FILES:
        data = own.get(f"{layout.name}.csv") if layout.name in PARTS else None
        if data is not None:
            if standards and layout.name == "skills":
                findings.add("skills", f"is there beside {', '.join(sorted(standards))}; keep one of them")
            sheets[layout.name] += read_sheet(data, layout, findings)
    return sheets


def add_stored_skills(sheets: Sheets, stored: SkillMap) -> Sheets:
    """The rows, and those that are stored of the part of which the files say nothing."""
    skills = sheets["skills"] or [Row(None, skill) for skill in stored.skills.values()]
    known = {row.record.skill_id for row in skills}
    pairs = ((skill, required) for skill, each in stored.requires.items() for required in each)
    kept = [Row(None, Prerequisite(*pair)) for pair in pairs if known.issuperset(pair)]
    return {"skills": skills, "prerequisites": sheets["prerequisites"] or kept}


def read_skills_alone(
    files: Files, name: str, teams: Iterable[Team], said: Said, stored: SkillMap, findings: Findings
) -> Roster:
    """A roster of skills, prerequisites and the policy of all teams alone, checked against what is stored.

    Args:
        files: The files, which hold nothing else.
        name: What to call them in errors.
        teams: The teams that are stored.
        said: What people said of each of them.
        stored: The skills that are stored.
        findings: Gets what is wrong.

    Raises:
        InputError: The files have problems, or lack skills that the stored roster names.
    """
    sheets = read_skill_sheets(files, said, findings)
    raise_problems(findings, name)
    if not any(sheets.values()):
        raise InputError(f"{name} has neither skills nor prerequisites; nothing was changed")
    sheets = add_stored_skills(sheets, stored)
    rows = _list_rows(teams) | sheets
    check_skills(rows, findings)
    of_policies = Findings()  # its warnings were told when the teams were loaded
    layers = check_policies(said, rows, of_policies, of_folder=False)
    findings.problems.extend(of_policies.problems)
    raise_problems(findings, name)
    skills, prerequisites = (tuple(row.record for row in sheets[part]) for part in PARTS)
    policies = tuple(layer for layer in layers if layer.team_id == DEFAULT)
    warnings = tuple(findings.warnings)
    return Roster((), (), (), (), (), skills=skills, prerequisites=prerequisites, policies=policies, warnings=warnings)


def _list_rows(teams: Iterable[Team]) -> Sheets:
    """The rows of stored teams that name skills, and those that their policies name."""
    sheets: Sheets = {part: [] for part in ("teams", "members", "staff", "rooms", "blocks", "rules", "focus", "series")}
    for team in teams:
        sheets["teams"].append(Row(None, team))
        sheets["members"] += [Row(None, Member(team.team_id, student)) for student in team.members]
        sheets["focus"] += [Row(None, Focus(team.team_id, skill, weight)) for skill, weight in team.focus.items()]
        for part in ("staff", "rooms", "blocks", "rules", "series"):
            sheets[part] += [Row(None, record) for record in getattr(team, part)]
    return sheets
