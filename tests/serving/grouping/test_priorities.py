"""What comes first when there is time for one group only, and who may sit together: days with an obvious right plan."""

from dataclasses import replace

import pytest

from serving.grouping.problem.people import Purpose
from serving.grouping.problem.policy import SessionType, SizeBound, SizeCurve
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

QUICK = Budget(rounds=300)


@pytest.fixture
def morning(team):
    """Six students, of whom three need fractions (.5) and three ratios (.4), and time for one group of three."""
    return replace(
        team,
        blocks=team.blocks[:1],
        students=tuple(replace(student, blocks=frozenset({"m1"})) for student in team.students),
        adults=tuple(replace(adult, blocks=frozenset({"m1"})) for adult in team.adults if adult.id != "new"),
        needs=tuple(
            replace(need, need=0.5 if need.skill == "fractions" else 0.4) for need in team.needs if need.need > 0.5
        ),
        sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 3),),
    )


@pytest.fixture
def pair(morning):
    """The same six, who all need fractions, with two adults for groups of three to six."""
    new = replace(morning.adults[1], id="new")
    return replace(
        morning,
        adults=(*morning.adults, new),
        needs=tuple(replace(need, skill="fractions", need=0.5) for need in morning.needs),
        sizes=(SizeBound(SessionType.SMALL_GROUP, 3, 6),),
    )


def groups(problem):
    """The students of each adult-led session, with its lead."""
    return {session.students: session.adults[0] for session in suggest_groups(problem, QUICK).sessions if session.led}


def test_the_greater_need_comes_first(morning):
    assert list(groups(morning)) == [("a", "b", "c")]


def test_an_urgent_need_comes_before_a_greater_one(morning):
    needs = tuple(replace(need, urgent=float(need.student == "d")) for need in morning.needs)

    assert list(groups(replace(morning, needs=needs))) == [("d", "e", "f")]


def test_who_is_due_for_time_with_an_adult_comes_before_a_greater_need(morning, swap):
    due = swap(morning.students, "f", adult_time_due=True)

    assert list(groups(replace(morning, students=due))) == [("d", "e", "f")]


def test_two_adults_share_a_group_that_one_could_lead(pair, swap):
    adults = swap(pair.adults, "new", session_types=frozenset(SessionType))

    assert sorted(map(len, groups(replace(pair, adults=adults)))) == [3, 3]


def test_a_session_grows_where_that_meets_more_and_not_where_it_meets_less(pair):
    """Where a fourth takes more from the three than it gets, three are better off alone."""
    steep = replace(pair, size_curve=SizeCurve(full=3, loss=1.0))

    assert list(map(len, groups(pair))) == [6]
    assert list(map(len, groups(steep))) == [3]


def test_students_of_different_aims_sit_in_different_sessions(pair, swap):
    needs = tuple(
        replace(need, purpose=Purpose.INTRODUCE if need.student in "ace" else Purpose.RETEACH) for need in pair.needs
    )
    adults = swap(pair.adults, "new", session_types=frozenset(SessionType))

    assert set(groups(replace(pair, needs=needs))) < {("a", "c", "e"), ("b", "d", "f")}
    assert set(groups(replace(pair, needs=needs, adults=adults))) == {("a", "c", "e"), ("b", "d", "f")}


def test_an_adult_never_leads_a_student_whom_the_adult_must_not_lead(pair, swap):
    adults = swap(pair.adults, "new", session_types=frozenset(SessionType))
    apart = replace(pair, adults=adults, adult_exclusions=(("a", "lead"), ("b", "new")))

    led = {student: lead for students, lead in groups(apart).items() for student in students}

    assert (led["a"], led["b"]) == ("new", "lead")


def test_a_block_has_sessions_on_its_own_skills_only(morning):
    ratios = tuple(replace(block, skills=frozenset({"ratios"})) for block in morning.blocks)

    assert list(groups(replace(morning, blocks=ratios))) == [("d", "e", "f")]
    assert groups(replace(morning, blocks=(replace(ratios[0], skills=frozenset()),))) == {}
