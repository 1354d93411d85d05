"""What lies behind is found, little else is, and sessions are held beside students who waited."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.roster import SkillMap
from serving.models.insight.comparison import ALARM, NAMED, compare_items, draw_funnel, group_by
from serving.models.insight.residuals import ARRAYS, Residuals
from serving.models.insight.shifts import expect_answers
from serving.plans.practice.insight.digest import Digest
from serving.plans.practice.insight.session_contrast import WAITED, HeldSession, contrast_sessions, group_by_session

MONDAY = date(2026, 3, 2)
DAY_US = 86_400 * 1_000_000


def answers_of(shift, seed=1, students=60, skills=12, each=10, forecast=0.7):
    """Answers of every student to every skill, one a day; `shift` moves the chance to be right by skill, in logits."""
    rng = np.random.default_rng(seed)
    student, node, turn = (
        part.ravel() for part in np.meshgrid(*map(np.arange, (students, skills, each)), indexing="ij")
    )
    logit = np.log(forecast / (1 - forecast)) + np.array([shift.get(f"k{skill}", 0.0) for skill in node])
    start = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp() * 1_000_000)
    return Residuals(
        student=student,
        students=pd.Index([f"s{number}" for number in range(students)]),
        node=node,
        nodes=[(f"k{skill}",) for skill in range(skills)],
        item=node * each + turn,
        items=pd.Index([f"q{number}" for number in range(skills * each)]),
        source=np.array(["app"] * len(node), object),
        moment=start + turn * DAY_US,
        forecast=np.full(len(node), forecast),
        right=(rng.random(len(node)) < 1 / (1 + np.exp(-logit))).astype(float),
        ease=np.zeros(len(node)),
    )


def compare_weeks(before, after, counted=None):
    """The funnel of skills of three weeks after three others."""
    later = Residuals(**{**vars(after), "moment": after.moment + 21 * DAY_US})
    both = {name: np.concatenate([getattr(before, name), getattr(later, name)]) for name in ARRAYS}
    return expect_answers(Residuals(**{**vars(before), **both}), int(later.moment.min())).compare_skills(counted)


def test_a_weak_skill_lies_furthest_behind_and_is_shrunk():
    funnel = compare_weeks(answers_of({}), answers_of({"k3": -0.6}, seed=2))

    assert funnel.compared[0].key == "k3"
    assert funnel.compared[0].deviations < -NAMED
    assert -0.8 * 21 < funnel.compared[0].points < -3


def test_what_was_so_before_is_no_change():
    funnel = compare_weeks(answers_of({"k3": -1.0}), answers_of({"k3": -1.0}, seed=2))

    assert abs({each.key: each.deviations for each in funnel.compared}["k3"]) < NAMED


def test_students_who_are_weak_on_a_new_skill_are_no_weak_skill():
    """Of a skill that nobody practiced before, nothing tells whether it became weak or is hard."""
    first = answers_of({})
    known = first.take(first.node != 3)

    funnel = compare_weeks(known, answers_of({"k3": -1.0}, seed=2))

    new = next(each for each in funnel.compared if each.key == "k3")
    assert new.information < min(each.information for each in funnel.compared if each.key != "k3") / 3


def test_skills_of_a_team_count_its_students_alone():
    first = answers_of({})
    mine = np.arange(60) < 30
    weak_elsewhere = answers_of({"k3": -1.5}, seed=2)
    later = answers_of({}, seed=3)
    mixed = {"right": np.where(mine[later.student], later.right, weak_elsewhere.right)}

    funnel = compare_weeks(first, Residuals(**{**vars(later), **mixed}), mine)

    assert {each.students for each in funnel.compared} == {30}
    assert {each.key: each.deviations for each in funnel.compared}["k3"] > -NAMED


def test_answers_that_need_several_skills_count_where_there_are_no_others():
    several = {"nodes": [("k0",), ("k0", "k1")], "node": np.arange(1200) % 2}
    answers = Residuals(**{**vars(answers_of({}, skills=2)), **several})

    funnel = compare_weeks(answers, answers)

    assert {each.key: each.answers for each in funnel.compared} == {"k0": 600, "k1": 600}


def test_without_answers_nothing_is_compared():
    nothing = answers_of({}).take(np.zeros(0, int))

    assert expect_answers(nothing, 0).compare_skills().compared == ()


def test_skills_as_forecast_are_seldom_far_off():
    far = [
        abs(each.deviations) > ALARM
        for seed in range(40)
        for each in draw_funnel(answers_of({}, seed), answers_of({}, seed).by_skill()).compared
    ]

    assert sum(far) <= 4  # of 480, the wide limits leave one outside


def test_a_unit_is_held_against_what_is_usual_for_skills():
    answers = answers_of({"k0": -0.6, "k1": -0.6})
    skills = answers.by_skill()
    units = {"weak": np.concatenate([skills["k0"], skills["k1"]]), "other": skills["k5"]}

    funnel = draw_funnel(answers, units, draw_funnel(answers, skills))

    assert [each.key for each in funnel.compared] == ["weak", "other"]
    assert funnel.compared[0].deviations < -ALARM


def test_nothing_of_few_students_is_compared():
    few = answers_of({"k0": -3.0}, students=19)

    funnel = draw_funnel(few, few.by_skill())

    assert funnel.compared == ()
    assert funnel.too_few == 12


def test_an_item_harder_than_its_skill_is_found_by_first_answers():
    answers = answers_of({})
    misleading = answers.item == 5
    wrong = Residuals(**{**vars(answers), "right": np.where(misleading, 0.0, answers.right)})

    funnel = compare_items(wrong)

    assert funnel.compared[0].key == "q5"
    assert funnel.compared[0].deviations < -ALARM


@pytest.fixture
def halves():
    """Half of the students had a session on each of the first three days' skill k0, which taught; half waited."""
    answers = answers_of({}, seed=3, skills=2)
    taught = (answers.student % 2 == 0) & (answers.node == 0) & (answers.moment >= answers.moment.min() + 5 * DAY_US)
    better = Residuals(**{**vars(answers), "right": np.where(taught, 1.0, answers.right)})
    students = tuple(f"s{number}" for number in range(0, 60, 2))
    return better, [HeldSession(MONDAY + timedelta(days=4), "tutoring", "k0", students)]


def test_answers_after_sessions_stand_beside_those_of_students_who_waited(halves):
    answers, held = halves

    found = contrast_sessions(answers, held, SkillMap({}, {}))

    assert [(each.kind, each.skill, each.students) for each in found] == [
        ("tutoring", None, 30),
        ("tutoring", "k0", 30),
    ]
    assert found[0].after == 1.0
    assert found[0].waited_after < 0.85
    assert found[0].low > 0
    assert set(group_by_session(answers, held)) == {"tutoring", WAITED}


def test_positions_of_names():
    assert {name: at.tolist() for name, at in group_by(["b", "a", "b"]).items()} == {"a": [1], "b": [0, 2]}


def test_a_digest_is_short_in_each_form_and_holds_no_markup_of_a_name(halves):
    class Team:
        name = "<b>*Orion*"

    digest = Digest(Team(), MONDAY, (("What to look at together", ("Ratios & rates: 4 of 100 fewer.",)),))

    assert digest.to_markdown().startswith("# \\<b\\>\\*Orion\\*: week of Mon 2 Mar 2026\n")
    assert "<h1>&lt;b&gt;*Orion*: week of" in digest.to_html()
    assert "Ratios &amp; rates" in digest.to_html()
    assert max(map(len, digest.to_text().splitlines())) <= 76
