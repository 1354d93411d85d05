"""One test per hard rule: a plan that keeps all rules is changed until it breaks exactly that one."""

from dataclasses import replace

import pytest

from serving.grouping.problem.people import Coaching, Purpose
from serving.grouping.problem.places import Pin
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType, SizeBound
from serving.grouping.rules.check import RULES, find_violations


def broken(problem, sessions):
    return {violation.rule for violation in find_violations(problem, sessions)}


def test_a_good_plan_breaks_no_rule(team, sessions):
    assert find_violations(team, sessions) == ()


def test_every_rule_has_a_sentence_and_a_test():
    names = {rule.__name__ for rule in RULES}

    assert all((rule.__doc__ or "").strip().endswith(".") for rule in RULES)
    assert names <= {name.removeprefix("test_").split("__")[0] for name in globals()}


@pytest.mark.parametrize("students", [("a", "b"), ("a", "b", "c", "c")])
def test_one_session__missing_or_twice(team, sessions, swap, students):
    assert broken(team, swap(sessions, "o2", students=students)) == {"one_session"}


def test_presence__an_absent_student_is_seated(team, sessions, swap):
    absent = replace(team, students=swap(team.students, "d", blocks=frozenset({"m2"})))

    assert broken(absent, sessions) == {"presence"}


def test_one_activity__leads_and_monitors_at_once(team, sessions, swap):
    assert broken(team, swap(sessions, "o1", adults=("lead",))) == {"one_activity"}


def test_skill_once__the_same_skill_twice_a_day(team, sessions, swap):
    again = swap(sessions, "g2", skill="fractions", students=("a", "b", "c"))

    assert broken(team, swap(again, "o2", students=("d", "e", "f"))) == {"skill_once"}


def test_group_size__too_few(team, sessions, swap):
    smaller = swap(sessions, "g1", students=("a", "b"))

    assert broken(team, swap(smaller, "o1", students=("c", "d", "e", "f"))) == {"group_size"}


def test_group_size__more_than_the_adult_teaches(team, sessions, swap):
    assert broken(replace(team, adults=swap(team.adults, "lead", max_group=2)), sessions) == {"group_size"}


def test_group_size__more_than_the_adult_teaches_at_tables(team, sessions, swap):
    tables = swap(sessions, "g1", session_type=SessionType.COLLABORATIVE)
    plan = swap(swap(tables, "g1", students=("a", "b", "c", "d")), "o1", students=("e", "f"))

    assert broken(team, plan) == set()
    assert broken(replace(team, adults=swap(team.adults, "lead", max_group=3)), plan) == {"group_size"}


def test_group_size__a_kind_that_is_not_offered(team, sessions):
    assert broken(replace(team, sizes=()), sessions) == {"group_size"}


@pytest.mark.parametrize(("count", "fits"), [(3, False), (4, True), (6, True), (7, False), (8, True), (9, True)])
def test_group_size__tables_leave_gaps(team, sessions, count, fits):
    names = "abcdefghi"[:count]
    students = tuple(replace(team.students[0], id=name) for name in names)
    needs = tuple(replace(team.needs[0], student=name) for name in names)
    sizes = (SizeBound(SessionType.COLLABORATIVE, 4, 6, tables=3),)
    tables = replace(team, students=students, needs=needs, sizes=sizes)
    plan = (
        Session("t1", "m1", SessionType.COLLABORATIVE, needs[0].skill, ("help",), "big", tuple(names)),
        Session("o2", "m2", SessionType.ONLINE, None, ("lead",), "big", tuple(names)),
    )

    assert broken(tables, plan) == (set() if fits else {"group_size"})


def test_permission__support_staff_leads_a_small_group(team, sessions, swap):
    assert broken(team, swap(swap(sessions, "g1", adults=("help",)), "o1", adults=("lead",))) == {"permission"}


def test_permission__a_co_teacher_needs_none(team, sessions, swap):
    coached = replace(team, coaching=(Coaching("help", "lead", 1),))
    watched = swap(swap(sessions, "g1", adults=("lead", "help")), "o1", adults=("new",))
    monitor = replace(coached, adults=swap(team.adults, "new", session_types=frozenset(SessionType)))

    assert broken(monitor, watched) == set()


