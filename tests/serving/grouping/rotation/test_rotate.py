"""Rotation: groups over rounds, judged by counting who meets whom."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.grouping.errors import ProblemError
from serving.grouping.rotation.designs import cycles, field_rounds
from serving.grouping.rotation.rotate import even_sizes, rotate_groups
from serving.grouping.rotation.swaps import count_meetings, improve_rounds


def meetings(rounds):
    return Counter(frozenset(pair) for groups in rounds for group in groups for pair in combinations(group, 2))


@st.composite
def requests(draw):
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    students = [f"s{at}" for at in range(sum(sizes))]
    pairs = list(combinations(students, 2))
    met = draw(st.dictionaries(st.sampled_from(pairs), st.integers(0, 3), max_size=6))
    apart = [pairs[0]] if draw(st.booleans()) else []
    return students, sizes, draw(st.integers(1, 5)), met, apart


@settings(max_examples=60, deadline=None)
@given(requests())
def test_each_round_seats_every_student_once_and_repeats_are_counted_right(request):
    students, sizes, rounds, met, apart = request

    rotation = rotate_groups(students, sizes, rounds, met=met, apart=apart, swaps=1)

    known = Counter({frozenset(pair): times for pair, times in met.items()})
    new = meetings(rotation.rounds)
    again = sum(sum(range(known[pair], known[pair] + times)) for pair, times in new.items())
    assert [[len(group) for group in groups] for groups in rotation.rounds] == [sizes] * rounds
    assert all(sorted(sum(groups, ())) == sorted(students) for groups in rotation.rounds)
    assert rotation.repeats == again
    assert not any(new[frozenset(pair)] for pair in apart)


@pytest.mark.parametrize(("groups", "size", "rounds"), [(5, 3, 7), (8, 5, 6), (15, 4, 14), (8, 4, 9), (9, 3, 12)])
def test_golfers_who_need_not_meet_twice_do_not(groups, size, rounds):
    students = [str(at) for at in range(groups * size)]

    rotation = rotate_groups(students, [size] * groups, rounds)

    assert max(meetings(rotation.rounds).values()) == 1


def test_swaps_never_leave_worse_rounds_than_they_began_with():
    start = np.array([np.arange(12)] * 4)
    starts, key = np.array([0, 4, 8, 12]), np.add.outer(np.arange(12), 12 * np.arange(12))
    key = np.minimum(key, key.T)
    count = np.zeros(144, np.int64)
    cost = np.full(2, count_meetings(start, starts, key, count))
    best, first = start.copy(), int(cost[1])

    improve_rounds(start.copy(), starts, key, count, np.array([1], np.uint64), 2000, 1.0, 0.1, best, cost)

    assert cost[1] < first
    assert count_meetings(best, starts, key, np.zeros(144, np.int64)) == cost[1]


@pytest.mark.parametrize("order", [2, 3, 4, 5, 7, 8, 9])
def test_a_field_lets_no_two_meet_twice(order):
    rounds = field_rounds(order, min(4, order))

    groups = [row.reshape(order, -1).tolist() for row in rounds]
    assert max(meetings(groups).values()) == 1
    assert len(rounds) >= order


def test_six_and_ten_have_no_field():
    assert field_rounds(6, 3) is None
    assert field_rounds(10, 3) is None


@pytest.mark.parametrize(("students", "groups", "rounds"), [(15, 5, 7), (30, 10, 13), (12, 4, 4)])
def test_pairs_of_a_class_meet_equally_often_over_all_turns(students, groups, rounds):
    size = students // groups
    base = np.random.default_rng(1).permutation(students)

    for cycle in cycles(students, groups, rounds, most=3):
        key, _ = cycle.keys()
        met = meetings(row.reshape(groups, size).tolist() for row in cycle.develop(base))
        by_class = {}
        for one, other in combinations(range(students), 2):
            by_class.setdefault(int(key[one, other]), set()).add(met[frozenset((one, other))])
        assert all(len(times) == 1 for times in by_class.values())


def test_the_same_request_gives_the_same_groups():
    students = [str(at) for at in range(14)]

    once, again = (rotate_groups(students, even_sizes(14, 4), 6, swaps=1000) for _ in range(2))

    assert once == again


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sizes": [2, 1]}, "sizes: "),
        ({"rounds": 0}, "rounds: 0"),
        ({"met": {("a", "x"): 1}}, r"met\[0\]\[1\]"),
        ({"apart": [("a", "a")]}, r"apart\[0\]"),
        ({"apart": list(combinations("abcd", 2))}, "6 pairs"),
    ],
)
def test_what_cannot_be_is_named(changes, told):
    request = {"students": list("abcd"), "sizes": [2, 2], "rounds": 2, "swaps": 1}

    with pytest.raises(ProblemError, match=told):
        rotate_groups(**(request | changes))
