"""Simulated schools as the planner meets them: a log through the product's own reader, forecasts, a team's roster.

One model is trained, on the school of `make demo`, and forecasts for every school, as a district's model would; each
school's own log says how hard its items are. So a school of another kind differs in what its students know and in how
long they have worked, and not in what a model of its own might have learned from few events.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pandas as pd

from experiments.simulation import Behavior, School, SchoolConfig, simulate_school, write_school
from features.console import OUT
from features.events.ingest import ingest_file
from features.events.log.store import read_events, read_item_skills
from features.home import Home
from features.profiles.difficulty import Statistics
from features.profiles.timeline import count_responses, fit_responses
from features.publications import publish_events
from features.roster import SkillMap, Team, list_teams, read_roster_files, read_skills, read_team, save_roster
from serving.models.forecasts import SkillForecast, forecast_students
from serving.models.published.bundle import Artifacts
from serving.models.published.registry import Champion
from serving.models.snapshot import Snapshot, load_snapshot
from serving.settings import Settings
from serving.store.practice.of_team import NO_PRACTICE, Practice
from training.config import TrainingConfig, load_config
from training.data.dataset import build_dataset, read_log
from training.models.artifacts import write_model
from training.models.boosting import FORECASTS, train_model

TEAM = "t01"
"""The team that is planned where it is one of a school; the others only share the log."""

RUN = "simulated-schools"

DEMO = SchoolConfig(students_per_team=60, attendance=0.5, session_median=8.0)
"""The school of `make demo`, of whose log the model learns."""

LARGE_ROOM = 90
"""Students whom an open room holds."""


@dataclass(frozen=True)
class Kind:
    """What a kind of school differs in from that of the demo.

    Attributes:
        behavior: Fields of `Behavior` by name.
        days_old: Days before the first planned day that the log begins; null = all twelve weeks.
        open_room: Whether the team has one large room and no other.
        policy: The `policy.toml` of the roster; empty = none.
    """

    behavior: Mapping[str, float] = field(default_factory=dict)
    days_old: int | None = None
    open_room: bool = False
    policy: str = ""


KINDS: dict[str, Kind] = {
    "demo": Kind(),
    "far_behind": Kind(behavior={"skill_difficulty": 0.0}),
    "far_ahead": Kind(behavior={"skill_difficulty": -2.8}),
    "thin_evidence": Kind(days_old=10),
    "open_room": Kind(open_room=True, policy='[default]\npreset = "open_team_room"\nregroup = "weekly"\n'),
}


@dataclass(frozen=True)
class OpenSchool:
    """A simulated school on the morning of the first day to plan.

    Attributes:
        kind: A key of `KINDS`.
        seed: Seed of the simulation.
        simulated: The simulation, whose truth nobody plans by.
        events: Its log as ingested.
        item_skills: Which skills each item needs, as ingested.
        statistics: How hard items are by this log.
        snapshot: The model, and what it knows of the students.
        teams: Every team of the roster.
        team: The one that is planned.
        skills: Names and prerequisites.
        forecasts: The team's, by the service's settings.
        practice: What the team does around its plans.
    """

    kind: str
    seed: int
    simulated: School
    events: pd.DataFrame
    item_skills: pd.DataFrame
    statistics: Statistics
    snapshot: Snapshot
    teams: tuple[Team, ...]
    team: Team
    skills: SkillMap
    forecasts: tuple[SkillForecast, ...]
    practice: Practice = NO_PRACTICE

    @property
    def as_of(self) -> datetime:
        """The moment of the forecasts, UTC: the midnight before the first day."""
        assert self.snapshot.data_as_of is not None, "simulated logs have a clock"
        return self.snapshot.data_as_of

    def each_team(self) -> "Iterator[OpenSchool]":
        """Yields the school with each of its teams as the one that is planned."""
        for team in self.teams:
            yield replace(self, team=team, forecasts=forecast_team(self.snapshot, team))


@contextmanager
def keep_models(models: Path | None) -> Iterator[Path]:
    """Context of a folder with trained models: those kept there, or new ones; null = gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="regroup-") if models is None else nullcontext(models) as place:
        folder = Path(place)
        if not folder.exists() or not any(folder.iterdir()):
            OUT.print("training on the demo's school", style="dim")
            train_models(folder)
        yield folder


def train_models(folder: Path, config: TrainingConfig | None = None) -> None:
    """Trains the models on the demo's school and writes them as bundles `struggle` and `mastery` into a folder.

    Args:
        folder: Where they go.
        config: Choices of the training; null = the defaults.
    """
    config = load_config() if config is None else config
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        events, item_skills, _, _ = _ingest(simulate_school(DEMO), Path(place))
    write_models(folder, events, item_skills, config)


