"""The checks on the small school, with its real champion: what a night keeps, names and refuses."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from features.events.ingest import ingest_rows
from features.home import Home
from tests.features.events.test_store import some_rows
from training.config import load_config
from training.errors import RosterGateError
from training.nightly import run_nightly
from training.nightly.checks import Champion, check_night
from training.nightly.checks.history import read_history, write_measures
from training.nightly.checks.measures import ALL, Measures
from training.records.tracking import Tracking

END = datetime(2026, 3, 14, tzinfo=UTC)
"""The midnight after the small school's last event."""

CHECKS = load_config().checks.model_copy(update={"min_students": 5, "min_nights": 6})


@pytest.mark.long
def test_answers_read_the_wrong_way_round_are_named_by_the_second_night(own_school, school_log):
    """After four quiet weeks; what is kept of the nights names no student."""
    home, (events, item_skills) = Home(own_school.home), school_log
    for path in home.checks.glob("*.json"):
        path.unlink()
    tracking = Tracking()
    models = {name: tracking.fetch_model(own_school.run_id, name) for name in ("struggle", "mastery")}
    champion = Champion(own_school.run_id, models)
    wrong_since = np.unique(events["occurred_at"].dt.normalize())[-2]
    changed = (events["occurred_at"] >= wrong_since) & events["correct"].notna()
    swapped = events.assign(correct=events["correct"].where(~changed, ~events["correct"]))

    found = {}
    for back in range(27, -1, -1):
        moment = END - timedelta(days=back)
        before = swapped[swapped["occurred_at"] < moment]
        found[moment] = check_night(home, moment, champion, before, item_skills, CHECKS)

    alarms = {
        moment: {each.name for each in each_night if each.level == "alarm"} for moment, each_night in found.items()
    }
    assert "base_rate" in alarms[END]
    assert sum(bool(names) for moment, names in alarms.items() if moment < END) <= 1  # as chance has it in a month
    kept = "".join(path.read_text() for path in home.checks.glob("*.json"))
    assert len(read_history(home, END)) == 27
    assert not any(f'"{student}"' in kept for student in own_school.student_ids)


def test_profiles_and_forecasts_are_measured_for_both_champions(own_school, school_log):
    """After a promotion, by the prior of before and the trained one; after a rollback, the other way round."""
    home, (events, item_skills), tracking = Home(own_school.home), school_log, Tracking()
    prior = tracking.previous()
    models = {run_id: {"mastery": tracking.fetch_model(run_id, "mastery")} for run_id in (prior, own_school.run_id)}

    def check(days, run_id):
        later = events.assign(occurred_at=events["occurred_at"] + timedelta(days=days))  # the same answers every night
        moment, champion = END + timedelta(days=days), Champion(run_id, models[run_id], models.get)
        check_night(home, moment, champion, later[later["occurred_at"] < moment], item_skills, CHECKS)
        return read_history(home, moment + timedelta(seconds=1))[-1]

    first, promoted, rolled_back = check(0, prior), check(1, own_school.run_id), check(2, prior)

    assert first.bridge == {}
    steps = promoted.bridge[ALL]
    for name in ("forecast", "base_rate", "unknown_items"):
        moved = promoted.figures[ALL][name].value - first.figures[ALL][name].value
        assert steps[name] == pytest.approx(moved, abs=1e-5)
        assert moved != 0
    assert steps["column student_responses"] == 0
    assert abs(steps["column student_ability"]) > 0.01  # which is told by items that the prior does not know
    back = rolled_back.bridge[ALL]
    assert {name: -step for name, step in back.items() if name.startswith("column")} == {
        name: step for name, step in steps.items() if name.startswith("column")
    }


@pytest.mark.long
def test_a_roster_that_shrank_stops_the_training_and_not_the_profiles(own_school):
    """With its own exit code, a record, and no mark that it was processed: the same night again looks again."""
    home = Home(own_school.home)
    members = {ALL: 10 * len(own_school.student_ids)}
    write_measures(home, Measures(END, own_school.run_id, {}, members, {}, {}, {}))
    ingest_rows(
        home, [some_rows(list(own_school.student_ids[:2]), "2026-03-16")], "app", "log", now=END.replace(year=2027)
    )

    for _ in range(2):
        with pytest.raises(RosterGateError, match="students are in the roster, and"):
            run_nightly(home, load_config(own_school.config))

    published = sorted(path.name[:8] for path in (home.published / own_school.run_id).iterdir())
    records = [path.read_text() for path in home.decisions.glob("*.md")]
    assert published == ["20260314", "20260317"]
    assert any("No challenger was trained." in text and "load the whole roster" in text for text in records)
    assert RosterGateError.exit_code == 5


def test_the_record_says_what_was_checked(trained_school):
    """Of the first night, which has nothing to compare with, too."""
    (record,) = (trained_school.home / "decisions").glob("*.md")

    assert "| ok | limits | not enough comparable nights yet" in record.read_text()
    (night,) = read_history(Home(trained_school.home), END + timedelta(days=1))
    assert night.moment == END
    assert night.figures == {} or "volume" in night.figures[ALL]
