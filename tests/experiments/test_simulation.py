"""The simulated school: the same each time, its truth found again in its log, and readable like a real one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.simulation import (
    Behavior,
    SchoolConfig,
    compare_command,
    simulate_school,
    summarize,
    write_school,
)
from experiments.simulation.resemblance import set_side_by_side, timed
from features.errors import InputError
from features.logs import open_log
from features.logs.rows import SKILL_MARK
from features.roster import read_roster_files

SMALL = SchoolConfig(teams=2, weeks=6, students_per_team=40, skills=12, strands=3)


@pytest.fixture(scope="module")
def school():
    return simulate_school(SMALL)


def test_the_same_config_gives_the_same_school_bit_for_bit(school):
    again = simulate_school(SMALL)

    pd.testing.assert_frame_equal(again.events, school.events, check_exact=True)
    for name, table in school.truth.items():
        pd.testing.assert_frame_equal(again.truth[name], table, check_exact=True)
    for name, table in school.roster.items():
        pd.testing.assert_frame_equal(again.roster[name], table)


def test_another_seed_gives_another_school(school):
    other = simulate_school(replace(SMALL, seed=2))

    assert not other.events["correct"].head(1000).equals(school.events["correct"].head(1000))


def test_more_teams_and_larger_teams_change_nobody_else(school):
    larger = simulate_school(replace(SMALL, teams=3, students_per_team=50)).events

    kept = larger[larger["student_id"].isin(school.events["student_id"].unique())].reset_index(drop=True)

    assert len(larger) > len(kept)
    pd.testing.assert_frame_equal(kept, school.events)


def test_able_students_answer_better(school):
    students = school.truth["students"].set_index("student_id")
    share = school.events.groupby("student_id")["correct"].mean()

    assert np.corrcoef(students["ability"].loc[share.index], share)[0, 1] > 0.7


def test_hard_items_are_answered_worse(school):
    by_item = school.events.groupby("item_id")["correct"].agg(["mean", "size"]).query("size >= 20")
    difficulty = school.truth["items"].set_index("item_id")["difficulty"].loc[by_item.index]

    assert np.corrcoef(difficulty, by_item["mean"])[0, 1] < -0.7


def test_practice_raises_mastery_and_idleness_does_not(school):
    mastery = school.truth["mastery"]
    gain = mastery["end_mastery"] - mastery["start_mastery"]

    assert (gain[mastery["responses"] == 0] == 0).all()
    assert (gain >= 0).all()
    traits = school.truth["students"].set_index("student_id")["gaming_share"]
    honest = mastery["student_id"].map(traits) == 0  # a rapid guess teaches nothing
    assert (gain[honest & (mastery["responses"] > 0)] > 0).all()


def test_what_is_forgotten_is_gone_from_the_truth():
    lasting = Behavior(forgotten=0.0)

    kept = simulate_school(replace(SMALL, behavior=lasting)).truth["mastery"]["end_mastery"].mean()

    assert kept > simulate_school(SMALL).truth["mastery"]["end_mastery"].mean() + 0.01


def test_some_students_never_get_three_in_a_row_and_most_do(school):
    summary = summarize(timed(school.events))

    assert 0.55 < summary.correct_share < 0.85
    assert 0.08 < summary.student_mean_sd < 0.22
    assert 0.05 < summary.struggled_of_decided_share < 0.35
    assert 0.4 < summary.mastered_share < 0.95
    assert 0.03 < summary.gain_1_to_5 < 0.25
    assert 0.1 < summary.autocorrelation < 0.35


def test_students_work_on_school_days_in_their_own_order(school):
    times = school.events["occurred_at"]
    weekend = times.dt.day_of_week >= 5

    assert times.min() >= pd.Timestamp("2026-01-31", tz="UTC")
    assert times.max() < pd.Timestamp(SMALL.end, tz="UTC")
    assert weekend.mean() < 0.05
    assert times.dt.hour.between(8, 22).all()
    steps = times.astype("int64").diff()[school.events["student_id"].eq(school.events["student_id"].shift())]
    assert (steps > 0).all()


def test_engagement_has_a_heavy_tail(school):
    per_student = school.events.groupby("student_id").size()

    assert per_student.mean() > 1.05 * per_student.median()
    assert per_student.quantile(0.95) > 2 * per_student.median()
    assert per_student.quantile(0.05) < per_student.median() / 2


def test_rapid_guesses_are_short_and_mostly_wrong():
    guessing = Behavior(gaming_share=1.0, gaming_most=0.9)

    events = simulate_school(replace(SMALL, behavior=guessing)).events

    rapid = events["duration_s"] < 5
    assert rapid.mean() > 0.2
    assert events["correct"][rapid].mean() < 0.25


def test_some_items_need_two_skills(school):
    counts = school.item_skills.groupby("item_id").size()

    assert 0.05 < (counts == 2).mean() < 0.15
    assert set(counts) == {1, 2}
    assert school.events["skills"].str.contains(";").mean() > 0.03


def test_the_roster_is_valid_and_has_adults_in_all_four_roles(school, tmp_path):
    write_school(school, tmp_path)

    roster = read_roster_files(tmp_path / "roster")

    assert roster.warnings == ()
    for team in ("t01", "t02"):
        staff = [adult for adult in roster.staff if adult.team_id == team]
        assert len(staff) >= 4
        assert {adult.role for adult in staff} == {
            "teacher_leader",
            "collaborating_teacher",
            "support_staff",
            "teacher_in_training",
        }
        weekdays = [block.weekday for block in roster.blocks if block.team_id == team]
        assert {weekdays.count(day) for day in set(weekdays)} == {4}
    assert {member.student_id for member in roster.members} == set(school.truth["students"]["student_id"])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_written_log_is_read_back_through_its_mapping(school, tmp_path, form):
    write_school(school, tmp_path, form)

    log = open_log(tmp_path / f"log.{form}", mapping=tmp_path / "mapping.toml")
    rows = pd.concat(log.chunks(), ignore_index=True)

    assert rows["rejected"].isna().all()
    assert rows["student_id"].tolist() == school.events["student_id"].tolist()
    assert (rows["occurred_at"].to_numpy() == school.events["occurred_at"].to_numpy()).all()
    assert (rows["score"] == school.events["correct"]).all()
    assert rows["skills"].tolist() == school.events["skills"].str.replace(";", SKILL_MARK).tolist()
    assert (rows["hints"] == school.events["hints"]).all()


def test_the_written_truth_is_the_truth(school, tmp_path):
    write_school(school, tmp_path)

    for name, table in school.truth.items():
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "truth" / f"{name}.parquet"), table)


def test_the_summary_counts_what_it_says():
    answers = {"a": [1, 1, 1, 0], "b": [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "c": [0, 1]}
    rows = [(student, "k", value) for student, values in answers.items() for value in values]
    events = pd.DataFrame(rows, columns=["student_id", "skills", "correct"])
    events["item_id"] = [f"i{row}" for row in range(len(events) - 1)] + ["i15"]
    events["time_s"] = np.arange(len(events)) * 10
    events.loc[events.index[1:], "time_s"] += 4000

    summary = summarize(events.sample(frac=1, random_state=0))

    shares = (summary.mastered_share, summary.struggled_share, summary.indeterminate_share)
    assert shares == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert summary.struggled_of_decided_share == 0.5
    assert summary.episodes_of_10_share == pytest.approx(1 / 3)
    assert summary.gain_1_to_5 == 0
    assert summary.responses_per_session_median == 2.5
    assert summary.repeated_item_share == pytest.approx(1 / 17)
    assert set_side_by_side(summary, {"same": summary})["same_ratio"].dropna().eq(1).all()


def test_what_cannot_be_simulated_is_refused(tmp_path):
    with pytest.raises(InputError, match="teams of the school is 0; write 1 or more"):
        SchoolConfig(teams=0)
    with pytest.raises(InputError, match="two_skill_share of the school is 2"):
        SchoolConfig(two_skill_share=2)
    with pytest.raises(InputError, match=r"none\.parquet cannot be compared"):
        compare_command(tmp_path / "none.parquet")
