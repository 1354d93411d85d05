"""Figures of what was proposed, each with its interval over students and days.

Students and days are drawn anew independently of each other (Owen 2007, "The pigeonhole bootstrap"), since neither the
days of a student nor the students of a day are independent; all policies see the same draws.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.benchmarks.replay.mornings import Pair
from experiments.benchmarks.replay.policies import OURS, RESTED
from experiments.benchmarks.replay.strugglers import Practice, Struggler
from serving.grouping.problem.policy import GROUPS, SessionType

Floats = npt.NDArray[np.float64]

DRAWS = 2000

ENDS = 2.5, 97.5
"""Percentiles of a 95 % interval."""


@dataclass(frozen=True)
class Seat:
    """A place in an adult-led session that would have been proposed.

    Attributes:
        team: The team's id.
        day: Number of the school day, from 0.
        moment: When the session begins, in microseconds since 1970.
        session: Its id, unique on the day of the team.
        kind: Its type.
        adult: Who leads it.
        student: The student.
        skill: What it is about.
    """

    team: str
    day: int
    moment: int
    session: str
    kind: SessionType
    adult: str
    student: str
    skill: str


@dataclass(frozen=True)
class Reached:
    """For each later struggler whether, and how early, a policy would have given a seat.

    Attributes:
        served: 1 where a seat comes before the limit, else 0.
        lead: Attempts from the first such seat to the limit; NaN where none comes.
    """

    served: Floats
    lead: Floats


def find_reached(seats: Sequence[Seat], strugglers: Sequence[Struggler], practice: Mapping[Pair, Practice]) -> Reached:
    """Returns who of the strugglers has a seat on the skill before the limit."""
    first: dict[Pair, int] = {}
    for seat in seats:
        pair = seat.student, seat.skill
        first[pair] = min(seat.moment, first.get(pair, seat.moment))
    lead = np.full(len(strugglers), np.nan)
    for at, struggler in enumerate(strugglers):
        moment = first.get(struggler.pair)
        if moment is not None and moment < struggler.limit:
            lead[at] = practice[struggler.pair].count_between(moment, struggler.limit)
    return Reached(np.isfinite(lead).astype(np.float64), lead)


def weigh_draws(strugglers: Sequence[Struggler], days: npt.NDArray[np.int64], seed: int) -> Floats:
    """Returns how often each struggler counts in each draw: times the student x times the day; a row a draw.

    Args:
        strugglers: Whose students are drawn.
        days: Number of each one's day.
        seed: Random seed.
    """
    students = np.unique([struggler.pair[0] for struggler in strugglers], return_inverse=True)[1]
    random = np.random.default_rng(seed)
    rows = np.empty((DRAWS, len(strugglers)))
    for row in rows:
        of_student, of_day = (
            np.bincount(random.integers(0, count, count), minlength=count)
            for count in (students.max() + 1, days.max() + 1)
        )
        row[:] = of_student[students] * of_day[days]
    return rows


def measure_served(
    reached: Mapping[str, Reached], weights: Floats
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Returns the share of strugglers that each policy would have served, and ours over each other policy's.

    `ratio` is over the best plain policy, as schools and products know them; `ratio_with_memory` over the best of all,
    with those to which we gave a memory of whom they seated.

    Args:
        reached: By policy.
        weights: Of `weigh_draws`.
    """
    total = weights.sum(axis=1)
    shares = {policy: (found.served.mean(), weights @ found.served / total) for policy, found in reached.items()}
    rows = {
        policy: {"strugglers_served": float(share), **_interval(drawn)} for policy, (share, drawn) in shares.items()
    }
    ours, ours_drawn = shares[OURS]
    least = 1 / weights.shape[1]  # a policy that serves nobody is taken to serve one
    ratios = {
        policy: {"value": float(ours / max(share, least)), **_interval(ours_drawn / np.maximum(drawn, least))}
        for policy, (share, drawn) in shares.items()
        if policy != OURS
    }
    plain = [policy for policy in ratios if not policy.endswith(RESTED)]
    best, best_plain = (max(some, key=lambda policy: shares[policy][0]) for some in (ratios, plain))
    return rows, {
        "ratio": {"over": best_plain, **ratios[best_plain]},
        "ratio_with_memory": {"over": best, **ratios[best]},
        "ratios": ratios,
    }


def describe_seats(
    seats: Sequence[Seat], practice: Mapping[Pair, Practice], students: int, days: int
) -> dict[str, float | None]:
    """Returns what the proposed seats are like, over all teams.

    - `purity`: of the seats after which the student tried the skill again, those before a failure
      (`Practice.fails_after`).
    - `coverage`: share of the students with a seat, mean over days.
    - `churn`: of the seats of students who had one on the school day before, those on another skill than all of it.
    - `repeat_groupmates`: of the pairs in a session, those who had shared one on an earlier day.
    - `continuity`: of the seats of students who had one on an earlier day, those led by the adult of the last one.
    - `seats_a_day`: by student; `groups_a_day`: by team; `group_size`: students in a session, mean.

    A figure of nothing is null.

    Args:
        seats: The seats.
        practice: What students answered, before and after.
        students: Members of all teams.
        days: School days.
    """
    fails = [
        failed
        for seat in seats
        if (known := practice.get((seat.student, seat.skill)))
        and (failed := known.fails_after(seat.moment)) is not None
    ]
    by_student: dict[str, dict[int, list[Seat]]] = defaultdict(lambda: defaultdict(list))
    groups: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    for seat in seats:
        by_student[seat.student][seat.day].append(seat)
        groups[seat.day, seat.team, seat.session].append(seat.student)
    other, same_adult = [], []
    for of_days in by_student.values():
        for day, found in of_days.items():
            earlier = max((each for each in of_days if each < day), default=None)
            if earlier is not None:
                same_adult += [seat.adult == of_days[earlier][-1].adult for seat in found]
            if earlier == day - 1:
                other += [seat.skill not in {each.skill for each in of_days[earlier]} for seat in found]
    met: dict[frozenset[str], int] = {}
    again = []
    for (day, _, _), group in sorted(groups.items(), key=lambda item: item[0]):
        for one, two in combinations(group, 2):
            again.append(met.setdefault(frozenset((one, two)), day) < day)
    return {
        "purity": _mean(fails),
        "coverage": sum(map(len, by_student.values())) / students / days,
        "churn": _mean(other),
        "repeat_groupmates": _mean(again),
        "continuity": _mean(same_adult),
        "seats_a_day": len(seats) / students / days,
        "groups_a_day": len(groups) / days / len({seat.team for seat in seats}) if seats else 0.0,
        "group_size": len(seats) / len(groups) if groups else 0.0,
    }


def in_small_groups(seats: Sequence[Seat]) -> list[Seat]:
    """Returns the seats in small groups and tutoring."""
    return [seat for seat in seats if seat.kind in GROUPS]


def _interval(drawn: Floats) -> dict[str, float]:
    low, high = np.percentile(drawn, ENDS)
    return {"low": float(low), "high": float(high)}


def _mean(values: Sequence[bool]) -> float | None:
    return float(np.mean(values)) if values else None
