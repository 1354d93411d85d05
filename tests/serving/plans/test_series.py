"""Series: when they are due, whom they take where, and how they give way."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from features.roster import Block, PastSession, Rule, Series, SkillMap, Staff
from features.roster.records import ROLE_MAY_LEAD, WEEKDAYS
from serving.grouping import InfeasibleError, Need, Purpose, SessionType, find_violations, suggest_groups
from serving.models.forecasts import SkillForecast
from serving.plans.cycles.series import Unit, find_due, hold_series, plan_with_series
from serving.plans.need.needs import Candidate
from serving.plans.problem import Absence, DayRequest, state_day
from serving.plans.rules.policy import load_policy
from tests.serving.plans.test_problem import team as make_team

MONDAY = date(2026, 3, 16)
BLOCKS = tuple(Block(f"{day}-{hour}", "t", day, time(hour), time(hour, 45)) for day in WEEKDAYS[:5] for hour in (9, 10))
TUTOR = Staff("tutor", "t", "support_staff", ROLE_MAY_LEAD["support_staff"])
LEAD = Staff("lead", "t", "teacher_leader", ROLE_MAY_LEAD["teacher_leader"])
PAIR = Series("pair", "t", ("a", "b"), "tutor", ("add", "carry"), date(2026, 3, 9), date(2026, 5, 29))
KNOWN = Unit({}, 0.02, {"add": "Addition"})


def team(**more):
    return make_team("abcdef", (LEAD, TUTOR), **({"blocks": BLOCKS} | more))


def need(student, skill, points=0.4, purpose=Purpose.RETEACH):
    return Candidate(Need(student, skill, points, struggle_risk=points, purpose=purpose), None)


NEEDS = [need("a", "add"), need("b", "carry"), need("a", "carry", 0.2), *(need(name, "add") for name in "cdef")]


def state(the_team=None, needs=NEEDS, **request):
    the_team = team() if the_team is None else the_team
    return state_day(the_team, SkillMap({}, {}), DayRequest(MONDAY, **request), needs, load_policy()).problem


def proficient(student, skill):
    return SkillForecast(student, skill, 0, "proficient", 0.0, 0.9, 9, None, True)


def held_on(*days, students=("a", "b"), adult="tutor", skill="add"):
    """Past sessions of the week of MONDAY, counted from its days."""
    return tuple(
        PastSession(MONDAY + timedelta(days=day), "t", f"{WEEKDAYS[day]}-9", adult, skill, students) for day in days
    )


def days_held(series, miss=()):
    """The days of a week on which a series is due, if it is held on each but those missed."""
    past = []
    for day in range(7):
        due, _ = find_due([series], team(past_sessions=held_on(*past)), MONDAY + timedelta(days=day), KNOWN)
        past += [day] if due and day not in miss else []
    return past


@pytest.mark.parametrize(
    ("change", "miss", "expected"),
    [
        ({}, (), [0, 1, 2, 3, 4]),
        ({"sessions_per_week": 3}, (), [0, 2, 4]),
        ({"sessions_per_week": 2}, (), [1, 3]),
        ({"sessions_per_week": 3}, (0,), [1, 2, 4]),
        ({"sessions_per_week": 3}, (0, 1, 2), [3, 4]),
        ({"minutes_per_week": 90}, (), [1, 3]),
        ({"weekdays": ("mon", "thu")}, (), [0, 3]),
        ({"block_ids": ("tue-9", "fri-10")}, (), [1, 4]),
        ({"block_ids": ("tue-9", "wed-9", "fri-10"), "sessions_per_week": 2}, (), [1, 4]),
        ({"until": MONDAY + timedelta(days=1)}, (), [0, 1]),
        ({"from_date": MONDAY + timedelta(days=3)}, (), [3, 4]),
    ],
)
def test_a_dose_is_spread_over_the_week_and_made_up_for(change, miss, expected):
    assert days_held(replace(PAIR, **change), miss) == expected


def test_only_sessions_of_the_series_itself_count_for_its_dose():
    """With its adult, on its unit, with half of its students at least, in the same week."""
    once = replace(PAIR, sessions_per_week=1, students=("a", "b", "c"))
    friday = MONDAY + timedelta(days=4)

    def is_due(*past):
        return bool(find_due([once], team(past_sessions=tuple(past)), friday, KNOWN)[0])

    assert not is_due(*held_on(0))
    assert is_due(*held_on(0, students=("a", "e")))
    assert is_due(*held_on(0, adult="lead"))
    assert is_due(*held_on(0, skill="tell"))
    assert is_due(*(replace(past, date=past.date - timedelta(days=7)) for past in held_on(0)))


def test_who_is_proficient_in_the_whole_unit_leaves_a_series_until_then():
    """One with a last day stays as it is; one that everybody left says that it is over."""
    of_a = {("a", skill): proficient("a", skill) for skill in PAIR.skills}
    of_b = {("b", "add"): proficient("b", "add")}
    open_end, known = replace(PAIR, until=None), Unit(of_a | of_b, 0.02, {})

    left, _ = find_due([open_end], team(), MONDAY, known)
    dated, _ = find_due([PAIR], team(), MONDAY, known)
    nobody, notes = find_due([replace(open_end, students=("a",))], team(), MONDAY, known)

    assert [series.students for series in left] == [("b",)]
    assert dated == (PAIR,)
    assert nobody == ()
    assert [(note.series_id, "it is over" in note.sentence) for note in notes] == [("pair", True)]


def test_a_series_of_a_request_takes_the_place_of_the_rosters():
    other = replace(PAIR, students=("c",))

    assert find_due([PAIR, other], team(), MONDAY, KNOWN)[0] == (other,)


def test_a_series_takes_the_skill_that_most_need_and_whoever_has_no_need_gets_one():
    day = hold_series(state(), [PAIR], KNOWN)

    group = day.held["pair"]
    needs = {(each.student, each.skill): each for each in day.problem.needs}
    assert (group.block, group.skill, group.session_type) == ("mon-9", "carry", SessionType.TUTORING)
    assert {(pin.student, pin.skill, pin.adult) for pin in day.problem.pins} == {
        ("a", "carry", "tutor"), ("b", "carry", "tutor"),
    }  # fmt: skip
    assert needs["a", "carry"].need == 0.2
    third = replace(PAIR, students=("a", "b", "c"), staff_id="lead")
    joined = {(each.student, each.skill): each for each in hold_series(state(), [third], KNOWN).problem.needs}
    assert (joined["b", "add"].need, joined["b", "add"].purpose) == (0.02, Purpose.RETEACH)


def test_students_of_one_session_come_for_one_aim():
    """Help comes before a beginning, and both before more of what is known."""
    needs = [need("a", "add", 0.05, Purpose.INTRODUCE), need("b", "add", 0.4), need("c", "add", 0.02, Purpose.EXTEND)]
    series = replace(PAIR, students=("a", "b", "c"), staff_id="lead", skills=("add",))

    day = hold_series(state(needs=needs), [series], KNOWN)

    assert {each.student: each.purpose for each in day.problem.needs} == dict.fromkeys("abc", Purpose.RETEACH)
    assert find_violations(day.problem, suggest_groups(day.problem).sessions) == ()


def test_the_same_faces_are_wanted():
    """Earlier meetings in the series count nothing; all others do."""
    past = tuple(
        replace(each, date=each.date - timedelta(days=7)) for each in held_on(0, 1, 2, students=("a", "b", "c"))
    )
    problem = state(team(past_sessions=past))

    day = hold_series(problem, [PAIR], KNOWN).problem

    mates = [{(mate.first, mate.second) for mate in each.recent_groupmates} for each in (problem, day)]
    contacts = [{(contact.student, contact.adult) for contact in each.contacts} for each in (problem, day)]
    assert mates[0] - mates[1] == {("a", "b")}
    assert mates[1] == {("a", "c"), ("b", "c")}
    assert contacts[0] - contacts[1] == {("a", "tutor"), ("b", "tutor")}


def test_who_is_absent_leaves_the_rest_together():
    day = hold_series(state(absences=(Absence(student="b", blocks=("mon-9", "mon-10")),)), [PAIR], KNOWN)
    late = hold_series(state(absences=(Absence(student="b", blocks=("mon-9",)),)), [PAIR], KNOWN)

    assert day.held["pair"].students == ("a",)
    assert (late.held["pair"].block, late.held["pair"].students) == ("mon-10", ("a", "b"))


@pytest.mark.parametrize(
    ("request_", "change", "sentence"),
    [
        ({"absences": (Absence(staff="tutor"),)}, {}, "tutor is not there"),
        (
            {"absences": (Absence(staff="tutor", blocks=("mon-9",)),)},
            {"block_ids": ("mon-9",)},
            "in none of its blocks",
        ),
        ({"absences": (Absence(student="a"), Absence(student="b"))}, {}, "nobody of it is there"),
        (
            {"absences": (Absence(student="a", blocks=("mon-9",)), Absence(student="b", blocks=("mon-9",)))},
            {"block_ids": ("mon-9",)},
            "in no block are tutor and somebody of it both there and free",
        ),
        ({}, {"students": ("a", "b", "c"), "staff_id": "tutor"}, "tutor may lead no session of 3 students"),
    ],
)
def test_a_series_that_cannot_be_gives_way_in_words(request_, change, sentence):
    problem = state(**request_)

    day = hold_series(problem, [replace(PAIR, **change)], KNOWN)

    assert (day.problem, dict(day.held)) == (problem, {})
    assert [note.series_id for note in day.notes] == ["pair"]
    assert day.notes[0].sentence.startswith("It gives way today: ")
    assert sentence in day.notes[0].sentence


def test_two_series_of_one_adult_or_student_take_blocks_of_their_own():
    other = replace(PAIR, series_id="other", students=("a", "c"), skills=("add",))

    day = hold_series(state(), [PAIR, other, replace(other, series_id="third")], KNOWN)

    assert {name: group.block for name, group in day.held.items()} == {"other": "mon-9", "pair": "mon-10"}
    assert [note.series_id for note in day.notes] == ["third"]


def test_a_day_that_has_no_plan_with_a_series_goes_without_it_and_with_the_others():
    """Two who must not be grouped together cannot be in one series; the note says why."""
    apart = team(rules=(Rule("r", "t", "keep_apart", ("a", "b")),))
    lead = Series("small", "t", ("c", "d", "e"), "lead", ("add",), date(2026, 3, 9), None)

    day, plan = plan_with_series(state(apart), [PAIR, lead], KNOWN, suggest_groups)

    assert list(day.held) == ["small"]
    assert [note.series_id for note in day.notes] == ["pair"]
    assert "must not be grouped together" in day.notes[0].sentence
    assert any({"c", "d", "e"} <= set(session.students) and session.adults[0] == "lead" for session in plan.sessions)


def test_another_block_is_tried_before_a_series_gives_way():
    """While the other adult is away, somebody has to supervise those who are not in it."""
    away = state(absences=(Absence(staff="lead", blocks=("mon-9",)),))

    day, _ = plan_with_series(away, [PAIR], KNOWN, suggest_groups)
    only, _ = plan_with_series(away, [replace(PAIR, block_ids=("mon-9",))], KNOWN, suggest_groups)

    assert (day.held["pair"].block, day.notes) == ("mon-10", ())
    assert (dict(only.held), [note.series_id for note in only.notes]) == ({}, ["pair"])


def test_a_series_takes_a_block_in_which_its_skills_are_taught():
    """Blocks may be of one subject."""
    problem = state()
    of_others = tuple(replace(block, skills=frozenset() if block.order == 0 else None) for block in problem.blocks)

    assert hold_series(replace(problem, blocks=of_others), [PAIR], KNOWN).held["pair"].block == "mon-10"


def test_a_day_without_a_plan_stays_one():
    away = state(absences=(Absence(staff="lead"), Absence(staff="tutor")))

    with pytest.raises(InfeasibleError):
        plan_with_series(away, [PAIR], KNOWN, suggest_groups)
