"""Every dial of the objective moves the figure that it is named for the right way, on days like real ones."""

from dataclasses import fields, replace

import pytest

from experiments.benchmarks.planner.absences import list_seats
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.problem.people import Coaching, Wish
from serving.grouping.problem.policy import SizeCurve, Weights
from serving.grouping.rules.objective import score_plan
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import suggest_groups

FEW = Budget(rounds=150, seatings=0, bound_rounds=0)
SEEDS = (1, 2, 3)

HIGH = {
    "benefit": 20.0, "urgent": 5.0, "coverage": 5.0, "adult_time_due": 5.0, "relationships": 0.5,
    "repeat_groupmates": 0.2, "keep_together": 5.0, "perturbation": 1.0, "load": 2.0, "share": 5.0,
    "group_time_due": 5.0, "coaching": 30.0, "wishes": 1.0, "observations": 30.0,
}  # fmt: skip
"""High weights; every one has a test."""


def test_every_weight_is_tested():
    assert HIGH.keys() == {field.name for field in fields(Weights)}


def draw(name, seed):
    """A day on which a term has something to do, without a cap on what all social terms may cost."""
    day = replace(draw_day(60, seed), most_social_cost=1.0)
    if name == "perturbation":
        day = replace(day, previous=list_seats(suggest_groups(day, FEW).sessions))
    if name == "load":  # with more rooms every adult is on duty in every block
        day = replace(day, rooms=day.rooms[:2])
    if name in {"coaching", "observations"}:
        day = replace(day, coaching=(Coaching("a00", "a03", 3, observes=name == "observations"),))
    if name == "wishes":
        ids, adults = [student.id for student in day.students], [adult.id for adult in day.adults]
        wishes = [Wish(one, other=other) for one, other in zip(ids[::3], ids[1::3], strict=True)]
        wishes += [Wish(one, adult=adult) for one, adult in zip(ids, adults, strict=False)]
        day = replace(day, wishes=(*wishes, *(Wish(need.student, skill=need.skill) for need in day.needs[::25])))
    if name == "group_time_due":
        owed = {student.id for student in day.students[::3]}
        day = replace(day, students=tuple(replace(s, group_time_due=s.id in owed) for s in day.students))
    return day


def total(name, weight):
    """The value of a term, in its own unit, summed over days planned with that weight."""
    value = 0.0
    for seed in SEEDS:
        day = draw(name, seed)
        other = replace(day, weights=replace(day.weights, **{name: weight}))
        # by another seed, else the search finds an earlier plan again for nothing
        plan = suggest_groups(other, replace(FEW, seed=7))
        value += next(term.value for term in score_plan(other, plan.sessions).terms if term.name == name)
    return value


GAINS = {"benefit", "urgent", "relationships", "keep_together", "coaching", "wishes", "observations"}


@pytest.mark.parametrize("name", HIGH)
def test_a_higher_weight_moves_its_term_the_right_way(name):
    off, high = total(name, 0.0), total(name, HIGH[name])

    assert high > off if name in GAINS else high < off


def test_groups_are_smaller_where_crowds_cost_more():
    day = draw_day(60, 1)
    alone = replace(day, weights=replace(day.weights, urgent=0.0, coverage=0.0, adult_time_due=0.0))
    plans = [suggest_groups(replace(alone, size_curve=SizeCurve(loss=loss)), FEW) for loss in (0.0, 1.0)]
    light, heavy = ([len(session.students) for session in plan.sessions if session.led] for plan in plans)

    assert sum(light) / len(light) > 1.2 * sum(heavy) / len(heavy)
