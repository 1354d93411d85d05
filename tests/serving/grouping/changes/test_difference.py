"""The difference of two plans in points and in words."""

from dataclasses import replace

import pytest

from serving.grouping.changes.difference import price_change
from serving.grouping.rules.objective import score_plan


def test_a_lost_seat_is_told_term_by_term_with_the_greatest_loss_first(team, sessions, swap):
    fewer = swap(swap(sessions, "g1", students=("a", "b")), "o1", students=("c", "d", "e", "f"))

    price = price_change(score_plan(team, sessions), score_plan(team, fewer))

    assert [term.name for term in price.terms] == ["benefit", "coverage", "relationships"]
    assert price.points == pytest.approx(sum(term.points for term in price.terms))
    assert price.sentence == (
        "costs 0.75: 0.40 less need met (-0.40), 1 more student without a seat with an adult (-0.30), "
        "1.00 fewer first meetings with adults (-0.05)"
    )


def test_the_way_back_gains_the_same(team, sessions, swap):
    fewer = score_plan(team, swap(sessions, "g1", students=("a", "b")))
    score = score_plan(team, sessions)

    there, back = price_change(score, fewer), price_change(fewer, score)

    assert back.points == -there.points
    assert back.sentence.startswith("gains 0.75: 0.40 more need met (+0.40)")


def test_equal_plans_change_nothing(team, sessions):
    renamed = tuple(replace(session, id=session.id.upper()) for session in sessions)

    price = price_change(score_plan(team, sessions), score_plan(team, renamed))

    assert (price.points, price.terms) == (0, ())
    assert price.sentence == "changes no term of the score"