def test_growth_stage__more_students_than_signed(team, sessions, swap):
    staged = replace(team, adults=swap(team.adults, "lead", stage_most=2))

    assert broken(staged, sessions) == {"growth_stage", "group_size"}


def test_growth_stage__leads_and_supervises_before_any_stage(team, sessions, swap):
    for adult in ("lead", "help"):
        staged = replace(team, adults=swap(team.adults, adult, stage_most=0))

        assert broken(staged, sessions) == {"growth_stage", "permission"}


def test_co_teaching__only_who_coaches_or_learns(team, sessions, swap):
    both = swap(sessions, "g2", adults=("new", "help"))

    assert broken(team, both) == {"co_teaching"}
    assert broken(replace(team, coaching=(Coaching("help", "lead", 1),)), both) == {"co_teaching"}
    assert broken(replace(team, coaching=(Coaching("help", "new", 0),)), both) == {"co_teaching"}
    assert broken(replace(team, coaching=(Coaching("new", "help", 1),)), both) == set()


def test_supervision__a_teacher_who_co_teaches_is_on_duty(team, sessions, swap):
    coached = replace(team, coaching=(Coaching("lead", "new", 1),))
    both = swap(swap(sessions, "g2", adults=("new", "lead")), "o2", adults=("help",))

    assert broken(coached, both) == set()


def test_supervision__a_trainee_without_a_teacher_on_duty(team, sessions, swap):
    assert broken(team, swap(sessions, "o2", adults=("help",))) == {"supervision"}


def test_supervision__is_asked_of_whoever_is_in_training_and_given_by_whoever_supervises(team, sessions, swap):
    learning = replace(team, adults=swap(team.adults, "lead", supervises=False))
    helped = replace(learning, adults=swap(learning.adults, "help", supervises=True))
    taught = replace(learning, adults=swap(learning.adults, "new", in_training=False))

    assert broken(learning, sessions) == {"supervision"}
    assert broken(helped, sessions) == {"supervision"}
    assert broken(helped, swap(sessions, "o2", adults=("help",))) == set()
    assert broken(taught, sessions) == set()


def test_monitors__too_many_online_for_one_adult(team, sessions):
    assert broken(replace(team, students_per_monitor=2), sessions) == {"monitors"}


def test_monitors__nobody_supervises(team, sessions, swap):
    assert broken(team, swap(sessions, "o1", adults=())) == {"monitors"}


def test_monitors__one_adult_named_twice_is_one(team, sessions, swap):
    twice = swap(sessions, "o1", adults=("help", "help"))

    assert "monitors" in broken(replace(team, students_per_monitor=2), twice)


@pytest.mark.parametrize("room", [None, "big"])
def test_rooms__none_or_taken(team, sessions, swap, room):
    assert broken(team, swap(sessions, "g1", room=room)) == {"rooms"}


def test_rooms__not_free_then(team, sessions, swap):
    assert broken(replace(team, rooms=swap(team.rooms, "one", blocks=frozenset({"m1"}))), sessions) == {"rooms"}


def test_rooms__kept_for_online_work(team, sessions, swap):
    assert broken(replace(team, rooms=swap(team.rooms, "one", station=True)), sessions) == {"rooms"}


def test_monitors__every_room_for_online_work_has_its_own(team, sessions, swap):
    split = swap(sessions, "o1", students=("d", "e"))
    second = Session("o3", "m1", SessionType.ONLINE, None, ("new",), "two", ("f",))
    may = replace(team, adults=swap(team.adults, "new", session_types=frozenset(SessionType)))

    assert broken(may, (*split, second)) == set()
    assert broken(may, (*split, replace(second, adults=()))) == {"monitors"}
    assert broken(may, (*split, replace(second, room="big"))) == {"rooms"}
    assert broken(may, (*split, replace(second, students=("e", "f")))) == {"one_session"}


def test_rooms__are_nobodys_business_where_the_team_plans_none(team, sessions):
    roomless = tuple(replace(session, room=None) for session in sessions)

    assert broken(replace(team, rooms=None), roomless) == set()


