"""Who comes late to a day that is planned already."""

from dataclasses import replace
from pathlib import Path

import pytest

from serving import formats
from serving.errors import RequestError
from serving.formats import read_instance
from serving.grouping.solve import suggest_groups
from serving.plans.latecomer import add_student


@pytest.fixture(scope="module")
def problem():
    return read_instance(Path(formats.__file__).with_name("day.example.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def without_ada(problem):
    students = tuple(replace(s, blocks=frozenset()) if s.id == "Ada" else s for s in problem.students)
    return replace(problem, students=students)


@pytest.fixture(scope="module")
def sessions(without_ada):
    return suggest_groups(without_ada).sessions


def nobody_asks():
    raise AssertionError("the plan knows the student")


def test_who_was_away_is_there_with_the_needs_of_the_plan(problem, without_ada, sessions):
    late = add_student(without_ada, sessions, "Ada", None, nobody_asks)

    assert (late.blocks, late.needs_from) == (("m1", "m2"), "plan")
    assert late.problem == problem


def test_who_was_there_is_asked_about_in_the_blocks_given(problem, sessions):
    late = add_student(problem, sessions, "Cleo", ["m2"], nobody_asks)

    assert (late.blocks, late.problem) == (("m2",), problem)
    with pytest.raises(RequestError, match=r"block_ids\[1\]: block 'm9' is not one of m1, m2"):
        add_student(problem, sessions, "Cleo", ["m1", "m9"], nobody_asks)
