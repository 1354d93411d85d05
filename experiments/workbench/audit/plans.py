"""How stored plans serve each group: who sits with whom, who has an adult and which, and who waits.

A team's day counts once: as people decided it, or as it was suggested last where nobody decided.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import select

from features.database import Database
from features.errors import InputError, MissingError
from serving.errors import ConflictError
from serving.grouping.problem.policy import GROUPS, Role
from serving.plans.stored_plan import StoredDay, read_day
from serving.store.recommendations import find_recommendation
from serving.store.tables import DECISIONS, RECOMMENDATIONS
from training.evaluation.fairness import MIN_STUDENTS
from training.evaluation.metrics import bounds, resample_students

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RESAMPLES, PERMUTATIONS = 1000, 500

CLOCK = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")

MEASURES = {
    "adult_minutes": "minutes with an adult a day",
    "lead_minutes": "minutes with a lead teacher a day",
    "group_days": "days with a small group or tutoring (share)",
    "waiting_days": "days without an adult (share)",
    "unmet_days": "days whose greatest need is unmet (share)",
    "longest_wait": "longest run of days without an adult",
}
"""What is measured of each group, and how people call it."""


@dataclass(frozen=True)
class PlanAudit:
    """What stored plans gave to each group; no row is of one student.

    Attributes:
        days: Days of teams that were read.
        decided: Those that people decided on.
        groups: One row per column, group and measure: `column`, `group`, `students`, `measure`, `value`, `low` and
            `high` (95 % over students), and the same of `gap`, the value minus that of all with a label.
        segregation: One row per column, sessions (all, or adult-led) and index: `column`, `sessions`, `index`, `value`
            (0: each session is as its block, 1: no session mixes), and what random labels have: `by_chance` (mean),
            `chance_high` (95 of 100 are below) and `p` (share that is at least as large).
    """

    days: int
    decided: int
    groups: pd.DataFrame
    segregation: pd.DataFrame


def audit_plans(
    url: str, labels: pd.DataFrame, *, team: str | None = None, since: date | None = None, until: date | None = None
) -> PlanAudit:
    """Audits the plans of a database.

    Args:
        url: Its address.
        labels: What `read_labels` gives.
        team: Of one team; null for all.
        since: The first day; null for all.
        until: The last day; null for all.

    Raises:
        MissingError: No plan is stored of such days.
        InputError: No column has two groups of ten students or more in these plans.
    """
    with Database(url) as database:
        days = [*_read_days(database, team, since, until)]
    if not days:
        raise MissingError("no plan is stored of such days; plan some, or name other days")
    seats = pd.DataFrame([seat for day, _ in days for seat in _list_seats(day)])
    students = pd.DataFrame([each for day, _ in days for each in _list_students(day)])
    groups, segregation = [], []
    for column, part in labels.groupby("column", sort=True):
        label = part.set_index("student_id")["value"]
        label = label[label.index.isin(students["student_id"])]
        counts = label.value_counts()
        large = counts.index[counts >= MIN_STUDENTS]
        if len(large) < 2:  # noqa: PLR2004 - one group has none to be compared with
            continue
        groups += [{"column": column, **row} for row in _compare_groups(students, label[label.isin(large)])]
        segregation += [{"column": column, **row} for row in _measure_segregation(seats, label)]
    if not groups:
        raise InputError(f"no column of the labels has two groups of {MIN_STUDENTS} students in these plans")
    return PlanAudit(len(days), sum(decided for _, decided in days), pd.DataFrame(groups), pd.DataFrame(segregation))


def _read_days(
    database: Database, team: str | None, since: date | None, until: date | None
) -> Iterator[tuple[StoredDay, bool]]:
    """The plan that counts of each day of a team, and whether people decided on it."""
    plans = RECOMMENDATIONS.c
    query = select(
        plans.id, plans.team_id, plans.date, plans.created_at, DECISIONS.c.decision, DECISIONS.c.decided_at
    ).select_from(RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == plans.id))
    query = query.where(plans.date.is_not(None))
    query = query if team is None else query.where(plans.team_id == team)
    query = query if since is None else query.where(plans.date >= since)
    query = query if until is None else query.where(plans.date <= until)
    try:
        with database.reading() as connection:
            rows = [row for row in connection.execute(query) if row.decision != "rejected"]
    except MissingError:
        rows = []  # nothing was ever stored
    rows.sort(key=lambda row: (row.team_id, row.date, row.decision is not None, row.decided_at or row.created_at))
    for _, same in groupby(rows, key=lambda row: (row.team_id, row.date)):
        last = [*same][-1]
        stored = find_recommendation(database, last.id)
        try:
            if stored is not None:
                yield read_day(stored), last.decision is not None
        except ConflictError:
            continue  # of an earlier version, without its day


def _list_seats(day: StoredDay) -> Iterator[dict[str, Any]]:
    for session in day.current:
        for student in session.students:
            block = f"{day.answer.id} {session.block}"
            about = {"team": day.answer.team_id, "block": block, "session": f"{block} {session.id}"}
            yield {"student_id": student, "led": session.led, **about}


def _list_students(day: StoredDay) -> Iterator[dict[str, Any]]:
    """What each present student has that day."""
    minutes = {session.block_id: _count_minutes(session.time) for session in day.answer.sessions}
    roles = {adult.id: adult.role for adult in day.problem.adults}
    unmet = {row.student_id for row in day.answer.unmet if row.need is not None}
    for student in day.problem.students:
        led = [session for session in day.current if session.led and student.id in session.students]
        by_lead = [each for each in led if each.adults and roles.get(each.adults[0]) == Role.TEACHER_LEADER]
        if student.blocks:
            yield {
                "student_id": student.id,
                "date": day.answer.date,
                "adult_minutes": sum(minutes.get(session.block, 0) for session in led),
                "lead_minutes": sum(minutes.get(session.block, 0) for session in by_lead),
                "group_days": any(session.session_type in GROUPS for session in led),
                "waiting_days": not led,
                "unmet_days": student.id in unmet,
            }


def _count_minutes(clock: str) -> int:
    found = CLOCK.fullmatch(clock)
    if found is None:
        return 0
    begin_hour, begin, end_hour, end = map(int, found.groups())
    return (end_hour - begin_hour) * 60 + end - begin


def _compare_groups(students: pd.DataFrame, label: "pd.Series[str]") -> Iterator[dict[str, Any]]:
    """Means over the days of each group's students; students are drawn with all their days."""
    known = students[students["student_id"].isin(label.index)].sort_values(["student_id", "date"])
    by_student = known.groupby("student_id")
    days: Floats = by_student.size().to_numpy().astype(np.float64)
    names = [name for name in MEASURES if name != "longest_wait"]
    totals = by_student[names].sum()
    sums: dict[str, tuple[Floats, Floats]] = {name: (totals[name].to_numpy(np.float64), days) for name in names}
    longest = by_student["waiting_days"].apply(_longest_run).to_numpy(np.float64)
    sums["longest_wait"] = longest, np.ones(len(days))
    of_student = label.reindex(by_student.size().index).to_numpy()
    draws = np.vstack([np.ones(len(days)), resample_students(len(days), RESAMPLES)])
    for measure, (values, counts) in sums.items():
        total = draws @ values / (draws @ counts)
        for group in np.unique(of_student):
            inside = of_student == group
            with np.errstate(invalid="ignore"):  # a draw without anybody of a group
                of_group = (draws @ (values * inside)) / (draws @ (counts * inside))
            gap = of_group - total
            yield {
                "group": group,
                "students": int(inside.sum()),
                "measure": measure,
                **dict(zip(("value", "low", "high"), (of_group[0], *bounds(of_group[1:])), strict=True)),
                **dict(zip(("gap", "gap_low", "gap_high"), (gap[0], *bounds(gap[1:])), strict=True)),
            }


