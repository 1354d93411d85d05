"""The bound of hand-made days whose best plan is obvious."""

import pytest

from serving.grouping.people import Adult, Need, Student
from serving.grouping.places import Block, Skill
from serving.grouping.policy import Effect, Modality, Role, SizeBound
from serving.grouping.problem import Problem
from serving.grouping.solve import suggest_groups

ALONE = {"p": "k1", "q": "k1", "r": "k2", "s": "k3"}
TOGETHER = {"p": "k1", "q": "k1", "r": "k2", "s": "k2"}


def draw(needs):
    block, kind = frozenset({"b"}), Modality.SMALL_GROUP
    return Problem(
        blocks=(Block("b", "09:00-09:45", 0),),
        students=tuple(Student(name, block) for name in needs),
        adults=tuple(Adult(name, Role.TEACHER_LEADER, block, frozenset(Modality)) for name in "xy"),
        skills=tuple(Skill(name, name) for name in sorted(set(needs.values()))),
        effects=(Effect(kind, Role.TEACHER_LEADER, 0.5),),
        needs=tuple(Need(name, skill, 0.5) for name, skill in needs.items()),
        sizes=(SizeBound(kind, 1, 3),),
    )


@pytest.mark.parametrize("needs", [ALONE, TOGETHER])
def test_all_adults_lead_only_where_their_skills_suit_everybody(needs):
    plan = suggest_groups(draw(needs))

    assert sum(session.led for session in plan.sessions) == (1 if needs is ALONE else 2)
    assert plan.bound == pytest.approx(plan.score.total, abs=0.02)
