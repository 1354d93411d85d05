"""What is said of skills of the current unit that get no session."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from features.roster import Skill, SkillMap, Team
from serving.grouping import ADULT_LED, Adult, Block, Effect, Need, Problem, Role, Session, SessionType, Student
from serving.grouping import Skill as TaughtSkill
from serving.grouping.problem.plan import Plan, Score
from serving.grouping.solve import describe_plan
from serving.models.forecasts import SkillForecast
from serving.plans.need.focus_notes import note_focus

NAMES = {"ratios": Skill("ratios", "Ratios"), "fractions": Skill("fractions", "Fractions")}


NOTHING = Plan((), Score(0.0, ()), "searched", (), (), ())


@pytest.fixture
def day():
    """Six students and two adults in one block; all need fractions."""
    block = frozenset({"m"})
    return Problem(
        blocks=(Block("m", "09:00-09:45", 1),),
        students=tuple(Student(name, block) for name in "abcdef"),
        adults=(
            Adult("lead", Role.TEACHER_LEADER, block, frozenset(SessionType)),
            Adult("help", Role.SUPPORT_STAFF, block, frozenset({SessionType.ONLINE})),
        ),
        skills=(TaughtSkill("fractions", "Fractions"), TaughtSkill("ratios", "Ratios")),
        effects=tuple(Effect(kind, Role.TEACHER_LEADER, 0.5) for kind in ADULT_LED),
        needs=tuple(Need(name, "fractions", 0.8) for name in "abcdef"),
    )


@pytest.fixture
def unit():
    """A team whose unit is ratios and proportions; proportions need ratios, and these need fractions."""
    return Team("t", "s", None, (*"abcdef",), (), (), (), (), {"ratios": 1.0, "proportions": 0.5}, ())


@pytest.fixture
def skills():
    return SkillMap(NAMES, {"ratios": ("fractions",), "proportions": ("ratios",)})


def forecast(student, skill, status):
    return SkillForecast(student, skill, 0, status, 0.6, 0.4, 9, datetime(2026, 3, 1, tzinfo=UTC), recent=True)


def test_a_skill_that_few_are_ready_for_says_what_comes_first(day, unit, skills):
    """Four have not learned fractions; one is proficient in ratios, and one works on them already."""
    known = [forecast(student, "fractions", "not_yet_proficient") for student in "abcd"]
    known += [forecast("e", "ratios", "proficient"), forecast("f", "ratios", "learning")]

    notes = {note.skill: note for note in note_focus(unit, skills, day, NOTHING, known)}

    assert notes["ratios"].sentence == ("Ratios gets no session: 4 of 6 are not ready for it and need Fractions first.")
    assert (notes["ratios"].kind, notes["ratios"].first, notes["ratios"].not_ready) == ("not_ready", "fractions", 4)
    assert notes["proportions"].not_ready == 5


def test_a_redirected_need_counts_as_not_ready(day, unit, skills):
    known = [forecast(student, skill, "learning") for student in "abcdef" for skill in ("fractions", "ratios")]
    needs = tuple(replace(need, because_of="ratios") if need.student in "abc" else need for need in day.needs)

    note = note_focus(unit, skills, replace(day, needs=needs), NOTHING, known)[0]

    assert (note.skill, note.not_ready, note.first) == ("ratios", 3, "fractions")


def test_a_needed_skill_without_a_session_says_why_and_a_held_one_nothing(day, unit, skills):
    known = [forecast(student, skill, "learning") for student in "abcdef" for skill in ("fractions", "ratios")]
    online = Session("o", "m", SessionType.ONLINE, None, ("help",), None, ("d", "e", "f"))
    group = Session("g", "m", SessionType.SMALL_GROUP, "fractions", ("lead",), None, ("a", "b", "c"))
    problem = replace(day, needs=(*day.needs, *(Need(name, "ratios", 0.7) for name in "def")))
    plan = describe_plan(replace(problem, needs=(*day.needs[:3], *problem.needs[6:])), (group, online), "searched")

    note = note_focus(unit, skills, problem, plan, known)[0]

    assert (note.skill, note.kind, note.needing) == ("ratios", "no_session", 3)
    assert note.sentence.startswith("Ratios gets no session: 3 need it, the greatest need is 0.70; for one of them ")
    assert "would end that on Fractions, which serves 3 students" in note.sentence
    held = replace(plan, sessions=(replace(group, skill="ratios"), online))
    assert "ratios" not in {other.skill for other in note_focus(unit, skills, problem, held, known)}


def test_absent_students_and_a_team_without_a_unit_make_no_notes(day, unit, skills):
    away = replace(day, students=tuple(replace(student, blocks=frozenset()) for student in day.students))

    assert note_focus(unit, skills, away, NOTHING, []) == ()
    assert note_focus(replace(unit, focus={}), skills, day, NOTHING, []) == ()
