"""A team's day as a problem, and what students need on it."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from features.roster import Block, PastSession, PolicyLayer, Room, Rule, Skill, SkillMap, Staff, Team
from features.roster.records import ROLE_MAY_LEAD, WEEKDAYS
from serving.errors import RequestError
from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.policy import Weights
from serving.grouping.rules.check import find_violations
from serving.grouping.solve import suggest_groups
from serving.models.forecasts import SkillForecast
from serving.plans.need.needs import list_candidates
from serving.plans.problem import Absence, DayRequest, state_day
from serving.plans.rules.policy import load_policy

MONDAY = date(2026, 3, 16)
POLICY = load_policy().need
UNIT = dict.fromkeys(("add", "tell", "count"), 1.0)
SKILLS = SkillMap({"add": Skill("add", "Addition")}, {"carry": ("add",), "long": ("carry",)})


def staff(name, role):
    return Staff(name, "t", role, ROLE_MAY_LEAD[role])


def team(members=("a", "b", "c", "d"), adults=None, **more):
    adults = adults or (staff("lead", "teacher_leader"), staff("aide", "support_staff"))
    plain = {
        "rooms": (Room("hall", "t", 90), Room("nook", "t", 8)),
        "blocks": tuple(Block(f"mon-{hour}", "t", "mon", time(hour), time(hour, 45)) for hour in (9, 10)),
        "rules": (),
        "focus": {},
        "past_sessions": (),
    }
    return Team(team_id="t", school="s", name=None, members=tuple(members), staff=adults, **(plain | more))


def forecast(student, skill, status="learning", risk=0.5, mastery=0.5, *, recent=True):
    known = status != "thin_evidence"
    return SkillForecast(
        student, skill, 0, status, risk if known else None, mastery if known else None, 4, None, recent
    )


def candidates_of(the_team, forecasts, max_candidates=6):
    return list_candidates(the_team, SKILLS, forecasts, POLICY, max_candidates)


def state_problem(*given):
    return state_day(*given).problem


def test_a_day_without_school_is_refused_and_members_of_other_days_are_left_out():
    closed = PolicyLayer("t", roster={"no_school": [str(MONDAY)]})
    rule = Rule("1", "t", "keep_apart", ("a", "b"))
    the_team = team(policies=(closed,), dates={"b": (MONDAY + timedelta(7), None)}, rules=(rule,))

    with pytest.raises(RequestError, match="has no school on 2026-03-16") as refused:
        state_problem(the_team, SKILLS, DayRequest(MONDAY), [], load_policy())

    assert refused.value.rule == "no_school"
    open_team = replace(the_team, policies=()).on(MONDAY)
    problem = state_problem(open_team, SKILLS, DayRequest(MONDAY), candidates_of(open_team, []), load_policy())
    assert [student.id for student in problem.students] == ["a", "c", "d"]


def test_permanent_rules_absences_and_history_reach_the_problem():
    """Who is away is away, pairs are pairs, and past sessions count for groupmates and contacts."""
    the_team = team(
        rules=(
            Rule("1", "t", "keep_apart", ("a", "b")),
            Rule("2", "t", "unavailable", ("c",), block_id="mon-9"),
            Rule("3", "t", "pinned", ("d",), staff_id="lead"),
        ),
        past_sessions=(PastSession(date(2026, 3, 13), "t", "mon-9", "lead", "add", ("a", "d", "gone")),),
    )
    request = DayRequest(MONDAY, absences=(Absence(student="b"), Absence(staff="aide", blocks=("mon-10",))))

    problem = state_problem(the_team, SKILLS, request, candidates_of(the_team, [forecast("d", "add")]), load_policy())

    there = {student.id: sorted(student.blocks) for student in problem.students}
    assert there == {"a": ["mon-10", "mon-9"], "b": [], "c": ["mon-10"], "d": ["mon-10", "mon-9"]}
    assert {adult.id: len(adult.blocks) for adult in problem.adults} == {"lead": 2, "aide": 1}
    assert problem.keep_apart == (("a", "b"),)
    assert [(pin.student, pin.block, pin.adult) for pin in problem.pins] == [("d", "mon-9", "lead")]
    assert [(mate.first, mate.second, mate.sessions) for mate in problem.recent_groupmates] == [("a", "d", 1)]
    assert {(contact.student, contact.adult) for contact in problem.contacts} == {("a", "lead"), ("d", "lead")}


def test_a_role_of_the_schools_own_has_the_effects_that_planning_says():
    own = Staff("own", "t", "reading coach", ("tutoring",))

    problem = state_problem(team(adults=(own,)), SKILLS, DayRequest(MONDAY), [], load_policy())

    effects = {(each.session_type, each.role): each.effect for each in problem.effects}
    assert effects["tutoring", "reading coach"] == effects["tutoring", "support_staff"]


def test_a_skill_in_which_most_with_evidence_are_proficient_is_one_to_catch_up_on():
    """Three of five are; of those without evidence nobody knows."""
    known = [forecast(name, "add", "proficient", risk=0.0) for name in "abc"]
    known += [forecast("d", "add"), forecast("e", "add", "thin_evidence"), forecast("f", "add", "not_yet_proficient")]
    known += [forecast("a", "tell"), forecast("b", "tell", "proficient")]

    found = candidates_of(team(members="abcdef"), known)

    assert {each.need.student for each in found if each.need.skill == "add"} == set("abcdef")
    assert {each.need.skill: each.catch_up for each in found} == {"add": True, "tell": False}


def test_adult_time_is_due_for_whoever_met_no_adult_on_the_last_day_on_record():
    """Friday is the last. Who was absent then was not missed, and still has to be seen today."""

    def held(day, *students, by="lead"):
        return PastSession(date(2026, 3, day), "t", "mon-9", by, "add", students)

    def due(*past):
        problem = state_problem(team(members="abcd", past_sessions=past), SKILLS, DayRequest(MONDAY), [], load_policy())
        return {student.id for student in problem.students if student.adult_time_due}

    assert due(held(12, "c"), held(13, "a", "b"), held(16, "d")) == {"c", "d"}
    assert due(held(13, "a", "b"), held(13, "b", "c", by=None)) == {"c", "d"}
    assert due(held(12, "a"), held(13, "a", by=None)) == {"a", "b", "c", "d"}
    assert due() == set()
    assert due(PastSession(date(2026, 1, 13), "t", "mon-9", "lead", "add", ("a",))) == set()


def test_who_waited_for_a_seat_on_an_urgent_need_has_a_turn():
    """After five days without one: on the need that most others share; after ten it counts for twice as much."""
    known = [forecast(name, "add", "not_yet_proficient", risk=0.8) for name in "abd"]
    known += [forecast("d", "tell", "not_yet_proficient", risk=0.9), forecast("c", "tell", risk=0.2)]
    candidates = candidates_of(team(members="abcd", focus=UNIT), known)
    policy = replace(load_policy(), need=replace(POLICY, furthest_behind=0.0))

    def urgent(days, seated_on="add"):
        past = tuple(
            PastSession(MONDAY - timedelta(days=ago), "t", "mon-9", "lead", skill, students)
            for ago in range(1, days + 1)
            for skill, students in ((seated_on, ("a", "b")), ("count", ("c", "d")))
        )
        the_team = team(members="abcd", focus=UNIT, past_sessions=past)
        problem = state_problem(the_team, SKILLS, DayRequest(MONDAY), candidates, policy)
        return {(need.student, need.skill): need.urgent for need in problem.needs if need.urgent}

    usual = {("a", "add"): 1.0, ("b", "add"): 1.0, ("d", "add"): 1.0, ("d", "tell"): 1.0}
    assert urgent(0) == urgent(4) == usual
    assert urgent(5) == usual | {("d", "add"): 5.0}
    assert urgent(10) == usual | {("d", "add"): 9.0}
    assert urgent(5, seated_on="tell") == dict.fromkeys(usual, 5.0) | {("d", "tell"): 1.0}


def test_urgent_needs_count_more_for_whoever_is_furthest_behind():
    """Four times for the one with most of them, two and a half times for half as many; the lost one is .4 of that."""
    known = [forecast(name, skill, "not_yet_proficient", risk=0.8) for name, skill in (("a", "add"), ("b", "add"))]
    known += [forecast("a", "tell", "not_yet_proficient", risk=0.6), forecast("a", "count", "review_due", 0.1, 0.7)]
    known += [forecast("c", "count", "review_due", 0.1, 0.7), forecast("d", "tell", risk=0.4)]
    the_team = team(members="abcd", focus=UNIT)

    problem = state_problem(the_team, SKILLS, DayRequest(MONDAY), candidates_of(the_team, known), load_policy())

    urgent = {need.student + need.skill: need.urgent for need in problem.needs if need.urgent}
    assert urgent == {"aadd": 4.0, "atell": 4.0, "badd": 2.5, "acount": 1.6, "ccount": 0.4}


def test_needs_that_are_urgent_by_degrees_have_their_turn_too():
    """Where the team names no unit: each is .71 urgent after four attempts; who waited five days is first."""
    known = [forecast(name, "add", "not_yet_proficient", risk=0.8) for name in "ab"]
    past = tuple(PastSession(MONDAY - timedelta(days=ago), "t", "mon-9", "lead", "add", ("a",)) for ago in range(1, 6))
    the_team = team(members="ab", past_sessions=past)
    policy = replace(load_policy(), need=replace(POLICY, furthest_behind=0.0))

    problem = state_problem(the_team, SKILLS, DayRequest(MONDAY), candidates_of(the_team, known), policy)

    assert {need.student: need.urgent for need in problem.needs if need.skill == "add"} == {"a": 0.71, "b": 4.71}


def test_need_comes_before_new_faces():
    """Those who met every day for three weeks meet again where they need it; stronger weights keep them apart."""
    blocks, names = (Block("mon-9", "t", "mon", time(9), time(9, 45)),), "abcdef"
    adults = (Staff("lead", "t", "teacher_leader", ("small_group",)), Staff("aide", "t", "support_staff", ("online",)))
    past = tuple(
        PastSession(MONDAY - timedelta(days=ago), "t", "mon-9", "lead", "add", tuple(names)) for ago in range(1, 21)
    )
    the_team = team(names, adults, blocks=blocks, past_sessions=past)
    candidates = candidates_of(the_team, [forecast(name, "add", "not_yet_proficient", risk=0.8) for name in names])
    problem = state_problem(the_team, SKILLS, DayRequest(MONDAY), candidates, load_policy())

    met, before = (
        next(term.value for term in suggest_groups(day).score.terms if term.name == "benefit")
        for day in (problem, replace(problem, weights=Weights(repeat_groupmates=0.2), most_social_cost=1.0))
    )

    assert met > 1.2 * before


def test_a_teams_own_choices_decide_its_plan():
    """With one adult for all who work online, others can lead; groups are as large as the team wants."""
    blocks, names = (Block("mon-9", "t", "mon", time(9), time(9, 45)),), "abcdefghijkl"
    adults = (staff("lead", "teacher_leader"), staff("other", "collaborating_teacher"), staff("aide", "support_staff"))
    rooms = tuple(Room(name, "t", 30) for name in ("hall", "nook", "lab"))
    the_team = team(names, adults, blocks=blocks, rooms=rooms)
    candidates = candidates_of(the_team, [forecast(name, "add", "not_yet_proficient", risk=0.8) for name in names])

    def plan(**choices):
        request = DayRequest(MONDAY, policy=PolicyLayer("", choices))
        problem = state_problem(the_team, SKILLS, request, candidates, load_policy())
        return problem, [len(session.students) for session in suggest_groups(problem).sessions if session.led]

    small = {kind: {"least": 3, "most": 3, "tables": 1} for kind in ("small_group", "collaborative")}
    few, many = ({"students_per_monitor": number, "sizes": small} for number in (5, 30))

    assert (max(plan(**few)[1]), max(plan(**many)[1])) == (3, 3)
    assert max(plan()[1]) > 3
    assert sum(plan(**many)[1]) > sum(plan(**few)[1])
    assert plan(weights={"coverage": 0.7})[0].weights == replace(load_policy().weights, coverage=0.7)
    assert plan(weights={"benefit": 0.0, "urgent": 0.0, "coverage": 0.0, "relationships": 0.0})[1] == []
    assert plan()[0].students_per_monitor == 30


@pytest.mark.parametrize(
    ("weekdays", "asked"), [(["mon"], [2]), (["mon", "wed"], [1, 1]), (WEEKDAYS[:5], [0, 0, 1, 0, 1])]
)
def test_coaching_is_spread_over_the_teams_days_of_a_week(weekdays, asked):
    """Two sessions a week, whatever its days are; the coach is named in the roster."""
    blocks = tuple(Block(f"{day}-9", "t", day, time(9), time(9, 45)) for day in weekdays)
    adults = (staff("lead", "teacher_leader"), replace(staff("new", "teacher_in_training"), coach="lead"))
    the_team = team(adults=adults, blocks=blocks)
    days = [MONDAY + timedelta(days=WEEKDAYS.index(day)) for day in weekdays]

    problems = [state_problem(the_team, SKILLS, DayRequest(day), [], load_policy()) for day in days]

    assert [sum(pair.sessions for pair in problem.coaching) for problem in problems] == asked
    assert {(pair.coach, pair.trainee) for each in problems for pair in each.coaching} == {("lead", "new")}


def test_nobody_is_coached_by_who_is_away():
    """Without a block in which both are there, nothing is asked for."""
    adults = (staff("lead", "teacher_leader"), replace(staff("new", "teacher_in_training"), coach="lead"))
    request = DayRequest(MONDAY, absences=(Absence(staff="lead"),))

    assert state_problem(team(adults=adults), SKILLS, request, [], load_policy()).coaching == ()


def test_a_permanent_pin_gives_way_to_an_absence_and_a_pin_asked_for_does_not():
    """The permanent rule is for days on which the student is there; what is asked for today is told as a conflict."""
    pin = Rule("1", "t", "pinned", ("d",), block_id="mon-9")
    away = (Absence(student="d"),)

    permanent = state_problem(team(rules=(pin,)), SKILLS, DayRequest(MONDAY, away), [], load_policy())
    asked = state_problem(team(), SKILLS, DayRequest(MONDAY, away, (pin,)), [], load_policy())

    assert permanent.pins == ()
    with pytest.raises(InfeasibleError) as told:
        suggest_groups(asked)
    assert "pinned" in told.value.conflicts[0].rules


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        (DayRequest(date(2026, 3, 17)), "no_blocks"),
        (DayRequest(MONDAY, (Absence(student="z"),)), "unknown_student"),
        (DayRequest(MONDAY, (Absence(staff="z"),)), "unknown_staff"),
        (DayRequest(MONDAY, (Absence(staff="lead", blocks=("tue-1",)),)), "unknown_block"),
        (DayRequest(MONDAY, rules=(Rule("r", "t", "keep_apart", ("a", "z")),)), "unknown_student"),
    ],
)
def test_what_cannot_be_is_told_by_name(request_, rule):
    """Each mistake of a caller has a rule's name."""
    with pytest.raises(RequestError) as told:
        state_problem(team(), SKILLS, request_, [], load_policy())

    assert told.value.rule == rule


