"""The school that is served: simulated, ingested and trained by the real commands, in a folder that may be kept."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete

from experiments.benchmarks.service.processes import ServerError, show_progress
from features.console import OUT
from features.database import Database
from features.events.live.answers import LIVE_EVENTS
from features.roster import list_teams

SECOND = "[boosting]\nrounds = 120\nseed = 5\n"
"""Settings of the second run, so that its forecasts differ."""


@dataclass(frozen=True)
class School:
    """A trained school in a folder with `home` and `mlruns`; its API key may do all that a benchmark asks for."""

    folder: Path
    key: str = ""
    team_ids: tuple[str, ...] = ()

    @property
    def home(self) -> Path:
        """The folder that `REGROUP_HOME` names."""
        return self.folder / "home"

    @property
    def store(self) -> str:
        """The address that `MLFLOW_TRACKING_URI` names."""
        return f"sqlite:///{self.folder / 'mlruns' / 'mlflow.db'}"

    @property
    def database_url(self) -> str:
        """The URL of its SQLite database."""
        return f"sqlite:///{self.home / 'regroup.db'}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command and server; a benchmark sends more requests than one key may."""
        return {
            "REGROUP_HOME": str(self.home),
            "MLFLOW_TRACKING_URI": self.store,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "OMP_WAIT_POLICY": "PASSIVE",
            "REGROUP_PER_MINUTE": "100000000",
        }

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}


def open_school(folder: Path) -> School:
    """Returns the school in a folder, made there if there is none; one that is there has no live events any more.

    Raises:
        ServerError: One of the commands failed.
    """
    school = School(folder.resolve())
    if not (school.home / "published").exists():
        OUT.print(f"a school is simulated and trained first, in {folder}: some minutes", style="dim", highlight=False)
        log = school.folder / "log"
        run_step(school.environment, "experiments", "simulate", str(log), "--teams", "4")
        mapping = ("--mapping", str(log / "mapping.toml"))
        run_step(school.environment, "features", "ingest", str(log / "log.parquet"), *mapping)
        run_step(school.environment, "features", "roster", str(log / "roster"))
        run_step(school.environment, "training", "nightly")
    with Database(school.database_url) as database, database.changing() as connection:
        connection.execute(delete(LIVE_EVENTS))  # with those of an earlier soak, everything later comes late
    team_ids = sorted(team.team_id for team in list_teams(school.database_url))
    return School(school.folder, issue_key(school.environment), tuple(team_ids))


def issue_key(
    environment: Mapping[str, str],
    scopes: Sequence[str] = ("read", "plan", "load"),
    *,
    schools: Sequence[str] = (),
    per_minute: int | None = None,
) -> str:
    """Returns a new API key, for all schools where none is named, without a limit of its own where none is given."""
    options = [part for scope in scopes for part in ("--scope", scope)]
    options += [part for school in schools for part in ("--school", school)]
    options += [] if per_minute is None else ["--per-minute", str(per_minute)]
    return run_step(environment, "serving", "keys", "issue", "--name", "benchmark", *options).strip()


def two_runs(school: School) -> tuple[str, str]:
    """Returns the champion and a second published run; the second is trained if there is none."""
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds

    from training.records.tracking import Tracking  # noqa: PLC0415 - as MLflow

    tracking = Tracking(school.store)
    first = tracking.champion()
    assert first is not None, "the school was trained"
    others = [folder.name for folder in (school.home / "published").iterdir() if folder.name != first]
    if others:
        return first, others[0]
    # without its alias there is no champion to keep, so the second run is promoted and published
    client = MlflowClient(school.store, school.store)
    for forecast in ("struggle", "mastery"):
        client.delete_registered_model_alias(f"regroup-{forecast}", "champion")
    config = school.folder / "second.toml"
    config.write_text(SECOND, encoding="utf-8")
    run_step(school.environment, "training", "nightly", "--config", str(config))
    second = tracking.champion()
    assert second is not None, "the second run was promoted"
    tracking.promote(first)
    return first, second


def run_step(environment: Mapping[str, str], package: str, *arguments: str) -> str:
    """Runs a command of the product and returns what it wrote.

    Raises:
        ServerError: It failed.
    """
    OUT.print(f"python -m {package} {arguments[0]}", style="dim", highlight=False)
    command, variables = [sys.executable, "-m", package, *arguments], {**os.environ, **environment}
    with show_progress(lambda: f"python -m {package} {arguments[0]} is at work"):
        done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.splitlines() or ["it wrote nothing"])[-1]
        raise ServerError(f"`python -m {package} {arguments[0]}` ended with exit code {done.returncode}: {reason}")
    return done.stdout
