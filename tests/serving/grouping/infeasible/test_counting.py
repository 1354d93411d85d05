"""Each injected conflict is named by its rules, in a sentence with its figures."""

from dataclasses import replace

import pytest

from serving.grouping.errors import InfeasibleError
from serving.grouping.infeasible.counting import find_conflicts
from serving.grouping.problem.people import Purpose
from serving.grouping.problem.places import Pin
from serving.grouping.problem.policy import SessionType
from serving.grouping.solve import suggest_groups


def rules(problem):
    return [conflict.rules for conflict in find_conflicts(problem)]


def test_a_possible_day_has_no_conflict(team):
    assert find_conflicts(team) == ()


def test_no_adults_at_all(team):
    with pytest.raises(InfeasibleError) as caught:
        suggest_groups(replace(team, adults=(), rooms=None))

    assert caught.value.rule == "monitors"
    assert caught.value.proven
    assert "09:00-09:45 has 6 students" in caught.value.sentence


def test_nobody_who_may_monitor_or_lead_enough(team, swap):
    tutor = replace(team.adults[1], session_types=frozenset({SessionType.TUTORING}))

    assert rules(replace(team, adults=(tutor,), rooms=None)) == [("monitors",), ("monitors",)]


def test_trainees_without_a_teacher_are_named_where_with_one_they_would_do(team):
    new = replace(team.adults[2], session_types=frozenset(SessionType), coach=None)

    assert rules(replace(team, adults=(new,), rooms=None)) == [("supervision", "monitors")] * 2
    assert rules(replace(team, adults=(new,), rooms=None, students_per_monitor=1, needs=())) == [("monitors",)] * 2


def test_too_few_monitors_for_the_ratio(team):
    assert rules(replace(team, students_per_monitor=1, needs=())) == [("monitors",), ("monitors",)]


def test_no_room_and_too_small_a_room(team, swap):
    assert rules(replace(team, rooms=())) == [("rooms",), ("rooms",)]
    assert (
        rules(replace(team, needs=(), rooms=(replace(team.rooms[0], capacity=5),))) == [("room_capacity", "rooms")] * 2
    )
    tiny = tuple(replace(room, capacity=1) for room in team.rooms)
    assert rules(replace(team, needs=(), rooms=tiny)) == [("room_capacity",)] * 2


def test_pins_to_one_kind_leave_too_few_to_supervise_the_others(team):
    pins = tuple(Pin(student, "m1", SessionType.TUTORING) for student in "abcde")
    needs = tuple(need for need in team.needs if need.student != "f")

    assert rules(replace(team, needs=needs, pins=pins)) == [("pinned", "group_size", "monitors")]


def test_two_who_must_not_meet_are_pinned_to_a_skill_that_one_adult_leads(team, swap):
    adults = swap(swap(team.adults, "help", skills={"ratios": 1.0}), "new", skills={"ratios": 1.0})
    pins = (Pin("a", "m1", skill="fractions"), Pin("b", "m1", skill="fractions"))

    assert rules(replace(team, adults=adults, keep_apart=(("a", "b"),), pins=pins)) == [("keep_apart", "pinned")]


