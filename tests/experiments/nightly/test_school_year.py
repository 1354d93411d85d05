"""The replay of a school year: what is counted as regret."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.benchmarks.school_year.champions import Night

MOMENT = datetime(2012, 10, 6, tzinfo=UTC)
AUC = st.floats(0.5, 1.0)


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(AUC, AUC, AUC), min_size=1), st.data())
def test_who_serves_the_best_regrets_nothing_and_nobody_regrets_less(by_run, data):
    """And the best of one half is never further ahead in the other than the best of that."""
    champion = data.draw(st.sampled_from(sorted(by_run)))
    auc, halves = {run: each[0] for run, each in by_run.items()}, {run: each[1:] for run, each in by_run.items()}

    night = Night(MOMENT, champion, auc, halves)

    assert night.regret >= 0
    assert (night.regret == 0) == (auc[champion] == max(auc.values()))
    ahead = [max(each[half] for each in halves.values()) - halves[champion][half] for half in (0, 1)]
    assert night.regret_without_chance <= sum(ahead) / 2 + 1e-12


def test_a_lead_that_only_one_half_of_the_students_shows_is_chance():
    """What half a chooses is worse in half b by as much as it seemed better, so that nothing is left of the lead."""
    night = Night(MOMENT, "served", {"served": 0.7, "other": 0.705}, {"served": (0.7, 0.7), "other": (0.71, 0.69)})

    assert night.regret == pytest.approx(0.005)
    assert night.regret_without_chance == pytest.approx((-0.01 + 0) / 2)
