"""The difference of two plans in points and in words."""

from dataclasses import replace

import pytest

from serving.grouping.rules.objective import score_plan
from serving.grouping.rules.score_impact import measure_impact


def test_a_lost_seat_is_described_term_by_term_with_the_greatest_loss_first(team, sessions, swap):
    fewer = swap(swap(sessions, "g1", students=("a", "b")), "o1", students=("c", "d", "e", "f"))

    impact = measure_impact(score_plan(team, sessions), score_plan(team, fewer))

    assert [term.name for term in impact.terms] == ["benefit", "coverage", "relationships"]
    assert impact.points == pytest.approx(sum(term.points for term in impact.terms))
    assert impact.sentence == (
        "costs 0.55: 0.40 less need met (-0.40), 1 more student without a seat with an adult (-0.10), "
        "1.00 fewer first meetings with adults (-0.05)"
    )


def test_a_need_that_is_urgent_five_times_over_is_not_told_as_five_needs(team, sessions, swap):
    needs = tuple(replace(need, urgent=5.0 if need.student == "c" else 0.0) for need in team.needs)
    turn = replace(team, needs=needs)
    fewer = swap(swap(sessions, "g1", students=("a", "b")), "o1", students=("c", "d", "e", "f"))

    impact = measure_impact(score_plan(turn, sessions), score_plan(turn, fewer))

    assert "5.0 less urgent need met (-2.50)" in impact.sentence


def test_the_way_back_gains_the_same(team, sessions, swap):
    fewer = score_plan(team, swap(sessions, "g1", students=("a", "b")))
    score = score_plan(team, sessions)

    there, back = measure_impact(score, fewer), measure_impact(fewer, score)

    assert back.points == -there.points
    assert back.sentence.startswith("gains 0.55: 0.40 more need met (+0.40)")


def test_equal_plans_change_nothing(team, sessions):
    renamed = tuple(replace(session, id=session.id.upper()) for session in sessions)

    impact = measure_impact(score_plan(team, sessions), score_plan(team, renamed))

    assert (impact.points, impact.terms) == (0, ())
    assert impact.sentence == "changes no term of the score"