def write_models(folder: Path, events: pd.DataFrame, item_skills: pd.DataFrame, config: TrainingConfig) -> Statistics:
    """Trains the models on a log and writes them as bundles `struggle` and `mastery`; returns how hard its items are.

    Args:
        folder: Where they go.
        events: Rows of `Events`.
        item_skills: Rows of `ItemSkills`.
        config: Choices of the training.
    """
    dataset = build_dataset(events, item_skills, config)
    for forecast in FORECASTS:
        blocks = getattr(dataset, forecast.name)
        model = train_model(forecast, blocks["train"], blocks["calibration"], config.boosting)
        write_model(folder / forecast.name, model, dataset.statistics, config, {"run_id": RUN})
    return dataset.statistics


def open_school(kind: str, seed: int, models: Path) -> OpenSchool:
    """Simulates a school and goes through ingest, profiles, forecasts and roster as the product does.

    Args:
        kind: A key of `KINDS`.
        seed: Seed of the simulation.
        models: The folder that `train_models` wrote.
    """
    chosen = KINDS[kind]
    config = replace(DEMO, seed=seed, behavior=Behavior(**chosen.behavior))
    simulated = simulate_school(config)
    if chosen.days_old is not None:
        simulated = _keep_last_days(simulated, chosen.days_old)
    if chosen.open_room:
        simulated = _open_rooms(simulated)
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        events, item_skills, teams, skills = _ingest(simulated, Path(place), chosen.policy)
    team = next(team for team in teams if team.team_id == TEAM)
    vocabulary, timeline, _ = read_log(events, item_skills)
    answered = (timeline.correct >= 0) & (timeline.item >= 0)
    statistics = fit_responses(timeline, count_responses(timeline, vocabulary, answered), answered)
    as_of = datetime.combine(config.end, time(), tzinfo=events["occurred_at"].dt.tz)
    snapshot = take_snapshot(models, events, item_skills, statistics, as_of)
    forecasts = forecast_team(snapshot, team)
    return OpenSchool(kind, seed, simulated, events, item_skills, statistics, snapshot, teams, team, skills, forecasts)


def take_snapshot(
    models: Path, events: pd.DataFrame, item_skills: pd.DataFrame, statistics: Statistics, as_of: datetime
) -> Snapshot:
    """Publishes profiles as the nightly job does, and returns the snapshot that the service would load.

    Args:
        models: The folder that `train_models` wrote.
        events: Rows of `Events`; those at or after the moment do not count.
        item_skills: Rows of `ItemSkills`.
        statistics: How hard items are.
        as_of: The moment, UTC.
    """
    with tempfile.TemporaryDirectory(prefix="regroup-") as place:
        profiles = publish_events(Home(Path(place)), RUN, events, item_skills, statistics, as_of, "simulated")
        champion = Champion(RUN, {forecast.name: 1 for forecast in FORECASTS})
        folders = {forecast.name: models / forecast.name for forecast in FORECASTS}
        return load_snapshot(Artifacts(champion, profiles.name, folders, profiles, "bundle"))


def forecast_team(snapshot: Snapshot, team: Team) -> tuple[SkillForecast, ...]:
    """Returns the forecasts of a team's members by the service's own settings."""
    return tuple(forecast_students(snapshot, team.members, Settings.model_fields["recent_days"].default))


def _ingest(
    simulated: School, folder: Path, policy: str = ""
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Team, ...], SkillMap]:
    write_school(simulated, folder / "school")
    if policy:
        (folder / "school" / "roster" / "policy.toml").write_text(policy, encoding="utf-8")
    home = Home(folder / "home")
    ingest_file(home, folder / "school" / "log.parquet", mapping=folder / "school" / "mapping.toml")
    url = f"sqlite:///{folder / 'home' / 'regroup.db'}"
    save_roster(read_roster_files(folder / "school" / "roster"), url)
    teams = tuple(read_team(url, each.team_id) for each in list_teams(url))
    return read_events(home), read_item_skills(home), teams, read_skills(url)


def _keep_last_days(simulated: School, days: int) -> School:
    """Returns a school that began to keep a log so many days before the first planned day."""
    begun = simulated.config.end - timedelta(days=days)
    events, past = simulated.events, simulated.roster["past_sessions"]
    kept = events[events["occurred_at"] >= pd.Timestamp(begun, tz="UTC")].reset_index(drop=True)
    roster = simulated.roster | {"past_sessions": past[past["date"] >= begun.isoformat()].reset_index(drop=True)}
    return replace(simulated, events=kept, roster=roster)


def _open_rooms(simulated: School) -> School:
    """Returns a school in which each team has one large room and no other."""
    rows = [
        {"room_id": f"{team}-room", "team_id": team, "capacity": LARGE_ROOM}
        for team in simulated.roster["teams"]["team_id"]
    ]
    return replace(simulated, roster=simulated.roster | {"rooms": pd.DataFrame(rows)})
