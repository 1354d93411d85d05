"""An attack on the queue in front of the solver: one key of one school asks for the longest plans without a pause."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import update

from experiments.benchmarks.service.load import DAY, Load, LoadPlan, Request, generate, quantile
from experiments.benchmarks.service.processes import run_service
from experiments.benchmarks.service.school import School, issue_key
from features.database import Database
from features.roster.tables import TEAMS

WORKERS = 2
SECONDS, QUICK_SECONDS = 60.0, 20.0

HOGS, LONGEST_S = 40, 30.0
"""Connections that ask for the longest plans, and the seconds of each."""

PLAN_S, REST_S = 0.2, 0.5
"""Seconds of everybody else's plans, and rest between two of them."""

CREATED = 201


def hog_the_solver(school: School, log: Path, quick: bool) -> dict[str, Any]:
    """Returns the share of plans that another school, and another key of the same school, get while one key hogs all.

    Half of the teams become those of the school North, the others those of South.
    """
    seconds = QUICK_SECONDS if quick else SECONDS
    north, south = _divide_teams(school)
    hog, fellow, other = (
        issue_key(school.environment, schools=[name], per_minute=1200) for name in ("North", "North", "South")
    )
    with run_service(school.environment, WORKERS, log) as server:
        generate(LoadPlan(server.port, 4, 5.0, _ask(north + south, school.key, PLAN_S)))  # warms up every process
        orders = [
            LoadPlan(server.port, HOGS, seconds, _ask(north[:1], hog, LONGEST_S), seed=1),
            LoadPlan(server.port, 2, seconds, _ask(south, other, PLAN_S), seed=2, rest_s=REST_S),
            LoadPlan(server.port, 1, seconds, _ask(north, fellow, PLAN_S), seed=3, rest_s=REST_S),
        ]
        with ThreadPoolExecutor() as pool:
            hogging, others, same = pool.map(generate, orders)
    statuses = Counter(sample.status for sample in hogging.samples)
    return (
        _summarize(others, "other_school")
        | _summarize(same, "same_school")
        | {"hog_statuses": {str(status): count for status, count in sorted(statuses.items())}}
    )


def _divide_teams(school: School) -> tuple[tuple[str, ...], tuple[str, ...]]:
    half = len(school.team_ids) // 2
    parts = school.team_ids[:half], school.team_ids[half:]
    with Database(school.database_url) as database, database.changing() as connection:
        for name, teams in zip(("North", "South"), parts, strict=True):
            connection.execute(update(TEAMS).where(TEAMS.c.team_id.in_(teams)).values(school=name))
    return parts


def _ask(team_ids: Sequence[str], key: str, seconds: float) -> list[Request]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return [
        Request(
            "plan",
            "POST",
            "/v1/recommendations",
            headers,
            f'{{"team_id": "{team_id}", "date": "{DAY}", "seconds": {seconds}}}',
        )
        for team_id in team_ids
    ]


def _summarize(load: Load, whose: str) -> dict[str, Any]:
    made = sorted(sample.seconds for sample in load.samples if sample.status == CREATED)
    return {
        f"{whose}_plans": len(load.samples),
        f"{whose}_plans_ok_share": len(made) / max(1, len(load.samples)),
        f"{whose}_plan_p50_ms": 1000 * quantile(made, 0.5),
        f"{whose}_plan_p99_ms": 1000 * quantile(made, 0.99),
    }
