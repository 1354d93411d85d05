"""When and how much each student works: sessions on school days, some homework, a heavy tail of engagement."""

import math
from typing import NamedTuple

import numba
import numpy as np

from experiments.simulation.streams import Stream, below, normal, open_stream, uniform

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Bytes = np.ndarray[tuple[int], np.dtype[np.int8]]

DAY_S = 86400
BLOCK_STARTS_S = (30600, 34200, 38400, 47400)
"""Seconds after midnight at which the four blocks of a school day begin: 08:30, 09:30, 10:40, 13:10."""
BLOCK_S = 3000
"""Length of a block: 50 minutes."""
LATE_S = 600
"""Work begins within so many seconds of the block's start."""
HOMEWORK_S, HOMEWORK_SPAN_S = 57600, 18000
"""Homework begins within five hours from 16:00."""
MOST = 120
"""Responses that fit a session."""


class Habits(NamedTuple):
    """How much students work; see `SchoolConfig`."""

    attendance_logit: float
    attendance_sd: float
    session_median: float
    session_sd: float
    pace_sd: float
    homework_share: float
    weekend_share: float


class Days(NamedTuple):
    """The days of the log.

    Attributes:
        number: Days since 1970.
        weekend: 1 where a day is one of a weekend.
        middle: Middle of the current unit, in skills of the teaching order.
    """

    number: Ints
    weekend: Bytes
    middle: np.ndarray[tuple[int], np.dtype[np.float64]]


@numba.njit(cache=True)
def plan_sessions(plan: Stream, days: Days, habits: Habits, starts: Ints, sizes: Ints) -> tuple[int, float, float]:
    """Fills starts (seconds) and sizes of one student's sessions; says how many, the attendance and the pace."""
    logit = habits.attendance_logit + habits.attendance_sd * normal(plan)
    attendance = 1.0 / (1.0 + math.exp(-logit))
    pace = math.exp(habits.pace_sd * normal(plan))
    count = 0
    for day in range(len(days.number)):
        weekend = days.weekend[day] == 1
        if uniform(plan) >= attendance * (habits.weekend_share if weekend else 1.0):
            continue
        again = uniform(plan) < habits.homework_share
        for which in range(2 if again else 1):
            if which == 1 or weekend:
                start = HOMEWORK_S + below(plan, HOMEWORK_SPAN_S)
            else:
                start = BLOCK_STARTS_S[below(plan, len(BLOCK_STARTS_S))] + below(plan, LATE_S)
            size = pace * habits.session_median * math.exp(habits.session_sd * normal(plan))
            starts[count] = days.number[day] * DAY_S + start
            sizes[count] = min(MOST, max(1, int(size + 0.5)))
            count += 1
    return count, attendance, pace


@numba.njit(cache=True)
def count_responses(seed: int, owners: Ints, purpose: int, days: Days, habits: Habits) -> Ints:
    """Returns how many responses each student will give."""
    counts = np.zeros(len(owners), np.int64)
    starts, sizes = np.empty(2 * len(days.number), np.int64), np.empty(2 * len(days.number), np.int64)
    for student in range(len(owners)):
        plan = open_stream(seed, owners[student], purpose)
        count, _, _ = plan_sessions(plan, days, habits, starts, sizes)
        counts[student] = sizes[:count].sum()
    return counts
