"""What each student could work on, what for, and how much each skill is needed."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from features.events.evidence import Evidence
from features.roster import Block, PastSession, Room, Skill, SkillMap, Staff, Team
from features.roster.records import ROLE_MAY_LEAD
from serving.grouping import Purpose
from serving.models.forecasts import SkillForecast
from serving.plans.need.needs import list_candidates
from serving.plans.rules.policy import NeedPolicy

NOW = datetime(2026, 3, 16, 6, tzinfo=UTC)
POLICY = NeedPolicy(
    check_in=0.2,
    introduce=0.1,
    extend=0.05,
    unsure=0.3,
    urgent_risk=0.5,
    urgent_review=0.5,
    review_from=0.5,
    review_until=0.75,
    urgent_from=0.5,
    waiting_days=5,
    furthest_behind=3.0,
    waiting_more=4.0,
    taught_lately=0.1,
    often_tried=5,
    full_risk=0.3,
    fading_days=10,
    check_in_after_days=20,
    long_ago=0.5,
    total_days=120,
    total_mastered=0.8,
    total_weak=0.5,
    goal_more=0.05,
    outside_focus=0.4,
    least_weight=0.25,
    catch_up_share=0.6,
    next_share=0.5,
)
SKILLS = SkillMap({"add": Skill("add", "Addition")}, {"carry": ("add",), "long": ("carry",)})


def team(members="abcd", focus=None):
    return Team(
        team_id="t",
        school="s",
        name=None,
        members=tuple(members),
        staff=(Staff("lead", "t", "teacher_leader", ROLE_MAY_LEAD["teacher_leader"]),),
        rooms=(Room("hall", "t", 90),),
        blocks=(Block("mon-9", "t", "mon", time(9), time(9, 45)),),
        rules=(),
        focus=focus or {},
        past_sessions=(),
    )


def forecast(student, skill, status="learning", risk=0.3, mastery=0.6, *, days=1, recent=True):
    known = status != "thin_evidence"
    return SkillForecast(
        student,
        skill,
        0,
        status,
        risk if known else None,
        mastery if known else None,
        4,
        NOW - timedelta(days=days),
        recent,
    )


def list_needs(the_team, forecasts, max_candidates=6):
    candidates = list_candidates(the_team, SKILLS, forecasts, POLICY, max_candidates, NOW)
    return {(each.need.student, each.need.skill): each.need for each in candidates}


def purposes(found, student):
    return {skill: need.purpose for (name, skill), need in found.items() if name == student}


def test_every_student_has_a_need_and_it_says_its_purpose():
    """From who is far behind to who is done, and who was never seen."""
    known = [
        forecast("a", "carry", "not_yet_proficient", risk=0.8),
        forecast("b", "carry", "learning"),
        forecast("c", "carry", "thin_evidence"),
        forecast("d", "carry", "review_due"),
        forecast("e", "add", "proficient", risk=0.0),
        forecast("f", "add", "proficient", risk=0.0),
        forecast("f", "carry", "proficient", risk=0.0),
        forecast("h", "carry", "not_yet_proficient", days=30, recent=False),
    ]

    found = list_needs(team("abcdefgh", focus={"carry": 1.0}), known)

    assert {student: purposes(found, student) for student in "abcdefgh"} == {
        "a": {"carry": "reteach"},
        "b": {"carry": "guided_practice"},
        "c": {"carry": "check_in"},
        "d": {"carry": "review"},
        "e": {"carry": "introduce", "add": "extend"},
        "f": {"carry": "extend", "add": "extend"},
        "g": {"carry": "check_in"},
        "h": {"carry": "check_in"},
    }


def test_a_team_of_whom_nothing_is_known_begins_with_what_needs_nothing():
    assert purposes(list_needs(team(), []), "d") == {"add": "introduce"}


def test_need_is_the_chance_of_not_getting_there_alone_times_priority():
    """Outside the unit the priority grows with the risk; of two weights the greater counts."""
    known = [forecast("a", "carry", risk=0.2), forecast("a", "x", risk=0.4), forecast("b", "carry", risk=0.9)]

    found = list_needs(team(focus={"carry": 0.7}), known)

    assert found["a", "carry"].need == pytest.approx(0.2 * 0.7)
    assert found["a", "x"].need == pytest.approx(0.4 * (0.4 + 0.6 * 0.4))
    assert found["b", "carry"].need == pytest.approx(0.9 * (0.4 + 0.6 * 0.9))


def test_urgent_is_a_high_risk_a_lost_proficiency_within_reach_and_what_either_waits_for():
    known = [
        forecast("a", "carry", "not_yet_proficient", risk=0.5),
        forecast("a", "x", risk=0.4),
        forecast("b", "carry", "review_due", risk=0.2),
        forecast("c", "carry", "review_due", risk=0.2),
        forecast("c", "add", "not_yet_proficient", risk=0.6),
        forecast("d", "carry", "thin_evidence"),
        forecast("d", "add", "review_due", risk=0.2, mastery=0.45),
        forecast("d", "x", "review_due", risk=0.2, mastery=0.75),
    ]

    found = list_needs(team(focus={"carry": 1.0}), known)

    assert {pair: need.urgent for pair, need in found.items() if need.urgent} == {
        ("a", "carry"): 1.0,
        ("b", "carry"): 0.5,
        ("c", "add"): 1.0,
    }


def test_who_is_furthest_behind_is_needed_no_less():
    """A weak prerequisite lowers no need, nor does a low chance of a right answer."""
    ready = [forecast("a", "carry", risk=0.4, mastery=0.8), forecast("a", "add", "proficient", risk=0.0, mastery=0.9)]
    behind = [forecast("b", "carry", risk=0.4, mastery=0.2), forecast("b", "add", risk=0.4, mastery=0.2)]

    found = list_needs(team(focus={"carry": 1.0}), [*ready, *behind])

    assert found["a", "carry"].need == found["b", "carry"].need
    assert found["b", "carry"].readiness == 0.2


def test_a_need_moves_to_the_weak_prerequisite_and_says_because_of_what():
    """Over several steps; the skill that waits is no candidate, and its need is not lost."""
    known = [
        forecast("a", "long", "not_yet_proficient", risk=0.9),
        forecast("a", "carry", "not_yet_proficient", risk=0.7),
        forecast("a", "add", "not_yet_proficient", risk=0.6, recent=False),
        forecast("b", "carry", "not_yet_proficient", risk=0.6),
        forecast("b", "add", "not_yet_proficient", risk=0.8),
    ]

    found = list_needs(team(focus={"long": 1.0, "carry": 0.5}), known)

    assert set(found) >= {("a", "add"), ("b", "add")}
    assert found["a", "add"].need == pytest.approx(0.9)
    assert (found["a", "add"].because_of, found["a", "add"].purpose) == ("long", "reteach")
    assert not {("a", "long"), ("a", "carry"), ("b", "carry")} & set(found)
    assert found["b", "add"].because_of is None  # it is the greater need itself


def test_a_failure_long_ago_asks_for_a_check_in_and_counts_less_than_one_of_today():
    old, new = forecast("a", "carry", "not_yet_proficient", 0.6, days=30), forecast("b", "carry", risk=0.6)

    found = list_needs(team(focus={"carry": 1.0}), [old, new])

    assert (found["a", "carry"].purpose, found["b", "carry"].purpose) == ("check_in", "guided_practice")
    assert found["a", "carry"].need == pytest.approx(found["b", "carry"].need / 2)


def test_practice_of_long_ago_outside_the_unit_counts_only_where_the_risk_is_urgent():
    known = [forecast("a", skill, risk=risk, recent=False) for skill, risk in (("x", 0.4), ("y", 0.6))]

    assert set(list_needs(team("a", focus={"carry": 1.0}), known)) == {("a", "y")}


def test_skills_not_begun_outside_the_unit_are_offered_only_to_who_has_no_other_need():
    """They are what comes next, not a rescue."""
    known = [forecast(name, "add", "proficient", risk=0.0) for name in "ab"] + [forecast("a", "x", risk=0.05)]

    found = list_needs(team("ab", focus={"x": 1.0}), [*known, forecast("b", "x", "proficient", risk=0.0)])
    without = list_needs(team("ab", focus={"y": 1.0}), known)

    assert (purposes(found, "a"), purposes(found, "b")) == (
        {"x": "guided_practice", "add": "extend"},
        {"x": "extend", "add": "extend"},
    )
    assert purposes(without, "b") == {"y": "introduce", "add": "extend"}
    far_ahead = list_needs(team("c", focus={"x": 1.0}), [forecast("c", s, "proficient", risk=0.0) for s in ("add",)])
    assert purposes(far_ahead, "c") == {"x": "introduce", "add": "extend"}


def test_who_has_only_a_small_need_elsewhere_can_join_the_teams_work_too():
    """A need that nobody shares makes no group; one that is urgent, or in the unit, is enough."""
    done = [forecast(name, "carry", "proficient", risk=0.0) for name in "ab"]

    found = list_needs(
        team("ab", focus={"carry": 1.0}), [*done, forecast("a", "x", risk=0.1), forecast("b", "x", risk=0.6)]
    )

    assert purposes(found, "a") == {"x": "guided_practice", "carry": "extend"}
    assert purposes(found, "b") == {"x": "guided_practice", "carry": "extend"}


def test_who_is_done_with_what_the_team_has_left_behind_can_extend_it_beside_the_next_skill():
    """The next skill alone, which nobody else needs, would make no group for weeks."""
    old = forecast("a", "add", "proficient", risk=0.0, days=15, recent=False)

    assert purposes(list_needs(team("a", focus={"long": 1.0}), [old]), "a") == {"carry": "introduce", "add": "extend"}


def test_what_is_least_sure_is_extended_first():
    """Adult time on what a student knows by heart teaches nothing."""
    mastery = {"add": 0.95, "by heart": 0.99, "carry": 0.6, "long": 0.75}
    known = [forecast("a", skill, "proficient", risk=0.0, mastery=chance) for skill, chance in mastery.items()]

    found = list_needs(team("a", focus={"x": 1.0}), known, max_candidates=4)  # one is to introduce

    extended = {need.skill: need.need for need in found.values() if need.purpose == "extend"}
    assert sorted(extended, key=extended.get, reverse=True) == ["carry", "long", "add"]


def test_one_urgent_need_is_worth_more_than_any_lesson():
    """The points of new lessons and of extension stay small."""
    known = [forecast("a", "x", "not_yet_proficient", risk=0.5), forecast("b", "carry", "proficient", risk=0.0)]

    found = list_needs(team("abc", focus={"add": 1.0, "carry": 1.0}), known)

    lessons = [need.need for need in found.values() if need.purpose in {"introduce", "extend"}]
    assert lessons
    assert found["a", "x"].need > 2 * max(lessons)


def test_a_prerequisite_that_was_last_practiced_long_ago_keeps_nobody_from_beginning():
    """Not all of a year's skills are practiced every other month."""
    old = forecast("a", "add", "review_due", risk=0.1, mastery=0.7, recent=False)

    found = list_needs(team("a", focus={"carry": 1.0}), [old._replace(forgotten=True)])

    assert purposes(found, "a") == {"carry": "introduce", "add": "review"}
    assert ("a", "carry") in list_needs(team("a", focus={"carry": 1.0}), [old._replace(status="proficient")])
    assert purposes(list_needs(team("a", focus={"carry": 1.0}), [old]), "a") == {"add": "review", "carry": "check_in"}


