"""Where regroup keeps what it stores: `REGROUP_HOME`, `./var` unless set."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folder of one installation; nothing in it is ever in git.

    Attributes:
        root: The folder itself; made on first use.
    """

    root: Path

    @property
    def audit(self) -> Path:
        """Entries of the service's audit log that are not in the database yet."""
        return self.root / "audit"

    @property
    def events(self) -> Path:
        """The event log, a Delta Lake table."""
        return self.root / "events"

    @property
    def item_skills(self) -> Path:
        """Which skills an item needs, a Delta Lake table."""
        return self.root / "item_skills"

    @property
    def rejected(self) -> Path:
        """One Parquet file of rejected rows per ingest, beside the event log."""
        return self.root / "rejected"

    @property
    def staging(self) -> Path:
        """Rows on their way into the event log; safe to delete when no ingest runs."""
        return self.root / "staging"

    @property
    def published(self) -> Path:
        """Profiles that the service reads, one folder per model run and moment."""
        return self.root / "published"

    @property
    def served(self) -> Path:
        """A copy of what the service loaded last, for a start without the registry."""
        return self.root / "served"

    @property
    def decisions(self) -> Path:
        """One readable record per nightly decision."""
        return self.root / "decisions"

    @property
    def inbox(self) -> Path:
        """Log files that the next nightly run ingests, with a `mapping.toml` beside them if they need one."""
        return self.root / "inbox"

    def lock(self, name: str) -> Path:
        """The lock file of one kind of work, such as `ingest` or `nightly`."""
        return self.root / f"{name}.lock"

    def database_url(self) -> str:
        """`REGROUP_DATABASE_URL`, else a SQLite file in this home."""
        return os.environ.get("REGROUP_DATABASE_URL") or f"sqlite:///{self.root / 'regroup.db'}"


def read_home() -> Home:
    """The home that the environment names, with an absolute path.

    Example:
        >>> read_home().events.name
        'events'
    """
    return Home(Path(os.environ.get("REGROUP_HOME") or "var").resolve())


def tracking_uri() -> str:
    """Where MLflow keeps versions: `MLFLOW_TRACKING_URI`, else a SQLite file in `./mlruns`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('mlruns').resolve() / 'mlflow.db'}"
