"""Part `scoring`: risks of one team over HTTP, beside `mlflow models serve` of the same booster, in turns."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from experiments.benchmarks.figures import make_table, print_tables
from experiments.benchmarks.service.load import Connection, LoadPlan, Request, Sample, fill, generate, quantile
from experiments.benchmarks.service.mix import events_request, fetch_etag
from experiments.benchmarks.service.processes import free_port, run_server, run_service
from experiments.benchmarks.service.school import School
from experiments.benchmarks.service.throughput import show_quantiles, to_quantiles
from features.console import track
from features.database import Database
from features.home import Home
from features.roster import read_team

THREADS = 2
RESAMPLES = 2000
WITH_OURS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
"""MLflow calls its web server by name."""

ARMS = ("ours", "ours, known to the caller", "mlflow")


def measure_scoring(school: School, rounds: int, seconds: float, log: Path) -> dict[str, Any]:
    """Returns requests a second and latency of each arm, ratios to MLflow's with 95 % intervals over rounds."""
    team_id = school.team_ids[0]
    with Database(school.database_url) as database:
        members = read_team(database, team_id).members
    with tempfile.TemporaryDirectory() as place:
        model, rows = save_model(school, list(members), Path(place))
        port = free_port()
        command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
        command += ["--port", str(port), "--workers", "1"]
        with (
            run_service(school.environment, 1, log) as ours,
            run_server(command, school.environment | {"PATH": WITH_OURS}, port, "/ping", log) as theirs,
        ):
            path = f"/v1/teams/{team_id}/forecasts"
            known = school.headers | {"If-None-Match": fetch_etag(school, ours.port, path)}
            sent = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", index=False))})
            as_json = {"Content-Type": "application/json"}
            requests = {
                ARMS[0]: (ours.port, Request(ARMS[0], "GET", path, school.headers)),
                ARMS[1]: (ours.port, Request(ARMS[1], "GET", path, known)),
                ARMS[2]: (theirs.port, Request(ARMS[2], "POST", "/invocations", as_json, sent)),
            }
            for to, request in requests.values():
                generate(LoadPlan(to, THREADS, 1.0, [request]))  # warms up
            per_second: dict[str, list[float]] = {arm: [] for arm in ARMS}
            samples: dict[str, list[Sample]] = {arm: [] for arm in ARMS}
            for _ in track(range(rounds), "rounds beside MLflow's server", total=rounds):
                for arm, (to, request) in requests.items():
                    load = generate(LoadPlan(to, THREADS, seconds, [request]))
                    per_second[arm].append(len(load.of(arm)) / load.wall_s)
                    samples[arm] += load.samples
            fresh = measure_fresh(school, ours.port, path, list(members), 5 * rounds)
    figures = summarize_scoring(len(members), len(rows), per_second, samples) | {"after_an_event_ms": fresh}
    print_tables(_show_scoring(figures))
    return figures


def summarize_scoring(
    students: int, rows: int, per_second: Mapping[str, list[float]], samples: Mapping[str, list[Sample]]
) -> dict[str, Any]:
    """Returns the figures of all arms, and ratios."""
    figures: dict[str, Any] = {"students": students, "rows": rows, "threads": THREADS, "arms": {}, "ratios": {}}
    slow = {arm: sorted(sample.seconds for sample in some) for arm, some in samples.items()}
    for arm in ARMS:
        failed = sum(sample.status not in {200, 304} for sample in samples[arm])
        figures["arms"][arm] = {
            "rounds_per_second": per_second[arm],
            "per_second": float(np.median(per_second[arm])),
            "failed": failed,
            "ms": to_quantiles(slow[arm]),
        }
    rng = np.random.default_rng(1)
    for arm in ARMS[:2]:
        ratios = np.array(per_second[arm]) / np.array(per_second[ARMS[2]])
        drawn = np.median(rng.choice(ratios, (RESAMPLES, len(ratios))), axis=1)
        figures["ratios"][arm] = {
            "throughput": float(np.median(ratios)),
            "low": float(np.quantile(drawn, 0.025)),
            "high": float(np.quantile(drawn, 0.975)),
            "p99": quantile(slow[arm], 0.99) / quantile(slow[ARMS[2]], 0.99),
        }
    return figures


def measure_fresh(school: School, port: int, path: str, members: list[str], times: int) -> dict[str, float]:
    """Returns milliseconds of the first request after an event of a member, when no cached forecast is valid."""
    connection, seconds = Connection(port), []
    request = events_request(school, members)
    for _ in range(times):
        connection.send(request.method, request.path, request.headers, fill(request.body))
        begun = time.perf_counter()
        connection.send("GET", path, school.headers)
        seconds.append(time.perf_counter() - begun)
    connection.close()
    return to_quantiles(sorted(seconds))


def save_model(school: School, members: list[str], into: Path) -> tuple[Path, pd.DataFrame]:
    """Returns the champion's struggle booster as MLflow's own flavor, and the team's rows of its columns."""
    import lightgbm as lgb  # noqa: PLC0415 - as MLflow
    import mlflow.lightgbm  # noqa: PLC0415 - takes seconds
    from mlflow.models import infer_signature  # noqa: PLC0415

    from features.publications import newest_publication, read_publication  # noqa: PLC0415
    from serving.models.published.registry import Registry  # noqa: PLC0415

    registry = Registry(school.store)
    champion = registry.champion()
    assert champion is not None, "the school was trained"
    bundle = registry.fetch(champion.run_id, "struggle", into)
    columns = json.loads((bundle / "features.json").read_text(encoding="utf-8"))["columns"]
    folder = newest_publication(Home(school.home), champion.run_id)
    assert folder is not None, "its profiles were published"
    profiles = read_publication(folder).skill_profiles()
    rows = profiles.loc[profiles["student_id"].isin(members), columns].astype("float64").reset_index(drop=True)
    booster = lgb.Booster(model_file=bundle / "model.lgb")
    model = into / "flavor"
    mlflow.lightgbm.save_model(booster, str(model), signature=infer_signature(rows), pip_requirements=["lightgbm"])
    return model, rows


def _show_scoring(figures: Mapping[str, Any]) -> Table:
    """Returns the table of each arm beside MLflow's server."""
    title = (
        f"risks of {figures['students']} students, {figures['rows']} rows, one worker, {figures['threads']} connections"
    )
    numbers = ("answers/s", "p50 / p95 / p99, ms", "times MLflow's", "p99 to MLflow's")
    table = make_table(title, ["arm"], numbers)
    for arm, row in figures["arms"].items():
        ratio = figures["ratios"].get(arm)
        times = "" if ratio is None else f"{ratio['throughput']:.1f} ({ratio['low']:.1f} to {ratio['high']:.1f})"
        table.add_row(
            arm, f"{row['per_second']:.0f}", show_quantiles(row["ms"]), times, f"{ratio['p99']:.3f}" if ratio else ""
        )
    table.add_row("ours, first after an event", "", show_quantiles(figures["after_an_event_ms"]), "", "")
    return table
