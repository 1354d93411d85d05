"""Reads a roster of whatever shape, checks it, and stores it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from features.errors import InputError, MissingError
from features.roster.checks import Sheets, check_sheets
from features.roster.exports.class_list import is_class_list, read_class_list
from features.roster.exports.enrollments import Classes, find_places
from features.roster.exports.lists import SchoolLists
from features.roster.exports.oneroster import is_oneroster, read_oneroster
from features.roster.exports.questions import propose_teams
from features.roster.exports.sds import is_sds, read_sds
from features.roster.exports.source_rows import add_stored, replace_source_rows
from features.roster.exports.teams import LABELS, build_sheets, drop_missing
from features.roster.files.archive import Files, read_files
from features.roster.files.cells import nearest
from features.roster.files.layout import FILES, NAMES
from features.roster.files.sheets import Findings, raise_problems, read_sheet
from features.roster.people.columns import Who, join_ids, join_names, read_name_file, read_people
from features.roster.people.id_table import forget_matched, read_ids
from features.roster.policy.file import DEFAULT, Said, check_policies, join_layer, parse_policies
from features.roster.policy.file import NAME as POLICY_FILE
from features.roster.queries import list_teams, read_default_policy, read_stored_skills, read_team
from features.roster.records import PolicyLayer, Roster, Settings, SkillMap, Staff, Team
from features.roster.skills import (
    PARTS,
    add_stored_skills,
    are_skills,
    find_standards,
    read_skill_sheets,
    read_skills_alone,
    remember_skill_id,
    without_skills,
)
from features.roster.store import save_roster, save_skills

KEPT = frozenset({"past_sessions", "demographics"})
"""Parts of the stored roster of which other systems say nothing."""

OWN_FILES = frozenset(f"{layout.name}.csv" for layout in (*FILES, NAMES)) - {"demographics.csv"}
"""Files that no other system has; OneRoster has a `demographics.csv` of its own, which nothing reads."""


@dataclass(frozen=True)
class ReadRoster:
    """A roster that was read and checked.

    Attributes:
        roster: What will be stored.
        stored: The teams that are stored now, by id.
        skills: The skills that are stored now.
        shape: What it was taken for.
        parts: What it says something of, in parts of `Roster`; everything else stays.
        said: What people said of each team.
        lists: The lists of another system; null for a folder of roster files.
        classes: Its classes and who is in them.
        names: Display names that were read for the vault.
    """

    roster: Roster
    stored: Mapping[str, Team]
    skills: SkillMap
    shape: str = "roster files"
    parts: tuple[str, ...] = tuple(layout.name for layout in FILES)
    said: Said = field(default_factory=dict)
    lists: SchoolLists | None = None
    classes: Classes | None = None
    names: Mapping[Who, str] = field(default_factory=dict)

    def save(self, connection: Connection) -> int:
        """Stores it and returns how many of its members were erased before.

        Args:
            connection: A transaction of `changing(alone=True)`.
        """
        if self.parts == PARTS:
            save_skills(connection, self.roster)
            return 0
        replace_source_rows(connection, self.lists)
        erased = save_roster(self.roster, connection, keep=KEPT if self.lists else frozenset())
        forget_matched(connection)
        return erased


def read_roster_files(folder: Path) -> Roster:
    """The roster that the folder's files hold.

    Raises:
        InputError: The folder or a needed file is missing, or rows break rules; every problem is listed.
    """
    if not folder.is_dir():
        raise InputError(f"roster folder {str(folder)!r} is not there; name a folder with teams.csv and the others")
    files, findings = read_files(folder), Findings()
    said = remember_skill_id(_read_policy(files, findings), {}, None, files)
    return _read_folder(files, str(folder), said, findings)[0]


def read_roster(
    files: Files,
    name: str,
    connection: Connection | None,
    day: date,
    policy: bytes | None = None,
    *,
    propose: bool = False,
    with_names: bool = False,
    skill_id: str | None = None,
) -> ReadRoster:
    """The roster that files hold, whatever system they are of; or skills alone.

    Args:
        files: The files.
        name: What to call them in errors.
        connection: To the stored roster, of which some things stay; null where there is none.
        day: From which day on; enrollments that ended before are left out.
        policy: What people say now of the teams, a file as `policy.toml`.
        propose: Whether to make a team of each school and grade of an export where nobody has said what makes one.
        with_names: Whether names of people are read.
        skill_id: The field of a CASE standard whose value events carry; without it, as people said before.

    Raises:
        InputError: The files have problems; each is listed.
    """
    stored, before, skills = ({}, {}, SkillMap({}, {})) if connection is None else _read_stored(connection)
    if policy is not None:
        files = {**files, POLICY_FILE: policy}
    findings = Findings()
    new = _read_policy(files, findings)
    said: Said
    names = frozenset(file.lower().removesuffix(".csv") for file in files)
    if are_skills(files):
        said = {**before, DEFAULT: {**before.get(DEFAULT, {}), **_only_skill_id(new, findings)}}
        said = remember_skill_id(said, before, skill_id, files)
        roster = read_skills_alone(files, name, stored.values(), said, skills, findings)
        return ReadRoster(roster, stored, skills, "skills", PARTS, said)
    of_people = without_skills(files)
    if not (is_oneroster(names) or is_sds(names) or is_class_list(of_people)):
        said = remember_skill_id(new, before, skill_id, files)
        roster, display = _read_folder(files, name, said, findings, names=with_names)
        return ReadRoster(roster, stored, skills, names=display)
    raise_problems(findings, POLICY_FILE)
    said = remember_skill_id({**before, **new}, before, skill_id, files)
    _report_unread(of_people, findings)
    lists = _read_lists(of_people, names, said, findings)
    of_skills = add_stored_skills(read_skill_sheets(files, said, findings), skills)
    raise_problems(findings, name)
    lists = add_stored(connection, lists, findings)
    findings.labels.update(LABELS)
    classes = find_places(lists, day, findings, said.get(DEFAULT, {}).get("end_date"))
    if propose and not any(settings.get("classes") for settings in said.values()):
        said = {**said, **{team_id: {"classes": found} for team_id, found in propose_teams(classes).items()}}
    sheets = build_sheets(classes, said, stored, findings, new.keys()) | of_skills
    sources = said.get(DEFAULT, {}).get("sources", {})
    people = read_people(of_people, lists, sources, findings, names=with_names)
    sheets = check_sheets(sheets, findings)
    sheets["ids"] = join_ids(people, lists, [] if connection is None else read_ids(connection), findings)
    said = _clean(said, sheets, new.keys())
    policies = check_policies(said, sheets, findings, of_folder=False)
    raise_problems(findings, name)
    roster = _to_roster(sheets, policies, findings)
    return ReadRoster(
        roster, stored, skills, lists.shape, said=said, lists=lists, classes=classes, names=join_names(people, lists)
    )


def _read_policy(files: Files, findings: Findings) -> Said:
    return parse_policies(files[POLICY_FILE], findings) if POLICY_FILE in files else {}


def _only_skill_id(said: Said, findings: Findings) -> Settings:
    """What is said of standards, where nothing else may be said."""
    default = said.get(DEFAULT, {})
    if said.keys() - {DEFAULT} or default.keys() - {"skill_id"}:
        findings.problems.append(f"{POLICY_FILE}: says more than skill_id below [default]; load it with the roster")
    return default


def _read_lists(files: Files, names: frozenset[str], said: Said, findings: Findings) -> SchoolLists:
    if is_class_list(files):
        return read_class_list(files, findings)
    if is_sds(names):
        return read_sds(files, findings)
    return read_oneroster(files, findings, said.get(DEFAULT, {}).get("student_id", "sourcedId"))


def _clean(said: Said, sheets: Sheets, new: Collection[str]) -> Said:
    """What was said of the teams that there are; of what was said earlier, only about people who are still there."""
    teams = {row.record.team_id for row in sheets["teams"]}
    members: dict[str, list[str]] = defaultdict(list)
    for row in sheets["members"]:
        members[row.record.team_id].append(row.record.student_id)
    adults: dict[str, list[Staff]] = defaultdict(list)
    for row in sheets["staff"]:
        adults[row.record.team_id].append(row.record)
    cleaned = {}
    for team_id, settings in said.items():
        if team_id == DEFAULT or team_id in new:
            if team_id == DEFAULT or team_id in teams:
                cleaned[team_id] = settings
        elif team_id in teams:
            cleaned[team_id] = drop_missing(settings, members[team_id], adults[team_id])
    return cleaned


def _read_stored(connection: Connection) -> tuple[dict[str, Team], Said, SkillMap]:
    """The stored teams, what was said of them, and the stored skills; these may be there before any team is."""
    stored: dict[str, Team] = {}
    with suppress(MissingError):
        stored = {team.team_id: read_team(connection, team.team_id) for team in list_teams(connection)}
    layers = {layer.team_id: layer for team in stored.values() for layer in team.policies}
    layers[DEFAULT] = read_default_policy(connection)
    said = {team_id: join_layer(layer) for team_id, layer in layers.items()}
    return stored, {team_id: settings for team_id, settings in said.items() if settings}, read_stored_skills(connection)


def _read_folder(
    files: Files, name: str, said: Said, findings: Findings, *, names: bool = False
) -> tuple[Roster, dict[Who, str]]:
    sheets: Sheets = {}
    standards = find_standards(files)
    known = [*(f"{layout.name}.csv" for layout in FILES), *standards]
    tables = [file for file in files if file.lower().endswith((".csv", ".json")) and file != f"{NAMES.name}.csv"]
    _report_strays(tables, known, findings)
    _report_strays([file for file in files if file.lower().endswith(".toml")], [POLICY_FILE], findings)
    for layout in FILES:
        data = files.get(f"{layout.name}.csv")
        if data is not None:
            sheets[layout.name] = read_sheet(data, layout, findings)
            continue
        sheets[layout.name] = []
        if layout.needed:
            columns = ", ".join(layout.columns)
            findings.add(layout.name, f"is missing; write one with the columns {columns}")
    if standards:
        sheets |= read_skill_sheets(files, said, findings)
    sheets = check_sheets(sheets, findings)
    policies = check_policies(said, sheets, findings)
    display = read_name_file(files, findings, names=names)
    raise_problems(findings, name)
    return _to_roster(sheets, policies, findings), display


def _report_strays(files: Collection[str], known: Collection[str], findings: Findings) -> None:
    absent = [name for name in known if name not in files]
    for stray in (name for name in files if name not in known):
        meant = nearest(stray, absent)
        if meant:
            findings.problems.append(f"{stray}: is not a roster file; did you mean {meant}?")
        else:
            findings.warnings.append(f"{stray}: is not a roster file and was left out")


def _report_unread(files: Files, findings: Findings) -> None:
    """Warns of files of regroup's own that lie beside a roster of another system."""
    for file in files:
        if file.lower() in OWN_FILES:
            what = "is not read beside a roster of another system, where policy.toml says what that does not"
            findings.warnings.append(f"{file}: {what}; what is stored stays")


def _to_roster(sheets: Sheets, policies: tuple[PolicyLayer, ...], findings: Findings) -> Roster:
    records = {name: tuple(row.record for row in rows) for name, rows in sheets.items()}
    return Roster(**records, policies=policies, warnings=tuple(findings.warnings))
