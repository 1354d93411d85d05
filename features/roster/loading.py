"""Reads a roster of whatever shape, checks it, and stores it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
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
from features.roster.files.sheets import Findings, Row, raise_problems, read_sheet
from features.roster.people.columns import Who, join_ids, join_names, read_name_file, read_people
from features.roster.people.id_table import forget_matched, read_ids
from features.roster.policy.file import DEFAULT, Said, check_policies, join_layer, parse_policies
from features.roster.policy.file import NAME as POLICY_FILE
from features.roster.queries import list_teams, read_skills, read_team
from features.roster.records import PolicyLayer, Roster, Staff, Team
from features.roster.skills import PARTS, find_standards, read_skill_sheets
from features.roster.store import save_roster

KEPT = frozenset({"skills", "prerequisites", "past_sessions", "demographics"})
"""Parts of the stored roster of which other systems say nothing."""

SKILL_FILES = frozenset(f"{part}.csv" for part in PARTS)

OWN_FILES = frozenset(f"{layout.name}.csv" for layout in (*FILES, NAMES)) - {"demographics.csv"}
"""Files that no other system has; OneRoster has a `demographics.csv` of its own, which nothing reads."""


@dataclass(frozen=True)
class ReadRoster:
    """A roster that was read and checked.

    Attributes:
        roster: What will be stored.
        stored: The teams that are stored now, by id.
        shape: What it was taken for.
        said: What people said of each team.
        lists: The lists of another system; null for a folder of roster files.
        classes: Its classes and who is in them.
        names: Display names that were read for the vault.
    """

    roster: Roster
    stored: Mapping[str, Team]
    shape: str = "roster files"
    said: Said = field(default_factory=dict)
    lists: SchoolLists | None = None
    classes: Classes | None = None
    names: Mapping[Who, str] = field(default_factory=dict)

    def save(self, connection: Connection) -> int:
        """Stores it and returns how many of its members were erased before.

        Args:
            connection: A transaction of `changing(alone=True)`.
        """
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
    return _read_folder(read_files(folder), str(folder))[0]


def read_roster(
    files: Files,
    name: str,
    connection: Connection | None,
    day: date,
    policy: bytes | None = None,
    *,
    propose: bool = False,
    with_names: bool = False,
) -> ReadRoster:
    """The roster that files hold, whatever system they are of.

    Args:
        files: The files.
        name: What to call them in errors.
        connection: To the stored roster, of which some things stay; null where there is none.
        day: From which day on; enrollments that ended before are left out.
        policy: What people say now of the teams, a file as `policy.toml`.
        propose: Whether to make a team of each school and grade of an export where nobody has said what makes one.
        with_names: Whether names of people are read.

    Raises:
        InputError: The files have problems; each is listed.
    """
    stored, said = ({}, {}) if connection is None else _read_stored(connection)
    names = frozenset(file.lower().removesuffix(".csv") for file in files)
    foreign = is_oneroster(names) or is_sds(names) or is_class_list(files)
    if policy is not None:
        files = {**files, POLICY_FILE: policy}
    if not foreign:
        roster, display = _read_folder(files, name, names=with_names)
        return ReadRoster(roster, stored, names=display)
    findings = Findings(labels=dict(LABELS))
    new = parse_policies(files[POLICY_FILE], findings) if POLICY_FILE in files else {}
    said = {**said, **new}
    raise_problems(findings, POLICY_FILE)
    findings.labels.clear()  # files of other systems may have the names of ours
    _report_unread(files, findings)
    lists = _read_lists(files, names, said, findings)
    raise_problems(findings, name)
    lists = add_stored(connection, lists, findings)
    findings.labels.update(LABELS)
    classes = find_places(lists, day, findings, said.get(DEFAULT, {}).get("end_date"))
    if propose and not any(settings.get("classes") for settings in said.values()):
        said = {**said, **{team_id: {"classes": found} for team_id, found in propose_teams(classes).items()}}
    sheets = build_sheets(classes, said, stored, findings, new.keys())
    if connection is not None and stored:  # the skills that stay are those that may be named
        sheets["skills"] = [Row(None, skill) for skill in read_skills(connection).skills.values()]
    sources = said.get(DEFAULT, {}).get("sources", {})
    people = read_people(files, lists, sources, findings, names=with_names)
    sheets = check_sheets(sheets, findings)
    sheets["ids"] = join_ids(people, lists, [] if connection is None else read_ids(connection), findings)
    said = _clean(said, sheets, new.keys())
    policies = check_policies(said, sheets, findings, of_folder=False)
    raise_problems(findings, name)
    roster = _to_roster(sheets, policies, findings)
    return ReadRoster(roster, stored, lists.shape, said, lists, classes, join_names(people, lists))


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


def _read_stored(connection: Connection) -> tuple[dict[str, Team], Said]:
    """The stored teams, and what was said of them."""
    try:
        stored = {team.team_id: read_team(connection, team.team_id) for team in list_teams(connection)}
    except MissingError:
        return {}, {}
    layers = {layer.team_id: layer for team in stored.values() for layer in team.policies}
    return stored, {team_id: join_layer(layer) for team_id, layer in layers.items()}


def _read_folder(files: Files, name: str, *, names: bool = False) -> tuple[Roster, dict[Who, str]]:
    findings = Findings()
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
        sheets |= read_skill_sheets(files, findings)
    sheets = check_sheets(sheets, findings)
    policies: tuple[PolicyLayer, ...] = ()
    if POLICY_FILE in files:
        policies = check_policies(parse_policies(files[POLICY_FILE], findings), sheets, findings)
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
    skills = {*find_standards(files), *(file for file in files if file.lower() in SKILL_FILES)}
    for file in sorted(skills):
        findings.warnings.append(f"{file}: skills are not read beside a roster of another system; load them alone")
    for file in files:
        if file.lower() in OWN_FILES and file not in skills:
            what = "is not read beside a roster of another system, where policy.toml says what that does not"
            findings.warnings.append(f"{file}: {what}; what is stored stays")


def _to_roster(sheets: Sheets, policies: tuple[PolicyLayer, ...], findings: Findings) -> Roster:
    records = {name: tuple(row.record for row in rows) for name, rows in sheets.items()}
    return Roster(**records, policies=policies, warnings=tuple(findings.warnings))