MEMBERS = [f"m{number}" for number in range(12)]


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(MEMBERS), unique=True, max_size=12),
    st.lists(st.sampled_from(sorted(ROLE_MAY_LEAD)), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(["add", "carry", "long"]), st.floats(0, 1))),
    st.lists(st.sampled_from(MEMBERS), max_size=4),
    st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(MEMBERS)), max_size=3),
)
def test_every_plan_of_a_random_day_keeps_every_rule(members, roles, known, absent, apart):
    """Absences, few adults, one student or none, no needs: a checked plan, or the rule that stands in the way."""
    the_team = team(members, tuple(staff(f"adult-{at}", role) for at, role in enumerate(roles)))
    forecasts = [
        forecast(who, skill, risk=risk) for who, skill, risk in {(w, s): (w, s, r) for w, s, r in known}.values()
    ]
    forecasts = [each for each in forecasts if each.student in members]
    request = DayRequest(
        MONDAY,
        tuple(Absence(student=each) for each in absent if each in members),
        tuple(
            Rule(f"r{at}", "t", "keep_apart", pair)
            for at, pair in enumerate(apart)
            if len(set(pair)) == 2 and set(pair) <= set(members)
        ),
    )
    problem = state_problem(the_team, SKILLS, request, candidates_of(the_team, forecasts), load_policy())

    try:
        sessions, conflicts = suggest_groups(problem).sessions, ()
    except InfeasibleError as error:
        sessions, conflicts = (), error.conflicts

    event("a plan" if sessions else "a conflict" if conflicts else "nobody there")
    assert conflicts or find_violations(problem, sessions) == ()