def test_only_the_most_needed_handful_is_kept():
    """Of many candidates of a student the greatest remain."""
    known = [forecast("a", f"s{number}", risk=number / 10) for number in range(1, 9)]

    assert set(list_needs(team("a"), known, max_candidates=2)) == {("a", "s8"), ("a", "s7")}


def test_without_a_unit_what_much_of_the_team_practices_is_its_current_work():
    known = [forecast(name, "add", "proficient", risk=0.0) for name in "abc"] + [forecast("a", "x", risk=0.2)]

    found = list_needs(team(), known)

    assert purposes(found, "d") == {"add": "introduce"}
    assert found["a", "x"].weight == pytest.approx(max(1 / 3, 0.25 + 0.75 * 0.2))


def total(mastery, uncertainty=0.15, days=30):
    return Evidence("i-ready", NOW - timedelta(days=days), mastery, uncertainty, "Placement", "2 Grade Levels Below")


def test_a_total_says_what_to_do_where_there_are_no_answers_and_never_where_there_are():
    evidence = {
        ("a", "halves"): total(0.2),
        ("b", "halves"): total(0.5),
        ("c", "halves"): total(0.9),
        ("d", "halves"): total(0.2, days=200),
        ("a", "ratios"): total(0.2),
        ("b", "ratios"): total(0.2),
    }
    known = [forecast("a", "ratios", risk=0.3), forecast("b", "ratios", "thin_evidence")]

    found = list_candidates(team(focus={"halves": 1.0, "ratios": 1.0}), SKILLS, known, POLICY, 9, NOW, evidence)

    by_key = {(candidate.need.student, candidate.need.skill): candidate for candidate in found}
    assert by_key["a", "halves"].need.purpose == Purpose.RETEACH
    assert by_key["a", "halves"].need.need == pytest.approx(0.8)
    assert by_key["a", "halves"].need.struggle_risk is None
    assert "2 Grade Levels Below" in by_key["a", "halves"].evidence.describe()
    assert by_key["b", "halves"].need.purpose == Purpose.CHECK_IN
    assert ("c", "halves") not in by_key  # it is mastered, and not to be introduced either
    assert by_key["d", "halves"].need.purpose == Purpose.INTRODUCE  # the total is too old to count
    assert by_key["a", "ratios"].evidence is None  # answers say more
    assert by_key["b", "ratios"].evidence is not None
    assert len(by_key) == len(found)