def _longest_run(waiting: "pd.Series[bool]") -> int:
    longest = current = 0
    for waits in waiting:
        current = current + 1 if waits else 0
        longest = max(longest, current)
    return longest


def _measure_segregation(seats: pd.DataFrame, label: "pd.Series[str]") -> Iterator[dict[str, Any]]:
    """Both indices, beside those of labels that are dealt anew among the students of each team."""
    known = seats[seats["student_id"].isin(label.index)]
    for sessions, part in (("all", known), ("adult-led", known[known["led"]])):
        if part.empty:
            continue
        unit, first = np.unique(part["session"], return_index=True, return_inverse=False)
        units = pd.Index(unit).get_indexer(pd.Index(part["session"])).astype(np.int64)
        blocks = pd.factorize(part["block"].to_numpy()[first])[0].astype(np.int64)
        people, student = np.unique(part["student_id"], return_inverse=True)
        codes, groups = pd.factorize(label.reindex(people).to_numpy())
        team = part.groupby("student_id")["team"].first().reindex(people).to_numpy()
        found = _segregate(units, blocks, codes.astype(np.int64)[student], len(groups))
        random, drawn = np.random.default_rng(0), []
        for _ in range(PERMUTATIONS):
            dealt = codes.astype(np.int64)
            for each in np.unique(team):
                dealt[team == each] = random.permutation(dealt[team == each])
            drawn.append(_segregate(units, blocks, dealt[student], len(groups)))
        chance = np.array(drawn)
        for place, index in enumerate(("Theil's H", "dissimilarity")):
            values = chance[:, place]
            yield {
                "sessions": sessions,
                "index": index,
                "value": found[place],
                "by_chance": float(values.mean()),
                "chance_high": float(np.quantile(values, 0.95)),
                "p": float((1 + np.sum(values >= found[place] - 1e-12)) / (1 + PERMUTATIONS)),
            }


def _segregate(unit: Codes, block: Codes, label: Codes, groups: int) -> Sequence[float]:
    """Theil's H and the dissimilarity of sessions within their blocks, each block by its seats and its mixture.

    Args:
        unit: Session of each seat.
        block: Block of each session.
        label: Group of each seat's student.
        groups: How many groups there are.

    Source: Theil and Finizza (1971), "A note on the measurement of racial integration of schools by means of
    informational concepts"; Reardon and Firebaugh (2002), "Measures of multigroup segregation".
    """
    counts = np.bincount(unit * groups + label, minlength=len(block) * groups).reshape(-1, groups).astype(np.float64)
    whole = np.zeros((int(block.max()) + 1, groups))
    np.add.at(whole, block, counts)
    seats, all_seats = counts.sum(axis=1), whole.sum(axis=1)
    share, overall = counts / seats[:, None], whole / all_seats[:, None]
    entropy, most = _entropy(share), float(all_seats @ _entropy(overall))
    mixture = float(all_seats @ (overall * (1 - overall)).sum(axis=1))
    if most == 0:
        return 0.0, 0.0
    theil = float(seats @ (_entropy(overall)[block] - entropy)) / most
    apart = float(seats @ np.abs(share - overall[block]).sum(axis=1)) / (2 * mixture)
    return theil, apart


def _entropy(share: Floats) -> Floats:
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    entropy: Floats = -(share * logs).sum(axis=1)
    return entropy