def test_more_adult_led_places_than_needs_and_more_accommodations_than_certified_places(team, swap):
    once = tuple(need for need in team.needs if (need.student, need.skill) != ("a", "ratios"))
    needing = tuple(replace(student, needs_certified=True) for student in team.students)
    certified = swap(team.adults, "help", certified=True)

    assert rules(replace(team, needs=once, pins=(Pin("a", "m1"), Pin("a", "m2")))) == [("pinned", "skill_once")]
    crowd = tuple(Pin(student, "m1", SessionType.TUTORING) for student in "abc")
    tutoring = tuple(bound for bound in team.sizes if bound.session_type is SessionType.TUTORING)
    problem = replace(team, students=needing, adults=certified, sizes=tutoring, pins=crowd)
    assert ("pinned", "certified") in rules(problem)


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        ((Pin("a", "m1", skill="fractions"), Pin("a", "m1", skill="ratios")), ("pinned", "one_session")),
        ((Pin("a", "m1", SessionType.ONLINE), Pin("a", "m1")), ("pinned", "one_session")),
        ((Pin("a", "m1", skill="ratios"), Pin("a", "m2", skill="ratios")), ("pinned", "skill_once")),
        (
            (Pin("a", "m1", None, "fractions", "lead"), Pin("b", "m1", None, "ratios", "lead")),
            ("pinned", "one_activity"),
        ),
        ((Pin("a", "m1", adult="lead"), Pin("f", "m1", adult="lead")), ("keep_apart", "pinned")),
        ((Pin("c", "m1"),), ("pinned", "presence")),
        ((Pin("c", "m1", SessionType.ONLINE),), ("pinned", "presence")),
        ((Pin("a", "m1", adult="late"),), ("pinned", "adult_available")),
        ((Pin("a", "m1", SessionType.SMALL_GROUP, adult="help"),), ("pinned", "permission")),
        ((Pin("a", "m1", skill="algebra"),), ("pinned", "eligibility")),
        ((Pin("d", "m1", skill="algebra", adult="help"),), ("pinned", "qualified")),
        ((Pin("e", "m1", adult="help"),), ("pinned", "certified")),
        ((Pin("d", "m1", SessionType.SMALL_GROUP, "algebra"),), ("pinned", "group_size")),
        (
            tuple(Pin(name, "m1", adult="help", session_type=SessionType.TUTORING) for name in "abd"),
            ("pinned", "group_size"),
        ),
    ],
)
def test_pins_that_cannot_be_kept(team, swap, pins, expected):
    students = swap(team.students, "c", blocks=frozenset({"m2"}))
    students = swap(students, "e", needs_certified=True)
    adults = (
        *swap(swap(team.adults, "lead", certified=True), "help", skills={"fractions": 1.0, "ratios": 1.0}),
        replace(team.adults[1], id="late", blocks=frozenset({"m2"})),
    )
    problem = replace(
        team,
        students=students,
        adults=adults,
        skills=(*team.skills, replace(team.skills[0], id="algebra")),
        needs=(*team.needs, replace(team.needs[-1], student="d", skill="algebra")),
        keep_apart=(("a", "f"),),
        pins=pins,
    )

    with pytest.raises(InfeasibleError) as caught:
        suggest_groups(problem)

    assert expected in [conflict.rules for conflict in caught.value.conflicts]
    assert all(conflict.proven for conflict in caught.value.conflicts)
    assert all(conflict.students for conflict in caught.value.conflicts if "pinned" in conflict.rules)


def test_a_pin_to_an_adult_who_must_not_lead_the_student(team):
    apart = replace(team, adult_exclusions=(("a", "lead"),), pins=(Pin("a", "m1", adult="lead"),))

    assert rules(apart) == [("pinned", "adult_exclusions")]
    assert rules(replace(apart, pins=(Pin("a", "m1", adult="new"),))) == []


def test_a_pin_to_a_skill_that_is_not_taught_in_the_block(team):
    blocks = (replace(team.blocks[0], skills=frozenset({"ratios"})), team.blocks[1])
    pinned = replace(team, blocks=blocks, pins=(Pin("a", "m1", skill="fractions"),))

    assert rules(pinned) == [("pinned", "block_skills")]
    assert rules(replace(pinned, pins=(Pin("a", "m2", skill="fractions"),))) == []


def test_a_pin_to_a_skill_that_too_few_need_for_the_same_aim(team):
    """Six need fractions, and only two of them to have it introduced."""
    new = tuple(
        replace(need, purpose=Purpose.INTRODUCE) if need.skill == "fractions" and need.student in "ab" else need
        for need in team.needs
    )
    pin = Pin("a", "m1", SessionType.SMALL_GROUP, "fractions")

    assert rules(replace(team, needs=new, pins=(pin,))) == [("pinned", "one_aim")]
    assert rules(replace(team, needs=new, pins=(replace(pin, session_type=SessionType.TUTORING),))) == []


def test_two_pins_to_one_session_for_two_aims(team):
    new = tuple(replace(need, purpose=Purpose.EXTEND) if need.student in "abc" else need for need in team.needs)
    pins = tuple(Pin(student, "m1", skill="fractions", adult="lead") for student in "ad")

    assert rules(replace(team, needs=new, pins=pins)) == [("pinned", "one_aim")]
    assert rules(replace(team, needs=new, pins=(pins[0], replace(pins[0], student="b")))) == []
