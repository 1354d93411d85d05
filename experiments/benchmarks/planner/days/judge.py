"""Judges planned days by facts: whom the forecasts and answers show to be in trouble, and who sat where.

A pair of student and skill is *urgent* at a struggle risk of .5 or more, and *in need* also where a proficiency was
taken back (status `review_due`), whatever the plan or its needs say of it.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from experiments.benchmarks.planner.days.run import HeldDay, StatedDay
from experiments.benchmarks.planner.days.teacher_greedy import plan_greedily
from serving.grouping import Budget, InfeasibleError, Plan, Problem, Session, Weights, find_violations
from serving.grouping.problem.policy import SessionType, SizeCurve
from serving.grouping.problem.problem import Pair
from serving.grouping.solve import find_sessions

URGENT_RISK = 0.5

SMALL = SessionType.SMALL_GROUP, SessionType.TUTORING

GREEDY_MOST = 6
"""Students that teacher-greedy takes at a time."""

Served = frozenset[Pair]
"""Pairs of student and skill with a seat in an adult-led session."""

CountFalse = Callable[[Problem, Plan], int]
"""Says how many sentences of a plan are false."""


@dataclass(frozen=True)
class DayFigures:
    """What one day was like.

    Attributes:
        present: Students there in some block.
        in_need: Pairs in need of those.
        urgent: Urgent pairs among these.
        listed: Urgent pairs that the needs of the day have, so that the rules allow a seat.
        led_seats: Seats in adult-led sessions.
        served: Pairs in need with such a seat.
        servable: The most urgent pairs of any plan found; see `find_most_served`.
        greedy: Urgent pairs that teacher-greedy serves on the same day.
        not_begun: Adult-led seats on skills that the student has not begun, outside the team's current unit.
        with_adult: Students with an adult-led seat.
        in_group: Of those, the ones with a seat in a small group or tutoring.
        sizes: For each adult-led session, the purpose of most of its seats and its students.
        false_sentences: Null where nobody counted.
        broken: Hard rules that the plan, or teacher-greedy's, breaks.
        refused: Whether there was no plan.
    """

    present: frozenset[str]
    in_need: Served
    urgent: Served
    listed: int
    led_seats: int
    served: Served
    servable: int
    greedy: int
    not_begun: int
    with_adult: frozenset[str]
    in_group: frozenset[str]
    sizes: tuple[tuple[str, int], ...]
    false_sentences: int | None
    broken: int
    refused: bool


def find_in_need(stated: StatedDay) -> Served:
    """Returns the pairs in need of the students who are there in some block."""
    present = find_present(stated)
    taken_back = frozenset(
        (forecast.student, forecast.skill)
        for forecast in stated.forecasts
        if forecast.student in present and forecast.status == "review_due"
    )
    return taken_back | find_urgent(stated)


def find_urgent(stated: StatedDay) -> Served:
    """Returns the urgent pairs of the students who are there in some block."""
    present = find_present(stated)
    return frozenset(
        (forecast.student, forecast.skill)
        for forecast in stated.forecasts
        if forecast.student in present and (forecast.struggle_risk or 0.0) >= URGENT_RISK
    )


def find_present(stated: StatedDay) -> frozenset[str]:
    """Returns the students who are there in some block."""
    return frozenset(student.id for student in stated.problem.students if student.blocks)


def find_served(sessions: Iterable[Session]) -> Served:
    """Returns all pairs of student and skill with a seat in an adult-led session."""
    return frozenset(
        (student, session.skill) for session in sessions if session.skill is not None for student in session.students
    )


def judge_day(held: HeldDay, budget: Budget, count_false: CountFalse | None = None) -> DayFigures:
    """Judges a day that was planned.

    Args:
        held: The day.
        budget: Of the search for the most urgent pairs that any plan serves.
        count_false: Counts false sentences; null = nobody does.
    """
    stated, sessions = held.stated, held.sessions
    urgent, problem = find_urgent(stated), stated.problem
    greedy = _plan_greedily(problem, urgent)
    seats = [(student, session.skill or "") for session in sessions if session.led for student in session.students]
    in_need = find_in_need(stated)
    served = find_served(sessions) & in_need
    others = find_most_served(problem, urgent, budget), len(find_served(greedy) & urgent), len(served & urgent)
    begun = {(f.student, f.skill) for f in stated.forecasts if f.status != "not_begun"}
    plans = [plan for plan in (sessions, greedy) if plan]
    return DayFigures(
        present=find_present(stated),
        in_need=in_need,
        urgent=urgent,
        listed=len(urgent & {(need.student, need.skill) for need in problem.needs}),
        led_seats=len(seats),
        served=served,
        servable=max(others),
        greedy=others[1],
        not_begun=sum(pair not in begun and pair[1] not in stated.team.focus for pair in seats),
        with_adult=frozenset(student for student, _ in seats),
        in_group=frozenset(name for session in sessions if session.session_type in SMALL for name in session.students),
        sizes=tuple(_find_sizes(held)),
        false_sentences=None if count_false is None or held.plan is None else count_false(held.problem, held.plan),
        broken=sum(len(find_violations(problem, plan)) for plan in plans),
        refused=held.refused,
    )


def find_most_served(problem: Problem, urgent: Served, budget: Budget) -> int:
    """Returns how many urgent pairs a plan of the day serves that was searched for nothing else.

    Every hard rule holds; other needs only fill groups. It is what was found, and no bound.

    Args:
        problem: The day.
        urgent: Urgent pairs.
        budget: How long to search.
    """
    weights = Weights(**{field.name: float(field.name == "benefit") for field in fields(Weights)})
    aim = replace(
        problem,
        needs=tuple(
            replace(need, need=float((need.student, need.skill) in urgent), struggle_risk=0.0) for need in problem.needs
        ),
        effects=tuple(replace(effect, effect=1.0, low_evidence=None) for effect in problem.effects),
        adults=tuple(replace(a, skills=a.skills and dict.fromkeys(a.skills, 1.0)) for a in problem.adults),
        weights=weights,
        size_curve=SizeCurve(loss=0.0),
        recent_groupmates=(),
        contacts=(),
        previous=(),
        coaching=(),
    )
    try:
        return len(find_served(find_sessions(aim, budget).sessions) & urgent)
    except InfeasibleError:
        return 0


def summarize(kind: str, seed: int, days: Sequence[DayFigures]) -> dict[str, Any]:
    """Returns the row of one school: shares of all its days together.

    - `seats_on_need_share`: of adult-led seats, those on pairs in need; `in_need_served_share`: of those, the ones
      with a seat.
    - `urgent_pairs_served_share`: of urgent pairs, those with a seat.
    - `urgent_pairs_servable_share`: of as many urgent pairs as any plan found serves; `greedy_served_share`: what
      teacher-greedy serves of them.
    - `not_begun_share`: of adult-led seats, those on skills not begun outside the team's current unit.
    - `days_without_adult_longest`: the most days in a row that one student was there without an adult-led seat;
      `days_without_group_longest`: without one in a small group or tutoring. `never_served`: see `find_never_served`.
    - `day15_of_day1`: served share of urgent pairs on the last day, relative to the first.
    - `false_sentences`: null where nobody counted; `group_size_median`: students, by the purpose of most seats.
    - `urgent_pairs_listed_share`: urgent pairs that the needs of the day have; no plan may seat the others.

    Args:
        kind: Kind of the school.
        seed: Its seed.
        days: Its days, in order.
    """
    led, urgent = sum(day.led_seats for day in days), sum(len(day.urgent) for day in days)
    served, servable = sum(len(day.served & day.urgent) for day in days), sum(day.servable for day in days)
    in_need, seated = sum(len(day.in_need) for day in days), sum(len(day.served) for day in days)
    counted = [day.false_sentences for day in days if day.false_sentences is not None]
    first, last = (len(day.served & day.urgent) / max(1, len(day.urgent)) for day in (days[0], days[-1]))
    return {
        "kind": kind,
        "seed": seed,
        "seats_on_need_share": seated / max(1, led),
        "in_need_served_share": seated / max(1, in_need),
        "urgent_pairs_served_share": served / max(1, urgent),
        "urgent_pairs_servable_share": served / max(1, servable),
        "greedy_served_share": sum(day.greedy for day in days) / max(1, servable),
        "not_begun_share": sum(day.not_begun for day in days) / max(1, led),
        "days_without_adult_longest": find_longest_without((day.present, day.with_adult) for day in days),
        "days_without_group_longest": find_longest_without((day.present, day.in_group) for day in days),
        "never_served": len(find_never_served(days)),
        "day15_of_day1": last / first if first else float(last > 0),
        "false_sentences": sum(counted) if counted else None,
        "group_size_median": _median_sizes(days),
        "days": len(days),
        "days_refused": sum(day.refused for day in days),
        "rules_broken": sum(day.broken for day in days),
        "led_seats_per_day": led / len(days),
        "urgent_pairs_per_day": urgent / len(days),
        "urgent_pairs_listed_share": sum(day.listed for day in days) / max(1, urgent),
        "servable_per_day": servable / len(days),
    }


def find_longest_without(days: Iterable[tuple[frozenset[str], frozenset[str]]]) -> int:
    """Returns the most days in a row that one student was there and not seated; absences do not count.

    Args:
        days: For each day, in order, who was there and who was seated.
    """
    longest, run = 0, Counter[str]()
    for present, seated in days:
        for student in present:
            run[student] = 0 if student in seated else run[student] + 1
            longest = max(longest, run[student])
    return longest


def find_never_served(days: Sequence[DayFigures]) -> frozenset[str]:
    """Returns the students who had an urgent pair on days they were there, and never a seat on one."""
    served = {student for day in days for student, _ in day.served & day.urgent}
    return frozenset(student for day in days for student, _ in day.urgent if student not in served)


def _plan_greedily(problem: Problem, urgent: Served) -> tuple[Session, ...]:
    try:
        return plan_greedily(problem, urgent, GREEDY_MOST)
    except InfeasibleError:
        return ()


def _find_sizes(held: HeldDay) -> Iterable[tuple[str, int]]:
    purposes = {(c.need.student, c.need.skill): c.need.purpose for c in held.stated.candidates}
    for session in held.sessions:
        if session.led:
            found = Counter(purposes.get((student, session.skill or "")) or "none" for student in session.students)
            yield str(found.most_common(1)[0][0]), len(session.students)


def _median_sizes(days: Sequence[DayFigures]) -> dict[str, float]:
    sizes: dict[str, list[int]] = defaultdict(list)
    for day in days:
        for purpose, size in day.sizes:
            sizes[purpose].append(size)
    return {purpose: statistics.median(found) for purpose, found in sorted(sizes.items())}