def test_room_capacity__too_small(team, sessions, swap):
    assert broken(replace(team, rooms=swap(team.rooms, "one", capacity=2)), sessions) == {"room_capacity"}


def test_adult_available__not_there(team, sessions, swap):
    away = replace(team, adults=swap(team.adults, "help", blocks=frozenset({"m2"})))

    assert broken(away, sessions) == {"adult_available"}


def test_keep_apart__share_a_group(team, sessions):
    assert broken(replace(team, keep_apart=(("b", "a"),)), sessions) == {"keep_apart"}


def test_keep_apart__may_share_online_work(team, sessions, swap):
    apart = replace(team, keep_apart=(("c", "d"),))

    assert broken(apart, sessions) == set()


@pytest.mark.parametrize(
    ("pin", "kept"),
    [
        (Pin("a", "m1"), True),
        (Pin("a", "m1", SessionType.SMALL_GROUP, "fractions", "lead"), True),
        (Pin("a", "m2", SessionType.ONLINE), True),
        (Pin("a", "m2"), False),
        (Pin("a", "m1", SessionType.ONLINE), False),
        (Pin("a", "m1", SessionType.TUTORING), False),
        (Pin("a", "m1", skill="ratios"), False),
        (Pin("a", "m1", adult="help"), False),
        (Pin("a", "m2", adult="lead"), False),
    ],
)
def test_pinned__sits_as_asked(team, sessions, pin, kept):
    assert broken(replace(team, pins=(pin,)), sessions) == (set() if kept else {"pinned"})


def test_certified__no_certified_adult_leads(team, sessions, swap):
    needs = replace(team, students=swap(team.students, "a", needs_certified=True))

    assert broken(needs, sessions) == {"certified"}
    assert broken(replace(needs, adults=swap(team.adults, "lead", certified=True)), sessions) == set()


def test_eligibility__the_skill_is_no_need(team, sessions):
    fewer = tuple(need for need in team.needs if (need.student, need.skill) != ("a", "fractions"))

    assert broken(replace(team, needs=fewer), sessions) == {"eligibility"}


def test_adult_exclusions__the_lead_must_not_lead_the_student(team, sessions):
    assert broken(replace(team, adult_exclusions=(("a", "lead"),)), sessions) == {"adult_exclusions"}
    assert broken(replace(team, adult_exclusions=(("d", "lead"), ("d", "help"))), sessions) == set()  # online with both


def test_one_aim__a_skill_is_introduced_to_one_and_retaught_to_another(team, sessions):
    needs = tuple(
        replace(need, purpose=Purpose.INTRODUCE if need.student == "a" else Purpose.RETEACH) for need in team.needs
    )
    alike = tuple(replace(need, purpose=None if need.student == "a" else Purpose.REVIEW) for need in team.needs)

    assert broken(replace(team, needs=needs), sessions) == {"one_aim"}
    assert broken(replace(team, needs=alike), sessions) == set()


def test_block_skills__another_subject_is_taught_then(team, sessions):
    taught = tuple(replace(block, skills=frozenset({"fractions"})) for block in team.blocks)

    assert broken(replace(team, blocks=taught[:1] + team.blocks[1:]), sessions) == set()
    assert broken(replace(team, blocks=team.blocks[:1] + taught[1:]), sessions) == {"block_skills"}


def test_qualified__not_in_this_skill(team, sessions, swap):
    assert broken(replace(team, adults=swap(team.adults, "lead", skills={"ratios": 1.0})), sessions) == {"qualified"}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "g1"},
        {"block": "m9"},
        {"skill": "algebra"},
        {"adults": ("nobody",)},
        {"room": "cellar"},
        {"students": ("d", "e", "z")},
        {"students": ()},
        {"skill": None},
        {"adults": ()},
        {"session_type": SessionType.ONLINE},
    ],
)
def test_form__unknown_or_missing_parts(team, sessions, swap, change):
    assert broken(team, swap(sessions, "g2", **change)) == {"form"}


def test_size_bounds_of_one_table_are_plain(team, sessions):
    wider = replace(team, sizes=(SizeBound(SessionType.SMALL_GROUP, 1, 3),))

    assert broken(wider, sessions) == set()
