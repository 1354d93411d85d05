"""The roster of a simulated school: teams with adults in all four roles, rooms, blocks, rules and some history."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.simulation.config import SchoolConfig
from experiments.simulation.curriculum import NONE, STRANDS, Curriculum, Floats
from experiments.simulation.engagement import BLOCK_S, BLOCK_STARTS_S, Ints

Rows = dict[str, list[dict[str, object]]]
"""Rows of the roster files by the name of the file."""

TEAM_SIZE = 60
"""Students of a team that is made for a log."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")

ADULTS = (
    # suffix, role, may_lead (blank = the role's default), max_group, certified, coached by
    ("lead", "teacher_leader", "", "", "yes", None),
    ("collab", "collaborating_teacher", "", "", "yes", None),
    ("support", "support_staff", "tutoring;small_group;online", "5", "no", None),
    ("trainee", "teacher_in_training", "", "6", "no", "lead"),
)

ROOMS = (("hall", 70), ("room-a", 24), ("room-b", 16), ("corner", 6))

HISTORY_DAYS = 14
"""Days before the end whose sessions are known."""

UNIT_AHEAD = 3
"""Skills of a unit from its middle on."""

GROUP = 5
"""Students of a past small group."""


def team_sizes(config: SchoolConfig) -> list[int]:
    """Returns students of each team: the config's number in the first, two fewer to two more in turn in the others."""
    return [config.students_per_team + (0, 2, -2, 1, -1)[team % 5] for team in range(config.teams)]


def make_roster(
    config: SchoolConfig, curriculum: Curriculum, student_ids: list[str], team: Ints, middles: Floats
) -> dict[str, pd.DataFrame]:
    """Returns the roster's tables by the name of their file.

    Args:
        config: The school's configuration.
        curriculum: Its skills and items.
        student_ids: All students.
        team: Team of each student, from 0.
        middles: Middle of each team's current unit, in skills of the teaching order.
    """
    rows: Rows = {name: [] for name in COLUMNS}
    skills = curriculum.skill_ids
    for number in range(config.teams):
        team_id, middle = f"t{number + 1:02d}", middles[number]
        members = [student for student, its in zip(student_ids, team, strict=True) if its == number]
        _add_team(rows, team_id, "Simulated", members)
        _add_rules(rows, team_id, members)
        random = np.random.default_rng([config.seed, 2, number])
        for skill_id, weight in focus_of(middle, skills).items():
            rows["focus"].append({"team_id": team_id, "skill_id": skill_id, "weight": weight})
        current = skills[int(middle) : int(middle) + UNIT_AHEAD] or skills[-1:]
        _add_history(rows, team_id, members, config.end, current, random)
        for member in members:
            # labels without any effect on the truth: an audit should find no difference
            label = "a" if random.random() < 0.7 else "b"  # noqa: PLR2004 - a larger and a smaller group
            rows["demographics"].append({"student_id": member, "column": "group", "value": label})
    for number, skill_id in enumerate(skills):
        strand = STRANDS[curriculum.strand[number] % len(STRANDS)]
        name = f"{strand} {curriculum.level[number] + 1}"
        rows["skills"].append({"skill_id": skill_id, "name": name, "grade": "7", "subject": "Mathematics"})
        for required in (curriculum.requires[number], curriculum.also_requires[number]):
            if required != NONE:
                rows["prerequisites"].append({"skill_id": skill_id, "requires_skill_id": skills[required]})
    return {name: pd.DataFrame(rows[name], columns=pd.Index(columns)) for name, columns in COLUMNS.items()}


def focus_of(middle: float, skill_ids: Sequence[str]) -> dict[str, float]:
    """Returns the weight of each skill of the unit around a middle, in skills of the teaching order."""
    unit = range(max(0, int(middle) - 2), min(len(skill_ids), int(middle) + UNIT_AHEAD))
    return {skill_ids[skill]: round(1 / (1 + abs(skill + 0.5 - middle)), 2) for skill in unit}


