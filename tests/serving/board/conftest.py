"""The board of the small school, with names, and people who use it."""

import csv
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.database import Database
from features.roster import Team, read_roster_files, read_team, save_roster
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
        signed_team: Id of the second, which asks that its leader signs its days.
        keys: By what they are.
        home: Its home.
    """

    app: FastAPI
    home: Path
    database: Database
    team: Team
    signed_team: str
    keys: dict

    def person(self, key="all", client=None):
        """Somebody who signed in with a key."""
        someone = Person(client or TestClient(self.app))
        someone.page = someone.client.post("/board/sign-in", data={"key": self.keys[key]})
        return someone

    def day(self, date=MONDAY, team_id=None):
        """The address of the team's day."""
        return f"/board/day?team_id={team_id or self.team.team_id}&date={date}"

    def suggested(self, date=MONDAY, key="all", team_id=None):
        """Somebody who looks at a plan of the day."""
        someone = self.person(key)
        someone.open(self.day(date, team_id))
        if "Suggest groups" in someone.page.text:
            someone.send("/board/plans", team_id=team_id or self.team.team_id, date=date)
        assert someone.page.status_code == 200
        return someone


@contextmanager
def open_board(school, roster, home, url, give_key):
    """The board of a copy of a trained school in a folder; the second team asks that its leader signs its days.

    It has no school on 2026-05-04, and a series of this week.
    """
    shutil.copytree(school.home, home)
    shutil.copytree(roster, home.parent / "roster")
    policy = f"""[teams.{school.team_ids[1]}]
leader_signs = true
no_school = ["2026-05-04"]
"""
    (home.parent / "roster" / "policy.toml").write_text(policy, encoding="utf-8")
    _add_series(home.parent / "roster", school.team_ids[1])
    save_roster(read_roster_files(home.parent / "roster"), url)
    team = read_team(url, school.team_ids[0])
    people = {("student", name): f"Name of {name}" for name in team.members}
    people |= {("adult", adult.staff_id): f"Name of {adult.staff_id}" for adult in team.staff}
    keys = {
        "all": give_key(url, ["board", "names"]),
        "second": give_key(url, ["board", "names"]),
        "no_names": give_key(url, ["board"]),
        "leader": give_key(url, ["board", "names", "sign"]),
        "adult": give_key(url, ["board", "names"], staff_id=team.staff[0].staff_id),
        "signer": give_key(url, ["sign"]),
        "elsewhere": give_key(url, ["board", "names"], schools=["Elsewhere"]),
        "expired": give_key(url, ["board"], expires_at=datetime(2026, 1, 1, tzinfo=UTC)),
        "programs": give_key(url, ["read", "plan"]),
        "revoked": give_key(url, ["board"]),
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_VAULT", str(home / "vault.db"))
        environment.setenv("REGROUP_DATABASE_URL", url)
        environment.setattr("serving.plans.edits.suggest.SUGGEST_S", 0.5)
        with Vault(home / "vault.db").replacing() as put:
            put(people.keys(), people)
        app = create_app(Settings(REGROUP_HOME=home, MLFLOW_TRACKING_URI=school.mlruns_uri, per_minute=10**6))
        with Database(url) as database, TestClient(app):
            app.state.snapshots.refresh()
            yield BoardOfSchool(app, home, database, team, school.team_ids[1], keys)


def _add_series(folder, team_id):
    """Two students of a team who want three sessions of one skill each week, from this week on."""
    with (folder / "members.csv").open(encoding="utf-8", newline="") as file:
        members = [row["student_id"] for row in csv.DictReader(file) if row["team_id"] == team_id]
    with (folder / "skills.csv").open(encoding="utf-8", newline="") as file:
        skill = next(csv.DictReader(file))["skill_id"]
    today = date.today()  # noqa: DTZ011 - as the board itself
    row = {
        "series_id": "tutoring",
        "team_id": team_id,
        "students": ";".join(members[:2]),
        "staff_id": f"{team_id}-collab",
        "skills": skill,
        "from_date": today - timedelta(days=today.weekday()),
        "until": today + timedelta(days=30),
        "sessions_per_week": 3,
    }
    with (folder / "series.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)


@pytest.fixture(scope="module")
def board(tried_school, simulated_school, give_key, tmp_path_factory):
    home = tmp_path_factory.mktemp("board") / "home"
    url = f"sqlite:///{home / 'regroup.db'}"
    with open_board(tried_school, simulated_school.folder / "roster", home, url, give_key) as found:
        yield found
