"""The board of the small school, with names, and people who use it."""

import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.database import Database
from features.roster import Team, read_team
from features.roster.people.vault import Vault
from serving.app import create_app
from serving.settings import Settings

MONDAY = "2026-03-16"


@dataclass
class Person:
    """Somebody at a browser without scripts.

    Attributes:
        client: With the cookie of the session.
        page: The last answer.
    """

    client: TestClient
    page: object = None
    addresses: list = field(default_factory=list)

    def open(self, address):
        """Opens a page."""
        self.page = self.client.get(address)
        return self.page

    def send(self, action, **fields):
        """Sends a form of the last page, with its hidden fields."""
        hidden = {name: self.read(name) for name in ("csrf", "version") if f'name="{name}"' in self.page.text}
        self.page = self.client.post(action, data=hidden | fields)
        return self.page

    def read(self, name):
        """The value of a hidden field of the last page."""
        return re.search(rf'name="{name}" value="([^"]*)"', self.page.text)[1]

    @property
    def plan_id(self):
        """The plan that the last page shows."""
        return re.search(r"/board/plans/([0-9a-f]{32})/", self.page.text)[1]


@dataclass(frozen=True)
class BoardOfSchool:
    """A service with a board.

    Attributes:
        database: Of the service.
        team: The first team of the school.
        keys: By what they are.
        home: Its home.
    """

    app: FastAPI
    home: Path
    database: Database
    team: Team
    keys: dict

    def person(self, key="all", client=None):
        """Somebody who signed in with a key."""
        someone = Person(client or TestClient(self.app))
        someone.page = someone.client.post("/board/sign-in", data={"key": self.keys[key]})
        return someone

    def day(self, date=MONDAY):
        """The address of the team's day."""
        return f"/board/day?team_id={self.team.team_id}&date={date}"

    def suggested(self, date=MONDAY, key="all"):
        """Somebody who looks at a plan of the day."""
        someone = self.person(key)
        someone.open(self.day(date))
        if "Suggest groups" in someone.page.text:
            someone.send("/board/plans", team_id=self.team.team_id, date=date)
        assert someone.page.status_code == 200
        return someone


@pytest.fixture(scope="module")
def board(tried_school, give_key, tmp_path_factory):
    home = tmp_path_factory.mktemp("board") / "home"
    shutil.copytree(tried_school.home, home)
    url = f"sqlite:///{home / 'regroup.db'}"
    team = read_team(url, tried_school.team_ids[0])
    people = {("student", name): f"Name of {name}" for name in team.members}
    people |= {("adult", adult.staff_id): f"Name of {adult.staff_id}" for adult in team.staff}
    keys = {
        "all": give_key(url, ["board", "names"]),
        "second": give_key(url, ["board", "names"]),
        "no_names": give_key(url, ["board"]),
        "elsewhere": give_key(url, ["board", "names"], schools=["Elsewhere"]),
        "expired": give_key(url, ["board"], expires_at=datetime(2026, 1, 1, tzinfo=UTC)),
        "programs": give_key(url, ["read", "plan"]),
        "revoked": give_key(url, ["board"]),
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_VAULT", str(home / "vault.db"))
        environment.setattr("serving.plans.edits.suggest.SUGGEST_S", 0.5)
        with Vault(home / "vault.db").replacing() as put:
            put(people.keys(), people)
        app = create_app(Settings(REGROUP_HOME=home, MLFLOW_TRACKING_URI=tried_school.mlruns_uri, per_minute=10**6))
    with Database(url) as database, TestClient(app):
        app.state.snapshots.refresh()
        yield BoardOfSchool(app, home, database, team, keys)
