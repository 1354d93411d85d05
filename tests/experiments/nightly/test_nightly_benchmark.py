"""The benchmark of a night: districts of copies of a school, and what is made of the costs of their nights."""

import pandas as pd
import pytest

from experiments.benchmarks.nightly.benchmark import compare_sizes
from experiments.benchmarks.nightly.district import School, build_district, next_midnight
from experiments.benchmarks.nightly.steps import Costs, run_night
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from training.config import load_config


@pytest.fixture
def school(simulated_school):
    home, log = Home(simulated_school.home), pd.read_parquet(simulated_school.folder / "log.parquet")
    events = read_events(home)
    morning = events["occurred_at"].max().normalize()
    before, last_day = events[events["occurred_at"] < morning], log[log["occurred_at"] >= morning]
    earlier = log[log["occurred_at"] < morning]
    mapping = simulated_school.folder / "mapping.toml"
    tags = read_item_skills(home)
    return School(before.reset_index(drop=True), earlier, last_day, tags, mapping, morning.to_pydatetime())


def test_a_district_is_a_school_as_often_as_it_takes(school, tmp_path):
    """With other students each time, and a log of their last day that is not stored yet."""
    home = Home(tmp_path / "home")

    day = pd.read_parquet(build_district(school, home, 2 * len(school.events), Costs()))

    events = read_events(home)
    assert len(events) == 2 * len(school.events)
    assert events["event_id"].is_unique
    assert events["student_id"].nunique() == 2 * school.events["student_id"].nunique()
    assert len(day) == 2 * len(school.last_day)
    assert events["occurred_at"].max() < school.morning <= day["occurred_at"].min()


def test_what_grows_with_the_log_is_told_from_what_does_not():
    """The larger log costs a tenth more for each event, a day in it a fiftieth of the whole, training the same."""
    costs = [({"profile": 10.0, "train": 50.0}, 100), ({"profile": 110.0, "profile a day": 2.2, "train": 50.0}, 1000)]
    sizes = [
        {"events": n, "cpu_seconds_by_step": each, "figures": {"night_mb": 1.0}, "students": 10} for each, n in costs
    ]

    figures = compare_sizes(sizes)

    assert figures["flat_ratio"] == pytest.approx(1.122)
    assert figures["increment_share"] == pytest.approx(0.02)
    assert figures["night_share"] == pytest.approx(0.02)
    assert figures["kb_per_student_and_night"] == pytest.approx(100)


@pytest.mark.long
def test_a_night_on_a_district_says_what_each_step_costs(school, tmp_path, quick_config_path):
    """All steps of a real night; the day is ingested and adds less to the disk than the state of before holds."""
    home = Home(tmp_path / "home")
    day = build_district(school, home, len(school.events), Costs())

    midnight = next_midnight(school.morning)
    costs = run_night(home.root, day, school.mapping, school.morning, midnight, load_config(quick_config_path))

    steps = {"dataset", "train", "evaluate", "refit", "profile", "ingest a day", "find night", "profile a day"}
    steps.add("check a day")
    assert set(costs.seconds) == set(costs.cpu_seconds) == set(costs.peak_mb) == steps
    assert costs.figures["day_events"] == len(school.last_day)
    assert costs.figures["night_mb"] < costs.figures["published_mb"]


@pytest.fixture
def quick_config_path(tmp_path):
    from tests.conftest import QUICK  # noqa: PLC0415 - not needed by the others

    path = tmp_path / "quick.toml"
    path.write_text(QUICK)
    return path
