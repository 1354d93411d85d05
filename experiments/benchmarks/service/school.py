"""The school that is served: simulated, ingested and trained by the real commands, in a folder that may be kept."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from experiments.benchmarks.service.processes import ServerError
from features.console import OUT
from features.roster import list_teams

SECOND = "[boosting]\nrounds = 120\nseed = 5\n"
"""Settings of the second run, so that its forecasts differ."""


@dataclass(frozen=True)
class School:
    """A trained school in a folder.

    Attributes:
        folder: With `home` and `mlruns`.
        key: An API key for everything.
        team_ids: Ids of its teams.
    """

    folder: Path
    key: str
    team_ids: tuple[str, ...]

    @property
    def home(self) -> Path:
        """Returns what `REGROUP_HOME` names."""
        return self.folder / "home"

    @property
    def store(self) -> str:
        """Returns what `MLFLOW_TRACKING_URI` names."""
        return store_of(self.folder)

    @property
    def database_url(self) -> str:
        """The URL of its SQLite database."""
        return f"sqlite:///{self.home / 'regroup.db'}"

    @property
    def environment(self) -> dict[str, str]:
        """Returns what every command and server of it needs; a benchmark requests more often than one key may."""
        return environment_of(self.folder)

    @property
    def headers(self) -> dict[str, str]:
        """Returns what every request has to carry."""
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}


def store_of(folder: Path) -> str:
    """Returns the MLflow store in a folder."""
    return f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"


def environment_of(folder: Path) -> dict[str, str]:
    """Returns the environment of the commands and servers of the school in a folder."""
    return {
        "REGROUP_HOME": str(folder / "home"),
        "MLFLOW_TRACKING_URI": store_of(folder),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_WAIT_POLICY": "PASSIVE",
        "REGROUP_PER_MINUTE": "100000000",
    }


def open_school(folder: Path) -> School:
    """Returns the school in a folder, made there if there is none.

    Raises:
        ServerError: One of the commands failed.
    """
    folder = folder.resolve()
    if not (folder / "home" / "published").exists():
        log, environment = folder / "log", environment_of(folder)
        _step(environment, "experiments", "simulate", str(log), "--teams", "4")
        _step(environment, "features", "ingest", str(log / "log.parquet"), "--mapping", str(log / "mapping.toml"))
        _step(environment, "features", "roster", str(log / "roster"))
        _step(environment, "training", "nightly")
    key = issue_key(environment_of(folder))
    teams = list_teams(f"sqlite:///{folder / 'home' / 'regroup.db'}")
    return School(folder, key, tuple(sorted(team.team_id for team in teams)))


def issue_key(environment: Mapping[str, str]) -> str:
    """Returns a new API key for whatever the benchmark requests."""
    scopes = [part for scope in ("read", "plan", "load") for part in ("--scope", scope)]
    return _step(environment, "serving", "keys", "issue", "--name", "benchmark", *scopes).strip()


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
    _step(school.environment, "training", "nightly", "--config", str(config))
    second = tracking.champion()
    assert second is not None, "the second run was promoted"
    tracking.promote(first)
    return first, second


def _step(environment: Mapping[str, str], package: str, *arguments: str) -> str:
    OUT.print(f"python -m {package} {arguments[0]}", style="dim", highlight=False)
    done = subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "-m", package, *arguments],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = (done.stderr.splitlines() or ["it wrote nothing"])[-1]
        raise ServerError(f"`python -m {package} {arguments[0]}` ended with exit code {done.returncode}: {reason}")
    return done.stdout
