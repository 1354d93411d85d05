"""A district of two schools behind one service, and every route of that service with a request for each."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from features.database import Database
from features.roster import read_team
from serving.api.middleware.authenticate import BOARD, OPEN
from serving.app import create_app
from serving.settings import Settings
from serving.store.keys import revoke_key

MONDAY = "2026-03-16"


@dataclass(frozen=True)
class Route:
    """One route, and how to ask it about somebody.

    Attributes:
        path: Its template.
        scope: The scope it takes.
        body: Schema of its body as JSON; null for none.
        takes_body: Whether it takes a body at all.
        parts: The schemas that the body's refers to.
    """

    method: str
    path: str
    scope: str
    body: dict | None
    parts: dict
    takes_body: bool

    def address(self, ids):
        """The address with our ids in it; other ids are of nothing."""
        names = [part.split("}")[0] for part in self.path.split("{")[1:]]
        return self.path.format(**{name: ids.get(name, "nothing") for name in names})

    def ask(self, client, ids, **headers):
        """Asks about the team, student and recommendation of `ids`; other ids are of nothing."""
        address = self.address(ids)
        body = None if self.body is None else self._make(self.body, "", ids)
        return client.request(self.method, address, json=body, headers=headers)

    def _make(self, schema, name, ids):
        """The smallest value that a schema allows, with our ids in it."""
        while choices := [key for key in ("$ref", "anyOf", "oneOf", "allOf") if key in schema]:
            chosen = schema[choices[0]]
            schema = self.parts[chosen.rsplit("/", 1)[1]] if choices[0] == "$ref" else chosen[0]
        kind = schema.get("type", "object")
        if kind == "object":
            needed = {*schema.get("required", ()), "seconds"} & schema.get("properties", {}).keys()
            return {name: self._make(schema["properties"][name], name, ids) for name in sorted(needed)}
        if kind == "array":
            return [self._make(schema["items"], name.removesuffix("s"), ids)] * schema.get("minItems", 0)
        return ids[name] if name in ids else _plain(schema, kind, name)


def _plain(schema, kind, name):
    if "const" in schema or "enum" in schema:
        return schema.get("const") or schema["enum"][0]
    if kind == "string":
        moments = {"date": MONDAY, "date-time": f"{MONDAY}T08:00:00Z"}
        return moments.get(schema.get("format"), "x" * schema.get("minLength", 1))
    if kind == "boolean":
        return False
    return 0.05 if name == "seconds" else schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)


@dataclass(frozen=True)
class District:
    """Two schools, North and South, of one team each.

    Attributes:
        database: Of the service.
        north: A team, student, goal and recommendation of the first school.
        south: Likewise of the second.
        of_south: Every id that only the second school has, and its name.
        students: Ids of all students.
        unplaced: A student with events and without a team.
        keys: By what they are: `north`, `north_team` (bound to its one team), `south`, `all`, `expired`, `revoked`,
            `unknown`, `wrong_secret`, `seldom` (three requests a minute), and `only_SCOPE`.
    """

    app: FastAPI
    home: Path
    database: Database
    north: dict
    south: dict
    of_south: frozenset[str]
    students: tuple[str, ...]
    unplaced: str
    keys: dict

    def client(self, key=None):
        """Someone with a key; None: without one."""
        headers = {} if key is None else {"Authorization": f"Bearer {self.keys[key]}"}
        return TestClient(self.app, headers=headers)


@pytest.fixture(scope="session")
def district(trained_school, give_key, tmp_path_factory) -> Iterator[District]:
    home = tmp_path_factory.mktemp("district") / "home"
    shutil.copytree(trained_school.home, home)
    url = f"sqlite:///{home / 'regroup.db'}"
    first, second = trained_school.team_ids
    unplaced = read_team(url, second).members[-1]
    with sqlite3.connect(home / "regroup.db") as file:
        file.execute("UPDATE roster_teams SET school = 'North' WHERE team_id = ?", (first,))
        file.execute("UPDATE roster_teams SET school = 'South' WHERE team_id = ?", (second,))
        file.execute("DELETE FROM roster_members WHERE student_id = ?", (unplaced,))
    file.close()
    keys = {
        "north": give_key(url, schools=["North"]),
        "north_team": give_key(url, teams=[first]),
        "south": give_key(url, schools=["South"]),
        "all": give_key(url),
        "expired": give_key(url, expires_at=datetime(2026, 1, 1, tzinfo=UTC)),
        "revoked": give_key(url),
        "seldom": give_key(url, per_minute=3),
        "unknown": f"rg_{'0' * 16}_{'0' * 64}",
        **{f"only_{scope}": give_key(url, [scope]) for scope in ("read", "plan", "load", "names", "admin", "sign")},
    }
    keys["wrong_secret"] = keys["all"][:-1] + ("0" if keys["all"][-1] != "0" else "1")
    with Database(url) as database:
        revoke_key(database, keys["revoked"].split("_")[1], datetime.now(UTC))
        app = create_app(Settings(REGROUP_HOME=home, MLFLOW_TRACKING_URI=trained_school.mlruns_uri, per_minute=10**6))
        with TestClient(app, headers={"Authorization": f"Bearer {keys['all']}"}) as client:
            north, south = (
                {
                    "team_id": team,
                    "student_id": read_team(url, team).members[0],
                    "recommendation_id": client.post(
                        "/v1/recommendations", json={"team_id": team, "date": MONDAY, "seconds": 0.05}
                    ).json()["id"],
                }
                for team in (first, second)
            )
            for ids in (north, south):
                goal = {"kind": "habit", "habit": "I ask.", "until": "2199-12-31"}
                goal["staff_id"] = read_team(url, ids["team_id"]).staff[0].staff_id
                ids["goal_id"] = client.post(f"/v1/students/{ids['student_id']}/goals", json=goal).json()["goal_id"]
            of_south = {south["recommendation_id"], south["goal_id"], "South", unplaced} | _ids(url, second) - _ids(
                url, first
            )
            yield District(
                app, home, database, north, south, frozenset(of_south), trained_school.student_ids, unplaced, keys
            )


def _ids(url, team_id):
    team = read_team(url, team_id)
    parts = {item for part in ("staff", "rooms", "blocks", "rules") for item in getattr(team, part)}
    return {team.team_id, team.name, *team.members} | {
        getattr(item, f"{kind}_id")
        for item in parts
        for kind in ("staff", "room", "block", "rule")
        if hasattr(item, f"{kind}_id") and getattr(item, f"{kind}_id")
    }


@pytest.fixture(scope="session")
def routes(district) -> list[Route]:
    """Every route of the application that is not open, from the application itself."""
    contract = district.app.openapi()
    found = []
    for route in iter_route_contexts(district.app.routes):
        if route.path in OPEN or f"{route.path}/".startswith(f"{BOARD}/"):  # see tests/serving/board
            continue
        for method in sorted(route.methods - {"HEAD"}):
            operation = contract["paths"].get(route.path_format, {}).get(method.lower(), {})
            scopes = [scope for need in operation.get("security", ()) for scope in need.get("api_key", ())]
            assert len(scopes) == 1, (
                f"{method} {route.path} asks for no scope: give it dependencies=[require_scope(...)]"
            )
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            parts, takes_body = contract["components"]["schemas"], "requestBody" in operation
            found.append(Route(method, route.path_format, scopes[0], body, parts, takes_body))
    assert found
    return found