def test_without_a_unit_needs_fade_with_the_days_since_practice():
    known = [forecast("a", "add", days=0), forecast("a", "carry", days=10), forecast("a", "long", days=20)]

    without = list_needs(team(), known)
    named = list_needs(team(focus={"other": 1.0}), known)

    shares = [without["a", skill].need / without["a", skill].weight for skill in ("add", "carry", "long")]
    assert shares == pytest.approx([0.3, 0.15, 0.075])
    urgent = [without["a", skill].urgent for skill in ("add", "carry", "long")]
    assert urgent == pytest.approx([1.0, 0.5, 0.25])  # a risk of .3 after four attempts is as urgent as can be
    assert {named["a", skill].urgent for skill in ("add", "carry", "long") if ("a", skill) in named} == {0.0}


@pytest.mark.parametrize(("days", "rests"), [(0, False), (1, False), (2, True)])
def test_without_a_unit_a_need_rests_after_a_session_until_the_student_answers_again(days, rests):
    """The session was yesterday; the student answered since then, on that day, or not since the day before."""
    past = (PastSession((NOW - timedelta(days=1)).date(), "t", "mon-9", "lead", "add", ("a",)),)
    known = [forecast("a", "add", days=days), forecast("b", "add", days=days)]

    found = list_needs(replace(team(), past_sessions=past), known)
    named = list_needs(replace(team(focus={"add": 1.0}), past_sessions=past), known)

    assert found["a", "add"].need == pytest.approx((0.1 if rests else 1.0) * found["b", "add"].need)
    assert found["a", "add"].urgent == pytest.approx((0.1 if rests else 1.0) * found["b", "add"].urgent)
    assert named["a", "add"].need == named["b", "add"].need


def test_without_a_unit_more_attempts_or_risk_are_never_less_urgent():
    def urgent(opportunities, risk):
        known = forecast("a", "add", risk=risk)._replace(opportunities=opportunities)
        return list_needs(team(), [known])["a", "add"].urgent

    grid = [[urgent(attempts, risk / 10) for risk in range(11)] for attempts in range(1, 12)]

    assert all(row == sorted(row) for row in grid)
    assert all(list(column) == sorted(column) for column in zip(*grid, strict=True))
    assert max(map(max, grid)) <= 1.0
