"""Every sentence of a plan is true: its claims are worked out again by brute force on random days."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from experiments.benchmarks.planner.false_sentences import CHECKS, count_false_sentences, find_false_sentences
from experiments.benchmarks.planner.instances.edge_cases import draw_edge_case
from experiments.benchmarks.planner.instances.team import draw_day
from serving.grouping.errors import InfeasibleError
from serving.grouping.problem.people import Purpose
from serving.grouping.problem.plan import Claim
from serving.grouping.problem.policy import SessionType
from serving.grouping.rules.explain import CODES
from serving.grouping.search.anneal import Budget
from serving.grouping.solve import describe_plan, suggest_groups

QUICK = Budget(rounds=60, bound_rounds=0)


def vary(problem, seed):
    """Gives every need of a day another risk, purpose and urgency."""
    draw = random.Random(seed)

    def vary_need(need):
        risk = draw.choice([None, draw.random(), draw.random()])
        urgent = draw.choice([1.0, 1.0, 5.0]) if (risk or 0) >= 0.5 else draw.choice([0.0, 0.0, 0.2, 1.0])
        mastery = None if risk is None else draw.random()
        purpose = draw.choice([None, Purpose.RETEACH, Purpose.REVIEW, Purpose.CHECK_IN, Purpose.INTRODUCE])
        return replace(need, struggle_risk=risk, mastery=mastery, purpose=purpose, urgent=urgent)

    return replace(problem, needs=tuple(map(vary_need, problem.needs)))


def say_all(plan):
    return [*plan.session_reasons, *plan.seat_reasons, *plan.unmet]


@settings(max_examples=120)
@given(
    seed=st.integers(0, 10**6),
    students=st.sampled_from([3, 8, 14, 20]),
    adults=st.integers(1, 5),
    blocks=st.integers(1, 3),
    skills=st.integers(1, 4),
    rooms=st.booleans(),
    pins=st.integers(0, 2),
    ratio=st.sampled_from([4, 8, 30]),
    more=st.booleans(),
)
def test_no_sentence_of_a_random_day_is_false(seed, students, adults, blocks, skills, rooms, pins, ratio, more):
    problem = draw_edge_case(
        seed, students=students, adults=adults, blocks=blocks, skills=skills, rooms=rooms, pins=pins, ratio=ratio,
        more=more,
    )  # fmt: skip
    problem = vary(problem, seed)
    try:
        plan = suggest_groups(problem, QUICK)
    except InfeasibleError:
        return

    for code in {claim.code for reason in say_all(plan) for claim in reason.claims}:
        event(code)
    assert find_false_sentences(problem, plan) == []


@pytest.mark.parametrize("seed", range(2))
def test_no_sentence_of_a_team_of_sixty_is_false(seed):
    problem = vary(draw_day(60, seed), seed)
    plan = suggest_groups(problem, Budget(rounds=200, bound_rounds=0))

    assert find_false_sentences(problem, plan) == []
    assert len({claim.code for reason in say_all(plan) for claim in reason.claims}) > 10


def test_every_code_is_described_and_checked():
    assert CODES.keys() == CHECKS.keys()


@pytest.fixture
def planned(team, sessions):
    """One block in which the lead teaches the three who need more, and nobody else may teach the others."""
    block = frozenset({"m1"})
    adults = {adult.id: adult for adult in team.adults}
    problem = replace(
        team,
        blocks=team.blocks[:1],
        students=tuple(replace(student, blocks=block) for student in team.students),
        adults=(
            replace(adults["lead"], blocks=block),
            replace(adults["help"], blocks=block, session_types=frozenset({SessionType.ONLINE})),
        ),
        needs=tuple(replace(need, need=0.9) if need.need > 0.5 and need.skill == "fractions" else need
                    for need in team.needs),
    )  # fmt: skip
    return problem, describe_plan(problem, sessions[:2], "searched")


def test_an_unmet_need_says_what_a_session_for_it_would_end(planned):
    problem, plan = planned

    waiting = {unmet.student: unmet for unmet in plan.unmet}

    assert len(waiting) == 3
    assert count_false_sentences(problem, plan) == 0
    for unmet in waiting.values():
        assert unmet.reason == "adults_busy"
        assert "would end that on" in unmet.sentence
        assert "which serves 3 students at 90% risk" in unmet.sentence


@pytest.mark.parametrize("code", ["no_need", "no_adult", "met_elsewhere", "not_taught_here", "meetings"])
def test_a_false_claim_is_found(planned, code):
    problem, plan = planned
    seat = next(seat for seat in plan.seat_reasons if seat.need is not None)
    told = replace(seat, claims=(Claim(code, (("meetings", 0.5),)),), sentence="So it is.")

    found = find_false_sentences(problem, replace(plan, unmet=(), seat_reasons=(told,), session_reasons=()))

    assert [code in fault.why for fault in found] == [True]


def test_an_outcome_that_is_told_too_small_is_found(planned):
    problem, plan = planned
    *first, last = plan.unmet[0].claims
    less = replace(last, figures=(("need", -0.1), ("urgent", 0.0)))
    told = replace(plan.unmet[0], claims=(*first, less), sentence="So it is.")

    found = find_false_sentences(problem, replace(plan, unmet=(told,), seat_reasons=(), session_reasons=()))

    assert last.code == "loses_need"
    assert ["loses_need" in fault.why for fault in found] == [True]


def test_a_number_that_no_claim_has_is_found(planned):
    problem, plan = planned
    unmet = replace(plan.unmet[0], sentence=f"{plan.unmet[0].sentence} 77% agree.")

    found = find_false_sentences(problem, replace(plan, unmet=(unmet,), seat_reasons=(), session_reasons=()))

    assert [fault.why for fault in found] == ["no claim has the number 77%"]


def test_a_change_that_breaks_a_rule_is_found(planned):
    problem, plan = planned
    unmet = plan.unmet[0]
    claim = next(claim for claim in unmet.claims if claim.exchange is not None)
    broken = replace(claim.exchange, after=())
    told = replace(unmet, claims=(replace(claim, exchange=broken),), sentence="So it is.")

    found = find_false_sentences(problem, replace(plan, unmet=(told,), seat_reasons=(), session_reasons=()))

    assert "one_session" in found[0].why


def test_what_the_search_did_not_find_is_not_called_best(planned):
    """The session is taken away by hand, so that nothing but an omission explains that the lead is idle."""
    problem, plan = planned
    station = next(session for session in plan.sessions if not session.led)
    everybody = replace(station, students=tuple(student.id for student in problem.students))

    idle = describe_plan(problem, (everybody,), "searched")

    assert Counter(unmet.reason for unmet in idle.unmet) == {"overlooked": 6}
    assert all("which the search did not find" in unmet.sentence for unmet in idle.unmet)
    assert count_false_sentences(problem, idle) == 0
