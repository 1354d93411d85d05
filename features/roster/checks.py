"""Checks between the roster files: every reference has to lead somewhere.

A row that belongs to a team (or, for demographics, to a student) the roster does not have is an **orphan**:
it is left out and counted in a warning, since the rest is usable. A row that is kept and names something
that is not there is a **dangling reference** and an error, and so is every rule that cannot work: one that
silently does nothing is worse than a refused file. Past sessions are history: people and blocks they name
may be gone, which is a warning and no more.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from features.roster.files.cells import nearest, shown, unknown
from features.roster.files.sheets import Findings, Row
from features.roster.records import ROLE_MAY_LEAD
from features.roster.series_checks import check_series

Sheets = dict[str, list[Row]]
"""Rows by the name of their file."""

NAMED = 3
"""Unknown ids that one warning names."""

PAIR = 2
"""Fewest students of a `keep_together` or `keep_apart` rule."""


def check_sheets(sheets: Sheets, findings: Findings) -> Sheets:
    """The rows without orphans; problems and warnings go to the findings.

    References into a file that already has problems are not checked: they would all seem to dangle.
    """
    broken = frozenset(findings.broken)
    kept = sheets if broken & {"teams", "members"} else _without_orphans(sheets, findings)
    checks: tuple[tuple[Callable[[Sheets, Findings], None], set[str]], ...] = (
        (_check_teams, {"teams", "members", "staff", "rooms", "blocks"}),
        (_check_members, set()),
        (_check_blocks, set()),
        (_check_staff, {"teams", "staff"}),
        (_check_rules, {"teams", "members", "staff", "blocks"}),
        (check_series, {"teams", "members", "staff", "blocks"}),
        (check_skills, {"skills"}),
        (_check_past_sessions, {"staff", "blocks"}),
    )
    for check, read in checks:
        if not broken & read:
            check(kept, findings)
    return kept


def check_skills(sheets: Sheets, findings: Findings) -> None:
    """Checks prerequisites, and that all that rows name is among the skills; the sheets may be these and no others."""
    _check_prerequisites(sheets, findings)
    _check_skills(sheets, findings)


def _without_orphans(sheets: Sheets, findings: Findings) -> Sheets:
    teams = {row.record.team_id for row in sheets["teams"]}
    kept = dict(sheets)
    for name in ("members", "staff", "rooms", "blocks", "focus", "past_sessions"):
        lost = [row.record.team_id for row in sheets[name] if row.record.team_id not in teams]
        kept[name] = [row for row in sheets[name] if row.record.team_id in teams]
        if lost:
            count = f"{len(lost)} of {len(sheets[name])} rows belong to teams that teams.csv lacks"
            findings.warnings.append(f"{findings.label(name)}: {count} ({_some(lost)}) and were left out")
    students = {row.record.student_id for row in kept["members"]}
    kept["demographics"] = [row for row in sheets["demographics"] if row.record.student_id in students]
    kept["ids"] = [row for row in sheets["ids"] if row.record.student_id in students]
    if lost_ids := len(sheets["ids"]) - len(kept["ids"]):
        findings.warnings.append(f"ids.csv: {lost_ids} rows are about no member and were left out")
    lost_facts = len(sheets["demographics"]) - len(kept["demographics"])
    if lost_facts:
        findings.warnings.append(f"demographics.csv: {lost_facts} rows are about no member and were left out")
    return kept


def _check_teams(sheets: Sheets, findings: Findings) -> None:
    if "teams" in findings.labels:
        return  # of exports `changes.find_refused` says more
    for name in ("members", "staff", "rooms", "blocks"):
        having = {row.record.team_id for row in sheets[name]}
        lacking = [row.record.team_id for row in sheets["teams"] if row.record.team_id not in having]
        if lacking:
            findings.warnings.append(f"teams.csv: {len(lacking)} teams have no {name} ({_some(lacking)})")


def _check_members(sheets: Sheets, findings: Findings) -> None:
    for row in sheets["members"]:
        member = row.record
        if member.from_date is not None and member.until is not None and member.until < member.from_date:
            findings.add("members", f"{member.until} is before from_date; write a later day", row.line, "until")


def _check_blocks(sheets: Sheets, findings: Findings) -> None:
    days: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sheets["blocks"]:
        if row.record.end <= row.record.start:
            findings.add("blocks", "is not after start; write the later time", row.line, "end")
        days[row.record.team_id, row.record.weekday].append(row)
    for rows in days.values():
        rows.sort(key=lambda row: (row.record.start, row.record.end))
        for earlier, later in pairwise(rows):
            if later.record.start < earlier.record.end:
                what = f"is before the end of block {shown(earlier.record.block_id)} of the same team and day"
                findings.add("blocks", f"{what}; blocks may not overlap", later.line, "start")


def _check_staff(sheets: Sheets, findings: Findings) -> None:
    staff: dict[str, set[str]] = defaultdict(set)
    for row in sheets["staff"]:
        staff[row.record.staff_id].add(row.record.team_id)
    for role in sorted({row.record.role for row in sheets["staff"]} - ROLE_MAY_LEAD.keys()):
        meant = nearest(role, ROLE_MAY_LEAD)
        hint = f"; did you mean {shown(meant)}?" if meant else ""
        findings.warnings.append(f"{findings.label('staff')}: role {shown(role)} was taken as the school's own{hint}")
    for row in sheets["staff"]:
        coach = row.record.coach
        if coach == row.record.staff_id:
            findings.add("staff", "is the same person; name a colleague or leave it blank", row.line, "coach")
        elif coach is not None and coach not in staff:
            findings.add("staff", unknown(coach, staff, "staff.csv"), row.line, "coach")
        elif coach is not None and row.record.team_id not in staff[coach]:
            findings.add("staff", f"{shown(coach)} is in another team; name one of the same", row.line, "coach")


def _check_rules(sheets: Sheets, findings: Findings) -> None:
    of_team: dict[str, set[tuple[str, str]]] = {
        column: {(row.record.team_id, getattr(row.record, column)) for row in sheets[file]}
        for column, file in (("student_id", "members"), ("staff_id", "staff"), ("block_id", "blocks"))
    }
    teams = {row.record.team_id for row in sheets["teams"]}
    for row in sheets["rules"]:
        rule = row.record
        if rule.team_id not in teams:
            findings.add("rules", unknown(rule.team_id, teams, "teams.csv"), row.line, "team_id")
            continue
        strangers = sum((rule.team_id, student) not in of_team["student_id"] for student in rule.students)
        if strangers:
            what = f"{strangers} of {len(rule.students)} are not members of the team; name only members"
            findings.add("rules", what, row.line, "students")
        for column, file in (("staff_id", "staff.csv"), ("block_id", "blocks.csv")):
            named = getattr(rule, column)
            if named is not None and (rule.team_id, named) not in of_team[column]:
                own = [name for team, name in of_team[column] if team == rule.team_id]
                findings.add("rules", unknown(named, own, f"the team's rows of {file}"), row.line, column)
        lack = _lacks(rule)
        if lack:
            findings.add("rules", f"{rule.kind} {lack}", row.line, "kind")


def _lacks(rule: Any) -> str | None:  # noqa: ANN401 - any record with a rule's fields
    if rule.kind in {"keep_together", "keep_apart"} and len(rule.students) < PAIR:
        return "needs two or more students"
    if rule.kind == "pinned" and not rule.students:
        return "needs students"
    if rule.kind == "pinned" and rule.staff_id is rule.block_id is rule.skill_id is None:
        return "needs a staff_id, block_id or skill_id to pin to"
    if rule.kind == "unavailable" and not rule.students and rule.staff_id is None:
        return "needs students or a staff_id"
    return None


def _check_prerequisites(sheets: Sheets, findings: Findings) -> None:
    requires: dict[str, set[str]] = defaultdict(set)
    for row in sheets["prerequisites"]:
        requires[row.record.skill_id].add(row.record.requires_skill_id)
    try:
        TopologicalSorter(requires).prepare()
    except CycleError as error:
        path = " requires ".join(shown(skill) for skill in reversed(error.args[1]))
        findings.add("prerequisites", f"skills require each other ({path}); remove one of these rows")


def _check_skills(sheets: Sheets, findings: Findings) -> None:
    if not sheets["skills"]:
        return  # without skills.csv any skill of the log may be named
    known = {row.record.skill_id for row in sheets["skills"]}
    named: tuple[tuple[str, str, Callable[[Any], Iterable[str | None]]], ...] = (
        ("prerequisites", "skill_id", lambda record: (record.skill_id,)),
        ("prerequisites", "requires_skill_id", lambda record: (record.requires_skill_id,)),
        ("focus", "skill_id", lambda record: (record.skill_id,)),
        ("rules", "skill_id", lambda record: (record.skill_id,)),
        ("staff", "skills", lambda record: record.skills or ()),
        ("series", "skills", lambda record: record.skills),
    )
    for name, column, skills_of in named:
        for row in sheets[name]:
            for skill in skills_of(row.record):
                if skill is not None and skill not in known:
                    findings.add(name, unknown(skill, known, "skills.csv"), row.line, column)


def _check_past_sessions(sheets: Sheets, findings: Findings) -> None:
    for name, column in (("staff", "staff_id"), ("blocks", "block_id")):
        known = {getattr(row.record, column) for row in sheets[name]}
        named = [getattr(row.record, column) for row in sheets["past_sessions"]]
        gone = [name for name in named if name is not None and name not in known]
        if gone:
            what = f"{len(gone)} rows name a {column} that {name}.csv lacks ({_some(gone)})"
            findings.warnings.append(f"past_sessions.csv: {what} and were kept as history")


def _some(ids: Iterable[str]) -> str:
    common = [shown(name) for name, _ in Counter(ids).most_common(NAMED + 1)]
    return ", ".join(common[:NAMED]) + (", …" if len(common) > NAMED else "")
