"""Weekly figures of planned days: repeated groupmates, adults met, days in intervention, and load."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from experiments.benchmarks.planner.instances.school_days import SCHOOL_WEEK, WINDOW, SchoolDay, list_seats, remember
from serving.grouping.problem.history import carry_history, count_load_off, count_mates, count_seats_with
from serving.grouping.problem.policy import TEACHERS
from serving.grouping.rules.objective import score_plan


def measure_weeks(held: Sequence[SchoolDay]) -> list[dict[str, float]]:
    """Returns the figures of each week, by the names of `FIGURES`."""
    rows = _catch_up_rows(held)
    return [_measure_week(held, first, rows) for first in range(0, len(held), SCHOOL_WEEK)]


FIGURES = {
    "needs_met": "need met a day",
    "led_seats": "seats in adult-led groups for each student and day",
    "repeat_mates": "earlier meetings of groupmates, for each seat in an adult-led group",
    "alike": "share of groupmates who were groupmates the day before",
    "pairs_met": "share of students and adults who met in three weeks",
    "no_teacher": "students without a seat with a teacher this week",
    "no_adult": "students a day without a seat with an adult",
    "catch_up": "share of taught student-days that were all catching up",
    "longest_row": "most days in a row of nothing but catching up",
    "churn": "share of seats other than in the same block the day before",
    "load_off": "blocks by which adults' duties lie off an even load, over the week",
}


def _measure_week(held: Sequence[SchoolDay], first: int, rows: Sequence[Mapping[str, int]]) -> dict[str, float]:
    week = held[first : first + SCHOOL_WEEK]
    scores = [{term.name: term.value for term in score_plan(day.problem, day.sessions).terms} for day in week]
    seats = sum(len(session.students) for day in week for session in day.sessions if session.led)
    pairs = list(zip(held[max(0, first - 1) :], week if first else week[1:], strict=False))
    taught = sum(len(_taught(day)) for day in week)
    return {
        "needs_met": sum(score["benefit"] for score in scores) / len(week),
        "led_seats": seats / max(1, sum(bool(student.blocks) for day in week for student in day.problem.students)),
        "repeat_mates": sum(score["repeat_mates"] for score in scores) / max(1, seats),
        "alike": _mean([_share_alike(before, day) for before, day in pairs]),
        "pairs_met": _share_met(held[: first + len(week)]),
        "no_teacher": float(_without_teacher(week)),
        "no_adult": sum(score["coverage"] for score in scores) / len(week),
        "catch_up": sum(len(_caught_up(day)) for day in week) / max(1, taught),
        "longest_row": float(max((max(row.values(), default=0) for row in rows[first : first + len(week)]), default=0)),
        "churn": _mean([_share_moved(before, day) for before, day in pairs]),
        "load_off": sum(map(abs, count_load_off(remember(week, week[-1].date + 1)).values())),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _taught(day: SchoolDay) -> set[str]:
    return {student for session in day.sessions if session.led for student in session.students}


def _caught_up(day: SchoolDay) -> set[str]:
    behind = {(need.student, need.skill) for need in day.problem.needs if need.catch_up}
    new = {
        student
        for session in day.sessions
        if session.led
        for student in session.students
        if (student, session.skill) not in behind
    }
    return _taught(day) - new


def _catch_up_rows(held: Sequence[SchoolDay]) -> list[dict[str, int]]:
    """For each day, how many days in a row up to it each student did nothing but catch up; see `history`."""
    rows: list[dict[str, int]] = []
    row: Counter[str] = Counter()
    for day in held:
        for student in _taught(day):
            row[student] = row[student] + 1 if student in _caught_up(day) else 0
        rows.append(dict(row))
    return rows


def _share_alike(before: SchoolDay, day: SchoolDay) -> float:
    """Of each taught student's groupmates, those who were so the day before; of students taught on both days."""
    mates = [count_mates(remember([held_day], held_day.date + 1), _taught(held_day)) for held_day in (before, day)]
    met: list[dict[str, set[str]]] = [defaultdict(set), defaultdict(set)]
    for at, pairs in enumerate(mates):
        for one, other in pairs:
            met[at][one].add(other)
            met[at][other].add(one)
    both = sorted(met[0].keys() & met[1].keys())
    return _mean([len(met[0][student] & met[1][student]) / len(met[1][student]) for student in both])


def _share_moved(before: SchoolDay, day: SchoolDay) -> float:
    """Of students and blocks that both days have, those with another kind of session, skill or adult."""
    known = {(seat.student, seat.block): seat for seat in list_seats(before)}
    seats = [seat for seat in list_seats(day) if (seat.student, seat.block) in known]
    return _mean([float(known[seat.student, seat.block] != seat) for seat in seats])


def _share_met(held: Sequence[SchoolDay]) -> float:
    last = held[-1]
    problem = carry_history(replace(last.problem, contacts=()), remember(held, last.date + 1), WINDOW)
    leads = sum(bool(adult.modalities and adult.blocks) for adult in problem.adults)
    return len(problem.contacts) / max(1, leads * len(problem.students))


def _without_teacher(week: Sequence[SchoolDay]) -> int:
    teachers = {adult.id for adult in week[0].problem.adults if adult.role in TEACHERS}
    seats = count_seats_with(remember(week, week[-1].date + 1), teachers)
    there = {student.id for day in week for student in day.problem.students if student.blocks}
    return sum(not seats[student] for student in there)
