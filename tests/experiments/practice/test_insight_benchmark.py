"""The benchmark of Insight plants a weak skill, looks as the product does, and counts what is named."""

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks.practice.insight import Watched, summarize, watch_school
from experiments.simulation import SchoolConfig, simulate_school
from experiments.simulation.days import FollowingDays

SMALL = SchoolConfig(seed=3, teams=2, students_per_team=30, weeks=9, skills=8, strands=2, items_per_skill=20)


@pytest.mark.long
def test_a_weak_skill_is_answered_less_often_and_no_other():
    school = simulate_school(SMALL)
    shares = []
    for weak in ({}, {"k005": 2.0}):
        life = FollowingDays(school, 0, weak=weak)
        days = pd.date_range(SMALL.end, periods=10, freq="B").date
        rows = pd.concat([life.hold(day, (), {}, {}).events for day in days])
        shares.append(rows.groupby(rows["skills"] == "k005")["correct"].mean())

    assert shares[1][True] < shares[0][True] - 0.2
    assert abs(shares[1][False] - shares[0][False]) < 0.05


def test_a_school_is_watched_and_nobody_is_named():
    watched = watch_school(3, SMALL)

    assert watched.students >= 20
    assert watched.adults_named == 0
    assert watched.false <= 8


def test_shares_and_means_have_intervals():
    watched = [Watched(seed, "k", 60, 2 if seed % 2 else None, None, seed % 3, 0, 0, 0) for seed in range(12)]

    figures = summarize(watched)

    assert figures["found_share"] == 0.5
    assert figures["found_share_interval"][0] < 0.5 < figures["found_share_interval"][1]
    assert figures["false_per_month"] == np.mean([one.false for one in watched])
    assert figures["adults_named"] == 0