def write_log_roster(student_ids: Sequence[str], folder: Path) -> None:
    """Writes roster files for the students of a log that came without a roster, in teams of 60.

    Args:
        student_ids: In the order in which they fill the teams.
        folder: Where the CSV files go.
    """
    rows: Rows = {name: [] for name in COLUMNS}
    for number, start in enumerate(range(0, len(student_ids), TEAM_SIZE)):
        members = student_ids[start : start + TEAM_SIZE]
        _add_team(rows, f"team-{number + 1}", "the log's school", members)
    folder.mkdir(parents=True)
    for name in ("teams", "members", "staff", "rooms", "blocks"):
        pd.DataFrame(rows[name], columns=pd.Index(COLUMNS[name])).to_csv(folder / f"{name}.csv", index=False)


def _add_team(rows: Rows, team_id: str, school: str, members: Sequence[str]) -> None:
    rows["teams"].append(
        {"team_id": team_id, "school": school, "name": f"Team {team_id.removeprefix('team-').removeprefix('t')}"}
    )
    rows["members"] += [{"team_id": team_id, "student_id": member} for member in members]
    for suffix, role, may_lead, most, certified, coach in ADULTS:
        adult = {"staff_id": f"{team_id}-{suffix}", "team_id": team_id, "role": role, "may_lead": may_lead}
        coached = {"coach": f"{team_id}-{coach}" if coach else ""}
        rows["staff"].append({**adult, "skills": "", "max_group": most, "certified": certified, **coached})
    for name, capacity in ROOMS:
        rows["rooms"].append({"room_id": f"{team_id}-{name}", "team_id": team_id, "capacity": capacity})
    for weekday in WEEKDAYS:
        for at, start_s in enumerate(BLOCK_STARTS_S):
            block = {"block_id": f"{team_id}-{weekday}-{at + 1}", "team_id": team_id, "weekday": weekday}
            rows["blocks"].append({**block, "start": _clock(start_s), "end": _clock(start_s + BLOCK_S)})


def _add_rules(rows: Rows, team_id: str, members: Sequence[str]) -> None:
    rules: list[dict[str, str]] = [
        {"rule_id": "apart", "kind": "keep_apart", "students": ";".join(members[:2])},
        {"rule_id": "pull-out", "kind": "unavailable", "students": members[2], "block_id": f"{team_id}-tue-2"},
        {"rule_id": "meeting", "kind": "unavailable", "staff_id": f"{team_id}-lead", "block_id": f"{team_id}-wed-4"},
    ]
    if len(members) > GROUP:
        rules.append({"rule_id": "together", "kind": "keep_together", "students": ";".join(members[3:5])})
    blank = dict.fromkeys(COLUMNS["rules"], "") | {"team_id": team_id}
    rows["rules"] += [{**blank, **rule, "rule_id": f"{team_id}-{rule['rule_id']}"} for rule in rules]


def _add_history(
    rows: Rows, team_id: str, members: list[str], end: date, skills: list[str], random: np.random.Generator
) -> None:
    for back in range(HISTORY_DAYS, 0, -1):
        day = end - timedelta(days=back)
        if day.weekday() >= len(WEEKDAYS):
            continue
        shuffled = random.permutation(members)
        place = {"date": day.isoformat(), "team_id": team_id, "block_id": f"{team_id}-{WEEKDAYS[day.weekday()]}-1"}
        for at, (suffix, *_) in enumerate(ADULTS[: len(members) // GROUP]):
            skill, students = str(random.choice(skills)), ";".join(shuffled[at * GROUP : (at + 1) * GROUP])
            held = {"staff_id": f"{team_id}-{suffix}", "skill_id": skill, "students": students}
            rows["past_sessions"].append({**place, **held})


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


COLUMNS = {
    "teams": ("team_id", "school", "name"),
    "members": ("team_id", "student_id"),
    "staff": ("staff_id", "team_id", "role", "may_lead", "skills", "max_group", "certified", "coach"),
    "rooms": ("room_id", "team_id", "capacity"),
    "blocks": ("block_id", "team_id", "weekday", "start", "end"),
    "rules": ("rule_id", "team_id", "kind", "students", "staff_id", "block_id", "skill_id"),
    "skills": ("skill_id", "name", "grade", "subject"),
    "prerequisites": ("skill_id", "requires_skill_id"),
    "focus": ("team_id", "skill_id", "weight"),
    "past_sessions": ("date", "team_id", "block_id", "staff_id", "skill_id", "students"),
    "demographics": ("student_id", "column", "value"),
}
