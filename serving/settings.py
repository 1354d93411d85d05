"""Service settings from the environment, built once."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.home import Home, read_home, tracking_uri


class Settings(BaseSettings):
    """What the service is told from outside; every name has the prefix `REGROUP_`.

    Attributes:
        events_per_batch: How many live events one request may bring.
        connections: To the database, kept open by each process.
        poll_seconds: How often the watcher asks the registry for the champion.
        recent_days: How far back practice counts as current; skills practised since are candidates.
        handful: How many candidate skills of one student a plan considers.
    """

    model_config = SettingsConfigDict(env_prefix="REGROUP_", frozen=True)

    events_per_batch: int = Field(default=5000, ge=1)
    connections: int = Field(default=8, ge=1)
    poll_seconds: float = Field(default=5.0, gt=0)
    recent_days: int = Field(default=28, ge=1)
    handful: int = Field(default=6, ge=1)
    home_folder: Path = Field(default_factory=lambda: read_home().root, validation_alias="REGROUP_HOME")
    tracking: str = Field(default_factory=tracking_uri, validation_alias="MLFLOW_TRACKING_URI")

    @property
    def home(self) -> Home:
        """Where profiles are published and the roster is kept."""
        return Home(self.home_folder.resolve())
