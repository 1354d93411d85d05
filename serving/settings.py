"""Service settings from the environment, built once."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from features.errors import InputError
from features.home import Home, read_home, tracking_uri


class Settings(BaseSettings):
    """The settings of the service; each is read from an environment variable with the prefix `REGROUP_`.

    Attributes:
        at_once: Requests of one key that one process answers at the same time.
        bundle: Folder that `python -m serving export` wrote, to serve from it without a registry.
        body_bytes: The largest body that is read.
        bytes_per_minute: Bytes of bodies that one key may send to one process in a minute.
        events_per_batch: The most live events in one request.
        connections: Connections to the database that each process keeps open.
        cors_origins: Origins of web pages that may call, such as `https://plan.example.org`, separated by commas.
        drain_seconds: How long a process that got the signal to end goes on answering while it says that it is not
            ready; about twice the interval at which a load balancer checks it.
        events_body_bytes: The largest body of a batch of events.
        http_connections: Connections of callers that each process keeps open; fewer where it may not open the files.
        fold_seconds: Seconds between two updates of profiles with live events that no request has asked for yet.
        poll_seconds: Seconds between two looks at the registry for the champion, and at the roster for changed teams.
        kept_hours: How long the answer to an Idempotency-Key is kept.
        plans_kept_days: How long a plan is kept, with the decision on it and the sessions recorded from that; longer
            than any plan looks back.
        audit_kept_days: How long an entry of the audit log is kept; the database itself keeps it for 180 days.
        takeover_seconds: Age at which a request under way counts as lost with its process; no plan takes so long.
        solvers: Requests that plan at the same time in one process; run about as many processes as there are cores.
        queue: Requests that may wait for their turn to plan in one process; further ones are refused with 503.
        queue_seconds: The longest that a request waits for its turn.
        recent_days: Days for which practice counts as current; skills practiced since are candidates.
        max_candidates: The most candidate skills of one student that a plan considers.
        keys_fresh_seconds: Seconds between two readings of the API keys; a new or revoked key is noticed within it.
        keys_stale_seconds: How long keys go on counting while the database does not answer.
        open: Whether everybody on this machine may ask without a key.
        per_minute: Requests that one key may make of one process, where the key has no limit of its own.
    """

    model_config = SettingsConfigDict(env_prefix="REGROUP_", frozen=True)

    at_once: int = Field(default=64, ge=1)
    bundle: Path | None = None
    body_bytes: int = Field(default=2**20, ge=1)
    bytes_per_minute: int = Field(default=2**27, ge=1)
    events_per_batch: int = Field(default=5000, ge=1)
    connections: int = Field(default=8, ge=1)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    drain_seconds: float = Field(default=0.0, ge=0)
    events_body_bytes: int = Field(default=16 * 2**20, ge=1)
    http_connections: int = Field(default=1000, ge=1)
    keys_fresh_seconds: float = Field(default=2.0, gt=0)
    keys_stale_seconds: float = Field(default=900.0, gt=0)
    open: bool = False
    per_minute: int = Field(default=1200, ge=1)
    fold_seconds: float = Field(default=0.25, gt=0)
    poll_seconds: float = Field(default=5.0, gt=0)
    solvers: int = Field(default=1, ge=1)
    queue: int = Field(default=16, ge=0, le=30)  # they hold threads, and other requests need some of 40
    queue_seconds: float = Field(default=30.0, gt=0)
    kept_hours: float = Field(default=24.0, gt=0)
    plans_kept_days: int = Field(default=400, ge=60, le=36_500)
    audit_kept_days: int = Field(default=730, ge=181, le=36_500)
    takeover_seconds: float = Field(default=120.0, gt=0)
    recent_days: int = Field(default=28, ge=1)
    max_candidates: int = Field(default=6, ge=1)
    home_folder: Path = Field(default_factory=lambda: read_home().root, validation_alias="REGROUP_HOME")
    tracking: str = Field(default_factory=tracking_uri, validation_alias="MLFLOW_TRACKING_URI")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())
        for origin in origins:
            if not re.fullmatch(r"https?://[^/\s*]+", origin):
                raise ValueError(f"{origin!r} is no origin; write https://HOST, and several separated by commas")
        return origins

    @property
    def home(self) -> Home:
        """The folder in which profiles are published and the roster is kept."""
        return Home(self.home_folder.resolve())


def read_settings() -> Settings:
    """The settings in the environment.

    Raises:
        InputError: A setting is wrong; the first wrong one is named.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        variable = name if name.isupper() else f"REGROUP_{name.upper()}"
        raise InputError(f"{variable}={first['input']!r}: {first['msg'].removeprefix('Value error, ')}") from None
