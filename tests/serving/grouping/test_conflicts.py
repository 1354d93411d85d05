"""Each planted conflict is named by its rules, in a sentence with its figures."""

from dataclasses import replace

import pytest

from serving.grouping.conflicts import find_conflicts
from serving.grouping.errors import InfeasibleError
from serving.grouping.places import Pin
from serving.grouping.policy import Modality
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
    tutor = replace(team.adults[1], modalities=frozenset({Modality.TUTORING}))

    assert rules(replace(team, adults=(tutor,), rooms=None)) == [("monitors",), ("monitors",)]


def test_trainees_without_a_teacher_count_for_nothing(team):
    new = replace(team.adults[2], modalities=frozenset(Modality), coach=None)

    assert rules(replace(team, adults=(new,), rooms=None)) == [("monitors",), ("monitors",)]


def test_too_few_monitors_for_the_ratio(team):
    assert rules(replace(team, students_per_monitor=1, needs=())) == [("monitors",), ("monitors",)]


def test_no_room_and_too_small_a_room(team, swap):
    assert rules(replace(team, rooms=())) == [("rooms",), ("rooms",)]
    assert rules(replace(team, needs=(), rooms=(replace(team.rooms[0], capacity=5),))) == [("room_capacity",)] * 2


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        ((Pin("a", "m1", skill="fractions"), Pin("a", "m1", skill="ratios")), ("pinned", "one_session")),
        ((Pin("a", "m1", Modality.ONLINE), Pin("a", "m1")), ("pinned", "one_session")),
        ((Pin("a", "m1", skill="ratios"), Pin("a", "m2", skill="ratios")), ("pinned", "skill_once")),
        (
            (Pin("a", "m1", None, "fractions", "lead"), Pin("b", "m1", None, "ratios", "lead")),
            ("pinned", "one_activity"),
        ),
        ((Pin("a", "m1", adult="lead"), Pin("f", "m1", adult="lead")), ("keep_apart", "pinned")),
        ((Pin("c", "m1"),), ("pinned", "presence")),
        ((Pin("c", "m1", Modality.ONLINE),), ("pinned", "presence")),
        ((Pin("a", "m1", adult="late"),), ("pinned", "adult_available")),
        ((Pin("a", "m1", Modality.SMALL_GROUP, adult="help"),), ("pinned", "permission")),
        ((Pin("a", "m1", skill="algebra"),), ("pinned", "eligibility")),
        ((Pin("d", "m1", skill="algebra", adult="help"),), ("pinned", "qualified")),
        ((Pin("e", "m1", adult="help"),), ("pinned", "certified")),
        ((Pin("d", "m1", Modality.SMALL_GROUP, "algebra"),), ("pinned", "group_size")),
        (tuple(Pin(name, "m1", adult="help", modality=Modality.TUTORING) for name in "abd"), ("pinned", "group_size")),
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


def test_a_pin_to_catch_up_beyond_the_cap(team, swap):
    needs = tuple(replace(need, catch_up=True) for need in team.needs)
    capped = replace(team, needs=needs, students=swap(team.students, "a", catch_up_days=3), most_catch_up_days=3)

    assert rules(replace(capped, pins=(Pin("a", "m1"), Pin("b", "m1")))) == [("pinned", "catch_up_days")]


def test_no_text_of_an_error_holds_a_students_id(team):
    students = tuple(replace(student, id=f"zoe-{student.id}") for student in team.students)
    needs = tuple(replace(need, student=f"zoe-{need.student}") for need in team.needs)
    pins = (Pin("zoe-a", "m1", skill="ratios"), Pin("zoe-a", "m2", skill="ratios"), Pin("zoe-b", "m1", adult="help"))

    with pytest.raises(InfeasibleError) as caught:
        suggest_groups(replace(team, students=students, needs=needs, pins=(*pins, Pin("zoe-b", "m1", adult="lead"))))

    assert {student for conflict in caught.value.conflicts for student in conflict.students} == {"zoe-a", "zoe-b"}
    assert "zoe" not in f"{caught.value!r} {caught.value.conflicts} {caught.value.sentence}"
