"""The playlist's benchmark counts what came next among three offers, of the playlist and of plain rules."""

import pytest

from experiments.benchmarks.practice.moments import Morning
from experiments.benchmarks.practice.playlist import Looked, benchmark_playlist, make_rules, summarize
from features.errors import InputError
from serving.plans.practice.product_order import GO_ON, ProductOrder


def morning(last, then, before=(), student=0):
    return Morning(student, 100, last, then, dict.fromkeys(before, 1), tuple(before))


def test_plain_rules_say_what_most_mornings_gave():
    rules = make_rules([morning("add", "carry"), morning("add", "carry"), morning("add", "long"), morning("x", "y")])

    assert rules["most practiced next skill"](morning("add", ""))[:2] == ["carry", "long"]
    assert rules["most practiced skill"](morning("add", ""))[0] == "carry"
    assert rules["latest skills of the student"](morning("add", "", ["add", "x"]))[:2] == ["add", "x"]


def test_figures_are_of_mornings_on_which_something_not_proficient_came_next():
    hit, missed = {"rule": (True, True)}, {"rule": (False, True)}
    looked = [
        Looked(student, student % 4 > 0, 1.0, hit if student % 2 else missed, ((0.8, 1.0),)) for student in range(40)
    ]

    figures = summarize(looked)

    assert figures["offerable_share"] == 0.75
    assert figures["offered_share"] == 1.0
    assert figures["best_rule_share"] == pytest.approx(2 / 3)
    assert figures["all_mornings"]["rules"]["rule"]["value"] == 1.0
    assert figures["ece"] == pytest.approx(0.2)


def test_the_order_of_the_product_is_weighed_by_what_was_practiced_last():
    order = ProductOrder({"add": {"carry": 0.5}, "count": {"add": 0.5, "carry": 0.25}})

    weights = order.weigh_next(["add", "count"])

    assert max(weights, key=weights.__getitem__) == "add"
    assert weights["carry"] == pytest.approx(0.5 + 0.8 * 0.25)
    assert weights["add"] == pytest.approx(0.8 * 0.5 + GO_ON)


def test_a_log_without_a_clock_or_without_a_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no clock, so that it has no mornings; take assistments-2012"):
        benchmark_playlist("pykt-assist2015", students=30, mornings=30)
    with pytest.raises(InputError, match="is not there; name the folder"):
        benchmark_playlist("assistments-2012", students=30, mornings=30, data=tmp_path)
    with pytest.raises(InputError, match="must be at least 3"):
        benchmark_playlist("assistments-2012", students=2, mornings=30)
