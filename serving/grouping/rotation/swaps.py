"""The compiled search behind `rotation.py`: swaps of two students of one round, kept or taken back.

What is counted is told by a key for each pair of students: equal keys are counted together. With a key of its own for
each pair, that is how often the two meet; with one key for all pairs that a symmetry turns into each other, it is how
often any of them does once a round has been turned through the symmetry. All loops stand in one file, since numba does
not notice changes in other files.
"""

import numba as nb
import numpy as np


@nb.njit(cache=True, error_model="numpy")
def improve_rounds(seats, starts, key, count, lots, swaps, warm, cool, best, cost):
    """Swaps students for a lower cost: each meeting costs as many points as its key was met before.

    Kept as Metropolis has it at a heat that falls from `warm` to `cool` (Kirkpatrick, Gelatt and Vecchi 1983). A
    swap is proposed for a student who meets somebody again, where one is found in a few lots.

    Args:
        seats: rounds x N, students in the order of groups; changed in place.
        starts: where each group begins in a round, and N.
        key: N x N, symmetric.
        count: by key, how often it is met now; changed in place.
        lots: one number, the state of the generator; changed in place.
        swaps: to try.
        warm: points that a swap may lose about every third time, at first.
        cool: the same at last.
        best: rounds x N, the best seats so far; changed in place.
        cost: of `seats`, then of `best`; changed in place.
    """
    rounds, students = seats.shape
    group = np.empty(students, np.int64)
    for at in range(len(starts) - 1):
        group[starts[at] : starts[at + 1]] = at
    heat = warm
    fall = (cool / warm) ** (1.0 / max(1, swaps // 1024))
    for turn in range(swaps):
        if turn % 1024 == 1023:
            heat *= fall
        if cost[1] == 0:
            return
        row = seats[_draw(lots, rounds)]
        one = _draw(lots, students)
        for _ in range(4):
            if _repeats(row, starts, group[one], one, key, count):
                break
            one = _draw(lots, students)
        other = _draw(lots, students)
        if group[one] == group[other]:
            continue
        change = _swap(row, starts, group, one, other, key, count)
        if change > 0 and _uniform(lots) >= np.exp(-change / heat):
            _swap(row, starts, group, one, other, key, count)
            continue
        cost[0] += change
        if cost[0] < cost[1]:
            cost[1] = cost[0]
            best[:] = seats


@nb.njit(cache=True, error_model="numpy")
def count_meetings(seats, starts, key, count):
    """Adds all meetings to `count` and returns what they cost on top of what it held."""
    cost = 0
    for at in range(len(seats)):
        for group in range(len(starts) - 1):
            for one in range(starts[group], starts[group + 1]):
                for other in range(starts[group], one):
                    pair = key[seats[at, one], seats[at, other]]
                    cost += count[pair]
                    count[pair] += 1
    return cost


@nb.njit(cache=True, error_model="numpy")
def _swap(row, starts, group, one, other, key, count):
    """Exchanges two places of a round; the change of cost."""
    change = _leave(row, starts, group[one], one, key, count) + _leave(row, starts, group[other], other, key, count)
    row[one], row[other] = row[other], row[one]
    return (
        change + _join(row, starts, group[one], one, key, count) + _join(row, starts, group[other], other, key, count)
    )


@nb.njit(cache=True, error_model="numpy")
def _leave(row, starts, group, place, key, count):
    change = 0
    for other in range(starts[group], starts[group + 1]):
        if other != place:
            pair = key[row[place], row[other]]
            count[pair] -= 1
            change -= count[pair]
    return change


@nb.njit(cache=True, error_model="numpy")
def _join(row, starts, group, place, key, count):
    change = 0
    for other in range(starts[group], starts[group + 1]):
        if other != place:
            pair = key[row[place], row[other]]
            change += count[pair]
            count[pair] += 1
    return change


@nb.njit(cache=True, error_model="numpy")
def _repeats(row, starts, group, place, key, count):
    """Whether the student in a place meets somebody of the group more than once."""
    for other in range(starts[group], starts[group + 1]):
        if other != place and count[key[row[place], row[other]]] > 1:
            return True
    return False


@nb.njit(cache=True, error_model="numpy")
def _draw(lots, below):
    """A whole number from 0, by splitmix64 (Steele, Lea and Flood 2014)."""
    return np.int64(_next(lots) % np.uint64(below))


@nb.njit(cache=True, error_model="numpy")
def _uniform(lots):
    return np.float64(_next(lots) >> np.uint64(11)) * 2.0**-53


@nb.njit(cache=True, error_model="numpy")
def _next(lots):
    lots[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = lots[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
